//! Rows of freezes: what each submission has fixed.

use serde_json::Value;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::freeze::{Audiences, Freeze};
use crate::domain::news::News;
use crate::error::{Error, Result};

/// A freeze by its submission.
pub async fn get(db: &mut PgConnection, submission: Uuid) -> Result<Option<Freeze>> {
    let row = sqlx::query!(
        "SELECT submission, offer_uid, draft_revision, content_digest, digest, plans, audiences, released
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
        released: row.released,
    }))
}

fn audiences(stored: Value) -> Result<Audiences> {
    serde_json::from_value(stored).map_err(Error::corrupt)
}

/// The first freeze of a submission, or a later one: it is open, whatever was.
pub async fn save(db: &mut PgConnection, freeze: &Freeze, now: OffsetDateTime) -> Result<()> {
    let audiences = serde_json::to_value(&freeze.audiences).map_err(Error::corrupt)?;
    sqlx::query!(
        "WITH marked AS (
           UPDATE offer_catalog.offers SET ever_frozen = true WHERE offer_uid = $2 AND NOT ever_frozen
         )
         INSERT INTO offer_catalog.freezes
           (submission, offer_uid, draft_revision, content_digest, digest, plans, audiences, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (submission) DO UPDATE
           SET draft_revision = excluded.draft_revision, content_digest = excluded.content_digest, digest = excluded.digest,
               plans = excluded.plans, audiences = excluded.audiences, close_time = NULL, released = false",
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

/// Gives the freeze of a submission back that never began: what the offer and its plans were marked for by it alone, they
/// no longer are (T04, T34). One that was prepared stays.
pub async fn release(
    db: &mut PgConnection,
    offer: Uuid,
    submission: Uuid,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query!(
        "UPDATE offer_catalog.freezes SET released = true, close_time = coalesce(close_time, $3)
         WHERE submission = $2 AND offer_uid = $1 AND NOT prepared",
        offer,
        submission,
        now
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "WITH held AS (
           SELECT f.plans FROM offer_catalog.freezes f WHERE f.offer_uid = $1 AND NOT f.released
         ), plans AS (
           UPDATE offer_catalog.plans p SET ever_frozen = false
           WHERE p.offer_uid = $1 AND p.ever_frozen AND NOT EXISTS (SELECT FROM held WHERE p.plan_id = ANY (held.plans))
         )
         UPDATE offer_catalog.offers o SET ever_frozen = false
         WHERE o.offer_uid = $1 AND o.ever_frozen AND NOT EXISTS (SELECT FROM held)",
        offer
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

/// Audiences that the newest submission with this snapshot saw, besides the one that is being frozen.
pub async fn audiences_of(
    db: &mut PgConnection,
    offer: Uuid,
    digest: &str,
    besides: Uuid,
) -> Result<Audiences> {
    let stored = sqlx::query_scalar!(
        "SELECT audiences FROM offer_catalog.freezes
         WHERE offer_uid = $1 AND digest = $2 AND submission <> $3 AND NOT released
         ORDER BY submission DESC LIMIT 1",
        offer,
        digest,
        besides
    )
    .fetch_optional(db)
    .await?;
    stored.map_or(Ok(Audiences::new()), audiences)
}

/// By news of publications, at most one of each offer: closes the freezes of submissions that ended or never began, and
/// drops what was prepared for them; those that go on are open. Ids of submissions grow with time: one newer than the
/// newest that the pipeline told of may yet begin. One that was given back too early, since a twin of its publish went on
/// with it, holds again.
pub async fn close_others(
    db: &mut PgConnection,
    news: &[&News],
    now: OffsetDateTime,
) -> Result<()> {
    let (offers, newest): (Vec<Uuid>, Vec<Uuid>) = news
        .iter()
        .filter_map(|one| Some((one.offer_uid, one.copy.latest_submission?)))
        .unzip();
    let open: Vec<Uuid> = news.iter().flat_map(|one| &one.open).copied().collect();
    if offers.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "WITH told AS (
           SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS n (offer_uid, newest)
         ), dropped AS (
           DELETE FROM offer_catalog.listings l USING told n
           WHERE l.offer_uid = ANY ($1) AND l.offer_uid = n.offer_uid AND l.stage = 'prepared'
             AND NOT l.submission = ANY ($3) AND l.submission <= n.newest
         ), taken_up AS (
           SELECT f.offer_uid, f.plans FROM offer_catalog.freezes f JOIN told n ON f.offer_uid = n.offer_uid
           WHERE f.offer_uid = ANY ($1) AND f.released AND (f.submission = ANY ($3) OR f.submission = n.newest)
         ), plans AS (
           UPDATE offer_catalog.plans p SET ever_frozen = true FROM taken_up t
           WHERE p.offer_uid = ANY ($1) AND p.offer_uid = t.offer_uid AND p.plan_id = ANY (t.plans) AND NOT p.ever_frozen
         ), offers AS (
           UPDATE offer_catalog.offers o SET ever_frozen = true
           WHERE o.offer_uid = ANY ($1) AND NOT o.ever_frozen AND o.offer_uid IN (SELECT offer_uid FROM taken_up)
         )
         UPDATE offer_catalog.freezes f
         SET close_time = CASE WHEN f.submission = ANY ($3) THEN NULL ELSE $4::timestamptz END,
             released = f.released AND f.submission <> n.newest AND NOT f.submission = ANY ($3)
         FROM told n
         WHERE f.offer_uid = ANY ($1) AND f.offer_uid = n.offer_uid AND f.submission <= n.newest
           AND ((f.close_time IS NULL) <> (f.submission = ANY ($3))
                OR f.released AND (f.submission = ANY ($3) OR f.submission = n.newest))",
        &offers,
        &newest,
        &open,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}
