//! Rows of freezes: what each submission has fixed.

use serde_json::Value;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::freeze::{Audiences, Freeze};
use crate::error::{Error, Result};

/// A freeze by its submission.
pub async fn get(db: &mut PgConnection, submission: Uuid) -> Result<Option<Freeze>> {
    let row = sqlx::query!(
        "SELECT submission, offer_uid, draft_revision, content_digest, digest, plans, audiences
         FROM offer_catalog.freezes WHERE submission = $1",
        submission
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Freeze {
        submission: row.submission,
        offer_uid: row.offer_uid,
        draft_revision: row.draft_revision,
        content_digest: row.content_digest,
        digest: row.digest,
        plans: row.plans,
        audiences: audiences(row.audiences)?,
    }))
}

fn audiences(stored: Value) -> Result<Audiences> {
    serde_json::from_value(stored).map_err(Error::corrupt)
}

/// The first freeze of a submission, or a later one: only the newest digest changes then, and it is open again.
pub async fn save(db: &mut PgConnection, freeze: &Freeze, now: OffsetDateTime) -> Result<()> {
    let audiences = serde_json::to_value(&freeze.audiences).map_err(Error::corrupt)?;
    sqlx::query!(
        "WITH marked AS (
           UPDATE offer_catalog.offers SET ever_frozen = true WHERE offer_uid = $2 AND NOT ever_frozen
         )
         INSERT INTO offer_catalog.freezes
           (submission, offer_uid, draft_revision, content_digest, digest, plans, audiences, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (submission) DO UPDATE SET digest = excluded.digest",
        freeze.submission,
        freeze.offer_uid,
        freeze.draft_revision,
        freeze.content_digest,
        freeze.digest,
        &freeze.plans,
        audiences,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A preview of the submission was prepared: its plans can't be deleted any more.
pub async fn mark_prepared(db: &mut PgConnection, submission: Uuid) -> Result<()> {
    sqlx::query!(
        "UPDATE offer_catalog.freezes SET prepared = true WHERE submission = $1 AND NOT prepared",
        submission
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Audiences that the newest submission with this snapshot saw.
pub async fn audiences_of(db: &mut PgConnection, offer: Uuid, digest: &str) -> Result<Audiences> {
    let stored = sqlx::query_scalar!(
        "SELECT audiences FROM offer_catalog.freezes WHERE offer_uid = $1 AND digest = $2
         ORDER BY submission DESC LIMIT 1",
        offer,
        digest
    )
    .fetch_optional(db)
    .await?;
    stored.map_or(Ok(Audiences::new()), audiences)
}

/// Closes the freezes of submissions that ended or never began, and drops what was prepared for them; those that go on
/// are open. Ids of submissions grow with time: one newer than the newest that the pipeline told of may yet begin.
pub async fn close_others(
    db: &mut PgConnection,
    offer: Uuid,
    open: &[Uuid],
    newest: Uuid,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query!(
        "WITH dropped AS (
           DELETE FROM offer_catalog.listings
           WHERE offer_uid = $1 AND stage = 'prepared' AND NOT submission = ANY ($2) AND submission <= $3
         )
         UPDATE offer_catalog.freezes SET close_time = CASE WHEN submission = ANY ($2) THEN NULL ELSE $4::timestamptz END
         WHERE offer_uid = $1 AND submission <= $3 AND (close_time IS NULL) <> (submission = ANY ($2))",
        offer,
        open,
        newest,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}
