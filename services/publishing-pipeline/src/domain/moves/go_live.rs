//! Sign-off: go live now (T16), again (T24), or later (T39 … T41).

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::Refusal;
use crate::domain::guard::Move;
use crate::domain::news::{Ending, Fact};
use crate::domain::offering::Offering;
use crate::domain::publication::Schedule;
use crate::domain::state::{StepMove, SubmissionMove};
use crate::domain::step::Leg;
use crate::domain::submission::{Actor, SignOff, Submission};
use crate::domain::tempo::Moment;

impl Offering {
    /// The submission that a go live is about: what failed, where it may go again (T24), else what awaits sign-off.
    pub fn to_go_live(&self) -> Option<&Submission> {
        let publication = &self.publication;
        let id = publication.failed.or(publication.awaiting_sign_off)?;
        self.submission(id)
    }

    /// What stands against a go live of this submission now.
    pub fn check_go_live(&self, id: Uuid, acknowledged: bool) -> Result<(), Refusal> {
        self.guard(Move::GoLive)?;
        let Some(submission) = self.to_go_live().filter(|meant| meant.id == id) else {
            let state = self
                .submission(id)
                .map_or("over", |submission| submission.state.as_str());
            return Err(Refusal::OtherSubmission(id, state));
        };
        let mut frozen = submission.profile.restores.clone();
        frozen.sort();
        let mut stops = submission.profile.stops();
        stops.sort();
        // A plan that is no longer in the content can't be stopped in it either.
        let wanted = self
            .publication
            .stops()
            .into_iter()
            .filter(|id| submission.profile.plan(id).is_some());
        if stops != wanted.collect::<Vec<_>>() || frozen != self.publication.restores() {
            let why =
                "stops or restores of plans changed since this preview was frozen; publish again"
                    .to_owned();
            return Err(Refusal::NotAllowed("PLANS_CHANGED", why));
        }
        let warnings = submission
            .validation
            .as_ref()
            .map_or(0, |found| found.warnings);
        if warnings > 0 && !acknowledged {
            let why = format!(
                "{warnings} unresolved validation warnings may fail certification and delay the date"
            );
            return Err(Refusal::ConfirmationRequired {
                field: "acknowledge_warnings",
                why,
            });
        }
        Ok(())
    }

    /// T16, T24; also T40, as the scheduler.
    pub fn go_live(
        &mut self,
        id: Uuid,
        acknowledged: bool,
        by: Actor,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        self.check_go_live(id, acknowledged)?;
        self.unschedule(by.clone(), "", moment.at);
        self.sign_off(id, by, moment)
    }

    fn sign_off(&mut self, id: Uuid, by: Actor, moment: Moment<'_>) -> Result<(), Refusal> {
        self.close_incident(moment.at);
        let again = self.publication.failed.take().is_some();
        if again {
            self.reset_live_leg(id, moment)?;
        }
        let mut entry = self.entry(id, moment)?;
        entry.submission.leg = Leg::Live;
        entry.submission.end_time = None;
        entry.submission.failure = None;
        entry.tell(by.clone(), Fact::SignedOff);
        let digest = entry.submission.profile.digest.clone();
        let first = entry
            .submission
            .signed_off
            .replace(SignOff {
                by,
                at: moment.at,
                digest,
            })
            .is_none();
        if let Some(place) = entry.submission.active() {
            // The row of the sign-off step appears once, however often the live leg is walked.
            if first {
                entry.end_step(place, StepMove::Complete, Ending::Succeeded)?;
            } else {
                entry.step_go(place, StepMove::Complete, "")?;
            }
        }
        entry.go(if again {
            SubmissionMove::Retry
        } else {
            SubmissionMove::SignOff
        })?;
        self.publication.awaiting_sign_off = None;
        self.publication.in_flight = Some(id);
        self.advance(id, moment)
    }

    /// T39: the same, later. A schedule that is there already is replaced.
    pub fn schedule_go_live(
        &mut self,
        id: Uuid,
        acknowledged: bool,
        at: OffsetDateTime,
        by: Actor,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        self.check_go_live(id, acknowledged)?;
        if self.publication.awaiting_sign_off != Some(id) {
            let why = "a retry after a system error can't be scheduled; go live now".to_owned();
            return Err(Refusal::NotAllowed("NOT_SCHEDULABLE", why));
        }
        self.publication.schedule = Some(Schedule {
            at,
            by: by.clone(),
            acknowledged,
            due: at,
        });
        let mut entry = self.entry(id, moment)?;
        entry.note(None, "go live scheduled", None);
        entry.tell(by, Fact::GoLiveScheduled { at });
        Ok(())
    }

    /// T41.
    pub fn cancel_schedule(
        &mut self,
        id: Uuid,
        by: Actor,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        self.guard(Move::CancelScheduledGoLive)?;
        if self.publication.awaiting_sign_off != Some(id) {
            let state = self
                .submission(id)
                .map_or("over", |submission| submission.state.as_str());
            return Err(Refusal::OtherSubmission(id, state));
        }
        self.drop_schedule(by, "", moment)
    }

    /// T40: the time has come, and the scheduler may still publish. A guard that fails drops the schedule (N02).
    pub fn scheduled_go_live(
        &mut self,
        permitted: bool,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let due = self
            .publication
            .schedule
            .clone()
            .filter(|schedule| schedule.at <= moment.at);
        let Some((schedule, id)) = due.zip(self.publication.awaiting_sign_off) else {
            return Ok(());
        };
        if !permitted {
            let why = "who scheduled it has no publishing permission any more";
            return self.drop_schedule(Actor::system(), why, moment);
        }
        match self.check_go_live(id, schedule.acknowledged) {
            Ok(()) => {
                self.publication.schedule = None;
                self.sign_off(id, schedule.by, moment)
            }
            Err(refusal) => self.drop_schedule(Actor::system(), &refusal.to_string(), moment),
        }
    }

    /// The scheduler's permission can't be asked at the moment: looked at again a little later.
    pub fn delay_schedule(&mut self, moment: Moment<'_>) {
        if let Some(schedule) = &mut self.publication.schedule {
            schedule.due = moment.at + moment.tempo.retry;
        }
        // No news: the row is written for its due time alone.
        if let Some(id) = self.publication.awaiting_sign_off {
            self.news.touch(id);
        }
    }

    fn drop_schedule(&mut self, by: Actor, why: &str, moment: Moment<'_>) -> Result<(), Refusal> {
        if let Some(id) = self.publication.awaiting_sign_off {
            self.entry(id, moment)?.note(
                None,
                if why.is_empty() {
                    "scheduled go live canceled"
                } else {
                    why
                },
                None,
            );
        }
        self.unschedule(by, why, moment.at);
        Ok(())
    }
}
