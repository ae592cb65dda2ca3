//! What a transaction on an offering did: facts for the history, orders for neighbours, numbered transitions for
//! watchers, steps for this process. Collected in memory, written once.

use time::OffsetDateTime;
use uuid::Uuid;

use super::state::{StepState, SubmissionState};
use super::step::{Fault, Leg, StepId};
use super::submission::Actor;

/// Everything that is new since the offering was loaded.
#[derive(Debug, Default)]
pub struct News {
    pub happened: Vec<Happening>,
    pub orders: Vec<Order>,
    pub transitions: Vec<Transition>,
    pub incidents: Vec<IncidentNews>,
    /// Submissions that are new rows.
    pub inserted: Vec<Uuid>,
    /// Submissions whose rows changed.
    pub touched: Vec<Uuid>,
    /// Submissions that must be closed before a new row is inserted (T38).
    pub closed_first: Vec<Uuid>,
    /// Submissions whose active step was handed to this process.
    pub handed: Vec<Uuid>,
    /// Submissions whose running step is to stop.
    pub stopped: Vec<Uuid>,
}

impl News {
    /// Whether neighbours are told: something happened, or something is asked of them.
    pub fn tells(&self) -> bool {
        !self.happened.is_empty() || !self.orders.is_empty()
    }

    pub fn is_empty(&self) -> bool {
        !self.tells()
            && self.touched.is_empty()
            && self.inserted.is_empty()
            && self.incidents.is_empty()
    }

    pub(super) fn touch(&mut self, submission: Uuid) {
        if !self.touched.contains(&submission) && !self.inserted.contains(&submission) {
            self.touched.push(submission);
        }
    }
}

/// A row of the history, and maybe a notification.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    pub actor: Actor,
    pub at: OffsetDateTime,
    pub submission: Option<Uuid>,
    pub leg: Leg,
    pub fact: Fact,
}

/// How a step ended (IB-6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Succeeded,
    Warnings,
    Failed,
    Canceled,
}

/// What happened; see events.proto for which rows and notifications follow.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    Submitted {
        pages_changed: Vec<i32>,
    },
    CancelRequested,
    Canceled {
        superseded: bool,
    },
    SignedOff,
    StepEnded {
        step: String,
        name: String,
        ending: Ending,
        started: Option<OffsetDateTime>,
        plan: String,
    },
    Failed {
        step: StepId,
        fault: Fault,
        reason: String,
        certification: bool,
        report: String,
    },
    AwaitingSignOff {
        warnings: u32,
        report: String,
    },
    WentLive,
    OfferStopRequested {
        effective: Option<OffsetDateTime>,
        reason: String,
    },
    OfferStopped,
    PlanStopRequested {
        plan: String,
        name: String,
    },
    DistributionResumed {
        plan: String,
        name: String,
    },
    PlanStopped {
        plan: String,
        name: String,
    },
    PlanRestoreRequested {
        plan: String,
        name: String,
    },
    PlanRestored {
        plan: String,
        name: String,
    },
    PreviewWithdrawn {
        reason: String,
    },
    FailureDiscarded,
    GoLiveScheduled {
        at: OffsetDateTime,
    },
    GoLiveUnscheduled {
        reason: String,
    },
    ValidationReported {
        warnings: u32,
        report: String,
    },
    Superseded {
        by: Uuid,
    },
}

/// Id of the step that stands for a stop of the offer or of a plan.
pub const STOP_DISTRIBUTION: &str = "stop-distribution";

/// Something a neighbour is to do, keyed by (submission, step, attempt).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub submission: Uuid,
    pub step: &'static str,
    pub attempt: u32,
    pub kind: OrderKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderKind {
    Validate,
    Certify {
        leg: Leg,
    },
    PreparePreview,
    Activate {
        certified: String,
        signed_off: String,
    },
    Remove,
    /// Withdraw the case, drop a preview that isn't served. No answer.
    Cancel,
}

/// One numbered move of a submission or of one of its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    pub submission: Uuid,
    pub number: u64,
    pub at: OffsetDateTime,
    pub step: Option<(StepId, StepState)>,
    pub state: SubmissionState,
    pub message: String,
    /// How long a completed step took.
    pub took_ms: Option<i64>,
}

/// What becomes of the offer's incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncidentNews {
    Raised {
        submission: Uuid,
        step: StepId,
        attempts: u32,
        error: String,
        at: OffsetDateTime,
    },
    Closed {
        at: OffsetDateTime,
    },
}
