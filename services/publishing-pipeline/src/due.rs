//! The third door: what is due now, and the lease that says that this process is there to do its steps.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use marketplace_messaging::{Database, Work};
use marketplace_runtime::clock;
use marketplace_runtime::status::Chain;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::commands;
use crate::error::Error;
use crate::neighbours::Catalog;
use crate::steps::Steps;
use crate::store::{self, Due, Held};
use crate::wire::Medians;

/// The most offers that one round looks at.
const BATCH: i64 = 64;
/// How long an offer that can't be swept is left alone, so that it doesn't keep the others from their turn.
const AGAIN: Duration = Duration::from_secs(5);
/// How often what this process holds is compared with what it has.
const LOOK: Duration = Duration::from_secs(1);
/// How often medians are counted anew, and old transitions deleted.
const MEDIANS: Duration = Duration::from_secs(60);
const RETENTION: Duration = Duration::from_secs(3_600);
/// How long the transitions of a submission that has ended can be watched again.
const KEPT: time::Duration = time::Duration::days(90);
/// How long a dry run can be read after its end.
const DRY_RUNS_KEPT: time::Duration = time::Duration::days(30);

/// Sweeps when woken, and once a second.
pub async fn sweep(database: Database, steps: Steps, catalog: Catalog) {
    let database = database.with_own_pool(2);
    let mut woken = database.wake().on(commands::DUE);
    let mut failed = Failed::new();
    loop {
        failed.retain(|_, since| since.elapsed() < AGAIN);
        let more = match round(&database, &steps, &catalog, &mut failed).await {
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

/// Offers that could not be swept, and since when.
type Failed = HashMap<Uuid, Instant>;

/// One look; answers how many offers were due.
async fn round(
    database: &Database,
    steps: &Steps,
    catalog: &Catalog,
    failed: &mut Failed,
) -> Result<usize, Error> {
    let besides: Vec<Uuid> = failed.keys().copied().collect();
    let due = store::due(database.pool(), clock::now(), BATCH, &besides).await?;
    if due.is_empty() {
        return Ok(0);
    }
    if let Err(error) = swept(database, steps, &due).await {
        tracing::debug!(error = %Chain(&error), offers = due.len(), "a sweep is done offer by offer");
        for one in &due {
            if let Err(error) = swept(database, steps, std::slice::from_ref(one)).await {
                tracing::warn!(error = %Chain(&error), offer.id = %one.offer_uid, "an offer can't be swept");
                failed.insert(one.offer_uid, Instant::now());
            }
        }
    }
    for one in due.iter().filter(|one| one.scheduled) {
        if let Err(error) = go_live(database, steps, catalog, one).await {
            tracing::warn!(error = %Chain(&error), offer.id = %one.offer_uid, "a scheduled go live fails; is tried again");
            failed.insert(one.offer_uid, Instant::now());
        }
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

/// Hands on what this process holds by its rows and has nothing of in memory. The second look in a row decides: at the
/// first a commit may be under way to telling us.
pub async fn hand_on(database: Database, steps: Steps) {
    let mut before: HashSet<Held> = HashSet::new();
    loop {
        tokio::time::sleep(LOOK).await;
        match missing(&database, &steps, &before).await {
            Ok(missing) => before = missing,
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "what was handed over is not looked at")
            }
        }
    }
}

/// One look; hands on what was missing at the last one as well, and answers what is missing now.
async fn missing(
    database: &Database,
    steps: &Steps,
    before: &HashSet<Held>,
) -> Result<HashSet<Held>, Error> {
    let missing = steps.missing(store::held(database.pool(), steps.id()).await?);
    let (twice, once): (Vec<Held>, Vec<Held>) =
        missing.into_iter().partition(|held| before.contains(held));
    if !twice.is_empty() {
        tracing::warn!(
            steps = twice.len(),
            "steps were committed as ours and not handed over; they start anew"
        );
        let mut work = Work::begin(database).await?;
        commands::hand_on(&mut work, steps, &twice, clock::now()).await?;
        work.commit().await?;
    }
    Ok(once.into_iter().collect())
}

/// Renews this process' lease three times within its length; gives it up once its steps have ended: `ended`.
pub async fn keep_lease(database: Database, steps: Steps, ended: CancellationToken) {
    let database = database.with_own_pool(1);
    let lease = steps.tempo().lease;
    let every = Duration::try_from(lease / 3).unwrap_or(Duration::from_secs(1));
    while !ended.is_cancelled() {
        if let Err(error) = store::keep_lease(database.pool(), steps.id(), lease).await {
            tracing::warn!(error = %Chain(&error), "the lease on our steps is not renewed");
        }
        ended.run_until_cancelled(tokio::time::sleep(every)).await;
    }
    if let Err(error) = store::leave(database.pool(), steps.id()).await {
        tracing::warn!(error = %Chain(&error), "the lease on our steps ends by itself");
    }
}

/// Medians of how long steps take, counted once a minute; and the retention of transitions, batches and dry runs.
pub async fn housekeeping(database: Database, medians: SharedMedians) {
    let mut last_swept: Option<Instant> = None;
    loop {
        if let Err(error) = count(&database, &medians).await {
            tracing::debug!(error = %Chain(&error), "medians can't be counted now");
        }
        if last_swept.is_none_or(|at| at.elapsed() >= RETENTION) {
            match forget(&database).await {
                Ok(()) => last_swept = Some(Instant::now()),
                Err(error) => {
                    tracing::warn!(error = %Chain(&error), "what is old stays until the next look")
                }
            }
        }
        tokio::time::sleep(MEDIANS).await;
    }
}

async fn forget(database: &Database) -> Result<(), Error> {
    let now = clock::now();
    store::forget_transitions(database.pool(), now - KEPT).await?;
    store::forget_batches(database.pool(), now).await?;
    store::forget_dry_runs(database.pool(), now - DRY_RUNS_KEPT).await
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
