//! The tasks of a service: none is started anywhere else, none ends unnoticed.
//!
//! A service stops in this order: health NOT_SERVING → no new RPCs → *intake* tasks are told to stop and
//! finish what they have → tracked work ends → *last* tasks (the relay) drain → pools close.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// What a task may end with: nothing, or a Result whose error is told.
pub trait Outcome: Send + 'static {
    /// As one type.
    fn into_result(self) -> anyhow::Result<()>;
}

impl Outcome for () {
    fn into_result(self) -> anyhow::Result<()> {
        Ok(())
    }
}

impl<E: Into<anyhow::Error> + Send + 'static> Outcome for Result<(), E> {
    fn into_result(self) -> anyhow::Result<()> {
        self.map_err(Into::into)
    }
}

/// The tasks of one service.
#[derive(Default)]
pub struct Tasks {
    intake: Group,
    last: Group,
    tracker: TaskTracker,
    stopping: CancellationToken,
}

/// Tasks that are told to stop together.
#[derive(Default)]
struct Group {
    set: JoinSet<anyhow::Result<()>>,
    names: HashMap<Id, &'static str>,
    stop: CancellationToken,
}

impl Tasks {
    /// No tasks yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A task that is dropped, at an await, when the service stops. For loops that lose nothing by it: timers, sweeps.
    pub fn spawn<F>(&mut self, name: &'static str, task: F)
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        self.intake.spawn(name, |stop| async move {
            match stop.run_until_cancelled(task).await {
                Some(ended) => ended.into_result(),
                None => Ok(()),
            }
        });
    }

    /// A task that is told to stop by the token and then finishes what it has: consumers, step runners.
    pub fn spawn_until<F>(&mut self, name: &'static str, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        self.intake.spawn(name, task);
    }

    /// The same, but told to stop when everything else has ended: the relay, which sends what the others wrote.
    pub fn spawn_last<F>(&mut self, name: &'static str, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        self.last.spawn(name, task);
    }

    /// For work that a call begins and that must not be cut with the call.
    pub fn tracked(&self) -> Tracked {
        Tracked(self.tracker.clone())
    }

    /// Cancelled when the service begins to stop: streams end cleanly by it.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Waits until any task ends, which none should; says which and why.
    pub(crate) async fn ended(&mut self) -> anyhow::Error {
        tokio::select! {
            error = self.intake.ended() => error,
            error = self.last.ended() => error,
        }
    }

    /// Stops intake tasks, waits for tracked work, then stops the last tasks; all by `deadline`. What hasn't ended then
    /// is dropped. Answers what went wrong.
    pub(crate) async fn stop(mut self, deadline: Instant) -> Vec<anyhow::Error> {
        self.stopping.cancel();
        let mut wrong = self.intake.stop(deadline).await;
        self.tracker.close();
        if timeout_at(deadline, self.tracker.wait()).await.is_err() {
            wrong.push(anyhow::anyhow!(
                "{} calls' work did not end in time",
                self.tracker.len()
            ));
        }
        // The relay gets a second even when the others took all the time: what isn't sent now is sent after the restart.
        let drain = deadline.max(Instant::now() + Duration::from_secs(1));
        wrong.extend(self.last.stop(drain).await);
        wrong
    }
}

impl Group {
    fn spawn<F>(&mut self, name: &'static str, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        let task = task(self.stop.child_token());
        let handle = self.set.spawn(async move { task.await.into_result() });
        self.names.insert(handle.id(), name);
    }

    async fn ended(&mut self) -> anyhow::Error {
        match self.set.join_next_with_id().await {
            None => std::future::pending().await,
            Some(end) => {
                let (name, outcome) = self.outcome(end);
                let error = outcome
                    .err()
                    .unwrap_or_else(|| anyhow::anyhow!("it returned"));
                error.context(format!("task {name} ended"))
            }
        }
    }

    fn outcome(
        &self,
        end: Result<(Id, anyhow::Result<()>), JoinError>,
    ) -> (&'static str, anyhow::Result<()>) {
        let name = |id| self.names.get(&id).copied().unwrap_or("?");
        match end {
            Ok((id, outcome)) => (name(id), outcome),
            Err(error) => (name(error.id()), Err(error.into())),
        }
    }

    async fn stop(&mut self, deadline: Instant) -> Vec<anyhow::Error> {
        self.stop.cancel();
        let mut wrong = Vec::new();
        loop {
            match timeout_at(deadline, self.set.join_next_with_id()).await {
                Ok(None) => return wrong,
                Ok(Some(end)) => {
                    let (name, outcome) = self.outcome(end);
                    wrong.extend(
                        outcome
                            .err()
                            .map(|error| error.context(format!("task {name}"))),
                    );
                }
                Err(_) => {
                    wrong.push(anyhow::anyhow!(
                        "{} tasks did not end in time",
                        self.set.len()
                    ));
                    self.set.shutdown().await;
                    return wrong;
                }
            }
        }
    }
}

/// Starts work that must not be cut with the call that began it. Cheap to clone.
#[derive(Clone)]
pub struct Tracked(TaskTracker);

/// The work panicked.
#[derive(Debug, thiserror::Error)]
#[error("the work panicked")]
pub struct Panicked;

impl Tracked {
    /// Runs the work to its end, whatever becomes of the caller; the service's stop waits for it.
    pub async fn run<F>(&self, work: F) -> Result<F::Output, Panicked>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let work = AssertUnwindSafe(work.in_current_span()).catch_unwind();
        match self.0.spawn(work).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(_)) | Err(_) => Err(Panicked),
        }
    }
}
