//! Where contents lie. What the sweep takes and what is used meanwhile is settled by the lock of a row: whoever makes a
//! draft name a content locks its row first, in the same transaction, and the sweep looks at who names it with the row
//! locked. What is frozen or served is named by a draft or a snapshot already, which the offer's lock keeps.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::error::Result;

/// Notes that content is about to be used, and answers where it lies; `None`: it isn't stored.
pub async fn touch(
    db: &mut PgConnection,
    digest: &str,
    now: OffsetDateTime,
) -> Result<Option<String>> {
    let place = sqlx::query_scalar!(
        "UPDATE offer_catalog.blobs SET use_time = greatest(use_time, $2)
         WHERE state = 'stored' AND place = (SELECT place FROM offer_catalog.blobs
                                             WHERE digest = $1 AND state = 'stored' ORDER BY number DESC LIMIT 1)
         RETURNING place",
        digest,
        now
    )
    .fetch_optional(db)
    .await?;
    Ok(place)
}

/// The same for contents that this transaction makes something name: nobody takes them before it ends. `false`: some
/// aren't stored any more.
pub async fn hold(db: &mut PgConnection, digests: &[String], now: OffsetDateTime) -> Result<bool> {
    let held = sqlx::query!(
        "WITH newest AS (
           SELECT DISTINCT ON (digest) place FROM offer_catalog.blobs
           WHERE digest = ANY ($1) AND state = 'stored' ORDER BY digest, number DESC
         ), locked AS (
           SELECT place FROM offer_catalog.blobs WHERE place IN (SELECT place FROM newest) AND state = 'stored'
           ORDER BY place FOR UPDATE
         )
         UPDATE offer_catalog.blobs b SET use_time = greatest(b.use_time, $2) FROM locked WHERE b.place = locked.place",
        digests,
        now
    )
    .execute(db)
    .await?;
    let mut wanted: Vec<&String> = digests.iter().collect();
    wanted.sort_unstable();
    wanted.dedup();
    Ok(held.rows_affected() == wanted.len() as u64)
}

/// Where contents lie, of those that are stored.
pub async fn places(db: &mut PgConnection, digests: &[String]) -> Result<BTreeMap<String, String>> {
    let rows = sqlx::query!(
        "SELECT DISTINCT ON (digest) digest, place FROM offer_catalog.blobs
         WHERE digest = ANY ($1) AND state = 'stored' ORDER BY digest, number DESC",
        digests
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.digest, row.place))
        .collect())
}

/// Notes an object before it is written.
pub async fn begin(
    db: &mut PgConnection,
    place: &str,
    digest: &str,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO offer_catalog.blobs (place, digest, state, use_time) VALUES ($1, $2, 'coming', $3)",
        place,
        digest,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An object is written. `false`: that took so long that it was given up.
pub async fn stored(db: &mut PgConnection, place: &str, now: OffsetDateTime) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE offer_catalog.blobs SET state = 'stored', use_time = $2 WHERE place = $1 AND state = 'coming'",
        place,
        now
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Begins a turn of the sweep where it is due, and answers the last place that was looked at and when its lease ends:
/// nobody else begins one before.
pub async fn begin_sweep(
    db: &mut PgConnection,
    now: OffsetDateTime,
    lease: OffsetDateTime,
) -> Result<Option<(String, OffsetDateTime)>> {
    let begun = sqlx::query!(
        "UPDATE offer_catalog.blob_sweep SET due_time = $2 WHERE due_time <= $1 RETURNING after, due_time",
        now,
        lease
    )
    .fetch_optional(db)
    .await?;
    Ok(begun.map(|row| (row.after, row.due_time)))
}

/// The last place of the next `limit`; `None`: there are fewer.
pub async fn until(db: &mut PgConnection, after: &str, limit: i64) -> Result<Option<String>> {
    let last = sqlx::query_scalar!(
        "SELECT place FROM offer_catalog.blobs WHERE place > $1 ORDER BY place OFFSET $2 LIMIT 1",
        after,
        limit - 1
    )
    .fetch_optional(db)
    .await?;
    Ok(last)
}

/// Marks what nothing names, and uploads that never ended, if they weren't used since `unused_since`; answers them with
/// what an earlier sweep has marked and not taken. Of several objects of a content the newest counts.
pub async fn condemn(
    db: &mut PgConnection,
    after: &str,
    until: Option<&str>,
    unused_since: OffsetDateTime,
) -> Result<Vec<String>> {
    let unused = sqlx::query_scalar!(
        "SELECT place FROM offer_catalog.blobs
         WHERE place > $1 AND ($2::text IS NULL OR place <= $2) AND (state = 'going' OR use_time < $3)
         ORDER BY place FOR UPDATE SKIP LOCKED",
        after,
        until,
        unused_since
    )
    .fetch_all(&mut *db)
    .await?;
    // A statement of its own: it sees what was committed until the rows were locked.
    let places = sqlx::query_scalar!(
        "UPDATE offer_catalog.blobs b SET state = 'going'
         WHERE place = ANY ($1) AND (
           state <> 'stored'
           OR EXISTS (SELECT FROM offer_catalog.blobs newer
                      WHERE newer.digest = b.digest AND newer.number > b.number AND newer.state = 'stored')
           OR NOT EXISTS (SELECT FROM offer_catalog.assets a WHERE a.digest = b.digest)
          AND NOT EXISTS (SELECT FROM offer_catalog.upload_pieces p WHERE p.digest = b.digest)
          AND NOT EXISTS (SELECT FROM offer_catalog.snapshots s WHERE s.assets @> ARRAY[b.digest])
          AND NOT EXISTS (SELECT FROM offer_catalog.listing_assets l WHERE l.digest = b.digest))
         RETURNING place",
        &unused
    )
    .fetch_all(db)
    .await?;
    Ok(places)
}

/// Where the next turn begins.
pub async fn sweep_from(db: &mut PgConnection, after: &str) -> Result<()> {
    sqlx::query!("UPDATE offer_catalog.blob_sweep SET after = $1", after)
        .execute(db)
        .await?;
    Ok(())
}

/// When the next turn is due, unless somebody has begun one meanwhile.
pub async fn sweep_again(
    db: &mut PgConnection,
    lease: OffsetDateTime,
    due: OffsetDateTime,
) -> Result<()> {
    sqlx::query!(
        "UPDATE offer_catalog.blob_sweep SET due_time = $2 WHERE due_time = $1",
        lease,
        due
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Objects are deleted.
pub async fn gone(db: &mut PgConnection, places: &[String]) -> Result<()> {
    sqlx::query!(
        "DELETE FROM offer_catalog.blobs WHERE place = ANY ($1) AND state = 'going'",
        places
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The mark of the storage; `proposed` becomes it where there is none.
pub async fn mark(db: &mut PgConnection, proposed: &str) -> Result<String> {
    sqlx::query!(
        "INSERT INTO offer_catalog.storage (mark) VALUES ($1) ON CONFLICT DO NOTHING",
        proposed
    )
    .execute(&mut *db)
    .await?;
    let mark = sqlx::query_scalar!("SELECT mark FROM offer_catalog.storage")
        .fetch_one(db)
        .await?;
    Ok(mark)
}
