//! The runner: carries chains out side by side and hands their outcomes to the committer.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use marketplace_messaging::Database;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{Executor, Outcome, Run, Steps, commit};
use crate::domain::{Answer, StepId, Trouble};

/// How long a chain keeps an outcome back, so that the next one travels with it.
const TOGETHER: Duration = Duration::from_millis(20);

/// Carries out what is handed over until told to stop; then drops what still runs, commits what is done, and ends.
pub async fn carry_out(
    steps: Steps,
    mut handed: UnboundedReceiver<Run>,
    executor: Executor,
    database: Database,
    stop: CancellationToken,
) -> Result<(), JoinError> {
    let (done, outcomes) = unbounded_channel();
    let committing = commit::commit(database, steps.clone(), outcomes, stop.clone());
    let running = async {
        let mut chains = JoinSet::new();
        let ended = loop {
            tokio::select! {
                () = stop.cancelled() => break Ok(()),
                Some(run) = handed.recv() => {
                    let span = run.span.clone();
                    let chain = drive(steps.clone(), executor.clone(), run, done.clone());
                    chains.spawn(chain.instrument(span));
                }
                Some(Err(error)) = chains.join_next() => break Err(error),
            }
        };
        // What is cut here belongs to nobody once our lease is given up: another process does it again.
        chains.shutdown().await;
        drop(done);
        ended
    };
    let (ended, ()) = tokio::join!(running, committing);
    ended
}

/// Carries out one chain, step by step.
async fn drive(steps: Steps, executor: Executor, run: Run, done: UnboundedSender<Outcome>) {
    let mut ready: Vec<Outcome> = Vec::new();
    for &(step, attempt) in run.chain.iter() {
        let stop = steps.begins(run.submission, step, attempt);
        let mut work = pin!(executor.execute(step, &run));
        let answer = loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break Answer::Trouble(Trouble::Platform("stopped".to_owned())),
                answer = &mut work => break answer,
                () = tokio::time::sleep(TOGETHER), if !ready.is_empty() => send(&done, &mut ready),
            }
        };
        steps.ends(run.submission, step, attempt);
        let goes_on = matches!(answer, Answer::Done(_));
        ready.push(outcome(&run, step, attempt, answer));
        if !goes_on {
            break;
        }
    }
    send(&done, &mut ready);
}

fn outcome(run: &Run, step: StepId, attempt: u32, answer: Answer) -> Outcome {
    let (offer_uid, submission) = (run.offer_uid, run.submission);
    Outcome {
        offer_uid,
        submission,
        step: Some(step),
        attempt,
        answer,
        chain: Some(Arc::clone(&run.chain)),
        span: run.span.clone(),
    }
}

fn send(done: &UnboundedSender<Outcome>, ready: &mut Vec<Outcome>) {
    for outcome in ready.drain(..) {
        // Err: the service stops without waiting for us; the step is done again by another process.
        let _ = done.send(outcome);
    }
}
