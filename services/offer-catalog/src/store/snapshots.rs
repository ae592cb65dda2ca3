//! Rows of snapshots: canonical bytes that are written once.

use marketplace_runtime::ids::SnapshotName;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::Result;

/// A stored snapshot.
#[derive(Debug, Clone)]
pub struct Stored {
    pub offer_uid: Uuid,
    pub digest: String,
    pub format: i32,
    pub bytes: Vec<u8>,
    pub create_time: OffsetDateTime,
}

/// Stores a snapshot with the digests of the contents that it names. One with its digest that is there already is the same;
/// if it is not, it was damaged, and is mended by this.
pub async fn keep(db: &mut PgConnection, snapshot: &Stored, assets: &[String]) -> Result<()> {
    sqlx::query!(
        "INSERT INTO offer_catalog.snapshots (offer_uid, digest, format, bytes, assets, create_time)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (offer_uid, digest) DO UPDATE
           SET format = excluded.format, bytes = excluded.bytes, assets = excluded.assets
           WHERE snapshots.bytes <> excluded.bytes",
        snapshot.offer_uid,
        snapshot.digest,
        snapshot.format,
        snapshot.bytes,
        assets,
        snapshot.create_time
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A snapshot by the offer's system id.
pub async fn of_offer(db: &mut PgConnection, offer: Uuid, digest: &str) -> Result<Option<Stored>> {
    let row = sqlx::query_as!(
        Stored,
        "SELECT offer_uid, digest, format, bytes, create_time
         FROM offer_catalog.snapshots WHERE offer_uid = $1 AND digest = $2",
        offer,
        digest
    )
    .fetch_optional(db)
    .await?;
    Ok(row)
}

/// A snapshot by its resource name.
pub async fn by_name(db: &mut PgConnection, name: &SnapshotName) -> Result<Option<Stored>> {
    let row = sqlx::query_as!(
        Stored,
        "SELECT s.offer_uid, s.digest, s.format, s.bytes, s.create_time
         FROM offer_catalog.offers o
         JOIN offer_catalog.snapshots s ON s.offer_uid = o.offer_uid AND s.digest = $3
         WHERE o.publisher_id = $1 AND o.offer_id = $2",
        name.publisher,
        name.offer,
        name.snapshot
    )
    .fetch_optional(db)
    .await?;
    Ok(row)
}
