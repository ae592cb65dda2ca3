//! The SQL of `dead_letters`.

use bytes::Bytes;
use marketplace_runtime::ids;
use sqlx::{PgConnection, PgPool, Row as _, postgres::PgRow};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Database, inbox::Message};

/// A row, with its message unless only listed.
pub(super) struct Letter {
    pub(super) id: Uuid,
    pub(super) queue: String,
    pub(super) event_id: Uuid,
    pub(super) kind: String,
    pub(super) reason: String,
    pub(super) attempts: i32,
    pub(super) received_at: OffsetDateTime,
    pub(super) state: String,
    pub(super) payload: Vec<u8>,
    traceparent: String,
    tracestate: String,
}

impl Letter {
    fn read(row: &PgRow) -> Result<Letter, sqlx::Error> {
        Ok(Letter {
            id: row.try_get("id")?,
            queue: row.try_get("queue")?,
            event_id: row.try_get("event_id")?,
            kind: row.try_get("type")?,
            reason: row.try_get("reason")?,
            attempts: row.try_get("attempts")?,
            received_at: row.try_get("received_at")?,
            state: row.try_get("state")?,
            payload: row.try_get("payload")?,
            traceparent: row.try_get("traceparent")?,
            tracestate: row.try_get("tracestate")?,
        })
    }

    /// As it is listed, once it is settled.
    pub(super) fn settled(self, state: &str) -> Letter {
        Letter {
            state: state.to_owned(),
            payload: Vec::new(),
            ..self
        }
    }

    /// The message as it was received.
    pub(super) fn message(&self) -> Message {
        let payload = Bytes::from(self.payload.clone());
        let (parent, state) = (self.traceparent.clone(), self.tracestate.clone());
        Message::new(
            Some(self.event_id),
            self.kind.clone(),
            payload,
            parent,
            state,
        )
    }
}

/// Keeps a message. One that is received again adds its tries to the row it has; a settled one waits again.
pub(crate) async fn bury(
    database: &Database,
    queue: &str,
    message: &Message,
    reason: &str,
    attempts: u32,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO dead_letters AS d
             (id, queue, event_id, type, reason, attempts, received_at, payload, traceparent, tracestate)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (event_id) DO UPDATE SET reason = excluded.reason, attempts = d.attempts + excluded.attempts,
             state = 'waiting', settled_at = NULL, settled_by = NULL",
    )
    .bind(ids::new_id())
    .bind(queue)
    .bind(message.event_id)
    .bind(storable(&message.kind))
    .bind(storable(reason))
    .bind(i32::try_from(attempts).unwrap_or(i32::MAX))
    .bind(now)
    .bind(&message.payload[..])
    .bind(storable(&message.traceparent))
    .bind(storable(&message.tracestate))
    .execute(database.pool())
    .await
    .map(drop)
}

/// Text that Postgres takes, of a sensible length: what can't be stored would be tried for ever.
fn storable(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(4_000).collect()
}

/// Where a page goes on: (received_at, id) of the last row before.
pub(super) type After = (OffsetDateTime, Uuid);

pub(super) async fn list(
    db: &PgPool,
    state: &str,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<Letter>, sqlx::Error> {
    let (time, id) = after.unzip();
    let rows = sqlx::query(
        "SELECT id, queue, event_id, type, reason, attempts, received_at, state, ''::bytea AS payload, traceparent,
                tracestate
         FROM dead_letters
         WHERE state = $1 AND ($2::timestamptz IS NULL OR (received_at, id) < ($2, $3))
         ORDER BY received_at DESC, id DESC LIMIT $4",
    )
    .bind(state)
    .bind(time)
    .bind(id)
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.iter().map(Letter::read).collect()
}

pub(super) async fn get(db: &PgPool, id: Uuid) -> Result<Option<Letter>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM dead_letters WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.as_ref().map(Letter::read).transpose()
}

pub(super) async fn lock(db: &mut PgConnection, id: Uuid) -> Result<Option<Letter>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM dead_letters WHERE id = $1 FOR UPDATE")
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.as_ref().map(Letter::read).transpose()
}

/// Notes that it was replayed or discarded, by whom, when and why.
pub(super) async fn settle(
    db: &mut PgConnection,
    id: Uuid,
    state: &str,
    by: &str,
    note: &str,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE dead_letters SET state = $2, settled_by = $3, note = $4, settled_at = $5 WHERE id = $1")
        .bind(id)
        .bind(state)
        .bind(storable(by))
        .bind(storable(note))
        .bind(now)
        .execute(db)
        .await
        .map(drop)
}

/// Notes another failed try.
pub(super) async fn failed_again(db: &PgPool, id: Uuid, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE dead_letters SET reason = $2, attempts = attempts + 1 WHERE id = $1 AND state = 'waiting'")
        .bind(id)
        .bind(storable(reason))
        .execute(db)
        .await
        .map(drop)
}

/// Deletes up to `limit` letters that were replayed or discarded before `before`.
pub(crate) async fn forget(
    db: &PgPool,
    before: OffsetDateTime,
    limit: i64,
) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query(
        "DELETE FROM dead_letters WHERE id IN
             (SELECT id FROM dead_letters WHERE state <> 'waiting' AND settled_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind(before)
    .bind(limit)
    .execute(db)
    .await?;
    Ok(deleted.rows_affected())
}
