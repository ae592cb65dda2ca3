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

/// Stores a snapshot with the digests of the contents that it names; `expires`: unless a submission fixes the same, it goes
/// then. One with its digest that is there already is the same; if it is not, it was damaged, and is mended by this.
pub async fn keep(
    db: &mut PgConnection,
    snapshot: &Stored,
    assets: &[String],
    expires: Option<OffsetDateTime>,
) -> Result<()> {
    // greatest() leaves NULLs out: what stays may not be made to go, so that is asked first.
    sqlx::query!(
        "INSERT INTO offer_catalog.snapshots (offer_uid, digest, format, bytes, assets, create_time, expire_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (offer_uid, digest) DO UPDATE
           SET format = excluded.format, bytes = excluded.bytes, assets = excluded.assets,
               expire_time = CASE WHEN snapshots.expire_time IS NOT NULL AND excluded.expire_time IS NOT NULL
                                  THEN greatest(snapshots.expire_time, excluded.expire_time) END
           WHERE snapshots.bytes <> excluded.bytes OR snapshots.expire_time IS NOT NULL",
        snapshot.offer_uid,
        snapshot.digest,
        snapshot.format,
        snapshot.bytes,
        assets,
        snapshot.create_time,
        expires
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes at most `limit` snapshots of dry runs whose time is over; answers how many.
pub async fn expire(db: &mut PgConnection, now: OffsetDateTime, limit: i64) -> Result<u64> {
    let done = sqlx::query!(
        "DELETE FROM offer_catalog.snapshots s USING (
           SELECT offer_uid, digest FROM offer_catalog.snapshots WHERE expire_time <= $1
           ORDER BY expire_time LIMIT $2 FOR UPDATE SKIP LOCKED
         ) gone
         WHERE s.offer_uid = gone.offer_uid AND s.digest = gone.digest",
        now,
        limit
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// A snapshot that a submission fixed, by the offer's system id. A dry run's is none.
pub async fn of_offer(db: &mut PgConnection, offer: Uuid, digest: &str) -> Result<Option<Stored>> {
    let row = sqlx::query_as!(
        Stored,
        "SELECT offer_uid, digest, format, bytes, create_time
         FROM offer_catalog.snapshots WHERE offer_uid = $1 AND digest = $2 AND expire_time IS NULL",
        offer,
        digest
    )
    .fetch_optional(db)
    .await?;
    Ok(row)
}

/// A snapshot by its resource name, also a dry run's: for other services.
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
