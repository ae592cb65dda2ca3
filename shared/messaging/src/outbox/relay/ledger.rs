//! The relay's statement: one round trip marks, renews the lease and reads.

use std::time::Duration;

use marketplace_runtime::ids;
use sqlx::{Connection as _, PgConnection, Row as _, postgres::PgRow};
use uuid::Uuid;

use super::{
    Row,
    floor::{Floor, Seen},
};
use crate::{Database, Error, wake::TICK};

/// Another replica leads: its lease is asked for again after that, at the earliest.
const SHORTEST_WAIT: Duration = Duration::from_millis(20);

/// The relay's own connection and its claim to be the only one.
///
/// The connection commits asynchronously: a mark that a crash of Postgres takes back sends its events again, which the
/// inboxes recognise.
pub(super) struct Ledger {
    db: PgConnection,
    holder: Uuid,
    floor: Floor,
}

/// What a turn answers.
pub(super) struct Page {
    /// This relay has the lease.
    pub(super) leading: bool,
    /// If not: when to ask again.
    pub(super) wait: Duration,
    pub(super) rows: Vec<Row>,
}

/// `gone` and `next` see the same snapshot, so `next` leaves out what `gone` deletes. Rows are marked with or without
/// the lease: the broker has them. The lease is written only when a third of it is over, so that a turn that marks
/// nothing writes nothing.
const TURN: &str = "
    WITH lease AS (
        UPDATE relay_lease SET holder = $1, held_until = clock_timestamp() + interval '3 seconds'
        WHERE single AND (held_until < clock_timestamp()
                          OR holder = $1 AND held_until < clock_timestamp() + interval '2 seconds')
        RETURNING true AS mine
    ), gone AS (
        DELETE FROM outbox WHERE position = ANY($2)
        RETURNING position, event_id, stream, revision, epoch, occurred_at, key, cc, head, body, traceparent, tracestate
    ), kept AS (
        INSERT INTO published (position, event_id, stream, revision, epoch, occurred_at, key, cc, head, body, traceparent,
                               tracestate)
        SELECT * FROM gone ORDER BY position
    )
    SELECT now.mine, now.left, pg_snapshot_xmin(pg_current_snapshot())::text AS xmin,
           CASE WHEN $6 THEN pg_current_xact_id()::text END AS mark, next.*
    FROM (
        SELECT lease.mine IS TRUE OR old.holder = $1 AND old.held_until > clock_timestamp() AS mine,
               greatest(extract(epoch FROM old.held_until) - extract(epoch FROM clock_timestamp()), 0)::float8 AS left
        FROM relay_lease old LEFT JOIN lease ON true WHERE old.single
    ) now LEFT JOIN LATERAL (
        SELECT position, event_id, stream, revision, epoch, occurred_at, key, cc, head, body, traceparent, tracestate
        FROM outbox WHERE position > $4 AND position <> ALL($2) AND stream <> ALL($3) ORDER BY position LIMIT $5
    ) next ON now.mine IS TRUE ORDER BY next.position";

impl Ledger {
    pub(super) async fn open(database: &Database) -> Result<Ledger, sqlx::Error> {
        let options = database.options().options([("synchronous_commit", "off")]);
        let db = PgConnection::connect_with(&options).await?;
        Ok(Ledger {
            db,
            holder: ids::new_id(),
            floor: Floor::default(),
        })
    }

    /// Marks `done` as published, takes or renews the lease, and reads up to `room` events of streams that aren't
    /// `busy`. `outstanding` is the lowest position that was read and isn't among the `done`.
    pub(super) async fn turn(
        &mut self,
        done: &[i64],
        busy: &[String],
        outstanding: Option<i64>,
        room: usize,
    ) -> Result<Page, Error> {
        let rows = sqlx::query(TURN)
            .bind(self.holder)
            .bind(done)
            .bind(busy)
            .bind(self.floor.position())
            .bind(i64::try_from(room).unwrap_or(i64::MAX))
            .bind(self.floor.wants_mark())
            .fetch_all(&mut self.db)
            .await?;
        let mut page = Page {
            leading: false,
            wait: TICK,
            rows: Vec::with_capacity(rows.len()),
        };
        for row in &rows {
            if row.try_get::<Option<i64>, _>("position")?.is_some() {
                page.rows.push(Row::read(row)?);
            }
        }
        let Some(first) = rows.first() else {
            return Ok(page);
        };
        page.leading = first.try_get::<Option<bool>, _>("mine")?.unwrap_or(false);
        page.wait = Duration::from_secs_f64(first.try_get("left")?).clamp(SHORTEST_WAIT, TICK);
        if page.leading {
            self.floor
                .raise(&seen(first, &page.rows, outstanding, room)?);
        } else {
            self.floor = Floor::default();
        }
        Ok(page)
    }

    /// Gives the lease up.
    pub(super) async fn release(mut self) {
        let released =
            sqlx::query("UPDATE relay_lease SET held_until = '-infinity' WHERE holder = $1")
                .bind(self.holder)
                .execute(&mut self.db)
                .await;
        if let Err(error) = released {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the lease ends by itself"
            );
        }
    }
}

fn seen(
    first: &PgRow,
    rows: &[Row],
    outstanding: Option<i64>,
    room: usize,
) -> Result<Seen, sqlx::Error> {
    // Text, since a transaction id is unsigned; what can't be read raises no floor.
    let xmin = first.try_get::<&str, _>("xmin")?.parse().unwrap_or(0);
    let mark = first
        .try_get::<Option<&str>, _>("mark")?
        .and_then(|mark| mark.parse().ok());
    let unpublished = rows
        .first()
        .map(|row| row.position)
        .into_iter()
        .chain(outstanding)
        .min();
    let highest = rows.last().map(|row| row.position);
    Ok(Seen {
        xmin,
        mark,
        highest,
        unpublished,
        full: rows.len() >= room,
    })
}
