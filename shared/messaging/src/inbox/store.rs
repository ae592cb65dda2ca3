//! The SQL of `inbox`.

use std::collections::HashSet;

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::{NoContext, Timestamp, Uuid};

/// Notes these events as applied by this transaction; answers those that weren't yet. Waits for another consumer that
/// is about to commit one of them (a takeover).
pub(super) async fn take(
    db: &mut PgConnection,
    events: &[Uuid],
) -> Result<HashSet<Uuid>, sqlx::Error> {
    let fresh: Vec<Uuid> = sqlx::query_scalar(
        "INSERT INTO inbox (event_id) SELECT DISTINCT e FROM unnest($1::uuid[]) e ORDER BY e
         ON CONFLICT (event_id) DO NOTHING RETURNING event_id",
    )
    .bind(events)
    .fetch_all(db)
    .await?;
    Ok(fresh.into_iter().collect())
}

/// Forgets up to `limit` events received before `before`. Ids are UUIDv7, in order of time, so the primary key finds
/// them; an old event received late is kept until its receipt is old.
pub(crate) async fn forget(
    db: &PgPool,
    before: OffsetDateTime,
    limit: i64,
) -> Result<u64, sqlx::Error> {
    let seconds = u64::try_from(before.unix_timestamp()).unwrap_or_default();
    let highest = Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, 0));
    let deleted = sqlx::query(
        "DELETE FROM inbox WHERE event_id IN
             (SELECT event_id FROM inbox WHERE event_id < $1 AND received_at < $2 ORDER BY event_id LIMIT $3)",
    )
    .bind(highest)
    .bind(before)
    .bind(limit)
    .execute(db)
    .await?;
    Ok(deleted.rows_affected())
}
