//! What the catalog knows and the history shows: names of members, and facts of offer types.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use marketplace_proto::offercatalog::v1::offer_service_client::OfferServiceClient;
use marketplace_proto::offercatalog::v1::publisher_service_client::PublisherServiceClient;
use marketplace_proto::offercatalog::v1::{BatchGetMembersRequest, GetOfferTypeRequest, Member};
use marketplace_runtime::neighbour::NeighbourChannel;
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::domain::{OfferType, Person};
use crate::error::Error;
use crate::wire;

/// How long an answer about members is of use while the catalog is away; it is asked anew whenever it is there.
const USABLE: Duration = Duration::from_secs(60);
/// Types of offers are data of a release of the catalog.
const TYPES: Duration = Duration::from_secs(600);
/// The most principals in one call.
const CHUNK: usize = 1_000;
/// The most answers kept.
const MAX_KEPT: usize = 20_000;

/// The catalog. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    publishers: PublisherServiceClient<NeighbourChannel>,
    offers: OfferServiceClient<NeighbourChannel>,
    kept: Arc<Kept>,
}

/// What the catalog says of members.
#[derive(Debug, Default)]
pub struct Members {
    /// By principal.
    pub people: HashMap<String, Person>,
    /// The catalog is away, and this is what it said within the last minute: some may have left since (IB-3).
    pub kept: bool,
}

/// Publisher and principal.
type Key = (String, String);

/// What was answered lately; `None` for who had left.
#[derive(Default)]
struct Kept {
    people: Mutex<HashMap<Key, (Option<Person>, Instant)>>,
    types: Mutex<HashMap<String, (OfferType, Instant)>>,
}

impl Catalog {
    /// Over this channel.
    pub fn new(channel: NeighbourChannel) -> Catalog {
        let publishers = PublisherServiceClient::new(channel.clone());
        Catalog {
            publishers,
            offers: OfferServiceClient::new(channel),
            kept: Arc::default(),
        }
    }

    /// Those of these principals who are members of the publisher, by principal.
    pub async fn members(&self, publisher: &str, principals: &[String]) -> Result<Members, Error> {
        let mut members = Members::default();
        for chunk in principals.chunks(CHUNK) {
            match self.ask(publisher, chunk).await {
                Ok(found) => members.people.extend(found),
                Err(error) => {
                    let kept = self.lately(publisher, chunk);
                    let kept = kept.ok_or(Error::Catalog(Box::new(error)))?;
                    members.people.extend(kept);
                    members.kept = true;
                }
            }
        }
        Ok(members)
    }

    async fn ask(
        &self,
        publisher: &str,
        principals: &[String],
    ) -> Result<HashMap<String, Person>, Status> {
        let request = BatchGetMembersRequest {
            publisher: format!("publishers/{publisher}"),
            principals: principals.to_vec(),
            offer: String::new(),
        };
        let answer = self
            .publishers
            .clone()
            .batch_get_members(request)
            .await?
            .into_inner();
        let found: HashMap<String, Person> = answer.members.into_iter().map(person).collect();
        let mut kept = self
            .kept
            .people
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if kept.len() > MAX_KEPT {
            kept.clear();
        }
        for principal in principals {
            let key = (publisher.to_owned(), principal.clone());
            kept.insert(key, (found.get(principal).cloned(), Instant::now()));
        }
        Ok(found)
    }

    /// What was answered within the last minute, if all of them were asked for.
    fn lately(&self, publisher: &str, principals: &[String]) -> Option<HashMap<String, Person>> {
        let kept = self
            .kept
            .people
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut found = HashMap::new();
        for principal in principals {
            let (person, at) = kept.get(&(publisher.to_owned(), principal.clone()))?;
            if at.elapsed() > USABLE {
                return None;
            }
            found.extend(person.clone().map(|person| (principal.clone(), person)));
        }
        Some(found)
    }

    /// What the catalog says of a type of offers. One that nobody has named yet has neither plans nor pages.
    pub async fn offer_type(&self, id: &str) -> Result<OfferType, Error> {
        let nothing = OfferType {
            supports_plans: false,
            pages: Vec::new(),
        };
        if id.is_empty() {
            return Ok(nothing);
        }
        let known = self
            .kept
            .types
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned();
        if let Some((kind, at)) = &known
            && at.elapsed() < TYPES
        {
            return Ok(kind.clone());
        }
        match self.ask_type(id).await {
            Ok(kind) => Ok(kind),
            // A type that was taken out of the catalog keeps its rows.
            Err(status) if status.code() == Code::NotFound => Ok(nothing),
            // Data that never changes within a release: an old answer is as good.
            Err(status) => known
                .map(|(kind, _)| kind)
                .ok_or(Error::Catalog(Box::new(status))),
        }
    }

    async fn ask_type(&self, id: &str) -> Result<OfferType, Status> {
        let request = GetOfferTypeRequest { id: id.to_owned() };
        let answer = self
            .offers
            .clone()
            .get_offer_type(request)
            .await?
            .into_inner()
            .offer_type
            .unwrap_or_default();
        let pages = answer
            .pages
            .iter()
            .filter_map(|id| wire::page_of(*id))
            .collect();
        let kind = OfferType {
            supports_plans: answer.supports_plans,
            pages,
        };
        let mut kept = self
            .kept
            .types
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        kept.insert(id.to_owned(), (kind.clone(), Instant::now()));
        Ok(kind)
    }
}

fn person(member: Member) -> (String, Person) {
    (
        member.principal,
        Person {
            member: member.name,
            display_name: member.display_name,
        },
    )
}
