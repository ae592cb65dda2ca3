//! Outcomes of steps: ours, and what neighbours answer to their orders (T06, T07, T09, T21).

use uuid::Uuid;

use super::advance::Current;
use super::faults::Trouble;
use crate::domain::Refusal;
use crate::domain::news::{Ending, Fact};
use crate::domain::offering::Offering;
use crate::domain::state::{StepMove, StepState};
use crate::domain::step::{Fault, Level, StepId};
use crate::domain::submission::{Actor, Failure, Validation};
use crate::domain::tempo::Moment;

/// What became of one attempt of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A step of ours is done; what it says to the publisher.
    Done(String),
    /// Offer validation: never stops a preview.
    Validated {
        warnings: u32,
        report: String,
    },
    Certified {
        digest: String,
        with_notes: bool,
    },
    NotCertified {
        report: String,
        summary: String,
    },
    /// Still at it.
    Progressed {
        progress: u32,
        message: String,
        waits: bool,
    },
    Prepared {
        digest: String,
    },
    Activated {
        digest: String,
    },
    /// The order came after a newer one.
    Superseded,
    Trouble(Trouble),
}

impl Answer {
    /// For `discarded_outcomes`.
    pub fn name(&self) -> &'static str {
        match self {
            Answer::Done(_) => "done",
            Answer::Validated { .. } => "validated",
            Answer::Certified { .. } => "certified",
            Answer::NotCertified { .. } => "not certified",
            Answer::Progressed { .. } => "progressed",
            Answer::Prepared { .. } => "prepared",
            Answer::Activated { .. } => "activated",
            Answer::Superseded => "superseded",
            Answer::Trouble(_) => "failed",
        }
    }

    /// Whether a step can be answered like this.
    fn fits(&self, step: StepId) -> bool {
        match self {
            Answer::Validated { .. } => step == StepId::OfferValidation,
            Answer::Certified { .. } | Answer::NotCertified { .. } => step == StepId::Certification,
            Answer::Prepared { .. } => step == StepId::PreviewCreation,
            Answer::Activated { .. } => step == StepId::FinalPublish,
            Answer::Done(_)
            | Answer::Progressed { .. }
            | Answer::Superseded
            | Answer::Trouble(_) => true,
        }
    }
}

impl Offering {
    /// Applies the outcome of an attempt. False: the attempt is over, and the outcome to be recorded as discarded.
    pub fn answer(
        &mut self,
        id: Uuid,
        step: StepId,
        attempt: u32,
        answer: Answer,
        moment: Moment<'_>,
    ) -> Result<bool, Refusal> {
        let place = match self.current(id, step, attempt) {
            Current::At(place) if answer.fits(step) => place,
            Current::Canceling if step.executor() == crate::domain::Executor::Local => {
                // Our running step has stopped: that is what the cancel waits for.
                self.finish_cancel(id, moment)?;
                return Ok(false);
            }
            _ => return Ok(false),
        };
        match answer {
            Answer::Done(said) => self.done(id, place, &said, moment)?,
            Answer::Validated { warnings, report } => {
                self.validated(id, place, warnings, report, moment)?
            }
            Answer::Certified { digest, with_notes } => {
                self.certified(id, place, digest, with_notes, moment)?
            }
            Answer::NotCertified { report, summary } => {
                self.not_certified(id, place, report, summary, moment)?
            }
            Answer::Progressed {
                progress,
                message,
                waits,
            } => {
                self.progressed(id, place, progress, &message, waits, moment)?;
            }
            Answer::Prepared { digest } => self.prepared(id, place, &digest, moment)?,
            Answer::Activated { digest } => self.activated(id, place, &digest, moment)?,
            // The next sweep sends it with the revision of then.
            Answer::Superseded => {
                self.entry(id, moment)?.submission.due_at = Some(moment.at + moment.tempo.retry)
            }
            Answer::Trouble(trouble) => self.trouble(id, place, trouble, moment)?,
        }
        Ok(true)
    }

    fn done(
        &mut self,
        id: Uuid,
        place: usize,
        said: &str,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        if !said.is_empty() {
            self.entry(id, moment)?.say(place, Level::Info, said);
        }
        self.complete(id, place, Ending::Succeeded, moment)
    }

    /// Ends a step well and starts the next.
    fn complete(
        &mut self,
        id: Uuid,
        place: usize,
        ending: Ending,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        self.entry(id, moment)?
            .end_step(place, StepMove::Complete, ending)?;
        self.close_incident(moment.at);
        self.advance(id, moment)
    }

    /// T07: a validation report never stops the preview.
    fn validated(
        &mut self,
        id: Uuid,
        place: usize,
        warnings: u32,
        report: String,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let mut entry = self.entry(id, moment)?;
        if warnings == 0 && report.is_empty() {
            return self.complete(id, place, Ending::Succeeded, moment);
        }
        entry.say(
            place,
            Level::Warning,
            &format!("{warnings} issues could fail certification; see the report"),
        );
        entry.submission.validation = Some(Validation {
            warnings,
            report: report.clone(),
        });
        entry.end_step(place, StepMove::Complete, Ending::Warnings)?;
        entry.tell(
            Actor::system(),
            Fact::ValidationReported { warnings, report },
        );
        self.close_incident(moment.at);
        self.advance(id, moment)
    }

    fn certified(
        &mut self,
        id: Uuid,
        place: usize,
        digest: String,
        with_notes: bool,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let mut entry = self.entry(id, moment)?;
        if digest != entry.submission.profile.digest {
            return self.trouble(id, place, Trouble::mismatch("what was certified"), moment);
        }
        entry.submission.certified_digest = Some(digest);
        if with_notes {
            entry.say(place, Level::Info, "passed with notes");
        }
        self.complete(id, place, Ending::Succeeded, moment)
    }

    /// T09, T21.
    fn not_certified(
        &mut self,
        id: Uuid,
        place: usize,
        report: String,
        summary: String,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let submission = self.entry(id, moment)?.submission;
        let failure = Failure {
            step: StepId::Certification,
            leg: submission.leg,
            fault: Fault::Publisher,
            reason: summary,
            certification: true,
            report,
        };
        self.fail(id, place, failure, moment)
    }

    /// A case that is open: its step shows how far it is. That it answers closes an incident for silence.
    fn progressed(
        &mut self,
        id: Uuid,
        place: usize,
        progress: u32,
        message: &str,
        waits: bool,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let mut entry = self.entry(id, moment)?;
        let state = entry.submission.steps[place].state;
        if state == StepState::Blocked {
            entry.step_go(place, StepMove::Retry, "")?;
        } else if state == StepState::WaitingForApproval && !waits {
            entry.step_go(place, StepMove::GoOn, message)?;
        }
        let step = &mut entry.submission.steps[place];
        let before = (step.progress, step.messages.last().cloned());
        step.progress = progress.min(99);
        (step.failed_tries, step.first_failed) = (0, None);
        if !message.is_empty() {
            entry.say(place, Level::Info, message);
        }
        let step = &entry.submission.steps[place];
        if waits && step.state == StepState::InProgress {
            entry.step_go(place, StepMove::AwaitReviewer, message)?;
        } else if (step.progress, step.messages.last()) != (before.0, before.1.as_ref()) {
            // A repeated order is answered with what watchers know already.
            entry.note(Some(place), message, None);
        }
        let pause = if waits {
            moment.tempo.resend_waiting
        } else {
            moment.tempo.resend_max
        };
        let deadline = entry.deadline(place);
        entry.submission.due_at = Some(deadline.map_or(moment.at + pause, |deadline| {
            deadline.min(moment.at + pause)
        }));
        self.close_incident(moment.at);
        Ok(())
    }

    fn prepared(
        &mut self,
        id: Uuid,
        place: usize,
        digest: &str,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        if digest != self.entry(id, moment)?.submission.profile.digest {
            return self.trouble(id, place, Trouble::mismatch("the prepared preview"), moment);
        }
        self.complete(id, place, Ending::Succeeded, moment)
    }

    /// PB-1: what is served is what was certified and signed off.
    fn activated(
        &mut self,
        id: Uuid,
        place: usize,
        digest: &str,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let submission = self.entry(id, moment)?.submission;
        let signed_off = submission
            .signed_off
            .as_ref()
            .map(|sign_off| sign_off.digest.as_str());
        let all = [
            Some(submission.profile.digest.as_str()),
            submission.certified_digest.as_deref(),
            signed_off,
        ];
        if all.iter().any(|one| *one != Some(digest)) {
            return self.trouble(id, place, Trouble::mismatch("what is served"), moment);
        }
        self.complete(id, place, Ending::Succeeded, moment)
    }
}
