//! Carrying out our own steps, outside any transaction: handed over in memory, raced against a cancel, committed in
//! batches.
//!
//! Consecutive steps of ours run as one chain: while they are quick, their outcomes travel in one transaction and so in
//! one event. The process' lease ([`crate::due`]) holds all of them; an attempt number fences each outcome.

mod commit;
mod execute;
mod run;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use time::OffsetDateTime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tracing::Span;
use uuid::Uuid;

use crate::domain::{Answer, Moment, StepId, Tempo};
use crate::store::Held;

pub use commit::commit;
pub use execute::Executor;
pub use run::carry_out;

/// Steps that run one after the other, each with the attempt that it has, or will have when it starts. Shared by all that
/// is in memory of them: while there is any, this process has them.
pub type Sequence = Arc<[(StepId, u32)]>;

/// A step of ours to carry out, with those of ours that follow at once.
#[derive(Debug)]
pub struct Run {
    pub offer_uid: Uuid,
    pub submission: Uuid,
    pub snapshot: String,
    pub chain: Sequence,
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
    /// What it came of, where that was carried out here.
    pub chain: Option<Sequence>,
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
    /// What was handed over, by submission, until its last outcome is committed.
    had: Mutex<Had>,
}

/// Steps with their attempts, for as long as their run is kept.
type Had = HashMap<Uuid, Vec<Weak<[(StepId, u32)]>>>;

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
                had: Mutex::default(),
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

    /// Takes a step over, once its start is committed. What this process has already, as the next of a chain, isn't
    /// started twice.
    pub fn hand(&self, run: Run) {
        let Some(&(step, attempt)) = run.chain.first() else {
            return;
        };
        {
            let mut had = self.had();
            let chains = had.entry(run.submission).or_default();
            if contains(chains, step, attempt) {
                return;
            }
            chains.push(Arc::downgrade(&run.chain));
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

    /// Which of these steps, held by this process by their rows, it has nothing of: it never learned that the commit that
    /// started them succeeded. Forgets chains that are over.
    pub fn missing(&self, held: Vec<Held>) -> Vec<Held> {
        let mut had = self.had();
        had.retain(|_, chains| {
            chains.retain(|chain| chain.strong_count() > 0);
            !chains.is_empty()
        });
        let has = |held: &Held| {
            had.get(&held.submission)
                .is_some_and(|chains| contains(chains, held.step, held.attempt))
        };
        held.into_iter().filter(|one| !has(one)).collect()
    }

    fn had(&self) -> MutexGuard<'_, Had> {
        self.0.had.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Forgets what has ended, unless a newer one runs already.
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

fn contains(chains: &[Weak<[(StepId, u32)]>], step: StepId, attempt: u32) -> bool {
    chains
        .iter()
        .filter_map(Weak::upgrade)
        .any(|chain| chain.contains(&(step, attempt)))
}
