//! Carrying out our own steps, outside any transaction: handed over in memory, raced against a cancel, committed in
//! batches.
//!
//! Consecutive steps of ours run as one chain: while they are quick, their outcomes travel in one transaction and so in
//! one event. The process' lease ([`crate::due`]) holds all of them; an attempt number fences each outcome.

mod commit;
mod execute;
mod run;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tracing::Span;
use uuid::Uuid;

use crate::domain::{Answer, Moment, StepId, Tempo};

pub use execute::Executor;
pub use run::carry_out;

/// A step of ours to carry out, with those of ours that follow at once.
#[derive(Debug)]
pub struct Run {
    pub offer_uid: Uuid,
    pub submission: Uuid,
    pub snapshot: String,
    /// Each with the attempt that it has, or will have when it starts.
    pub chain: Vec<(StepId, u32)>,
    /// The work that handed it over: one trace spans both.
    pub span: Span,
}

/// What became of an attempt, or of an order.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub offer_uid: Uuid,
    pub submission: Uuid,
    /// `None`: the removal of the offer.
    pub step: Option<StepId>,
    pub attempt: u32,
    pub answer: Answer,
    pub span: Span,
}

/// This process as a carrier of steps. Cheap to clone.
#[derive(Clone)]
pub struct Steps(Arc<Inner>);

struct Inner {
    id: Uuid,
    tempo: Tempo,
    handed: UnboundedSender<Run>,
    running: Mutex<HashMap<Uuid, Running>>,
}

/// What runs of a submission now.
struct Running {
    step: StepId,
    attempt: u32,
    stop: CancellationToken,
}

impl Steps {
    /// `id` names this process among its replicas; new at every start.
    pub fn new(id: Uuid, tempo: Tempo) -> (Steps, UnboundedReceiver<Run>) {
        let (handed, receiver) = unbounded_channel();
        (
            Steps(Arc::new(Inner {
                id,
                tempo,
                handed,
                running: Mutex::default(),
            })),
            receiver,
        )
    }

    pub fn id(&self) -> Uuid {
        self.0.id
    }

    pub fn tempo(&self) -> &Tempo {
        &self.0.tempo
    }

    pub fn moment(&self, at: OffsetDateTime) -> Moment<'_> {
        Moment {
            at,
            runner: self.0.id,
            tempo: &self.0.tempo,
        }
    }

    /// Takes a step over, once its start is committed. What runs already, as the next of a chain, isn't started twice.
    pub fn hand(&self, run: Run) {
        let Some(&(step, attempt)) = run.chain.first() else {
            return;
        };
        let known = |running: &Running| running.step == step && running.attempt == attempt;
        if self.running().get(&run.submission).is_some_and(known) {
            return;
        }
        // Err: the service stops, and another process takes the step over when our lease is gone.
        let _ = self.0.handed.send(run);
    }

    /// Stops what runs of a submission; its outcome follows at once.
    pub fn stop(&self, submission: Uuid) {
        if let Some(running) = self.running().get(&submission) {
            running.stop.cancel();
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Uuid, Running>> {
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what runs now; answers what stops it.
    fn begins(&self, submission: Uuid, step: StepId, attempt: u32) -> CancellationToken {
        let stop = CancellationToken::new();
        self.running().insert(
            submission,
            Running {
                step,
                attempt,
                stop: stop.clone(),
            },
        );
        stop
    }

    /// Forgets what has ended, unless a newer attempt runs already.
    fn ends(&self, submission: Uuid, step: StepId, attempt: u32) {
        let mut running = self.running();
        if running
            .get(&submission)
            .is_some_and(|one| one.step == step && one.attempt == attempt)
        {
            running.remove(&submission);
        }
    }
}
