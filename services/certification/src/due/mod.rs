//! The third door: what is due. Jobs are claimed under a lease, run outside any transaction, and committed with their
//! answer; claims of reviewers that have expired go back to the queue.

mod checker;
mod sweep;

use std::{collections::HashMap, time::Duration as Wait};

use marketplace_messaging::{Database, Work};
use marketplace_runtime::{clock, ids};
use time::Duration;
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

pub use checker::{Checker, RuleBook};
pub use sweep::sweep;

use crate::{
    commands::{self, JOBS},
    domain::{Job, OrderKey, Switches},
    error::Error,
    store,
};
use checker::Checked;

/// How long a job is this process's without a renewal.
const LEASE: Duration = Duration::seconds(3);
/// The longest that one try may take.
const TRY: Wait = Wait::from_secs(60);
/// Reason of an order about something else than what was frozen (PB-1).
const DIGEST_MISMATCH: &str = "DIGEST_MISMATCH";
/// Jobs that run at once.
const AT_ONCE: usize = 16;

/// Works jobs off until stopped; then finishes those that it has.
pub async fn run(
    db: Database,
    checker: Checker,
    switches: Switches,
    stop: CancellationToken,
) -> Result<(), JoinError> {
    let runner = Runner {
        me: ids::new_id(),
        db: db.with_own_pool(8),
        checker,
        switches,
    };
    let mut woken = db.wake().on(JOBS);
    // Tasks of their own: polled here, none would give its connection back while this loop waits for one.
    let mut jobs = JoinSet::new();
    let mut running: HashMap<Id, OrderKey> = HashMap::new();
    let mut renewal = interval(Wait::from_secs(1));
    renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Whether there may be work that nobody will wake us for.
    let mut look = true;
    loop {
        if stop.is_cancelled() && jobs.is_empty() {
            return Ok(());
        }
        let room = AT_ONCE - jobs.len();
        if look && room > 0 && !stop.is_cancelled() {
            let claimed = runner.claim(room).await;
            look = claimed.len() == room;
            for job in claimed {
                let key = job.order.key.clone();
                let runner = runner.clone();
                let handle = jobs.spawn(async move { runner.work(job).await });
                running.insert(handle.id(), key);
            }
        }
        tokio::select! {
            () = stop.cancelled(), if !stop.is_cancelled() => {}
            Some(ended) = jobs.join_next_with_id() => {
                let (id, ()) = ended?;
                running.remove(&id);
            }
            _ = renewal.tick() => {
                look = true;
                if !running.is_empty() {
                    runner.renew(running.values()).await;
                }
            }
            () = woken.woken(), if room > 0 => look = true,
        }
    }
}

#[derive(Clone)]
struct Runner {
    me: Uuid,
    db: Database,
    checker: Checker,
    switches: Switches,
}

impl Runner {
    async fn claim(&self, room: usize) -> Vec<Job> {
        let limit = i64::try_from(room).unwrap_or(1);
        let claimed = async {
            let mut db = self.db.acquire().await?;
            store::claim_jobs(&mut db, self.me, limit, clock::now(), LEASE).await
        };
        claimed.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "jobs can't be claimed");
            Vec::new()
        })
    }

    /// Of those that run, and of no other: what was claimed and never begun must come back.
    async fn renew(&self, running: impl Iterator<Item = &OrderKey>) {
        let running: Vec<&OrderKey> = running.collect();
        let renewed = async {
            let mut db = self.db.acquire().await?;
            store::renew_jobs(&mut db, self.me, &running, clock::now(), LEASE).await
        };
        if let Err(error) = renewed.await {
            tracing::warn!(%error, "leases can't be renewed");
        }
    }

    /// One try of one job.
    async fn work(&self, job: Job) {
        let key = &job.order.key;
        let span = tracing::info_span!(
            "job",
            job.kind = job.order.kind.as_str(),
            submission.id = key.submission,
            step = key.step,
            attempt = key.attempt
        );
        job.trace.adopt(&span);
        let attempt = async {
            let tried = tokio::time::timeout(TRY, self.attempt(&job)).await;
            match tried.unwrap_or_else(|_| Err(anyhow::anyhow!("took longer than {TRY:?}"))) {
                Ok(()) => {}
                Err(error) => self.failed(&job, &error).await,
            }
        };
        attempt.instrument(span).await;
    }

    async fn attempt(&self, job: &Job) -> anyhow::Result<()> {
        let checked = self.checker.check(&self.db, job).await?;
        let now = clock::now();
        let mut work = Work::begin(&self.db).await?;
        let done: Result<(), Error> = match checked {
            Checked::Validated(results) => commands::validated(&mut work, job, &results, now).await,
            Checked::Certified(opening) => {
                commands::certified(&mut work, job, opening, &self.switches, now).await
            }
            Checked::Tampered(what) => {
                tracing::error!(
                    snapshot = job.order.snapshot,
                    what,
                    "what was frozen has changed"
                );
                commands::impossible(&mut work, job, DIGEST_MISMATCH, &what, now).await
            }
        };
        done?;
        work.commit().await?;
        Ok(())
    }

    /// A platform fault: tried again with back-off, for ever. The pipeline makes an incident of it.
    async fn failed(&self, job: &Job, error: &anyhow::Error) {
        let wait = Duration::milliseconds(250 * (1 << job.tries.clamp(1, 8)));
        tracing::warn!(error = format!("{error:#}"), tries = job.tries, retry_in = %wait, "a job failed");
        let given_back = async {
            let mut db = self.db.acquire().await?;
            store::fail_job(&mut db, job, &format!("{error:#}"), clock::now() + wait).await
        };
        if let Err(error) = given_back.await {
            // Its lease ends by itself.
            tracing::warn!(%error, "a failed job can't be given back");
        }
    }
}
