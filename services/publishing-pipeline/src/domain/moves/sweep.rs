//! What is due: orders nobody answered, tries whose pause is over, steps whose process died, cancels, deadlines, stops.

use uuid::Uuid;

use super::advance::Current;
use crate::domain::Refusal;
use crate::domain::offering::Offering;
use crate::domain::state::StepState;
use crate::domain::step::{Executor, Fault, StepId};
use crate::domain::tempo::Moment;

impl Offering {
    /// Does what is due of the submission in flight and of a stop. `orphaned`: the process that carried out the active
    /// step is gone.
    pub fn sweep(&mut self, orphaned: bool, moment: Moment<'_>) -> Result<(), Refusal> {
        if self
            .publication
            .stop
            .as_ref()
            .is_some_and(|stop| stop.due <= moment.at)
        {
            self.order_removal(moment);
        }
        let Some(id) = self.publication.in_flight else {
            return Ok(());
        };
        let Some(submission) = self.submission(id) else {
            return Err(Refusal::Missing(id));
        };
        let due = submission.due_at.is_some_and(|at| at <= moment.at);
        if submission.state.canceling() {
            return if due || orphaned {
                self.finish_cancel(id, moment)
            } else {
                Ok(())
            };
        }
        let Some(place) = submission.active() else {
            return Ok(());
        };
        if self
            .entry(id, moment)?
            .deadline(place)
            .is_some_and(|deadline| deadline <= moment.at)
        {
            let why = "it did not end within its deadline".to_owned();
            return self.fail_step(id, place, Fault::Platform, why, moment);
        }
        if due || orphaned {
            self.try_again(id, place, moment)
        } else {
            Ok(())
        }
    }

    /// A step of ours that the process of this moment holds and has nothing of is started anew.
    pub fn hand_on(
        &mut self,
        id: Uuid,
        step: StepId,
        attempt: u32,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let Current::At(place) = self.current(id, step, attempt) else {
            return Ok(());
        };
        let mut entry = self.entry(id, moment)?;
        if entry.submission.holder == Some(moment.runner) {
            entry.hand(place);
        }
        Ok(())
    }

    fn try_again(&mut self, id: Uuid, place: usize, moment: Moment<'_>) -> Result<(), Refusal> {
        let mut entry = self.entry(id, moment)?;
        let step = &entry.submission.steps[place];
        if step.id.executor() == Executor::Local {
            entry.hand(place);
            return Ok(());
        }
        // After a failed try a new attempt; else the same again, which whoever is still at it recognises.
        let failed = step.failed_tries > 0;
        let silent = step.state == StepState::InProgress && !failed;
        let (name, sent, started) = (step.id.neighbour(), step.sent, step.started);
        entry.order(place, failed);
        let long =
            started.is_some_and(|started| moment.at - started >= moment.tempo.incident_after);
        // A case that reports progress is slow, not silent.
        let silent = silent && entry.submission.steps[place].progress == 0 && long;
        if silent {
            return self.block(id, place, sent, &format!("no answer from {name}"), moment);
        }
        Ok(())
    }
}
