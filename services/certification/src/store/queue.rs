//! The review queue: cases that wait for a reviewer, oldest first.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::cases::Row;
use crate::domain::Case;

/// Which cases are asked for.
#[derive(Debug, Clone, Default)]
pub struct QueueFilter {
    /// Only those that this reviewer holds; `None`: those that nobody holds.
    pub held_by: Option<String>,
    pub offer_type: Option<String>,
    /// The last one of the page before.
    pub after: Option<(OffsetDateTime, Uuid)>,
}

/// Cases in the order in which they began to wait. A case whose claim has expired waits, whether swept yet or not.
/// Reviewers see cases of all publishers, so there is no scope: the caller leaves out those of its own.
pub async fn queue(
    db: &mut PgConnection,
    filter: &QueueFilter,
    now: OffsetDateTime,
    limit: i64,
) -> Result<Vec<Case>, sqlx::Error> {
    let (after_time, after_id) = filter.after.unzip();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT id, submission, publisher, offer, offer_uid, offer_type, offer_title, transactable, notes, snapshot, digest,
               application_id, publication_revision, number, state, reviewer, claim_until, review_notes, revision,
               created_at, awaiting_since, ended_at
        FROM certification.cases
        WHERE state IN ('AWAITING_REVIEW', 'IN_REVIEW')
          AND CASE WHEN $1::text IS NULL THEN state = 'AWAITING_REVIEW' OR claim_until <= $2
                   ELSE reviewer = $1 AND claim_until > $2 END
          AND ($3::text IS NULL OR offer_type = $3)
          AND ($4::timestamptz IS NULL OR (awaiting_since, id) > ($4, $5))
        ORDER BY awaiting_since, id LIMIT $6
        "#,
        filter.held_by,
        now,
        filter.offer_type,
        after_time,
        after_id,
        limit,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| row.into_case(Vec::new()))
        .collect()
}
