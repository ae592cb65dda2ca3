//! What other services are told of snapshots: the profile of a freeze, the bytes, and where leads go.

use marketplace_messaging::Work;
use marketplace_proto::offercatalog::v1 as pb;
use marketplace_runtime::identity::open;
use marketplace_runtime::ids::{OfferName, SnapshotName, new_id};
use tonic::{Request, Response, Status};

use super::{Answers, Catalog, NEIGHBOURS, PIPELINE, invalid, now};
use crate::commands::freezes;
use crate::domain::snapshot::{self, Content};
use crate::error::Error;
use crate::store::secrets::{LEAD_DESTINATION, Opening, place};
use crate::store::snapshots::Stored;
use crate::{store, wire};

/// Fixes the content of a submission. Idempotent per submission, so that it needs no request id.
pub(super) async fn freeze_offer(
    catalog: &Catalog,
    request: Request<pb::FreezeOfferRequest>,
) -> Result<Response<pb::FreezeOfferResponse>, Status> {
    let (caller, request) = open(request)?;
    let scope = catalog.before_neighbours(&caller, PIPELINE).await?;
    let (name, wanted) = wire::freezes::freeze(&request).map_err(invalid)?;
    let mut work = Work::begin(&catalog.db).await.map_err(Error::from)?;
    let frozen = freezes::freeze(&mut work, &scope, &name, &wanted, now()).await?;
    if !wanted.dry_run {
        work.commit().await.map_err(Error::from)?;
    } else {
        // A look leaves nothing behind: dropped, the transaction is rolled back.
        drop(work);
        if wanted.keep_snapshot && frozen.issues.is_empty() {
            let mut work = Work::begin(&catalog.db).await.map_err(Error::from)?;
            freezes::keep_for_a_look(&mut work, &scope, &name, &frozen, now()).await?;
            work.commit().await.map_err(Error::from)?;
        }
    }
    Ok(Response::new(wire::freezes::frozen(&frozen)))
}

/// Gives a freeze back whose publish was refused. Idempotent, so that it needs no request id.
pub(super) async fn release_freeze(
    catalog: &Catalog,
    request: Request<pb::ReleaseFreezeRequest>,
) -> Result<Response<pb::ReleaseFreezeResponse>, Status> {
    let (caller, request) = open(request)?;
    let scope = catalog.before_neighbours(&caller, PIPELINE).await?;
    let (name, submission) =
        wire::submission(&request.submission, "submission").map_err(invalid)?;
    let mut work = Work::begin(&catalog.db).await.map_err(Error::from)?;
    freezes::release(&mut work, &scope, &name.parent(), submission, now()).await?;
    work.commit().await.map_err(Error::from)?;
    Ok(Response::new(pb::ReleaseFreezeResponse {}))
}

/// Head and bytes of a snapshot.
pub(super) async fn get_snapshot(
    catalog: &Catalog,
    request: Request<pb::GetSnapshotRequest>,
) -> Result<Response<Answers<pb::GetSnapshotResponse>>, Status> {
    let (caller, request) = open(request)?;
    catalog.before_neighbours(&caller, NEIGHBOURS).await?;
    let (name, stored) = stored(catalog, &request.name, "name").await?;
    let parts = wire::freezes::snapshot(&name, &stored).into_iter().map(Ok);
    Ok(Response::new(Box::pin(tokio_stream::iter(parts))))
}

/// Where leads of a snapshot go, with the secret. Who opened it is noted before it is opened.
pub(super) async fn open_lead_secret(
    catalog: &Catalog,
    request: Request<pb::OpenLeadSecretRequest>,
) -> Result<Response<pb::OpenLeadSecretResponse>, Status> {
    let (caller, request) = open(request)?;
    catalog.before_neighbours(&caller, PIPELINE).await?;
    let (name, stored) = stored(catalog, &request.snapshot, "snapshot").await?;
    let content = snapshot::read(&stored.bytes, &stored.digest).map_err(Error::from)?;
    let offer = OfferName::new(&name.publisher, &name.offer);
    let opened = opened(catalog, &stored, &content, &offer, caller.principal()).await?;
    Ok(Response::new(opened))
}

/// The lead destination of a content, with its secret, opened by somebody.
pub(super) async fn opened(
    catalog: &Catalog,
    stored: &Stored,
    content: &Content,
    offer: &OfferName,
    by: &str,
) -> Result<pb::OpenLeadSecretResponse, Error> {
    let secret = secret(catalog, stored, content, by).await?;
    let profile = crate::domain::Profile::of(content, None, false).map_err(Error::corrupt)?;
    let storefronts = profile.storefronts.into_iter();
    Ok(pb::OpenLeadSecretResponse {
        destination: wire::freezes::lead_destination(content, secret),
        offer_title: profile.offer_title,
        publisher_id: offer.publisher.clone(),
        offer_id: offer.offer.clone(),
        storefronts: storefronts
            .map(|front| wire::offers::storefront(front) as i32)
            .collect(),
    })
}

async fn stored(
    catalog: &Catalog,
    name: &str,
    field: &str,
) -> Result<(SnapshotName, Stored), Status> {
    let name = SnapshotName::parse(name, field).map_err(invalid)?;
    let mut db = catalog.db.acquire().await.map_err(Error::from)?;
    let stored = store::snapshots::by_name(&mut db, &name).await?;
    let stored = stored.ok_or_else(|| Error::not_found("Snapshot", &name))?;
    Ok((name, stored))
}

async fn secret(
    catalog: &Catalog,
    stored: &Stored,
    content: &Content,
    by: &str,
) -> Result<Option<String>, Error> {
    let version = content.secrets.get(snapshot::LEAD_DESTINATION).copied();
    let mut db = catalog.db.acquire().await?;
    let opening = Opening {
        id: new_id(),
        offer: stored.offer_uid,
        purpose: LEAD_DESTINATION,
        // Where there is no secret, that it was asked for is noted all the same.
        version: version.unwrap_or_default(),
        digest: &stored.digest,
        by,
        at: now(),
    };
    store::secrets::audit(&mut db, &opening).await?;
    let Some(version) = version else {
        return Ok(None);
    };
    let sealed = store::secrets::get(&mut db, stored.offer_uid, LEAD_DESTINATION, version).await?;
    let sealed = sealed.ok_or_else(|| Error::corrupt("the secret of a snapshot is gone"))?;
    let plain = catalog
        .keys
        .open(&place(stored.offer_uid, LEAD_DESTINATION), &sealed)?;
    String::from_utf8(plain)
        .map(Some)
        .map_err(|_| Error::corrupt("a secret that is no text"))
}
