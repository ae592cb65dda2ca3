//! Reading submissions: lists, and the transitions that a watcher hasn't seen.

use marketplace_runtime::access::Scope;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::{StepId, StepState, Submission, SubmissionState, Transition};
use crate::error::Error;

/// A page of an offer's submissions, newest first, after `before`. Several states may answer one filter of the wire.
pub async fn list_submissions(
    db: &mut PgConnection,
    scope: &Scope,
    offer: &str,
    states: Option<Vec<String>>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Submission>, Error> {
    let rows = sqlx::query_scalar!(
        r#"SELECT to_json(s) AS "submission!: Json<Submission>"
           FROM publishing.submissions s JOIN publishing.publications p ON p.offer_uid = s.offer_uid
           WHERE p.publisher = $1 AND p.offer = $2 AND ($3::text[] IS NULL OR s.state = ANY ($3))
             AND ($4::uuid IS NULL OR s.id < $4)
           ORDER BY s.id DESC LIMIT $5"#,
        scope.publisher(),
        offer,
        states.as_deref(),
        before,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Number of the newest transition of a submission, and the state that it led to.
pub async fn newest(
    db: &mut PgConnection,
    submission: Uuid,
) -> Result<Option<(u64, SubmissionState)>, Error> {
    let row = sqlx::query!(
        "SELECT transition, state FROM publishing.submissions WHERE id = $1",
        submission
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        let number =
            u64::try_from(row.transition).map_err(|_| Error::Corrupt("a negative transition"))?;
        Ok((number, row.state.parse::<SubmissionState>()?))
    })
    .transpose()
}

/// Transitions of a submission after number `after` up to number `last`, in order, at most `limit`.
pub async fn history(
    db: &mut PgConnection,
    submission: Uuid,
    after: u64,
    last: u64,
    limit: i64,
) -> Result<Vec<Transition>, Error> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let rows = sqlx::query!(
        "SELECT transition, at, step, step_state, submission_state, message, took_ms FROM publishing.transitions
         WHERE submission = $1 AND transition > $2 AND transition <= $3 ORDER BY transition LIMIT $4",
        submission,
        number(after),
        number(last),
        limit
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let step = match (row.step, row.step_state) {
                (Some(step), Some(state)) => {
                    Some((step.parse::<StepId>()?, state.parse::<StepState>()?))
                }
                _ => None,
            };
            Ok(Transition {
                submission,
                number: u64::try_from(row.transition)
                    .map_err(|_| Error::Corrupt("a negative transition"))?,
                at: row.at,
                step,
                state: row.submission_state.parse::<SubmissionState>()?,
                message: row.message,
                took_ms: row.took_ms,
            })
        })
        .collect()
}
