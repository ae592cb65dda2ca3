//! OfferService: drafts, their pages, and the snapshots taken of them. Pages are in [`super::pages`], snapshots in
//! [`super::snapshots`].

use std::time::Duration;

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::offer_service_server::OfferService;
use marketplace_runtime::access::{Permission, Scope, Target};
use marketplace_runtime::identity::open;
use marketplace_runtime::ids::{OfferName, PublisherName};
use marketplace_runtime::paging::{self, Fingerprint};
use marketplace_runtime::status::Violation;
use time::OffsetDateTime;
use tokio::time::Instant;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{Answers, Catalog, compare, invalid, now, once, pages, snapshots};
use crate::commands::{offers, publications};
use crate::domain::offer::{Offer, Status as OfferStatus};
use crate::error::Error;
use crate::pages::offer_type;
use crate::store::offers::Filter;
use crate::{store, wire};

/// Implements OfferService.
#[derive(Clone)]
pub struct Offers(pub Catalog);

/// How long GetOffer waits for the copy of a publication.
const PATIENCE: Duration = Duration::from_secs(2);

impl Catalog {
    /// An offer for a caller who may read it, in one statement.
    pub(super) async fn read_offer(
        &self,
        scope: &Scope,
        name: &OfferName,
    ) -> Result<Offer, Status> {
        let mut db = self.db.acquire().await.map_err(Error::from)?;
        let found = store::offers::get(&mut db, scope, name, now()).await?;
        let (offer, standing) = found.ok_or_else(|| Error::not_found("Offer", name))?;
        scope.clone().settle(&standing)?;
        Ok(offer)
    }

    /// The same, when its copy of the publication has this revision; waits for that a while.
    async fn read_offer_at(
        &self,
        scope: &Scope,
        name: &OfferName,
        revision: i64,
    ) -> Result<Offer, Status> {
        let offer = self.read_offer(scope, name).await?;
        if offer.publication.revision >= revision {
            return Ok(offer);
        }
        let until = Instant::now() + PATIENCE;
        // Listen, then look, then wait: what commits in between wakes.
        let mut news = self.db.wake().on(publications::topic(offer.uid));
        loop {
            let offer = self.read_offer(scope, name).await?;
            let left = until.saturating_duration_since(Instant::now());
            match wire::unsigned(offer.publication.revision) {
                _ if offer.publication.revision >= revision => return Ok(offer),
                current if left.is_zero() => return Err(Error::StatusBehind { current }.into()),
                _ => news.within(left.min(Duration::from_millis(500))).await,
            };
        }
    }
}

/// The last row of a page of offers, as its token holds it.
type After = (i128, Uuid);

fn after(token: Option<After>) -> Result<Option<(OffsetDateTime, Uuid)>, Violation> {
    let Some((nanos, uid)) = token else {
        return Ok(None);
    };
    Ok(Some((super::token_time(nanos)?, uid)))
}

#[tonic::async_trait]
impl OfferService for Offers {
    type GetOfferTreeStream = Answers<pb::GetOfferTreeResponse>;
    type GetSnapshotStream = Answers<pb::GetSnapshotResponse>;

    async fn create_offer(
        &self,
        request: Request<pb::CreateOfferRequest>,
    ) -> Result<Response<pb::CreateOfferResponse>, Status> {
        let (caller, request) = open(request)?;
        let parent = PublisherName::parse(&request.parent, "parent").map_err(invalid)?;
        let name = format!("{parent}/offers/{}", request.offer_id);
        let target = Target::Resource {
            publisher: &parent.publisher,
            kind: "Offer",
            name: &name,
        };
        let scope = self
            .0
            .access
            .require(&caller, Permission::Publish, &target)
            .await?;
        let once = once(&caller, "CreateOffer", &request.request_id, &request)?;
        let offer = wire::offers::create(&request, now()).map_err(invalid)?;
        let command = async |mut db| {
            offers::create(&mut db, &scope, &offer, request.validate_only).await?;
            Ok((
                db,
                pb::CreateOfferResponse {
                    offer: Some(wire::offers::offer(&offer)),
                },
            ))
        };
        self.0.write(&scope, once, command).await
    }

    async fn get_offer(
        &self,
        request: Request<pb::GetOfferRequest>,
    ) -> Result<Response<pb::GetOfferResponse>, Status> {
        let (caller, request) = open(request)?;
        let name = OfferName::parse(&request.name, "name").map_err(invalid)?;
        let scope = self
            .0
            .before_offer(&caller, Permission::ReadOffer, &name)
            .await?;
        let wanted = wire::signed(request.min_publication_revision);
        let offer = self.0.read_offer_at(&scope, &name, wanted).await?;
        Ok(Response::new(pb::GetOfferResponse {
            offer: Some(wire::offers::offer(&offer)),
        }))
    }

    async fn list_offers(
        &self,
        request: Request<pb::ListOffersRequest>,
    ) -> Result<Response<pb::ListOffersResponse>, Status> {
        let (caller, request) = open(request)?;
        let parent = PublisherName::parse(&request.parent, "parent").map_err(invalid)?;
        let scope = self
            .0
            .before_publisher(&caller, Permission::ReadOffer, &parent)
            .await?;
        self.0.permit(&scope).await?;
        let status = wire::offers::read_status(request.status, "status")
            .map_err(invalid)?
            .map(OfferStatus::as_str);
        let offer_type =
            wire::optional_line(&request.offer_type, "offer_type", 100).map_err(invalid)?;
        let offer_type = Some(offer_type).filter(|id| !id.is_empty());
        let filter = Filter {
            publisher: parent.publisher,
            status,
            offer_type,
        };
        let filters = Fingerprint::of("ListOffers", &filter);
        let size = paging::page_size(request.page_size).map_err(invalid)?;
        let token = paging::decode::<After>(&request.page_token, filters)
            .and_then(after)
            .map_err(invalid)?;
        let mut db = self.0.db.read().await.map_err(Error::from)?;
        let mut found = store::offers::list(&mut db, &filter, token, size + 1).await?;
        let key = |last: &Offer| {
            paging::encode(
                &(last.create_time.unix_timestamp_nanos(), last.uid),
                filters,
            )
        };
        let next_page_token = super::next_page(&mut found, size, key);
        let offers = found.iter().map(wire::offers::offer).collect();
        Ok(Response::new(pb::ListOffersResponse {
            offers,
            next_page_token,
        }))
    }

    async fn delete_offer(
        &self,
        request: Request<pb::DeleteOfferRequest>,
    ) -> Result<Response<pb::DeleteOfferResponse>, Status> {
        let (caller, request) = open(request)?;
        let name = OfferName::parse(&request.name, "name").map_err(invalid)?;
        let scope = self
            .0
            .before_offer(&caller, Permission::Publish, &name)
            .await?;
        let once = once(&caller, "DeleteOffer", &request.request_id, &request)?;
        let etag = wire::etag(&request.etag, "etag").map_err(invalid)?;
        let command = async |mut db| {
            offers::delete(&mut db, &scope, &name, etag, now()).await?;
            Ok((db, pb::DeleteOfferResponse {}))
        };
        self.0.write(&scope, once, command).await
    }

    async fn update_page(
        &self,
        request: Request<pb::UpdatePageRequest>,
    ) -> Result<Response<pb::UpdatePageResponse>, Status> {
        pages::update_page(&self.0, request).await
    }

    async fn get_page(
        &self,
        request: Request<pb::GetPageRequest>,
    ) -> Result<Response<pb::GetPageResponse>, Status> {
        pages::get_page(&self.0, request).await
    }

    async fn review_offer(
        &self,
        request: Request<pb::ReviewOfferRequest>,
    ) -> Result<Response<pb::ReviewOfferResponse>, Status> {
        pages::review_offer(&self.0, request).await
    }

    async fn get_draft_standing(
        &self,
        request: Request<pb::GetDraftStandingRequest>,
    ) -> Result<Response<pb::GetDraftStandingResponse>, Status> {
        pages::get_draft_standing(&self.0, request).await
    }

    async fn get_offer_tree(
        &self,
        request: Request<pb::GetOfferTreeRequest>,
    ) -> Result<Response<Self::GetOfferTreeStream>, Status> {
        pages::get_offer_tree(&self.0, request).await
    }

    async fn compare_offer(
        &self,
        request: Request<pb::CompareOfferRequest>,
    ) -> Result<Response<pb::CompareOfferResponse>, Status> {
        compare::compare_offer(&self.0, request).await
    }

    async fn list_offer_types(
        &self,
        request: Request<pb::ListOfferTypesRequest>,
    ) -> Result<Response<pb::ListOfferTypesResponse>, Status> {
        let (caller, request) = open(request)?;
        self.0
            .access
            .require(&caller, Permission::Customer, &Target::Platform)
            .await?;
        let filters = Fingerprint::of("ListOfferTypes", &());
        let size = paging::page_size(request.page_size).map_err(invalid)?;
        let skip = paging::decode::<usize>(&request.page_token, filters)
            .map_err(invalid)?
            .unwrap_or(0);
        let mut found: Vec<_> = offer_type::all().iter().enumerate().skip(skip).collect();
        let next_page_token = super::next_page(&mut found, size, |(at, _)| {
            paging::encode(&(at + 1), filters)
        });
        let offer_types = found
            .into_iter()
            .map(|(_, kind)| wire::offers::offer_type(kind))
            .collect();
        Ok(Response::new(pb::ListOfferTypesResponse {
            offer_types,
            next_page_token,
        }))
    }

    async fn get_offer_type(
        &self,
        request: Request<pb::GetOfferTypeRequest>,
    ) -> Result<Response<pb::GetOfferTypeResponse>, Status> {
        let (caller, request) = open(request)?;
        self.0
            .access
            .require(&caller, Permission::Customer, &Target::Platform)
            .await?;
        let kind = offer_type::find(&request.id)
            .ok_or_else(|| Error::not_found("OfferType", &request.id))?;
        Ok(Response::new(pb::GetOfferTypeResponse {
            offer_type: Some(wire::offers::offer_type(kind)),
        }))
    }

    async fn freeze_offer(
        &self,
        request: Request<pb::FreezeOfferRequest>,
    ) -> Result<Response<pb::FreezeOfferResponse>, Status> {
        snapshots::freeze_offer(&self.0, request).await
    }

    async fn release_freeze(
        &self,
        request: Request<pb::ReleaseFreezeRequest>,
    ) -> Result<Response<pb::ReleaseFreezeResponse>, Status> {
        snapshots::release_freeze(&self.0, request).await
    }

    async fn get_snapshot(
        &self,
        request: Request<pb::GetSnapshotRequest>,
    ) -> Result<Response<Self::GetSnapshotStream>, Status> {
        snapshots::get_snapshot(&self.0, request).await
    }

    async fn open_lead_secret(
        &self,
        request: Request<pb::OpenLeadSecretRequest>,
    ) -> Result<Response<pb::OpenLeadSecretResponse>, Status> {
        snapshots::open_lead_secret(&self.0, request).await
    }
}
