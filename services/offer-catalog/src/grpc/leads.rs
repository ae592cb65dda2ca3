//! The RPCs of ListingService about customers' leads; `listings.rs` implements the service and calls these.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_runtime::access::{Permission, Target};
use marketplace_runtime::identity::open;
use marketplace_runtime::ids::{OfferName, new_id};
use tonic::{Request, Response, Status};

use super::{Catalog, PIPELINE, invalid, now, once, snapshots};
use crate::commands::leads;
use crate::domain::lead::Lead;
use crate::domain::listing::Stage;
use crate::domain::refusal::Refusal;
use crate::domain::snapshot;
use crate::error::Error;
use crate::{store, wire};

pub(super) async fn submit_lead(
    catalog: &Catalog,
    request: Request<pb::SubmitLeadRequest>,
) -> Result<Response<pb::SubmitLeadResponse>, Status> {
    let (caller, request) = open(request)?;
    let scope = catalog
        .access
        .require(&caller, Permission::Customer, &Target::Platform)
        .await?;
    let once = once(&caller, "SubmitLead", &request.request_id, &request)?;
    let (offer, contact) = wire::leads::submit(&request).map_err(invalid)?;
    let shown = match request.preview_token.as_str() {
        "" => catalog.live(&offer).await?,
        token => catalog.previewed(token, Some(&caller)).await?,
    };
    // A token opens its own offer, whatever offer is named with it.
    let shown = shown.filter(|(_, content)| content.offer.name == offer.to_string());
    let (head, content) = shown.ok_or_else(|| Error::not_found("Listing", &offer))?;
    let setup = content.pages.offer_setup.as_ref();
    let destination = setup.and_then(|setup| setup.lead_destination.as_ref()?.kind());
    if destination.is_none() {
        return Err(Error::from(Refusal::NoLeadDestination).into());
    }
    let lead = Lead {
        id: new_id(),
        offer_uid: head.offer_uid,
        digest: head.digest,
        preview: head.stage == Stage::Preview,
        principal: caller.principal().to_owned(),
        contact,
        create_time: now(),
    };
    let command = async |mut db| {
        leads::submit(&mut db, &content.offer.name, &offer.publisher, &lead).await?;
        Ok((db, pb::SubmitLeadResponse { lead: lead.name() }))
    };
    catalog.write(&scope, once, command).await
}

/// A lead with where it goes, and the secret for that. Who opened it is noted before it is opened.
pub(super) async fn open_lead(
    catalog: &Catalog,
    request: Request<pb::OpenLeadRequest>,
) -> Result<Response<pb::OpenLeadResponse>, Status> {
    let (caller, request) = open(request)?;
    catalog.before_neighbours(&caller, PIPELINE).await?;
    let id = wire::leads::id(&request.name, "name").map_err(invalid)?;
    let missing = || Error::not_found("Lead", &request.name);
    let mut db = catalog.db.acquire().await.map_err(Error::from)?;
    let lead = store::leads::get(&mut db, id).await?.ok_or_else(missing)?;
    let stored = store::snapshots::of_offer(&mut db, lead.offer_uid, &lead.digest).await?;
    let stored = stored.ok_or_else(|| Error::corrupt("the snapshot of a lead is gone"))?;
    drop(db);
    let content = snapshot::read(&stored.bytes, &stored.digest).map_err(Error::from)?;
    let name = OfferName::parse(&content.offer.name, "offer").map_err(Error::corrupt)?;
    let action = content
        .pages
        .offer_setup
        .as_ref()
        .and_then(|setup| setup.call_to_action);
    let opened = snapshots::opened(catalog, &stored, &content, &name, caller.principal()).await?;
    Ok(Response::new(pb::OpenLeadResponse {
        contact: Some(wire::leads::contact(&lead.contact)),
        destination: Some(opened),
        call_to_action: wire::leads::call_to_action(action) as i32,
    }))
}
