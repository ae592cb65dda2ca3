//! What we ask of the catalogue and of certification; called before a transaction or outside of any.

mod certification;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use catalog::listing_service_client::ListingServiceClient;
use catalog::offer_service_client::OfferServiceClient;
use catalog::publisher_service_client::PublisherServiceClient;
use marketplace_proto::offercatalog::v1 as catalog;
use marketplace_runtime::access::{Membership, PUBLISHING_ROLES};
use marketplace_runtime::neighbour::NeighbourChannel;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::domain::{Actor, ActorKind, Freeze};
use crate::error::Error;

#[cfg(test)]
pub use certification::ByHand;
pub use certification::{Certification, Look, Seen};

const NAME: &str = "the offer catalog";
/// How long a valid payout profile is taken for granted.
const FRESH: Duration = Duration::from_secs(5);

/// The catalogue. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    offers: OfferServiceClient<NeighbourChannel>,
    listings: ListingServiceClient<NeighbourChannel>,
    publishers: PublisherServiceClient<NeighbourChannel>,
    paid_out: Arc<Mutex<HashMap<String, Instant>>>,
}

/// A content to be fixed.
#[derive(Debug, Clone)]
pub struct FreezeOrder<'a> {
    pub offer: &'a str,
    /// The submission's resource name.
    pub submission: &'a str,
    pub etag: &'a str,
    /// Snapshot to freeze anew instead of the draft; empty: the draft.
    pub source: &'a str,
    pub freeze: &'a Freeze,
    /// Look only: nothing is marked or stored.
    pub dry_run: bool,
    /// With `dry_run`: keep the snapshot for a look, and answer what is wrong with pages instead of refusing.
    pub keep_snapshot: bool,
}

impl Catalog {
    pub fn new(channel: &NeighbourChannel) -> Self {
        Self {
            offers: OfferServiceClient::new(channel.clone()),
            listings: ListingServiceClient::new(channel.clone()),
            publishers: PublisherServiceClient::new(channel.clone()),
            paid_out: Arc::default(),
        }
    }

    /// Fixes the content of a submission. What the catalogue refuses is said in its own words.
    pub async fn freeze(
        &self,
        order: FreezeOrder<'_>,
    ) -> Result<catalog::SubmissionProfile, Error> {
        self.look(order).await?.profile.ok_or(Error::Corrupt(
            "the catalogue froze an offer and told no profile",
        ))
    }

    /// The same with all that the catalogue says.
    pub async fn look(
        &self,
        order: FreezeOrder<'_>,
    ) -> Result<catalog::FreezeOfferResponse, Error> {
        let request = catalog::FreezeOfferRequest {
            offer: order.offer.to_owned(),
            submission: order.submission.to_owned(),
            etag: order.etag.to_owned(),
            stopped_plans: order.freeze.stops.clone(),
            restored_plans: order.freeze.restores.clone(),
            previous_snapshot: order.freeze.newest.clone(),
            source: order.source.to_owned(),
            dry_run: order.dry_run,
            keep_snapshot: order.keep_snapshot,
            live_plans: if order.source.is_empty() {
                Vec::new()
            } else {
                order.freeze.live_plans.clone()
            },
        };
        let answer = self
            .offers
            .clone()
            .freeze_offer(request)
            .await
            .map_err(|s| told(s, order.offer))?;
        Ok(answer.into_inner())
    }

    /// Gives back what was frozen for a submission that never began.
    pub async fn release_freeze(&self, submission: &str) -> Result<(), Error> {
        let request = catalog::ReleaseFreezeRequest {
            submission: submission.to_owned(),
        };
        let answer = self.offers.clone().release_freeze(request).await;
        answer
            .map(drop)
            .map_err(|status| Error::Neighbour(NAME, Box::new(status)))
    }

    /// How an offer's draft stands; `None`: the catalogue knows no such offer.
    pub async fn draft(
        &self,
        offer: &str,
    ) -> Result<Option<catalog::GetDraftStandingResponse>, Error> {
        let request = catalog::GetDraftStandingRequest {
            offer: offer.to_owned(),
        };
        match self.offers.clone().get_draft_standing(request).await {
            Ok(answer) => Ok(Some(answer.into_inner())),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(Error::Neighbour(NAME, Box::new(status))),
        }
    }

    /// Makes, resolves and cancels an order per plan of a snapshot.
    pub async fn probe_purchase(&self, snapshot: &str) -> Result<Vec<catalog::PlanProbe>, Status> {
        let request = catalog::ProbePurchaseRequest {
            snapshot: snapshot.to_owned(),
        };
        Ok(self
            .listings
            .clone()
            .probe_purchase(request)
            .await?
            .into_inner()
            .probes)
    }

    /// Where leads of a snapshot go, with its secrets.
    pub async fn open_lead_secret(
        &self,
        snapshot: &str,
    ) -> Result<catalog::OpenLeadSecretResponse, Status> {
        let request = catalog::OpenLeadSecretRequest {
            snapshot: snapshot.to_owned(),
        };
        Ok(self
            .offers
            .clone()
            .open_lead_secret(request)
            .await?
            .into_inner())
    }

    /// A customer's lead, with where it goes.
    pub async fn open_lead(&self, lead: Uuid) -> Result<catalog::OpenLeadResponse, Status> {
        let request = catalog::OpenLeadRequest {
            name: format!("leads/{lead}"),
        };
        let answer = self.listings.clone().open_lead(request).await?;
        Ok(answer.into_inner())
    }

    /// Links of the preview that is served now.
    pub async fn preview_links(
        &self,
        offer: &str,
        submission: &str,
    ) -> Result<Vec<catalog::PreviewLink>, Status> {
        let request = catalog::GetPreviewLinksRequest {
            offer: offer.to_owned(),
            submission: submission.to_owned(),
        };
        Ok(self
            .listings
            .clone()
            .get_preview_links(request)
            .await?
            .into_inner()
            .links)
    }

    /// Where customers meet a live offer.
    pub async fn live_links(&self, offer: &str) -> Result<Vec<catalog::ListingLink>, Status> {
        let request = catalog::GetListingRequest {
            offer: offer.to_owned(),
        };
        let answer = self.listings.clone().get_listing(request).await?;
        Ok(answer.into_inner().listing.unwrap_or_default().links)
    }

    /// Whether customers see an offer, or this plan of it, and will go on seeing it.
    pub async fn is_on_sale(&self, offer: &str, plan: Option<&str>) -> Result<bool, Error> {
        let request = catalog::GetListingRequest {
            offer: offer.to_owned(),
        };
        let listing = match self.listings.clone().get_listing(request).await {
            Ok(answer) => answer.into_inner().listing.unwrap_or_default(),
            Err(status) if status.code() == Code::NotFound => return Ok(false),
            Err(status) => return Err(Error::Neighbour(NAME, Box::new(status))),
        };
        let shown = |plan: &str| listing.plans.iter().any(|one| one.plan_id == plan);
        Ok(listing.deprecation.is_none() && plan.is_none_or(shown))
    }

    /// RO-9: what is sold through the marketplace needs valid tax and payout profiles.
    pub async fn check_payout(&self, publisher: &str) -> Result<(), Error> {
        let fresh = |at: &Instant| at.elapsed() < FRESH;
        if self.known().get(publisher).is_some_and(fresh) {
            return Ok(());
        }
        let request = catalog::GetPublisherRequest {
            name: format!("publishers/{publisher}"),
        };
        let answer = self.publishers.clone().get_publisher(request).await;
        let answer = answer
            .map_err(|status| Error::Neighbour(NAME, Box::new(status)))?
            .into_inner();
        let programme = answer
            .publisher
            .and_then(|publisher| publisher.programme)
            .unwrap_or_default();
        if !programme.tax_profile_valid || !programme.payout_profile_valid {
            return Err(Error::PayoutProfile);
        }
        let mut known = self.known();
        known.retain(|_, at| fresh(at));
        known.insert(publisher.to_owned(), Instant::now());
        Ok(())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Instant>> {
        self.paid_out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether who scheduled something may still do it: members by their roles, operators by a grant.
    pub async fn may_publish(&self, publisher: &str, actor: &Actor) -> Result<bool, Status> {
        let request = catalog::CheckAccessRequest {
            publisher: format!("publishers/{publisher}"),
            principal: actor.principal.clone(),
        };
        let membership: Membership = self
            .publishers
            .clone()
            .check_access(request)
            .await?
            .into_inner()
            .into();
        Ok(match actor.kind {
            ActorKind::User => membership
                .roles
                .iter()
                .any(|role| PUBLISHING_ROLES.contains(role)),
            ActorKind::Operator => membership.operator_granted,
            ActorKind::System => true,
        })
    }
}

/// A refusal that the caller can do something about is passed on as it is.
fn told(status: Status, offer: &str) -> Error {
    match status.code() {
        Code::NotFound => Error::NotFound {
            kind: "Offer",
            name: offer.to_owned(),
        },
        Code::FailedPrecondition | Code::Aborted | Code::InvalidArgument => {
            Error::Told(Box::new(status))
        }
        _ => Error::Neighbour(NAME, Box::new(status)),
    }
}
