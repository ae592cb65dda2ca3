//! Carrying out dry runs: taken under a lease by any process, looked at step by step, written after each. A process that is
//! gone leaves what it has found; whoever takes the dry run then goes on from there.

mod look;
mod step;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use marketplace_messaging::{Database, Work};
use marketplace_runtime::clock;
use marketplace_runtime::status::Chain;
use time::OffsetDateTime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::commands;
use crate::domain::{DryRun, Quotas, Tempo};
use crate::error::Error;
use crate::neighbours::{Catalog, Certification};
use crate::steps::Executor;
use crate::store;

/// Dry runs that a process is at, those that wait before another try not counted.
const AT_ONCE: usize = 8;
/// Dry runs of one publisher that anybody is at.
const EACH: i64 = 2;

/// What it takes to carry dry runs out. Cheap to clone.
#[derive(Clone)]
pub struct DryRuns {
    pub catalog: Catalog,
    pub certification: Certification,
    pub executor: Executor,
    pub tempo: Tempo,
    pub quotas: Quotas,
    /// How long one may take from its start: what isn't looked at by then, the platform couldn't look at.
    pub longest: time::Duration,
}

/// One of the dry runs that a process is at.
struct Seat {
    seats: Arc<Semaphore>,
    /// `None`: another has it meanwhile.
    taken: Option<OwnedSemaphorePermit>,
}

impl Seat {
    fn free(seats: &Arc<Semaphore>) -> Option<Self> {
        let taken = Arc::clone(seats).try_acquire_owned().ok()?;
        Some(Self {
            seats: Arc::clone(seats),
            taken: Some(taken),
        })
    }

    /// Pauses before another try: endpoints that don't answer keep nobody else from having a turn.
    async fn leave_for(&mut self, pause: time::Duration) {
        self.taken = None;
        tokio::time::sleep(Duration::try_from(pause).unwrap_or_default()).await;
        self.taken = Arc::clone(&self.seats).acquire_owned().await.ok();
    }
}

/// What a piece of one couldn't do.
#[derive(Debug)]
enum Stuck {
    /// Worth another try, until its time is over; what to say of it then.
    Platform(String),
    /// No further try will mend it.
    Hopeless(String),
}

/// Why one is not carried on here.
enum Cut {
    /// The platform couldn't: that is its end.
    Platform(String),
    /// What was found can't be written: whoever takes it next goes on.
    Database(Error),
}

impl From<Error> for Cut {
    fn from(error: Error) -> Self {
        Cut::Database(error)
    }
}

/// Takes dry runs and carries them out until told to stop; gives back those that it hasn't ended then.
pub async fn carry_out(
    db: Database,
    dry_runs: DryRuns,
    stop: CancellationToken,
) -> Result<(), JoinError> {
    let db = db.with_own_pool(3);
    let mut news = db.wake().on(commands::DRY_RUNS);
    let seats = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    while !stop.is_cancelled() {
        let free: Vec<Seat> = std::iter::from_fn(|| Seat::free(&seats)).collect();
        if !free.is_empty() {
            match claim(&db, &dry_runs.tempo, free.len()).await {
                Ok(claimed) => {
                    for (run, seat) in claimed.into_iter().zip(free) {
                        let span = tracing::info_span!("dry run", offer.id = %run.offer_uid, dry_run.id = %run.id);
                        let one =
                            carry_out_one(db.clone(), dry_runs.clone(), run, seat, stop.clone());
                        running.spawn(one.instrument(span));
                    }
                }
                Err(error) => tracing::warn!(error = %Chain(&error), "dry runs can't be taken now"),
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Some(ended) = running.join_next() => ended?,
            () = news.tick(), if seats.available_permits() > 0 => {}
            _ = seats.acquire(), if seats.available_permits() == 0 => {}
        }
    }
    while let Some(ended) = running.join_next().await {
        ended?;
    }
    Ok(())
}

async fn claim(db: &Database, tempo: &Tempo, room: usize) -> Result<Vec<DryRun>, Error> {
    let mut work = Work::begin(db).await?;
    let room = i64::try_from(room).unwrap_or(i64::MAX);
    let claimed = store::claim_dry_runs(&mut work, clock::now(), tempo.lease, EACH, room).await?;
    work.commit().await?;
    Ok(claimed)
}

async fn carry_out_one(
    db: Database,
    dry_runs: DryRuns,
    run: DryRun,
    seat: Seat,
    stop: CancellationToken,
) {
    let ended = tokio::select! {
        ended = dry_runs.walk(&db, run.clone(), seat) => ended,
        () = lost(&db, &run, &dry_runs.tempo) => return,
        () = stop.cancelled() => Ok(()),
    };
    if let Err(error) = ended {
        // The database: taken again by whoever reaches it first.
        tracing::warn!(error = %Chain(&error), "a dry run is interrupted");
    }
    if let Err(error) = store::release_dry_run(db.pool(), &run).await {
        tracing::debug!(error = %Chain(&error), "the lease on a dry run ends by itself");
    }
}

/// Renews the lease; answers when the dry run is ours no more: it was canceled, or another process has it.
async fn lost(db: &Database, run: &DryRun, tempo: &Tempo) {
    let mut news = db.wake().on(commands::dry_run_watched(run.id));
    loop {
        news.tick().await;
        match store::keep_dry_run(db.pool(), run, tempo.lease).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "the lease on a dry run is not renewed")
            }
        }
    }
}

impl DryRuns {
    /// From where it is to its end. `Err`: the database failed.
    async fn walk(&self, db: &Database, mut run: DryRun, mut seat: Seat) -> Result<(), Error> {
        match self.find_out(db, &mut run, &mut seat).await {
            Ok(()) => run.finish(clock::now())?,
            Err(Cut::Platform(why)) => {
                tracing::error!(why, "a dry run failed");
                run.fail(why, clock::now())?;
            }
            Err(Cut::Database(error)) => return Err(error),
        }
        write(db, &mut run).await
    }

    /// Looks at the draft, then carries the steps out.
    async fn find_out(&self, db: &Database, run: &mut DryRun, seat: &mut Seat) -> Result<(), Cut> {
        if run.record.draft.is_none() {
            let mut patience = self.patience(run);
            let draft = loop {
                match patience.within("The draft", self.look(db, run)).await?? {
                    Ok(draft) => break draft,
                    Err(stuck) => patience.wait(stuck, seat).await?,
                }
            };
            run.plan(draft);
            write(db, run).await?;
        }
        while let Some(place) = run.next() {
            run.begin(place, clock::now());
            write(db, run).await?;
            let (mut patience, step) = (self.patience(run), run.record.steps[place].id);
            let outcome = loop {
                match patience
                    .within(step.title(), self.step(run, place, seat))
                    .await?
                {
                    Ok(outcome) => break outcome,
                    Err(stuck) => patience.wait(stuck, seat).await?,
                }
            };
            run.conclude(place, outcome, clock::now());
            write(db, run).await?;
        }
        Ok(())
    }

    fn patience(&self, run: &DryRun) -> Patience<'_> {
        Patience {
            tempo: &self.tempo,
            until: run.start_time.unwrap_or(run.create_time) + self.longest,
            tries: 0,
        }
    }
}

/// How long a piece of a dry run is tried.
struct Patience<'a> {
    tempo: &'a Tempo,
    until: OffsetDateTime,
    tries: u32,
}

impl Patience<'_> {
    /// One try, cut when the time is over: a neighbour that is away is waited for.
    async fn within<T>(&self, what: &str, one_try: impl Future<Output = T>) -> Result<T, Cut> {
        let left = Duration::try_from(self.until - clock::now()).unwrap_or_default();
        let tried = tokio::time::timeout(left, one_try).await;
        tried.map_err(|_| Cut::Platform(format!("{what} could not be looked at in time")))
    }

    /// The pause before the next try, if there is to be one.
    async fn wait(&mut self, stuck: Stuck, seat: &mut Seat) -> Result<(), Cut> {
        let why = match stuck {
            Stuck::Hopeless(why) => return Err(Cut::Platform(why)),
            Stuck::Platform(why) => why,
        };
        self.tries += 1;
        let pause = self.tempo.retry_after(self.tries);
        if clock::now() + pause >= self.until {
            return Err(Cut::Platform(why));
        }
        tracing::warn!(
            why,
            tries = self.tries,
            "a part of a dry run is tried again"
        );
        seat.leave_for(pause).await;
        Ok(())
    }
}

/// Commits what is new, and goes on only where it is ours.
async fn write(db: &Database, run: &mut DryRun) -> Result<(), Error> {
    let mut work = Work::begin(db).await?;
    if commands::write_dry_run(&mut work, run).await? {
        return Ok(work.commit().await?);
    }
    drop(work);
    // Canceled, or another's: `lost` sees it as well and drops this.
    match std::future::pending::<Infallible>().await {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_before_another_try_lets_another_have_a_turn() {
        let seats = Arc::new(Semaphore::new(1));
        let mut slow = Seat::free(&seats).unwrap();
        assert!(Seat::free(&seats).is_none());
        let begun = tokio::time::Instant::now();
        let other = async {
            let other = seats.clone().acquire_owned().await.unwrap();
            assert_eq!(begun.elapsed(), Duration::ZERO);
            tokio::time::sleep(Duration::from_secs(25)).await;
            drop(other);
        };
        tokio::join!(slow.leave_for(time::Duration::seconds(20)), other);
        assert_eq!(
            begun.elapsed().as_secs(),
            25,
            "it takes its turn again after the other"
        );
        assert!(slow.taken.is_some() && Seat::free(&seats).is_none());
    }
}
