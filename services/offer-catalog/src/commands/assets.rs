//! Files of an offer come and go. Their content is stored before, outside of any transaction.

use marketplace_messaging::Work;
use marketplace_runtime::access::Scope;
use marketplace_runtime::ids::{AssetName, OfferName};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Held, hold};
use crate::blobs::BlobError;
use crate::domain::refusal::Refusal;
use crate::error::{Error, Result};
use crate::files::{Derived, Stored as Content};
use crate::pages::{AssetKind, AssetState};
use crate::store::{self, assets::Stored};

/// The most files of an offer, those made of others included.
pub const MOST_ASSETS: i64 = 200;

/// A file to be added to an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAsset {
    pub offer: OfferName,
    pub id: String,
    pub kind: AssetKind,
    pub file_name: String,
    /// What its content must be, where the caller says.
    pub digest: Option<String>,
    /// How many bytes it must have, where the caller says.
    pub bytes: Option<u64>,
}

/// Adds a file whose content is stored. The same content under the same id again changes nothing.
pub async fn create(
    db: &mut Work,
    scope: &Scope,
    new: &NewAsset,
    content: &Content,
    now: OffsetDateTime,
) -> Result<Stored> {
    let Held { offer, .. } = hold(db, scope, &new.offer, now).await?;
    if let Some(there) = store::assets::of_offer(db, offer.uid, &new.id).await? {
        let same = there.digest == content.digest && there.kind == new.kind;
        let name = AssetName::new(&new.offer.publisher, &new.offer.offer, &new.id).to_string();
        return if same {
            Ok(there)
        } else {
            Err(Error::AlreadyExists {
                kind: "Asset",
                name,
            })
        };
    }
    if store::assets::count(db, offer.uid).await? + content.derived.len() as i64 >= MOST_ASSETS {
        return Err(Refusal::TooManyAssets.into());
    }
    // From here on nobody takes it for an orphan.
    let derived = content.derived.iter().map(|made| made.digest.clone());
    let digests: Vec<String> = derived.chain([content.digest.clone()]).collect();
    if !store::blobs::hold(db, &digests, now).await? {
        return Err(BlobError::Late.into());
    }
    let asset = row(offer.uid, new, content, now);
    if !store::assets::insert(db, &asset).await? {
        return Err(Error::corrupt(
            "an asset came in between although the offer is locked",
        ));
    }
    for made in &content.derived {
        // A file that has this id already stays: the publisher's own goes before ours.
        store::assets::insert(db, &derived_row(&asset, made)).await?;
    }
    store::offers::touch(db, offer.uid, now).await?;
    Ok(asset)
}

/// Takes a file and what was made of it out of the draft. Snapshots that name it keep its content.
pub async fn delete(
    db: &mut Work,
    scope: &Scope,
    name: &AssetName,
    etag: Option<i64>,
    now: OffsetDateTime,
) -> Result<()> {
    let Held { offer, .. } = hold(db, scope, &name.parent(), now).await?;
    let found = store::assets::of_offer(db, offer.uid, &name.asset).await?;
    let asset = found.ok_or_else(|| Error::not_found("Asset", name))?;
    if etag.is_some_and(|etag| etag != asset.revision) {
        return Err(Error::StaleEtag {
            current: asset.revision.to_string(),
        });
    }
    store::assets::delete(db, offer.uid, &name.asset).await?;
    store::offers::touch(db, offer.uid, now).await?;
    Ok(())
}

fn row(offer_uid: Uuid, new: &NewAsset, content: &Content, now: OffsetDateTime) -> Stored {
    let pixels = |number: u32| i32::try_from(number).ok();
    Stored {
        offer_uid,
        asset_id: new.id.clone(),
        kind: new.kind,
        state: AssetState::Processed,
        digest: content.digest.clone(),
        size_bytes: i64::try_from(content.bytes).unwrap_or(i64::MAX),
        content_type: content.found.content_type.to_owned(),
        width: content.found.size.and_then(|(width, _)| pixels(width)),
        height: content.found.size.and_then(|(_, height)| pixels(height)),
        file_name: new.file_name.clone(),
        derived_from: String::new(),
        revision: 1,
        create_time: now,
    }
}

fn derived_row(large: &Stored, made: &Derived) -> Stored {
    let pixels = i32::try_from(made.pixels).ok();
    Stored {
        asset_id: format!(
            "{}.{}",
            large.asset_id,
            if made.kind == AssetKind::LogoMedium {
                "medium"
            } else {
                "small"
            }
        ),
        kind: made.kind,
        digest: made.digest.clone(),
        size_bytes: i64::try_from(made.bytes).unwrap_or(i64::MAX),
        width: pixels,
        height: pixels,
        file_name: String::new(),
        derived_from: large.asset_id.clone(),
        ..large.clone()
    }
}
