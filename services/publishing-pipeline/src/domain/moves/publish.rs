//! Publish (T05, T15, T23, T25, T28), and publish instead of what is in flight (T38).

use marketplace_runtime::telemetry::Trace;
use uuid::Uuid;

use crate::domain::guard::Move;
use crate::domain::news::{Ending, Fact};
use crate::domain::offering::Offering;
use crate::domain::profile::Profile;
use crate::domain::state::{StepMove, SubmissionMove, SubmissionState};
use crate::domain::step::Leg;
use crate::domain::submission::{Actor, Submission};
use crate::domain::tempo::Moment;
use crate::domain::{Refusal, pipeline};

/// What a freeze depends on besides the draft. Where it differs between the freeze and the lock, the content is frozen
/// again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Freeze {
    pub stops: Vec<String>,
    pub restores: Vec<String>,
    /// Snapshot of the newest submission; empty: there is none.
    pub newest: String,
    /// Live plans that have no stop pending: a rollback must still have them.
    pub live_plans: Vec<String>,
}

/// A submission to be made.
#[derive(Debug, Clone)]
pub struct Publish {
    pub id: Uuid,
    pub profile: Profile,
    /// What the profile was frozen with.
    pub freeze: Freeze,
    pub notes: String,
    pub confirm: bool,
    pub supersede: bool,
    pub by: Actor,
    pub trace: Trace,
}

impl Offering {
    /// What a freeze of now is made with.
    pub fn freeze(&self) -> Freeze {
        let newest = self.publication.latest.and_then(|id| self.submission(id));
        let live = self
            .live_submission()
            .map(|submission| submission.profile.plans.as_slice())
            .unwrap_or_default();
        let sold = live
            .iter()
            .filter(|plan| !plan.stopped && self.publication.plan(&plan.id).is_none());
        Freeze {
            stops: self.publication.stops(),
            restores: self.publication.restores(),
            newest: newest
                .map(|submission| submission.profile.snapshot.clone())
                .unwrap_or_default(),
            live_plans: sold.map(|plan| plan.id.clone()).collect(),
        }
    }

    /// Refuses what can be refused before anything is frozen.
    pub fn may_publish(&self, supersede: bool) -> Result<(), Refusal> {
        match self.publication.in_flight {
            None => self.guard(Move::Publish),
            Some(_) if supersede => self.guard(Move::Supersede),
            Some(running) => Err(Refusal::InFlight(running)),
        }
    }

    /// Refuses with the first that can be said against it.
    pub fn check_publish(&self, wanted: &Publish) -> Result<(), Refusal> {
        match self.against_publish(wanted).into_iter().next() {
            Some(refusal) => Err(refusal),
            None => Ok(()),
        }
    }

    /// Everything that can be said against it.
    pub fn against_publish(&self, wanted: &Publish) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        refusals.extend(self.may_publish(wanted.supersede).err());
        if self.freeze() != wanted.freeze {
            refusals.push(Refusal::FreezeOutdated);
        }
        if wanted.profile.requires_notes && wanted.notes.trim().is_empty() {
            refusals.push(Refusal::NotesRequired);
        }
        if !wanted.profile.changed && self.publication.latest.is_some() && !wanted.confirm {
            let why = "nothing changed since the newest submission".to_owned();
            refusals.push(Refusal::ConfirmationRequired {
                field: "confirm",
                why,
            });
        }
        refusals
    }

    /// Makes the submission and starts its first step.
    pub fn publish(&mut self, wanted: Publish, moment: Moment<'_>) -> Result<(), Refusal> {
        self.check_publish(&wanted)?;
        let id = wanted.id;
        if let Some(running) = self.publication.in_flight {
            self.supersede(running, id, &wanted.by, moment)?;
        }
        self.unschedule(wanted.by.clone(), "", moment.at);
        self.close_incident(moment.at);
        self.publication.failed = None;
        self.publication.in_flight = Some(id);
        self.publication.latest = Some(id);
        let by = wanted.by.clone();
        self.submissions
            .push(queued(wanted, self.publication.offer_uid, moment));
        self.news.inserted.push(id);
        let mut entry = self.entry(id, moment)?;
        let pages_changed = entry.submission.profile.pages_changed.clone();
        entry.tell(by, Fact::Submitted { pages_changed });
        entry.go(SubmissionMove::Start)?;
        self.advance(id, moment)
    }

    /// T38: cancel and publish in one; the running step isn't awaited but fenced by its attempt.
    fn supersede(
        &mut self,
        running: Uuid,
        by: Uuid,
        actor: &Actor,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let mut entry = self.entry(running, moment)?;
        entry.tell(actor.clone(), Fact::CancelRequested);
        entry.withdraw_orders();
        if let Some(place) = entry.submission.active() {
            entry.end_step(place, StepMove::Cancel, Ending::Canceled)?;
        }
        entry.tell(actor.clone(), Fact::Canceled { superseded: true });
        entry.go(SubmissionMove::Supersede)?;
        entry.tell(actor.clone(), Fact::Superseded { by });
        entry.submission.end_time = Some(moment.at);
        self.news.stopped.push(running);
        self.news.closed_first.push(running);
        self.publication.in_flight = None;
        Ok(())
    }
}

fn queued(wanted: Publish, offer_uid: Uuid, moment: Moment<'_>) -> Submission {
    let mut profile = wanted.profile;
    profile.restores = wanted.freeze.restores;
    Submission {
        id: wanted.id,
        offer_uid,
        state: SubmissionState::Queued,
        leg: Leg::Preview,
        steps: pipeline::steps(&profile),
        profile,
        notes: wanted.notes,
        submitted_by: wanted.by,
        transition: 0,
        validation: None,
        certified_digest: None,
        signed_off: None,
        failure: None,
        cancel: None,
        traceparent: wanted.trace.parent,
        tracestate: wanted.trace.state,
        create_time: moment.at,
        end_time: None,
        holder: None,
        due_at: None,
    }
}
