//! The RPCs of OfferService about pages; `offers.rs` implements the service and calls these.

use std::collections::HashSet;
use std::sync::Arc;

use futures::{StreamExt, stream};
use marketplace_proto::offercatalog::v1 as pb;
use marketplace_runtime::access::{Permission, Scope};
use marketplace_runtime::identity::open;
use marketplace_runtime::ids::{OfferName, SnapshotName};
use marketplace_runtime::paging::{self, Fingerprint};
use tonic::{Request, Response, Status};

use super::{Answers, Catalog, PIPELINE, invalid, now, once};
use crate::commands::pages as commands;
use crate::domain::completeness::review;
use crate::domain::offer::Offer;
use crate::domain::snapshot::{self, Content};
use crate::error::{Error, Result};
use crate::pages::PageId;
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
    let loaded = load(catalog, &scope, &parent.offer, &selection).await?;
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
    let loaded = load(catalog, &scope, &name, &Selection::WHOLE).await?;
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

/// What the Offer overview shows of a draft.
pub(super) async fn get_draft_standing(
    catalog: &Catalog,
    request: Request<pb::GetDraftStandingRequest>,
) -> Result<Response<pb::GetDraftStandingResponse>, Status> {
    let (caller, request) = open(request)?;
    let scope = catalog.before_neighbours(&caller, PIPELINE).await?;
    let name = OfferName::parse(&request.offer, "offer").map_err(invalid)?;
    let loaded = load(catalog, &scope, &name, &Selection::WHOLE).await?;
    let review = review(&loaded.draft, &loaded.published);
    let mut db = catalog.db.acquire().await.map_err(Error::from)?;
    let plans = store::plans::standings(&mut db, loaded.draft.offer.uid).await?;
    Ok(Response::new(wire::pages::standing(
        &loaded, &review, &plans,
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
    let (parts, long) = match request.version.as_str() {
        "" => draft_tree(&mut db, &name, &offer).await?,
        version => {
            let content = snapshot_of(&mut db, &offer, &name, version).await?;
            (wire::pages::content_tree(&offer, &content), HashSet::new())
        }
    };
    drop(db);
    let tree = Arc::new((catalog.clone(), name, long));
    let whole = stream::iter(parts).then(move |part| {
        let tree = Arc::clone(&tree);
        async move {
            let (catalog, name, long) = &*tree;
            let part = whole(catalog, name, long, part).await?;
            Ok(wire::pages::tree(part))
        }
    });
    Ok(Response::new(Box::pin(whole)))
}

/// A page of a plan with a long private audience is read when its turn comes, so that only one of them is in memory.
async fn whole(
    catalog: &Catalog,
    name: &OfferName,
    long: &HashSet<String>,
    part: wire::pages::Part,
) -> Result<wire::pages::Part, Status> {
    let wire::pages::Part::Page(page) = &part else {
        return Ok(part);
    };
    let is_pricing = matches!(page.page, Some(pb::page::Page::PlanPricing(_)));
    let plan = page.parent.rsplit('/').next().unwrap_or_default();
    if !is_pricing || !long.contains(plan) {
        return Ok(part);
    }
    let selection = Selection {
        pages: Some(vec![]),
        plan_page: Some((plan, PageId::PlanPricing)),
        assets: false,
        application: None,
    };
    let loaded = load(catalog, &Scope::system(&name.publisher), name, &selection).await?;
    let whole = wire::pages::page(&loaded, PageId::PlanPricing, plan, &page.parent);
    if whole.etag != page.etag {
        // Saved or deleted since the first message: the rest would be of another draft.
        return Err(Error::StaleEtag {
            current: loaded.draft.revision.to_string(),
        }
        .into());
    }
    Ok(wire::pages::Part::Page(whole))
}

async fn draft_tree(
    db: &mut sqlx::PgConnection,
    name: &OfferName,
    offer: &Offer,
) -> Result<(Vec<wire::pages::Part>, HashSet<String>)> {
    let loaded = store::pages::draft(db, name, now()).await?;
    let loaded = loaded.ok_or_else(|| Error::not_found("Offer", name))?;
    let plans = store::plans::list(db, offer.uid, None, i64::from(u16::MAX)).await?;
    let long = loaded
        .draft
        .plans
        .iter()
        .filter(|plan| plan.audience.is_some());
    let long = long.map(|plan| plan.plan_id.clone()).collect();
    Ok((wire::pages::draft_tree(offer, &loaded, &plans), long))
}

pub(super) async fn snapshot_of(
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
    let stored = stored.ok_or_else(missing)?;
    snapshot::read(&stored.bytes, &stored.digest).map_err(Error::from)
}

async fn load(
    catalog: &Catalog,
    scope: &Scope,
    name: &OfferName,
    selection: &Selection<'_>,
) -> Result<Loaded, Status> {
    let mut db = catalog.db.acquire().await.map_err(Error::from)?;
    let found = store::pages::load(&mut db, scope, name, selection, now()).await?;
    let (loaded, _) = found.ok_or_else(|| Error::not_found("Offer", name))?;
    Ok(loaded)
}
