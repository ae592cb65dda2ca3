//! What is due, and which processes are there to do it.

use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::domain::{Schedule, Step, StepId};
use crate::error::Error;

/// An offer that somebody must look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub offer_uid: Uuid,
    /// The process that carried out the active step, where it is gone.
    pub orphan_of: Option<Uuid>,
    /// A scheduled go live has come.
    pub scheduled: bool,
}

/// At most `limit` offers that are due at `now`, but for these.
pub async fn due(
    db: &PgPool,
    now: OffsetDateTime,
    limit: i64,
    besides: &[Uuid],
) -> Result<Vec<Due>, Error> {
    let rows = sqlx::query!(
        r#"SELECT offer_uid AS "offer_uid!", (array_agg(holder) FILTER (WHERE holder IS NOT NULL))[1] AS orphan_of,
                  bool_or(scheduled) AS "scheduled!" FROM (
             (SELECT offer_uid, NULL::uuid AS holder, false AS scheduled FROM publishing.submissions
              WHERE due_at <= $1 AND offer_uid <> ALL ($3) ORDER BY due_at LIMIT $2)
             UNION ALL
             (SELECT s.offer_uid, s.holder, false FROM publishing.submissions s
              WHERE s.holder IS NOT NULL AND s.offer_uid <> ALL ($3)
                AND NOT EXISTS (SELECT FROM publishing.runners r WHERE r.id = s.holder AND r.lease_until > now())
              LIMIT $2)
             UNION ALL
             (SELECT offer_uid, NULL, coalesce((schedule ->> 'due')::timestamptz <= $1, false) FROM publishing.publications
              WHERE due_at <= $1 AND offer_uid <> ALL ($3) ORDER BY due_at LIMIT $2)
           ) d GROUP BY offer_uid"#,
        now,
        limit,
        besides
    )
    .fetch_all(db)
    .await?;
    let due = rows.into_iter();
    Ok(due
        .map(|row| Due {
            offer_uid: row.offer_uid,
            orphan_of: row.orphan_of,
            scheduled: row.scheduled,
        })
        .collect())
}

/// A step that a process holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Held {
    pub offer_uid: Uuid,
    pub submission: Uuid,
    pub step: StepId,
    pub attempt: u32,
}

/// The steps that a process holds; not those that a cancel waits for.
pub async fn held(db: &PgPool, runner: Uuid) -> Result<Vec<Held>, Error> {
    let rows = sqlx::query!(
        r#"SELECT offer_uid, id, steps AS "steps: Json<Vec<Step>>" FROM publishing.submissions
           WHERE holder = $1 AND state IN ('preview_leg', 'live_leg')"#,
        runner
    )
    .fetch_all(db)
    .await?;
    let held = rows.into_iter().filter_map(|row| {
        let active = row.steps.0.iter().find(|step| step.state.active())?;
        Some(Held {
            offer_uid: row.offer_uid,
            submission: row.id,
            step: active.id,
            attempt: active.attempt,
        })
    });
    Ok(held.collect())
}

/// Renews the lease of this process, which holds all of its steps; forgets processes that are long gone.
pub async fn keep_lease(db: &PgPool, runner: Uuid, lease: Duration) -> Result<(), Error> {
    let lease = lease.as_seconds_f64();
    sqlx::query!(
        "WITH gone AS (DELETE FROM publishing.runners WHERE lease_until < now() - interval '1 hour' AND id <> $1)
         INSERT INTO publishing.runners (id, lease_until) VALUES ($1, now() + make_interval(secs => $2))
         ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until",
        runner,
        lease
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives the lease up: others take this process' steps over at once.
pub async fn leave(db: &PgPool, runner: Uuid) -> Result<(), Error> {
    sqlx::query!("DELETE FROM publishing.runners WHERE id = $1", runner)
        .execute(db)
        .await?;
    Ok(())
}

/// The median of how long each step took lately, in milliseconds.
pub async fn medians(db: &mut PgConnection) -> Result<Vec<(String, f64)>, Error> {
    let rows = sqlx::query!(
        r#"SELECT step AS "step!", percentile_cont(0.5) WITHIN GROUP (ORDER BY took_ms) AS "median!"
           FROM (SELECT t.step, t.took_ms
                 FROM (SELECT id FROM publishing.submissions ORDER BY id DESC LIMIT 200) s
                 JOIN publishing.transitions t ON t.submission = s.id
                 WHERE t.took_ms IS NOT NULL) recent
           GROUP BY step"#
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.step, row.median)).collect())
}

/// An offer's publisher and its scheduled go live.
pub async fn schedule_of(
    db: &mut PgConnection,
    offer: Uuid,
) -> Result<Option<(String, Schedule)>, Error> {
    let row = sqlx::query!(
        r#"SELECT publisher, schedule AS "schedule!: Json<Schedule>" FROM publishing.publications
           WHERE offer_uid = $1 AND schedule IS NOT NULL"#,
        offer
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| (row.publisher, row.schedule.0)))
}

/// Deletes transitions of submissions that ended before `before`, and discarded outcomes of that age.
pub async fn forget_transitions(db: &PgPool, before: OffsetDateTime) -> Result<(), Error> {
    loop {
        let deleted = sqlx::query!(
            "DELETE FROM publishing.transitions t USING (
               SELECT s.id FROM publishing.submissions s
               WHERE s.end_time < $1 AND EXISTS (SELECT FROM publishing.transitions o WHERE o.submission = s.id)
               ORDER BY s.id LIMIT 100) old
             WHERE t.submission = old.id",
            before
        )
        .execute(db)
        .await?;
        if deleted.rows_affected() == 0 {
            break;
        }
    }
    sqlx::query!(
        "DELETE FROM publishing.discarded_outcomes WHERE received_at < $1",
        before
    )
    .execute(db)
    .await?;
    Ok(())
}
