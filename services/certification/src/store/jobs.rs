//! Orders as jobs: stored once by their key, claimed under a lease, answered once.

use marketplace_runtime::telemetry::Trace;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{corrupt, count, revision};
use crate::domain::{Job, JobKind, Order, OrderKey};

/// What is known of an order's key and its submission.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The key is known.
    pub known: bool,
    /// The case whose reviewer the known key waits for.
    pub waits_for: Option<Uuid>,
    /// What it was answered with.
    pub answer: Option<(String, Vec<u8>)>,
    /// Orders of the submission up to this revision of the publication were called off.
    pub canceled_at: Option<i64>,
    /// The case that another attempt opened and this one joins.
    pub case: Option<Uuid>,
    /// Number of the offer's next case.
    pub next_number: u32,
}

/// Reads all of it in one statement.
pub async fn standing(
    db: &mut PgConnection,
    key: &OrderKey,
    offer_uid: Uuid,
) -> Result<Standing, sqlx::Error> {
    let row = sqlx::query!(
        r#"
        SELECT j.state AS "state?", j.case_id AS "own_case?", j.answer_kind AS "answer_kind?", j.answer AS "answer?",
               c.publication_revision AS "canceled_at?", k.id AS "case_id?",
               (SELECT coalesce(max(number), 0) + 1 FROM certification.cases WHERE offer_uid = $4) AS "next_number!"
        FROM (SELECT 1) one
        LEFT JOIN certification.jobs j ON j.submission = $1 AND j.step = $2 AND j.attempt = $3
        LEFT JOIN certification.cancellations c ON c.submission = $1
        LEFT JOIN certification.cases k ON k.submission = $1 AND k.joinable
        "#,
        key.submission,
        key.step,
        count(key.attempt),
        offer_uid,
    )
    .fetch_one(db)
    .await?;
    Ok(Standing {
        waits_for: row
            .own_case
            .filter(|_| row.state.as_deref() == Some("waiting")),
        known: row.state.is_some(),
        answer: row.answer_kind.zip(row.answer),
        canceled_at: row.canceled_at,
        case: row.case_id,
        next_number: row.next_number.unsigned_abs(),
    })
}

/// Stores an order, due at once, or waiting for the reviewer of the case that it joins.
pub async fn insert_job(
    db: &mut PgConnection,
    order: &Order,
    case: Option<Uuid>,
    waits: bool,
    trace: &Trace,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO certification.jobs (submission, step, attempt, kind, case_id, publisher, offer, offer_uid, offer_type,
               transactable, notes, snapshot, digest, publication_revision, state, traceparent, tracestate, due_at, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18)
        "#,
        order.key.submission,
        order.key.step,
        count(order.key.attempt),
        order.kind.as_str(),
        case,
        order.publisher,
        order.offer,
        order.offer_uid,
        order.offer_type,
        order.transactable,
        order.notes,
        order.snapshot,
        order.digest,
        revision(order.publication_revision),
        if waits { "waiting" } else { "working" },
        trace.parent,
        trace.state,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How many jobs of a publisher other processes may be claiming at the same moment: looked past.
const OTHERS: i64 = 64;

/// Takes up to `limit` jobs that are due for `lease`: publishers in turn, so that nobody's wait grows with what another has
/// queued; of one publisher the oldest first, after those that run. A job whose lease ended is due again.
///
/// In steps that are each computed once, and by the row's place: left to itself the planner compares everything that
/// waits with everything that waits.
pub async fn claim_jobs(
    db: &mut PgConnection,
    me: Uuid,
    limit: i64,
    now: OffsetDateTime,
    lease: Duration,
) -> Result<Vec<Job>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        WITH RECURSIVE busy AS (
          (SELECT publisher FROM certification.jobs WHERE state = 'working' ORDER BY publisher LIMIT 1)
          UNION ALL
          SELECT (SELECT n.publisher FROM certification.jobs n
                  WHERE n.state = 'working' AND n.publisher > busy.publisher ORDER BY n.publisher LIMIT 1)
          FROM busy WHERE busy.publisher IS NOT NULL
        ), turns AS MATERIALIZED (
          SELECT publisher,
                 (SELECT count(*) FROM certification.jobs r
                  WHERE r.state = 'working' AND r.publisher = busy.publisher AND r.due_at > $3
                    AND r.leased_by IS NOT NULL) AS running
          FROM busy WHERE publisher IS NOT NULL
        ), next AS MATERIALIZED (
          SELECT own.id, turns.running + own.place AS turn
          FROM turns CROSS JOIN LATERAL (
            SELECT o.ctid AS id, row_number() OVER (ORDER BY o.due_at) AS place FROM certification.jobs o
            WHERE o.state = 'working' AND o.publisher = turns.publisher AND o.due_at <= $3
            ORDER BY o.due_at LIMIT $2::bigint + $5::bigint) own
        ), due AS MATERIALIZED (
          SELECT w.submission, w.step, w.attempt FROM next JOIN certification.jobs w ON w.ctid = next.id
          WHERE w.state = 'working' AND w.due_at <= $3
          ORDER BY next.turn, w.due_at LIMIT $2 FOR UPDATE OF w SKIP LOCKED
        )
        UPDATE certification.jobs j
        SET due_at = $4, leased_by = $1, tries = j.tries + 1
        FROM due WHERE (j.submission, j.step, j.attempt) = (due.submission, due.step, due.attempt)
        RETURNING j.submission, j.step, j.attempt, j.kind, j.case_id, j.publisher, j.offer, j.offer_uid, j.offer_type,
                  j.transactable, j.notes, j.snapshot, j.digest, j.publication_revision, j.tries, j.traceparent,
                  j.tracestate, j.created_at
        "#,
        me,
        limit,
        now,
        now + lease,
        OTHERS,
    )
    .fetch_all(db)
    .await?;
    let jobs = rows.into_iter().map(|row| {
        let key = OrderKey {
            submission: row.submission,
            step: row.step,
            attempt: row.attempt.unsigned_abs(),
        };
        let order = Order {
            key,
            kind: JobKind::parse(&row.kind).ok_or_else(|| corrupt("jobs.kind"))?,
            publisher: row.publisher,
            offer: row.offer,
            offer_uid: row.offer_uid,
            offer_type: row.offer_type,
            offer_title: String::new(),
            transactable: row.transactable,
            notes: row.notes,
            snapshot: row.snapshot,
            digest: row.digest,
            publication_revision: row.publication_revision.unsigned_abs(),
        };
        Ok(Job {
            order,
            case: row.case_id,
            tries: row.tries,
            leased_by: me,
            trace: Trace {
                parent: row.traceparent,
                state: row.tracestate,
            },
            created_at: row.created_at,
        })
    });
    jobs.collect()
}

/// Renews the leases of this process on these jobs in one statement.
pub async fn renew_jobs(
    db: &mut PgConnection,
    me: Uuid,
    running: &[&OrderKey],
    now: OffsetDateTime,
    lease: Duration,
) -> Result<(), sqlx::Error> {
    let submissions: Vec<&str> = running.iter().map(|key| key.submission.as_str()).collect();
    let steps: Vec<&str> = running.iter().map(|key| key.step.as_str()).collect();
    let attempts: Vec<i32> = running.iter().map(|key| count(key.attempt)).collect();
    sqlx::query!(
        r#"
        UPDATE certification.jobs j SET due_at = $5
        FROM unnest($2::text[], $3::text[], $4::integer[]) k (submission, step, attempt)
        WHERE j.submission = k.submission AND j.step = k.step AND j.attempt = k.attempt
          AND j.leased_by = $1 AND j.state = 'working'
        "#,
        me,
        &submissions as &[&str],
        &steps as &[&str],
        &attempts,
        now + lease,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Locks a job's row and says whether it is still this process's: the lease may have ended and another taken it, or
/// the submission was cancelled.
pub async fn still_mine(db: &mut PgConnection, job: &Job) -> Result<bool, sqlx::Error> {
    let key = &job.order.key;
    let row = sqlx::query_scalar!(
        r#"
        SELECT 1 AS "mine!" FROM certification.jobs
        WHERE submission = $1 AND step = $2 AND attempt = $3 AND state = 'working' AND leased_by = $4 AND tries = $5
        FOR UPDATE
        "#,
        key.submission,
        key.step,
        count(key.attempt),
        job.leased_by,
        job.tries,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.is_some())
}

/// Gives a job back after a failed try; it is due again at `due_at`.
pub async fn fail_job(
    db: &mut PgConnection,
    job: &Job,
    error: &str,
    due_at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let key = &job.order.key;
    sqlx::query!(
        r#"
        UPDATE certification.jobs SET leased_by = NULL, due_at = $6, last_error = $7
        WHERE submission = $1 AND step = $2 AND attempt = $3 AND state = 'working' AND leased_by = $4 AND tries = $5
        "#,
        key.submission,
        key.step,
        count(key.attempt),
        job.leased_by,
        job.tries,
        due_at,
        error,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Stores the answer of an order. Nobody holds it any more.
pub async fn answer_job(
    db: &mut PgConnection,
    key: &OrderKey,
    kind: &str,
    answer: &[u8],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let done = sqlx::query!(
        r#"
        UPDATE certification.jobs SET state = 'done', answer_kind = $4, answer = $5, ended_at = $6, leased_by = NULL
        WHERE submission = $1 AND step = $2 AND attempt = $3 AND state IN ('working', 'waiting')
        "#,
        key.submission,
        key.step,
        count(key.attempt),
        kind,
        answer,
        now,
    )
    .execute(db)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(sqlx::Error::RowNotFound)
    }
}

/// The orders that wait for a case, oldest attempt first.
pub async fn open_jobs(db: &mut PgConnection, case: Uuid) -> Result<Vec<OrderKey>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT submission, step, attempt FROM certification.jobs
        WHERE case_id = $1 AND state IN ('working', 'waiting') ORDER BY attempt FOR UPDATE
        "#,
        case,
    )
    .fetch_all(db)
    .await?;
    let key = |row: (String, String, i32)| OrderKey {
        submission: row.0,
        step: row.1,
        attempt: row.2.unsigned_abs(),
    };
    Ok(rows
        .into_iter()
        .map(|row| key((row.submission, row.step, row.attempt)))
        .collect())
}

/// The checks of a case have run: its orders wait for the reviewer.
pub async fn park_jobs(db: &mut PgConnection, case: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE certification.jobs SET state = 'waiting', leased_by = NULL WHERE case_id = $1 AND state = 'working'", case)
        .execute(db)
        .await?;
    Ok(())
}

/// Notes that a submission was called off at this revision, and takes back its orders that are not answered.
pub async fn withdraw_jobs(
    db: &mut PgConnection,
    submission: &str,
    at_revision: u64,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let at_revision = revision(at_revision);
    sqlx::query!(
        r#"
        INSERT INTO certification.cancellations (submission, publication_revision) VALUES ($1, $2)
        ON CONFLICT (submission) DO UPDATE
        SET publication_revision = greatest(cancellations.publication_revision, excluded.publication_revision)
        "#,
        submission,
        at_revision,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        r#"
        UPDATE certification.jobs SET state = 'withdrawn', ended_at = $3, leased_by = NULL
        WHERE submission = $1 AND publication_revision < $2 AND state IN ('working', 'waiting')
        "#,
        submission,
        at_revision,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}
