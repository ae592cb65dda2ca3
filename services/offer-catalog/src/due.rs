//! Orders that need the content of assets (PB-1): read and hashed outside of any transaction, then compared and served
//! in one.

use std::collections::BTreeMap;

use futures::StreamExt;
use marketplace_messaging::{Database, Work};
use marketplace_runtime::{clock, status::Chain};
use time::Duration;
use tokio_util::sync::CancellationToken;

use crate::blobs::{BlobError, Blobs};
use crate::commands::orders::{self, Hashed};
use crate::domain::order::Order;
use crate::error::{Error, Result};
use crate::store;

/// An order is taken by one replica for this long; taken by two, it is answered by the first.
const LEASE: Duration = Duration::seconds(4);
/// When the storage of blobs or the database is away.
const AGAIN: Duration = Duration::seconds(1);
/// Orders at once.
const AT_ONCE: usize = 8;

/// Carries orders out until told to stop: woken by the commit that brings one, and once a second besides.
pub async fn carry_out(db: Database, blobs: Blobs, stop: CancellationToken) {
    let mut woken = db.wake().on(orders::TOPIC);
    while !stop.is_cancelled() {
        match due(&db).await {
            Ok(due) if due.is_empty() => {
                stop.run_until_cancelled(woken.tick()).await;
            }
            Ok(due) => {
                let each = |order| carry_out_one(&db, &blobs, order);
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

async fn carry_out_one(db: &Database, blobs: &Blobs, order: Order) {
    if let Err(error) = activate(db, blobs, &order).await {
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
pub async fn activate(db: &Database, blobs: &Blobs, order: &Order) -> Result<()> {
    let mut connection = db.acquire().await?;
    let assets = orders::assets_of(&mut connection, order).await?;
    drop(connection);
    let hashed = hash(blobs, assets.unwrap_or_default()).await?;
    let mut work = Work::begin(db).await?;
    orders::activate(&mut work, order, &hashed, clock::now()).await?;
    Ok(work.commit().await?)
}

/// The digest that each content really has. Content that is gone has none, which is a difference too.
async fn hash(blobs: &Blobs, digests: Vec<String>) -> Result<Hashed> {
    let mut hashed = BTreeMap::new();
    for digest in digests {
        match blobs.hash(&digest).await {
            Ok(found) => {
                hashed.insert(digest, found);
            }
            Err(BlobError::Missing(_)) => {}
            Err(away) => return Err(Error::Blobs(away)),
        }
    }
    Ok(hashed)
}
