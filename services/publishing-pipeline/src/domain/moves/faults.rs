//! Faults of steps: tried again with pauses, then an incident (the platform's) or Attention needed (the publisher's).

use time::Duration;
use uuid::Uuid;

use crate::domain::Refusal;
use crate::domain::news::{Ending, Fact, IncidentNews};
use crate::domain::offering::Offering;
use crate::domain::state::{StepMove, StepState, SubmissionMove};
use crate::domain::step::{Fault, Leg, Level};
use crate::domain::submission::{Actor, Failure};
use crate::domain::tempo::Moment;

/// What went wrong with one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Something of the platform: tried again, an incident from the third failed try or after 30 s.
    Platform(String),
    /// The publisher's endpoint answered wrongly, or not: theirs after 3 tries within 5 minutes. It is left alone for as
    /// long as it asks for, if that leaves time for these tries.
    Endpoint { why: String, wait: Duration },
    /// Certainly the publisher's.
    Publisher(String),
    /// What would be served isn't what was certified and signed off (PB-1): the platform's, at once.
    Mismatch(String),
}

impl Trouble {
    pub fn mismatch(what: &str) -> Self {
        Trouble::Mismatch(format!(
            "DIGEST_MISMATCH: {what} is not the submission's snapshot"
        ))
    }
}

impl Offering {
    pub(super) fn trouble(
        &mut self,
        id: Uuid,
        place: usize,
        trouble: Trouble,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        match trouble {
            Trouble::Platform(why) => self.platform_fault(id, place, &why, moment),
            Trouble::Endpoint { why, wait } => self.endpoint_fault(id, place, why, wait, moment),
            Trouble::Publisher(why) => self.fail_step(id, place, Fault::Publisher, why, moment),
            Trouble::Mismatch(why) => self.fail_step(id, place, Fault::Platform, why, moment),
        }
    }

    fn platform_fault(
        &mut self,
        id: Uuid,
        place: usize,
        why: &str,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let mut entry = self.entry(id, moment)?;
        let (tries, since) = entry.failed_try(place, Fault::Platform, why);
        let pause = moment.tempo.retry_after(tries);
        entry.submission.due_at = Some(moment.at + pause);
        let serious = tries >= moment.tempo.incident_tries
            || moment.at - since >= moment.tempo.incident_after;
        if serious {
            self.block(id, place, tries, why, moment)
        } else {
            Ok(())
        }
    }

    fn endpoint_fault(
        &mut self,
        id: Uuid,
        place: usize,
        why: String,
        wait: Duration,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let mut entry = self.entry(id, moment)?;
        let step = &mut entry.submission.steps[place];
        if step
            .first_failed
            .is_some_and(|first| moment.at - first > moment.tempo.endpoint_window)
        {
            (step.failed_tries, step.first_failed) = (0, None);
        }
        let (tries, _) = entry.failed_try(place, Fault::Publisher, &why);
        if tries >= moment.tempo.endpoint_tries {
            return self.fail_step(id, place, Fault::Publisher, why, moment);
        }
        entry.submission.due_at = Some(moment.at + moment.tempo.endpoint_after(tries, wait));
        Ok(())
    }

    /// The step is blocked and the incident open; it is still tried again. Tells nobody: the status doesn't change.
    pub(super) fn block(
        &mut self,
        id: Uuid,
        place: usize,
        attempts: u32,
        why: &str,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let mut entry = self.entry(id, moment)?;
        let step = entry.submission.steps[place].id;
        if entry.submission.steps[place].state != StepState::Blocked {
            entry.step_go(place, StepMove::Block, why)?;
        }
        let error = why.to_owned();
        self.news.incidents.push(IncidentNews::Raised {
            submission: id,
            step,
            attempts,
            error,
            at: moment.at,
        });
        self.publication.incident = true;
        Ok(())
    }

    /// Ends a step, and with it the submission, as failed.
    pub(super) fn fail_step(
        &mut self,
        id: Uuid,
        place: usize,
        fault: Fault,
        reason: String,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let submission = self.entry(id, moment)?.submission;
        let (step, leg) = (submission.steps[place].id, submission.leg);
        let failure = Failure {
            step,
            leg,
            fault,
            reason,
            certification: false,
            report: String::new(),
        };
        self.fail(id, place, failure, moment)
    }

    /// T08, T09, T20, T21: Attention needed.
    pub(super) fn fail(
        &mut self,
        id: Uuid,
        place: usize,
        failure: Failure,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let mut entry = self.entry(id, moment)?;
        entry.say(place, Level::Error, &failure.reason);
        if failure.fault == Fault::Platform && failure.leg == Leg::Preview {
            // Whoever is still at it stops; in the live leg the preview stays for T24.
            entry.withdraw_orders();
        }
        entry.submission.steps[place].fault = Some(failure.fault);
        entry.end_step(place, StepMove::Reject, Ending::Failed)?;
        entry.go(SubmissionMove::Fail)?;
        entry.submission.end_time = Some(moment.at);
        let Failure {
            step,
            fault,
            reason,
            certification,
            report,
            ..
        } = failure.clone();
        entry.submission.failure = Some(failure);
        entry.tell(
            Actor::system(),
            Fact::Failed {
                step,
                fault,
                reason,
                certification,
                report,
            },
        );
        self.publication.in_flight = None;
        self.publication.failed = Some(id);
        Ok(())
    }
}

impl crate::domain::offering::Entry<'_> {
    /// Notes a failed try; answers how many of this kind in a row, and since when: what the platform failed at says nothing
    /// of the publisher's endpoint.
    fn failed_try(&mut self, place: usize, by: Fault, why: &str) -> (u32, time::OffsetDateTime) {
        self.say(place, Level::Warning, why);
        let at = self.moment.at;
        self.submission.holder = None;
        let step = &mut self.submission.steps[place];
        if step.failed_by.replace(by) != Some(by) {
            (step.failed_tries, step.first_failed) = (0, None);
        }
        step.failed_tries += 1;
        let tried = (step.failed_tries, *step.first_failed.get_or_insert(at));
        self.note(Some(place), why, None);
        tried
    }
}
