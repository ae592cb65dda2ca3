//! Housekeeping: partitions of published events, ages of inbox, request and dead letter rows, and the gauges.

use std::time::Duration as Wait;

use marketplace_runtime::clock;
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;

use crate::{Database, dead_letters, inbox, metrics, requests};

/// Days that published events are kept for ReplayEvents.
pub const PUBLISHED_DAYS: i32 = 30;
/// Seven days longer than any event can be sent again.
pub const INBOX: Duration = Duration::days(37);
/// Requests are remembered for seven days at least.
pub const REQUESTS: Duration = Duration::days(8);
/// Replayed and discarded dead letters. Those that wait are kept until an operator decides: their number is a metric.
pub const SETTLED_DEAD_LETTERS: Duration = Duration::days(90);

const CHUNK: i64 = 5_000;
const SWEEP: Wait = Wait::from_secs(3_600);
const LOOK: Wait = Wait::from_secs(10);

/// Sweeps once an hour, and looks at the backlog every ten seconds, until stopped.
pub async fn sweep(database: Database, stop: CancellationToken) {
    let database = database.with_own_pool(1);
    let mut due = tokio::time::Instant::now();
    while !stop.is_cancelled() {
        let work = async {
            if let Err(error) = look(&database).await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the backlog can't be measured now"
                );
            }
            if due <= tokio::time::Instant::now() {
                match sweep_once(database.pool(), clock::now()).await {
                    Ok(()) => due = tokio::time::Instant::now() + SWEEP,
                    Err(error) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "the sweep failed; is tried again"
                        );
                        due = tokio::time::Instant::now() + Wait::from_secs(60);
                    }
                }
            }
            tokio::time::sleep(LOOK).await;
        };
        tokio::select! {
            () = work => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Makes and drops partitions, and deletes what is past its age, in chunks that hold no lock for long.
pub async fn sweep_once(db: &PgPool, now: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT rotate_published($1)")
        .bind(PUBLISHED_DAYS)
        .execute(db)
        .await?;
    while inbox::forget(db, now - INBOX, CHUNK).await? > 0 {}
    while requests::forget(db, now - REQUESTS, CHUNK).await? > 0 {}
    while dead_letters::forget(db, now - SETTLED_DEAD_LETTERS, CHUNK).await? > 0 {}
    Ok(())
}

async fn look(database: &Database) -> Result<(), sqlx::Error> {
    let (backlog, age, dead): (i64, f64, i64) = sqlx::query_as(
        "SELECT count(*), coalesce(extract(epoch FROM now() - min(told_at)), 0)::float8,
                (SELECT count(*) FROM dead_letters WHERE state = 'waiting')
         FROM outbox",
    )
    .fetch_one(database.pool())
    .await?;
    metrics::get().standing(
        database.service(),
        backlog.cast_unsigned(),
        age,
        dead.cast_unsigned(),
    );
    Ok(())
}
