//! The life of a submission and of a step: two tables, and nothing else.
//!
//! ```text
//! Queued ─start─► PreviewLeg ─reach sign-off─► AwaitingSignOff ─sign off─► LiveLeg ─activate─► Live
//!    │               │ │                          ▲  │  │                   │  │
//!    │               │ └─fail─► Failed ◄──────────┼──┼──┼───────fail────────┘  │
//!    │               │            └─retry (T24), await again (T37)            │
//!    └─request cancel┴─► CancelingPreview ─► Canceled │  └─withdraw─► Withdrawn│
//!                        CancelingLive ◄──────────────┼───────request cancel──┘
//!                             └─finish cancel─► AwaitingSignOff
//!    supersede (T38), give way (T10) ─────────────────┴─► Superseded
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a submission is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubmissionState {
    Queued,
    PreviewLeg,
    AwaitingSignOff,
    LiveLeg,
    Live,
    Failed,
    CancelingPreview,
    CancelingLive,
    Canceled,
    Superseded,
    Withdrawn,
}

/// What can happen to a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubmissionMove {
    Start,
    ReachSignOff,
    SignOff,
    Activate,
    Fail,
    Retry,
    AwaitAgain,
    RequestCancel,
    FinishCancel,
    Supersede,
    GiveWay,
    Withdraw,
}

/// Where a step is (PL-5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    #[default]
    NotStarted,
    InProgress,
    WaitingForPublisherReview,
    WaitingForApproval,
    Blocked,
    Rejected,
    Complete,
    Canceled,
}

/// What can happen to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepMove {
    Start,
    AwaitPublisher,
    AwaitReviewer,
    GoOn,
    Block,
    Retry,
    Complete,
    Reject,
    Cancel,
    Reset,
    Reopen,
}

impl SubmissionState {
    pub const ALL: [SubmissionState; 11] = [
        Self::Queued,
        Self::PreviewLeg,
        Self::AwaitingSignOff,
        Self::LiveLeg,
        Self::Live,
        Self::Failed,
        Self::CancelingPreview,
        Self::CancelingLive,
        Self::Canceled,
        Self::Superseded,
        Self::Withdrawn,
    ];

    /// Every legal move out of this state. An empty list is what "final" means.
    pub const fn moves(self) -> &'static [(SubmissionMove, SubmissionState)] {
        use SubmissionMove as M;
        use SubmissionState as S;
        match self {
            S::Queued => &[
                (M::Start, S::PreviewLeg),
                (M::RequestCancel, S::CancelingPreview),
                (M::Supersede, S::Superseded),
            ],
            S::PreviewLeg => &[
                (M::ReachSignOff, S::AwaitingSignOff),
                (M::Fail, S::Failed),
                (M::RequestCancel, S::CancelingPreview),
                (M::Supersede, S::Superseded),
            ],
            S::AwaitingSignOff => &[
                (M::SignOff, S::LiveLeg),
                (M::GiveWay, S::Superseded),
                (M::Withdraw, S::Withdrawn),
            ],
            S::LiveLeg => &[
                (M::Activate, S::Live),
                (M::Fail, S::Failed),
                (M::RequestCancel, S::CancelingLive),
            ],
            S::Failed => &[(M::Retry, S::LiveLeg), (M::AwaitAgain, S::AwaitingSignOff)],
            S::CancelingPreview => &[(M::FinishCancel, S::Canceled)],
            S::CancelingLive => &[(M::FinishCancel, S::AwaitingSignOff)],
            S::Live | S::Canceled | S::Superseded | S::Withdrawn => &[],
        }
    }

    /// The state after a move.
    pub fn after(self, wanted: SubmissionMove) -> Result<SubmissionState, IllegalMove> {
        let next = self.moves().iter().find(|(m, _)| *m == wanted);
        next.map(|&(_, state)| state)
            .ok_or_else(|| IllegalMove::of(self, wanted))
    }

    /// Queued, running or being canceled: at most one per offer.
    pub const fn in_flight(self) -> bool {
        matches!(
            self,
            Self::Queued
                | Self::PreviewLeg
                | Self::LiveLeg
                | Self::CancelingPreview
                | Self::CancelingLive
        )
    }

    pub const fn canceling(self) -> bool {
        matches!(self, Self::CancelingPreview | Self::CancelingLive)
    }

    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::PreviewLeg => "preview_leg",
            Self::AwaitingSignOff => "awaiting_sign_off",
            Self::LiveLeg => "live_leg",
            Self::Live => "live",
            Self::Failed => "failed",
            Self::CancelingPreview => "canceling_preview",
            Self::CancelingLive => "canceling_live",
            Self::Canceled => "canceled",
            Self::Superseded => "superseded",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl StepState {
    pub const ALL: [StepState; 8] = [
        Self::NotStarted,
        Self::InProgress,
        Self::WaitingForPublisherReview,
        Self::WaitingForApproval,
        Self::Blocked,
        Self::Rejected,
        Self::Complete,
        Self::Canceled,
    ];

    /// Every legal move out of this state. `Reset` and `Reopen` are for a live leg that is walked again (T19, T24, T37).
    pub const fn moves(self) -> &'static [(StepMove, StepState)] {
        use StepMove as M;
        use StepState as S;
        match self {
            S::NotStarted => &[
                (M::Start, S::InProgress),
                (M::AwaitPublisher, S::WaitingForPublisherReview),
            ],
            S::InProgress => &[
                (M::AwaitReviewer, S::WaitingForApproval),
                (M::Block, S::Blocked),
                (M::Complete, S::Complete),
                (M::Reject, S::Rejected),
                (M::Cancel, S::Canceled),
            ],
            S::WaitingForPublisherReview => &[(M::Complete, S::Complete), (M::Cancel, S::Canceled)],
            S::WaitingForApproval => &[
                (M::GoOn, S::InProgress),
                (M::Block, S::Blocked),
                (M::Complete, S::Complete),
                (M::Reject, S::Rejected),
                (M::Cancel, S::Canceled),
            ],
            S::Blocked => &[
                (M::Retry, S::InProgress),
                (M::Complete, S::Complete),
                (M::Reject, S::Rejected),
                (M::Cancel, S::Canceled),
            ],
            S::Rejected | S::Canceled => &[(M::Reset, S::NotStarted)],
            S::Complete => &[
                (M::Reset, S::NotStarted),
                (M::Reopen, S::WaitingForPublisherReview),
            ],
        }
    }

    /// The state after a move.
    pub fn after(self, wanted: StepMove) -> Result<StepState, IllegalMove> {
        let next = self.moves().iter().find(|(m, _)| *m == wanted);
        next.map(|&(_, state)| state)
            .ok_or_else(|| IllegalMove::of(self, wanted))
    }

    /// Started and not ended.
    pub const fn active(self) -> bool {
        matches!(
            self,
            Self::InProgress
                | Self::WaitingForPublisherReview
                | Self::WaitingForApproval
                | Self::Blocked
        )
    }

    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::InProgress => "in_progress",
            Self::WaitingForPublisherReview => "waiting_for_publisher_review",
            Self::WaitingForApproval => "waiting_for_approval",
            Self::Blocked => "blocked",
            Self::Rejected => "rejected",
            Self::Complete => "complete",
            Self::Canceled => "canceled",
        }
    }
}

/// A move that the table doesn't list. Guards come before, so one that gets here is a broken invariant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{wanted} is no move out of {from}")]
pub struct IllegalMove {
    pub from: String,
    pub wanted: String,
}

impl IllegalMove {
    fn of(from: impl fmt::Debug, wanted: impl fmt::Debug) -> Self {
        Self {
            from: format!("{from:?}"),
            wanted: format!("{wanted:?}"),
        }
    }
}

/// A stored text that names no state: never a default.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no state")]
pub struct UnknownState(pub String);

impl std::str::FromStr for SubmissionState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or_else(|| UnknownState(text.to_owned()))
    }
}

impl std::str::FromStr for StepState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or_else(|| UnknownState(text.to_owned()))
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
