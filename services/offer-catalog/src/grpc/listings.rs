//! ListingService: offers as customers meet them, and what the pipeline asks about buying and links.

use marketplace_messaging::Work;
use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::listing_service_server::ListingService;
use marketplace_runtime::access::{Permission, Target};
use marketplace_runtime::identity::{Caller, open, optional_caller};
use marketplace_runtime::ids::{OfferName, SnapshotName};
use marketplace_runtime::paging::{self, Fingerprint};
use marketplace_runtime::status::Violation;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{Catalog, PIPELINE, invalid, leads, now, once};
use crate::commands::{acquisitions, previews};
use crate::domain::listing::Head;
use crate::domain::snapshot::{self, Content};
use crate::domain::token::PreviewToken;
use crate::error::Error;
use crate::pages::Storefront;
use crate::store::acquisitions::Listed;
use crate::store::listings::Served;
use crate::store::search::{After, Hit, Wanted};
use crate::{store, wire};

/// Implements ListingService.
#[derive(Clone)]
pub struct Listings(pub Catalog);

/// Who asks for the links of a preview.
const LINK_READERS: &[&str] = &["publishing-pipeline", "notification"];

/// The last hit of a page, as its token holds it.
type Place = (f32, i128, Uuid);

fn place(hit: &Hit) -> Place {
    (
        hit.rank,
        hit.served_since.unix_timestamp_nanos(),
        hit.listing_id,
    )
}

fn after(place: Option<Place>) -> Result<Option<After>, Violation> {
    let Some((rank, nanos, listing_id)) = place else {
        return Ok(None);
    };
    let served_since = super::token_time(nanos)?;
    Ok(Some(After {
        rank,
        served_since,
        listing_id,
    }))
}

impl Catalog {
    /// A listing that is served, whole.
    async fn served(&self, wanted: Served<'_>) -> Result<Option<(Head, Content)>, Error> {
        let mut db = self.db.acquire().await?;
        let Some((head, rows)) = store::listings::served(&mut db, wanted).await? else {
            return Ok(None);
        };
        let content = serde_json::from_value(rows.join()).map_err(Error::corrupt)?;
        Ok(Some((head, content)))
    }

    /// What customers see of an offer.
    pub(super) async fn live(&self, name: &OfferName) -> Result<Option<(Head, Content)>, Error> {
        let (publisher, offer) = (&name.publisher, &name.offer);
        self.served(Served::Live { publisher, offer }).await
    }

    /// The preview that a link opens, for whoever holds it (PV-1). Some are shown to their audience only (PV-3); to others
    /// there is nothing.
    pub(super) async fn previewed(
        &self,
        token: &str,
        caller: Option<&Caller>,
    ) -> Result<Option<(Head, Content)>, Error> {
        let Some(token) = PreviewToken::parse(token) else {
            return Ok(None);
        };
        let found = self.served(Served::Preview(&token.hash())).await?;
        let Some((head, content)) = found else {
            return Ok(None);
        };
        let kind = content.offer_type().map_err(Error::corrupt)?;
        if kind.preview_for_audience_only {
            let customer = caller.map(wire::listings::customer).unwrap_or_default();
            let mut db = self.db.acquire().await?;
            let (offer, version) = (head.offer_uid, head.preview_audience);
            if !store::audiences::has(&mut db, offer, "", version, &customer).await? {
                return Ok(None);
            }
        }
        Ok(Some((head, content)))
    }
}

impl Listings {
    async fn find(
        &self,
        wanted: &Wanted,
        after: Option<After>,
        limit: i64,
    ) -> Result<Vec<Hit>, Error> {
        let mut db = self.0.db.read().await?;
        store::search::find(&mut db, wanted, after, limit).await
    }

    async fn links(
        &self,
        offer: &OfferName,
        submission: Uuid,
    ) -> Result<Vec<pb::PreviewLink>, Error> {
        let mut db = self.0.db.acquire().await?;
        let found =
            store::previews::in_force(&mut db, &offer.publisher, &offer.offer, submission).await?;
        let mut links = Vec::new();
        for (uid, link) in found {
            let storefront = Storefront::parse(&link.storefront)
                .ok_or_else(|| Error::corrupt(&link.storefront))?;
            let token = self
                .0
                .keys
                .open(&previews::place(uid, submission), &link.sealed)?;
            let token =
                String::from_utf8(token).map_err(|_| Error::corrupt("a token that is no text"))?;
            let url = self.0.links.preview(storefront, &token);
            links.push(pb::PreviewLink {
                storefront: wire::offers::storefront(storefront) as i32,
                url,
            });
        }
        Ok(links)
    }
}

/// The same for a token that is revoked, never was, or is shown to others only. It is never repeated.
fn no_preview() -> Error {
    Error::not_found("Preview", "of this link")
}

#[tonic::async_trait]
impl ListingService for Listings {
    async fn search_listings(
        &self,
        request: Request<pb::SearchListingsRequest>,
    ) -> Result<Response<pb::SearchListingsResponse>, Status> {
        let request = request.into_inner();
        let wanted = wire::listings::search(&request).map_err(invalid)?;
        let filters = Fingerprint::of("SearchListings", &wanted);
        let size = paging::page_size(request.page_size).map_err(invalid)?;
        let token = paging::decode::<Place>(&request.page_token, filters)
            .and_then(after)
            .map_err(invalid)?;
        let mut found = self.find(&wanted, token, size + 1).await?;
        let next_page_token = super::next_page(&mut found, size, |last| {
            paging::encode(&place(last), filters)
        });
        let listings = found.iter().map(wire::listings::hit).collect();
        Ok(Response::new(pb::SearchListingsResponse {
            listings,
            next_page_token,
        }))
    }

    async fn get_listing(
        &self,
        request: Request<pb::GetListingRequest>,
    ) -> Result<Response<pb::GetListingResponse>, Status> {
        let request = request.into_inner();
        let name = OfferName::parse(&request.offer, "offer").map_err(invalid)?;
        let found = self.0.live(&name).await?;
        let (head, content) = found.ok_or_else(|| Error::not_found("Listing", &name))?;
        let mut listing =
            wire::listings::listing(&head, &content, now()).map_err(Error::corrupt)?;
        let links = wire::listings::live_links(&content, &name, &self.0.links);
        listing.links = links.map_err(Error::corrupt)?;
        Ok(Response::new(pb::GetListingResponse {
            listing: Some(listing),
        }))
    }

    async fn get_preview_listing(
        &self,
        request: Request<pb::GetPreviewListingRequest>,
    ) -> Result<Response<pb::GetPreviewListingResponse>, Status> {
        let caller = optional_caller(&request);
        let token = request.into_inner().token;
        let found = self.0.previewed(&token, caller.as_deref()).await?;
        let (head, content) = found.ok_or_else(no_preview)?;
        let listing = wire::listings::listing(&head, &content, now()).map_err(Error::corrupt)?;
        Ok(Response::new(pb::GetPreviewListingResponse {
            listing: Some(listing),
        }))
    }

    async fn acquire_offer(
        &self,
        request: Request<pb::AcquireOfferRequest>,
    ) -> Result<Response<pb::AcquireOfferResponse>, Status> {
        let (caller, request) = open(request)?;
        let scope = self
            .0
            .access
            .require(&caller, Permission::Customer, &Target::Platform)
            .await?;
        let once = once(&caller, "AcquireOffer", &request.request_id, &request)?;
        let wanted = wire::listings::acquire(&request, &caller).map_err(invalid)?;
        let command = async |mut db| {
            let acquired = acquisitions::acquire(&mut db, &wanted, now()).await?;
            let told = acquired.deprecation.as_ref();
            let warnings = wire::listings::warnings(&acquired.acquisition, told);
            let acquisition = Some(wire::listings::acquired(
                &acquired.acquisition,
                told,
                &wanted.offer,
                !wanted.validate_only,
            ));
            Ok((
                db,
                pb::AcquireOfferResponse {
                    acquisition,
                    warnings,
                },
            ))
        };
        self.0.write(&scope, once, command).await
    }

    async fn list_acquisitions(
        &self,
        request: Request<pb::ListAcquisitionsRequest>,
    ) -> Result<Response<pb::ListAcquisitionsResponse>, Status> {
        let (caller, request) = open(request)?;
        let everybody = Permission::Customer;
        let scope = self
            .0
            .access
            .require(&caller, everybody, &Target::Platform)
            .await?;
        let filters = Fingerprint::of("ListAcquisitions", &scope.principal());
        let size = paging::page_size(request.page_size).map_err(invalid)?;
        let token: Option<(i128, Uuid)> =
            paging::decode(&request.page_token, filters).map_err(invalid)?;
        let after = match token {
            Some((nanos, id)) => Some((super::token_time(nanos).map_err(invalid)?, id)),
            None => None,
        };
        let mut db = self.0.db.read().await.map_err(Error::from)?;
        let mut found =
            store::acquisitions::list(&mut db, scope.principal(), after, size + 1).await?;
        let next_page_token = super::next_page(&mut found, size, |last| {
            let last = &last.acquisition;
            paging::encode(&(last.create_time.unix_timestamp_nanos(), last.id), filters)
        });
        let acquisition = |one: &Listed| {
            let told = one.deprecation.as_ref();
            wire::listings::acquired(&one.acquisition, told, &one.offer, true)
        };
        Ok(Response::new(pb::ListAcquisitionsResponse {
            acquisitions: found.iter().map(acquisition).collect(),
            next_page_token,
        }))
    }

    async fn submit_lead(
        &self,
        request: Request<pb::SubmitLeadRequest>,
    ) -> Result<Response<pb::SubmitLeadResponse>, Status> {
        leads::submit_lead(&self.0, request).await
    }

    async fn open_lead(
        &self,
        request: Request<pb::OpenLeadRequest>,
    ) -> Result<Response<pb::OpenLeadResponse>, Status> {
        leads::open_lead(&self.0, request).await
    }

    async fn get_preview_links(
        &self,
        request: Request<pb::GetPreviewLinksRequest>,
    ) -> Result<Response<pb::GetPreviewLinksResponse>, Status> {
        let (caller, request) = open(request)?;
        self.0.before_neighbours(&caller, LINK_READERS).await?;
        let name = OfferName::parse(&request.offer, "offer").map_err(invalid)?;
        let (_, submission) =
            wire::submission(&request.submission, "submission").map_err(invalid)?;
        let links = self.links(&name, submission).await?;
        Ok(Response::new(pb::GetPreviewLinksResponse { links }))
    }

    async fn probe_purchase(
        &self,
        request: Request<pb::ProbePurchaseRequest>,
    ) -> Result<Response<pb::ProbePurchaseResponse>, Status> {
        let (caller, request) = open(request)?;
        self.0.before_neighbours(&caller, PIPELINE).await?;
        let name = SnapshotName::parse(&request.snapshot, "snapshot").map_err(invalid)?;
        let mut work = Work::begin(&self.0.db).await.map_err(Error::from)?;
        let stored = store::snapshots::by_name(&mut work, &name).await?;
        let stored = stored.ok_or_else(|| Error::not_found("Snapshot", &name))?;
        let content = snapshot::read(&stored.bytes, &stored.digest).map_err(Error::from)?;
        let at = now();
        let probes = acquisitions::probe(&mut work, stored.offer_uid, &content, at).await?;
        // Dropped without a commit: nothing of the trial orders stays.
        drop(work);
        let probes = probes
            .iter()
            .map(|probe| wire::listings::probe(probe, at))
            .collect();
        Ok(Response::new(pb::ProbePurchaseResponse { probes }))
    }
}
