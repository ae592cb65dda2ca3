//! Files that come in by several streams. A stream takes the upload over from the one before it: that one's line may be
//! dead without anybody having noticed. What it brings is committed piece by piece; the content is stored before.

use marketplace_messaging::Work;
use marketplace_runtime::access::Scope;
use marketplace_runtime::ids::{self, OfferName, UploadName};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::assets::NewAsset;
use super::{Held, hold};
use crate::blobs::BlobError;
use crate::error::{Error, Result};
use crate::store;
use crate::store::uploads::Upload;

/// How long an upload may take, over all of its streams.
pub const KEPT: Duration = Duration::hours(24);
/// Uploads of a publisher that were begun and not ended.
pub const MOST_OPEN: i64 = 16;

/// Where a stream begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    pub upload: String,
    pub offset: u64,
}

/// An upload in the hands of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    offer_uid: Uuid,
    upload: String,
    stream: Uuid,
}

/// Begins an upload, or takes it over for another stream.
pub async fn take(
    db: &mut Work,
    scope: &Scope,
    new: &NewAsset,
    start: &Start,
    now: OffsetDateTime,
) -> Result<Open> {
    let Held { offer, .. } = hold(db, scope, &new.offer, now).await?;
    let open = Open {
        offer_uid: offer.uid,
        upload: start.upload.clone(),
        stream: ids::new_id(),
    };
    let offset = i64::try_from(start.offset).unwrap_or(i64::MAX);
    let there = store::uploads::of_offer(db, offer.uid, &start.upload, now).await?;
    let upload = row(offer.uid, new, start, now);
    let Some(there) = there else {
        if offset != 0 {
            return Err(Error::OtherOffset { committed: 0 });
        }
        if store::uploads::count(db, &new.offer.publisher, now).await? >= MOST_OPEN {
            return Err(Error::TooManyOpenUploads);
        }
        store::uploads::insert(db, &upload, open.stream).await?;
        return Ok(open);
    };
    if !same(&there, &upload) {
        return Err(Error::AlreadyExists {
            kind: "Upload",
            name: name(&new.offer, &start.upload).to_string(),
        });
    }
    if store::uploads::take(db, offer.uid, &start.upload, open.stream, offset).await? {
        return Ok(open);
    }
    // Named by a statement of its own: another stream may have committed a piece since the row was read.
    let there = store::uploads::of_offer(db, offer.uid, &start.upload, now).await?;
    Err(Error::OtherOffset {
        committed: there.map_or(0, |there| there.committed_bytes),
    })
}

/// Adds a piece that is stored.
pub async fn commit(
    db: &mut Work,
    open: &Open,
    bytes: u64,
    digest: &str,
    now: OffsetDateTime,
) -> Result<()> {
    // From here on nobody takes it for an orphan.
    if !store::blobs::hold(db, &[digest.to_owned()], now).await? {
        return Err(BlobError::Late.into());
    }
    let Open {
        offer_uid,
        upload,
        stream,
    } = open;
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    if store::uploads::commit(db, *offer_uid, upload, *stream, bytes, digest).await? {
        Ok(())
    } else {
        Err(Error::TakenOver)
    }
}

/// What it consists of.
pub async fn pieces(db: &mut PgConnection, open: &Open) -> Result<Vec<String>> {
    let pieces = store::uploads::pieces(db, open.offer_uid, &open.upload, open.stream).await?;
    pieces.ok_or(Error::TakenOver)
}

/// Ends it: its asset is there, or can't be made of it.
pub async fn end(db: &mut Work, open: &Open) -> Result<()> {
    if store::uploads::end(db, open.offer_uid, &open.upload, open.stream).await? {
        Ok(())
    } else {
        Err(Error::TakenOver)
    }
}

/// Gives it up for whoever has it.
pub async fn delete(
    db: &mut Work,
    scope: &Scope,
    name: &UploadName,
    now: OffsetDateTime,
) -> Result<()> {
    let Held { offer, .. } = hold(db, scope, &name.parent(), now).await?;
    let there = store::uploads::of_offer(db, offer.uid, &name.upload, now).await?;
    there.ok_or_else(|| Error::not_found("Upload", name))?;
    store::uploads::delete(db, offer.uid, &name.upload).await
}

fn name(offer: &OfferName, upload: &str) -> UploadName {
    UploadName::new(&offer.publisher, &offer.offer, upload)
}

fn row(offer_uid: Uuid, new: &NewAsset, start: &Start, now: OffsetDateTime) -> Upload {
    Upload {
        offer_uid,
        upload_id: start.upload.clone(),
        asset_id: new.id.clone(),
        kind: new.kind,
        file_name: new.file_name.clone(),
        digest: new.digest.clone(),
        size_bytes: new.bytes.and_then(|bytes| i64::try_from(bytes).ok()),
        committed_bytes: 0,
        create_time: now,
        expire_time: now + KEPT,
    }
}

/// Whether two streams bring the same file.
fn same(there: &Upload, wanted: &Upload) -> bool {
    let of = |upload: &Upload| {
        let Upload {
            asset_id,
            kind,
            file_name,
            digest,
            size_bytes,
            ..
        } = upload.clone();
        (asset_id, kind, file_name, digest, size_bytes)
    };
    of(there) == of(wanted)
}
