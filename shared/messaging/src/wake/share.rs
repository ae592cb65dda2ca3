//! Carries wake-ups between replicas: NOTIFY from one task on its own connection, and LISTEN on another.

use std::time::Duration;

use marketplace_runtime::ids;
use sqlx::{Connection as _, PgConnection, postgres::PgListener};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{TICK, Wake};
use crate::{Database, pause::Pause};

/// At most one NOTIFY in this time.
const GAP: Duration = Duration::from_millis(5);
/// Postgres takes 8,000 bytes; whoever gets "everything" looks at everything.
const LONGEST: usize = 7_000;
const EVERYTHING: &str = "*";

/// Shares wake-ups with the other replicas of the service, until stopped. A lost connection is made anew.
pub async fn share(database: Database, stop: CancellationToken) {
    let replica = ids::new_id();
    tokio::select! {
        () = hear(&database, replica) => {}
        () = speak(&database, replica) => {}
        () = stop.cancelled() => {}
    }
}

/// Listens to the others, for ever.
async fn hear(database: &Database, replica: Uuid) {
    let mut pause = Pause::new("wake-up listener");
    loop {
        let Err(error) = listen(database, replica, &mut pause).await;
        // What was notified meanwhile is gone: everybody looks for themselves.
        database.wake().all_here();
        pause.after(&error).await;
    }
}

async fn listen(
    database: &Database,
    replica: Uuid,
    pause: &mut Pause,
) -> Result<std::convert::Infallible, sqlx::Error> {
    let pool = database.with_own_pool(1);
    let mut listener = PgListener::connect_with(pool.pool()).await?;
    listener.eager_reconnect(false);
    let channel: String = sqlx::query_scalar("SELECT current_schema()::text")
        .fetch_one(&mut listener)
        .await?;
    listener.listen(&channel).await?;
    database.wake().all_here();
    pause.reset();
    loop {
        let Some(notification) = listener.try_recv().await? else {
            return Err(sqlx::Error::Protocol(
                "the listening connection was lost".into(),
            ));
        };
        heard(database.wake(), notification.payload(), replica);
    }
}

fn heard(wake: &Wake, payload: &str, replica: Uuid) {
    let Some((from, topics)) = payload.split_once(' ') else {
        return;
    };
    if from == replica.to_string() {
        return;
    }
    for topic in topics.split(' ') {
        match topic {
            EVERYTHING => wake.all_here(),
            topic => wake.here(topic),
        }
    }
}

/// Tells the others, for ever.
async fn speak(database: &Database, replica: Uuid) {
    let mut pause = Pause::new("wake-up sender");
    loop {
        let Err(error) = send(database, replica, &mut pause).await;
        pause.after(&error).await;
    }
}

async fn send(
    database: &Database,
    replica: Uuid,
    pause: &mut Pause,
) -> Result<std::convert::Infallible, sqlx::Error> {
    let mut db = PgConnection::connect_with(&database.options()).await?;
    let (mut others, mut seen) = (present(&mut db, replica).await?, Instant::now());
    pause.reset();
    loop {
        tokio::select! {
            () = database.wake().something_to_share() => {
                let topics = database.wake().take_unshared();
                if others {
                    notify(&mut db, replica, topics.iter().map(AsRef::as_ref)).await?;
                }
                tokio::time::sleep(GAP).await;
            }
            () = tokio::time::sleep_until(seen + TICK) => {}
        }
        if seen.elapsed() >= TICK {
            (others, seen) = (present(&mut db, replica).await?, Instant::now());
        }
    }
}

/// Says that this replica runs; answers whether others do.
async fn present(db: &mut PgConnection, replica: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "WITH gone AS (DELETE FROM replicas WHERE seen_at < now() - interval '1 minute' AND replica <> $1),
              me AS (INSERT INTO replicas (replica, seen_at) VALUES ($1, now())
                     ON CONFLICT (replica) DO UPDATE SET seen_at = excluded.seen_at)
         SELECT EXISTS (SELECT FROM replicas WHERE replica <> $1 AND seen_at > now() - interval '5 seconds')",
    )
    .bind(replica)
    .fetch_one(db)
    .await
}

async fn notify(
    db: &mut PgConnection,
    replica: Uuid,
    topics: impl Iterator<Item = &str>,
) -> Result<(), sqlx::Error> {
    let mut payload = replica.to_string();
    for topic in topics {
        payload.push(' ');
        payload.push_str(topic);
    }
    if payload.len() > LONGEST {
        payload = format!("{replica} {EVERYTHING}");
    }
    sqlx::query("SELECT pg_notify(current_schema()::text, $1)")
        .bind(payload)
        .execute(db)
        .await
        .map(drop)
}
