//! Cancel publish: asked for (T11, T18), and final (T12, T19).

use uuid::Uuid;

use crate::domain::Refusal;
use crate::domain::guard::Move;
use crate::domain::news::{Ending, Fact};
use crate::domain::offering::Offering;
use crate::domain::state::{StepMove, SubmissionMove, SubmissionState};
use crate::domain::submission::{Actor, Cancel};
use crate::domain::tempo::Moment;

impl Offering {
    /// T11 (`CancelPublish`), T18 (`CancelLiveLeg`, operators). Final when our running step has stopped, or after a while.
    pub fn request_cancel(
        &mut self,
        id: Uuid,
        wanted: Move,
        by: Actor,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        self.in_flight_is(id, wanted)?;
        let mut entry = self.entry(id, moment)?;
        entry.tell(by.clone(), Fact::CancelRequested);
        entry.go(SubmissionMove::RequestCancel)?;
        entry.submission.cancel = Some(Cancel { by, at: moment.at });
        // Nothing outside is awaited: without a running step of ours it is final at once.
        let ours = entry.submission.holder.is_some();
        entry.submission.due_at = Some(if ours {
            moment.at + moment.tempo.cancel_wait
        } else {
            moment.at
        });
        self.news.stopped.push(id);
        Ok(())
    }

    /// The move is allowed, and about the submission that is in flight.
    fn in_flight_is(&self, id: Uuid, wanted: Move) -> Result<(), Refusal> {
        match self.publication.in_flight {
            Some(running) if running != id => {
                let state = self
                    .submission(id)
                    .map_or("over", |submission| submission.state.as_str());
                Err(Refusal::OtherSubmission(id, state))
            }
            _ => self.guard(wanted),
        }
    }

    /// T12, T19: the running step ends canceled; what it does from now on is discarded.
    pub fn finish_cancel(&mut self, id: Uuid, moment: Moment<'_>) -> Result<(), Refusal> {
        let mut entry = self.entry(id, moment)?;
        let by = entry
            .submission
            .cancel
            .take()
            .map_or_else(Actor::system, |cancel| cancel.by);
        entry.withdraw_orders();
        if let Some(place) = entry.submission.active() {
            entry.end_step(place, StepMove::Cancel, Ending::Canceled)?;
        }
        entry.tell(by, Fact::Canceled { superseded: false });
        entry.submission.due_at = None;
        entry.submission.holder = None;
        if entry.submission.state == SubmissionState::CancelingLive {
            self.await_again(id, moment, SubmissionMove::FinishCancel)?;
        } else {
            entry.go(SubmissionMove::FinishCancel)?;
            entry.submission.end_time = Some(moment.at);
            self.publication.in_flight = None;
        }
        self.close_incident(moment.at);
        Ok(())
    }
}
