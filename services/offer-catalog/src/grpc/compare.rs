//! CompareOffer: how two versions of an offer differ; `offers.rs` implements the service and calls this.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_runtime::access::Permission;
use marketplace_runtime::identity::open;
use marketplace_runtime::ids::OfferName;
use marketplace_runtime::paging::{self, Fingerprint};
use prost::Message;
use tonic::{Request, Response, Status};

use super::pages::snapshot_of;
use super::{Catalog, invalid, now};
use crate::domain::difference;
use crate::domain::offer::Offer;
use crate::domain::snapshot::{self, Content};
use crate::error::{Error, Result};
use crate::{store, wire};

/// The most bytes of differences in one answer: clients take messages of 4 MiB.
const MOST_BYTES: usize = 1024 * 1024;

/// Where an answer goes on: the digests of both versions, and how many differences were told.
type After = (String, String, usize);

pub(super) async fn compare_offer(
    catalog: &Catalog,
    request: Request<pb::CompareOfferRequest>,
) -> Result<Response<pb::CompareOfferResponse>, Status> {
    let (caller, request) = open(request)?;
    let name = OfferName::parse(&request.name, "name").map_err(invalid)?;
    let scope = catalog
        .before_offer(&caller, Permission::ReadOffer, &name)
        .await?;
    let kinds = wire::differences::kinds(&request).map_err(invalid)?;
    let size = paging::page_size(request.page_size).map_err(invalid)?;
    let asked = (&request.name, &request.from, &request.to, &request.kinds);
    let filters = Fingerprint::of("CompareOffer", &asked);
    let after: Option<After> = paging::decode(&request.page_token, filters).map_err(invalid)?;

    let mut db = catalog.db.acquire().await.map_err(Error::from)?;
    let found = store::offers::get(&mut db, &scope, &name, now()).await?;
    let (offer, standing) = found.ok_or_else(|| Error::not_found("Offer", &name))?;
    scope.settle(&standing)?;
    let (from, from_digest) = version(&mut db, &offer, &name, &request.from).await?;
    let (to, to_digest) = version(&mut db, &offer, &name, &request.to).await?;
    drop(db);
    let begin = match after {
        None => 0,
        Some((from, to, told)) if (&from, &to) == (&from_digest, &to_digest) => told,
        // The rest would be of another comparison.
        Some(_) => {
            let current = offer.etag();
            return Err(Error::StaleEtag { current }.into());
        }
    };
    let all = difference::between(&from, &to).map_err(Error::corrupt)?;
    let mut answer = wire::differences::counted(&all);
    let mut wanted = all
        .iter()
        .filter(|one| one.is_offered() && kinds.contains(&one.kind))
        .map(wire::differences::difference)
        .skip(begin)
        .peekable();
    let mut bytes = 0;
    while let Some(one) = wanted.next() {
        bytes += one.encoded_len();
        answer.differences.push(one);
        let full = answer.differences.len() as i64 >= size || bytes >= MOST_BYTES;
        if full && wanted.peek().is_some() {
            let told = begin + answer.differences.len();
            answer.next_page_token = paging::encode(&(from_digest, to_digest, told), filters);
            break;
        }
    }
    Ok(Response::new(answer))
}

/// A version of an offer with its digest.
async fn version(
    db: &mut sqlx::PgConnection,
    offer: &Offer,
    name: &OfferName,
    version: &str,
) -> Result<(Content, String)> {
    let content = if version.is_empty() {
        let loaded = store::pages::draft(db, name, now()).await?;
        let loaded = loaded.ok_or_else(|| Error::not_found("Offer", name))?;
        Content::of(&loaded.draft)
    } else {
        snapshot_of(db, offer, name, version).await?
    };
    let digest = snapshot::encode(&content).map_err(Error::corrupt)?.digest;
    Ok((content, digest))
}
