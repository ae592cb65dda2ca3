//! Previews, of which publishing and the catalog each tell one side.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::PreviewSide;
use crate::error::Error;

/// What both sides have told of a preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    pub awaits: bool,
    pub served: bool,
    pub title: String,
    pub warnings: i32,
    pub report: String,
    pub told_at: OffsetDateTime,
}

/// Adds one side; answers what is known then.
pub async fn merge(db: &mut PgConnection, side: &PreviewSide) -> Result<Preview, Error> {
    let preview = sqlx::query_as!(
        Preview,
        "INSERT INTO notification.previews AS p (submission, awaits, served, title, warnings, report, told_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (submission) DO UPDATE SET
           awaits = p.awaits OR excluded.awaits,
           served = p.served OR excluded.served,
           title = CASE WHEN excluded.awaits THEN excluded.title ELSE p.title END,
           warnings = CASE WHEN excluded.awaits THEN excluded.warnings ELSE p.warnings END,
           report = CASE WHEN excluded.awaits THEN excluded.report ELSE p.report END,
           told_at = greatest(p.told_at, excluded.told_at)
         RETURNING awaits, served, title, warnings, report, told_at",
        side.about.submission,
        side.awaits,
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
