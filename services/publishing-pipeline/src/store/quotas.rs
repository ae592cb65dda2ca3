//! What a publisher has of what is limited.

use marketplace_runtime::access::Scope;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{Offering, Quota, QuotaExceeded, Quotas, Used};
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
        ..Used::default()
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
                  (SELECT count(*) FROM publishing.batches WHERE publisher = $1 AND state = 'running') AS "batches!",
                  (SELECT count(*) FROM publishing.dry_runs WHERE publisher = $1 AND state = 'running') AS "dry_runs!""#,
        scope.publisher(),
        now.date()
    )
    .fetch_one(db)
    .await?;
    Ok(Used {
        open_submissions: row.open,
        submissions_today: row.today,
        batches_running: row.batches,
        dry_runs_running: row.dry_runs,
    })
}

/// The quotas that one more submission of this offer would be beyond by what there is now; a submission is counted exactly
/// when it is written.
pub async fn beyond(
    db: &mut PgConnection,
    scope: &Scope,
    known: Option<&Offering>,
    quotas: &Quotas,
    now: OffsetDateTime,
) -> Result<Vec<QuotaExceeded>, Error> {
    let mut used = used(db, scope, now).await?;
    // It counts against itself no more than at the end.
    let own = known.is_some_and(|offering| offering.publication().in_flight.is_some());
    used.open_submissions -= i64::from(own);
    let publisher = scope.publisher().unwrap_or_default();
    let admitted =
        Quota::OF_SUBMISSIONS.map(|quota| quotas.admit(quota, used.of(quota), publisher, now));
    Ok(admitted.into_iter().filter_map(Result::err).collect())
}
