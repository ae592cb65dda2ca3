//! Rows of files; their content is in the storage of blobs.

use marketplace_runtime::ids::{AssetName, OfferName};
use serde::Deserialize;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::pages::{Asset, AssetContent, AssetKind, AssetState};

/// A row, as callers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub offer_uid: Uuid,
    pub asset_id: String,
    pub kind: AssetKind,
    pub state: AssetState,
    pub digest: String,
    pub size_bytes: i64,
    pub content_type: String,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub file_name: String,
    /// The large logo that it was made of; empty: it was uploaded.
    pub derived_from: String,
    pub revision: i64,
    pub create_time: OffsetDateTime,
}

/// A file as the rules look at it, read with its draft.
#[derive(Debug, Deserialize)]
pub(super) struct Summary {
    asset_id: String,
    kind: AssetKind,
    state: String,
    digest: String,
    size_bytes: u64,
    content_type: String,
    width: Option<u32>,
    height: Option<u32>,
    file_name: String,
}

impl Summary {
    /// With its resource name.
    pub(super) fn named(self, offer: &OfferName) -> Result<(String, Asset)> {
        let name = AssetName::new(&offer.publisher, &offer.offer, &self.asset_id).to_string();
        let state = AssetState::parse(&self.state).ok_or_else(|| Error::corrupt(&self.state))?;
        let Summary {
            kind,
            digest,
            size_bytes,
            content_type,
            width,
            height,
            file_name,
            ..
        } = self;
        let content = AssetContent {
            name: name.clone(),
            kind,
            digest,
            size_bytes,
            content_type,
            width,
            height,
            file_name,
        };
        Ok((name, Asset { state, content }))
    }
}

struct Row {
    offer_uid: Uuid,
    asset_id: String,
    kind: String,
    state: String,
    digest: String,
    size_bytes: i64,
    content_type: String,
    width: Option<i32>,
    height: Option<i32>,
    file_name: String,
    derived_from: String,
    revision: i64,
    create_time: OffsetDateTime,
}

impl TryFrom<Row> for Stored {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Stored {
            kind: AssetKind::parse(&row.kind).ok_or_else(|| Error::corrupt(&row.kind))?,
            state: AssetState::parse(&row.state).ok_or_else(|| Error::corrupt(&row.state))?,
            offer_uid: row.offer_uid,
            asset_id: row.asset_id,
            digest: row.digest,
            size_bytes: row.size_bytes,
            content_type: row.content_type,
            width: row.width,
            height: row.height,
            file_name: row.file_name,
            derived_from: row.derived_from,
            revision: row.revision,
            create_time: row.create_time,
        })
    }
}

/// A file of an offer whose row is locked or was read with the caller's standing.
pub async fn of_offer(db: &mut PgConnection, offer: Uuid, asset: &str) -> Result<Option<Stored>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT offer_uid, asset_id, kind, state, digest, size_bytes, content_type, width, height, file_name, derived_from,
                revision, create_time
         FROM offer_catalog.assets WHERE offer_uid = $1 AND asset_id = $2",
        offer,
        asset
    )
    .fetch_optional(db)
    .await?;
    row.map(Stored::try_from).transpose()
}

/// A page of an offer's files, by id.
pub async fn list(
    db: &mut PgConnection,
    offer: Uuid,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Stored>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT offer_uid, asset_id, kind, state, digest, size_bytes, content_type, width, height, file_name, derived_from,
                revision, create_time
         FROM offer_catalog.assets WHERE offer_uid = $1 AND ($2::text IS NULL OR asset_id > $2)
         ORDER BY asset_id LIMIT $3",
        offer,
        after,
        limit
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Stored::try_from).collect()
}

/// How many files an offer has.
pub async fn count(db: &mut PgConnection, offer: Uuid) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM offer_catalog.assets WHERE offer_uid = $1"#,
        offer
    )
    .fetch_one(db)
    .await?;
    Ok(count)
}

/// Stores a row. `false`: the id is taken.
pub async fn insert(db: &mut PgConnection, asset: &Stored) -> Result<bool> {
    let done = sqlx::query!(
        "INSERT INTO offer_catalog.assets
           (offer_uid, asset_id, kind, state, digest, size_bytes, content_type, width, height, file_name, derived_from,
            revision, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
        asset.offer_uid,
        asset.asset_id,
        asset.kind.as_str(),
        asset.state.as_str(),
        asset.digest,
        asset.size_bytes,
        asset.content_type,
        asset.width,
        asset.height,
        asset.file_name,
        asset.derived_from,
        asset.revision,
        asset.create_time
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes a file's row, and those of what was made of it.
pub async fn delete(db: &mut PgConnection, offer: Uuid, asset: &str) -> Result<()> {
    let done = sqlx::query!(
        "DELETE FROM offer_catalog.assets WHERE offer_uid = $1 AND (asset_id = $2 OR derived_from = $2)",
        offer,
        asset
    )
    .execute(db)
    .await?;
    if done.rows_affected() > 0 {
        Ok(())
    } else {
        Err(Error::corrupt("the asset is gone under the offer's lock"))
    }
}

/// Whether the draft of an offer has a content, or a listing or snapshot of it.
pub async fn knows(db: &mut PgConnection, offer: &OfferName, digest: &str) -> Result<bool> {
    let known = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM offer_catalog.assets a WHERE a.offer_uid = o.offer_uid AND a.digest = $3)
               OR EXISTS (SELECT FROM offer_catalog.listings l JOIN offer_catalog.listing_assets a USING (listing_id)
                          WHERE l.offer_uid = o.offer_uid AND a.digest = $3)
               OR EXISTS (SELECT FROM offer_catalog.snapshots s
                          WHERE s.offer_uid = o.offer_uid AND $3 = ANY (s.assets)) AS "known!"
           FROM offer_catalog.offers o WHERE o.publisher_id = $1 AND o.offer_id = $2"#,
        offer.publisher,
        offer.offer,
        digest
    )
    .fetch_optional(db)
    .await?;
    Ok(known.unwrap_or(false))
}
