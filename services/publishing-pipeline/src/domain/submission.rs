//! One submission: an immutable snapshot on its way to preview and live, with its steps.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::profile::Profile;
use super::state::{StepState, SubmissionState};
use super::step::{Fault, Leg, Step, StepId};

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub kind: ActorKind,
    /// `{issuer}|{subject}`; empty for the system.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub principal: String,
}

/// In whose name (IB-1 … IB-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    User,
    Operator,
    System,
}

impl Actor {
    pub fn system() -> Self {
        Self {
            kind: ActorKind::System,
            principal: String::new(),
        }
    }
}

/// What Offer validation found (RP-1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    pub warnings: u32,
    pub report: String,
}

/// The publisher's word that a preview may go live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOff {
    pub by: Actor,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Digest of what was signed off.
    pub digest: String,
}

/// Why a submission failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub step: StepId,
    pub leg: Leg,
    pub fault: Fault,
    /// For people.
    pub reason: String,
    /// Certification said no (N03), rather than another step (N02).
    pub certification: bool,
    /// `{submission}/reports/failure`; empty: none.
    pub report: String,
}

/// A cancel that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    pub by: Actor,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// A row of `submissions`. Changed by the moves of its [`super::Offering`] alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    pub id: Uuid,
    pub offer_uid: Uuid,
    pub state: SubmissionState,
    pub leg: Leg,
    pub profile: Profile,
    pub notes: String,
    pub submitted_by: Actor,
    pub steps: Vec<Step>,
    /// Counts its transitions; the place in WatchSubmission.
    pub transition: u64,
    pub validation: Option<Validation>,
    pub certified_digest: Option<String>,
    pub signed_off: Option<SignOff>,
    pub failure: Option<Failure>,
    pub cancel: Option<Cancel>,
    /// The trace that published it.
    pub traceparent: String,
    pub tracestate: String,
    #[serde(with = "time::serde::rfc3339")]
    pub create_time: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub end_time: Option<OffsetDateTime>,
    /// The process that carries out the active step, where it is one of ours.
    pub holder: Option<Uuid>,
    /// When somebody must look at the active step.
    #[serde(with = "time::serde::rfc3339::option")]
    pub due_at: Option<OffsetDateTime>,
}

impl Submission {
    /// Place of the step that has started and not ended; there is at most one.
    pub fn active(&self) -> Option<usize> {
        self.steps.iter().position(|step| step.state.active())
    }

    /// The step that has started and not ended.
    pub fn active_step(&self) -> Option<&Step> {
        self.active().map(|place| &self.steps[place])
    }

    /// Place of the next step to start in this leg (PL-2).
    pub fn next(&self) -> Option<usize> {
        self.steps
            .iter()
            .position(|step| step.leg == self.leg && step.state == StepState::NotStarted)
    }

    pub fn place(&self, id: StepId) -> Option<usize> {
        self.steps.iter().position(|step| step.id == id)
    }

    /// Share of steps that are done, in percent, the active one by its own progress.
    pub fn progress(&self) -> u32 {
        let done: u32 = self
            .steps
            .iter()
            .map(|step| {
                if step.state == StepState::Complete {
                    100
                } else {
                    step.progress.min(99)
                }
            })
            .sum();
        done / u32::try_from(self.steps.len().max(1)).unwrap_or(u32::MAX)
    }

    /// The platform is slow or at fault, and knows.
    pub fn delayed(&self, now: OffsetDateTime) -> bool {
        self.steps
            .iter()
            .any(|step| step.state == StepState::Blocked || step.late(now))
    }

    /// What failed in the live leg by the platform's fault may go live again (T24).
    pub fn may_retry(&self) -> bool {
        let by_platform =
            |failure: &Failure| failure.leg == Leg::Live && failure.fault == Fault::Platform;
        self.state == SubmissionState::Failed && self.failure.as_ref().is_some_and(by_platform)
    }

    /// Whether Final publish has started: from here on nobody cancels (§2.4).
    pub fn publishes(&self) -> bool {
        self.active_step()
            .is_some_and(|step| step.id == StepId::FinalPublish)
    }
}
