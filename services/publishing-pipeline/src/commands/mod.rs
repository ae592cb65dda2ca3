//! One function per write: lock, decide, save, tell. A door begins and commits.

mod batches;
mod dry_runs;
mod outcomes;
mod publish;
mod submit;

pub use batches::{BATCHES, create_batch};
pub use dry_runs::{DRY_RUNS, cancel_dry_run, create_dry_run, dry_run_watched, write_dry_run};
pub use outcomes::{hand_on, outcomes, scheduled, sweep};
pub use publish::{change_offer, change_submission};
pub use submit::{Submit, submit};

use marketplace_messaging::Work;
use time::OffsetDateTime;
use tracing::Span;
use uuid::Uuid;

use crate::domain::{Executor, Offering, StepState};
use crate::error::Error;
use crate::steps::{Run, Steps};
use crate::{outgoing, store};

/// Topic that wakes the sweeper.
pub const DUE: &str = "due";

/// Topic that wakes the watchers of a submission.
pub fn watched(submission: Uuid) -> String {
    format!("submission:{submission}")
}

/// Writes what is new of these offerings, each with the span that it is told in: one statement for the rows of all, one
/// event each, and after the commit whatever follows in this process.
async fn conclude(
    work: &mut Work,
    steps: &Steps,
    offerings: &mut [(Offering, Span)],
    at: OffsetDateTime,
) -> Result<(), Error> {
    let mut changed: Vec<(&Offering, &Span)> = Vec::with_capacity(offerings.len());
    for (offering, span) in offerings.iter_mut() {
        let at = offering.moment(steps.moment(at)).at;
        if offering.seal(at) {
            changed.push((offering, span));
        }
    }
    let rows: Vec<&Offering> = changed.iter().map(|(offering, _)| *offering).collect();
    if rows.is_empty() {
        return Ok(());
    }
    store::close_first(work, &rows).await?;
    store::save(work, &rows).await?;
    for (offering, span) in changed {
        store::note_incidents(work, offering).await?;
        span.in_scope(|| tell(work, steps, offering, at));
    }
    Ok(())
}

/// The event, and what follows after the commit.
fn tell(work: &mut Work, steps: &Steps, offering: &Offering, at: OffsetDateTime) {
    let news = offering.news();
    if news.tells() {
        work.tell(outgoing::publication_changed(
            offering,
            offering.publication().update_time,
        ));
    }
    for id in news.touched.iter().chain(&news.inserted) {
        work.wake(watched(*id));
        if offering
            .submission(*id)
            .and_then(|one| one.due_at)
            .is_some_and(|due| due <= at)
        {
            work.wake(DUE);
        }
    }
    let runs: Vec<Run> = news
        .handed
        .iter()
        .filter_map(|id| run(offering, *id, steps.id()))
        .collect();
    let stopped = news.stopped.clone();
    let steps = steps.clone();
    work.after_commit(move || {
        stopped.into_iter().for_each(|id| steps.stop(id));
        runs.into_iter().for_each(|run| steps.hand(run));
    });
}

/// The active step as work for this process, with the steps of ours that follow it at once.
fn run(offering: &Offering, id: Uuid, runner: Uuid) -> Option<Run> {
    let submission = offering
        .submission(id)
        .filter(|one| one.holder == Some(runner))?;
    let place = submission.active()?;
    let ours = |step: &&crate::domain::Step| {
        let next = step.state == StepState::NotStarted && step.leg == submission.leg;
        next && step.id.executor() == Executor::Local
    };
    let first = &submission.steps[place];
    let following = submission.steps[place + 1..]
        .iter()
        .take_while(ours)
        .map(|step| (step.id, step.attempt + 1));
    Some(Run {
        offer_uid: offering.publication().offer_uid,
        submission: id,
        snapshot: submission.profile.snapshot.clone(),
        chain: std::iter::once((first.id, first.attempt))
            .chain(following)
            .collect(),
        span: tracing::info_span!("step", offer.id = %offering.publication().offer_uid, submission.id = %id),
    })
}
