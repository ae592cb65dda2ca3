//! Orders that need the content of assets (PB-1): read and hashed outside of any transaction, then compared and served
//! in one. And content that nothing names: it is looked for once an hour, and deleted.

use futures::StreamExt;
use marketplace_messaging::{Database, Work};
use marketplace_runtime::{clock, status::Chain};
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;

use crate::commands::orders;
use crate::contents::{Contents, TURN};
use crate::domain::order::Order;
use crate::error::Result;
use crate::store;

/// An order is taken by one replica for this long; taken by two, it is answered by the first.
const LEASE: Duration = Duration::seconds(4);
/// When the storage of blobs or the database is away.
const AGAIN: Duration = Duration::seconds(1);
/// Orders at once.
const AT_ONCE: usize = 8;
/// How often it is asked whether orphans are to be looked for.
const LOOK: std::time::Duration = std::time::Duration::from_secs(60);

/// Carries orders out until told to stop: woken by the commit that brings one, and once a second besides.
pub async fn carry_out(db: Database, contents: Contents, stop: CancellationToken) {
    let mut woken = db.wake().on(orders::TOPIC);
    while !stop.is_cancelled() {
        match due(&db).await {
            Ok(due) if due.is_empty() => {
                stop.run_until_cancelled(woken.tick()).await;
            }
            Ok(due) => {
                let each = |order| carry_out_one(&db, &contents, order);
                futures::stream::iter(due)
                    .for_each_concurrent(AT_ONCE, each)
                    .await;
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "orders can't be read");
                stop.run_until_cancelled(woken.tick()).await;
            }
        }
    }
}

async fn due(db: &Database) -> Result<Vec<Order>> {
    let mut connection = db.acquire().await?;
    store::orders::claim(&mut connection, clock::now(), LEASE, AT_ONCE as i64 * 4).await
}

async fn carry_out_one(db: &Database, contents: &Contents, order: Order) {
    if let Err(error) = activate(db, contents, &order).await {
        tracing::warn!(error = %Chain(&error), step = order.key.step, "an order is tried again");
        let again = async {
            let mut connection = db.acquire().await?;
            store::orders::release(&mut connection, &order.key, clock::now() + AGAIN).await
        };
        if let Err(error) = again.await {
            // Its lease ends by itself.
            tracing::warn!(error = %Chain(&error), "an order can't be given back");
        }
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

/// Deletes content that nothing names any more until told to stop, in turns that are short and one replica's at a time.
pub async fn collect(contents: Contents, stop: CancellationToken) {
    let contents = contents.with_own_pool(1);
    while !stop.is_cancelled() {
        match collect_some(&contents, TURN, clock::now()).await {
            Ok(true) => {}
            Ok(false) => {
                stop.run_until_cancelled(tokio::time::sleep(LOOK)).await;
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "content that nothing names can't be deleted now");
                stop.run_until_cancelled(tokio::time::sleep(LOOK)).await;
            }
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
