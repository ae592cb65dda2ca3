//! The RPCs of OfferService about pages; `offers.rs` implements the service and calls these.

use futures::stream;
use marketplace_proto::offercatalog::v1 as pb;
use marketplace_runtime::access::{Permission, Scope};
use marketplace_runtime::identity::open;
use marketplace_runtime::ids::{OfferName, SnapshotName};
use marketplace_runtime::paging::{self, Fingerprint};
use tonic::{Request, Response, Status};

use super::{Answers, Catalog, invalid, now, once};
use crate::commands::pages as commands;
use crate::domain::completeness::review;
use crate::domain::offer::Offer;
use crate::domain::snapshot::{self, Content};
use crate::error::{Error, Result};
use crate::store::pages::{Loaded, Selection};
use crate::{store, wire};

pub(super) async fn update_page(
    catalog: &Catalog,
    request: Request<pb::UpdatePageRequest>,
) -> Result<Response<pb::UpdatePageResponse>, Status> {
    let (caller, request) = open(request)?;
    let once = once(&caller, "UpdatePage", &request.request_id, &request)?;
    let parent = request
        .page
        .as_ref()
        .map(|page| page.parent.clone())
        .unwrap_or_default();
    let save = wire::pages::save(request).map_err(invalid)?;
    let scope = catalog
        .before_offer(&caller, Permission::Publish, &save.offer)
        .await?;
    let command = async |mut db| {
        let saved = commands::save(&mut db, &catalog.keys, &scope, &save, now()).await?;
        Ok((db, wire::pages::saved(&parent, &saved)))
    };
    catalog.write(&scope, once, command).await
}

pub(super) async fn get_page(
    catalog: &Catalog,
    request: Request<pb::GetPageRequest>,
) -> Result<Response<pb::GetPageResponse>, Status> {
    let (caller, request) = open(request)?;
    let parent = wire::pages::parent(&request.parent, "parent").map_err(invalid)?;
    let page = wire::pages::read_page_id(request.page_id, "page_id").map_err(invalid)?;
    let scope = catalog
        .before_offer(&caller, Permission::ReadOffer, &parent.offer)
        .await?;
    let plan_page = parent.plan.as_deref().map(|plan| (plan, page));
    let selection = Selection {
        pages: Some(vec![page.as_str()]),
        plan_page,
        assets: false,
        application: None,
    };
    let loaded = load(catalog, scope, &parent.offer, &selection).await?;
    let plan_id = parent.plan.as_deref().unwrap_or_default();
    if page.is_of_plan() != parent.plan.is_some() || !loaded.draft.offer_type.has(page) {
        return Err(invalid(wire::pages::no_such_page(page)));
    }
    if parent.plan.is_some()
        && !loaded
            .draft
            .plans
            .iter()
            .any(|plan| plan.plan_id == plan_id)
    {
        return Err(Error::not_found("Plan", &request.parent).into());
    }
    Ok(Response::new(pb::GetPageResponse {
        page: Some(wire::pages::page(&loaded, page, plan_id, &request.parent)),
    }))
}

pub(super) async fn review_offer(
    catalog: &Catalog,
    request: Request<pb::ReviewOfferRequest>,
) -> Result<Response<pb::ReviewOfferResponse>, Status> {
    let (caller, request) = open(request)?;
    let name = OfferName::parse(&request.name, "name").map_err(invalid)?;
    let scope = catalog
        .before_offer(&caller, Permission::ReadOffer, &name)
        .await?;
    let filters = Fingerprint::of("ReviewOffer", &request.name);
    let size = paging::page_size(request.page_size).map_err(invalid)?;
    let token: Option<(i64, usize)> =
        paging::decode(&request.page_token, filters).map_err(invalid)?;
    let loaded = load(catalog, scope, &name, &Selection::WHOLE).await?;
    let revision = loaded.draft.revision;
    let from = match token {
        None => 0,
        Some((of, from)) if of == revision => from,
        // Issues of another draft would be a mixture that never was.
        Some(_) => {
            return Err(Error::StaleEtag {
                current: revision.to_string(),
            }
            .into());
        }
    };
    let review = review(&loaded.draft, &loaded.published);
    let to = from.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
    let next = if to < review.issues.len() {
        paging::encode(&(revision, to), filters)
    } else {
        String::new()
    };
    Ok(Response::new(wire::pages::review(
        &loaded.draft,
        &review,
        from..to,
        next,
    )))
}

/// The draft, or what a snapshot fixed of it, one page or plan per message.
pub(super) async fn get_offer_tree(
    catalog: &Catalog,
    request: Request<pb::GetOfferTreeRequest>,
) -> Result<Response<Answers<pb::GetOfferTreeResponse>>, Status> {
    let (caller, request) = open(request)?;
    let name = OfferName::parse(&request.name, "name").map_err(invalid)?;
    let scope = catalog
        .before_offer(&caller, Permission::ReadOffer, &name)
        .await?;
    let mut db = catalog.db.acquire().await.map_err(Error::from)?;
    let found = store::offers::get(&mut db, &scope, &name, now()).await?;
    let (offer, standing) = found.ok_or_else(|| Error::not_found("Offer", &name))?;
    scope.settle(&standing)?;
    let parts = match request.version.as_str() {
        "" => draft_tree(&mut db, &name, &offer).await?,
        version => {
            wire::pages::content_tree(&offer, &snapshot_of(&mut db, &offer, &name, version).await?)
        }
    };
    Ok(Response::new(Box::pin(stream::iter(
        parts.into_iter().map(|part| Ok(wire::pages::tree(part))),
    ))))
}

async fn draft_tree(
    db: &mut sqlx::PgConnection,
    name: &OfferName,
    offer: &Offer,
) -> Result<Vec<wire::pages::Part>> {
    let loaded = store::pages::draft(db, name, now()).await?;
    let loaded = loaded.ok_or_else(|| Error::not_found("Offer", name))?;
    let plans = store::plans::list(db, offer.uid, None, i64::from(u16::MAX)).await?;
    Ok(wire::pages::draft_tree(offer, &loaded, &plans))
}

async fn snapshot_of(
    db: &mut sqlx::PgConnection,
    offer: &Offer,
    name: &OfferName,
    version: &str,
) -> Result<Content> {
    let digest = match version {
        "preview" | "live" => store::pages::served_digest(db, offer.uid, version).await?,
        snapshot => {
            let asked = SnapshotName::parse(snapshot, "version")?;
            (asked.publisher == name.publisher && asked.offer == name.offer)
                .then_some(asked.snapshot)
        }
    };
    let missing = || Error::not_found("Snapshot", version);
    let stored = store::snapshots::of_offer(db, offer.uid, &digest.ok_or_else(missing)?).await?;
    snapshot::decode(&stored.ok_or_else(missing)?.bytes).map_err(Error::corrupt)
}

async fn load(
    catalog: &Catalog,
    scope: Scope,
    name: &OfferName,
    selection: &Selection<'_>,
) -> Result<Loaded, Status> {
    let mut db = catalog.db.acquire().await.map_err(Error::from)?;
    let found = store::pages::load(&mut db, &scope, name, selection, now()).await?;
    let (loaded, standing) = found.ok_or_else(|| Error::not_found("Offer", name))?;
    scope.settle(&standing)?;
    Ok(loaded)
}
