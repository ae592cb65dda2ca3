//! Setting a failure aside (T37), and what operators do: retry, fail, withdraw (T36).

use uuid::Uuid;

use crate::domain::Refusal;
use crate::domain::guard::Move;
use crate::domain::news::{Ending, Fact};
use crate::domain::offering::Offering;
use crate::domain::state::{StepMove, StepState, SubmissionMove};
use crate::domain::step::{Executor, Fault, StepId};
use crate::domain::submission::Actor;
use crate::domain::tempo::Moment;

impl Offering {
    /// T37: after a platform fault in the live leg the preview awaits sign-off again; else the failed submission's own
    /// preview is deleted.
    pub fn discard_failure(
        &mut self,
        id: Uuid,
        by: Actor,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        self.guard(Move::DiscardFailure)?;
        if self.publication.failed != Some(id) {
            let state = self
                .submission(id)
                .map_or("over", |submission| submission.state.as_str());
            return Err(Refusal::OtherSubmission(id, state));
        }
        self.publication.failed = None;
        self.close_incident(moment.at);
        let mut entry = self.entry(id, moment)?;
        entry.tell(by, Fact::FailureDiscarded);
        if entry.submission.may_retry() {
            entry.submission.failure = None;
            return self.await_again(id, moment, SubmissionMove::AwaitAgain);
        }
        entry.note(None, "failure discarded", None);
        entry.withdraw_orders();
        if self.publication.preview == Some(id) {
            self.publication.preview = None;
        }
        Ok(())
    }

    /// T36: a preview that awaits sign-off is no longer served.
    pub fn withdraw_preview(
        &mut self,
        id: Uuid,
        reason: &str,
        by: Actor,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        self.guard(Move::WithdrawPreview)?;
        if self.publication.awaiting_sign_off != Some(id) {
            let state = self
                .submission(id)
                .map_or("over", |submission| submission.state.as_str());
            return Err(Refusal::OtherSubmission(id, state));
        }
        self.unschedule(by.clone(), "", moment.at);
        let mut entry = self.entry(id, moment)?;
        entry.withdraw_orders();
        if let Some(place) = entry.submission.active() {
            entry.end_step(place, StepMove::Cancel, Ending::Canceled)?;
        }
        entry.go(SubmissionMove::Withdraw)?;
        entry.submission.end_time = Some(moment.at);
        entry.tell(
            by,
            Fact::PreviewWithdrawn {
                reason: reason.to_owned(),
            },
        );
        self.publication.awaiting_sign_off = None;
        self.publication.preview = None;
        Ok(())
    }

    /// Tries a blocked step again, now.
    pub fn retry_step(
        &mut self,
        id: Uuid,
        step: StepId,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let place = self.blocked(id, step)?;
        let mut entry = self.entry(id, moment)?;
        entry.step_go(place, StepMove::Retry, "retried by an operator")?;
        let tried = &mut entry.submission.steps[place];
        (tried.failed_tries, tried.first_failed) = (0, None);
        // The time without an answer counts from now.
        tried.started = Some(moment.at);
        if step.executor() == Executor::Local {
            entry.hand(place)
        } else {
            entry.order(place, true)
        }
        Ok(())
    }

    /// Ends a blocked step as failed by the platform (T08, T20).
    pub fn fail_blocked(
        &mut self,
        id: Uuid,
        step: StepId,
        reason: &str,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let place = self.blocked(id, step)?;
        self.fail_step(id, place, Fault::Platform, reason.to_owned(), moment)
    }

    fn blocked(&self, id: Uuid, step: StepId) -> Result<usize, Refusal> {
        let running = self
            .submission(id)
            .filter(|_| self.publication.in_flight == Some(id));
        let Some(submission) = running.filter(|submission| !submission.state.canceling()) else {
            let state = self
                .submission(id)
                .map_or("over", |submission| submission.state.as_str());
            return Err(Refusal::OtherSubmission(id, state));
        };
        let blocked = |place: &usize| submission.steps[*place].state == StepState::Blocked;
        let place = submission.place(step).filter(blocked);
        place.ok_or_else(|| {
            Refusal::NotAllowed(
                "NOT_BLOCKED",
                format!("step {} is not blocked", step.as_str()),
            )
        })
    }
}
