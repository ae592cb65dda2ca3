//! Orders that need the content of assets (PB-1): read and hashed outside of any transaction, then compared and served
//! in one. Uploads that nobody has ended in their time, and what dry runs looked at. And content that nothing names: it is
//! looked for once an hour, and deleted.

use std::convert::Infallible;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use marketplace_messaging::{Database, Work};
use marketplace_runtime::{clock, status::Chain};
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;

use crate::commands::orders;
use crate::contents::{Contents, TURN};
use crate::domain::order::{Order, OrderKey};
use crate::error::Result;
use crate::store;

/// An order is taken by one replica for this long, again and again while it is at it; taken by two, it is answered by the
/// first.
const LEASE: Duration = Duration::seconds(4);
/// How often it says that it is at it.
const RENEW: std::time::Duration = std::time::Duration::from_secs(1);
/// When the storage of blobs or the database is away.
const AGAIN: Duration = Duration::seconds(1);
/// Orders at once.
const AT_ONCE: usize = 8;
/// How often it is asked whether orphans are to be looked for, and which uploads have expired.
const LOOK: std::time::Duration = std::time::Duration::from_secs(60);
/// Uploads, or snapshots of dry runs, that a statement drops.
const EXPIRED: i64 = 100;

/// Carries orders out until told to stop, and what it has begun to its end: woken by the commit that brings one, and once
/// a second besides. A large package keeps none that came later waiting.
pub async fn carry_out(db: Database, contents: Contents, stop: CancellationToken) {
    let mut woken = db.wake().on(orders::TOPIC);
    let mut running = FuturesUnordered::new();
    while !stop.is_cancelled() {
        let room = AT_ONCE - running.len();
        if room > 0 {
            match due(&db, room).await {
                Ok(due) => running.extend(
                    due.into_iter()
                        .map(|order| carry_out_one(&db, &contents, order)),
                ),
                Err(error) => tracing::warn!(error = %Chain(&error), "orders can't be read"),
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Some(()) = running.next() => {}
            () = woken.tick(), if running.len() < AT_ONCE => {}
        }
    }
    running.collect::<()>().await;
}

async fn due(db: &Database, most: usize) -> Result<Vec<Order>> {
    let mut connection = db.acquire().await?;
    store::orders::claim(&mut connection, clock::now(), LEASE, most as i64).await
}

async fn carry_out_one(db: &Database, contents: &Contents, order: Order) {
    let done = tokio::select! {
        done = activate(db, contents, &order) => done,
        never = keep(db, &order.key) => match never {},
    };
    let Err(error) = done else { return };
    tracing::warn!(error = %Chain(&error), step = order.key.step, "an order is tried again");
    lease(db, &order.key, AGAIN).await;
}

async fn keep(db: &Database, order: &OrderKey) -> Infallible {
    loop {
        tokio::time::sleep(RENEW).await;
        lease(db, order, LEASE).await;
    }
}

async fn lease(db: &Database, order: &OrderKey, time: Duration) {
    let noted = async {
        let mut connection = db.acquire().await?;
        store::orders::lease(&mut connection, order, clock::now() + time).await
    };
    if let Err(error) = noted.await {
        // It ends by itself.
        tracing::warn!(error = %Chain(&error), "the lease of an order can't be changed");
    }
}

/// Hashes what is about to be served, then serves it.
pub async fn activate(db: &Database, contents: &Contents, order: &Order) -> Result<()> {
    let mut connection = db.acquire().await?;
    let assets = orders::assets_of(&mut connection, order).await?;
    drop(connection);
    let hashed = contents.hash(&assets.unwrap_or_default()).await?;
    let mut work = Work::begin(db).await?;
    orders::activate(&mut work, order, &hashed, clock::now()).await?;
    Ok(work.commit().await?)
}

/// Drops uploads and snapshots that have expired, and deletes content that nothing names any more, until told to stop: in turns that are
/// short and one replica's at a time.
pub async fn collect(db: Database, contents: Contents, stop: CancellationToken) {
    let db = db.with_own_pool(1);
    let contents = contents.over(db.clone());
    // What a turn leaves when it is cut, the next round takes.
    stop.run_until_cancelled(async {
        // The storage may have been away when the service started: another one, found now, must keep what it has.
        while let Err(error) = contents.check().await {
            tracing::error!(error = %Chain(&error), "the storage of assets can't be used");
            tokio::time::sleep(LOOK).await;
        }
        loop {
            if let Err(error) = expire(&db, clock::now()).await {
                tracing::warn!(error = %Chain(&error), "uploads and snapshots that have expired can't be dropped now");
            }
            match collect_some(&contents, TURN, clock::now()).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(error = %Chain(&error), "content that nothing names can't be deleted now");
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    })
    .await;
}

/// Drops uploads and snapshots of dry runs whose time is over: from now on nothing names their contents.
pub async fn expire(db: &Database, now: OffsetDateTime) -> Result<()> {
    loop {
        let mut connection = db.acquire().await?;
        let uploads = store::uploads::expire(&mut connection, now, EXPIRED).await?;
        if uploads + store::snapshots::expire(&mut connection, now, EXPIRED).await? == 0 {
            return Ok(());
        }
    }
}

/// A turn over so many rows; answers whether there are more now.
pub async fn collect_some(contents: &Contents, rows: i64, now: OffsetDateTime) -> Result<bool> {
    let Some(turn) = contents.condemn(now, rows).await? else {
        return Ok(false);
    };
    contents.remove(&turn, now).await?;
    Ok(turn.more)
}
