//! What a publisher has of what is limited.

use marketplace_runtime::access::Scope;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{Quota, Quotas, Used};
use crate::error::Error;

/// Counts a submission of an offer; answers what the scope's publisher had before it, as far as there are limits. Exact:
/// see the function.
pub async fn count_submission(
    db: &mut PgConnection,
    scope: &Scope,
    offer: Uuid,
    quotas: &Quotas,
    now: OffsetDateTime,
) -> Result<Used, Error> {
    let row = sqlx::query!(
        r#"SELECT open AS "open!", today AS "today!" FROM publishing.count_submission($1, $2, $3, $4, $5)"#,
        scope.publisher(),
        now.date(),
        offer,
        quotas.limit(Quota::OpenSubmissions),
        quotas.limit(Quota::SubmissionsPerDay)
    )
    .fetch_one(db)
    .await?;
    Ok(Used {
        open_submissions: row.open,
        submissions_today: row.today,
        batches_running: 0,
    })
}

/// What the scope's publisher has now.
pub async fn used(
    db: &mut PgConnection,
    scope: &Scope,
    now: OffsetDateTime,
) -> Result<Used, Error> {
    let row = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM publishing.publications WHERE publisher = $1 AND in_flight IS NOT NULL) AS "open!",
                  (SELECT coalesce(sum(submissions), 0)::bigint FROM publishing.submitted
                   WHERE publisher = $1 AND day = $2) AS "today!",
                  (SELECT count(*) FROM publishing.batches WHERE publisher = $1 AND state = 'running') AS "batches!""#,
        scope.publisher(),
        now.date()
    )
    .fetch_one(db)
    .await?;
    Ok(Used {
        open_submissions: row.open,
        submissions_today: row.today,
        batches_running: row.batches,
    })
}
