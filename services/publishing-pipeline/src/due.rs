//! The third door: what is due now, and the lease that says that this process is there to do its steps.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use marketplace_messaging::{Database, Work};
use marketplace_runtime::clock;
use marketplace_runtime::status::Chain;
use tokio_util::sync::CancellationToken;

use crate::commands;
use crate::error::Error;
use crate::neighbours::Catalog;
use crate::steps::Steps;
use crate::store::{self, Due};
use crate::wire::Medians;

/// The most offers that one round looks at.
const BATCH: i64 = 64;
/// How often medians are counted anew, and old transitions deleted.
const MEDIANS: Duration = Duration::from_secs(60);
const RETENTION: Duration = Duration::from_secs(3_600);
/// How long the transitions of a submission that has ended can be watched again.
const KEPT: time::Duration = time::Duration::days(90);

/// Sweeps when woken, and once a second.
pub async fn sweep(database: Database, steps: Steps, catalog: Catalog) {
    let database = database.with_own_pool(2);
    let mut woken = database.wake().on(commands::DUE);
    loop {
        let more = match round(&database, &steps, &catalog).await {
            Ok(found) => found == usize::try_from(BATCH).unwrap_or(usize::MAX),
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "the sweep failed; is tried again");
                false
            }
        };
        if !more {
            woken.tick().await;
        }
    }
}

/// One look; answers how many offers were due.
async fn round(database: &Database, steps: &Steps, catalog: &Catalog) -> Result<usize, Error> {
    let due = store::due(database.pool(), clock::now(), BATCH).await?;
    if due.is_empty() {
        return Ok(0);
    }
    if let Err(error) = swept(database, steps, &due).await {
        tracing::debug!(error = %Chain(&error), offers = due.len(), "a sweep is done offer by offer");
        for one in &due {
            if let Err(error) = swept(database, steps, std::slice::from_ref(one)).await {
                tracing::warn!(error = %Chain(&error), offer.id = %one.offer_uid, "an offer can't be swept");
            }
        }
    }
    for one in due.iter().filter(|one| one.scheduled) {
        go_live(database, steps, catalog, one).await?;
    }
    Ok(due.len())
}

async fn swept(database: &Database, steps: &Steps, due: &[Due]) -> Result<(), Error> {
    let mut work = Work::begin(database).await?;
    commands::sweep(&mut work, steps, due, clock::now()).await?;
    Ok(work.commit().await?)
}

/// T40: asks for the scheduler's permission before the transaction.
async fn go_live(
    database: &Database,
    steps: &Steps,
    catalog: &Catalog,
    due: &Due,
) -> Result<(), Error> {
    let mut db = database.pool().acquire().await?;
    let Some((publisher, schedule)) = store::schedule_of(&mut db, due.offer_uid).await? else {
        return Ok(());
    };
    drop(db);
    let permitted = match catalog.may_publish(&publisher, &schedule.by).await {
        Ok(permitted) => Some(permitted),
        Err(error) => {
            tracing::warn!(%error, offer.id = %due.offer_uid, "a scheduled go live waits: its guard can't be checked");
            None
        }
    };
    let mut work = Work::begin(database).await?;
    commands::scheduled(&mut work, steps, due.offer_uid, permitted, clock::now()).await?;
    Ok(work.commit().await?)
}

/// Renews this process' lease three times within its length; gives it up when told to stop and its steps have ended.
pub async fn keep_lease(database: Database, steps: Steps, stop: CancellationToken) {
    let database = database.with_own_pool(1);
    let lease = steps.tempo().lease;
    let every = Duration::try_from(lease / 3).unwrap_or(Duration::from_secs(1));
    while !stop.is_cancelled() {
        if let Err(error) = store::keep_lease(database.pool(), steps.id(), lease).await {
            tracing::warn!(error = %Chain(&error), "the lease on our steps is not renewed");
        }
        stop.run_until_cancelled(tokio::time::sleep(every)).await;
    }
    if let Err(error) = store::leave(database.pool(), steps.id()).await {
        tracing::warn!(error = %Chain(&error), "the lease on our steps ends by itself");
    }
}

/// Medians of how long steps take, counted once a minute; and the retention of transitions.
pub async fn housekeeping(database: Database, medians: SharedMedians) {
    let mut last_swept: Option<tokio::time::Instant> = None;
    loop {
        if let Err(error) = count(&database, &medians).await {
            tracing::debug!(error = %Chain(&error), "medians can't be counted now");
        }
        if last_swept.is_none_or(|at| at.elapsed() >= RETENTION) {
            match store::forget_transitions(database.pool(), clock::now() - KEPT).await {
                Ok(()) => last_swept = Some(tokio::time::Instant::now()),
                Err(error) => {
                    tracing::warn!(error = %Chain(&error), "old transitions stay for now")
                }
            }
        }
        tokio::time::sleep(MEDIANS).await;
    }
}

async fn count(database: &Database, medians: &SharedMedians) -> Result<(), Error> {
    let mut db = database.pool().acquire().await?;
    medians.set(store::medians(&mut db).await?.into_iter().collect());
    Ok(())
}

/// The medians as every answer shows them. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct SharedMedians(Arc<RwLock<Arc<Medians>>>);

impl SharedMedians {
    pub fn get(&self) -> Arc<Medians> {
        self.0
            .read()
            .map_or_else(|_| Arc::default(), |medians| Arc::clone(&medians))
    }

    fn set(&self, medians: HashMap<String, f64>) {
        if let Ok(mut shared) = self.0.write() {
            *shared = Arc::new(medians);
        }
    }
}
