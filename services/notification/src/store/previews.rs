//! Previews, of which publishing and the catalog each tell one side.

use sqlx::PgConnection;
use sqlx::types::Uuid;
use time::OffsetDateTime;

use crate::domain::{Closed, PreviewSide};
use crate::error::Error;

/// What both sides have told of a preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// When sign-off was reached.
    pub awaits_since: Option<OffsetDateTime>,
    pub served: bool,
    /// Nobody is to sign it off: that is done, or a newer one waits.
    pub closed: bool,
    pub title: String,
    pub warnings: i32,
    pub report: String,
}

/// Adds one side; answers what is known then.
pub async fn merge(db: &mut PgConnection, side: &PreviewSide) -> Result<Preview, Error> {
    let preview = sqlx::query_as!(
        Preview,
        r#"INSERT INTO notification.previews AS p
             (submission, offer_uid, awaits_since, served, title, warnings, report, told_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
           ON CONFLICT (submission) DO UPDATE SET
             awaits_since = coalesce(p.awaits_since, excluded.awaits_since),
             served = p.served OR excluded.served,
             title = CASE WHEN excluded.awaits_since IS NULL THEN p.title ELSE excluded.title END,
             warnings = CASE WHEN excluded.awaits_since IS NULL THEN p.warnings ELSE excluded.warnings END,
             report = CASE WHEN excluded.awaits_since IS NULL THEN p.report ELSE excluded.report END,
             told_at = greatest(p.told_at, excluded.told_at)
           RETURNING awaits_since, served, title, warnings, report,
             (p.closed_at IS NOT NULL OR EXISTS (
               SELECT FROM notification.previews newer
               WHERE newer.offer_uid = p.offer_uid AND newer.awaits_since > p.awaits_since)) AS "closed!""#,
        side.about.submission,
        side.about.offer_uid,
        side.awaits.then_some(side.at),
        side.served,
        side.title,
        i32::try_from(side.warnings).unwrap_or(i32::MAX),
        side.report,
        side.at
    )
    .fetch_one(db)
    .await?;
    Ok(preview)
}

/// Nobody is to sign these off any more, also where nothing was told of them yet.
pub async fn close(db: &mut PgConnection, closed: &[Closed]) -> Result<(), Error> {
    let submissions: Vec<String> = closed.iter().map(|one| one.submission.clone()).collect();
    let uids: Vec<Uuid> = closed.iter().map(|one| one.offer_uid).collect();
    let times: Vec<OffsetDateTime> = closed.iter().map(|one| one.at).collect();
    // One submission may be closed twice in a batch (signed off, live): a row can't be written twice in a statement.
    sqlx::query!(
        "INSERT INTO notification.previews AS p
           (submission, offer_uid, served, title, warnings, report, told_at, closed_at)
         SELECT c.submission, c.offer_uid, false, '', 0, '', min(c.at), min(c.at)
         FROM unnest($1::text[], $2::uuid[], $3::timestamptz[]) AS c (submission, offer_uid, at)
         GROUP BY c.submission, c.offer_uid ORDER BY c.submission
         ON CONFLICT (submission) DO UPDATE SET closed_at = coalesce(p.closed_at, excluded.closed_at)",
        &submissions,
        &uids,
        &times
    )
    .execute(db)
    .await?;
    Ok(())
}
