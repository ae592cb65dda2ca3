//! Which moves are allowed where: one table, asked by the moves themselves and by the Offer overview.
//!
//! The situation is finer than the status: it also says what is in flight and what may be taken back.

use super::offering::Offering;
use super::publication::PlanState;
use super::state::SubmissionState as S;
use super::status::{Facts, Status, status};

/// What somebody may want to do with an offer's publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Move {
    Publish,
    /// Publish with `in_flight_policy = SUPERSEDE` while something is in flight (T38).
    Supersede,
    CancelPublish,
    /// Now, later (T39), or again (T24).
    GoLive,
    CancelScheduledGoLive,
    StopOffer,
    ResumeOffer,
    StopPlan,
    ResumePlan,
    RestorePlan,
    DiscardFailure,
    /// By operators only.
    CancelLiveLeg,
    /// By operators only.
    WithdrawPreview,
}

impl Move {
    pub const ALL: [Move; 13] = [
        Move::Publish,
        Move::Supersede,
        Move::CancelPublish,
        Move::GoLive,
        Move::CancelScheduledGoLive,
        Move::StopOffer,
        Move::ResumeOffer,
        Move::StopPlan,
        Move::ResumePlan,
        Move::RestorePlan,
        Move::DiscardFailure,
        Move::CancelLiveLeg,
        Move::WithdrawPreview,
    ];

    /// As refusals name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Move::Publish => "PUBLISH",
            Move::Supersede => "SUPERSEDE",
            Move::CancelPublish => "CANCEL_PUBLISH",
            Move::GoLive => "GO_LIVE",
            Move::CancelScheduledGoLive => "CANCEL_SCHEDULED_GO_LIVE",
            Move::StopOffer => "STOP_DISTRIBUTION",
            Move::ResumeOffer => "RESUME_DISTRIBUTION",
            Move::StopPlan => "STOP_PLAN_DISTRIBUTION",
            Move::ResumePlan => "RESUME_PLAN_DISTRIBUTION",
            Move::RestorePlan => "RESTORE_PLAN",
            Move::DiscardFailure => "DISCARD_FAILURE",
            Move::CancelLiveLeg => "CANCEL_LIVE_LEG",
            Move::WithdrawPreview => "WITHDRAW_PREVIEW",
        }
    }
}

/// Where an offer's publication stands, as far as moves depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Situation {
    Draft,
    PreviewLeg,
    LiveLeg,
    FinalPublish,
    Canceling,
    StopPending,
    /// A stop ahead of its date (T35).
    StopScheduled,
    Attention,
    /// A platform fault in the live leg (T24).
    AttentionRetriable,
    NotAvailable,
    Preview,
    PreviewScheduled,
    PlanStopPending,
    Live,
}

impl Situation {
    pub const ALL: [Situation; 14] = [
        Situation::Draft,
        Situation::PreviewLeg,
        Situation::LiveLeg,
        Situation::FinalPublish,
        Situation::Canceling,
        Situation::StopPending,
        Situation::StopScheduled,
        Situation::Attention,
        Situation::AttentionRetriable,
        Situation::NotAvailable,
        Situation::Preview,
        Situation::PreviewScheduled,
        Situation::PlanStopPending,
        Situation::Live,
    ];

    /// Every move that this situation doesn't rule out. Some also need a live submission or a plan, see [`needs`].
    pub const fn moves(self) -> &'static [Move] {
        use Move as M;
        match self {
            Self::Draft => &[M::Publish],
            Self::PreviewLeg => &[M::Supersede, M::CancelPublish],
            Self::LiveLeg => &[M::CancelLiveLeg],
            Self::FinalPublish | Self::Canceling => &[],
            Self::StopPending => &[M::ResumePlan, M::RestorePlan],
            Self::StopScheduled => &[M::ResumeOffer, M::ResumePlan, M::RestorePlan],
            Self::NotAvailable => &[M::Publish, M::ResumePlan, M::RestorePlan],
            Self::PlanStopPending | Self::Live => &[
                M::Publish,
                M::StopOffer,
                M::StopPlan,
                M::ResumePlan,
                M::RestorePlan,
            ],
            Self::Attention => &[
                M::Publish,
                M::StopOffer,
                M::StopPlan,
                M::ResumePlan,
                M::RestorePlan,
                M::DiscardFailure,
            ],
            Self::AttentionRetriable => &[
                M::Publish,
                M::GoLive,
                M::StopOffer,
                M::StopPlan,
                M::ResumePlan,
                M::RestorePlan,
                M::DiscardFailure,
            ],
            Self::Preview => &[
                M::Publish,
                M::GoLive,
                M::StopOffer,
                M::StopPlan,
                M::ResumePlan,
                M::RestorePlan,
                M::WithdrawPreview,
            ],
            Self::PreviewScheduled => &[
                M::Publish,
                M::GoLive,
                M::CancelScheduledGoLive,
                M::StopOffer,
                M::StopPlan,
                M::ResumePlan,
                M::RestorePlan,
                M::WithdrawPreview,
            ],
        }
    }

    /// As refusals name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::PreviewLeg => "PUBLISH_IN_PROGRESS (preview leg)",
            Self::LiveLeg => "PUBLISH_IN_PROGRESS (live leg)",
            Self::FinalPublish => "PUBLISH_IN_PROGRESS (final publish)",
            Self::Canceling => "PUBLISH_IN_PROGRESS (canceling)",
            Self::StopPending => "PENDING_STOP_DISTRIBUTION (offer)",
            Self::StopScheduled => "PENDING_STOP_DISTRIBUTION (scheduled)",
            Self::Attention => "ATTENTION_NEEDED",
            Self::AttentionRetriable => "ATTENTION_NEEDED (system error in the live leg)",
            Self::NotAvailable => "NOT_AVAILABLE",
            Self::Preview => "PREVIEW",
            Self::PreviewScheduled => "PREVIEW (go live scheduled)",
            Self::PlanStopPending => "PENDING_STOP_DISTRIBUTION (plan)",
            Self::Live => "LIVE",
        }
    }
}

/// What a move needs besides the situation.
fn needs(offering: &Offering, wanted: Move) -> bool {
    let publication = offering.publication();
    match wanted {
        Move::StopOffer | Move::StopPlan => publication.live.is_some(),
        Move::ResumePlan => publication.has_plan(PlanState::StopPending),
        Move::RestorePlan => publication.has_plan(PlanState::NotAvailable),
        _ => true,
    }
}

impl Offering {
    /// What the status is derived from.
    pub fn facts(&self) -> Facts {
        let publication = self.publication();
        Facts {
            in_flight: publication.in_flight.is_some(),
            offer_stop_pending: publication.stop.is_some(),
            failed: publication.failed.is_some(),
            stopped: publication.distribution == super::publication::Distribution::Stopped,
            awaiting_sign_off: publication.awaiting_sign_off.is_some(),
            plan_stop_pending: publication.has_plan(PlanState::StopPending),
            live: publication.live.is_some(),
        }
    }

    pub fn status(&self) -> Status {
        status(self.facts())
    }

    pub fn situation(&self) -> Situation {
        let publication = self.publication();
        match self.status() {
            Status::Draft => Situation::Draft,
            Status::PublishInProgress => self.in_flight_situation(),
            Status::AttentionNeeded => {
                match publication.failed.and_then(|id| self.submission(id)) {
                    Some(failed) if failed.may_retry() => Situation::AttentionRetriable,
                    _ => Situation::Attention,
                }
            }
            Status::Preview if publication.schedule.is_some() => Situation::PreviewScheduled,
            Status::Preview => Situation::Preview,
            Status::Live => Situation::Live,
            Status::NotAvailable => Situation::NotAvailable,
            Status::PendingStopDistribution => match &publication.stop {
                Some(stop) if stop.scheduled && stop.ordered.is_none() => Situation::StopScheduled,
                Some(_) => Situation::StopPending,
                None => Situation::PlanStopPending,
            },
        }
    }

    fn in_flight_situation(&self) -> Situation {
        let Some(submission) = self
            .publication()
            .in_flight
            .and_then(|id| self.submission(id))
        else {
            return Situation::Canceling;
        };
        match submission.state {
            S::Queued | S::PreviewLeg => Situation::PreviewLeg,
            S::LiveLeg if submission.publishes() => Situation::FinalPublish,
            S::LiveLeg => Situation::LiveLeg,
            _ => Situation::Canceling,
        }
    }

    pub fn allows(&self, wanted: Move) -> bool {
        self.situation().moves().contains(&wanted) && needs(self, wanted)
    }

    /// All moves that are possible now.
    pub fn allowed(&self) -> Vec<Move> {
        self.situation()
            .moves()
            .iter()
            .copied()
            .filter(|&wanted| needs(self, wanted))
            .collect()
    }

    pub(super) fn guard(&self, wanted: Move) -> Result<(), super::Refusal> {
        if self.allows(wanted) {
            return Ok(());
        }
        Err(super::Refusal::IllegalMove {
            situation: self.situation(),
            wanted,
            allowed: self.allowed(),
        })
    }
}
