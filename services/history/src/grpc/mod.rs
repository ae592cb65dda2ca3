//! The door that callers come through.

mod export;
mod watch;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::BoxStream;
use marketplace_messaging::Database;
use marketplace_proto::history::v1 as pb;
use marketplace_proto::history::v1::history_service_server::HistoryService;
use marketplace_runtime::access::{Access, Permission, Scope, Target};
use marketplace_runtime::identity::{self, Caller};
use marketplace_runtime::ids::OfferName;
use marketplace_runtime::{clock, deadline, postgres, status};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::domain::{Actor, ActorKind, Brand, OfferType, Person, Row, Shown, UserFilter, Verifier};
use crate::error::Error;
use crate::neighbours::{Catalog, Members};
use crate::store::{self, Record};
use crate::{DOMAIN, incoming, wire};

/// Rows read at once where all are read.
const BATCH: i64 = 1_000;
/// How long a read waits for the record of an offer that was created a moment ago.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often a stream checks access again.
const RECHECK: Duration = Duration::from_secs(30);

/// Serves `HistoryService`. Cheap to clone.
#[derive(Clone)]
pub struct Grpc {
    pub db: Database,
    pub access: Access,
    pub catalog: Catalog,
    pub brand: Brand,
    /// Streams end by it when the service stops.
    pub stopping: CancellationToken,
}

/// An offer whose record the caller may read.
struct Readable {
    name: OfferName,
    record: Record,
    kind: OfferType,
}

/// Who reads a stream, and that they may, as of the last look.
struct Reader {
    caller: Arc<Caller>,
    checked: Instant,
}

impl Reader {
    /// Of a caller who was just permitted.
    fn new(caller: Arc<Caller>) -> Reader {
        Reader {
            caller,
            checked: Instant::now(),
        }
    }

    /// The token is still good, and from time to time: the caller may still read.
    async fn check(&mut self, grpc: &Grpc, name: &OfferName) -> Result<(), Status> {
        if clock::now() >= self.caller.expires_at {
            return Err(status::token_expired(DOMAIN));
        }
        if self.checked.elapsed() >= RECHECK {
            grpc.permit(&self.caller, name).await?;
            self.checked = Instant::now();
        }
        Ok(())
    }
}

impl Grpc {
    /// May they? In every call first.
    async fn permit(&self, caller: &Caller, name: &OfferName) -> Result<Scope, Status> {
        let text = name.to_string();
        let target = Target::Resource {
            publisher: &name.publisher,
            kind: "Offer",
            name: &text,
        };
        self.access
            .require(caller, Permission::ReadOffer, &target)
            .await
    }

    /// The offer's record and its type. News of a new offer takes a moment to get here: it is waited for.
    async fn open(&self, scope: &Scope, name: OfferName) -> Result<Readable, Error> {
        let record = match self.find(scope, &name).await? {
            Some(record) => record,
            None => self.await_record(scope, &name).await?,
        };
        let kind = self.catalog.offer_type(&record.offer_type).await?;
        Ok(Readable { name, record, kind })
    }

    async fn find(&self, scope: &Scope, name: &OfferName) -> Result<Option<Record>, Error> {
        store::find(&mut *self.db.acquire().await?, scope, &name.offer).await
    }

    async fn await_record(&self, scope: &Scope, name: &OfferName) -> Result<Record, Error> {
        let mut news = self.db.wake().on(incoming::NEW_OFFER);
        let left = deadline::remaining().map_or(PATIENCE, |left| left.min(PATIENCE));
        let until = tokio::time::Instant::now() + left;
        loop {
            if let Some(record) = self.find(scope, name).await? {
                return Ok(record);
            }
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            if left.is_zero() {
                return Err(Error::NoOffer(name.to_string()));
            }
            news.within(left.min(Duration::from_millis(100))).await;
        }
    }

    /// Those of these principals who belong to the publisher now. Who left is not among them from the moment that was told,
    /// whether the catalog can be asked or not (IB-3).
    async fn members(
        &self,
        publisher: &str,
        principals: &[String],
    ) -> Result<HashMap<String, Person>, Error> {
        let Members { mut people, kept } = self.catalog.members(publisher, principals).await?;
        if kept {
            let mut db = self.db.acquire().await?;
            for gone in store::departed(&mut db, publisher, principals).await? {
                people.remove(&gone);
            }
        }
        Ok(people)
    }

    /// Who of the initiators of these rows belongs to the publisher now.
    async fn people(
        &self,
        name: &OfferName,
        rows: &[Row],
    ) -> Result<HashMap<String, Person>, Error> {
        let users = rows
            .iter()
            .filter(|row| row.entry.actor.kind == ActorKind::User);
        let mut principals: Vec<String> =
            users.map(|row| row.entry.actor.principal.clone()).collect();
        principals.sort_unstable();
        principals.dedup();
        self.members(&name.publisher, &principals).await
    }

    /// Rows as they are answered, with the names of now (IB-1 to IB-5).
    async fn show(&self, offer: &Readable, rows: &[Row]) -> Result<Vec<pb::HistoryEvent>, Error> {
        let people = self.people(&offer.name, rows).await?;
        let shown = |row: &Row| {
            let shown = Shown::of(&row.entry.actor, &people, &self.brand);
            wire::event(&offer.name, row, &shown, &offer.kind)
        };
        Ok(rows.iter().map(shown).collect())
    }

    /// Members as the rows know them. Who is not shown (any more) is no initiator to choose (HF-5).
    async fn resolve(&self, offer: &Readable, users: wire::Users) -> Result<UserFilter, Error> {
        let people = if users.members.is_empty() {
            HashMap::new()
        } else {
            self.members(&offer.name.publisher, &offer.record.principals)
                .await?
        };
        let chosen = people
            .into_iter()
            .filter(|(_, person)| users.members.contains(&person.member));
        Ok(UserFilter {
            principals: chosen.map(|(principal, _)| principal).collect(),
            operators: users.operators,
        })
    }

    async fn list(
        &self,
        offer: &Readable,
        list: wire::List,
    ) -> Result<pb::ListEventsResponse, Error> {
        let mut filter = list.filter;
        if let Some(users) = list.users {
            filter.users = Some(self.resolve(offer, users).await?);
        }
        let mut tx = postgres::begin(self.db.pool()).await?;
        let mut rows = store::list(
            &mut tx,
            &offer.record,
            &filter,
            &offer.kind,
            list.older_than,
            list.size + 1,
        )
        .await?;
        drop(tx);
        let size = usize::try_from(list.size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let last = rows.last().filter(|_| more);
        let next_page_token = last
            .map(|row| wire::page_key(row.entry.at, list.fingerprint))
            .unwrap_or_default();
        Ok(pb::ListEventsResponse {
            events: self.show(offer, &rows).await?,
            next_page_token,
        })
    }

    async fn facets(&self, offer: &Readable) -> Result<pb::ListFacetsResponse, Error> {
        let people = self
            .members(&offer.name.publisher, &offer.record.principals)
            .await?;
        let shown = |principal: &String| {
            let actor = Actor {
                kind: ActorKind::User,
                principal: principal.clone(),
            };
            wire::initiator(&Shown::of(&actor, &people, &self.brand))
        };
        let here = offer
            .record
            .principals
            .iter()
            .filter(|principal| people.contains_key(*principal));
        let mut users: Vec<pb::Initiator> = here.map(shown).collect();
        users.sort_by(|a, b| {
            a.display_name
                .cmp(&b.display_name)
                .then_with(|| a.member.cmp(&b.member))
        });
        if offer.record.operated {
            users.push(wire::initiator(&Shown::Operator(&self.brand)));
        }
        Ok(wire::facets(&offer.record, users, &offer.kind))
    }

    /// Rows and head are read in one snapshot: what is recorded meanwhile is no difference.
    async fn verify(
        &self,
        scope: &Scope,
        name: &OfferName,
    ) -> Result<pb::VerifyHistoryResponse, Error> {
        let mut tx = self
            .db
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        let found = store::find(&mut tx, scope, &name.offer).await?;
        let record = found.ok_or_else(|| Error::NoOffer(name.to_string()))?;
        let mut verifier = Verifier::new(record.chain.offer_uid);
        let mut seq = 0;
        loop {
            let rows = store::after(&mut tx, record.chain.offer_uid, seq, BATCH).await?;
            let Some(last) = rows.last() else { break };
            seq = last.seq;
            rows.into_iter().for_each(|row| verifier.take(row));
        }
        let verdict = verifier.finish(&record.chain);
        Ok(pb::VerifyHistoryResponse {
            intact: verdict.first_broken.is_none(),
            rows: verdict.rows.unsigned_abs(),
            first_broken_seq: verdict.first_broken.unwrap_or_default().unsigned_abs(),
            head: hex::encode(verdict.head),
        })
    }
}

#[tonic::async_trait]
impl HistoryService for Grpc {
    type WatchHistoryStream = BoxStream<'static, Result<pb::WatchHistoryResponse, Status>>;
    type ExportHistoryStream = BoxStream<'static, Result<pb::ExportHistoryResponse, Status>>;

    async fn list_events(
        &self,
        request: Request<pb::ListEventsRequest>,
    ) -> Result<Response<pb::ListEventsResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let name = wire::offer(&request.parent)?;
        let scope = self.permit(&caller, &name).await?;
        let list = wire::list(&request)?;
        let offer = self.open(&scope, name).await?;
        Ok(Response::new(self.list(&offer, list).await?))
    }

    async fn list_facets(
        &self,
        request: Request<pb::ListFacetsRequest>,
    ) -> Result<Response<pb::ListFacetsResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let name = wire::offer(&request.parent)?;
        let scope = self.permit(&caller, &name).await?;
        let offer = self.open(&scope, name).await?;
        Ok(Response::new(self.facets(&offer).await?))
    }

    async fn watch_history(
        &self,
        request: Request<pb::WatchHistoryRequest>,
    ) -> Result<Response<Self::WatchHistoryStream>, Status> {
        let (caller, request) = identity::open(request)?;
        let name = wire::offer(&request.parent)?;
        let scope = self.permit(&caller, &name).await?;
        let offer = self.open(&scope, name).await?;
        let seq = wire::resume_seq(
            &request.resume_token,
            &request.parent,
            offer.record.chain.offer_uid,
        )?;
        Ok(Response::new(watch::stream(
            self.clone(),
            Reader::new(caller),
            offer,
            seq,
        )))
    }

    async fn verify_history(
        &self,
        request: Request<pb::VerifyHistoryRequest>,
    ) -> Result<Response<pb::VerifyHistoryResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let name = wire::offer(&request.parent)?;
        let scope = self.permit(&caller, &name).await?;
        Ok(Response::new(self.verify(&scope, &name).await?))
    }

    async fn export_history(
        &self,
        request: Request<pb::ExportHistoryRequest>,
    ) -> Result<Response<Self::ExportHistoryStream>, Status> {
        let (caller, request) = identity::open(request)?;
        let name = wire::offer(&request.parent)?;
        let scope = self.permit(&caller, &name).await?;
        let offer = self.open(&scope, name).await?;
        let reader = Reader::new(caller);
        Ok(Response::new(export::stream(self.clone(), reader, offer)))
    }
}
