//! Incidents, what operators did, and outcomes that came too late.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{IncidentNews, Offering};
use crate::error::Error;

/// A row of `incidents` with the names that it is shown by.
#[derive(Debug, Clone)]
pub struct Incident {
    pub id: Uuid,
    pub publisher: String,
    pub offer: String,
    pub submission: Uuid,
    pub step: String,
    pub attempts: i32,
    pub last_error: String,
    pub opened_at: OffsetDateTime,
    pub closed_at: Option<OffsetDateTime>,
}

/// Writes what became of an offering's incident. Rare: most transactions have no such news.
pub async fn note_incidents(db: &mut PgConnection, offering: &Offering) -> Result<(), Error> {
    let offer = offering.publication().offer_uid;
    for news in &offering.news().incidents {
        match news {
            IncidentNews::Raised {
                submission,
                step,
                attempts,
                error,
                at,
            } => {
                let attempts = i32::try_from(*attempts).unwrap_or(i32::MAX);
                sqlx::query!(
                    "INSERT INTO publishing.incidents (offer_uid, submission, step, attempts, last_error, opened_at)
                     VALUES ($1, $2, $3, $4, $5, $6)
                     ON CONFLICT (offer_uid) WHERE closed_at IS NULL
                     DO UPDATE SET attempts = excluded.attempts, last_error = excluded.last_error",
                    offer,
                    submission,
                    step.as_str(),
                    attempts,
                    error,
                    at
                )
                .execute(&mut *db)
                .await?;
            }
            IncidentNews::Closed { at } => {
                sqlx::query!(
                    "UPDATE publishing.incidents SET closed_at = $2 WHERE offer_uid = $1 AND closed_at IS NULL",
                    offer,
                    at
                )
                .execute(&mut *db)
                .await?;
            }
        }
    }
    Ok(())
}

/// Whether an incident of this offer is open: then operators may correct it without a grant (RO-7).
pub async fn incident_open(
    db: &mut PgConnection,
    publisher: &str,
    offer: &str,
) -> Result<bool, Error> {
    let open = sqlx::query_scalar!(
        "SELECT incident FROM publishing.publications WHERE publisher = $1 AND offer = $2",
        publisher,
        offer
    )
    .fetch_optional(db)
    .await?;
    Ok(open.unwrap_or(false))
}

/// The same, if this submission is the one that failed: going live again corrects it (T24).
pub async fn incident_failed(
    db: &mut PgConnection,
    publisher: &str,
    offer: &str,
    submission: Uuid,
) -> Result<bool, Error> {
    let open = sqlx::query_scalar!(
        r#"SELECT incident AND failed IS NOT DISTINCT FROM $3 AS "open!" FROM publishing.publications
           WHERE publisher = $1 AND offer = $2"#,
        publisher,
        offer,
        submission
    )
    .fetch_optional(db)
    .await?;
    Ok(open.unwrap_or(false))
}

/// A page of incidents, newest first, after (opened_at, id).
pub async fn list_incidents(
    db: &mut PgConnection,
    closed_too: bool,
    after: Option<(OffsetDateTime, Uuid)>,
    limit: i64,
) -> Result<Vec<Incident>, Error> {
    let (time, id) = after.unzip();
    let rows = sqlx::query_as!(
        Incident,
        "SELECT i.id, p.publisher, p.offer, i.submission, i.step, i.attempts, i.last_error, i.opened_at, i.closed_at
         FROM publishing.incidents i JOIN publishing.publications p ON p.offer_uid = i.offer_uid
         WHERE ($1 OR i.closed_at IS NULL) AND ($2::timestamptz IS NULL OR (i.opened_at, i.id) < ($2, $3))
         ORDER BY i.opened_at DESC, i.id DESC LIMIT $4",
        closed_too,
        time,
        id,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// What an operator did, with its reason.
#[derive(Debug, Clone)]
pub struct Audit {
    pub id: Uuid,
    pub offer_uid: Uuid,
    pub submission: Uuid,
    pub step: &'static str,
    pub action: &'static str,
    pub reason: String,
    pub principal: String,
    pub at: OffsetDateTime,
}

pub async fn audit(db: &mut PgConnection, audit: &Audit) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO publishing.operator_actions (id, offer_uid, submission, step, action, reason, principal, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        audit.id,
        audit.offer_uid,
        audit.submission,
        audit.step,
        audit.action,
        audit.reason,
        audit.principal,
        audit.at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Records an outcome whose attempt is over.
pub async fn note_discarded(
    db: &mut PgConnection,
    submission: Uuid,
    step: &str,
    attempt: u32,
    outcome: &str,
    at: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO publishing.discarded_outcomes (submission, step, attempt, outcome, received_at)
         VALUES ($1, $2, $3, $4, $5)",
        submission,
        step,
        i64::from(attempt),
        outcome,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}
