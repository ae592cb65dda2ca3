//! What follows when a step is complete: the next step, sign-off (T10), or Live (T22).

use uuid::Uuid;

use crate::domain::Refusal;
use crate::domain::news::{Ending, Fact, Happening, STOP_DISTRIBUTION};
use crate::domain::offering::Offering;
use crate::domain::publication::{Distribution, PlanState};
use crate::domain::state::{StepMove, SubmissionMove, SubmissionState};
use crate::domain::step::{Executor, Leg, StepId};
use crate::domain::submission::Actor;
use crate::domain::tempo::Moment;

/// Whether an outcome is of the attempt that runs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Current {
    /// It is, of the step at this place.
    At(usize),
    /// It is of the step that a cancel waits for.
    Canceling,
    /// It is of an attempt that is over: to be recorded as discarded.
    Over,
}

impl Offering {
    /// Whether (submission, step, attempt) runs now.
    pub fn current(&self, id: Uuid, step: StepId, attempt: u32) -> Current {
        let Some(submission) = self
            .submission(id)
            .filter(|_| self.publication.in_flight == Some(id))
        else {
            return Current::Over;
        };
        match submission.active() {
            Some(place)
                if submission.steps[place].id == step
                    && submission.steps[place].attempt == attempt =>
            {
                if submission.state.canceling() {
                    Current::Canceling
                } else {
                    Current::At(place)
                }
            }
            _ => Current::Over,
        }
    }

    /// Starts the next step of the leg (PL-2), or ends the leg.
    pub(super) fn advance(&mut self, id: Uuid, moment: Moment<'_>) -> Result<(), Refusal> {
        let mut entry = self.entry(id, moment)?;
        let Some(place) = entry.submission.next() else {
            return self.activate(id, moment);
        };
        let executor = entry.submission.steps[place].id.executor();
        if executor == Executor::Publisher {
            return self.reach_sign_off(id, place, moment);
        }
        let step = &mut entry.submission.steps[place];
        step.started = Some(moment.at);
        step.ended = None;
        entry.step_go(place, StepMove::Start, "")?;
        if executor == Executor::Local {
            entry.hand(place);
        } else {
            entry.order(place, true);
        }
        Ok(())
    }

    /// T10: the preview is ready; an older one that awaits sign-off gives way.
    fn reach_sign_off(
        &mut self,
        id: Uuid,
        place: usize,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        if let Some(older) = self
            .publication
            .awaiting_sign_off
            .filter(|older| *older != id)
        {
            self.give_way(older, id, moment)?;
        }
        let mut entry = self.entry(id, moment)?;
        entry.submission.steps[place].started = Some(moment.at);
        entry.step_go(place, StepMove::AwaitPublisher, "")?;
        entry.go(SubmissionMove::ReachSignOff)?;
        entry.submission.due_at = None;
        let validation = entry.submission.validation.clone();
        let (warnings, report) =
            validation.map_or((0, String::new()), |found| (found.warnings, found.report));
        entry.tell(Actor::system(), Fact::AwaitingSignOff { warnings, report });
        self.publication.in_flight = None;
        self.publication.awaiting_sign_off = Some(id);
        self.publication.preview = Some(id);
        Ok(())
    }

    fn give_way(&mut self, older: Uuid, by: Uuid, moment: Moment<'_>) -> Result<(), Refusal> {
        let mut entry = self.entry(older, moment)?;
        if let Some(place) = entry.submission.active() {
            entry.end_step(place, StepMove::Cancel, Ending::Canceled)?;
        }
        entry.go(SubmissionMove::GiveWay)?;
        entry.submission.end_time = Some(moment.at);
        entry.tell(Actor::system(), Fact::Superseded { by });
        Ok(())
    }

    /// T22: customers see it. Ends an effective stop of the offer; the stops and restores frozen in it take effect.
    fn activate(&mut self, id: Uuid, moment: Moment<'_>) -> Result<(), Refusal> {
        let mut entry = self.entry(id, moment)?;
        entry.go(SubmissionMove::Activate)?;
        entry.submission.end_time = Some(moment.at);
        entry.submission.due_at = None;
        entry.tell(Actor::system(), Fact::WentLive);
        let (stops, restores) = (
            entry.submission.profile.stops(),
            entry.submission.profile.restores.clone(),
        );
        let publication = &mut self.publication;
        publication.in_flight = None;
        publication.preview = None;
        publication.live = Some(id);
        publication.distribution = Distribution::Active;
        for plan in stops {
            self.plan_stopped(&plan, moment);
        }
        for plan in restores {
            self.plan_restored(&plan, moment);
        }
        Ok(())
    }

    /// T31.
    fn plan_stopped(&mut self, id: &str, moment: Moment<'_>) {
        let pending = |plan: &&mut crate::domain::PlanDistribution| {
            plan.id == id && plan.state == PlanState::StopPending
        };
        let Some(plan) = self.publication.plans.iter_mut().find(pending) else {
            return;
        };
        plan.state = PlanState::NotAvailable;
        let (plan, name) = (plan.id.clone(), plan.name.clone());
        self.news.happened.push(Happening {
            actor: Actor::system(),
            at: moment.at,
            submission: self.publication.live,
            leg: Leg::Live,
            fact: Fact::StepEnded {
                step: STOP_DISTRIBUTION.to_owned(),
                name: format!("Stop distribution: {name}"),
                ending: Ending::Succeeded,
                started: None,
                plan: plan.clone(),
            },
        });
        self.tell(Actor::system(), Fact::PlanStopped { plan, name }, moment.at);
    }

    /// T32: takes effect.
    fn plan_restored(&mut self, id: &str, moment: Moment<'_>) {
        let pending = |plan: &crate::domain::PlanDistribution| {
            plan.id == id && plan.state == PlanState::RestorePending
        };
        let Some(place) = self.publication.plans.iter().position(pending) else {
            return;
        };
        let plan = self.publication.plans.remove(place);
        self.tell(
            Actor::system(),
            Fact::PlanRestored {
                plan: plan.id,
                name: plan.name,
            },
            moment.at,
        );
    }

    /// Sets the live leg back to its start: it is walked again from its first step (SM-3).
    pub(super) fn reset_live_leg(&mut self, id: Uuid, moment: Moment<'_>) -> Result<(), Refusal> {
        let mut entry = self.entry(id, moment)?;
        for place in 0..entry.submission.steps.len() {
            let step = &entry.submission.steps[place];
            if step.leg != Leg::Live || step.state == crate::domain::StepState::NotStarted {
                continue;
            }
            entry.step_go(place, StepMove::Reset, "")?;
            let step = &mut entry.submission.steps[place];
            (step.progress, step.failed_tries, step.first_failed) = (0, 0, None);
            (step.started, step.ended, step.warnings, step.fault) = (None, None, false, None);
        }
        Ok(())
    }

    /// The preview awaits sign-off again (T19, T37); that it was signed off once stays noted.
    pub(super) fn await_again(
        &mut self,
        id: Uuid,
        moment: Moment<'_>,
        by: SubmissionMove,
    ) -> Result<(), Refusal> {
        self.reset_live_leg(id, moment)?;
        let mut entry = self.entry(id, moment)?;
        if let Some(place) = entry.submission.place(StepId::PublisherSignOff) {
            entry.step_go(place, StepMove::Reopen, "")?;
            entry.submission.steps[place].ended = None;
        }
        entry.go(by)?;
        entry.submission.leg = Leg::Preview;
        (
            entry.submission.holder,
            entry.submission.due_at,
            entry.submission.end_time,
        ) = (None, None, None);
        debug_assert_eq!(entry.submission.state, SubmissionState::AwaitingSignOff);
        self.publication.in_flight = None;
        self.publication.awaiting_sign_off = Some(id);
        self.publication.preview = Some(id);
        Ok(())
    }
}
