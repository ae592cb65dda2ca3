//! Reading submissions: lists, and the transitions that a watcher hasn't seen.

use marketplace_runtime::access::Scope;
use serde::Deserialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{Publication, StepId, StepState, Submission, SubmissionState, Transition};
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

/// A transition as the database says it in JSON.
#[derive(Debug, Deserialize)]
struct Row {
    transition: u64,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    step: Option<String>,
    step_state: Option<String>,
    submission_state: String,
    message: String,
    took_ms: Option<i64>,
}

impl Row {
    fn of(self, submission: Uuid) -> Result<Transition, Error> {
        let step = match (self.step, self.step_state) {
            (Some(step), Some(state)) => {
                Some((step.parse::<StepId>()?, state.parse::<StepState>()?))
            }
            _ => None,
        };
        Ok(Transition {
            submission,
            number: self.transition,
            at: self.at,
            step,
            state: self.submission_state.parse::<SubmissionState>()?,
            message: self.message,
            took_ms: self.took_ms,
        })
    }
}

/// A submission for a watcher who has seen its transitions up to some number.
pub struct Unseen {
    pub state: SubmissionState,
    /// Where there is more: the whole state, and the transitions that led there, in order.
    pub news: Option<(Publication, Submission, Vec<Transition>)>,
}

/// What a watcher hasn't seen who has seen transition `after`, at most `limit` transitions; after 0 the state alone. One
/// statement: it is asked after every commit.
pub async fn unseen(
    db: &mut PgConnection,
    scope: &Scope,
    offer: &str,
    id: Uuid,
    after: u64,
    limit: i64,
) -> Result<Option<Unseen>, Error> {
    let row = sqlx::query!(
        r#"SELECT s.state,
                  CASE WHEN s.transition <> $4 THEN to_json(p) END AS "publication: Json<Publication>",
                  CASE WHEN s.transition <> $4 THEN to_json(s) END AS "submission: Json<Submission>",
                  (SELECT json_agg(t ORDER BY t.transition)
                   FROM (SELECT * FROM publishing.transitions
                         WHERE submission = s.id AND $4 > 0 AND transition > $4 ORDER BY transition LIMIT $5) t
                  ) AS "transitions: Json<Vec<Row>>"
           FROM publishing.publications p JOIN publishing.submissions s ON s.offer_uid = p.offer_uid
           WHERE s.id = $1 AND p.publisher = $2 AND p.offer = $3"#,
        id,
        scope.publisher(),
        offer,
        i64::try_from(after).unwrap_or(i64::MAX),
        limit
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let rows = row.transitions.map(|rows| rows.0).unwrap_or_default();
    let transitions = rows.into_iter().map(|row| row.of(id));
    let transitions = transitions.collect::<Result<Vec<_>, Error>>()?;
    let whole = row.publication.zip(row.submission);
    Ok(Some(Unseen {
        state: row.state.parse()?,
        news: whole.map(|(publication, submission)| (publication.0, submission.0, transitions)),
    }))
}
