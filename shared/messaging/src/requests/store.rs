//! The SQL of `requests`.

use sqlx::{PgPool, Row as _};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::Once;

/// What is written about a request with the commit that carries it out.
pub(crate) struct Settlement {
    pub(crate) key: [u8; 32],
    pub(crate) rpc: &'static str,
    pub(crate) fingerprint: [u8; 32],
    pub(crate) answer: Vec<u8>,
    /// Set: the row is there already, as a claim under this id.
    pub(crate) claim: Option<Uuid>,
}

/// A row as looked up.
pub(super) struct Found {
    pub(super) fingerprint: Vec<u8>,
    pub(super) answer: Option<Vec<u8>>,
    /// How long the claim's holder may still take.
    pub(super) lease_left: Duration,
}

pub(super) async fn find(db: &PgPool, key: [u8; 32]) -> Result<Option<Found>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT fingerprint, answer, lease_until, now() AS now FROM requests WHERE key = $1",
    )
    .bind(&key[..])
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (until, now): (Option<OffsetDateTime>, OffsetDateTime) =
        (row.try_get("lease_until")?, row.try_get("now")?);
    Ok(Some(Found {
        fingerprint: row.try_get("fingerprint")?,
        answer: row.try_get("answer")?,
        lease_left: until.map_or(Duration::ZERO, |until| until - now),
    }))
}

/// Makes the claim, or takes it over when its lease has ended; answers the id that the work goes under.
pub(super) async fn claim(
    db: &PgPool,
    once: &Once,
    key: [u8; 32],
    id: Uuid,
    holder: Uuid,
    lease: Duration,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO requests AS r (key, rpc, fingerprint, claim, holder, lease_until)
         VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond')
         ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until
         WHERE r.answer IS NULL AND r.lease_until < now() AND r.fingerprint = excluded.fingerprint
         RETURNING claim",
    )
    .bind(&key[..])
    .bind(once.rpc())
    .bind(once.fingerprint())
    .bind(id)
    .bind(holder)
    .bind(lease.whole_milliseconds() as f64)
    .fetch_optional(db)
    .await
}

/// Gives a claim up, unless another has taken it over or completed it.
pub(super) async fn release(db: &PgPool, key: [u8; 32], holder: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM requests WHERE key = $1 AND holder = $2 AND answer IS NULL")
        .bind(&key[..])
        .bind(holder)
        .execute(db)
        .await
        .map(drop)
}

/// Deletes up to `limit` requests made before `before`.
pub(crate) async fn forget(
    db: &PgPool,
    before: OffsetDateTime,
    limit: i64,
) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query(
        "DELETE FROM requests WHERE key IN
             (SELECT key FROM requests WHERE made_at < $1 ORDER BY made_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind(before)
    .bind(limit)
    .execute(db)
    .await?;
    Ok(deleted.rows_affected())
}
