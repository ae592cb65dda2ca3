//! The publication of an offer: what alone decides what may happen to it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::submission::Actor;

/// Whether customers can find the offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    Never,
    Active,
    StopPending,
    Stopped,
}

/// Where a plan's distribution is; a plan that isn't listed is simply live with its offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanState {
    StopPending,
    NotAvailable,
    RestorePending,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanDistribution {
    pub id: String,
    pub name: String,
    pub state: PlanState,
}

/// A stop of the whole offer that is not finished (T26).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    #[serde(with = "time::serde::rfc3339")]
    pub effective: OffsetDateTime,
    /// A deprecation ahead of its date, which may be taken back (T35).
    pub scheduled: bool,
    /// What customers are told of it; set where it is scheduled.
    #[serde(default)]
    pub deprecation: Option<Deprecation>,
    /// The catalogue was told to remove the offer.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub ordered: Option<OffsetDateTime>,
    pub attempt: u32,
    pub sent: u32,
    /// When the order is to be sent, or sent again.
    #[serde(with = "time::serde::rfc3339")]
    pub due: OffsetDateTime,
}

/// What customers are told of a stop at a date (UP-7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deprecation {
    #[serde(with = "time::serde::rfc3339")]
    pub requested: OffsetDateTime,
    pub reason: DeprecationReason,
    /// Name of an offer or a plan to use instead; empty: none.
    pub alternative: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeprecationReason {
    CriticalSecurityIssue,
    EndOfSupport,
    #[default]
    Other,
}

/// A go live that is to happen later (T39).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub by: Actor,
    pub acknowledged: bool,
    /// When it is to be looked at next; later than `at` while the scheduler's permission can't be asked for.
    #[serde(with = "time::serde::rfc3339")]
    pub due: OffsetDateTime,
}

/// A row of `publications`. Changed by the moves of its [`super::Offering`] alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    pub offer_uid: Uuid,
    /// Ids, as in `publishers/{publisher}/offers/{offer}`.
    pub publisher: String,
    pub offer: String,
    pub revision: u64,
    pub version: u64,
    pub distribution: Distribution,
    pub in_flight: Option<Uuid>,
    pub awaiting_sign_off: Option<Uuid>,
    pub preview: Option<Uuid>,
    pub live: Option<Uuid>,
    pub latest: Option<Uuid>,
    pub failed: Option<Uuid>,
    /// An incident of this offer is open; there is at most one.
    pub incident: bool,
    pub plans: Vec<PlanDistribution>,
    pub stop: Option<Stop>,
    pub schedule: Option<Schedule>,
    #[serde(with = "time::serde::rfc3339")]
    pub create_time: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub update_time: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub due_at: Option<OffsetDateTime>,
}

impl Publication {
    /// Of an offer that was never published: revision 0, Draft.
    pub fn new(offer_uid: Uuid, publisher: &str, offer: &str, now: OffsetDateTime) -> Self {
        Self {
            offer_uid,
            publisher: publisher.to_owned(),
            offer: offer.to_owned(),
            revision: 0,
            version: 0,
            distribution: Distribution::Never,
            in_flight: None,
            awaiting_sign_off: None,
            preview: None,
            live: None,
            latest: None,
            failed: None,
            incident: false,
            plans: Vec::new(),
            stop: None,
            schedule: None,
            create_time: now,
            update_time: now,
            due_at: None,
        }
    }

    pub fn plan(&self, id: &str) -> Option<PlanState> {
        self.plans
            .iter()
            .find(|plan| plan.id == id)
            .map(|plan| plan.state)
    }

    pub fn has_plan(&self, state: PlanState) -> bool {
        self.plans.iter().any(|plan| plan.state == state)
    }

    /// Plans that a freeze of now takes, or keeps, out of the marketplace; sorted.
    pub fn stops(&self) -> Vec<String> {
        self.plans_in(&[PlanState::StopPending, PlanState::NotAvailable])
    }

    /// Plans that a freeze of now puts back; sorted.
    pub fn restores(&self) -> Vec<String> {
        self.plans_in(&[PlanState::RestorePending])
    }

    fn plans_in(&self, states: &[PlanState]) -> Vec<String> {
        let mut ids: Vec<String> = self
            .plans
            .iter()
            .filter(|plan| states.contains(&plan.state))
            .map(|plan| plan.id.clone())
            .collect();
        ids.sort();
        ids
    }

    /// `publishers/{publisher}/offers/{offer}`
    pub fn name(&self) -> String {
        format!("publishers/{}/offers/{}", self.publisher, self.offer)
    }

    /// `{offer}/submissions/{submission}`
    pub fn submission_name(&self, submission: Uuid) -> String {
        format!("{}/submissions/{submission}", self.name())
    }

    /// The submissions that guards look at.
    pub fn references(&self) -> impl Iterator<Item = Uuid> {
        [
            self.in_flight,
            self.awaiting_sign_off,
            self.preview,
            self.live,
            self.latest,
            self.failed,
        ]
        .into_iter()
        .flatten()
    }

    pub(super) fn set_plan(&mut self, id: &str, name: &str, state: PlanState) {
        match self.plans.iter_mut().find(|plan| plan.id == id) {
            Some(plan) => plan.state = state,
            None => self.plans.push(PlanDistribution {
                id: id.to_owned(),
                name: name.to_owned(),
                state,
            }),
        }
    }

    pub(super) fn note_due(&mut self) {
        let stop = self.stop.as_ref().map(|stop| stop.due);
        let schedule = self.schedule.as_ref().map(|schedule| schedule.due);
        self.due_at = [stop, schedule].into_iter().flatten().min();
    }
}
