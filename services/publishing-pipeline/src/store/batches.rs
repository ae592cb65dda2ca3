//! Batches: written with their items in one statement; items taken in turn of their publishers, under a lease.

use marketplace_runtime::access::Scope;
use marketplace_runtime::telemetry::Trace;
use serde::Serialize;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::offerings::json;
use crate::domain::{Actor, Batch, BatchItem, BatchOrder, Failed, ItemState, NewBatch, Turn};
use crate::error::Error;

/// How long it is known what became of one.
const KEPT: Duration = Duration::days(30);

/// Holds back who makes a batch of the same publisher, until the transaction ends; answers how many run.
pub async fn lock_batches(db: &mut PgConnection, publisher: &str) -> Result<i64, Error> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended('batches of ' || $1::text, 0))",
        publisher
    )
    .execute(&mut *db)
    .await?;
    let running = sqlx::query_scalar!(
        r#"SELECT count(*) AS "running!" FROM publishing.batches WHERE publisher = $1 AND state = 'running'"#,
        publisher
    )
    .fetch_one(db)
    .await?;
    Ok(running)
}

/// A row of `batch_items`.
#[derive(Serialize)]
struct Row<'a> {
    item: usize,
    offer: &'a str,
    etag: &'a str,
    notes: &'a str,
    confirm: bool,
    supersede: bool,
}

impl<'a> From<(usize, &'a BatchOrder)> for Row<'a> {
    fn from((item, order): (usize, &'a BatchOrder)) -> Self {
        Self {
            item,
            offer: &order.offer,
            etag: &order.etag,
            notes: &order.notes,
            confirm: order.confirm,
            supersede: order.supersede,
        }
    }
}

/// A new batch with all of its items.
pub async fn insert_batch(
    db: &mut PgConnection,
    batch: &NewBatch,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let rows: Vec<Row<'_>> = batch.orders.iter().enumerate().map(Row::from).collect();
    sqlx::query!(
        "WITH made AS (
           INSERT INTO publishing.batches (id, publisher, made_by, traceparent, tracestate, create_time)
           VALUES ($1, $2, $3, $4, $5, $6)
         )
         INSERT INTO publishing.batch_items (batch, item, offer, etag, notes, confirm, supersede, due_at)
         SELECT $1, n.item, n.offer, n.etag, n.notes, n.confirm, n.supersede, $6
         FROM json_populate_recordset(NULL::publishing.batch_items, $7::text::json) n",
        batch.id,
        batch.publisher,
        Json(&batch.made_by) as _,
        batch.trace.parent,
        batch.trace.state,
        now,
        json(&rows)?
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A batch of the scope's publisher.
pub async fn find_batch(
    db: &mut PgConnection,
    scope: &Scope,
    id: Uuid,
) -> Result<Option<Batch>, Error> {
    let row = sqlx::query!(
        r#"SELECT b.id, b.publisher, b.made_by AS "made_by: Json<Actor>", b.create_time, b.end_time,
                  n.pending AS "pending!", n.submitted AS "submitted!", n.refused AS "refused!"
           FROM publishing.batches b CROSS JOIN LATERAL (
             SELECT count(*) FILTER (WHERE i.state = 'pending') AS pending,
                    count(*) FILTER (WHERE i.state = 'submitted') AS submitted,
                    count(*) FILTER (WHERE i.state = 'refused') AS refused
             FROM publishing.batch_items i WHERE i.batch = b.id) n
           WHERE b.id = $1 AND b.publisher = $2"#,
        id,
        scope.publisher()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Batch {
        id: row.id,
        publisher: row.publisher,
        made_by: row.made_by.0,
        create_time: row.create_time,
        end_time: row.end_time,
        pending: row.pending,
        submitted: row.submitted,
        refused: row.refused,
    }))
}

/// Items of a batch after `after`, in order.
pub async fn batch_items(
    db: &mut PgConnection,
    batch: Uuid,
    after: Option<i32>,
    limit: i64,
) -> Result<Vec<BatchItem>, Error> {
    let rows = sqlx::query!(
        "SELECT item, offer, submission, refusal FROM publishing.batch_items
         WHERE batch = $1 AND item > $2 ORDER BY item LIMIT $3",
        batch,
        after.unwrap_or(-1),
        limit
    )
    .fetch_all(db)
    .await?;
    let items = rows.into_iter().map(|row| BatchItem {
        item: row.item,
        offer: row.offer,
        state: match (row.submission, row.refusal) {
            (Some(submission), _) => ItemState::Submitted(submission),
            (None, Some(refusal)) => ItemState::Refused(refusal),
            (None, None) => ItemState::Pending,
        },
    });
    Ok(items.collect())
}

/// Notes which items are through what is automatic: previewed, failed, or in front of a person. Ends batches of which
/// nothing is pending. Answers whether any runs.
pub async fn settle_batches(db: &PgPool, now: OffsetDateTime) -> Result<bool, Error> {
    let running = sqlx::query_scalar!(
        r#"WITH through AS (
             UPDATE publishing.batch_items i SET underway = false FROM publishing.submissions s
             WHERE i.underway AND s.id = i.submission
               AND (s.state NOT IN ('queued', 'preview_leg')
                    OR EXISTS (SELECT FROM json_array_elements(s.steps) step
                               WHERE step ->> 'state' IN ('waiting_for_approval', 'blocked')))
           ), done AS (
             UPDATE publishing.batches b SET state = 'done', end_time = $1
             WHERE b.state = 'running'
               AND NOT EXISTS (SELECT FROM publishing.batch_items i WHERE i.batch = b.id AND i.state = 'pending')
           )
           SELECT EXISTS (SELECT FROM publishing.batches WHERE state = 'running') AS "running!""#,
        now
    )
    .fetch_one(db)
    .await?;
    Ok(running)
}

/// Takes up to `limit` items whose turn it is, until `until`: of each publisher at most so many that `share` are under way,
/// first of those who have the fewest. One process at a time looks, so that two don't count the same as free.
pub async fn take_turns(
    db: &mut PgConnection,
    now: OffsetDateTime,
    until: OffsetDateTime,
    share: i64,
    limit: i64,
) -> Result<Vec<Turn>, Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('turns of batches', 0))")
        .execute(&mut *db)
        .await?;
    let rows = sqlx::query!(
        r#"WITH busy AS (
             SELECT b.publisher, count(*) AS items
             FROM publishing.batch_items i JOIN publishing.batches b ON b.id = i.batch
             WHERE i.underway AND NOT (i.state = 'pending' AND i.due_at <= $1) GROUP BY b.publisher
           ), turn AS (
             SELECT n.batch, n.item
             FROM (SELECT DISTINCT publisher FROM publishing.batches WHERE state = 'running') p
             LEFT JOIN busy USING (publisher)
             CROSS JOIN LATERAL (
               SELECT i.batch, i.item, row_number() OVER (ORDER BY i.batch, i.item) AS place
               FROM publishing.batches b JOIN publishing.batch_items i ON i.batch = b.id
               WHERE b.publisher = p.publisher AND b.state = 'running' AND i.state = 'pending' AND i.due_at <= $1
               ORDER BY i.batch, i.item LIMIT greatest($3 - coalesce(busy.items, 0), 0)) n
             ORDER BY coalesce(busy.items, 0) + n.place, n.batch LIMIT $4
           )
           UPDATE publishing.batch_items i SET underway = true, attempts = i.attempts + 1, due_at = $2
           FROM turn JOIN publishing.batches b ON b.id = turn.batch
           WHERE i.batch = turn.batch AND i.item = turn.item
           RETURNING i.batch, i.item, i.attempts, i.offer, i.etag, i.notes, i.confirm, i.supersede,
                     i.failing_since, i.broken, b.publisher, b.made_by AS "made_by: Json<Actor>", b.traceparent,
                     b.tracestate"#,
        now,
        until,
        share,
        limit
    )
    .fetch_all(db)
    .await?;
    let turns = rows.into_iter().map(|row| Turn {
        batch: row.batch,
        item: row.item,
        attempts: row.attempts,
        publisher: row.publisher,
        made_by: row.made_by.0,
        trace: Trace {
            parent: row.traceparent,
            state: row.tracestate,
        },
        failing_since: row.failing_since,
        broken: row.broken,
        order: BatchOrder {
            offer: row.offer,
            etag: row.etag,
            notes: row.notes,
            confirm: row.confirm,
            supersede: row.supersede,
        },
    });
    Ok(turns.collect())
}

/// It was submitted, by whichever try.
pub async fn item_submitted(
    db: &mut PgConnection,
    turn: &Turn,
    submission: Uuid,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE publishing.batch_items SET state = 'submitted', submission = $3
         WHERE batch = $1 AND item = $2 AND state = 'pending'",
        turn.batch,
        turn.item,
        submission
    )
    .execute(db)
    .await?;
    Ok(())
}

/// It was refused. A try whose lease has ended has nothing to say.
pub async fn item_refused(db: &mut PgConnection, turn: &Turn, refusal: &[u8]) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE publishing.batch_items SET state = 'refused', refusal = $4, underway = false
         WHERE batch = $1 AND item = $2 AND attempts = $3 AND state = 'pending'",
        turn.batch,
        turn.item,
        turn.attempts,
        refusal
    )
    .execute(db)
    .await?;
    Ok(())
}

/// It failed so, and is tried again then.
pub async fn item_delayed(
    db: &mut PgConnection,
    turn: &Turn,
    failed: Failed,
    now: OffsetDateTime,
    again: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE publishing.batch_items
         SET due_at = $4, underway = false, failing_since = coalesce(failing_since, $5), broken = broken + $6
         WHERE batch = $1 AND item = $2 AND attempts = $3 AND state = 'pending'",
        turn.batch,
        turn.item,
        turn.attempts,
        again,
        now,
        i32::from(failed == Failed::Broken)
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes batches that ended long before `now`, and counts of days that are over.
pub async fn forget_batches(db: &PgPool, now: OffsetDateTime) -> Result<(), Error> {
    loop {
        let deleted = sqlx::query!(
            "DELETE FROM publishing.batches WHERE id IN (
               SELECT id FROM publishing.batches WHERE state = 'done' AND end_time < $1 ORDER BY end_time LIMIT 100)",
            now - KEPT
        )
        .execute(db)
        .await?;
        if deleted.rows_affected() == 0 {
            break;
        }
    }
    sqlx::query!(
        "DELETE FROM publishing.submitted WHERE day < $1",
        (now - Duration::days(1)).date()
    )
    .execute(db)
    .await?;
    Ok(())
}
