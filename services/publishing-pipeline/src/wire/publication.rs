//! The publication on the wire.

use marketplace_proto::offercatalog::v1::{DeprecationReason, OfferStatus};
use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::timestamp::{duration_to_proto, to_proto};
use uuid::Uuid;

use crate::domain::{
    DeprecationReason as Reason, Distribution, Move, Offering, PlanState, Status, Stop,
};

fn status(status: Status) -> OfferStatus {
    match status {
        Status::Draft => OfferStatus::Draft,
        Status::PublishInProgress => OfferStatus::PublishInProgress,
        Status::AttentionNeeded => OfferStatus::AttentionNeeded,
        Status::Preview => OfferStatus::Preview,
        Status::Live => OfferStatus::Live,
        Status::PendingStopDistribution => OfferStatus::PendingStopDistribution,
        Status::NotAvailable => OfferStatus::NotAvailable,
    }
}

pub fn publication(offering: &Offering) -> pb::Publication {
    let row = offering.publication();
    let name = |id: Option<Uuid>| id.map(|id| row.submission_name(id)).unwrap_or_default();
    let snapshot = |id: Option<Uuid>| {
        let submission = id.and_then(|id| offering.submission(id));
        submission
            .map(|submission| submission.profile.snapshot.clone())
            .unwrap_or_default()
    };
    let plan = |plan: &crate::domain::PlanDistribution| pb::PlanDistribution {
        plan_id: plan.id.clone(),
        plan_name: plan.name.clone(),
        state: plan_state(plan.state).into(),
    };
    pb::Publication {
        offer: row.name(),
        offer_uid: row.offer_uid.to_string(),
        status: status(offering.status()).into(),
        revision: row.revision,
        in_flight: name(row.in_flight),
        awaiting_sign_off: name(row.awaiting_sign_off),
        preview_submission: name(row.preview),
        live_submission: name(row.live),
        latest_submission: name(row.latest),
        distribution: distribution(row.distribution).into(),
        plans: row.plans.iter().map(plan).collect(),
        attention: row.failed.is_some(),
        scheduled_go_live: row.schedule.as_ref().map(|schedule| to_proto(schedule.at)),
        update_time: (row.revision > 0).then(|| to_proto(row.update_time)),
        preview_snapshot: snapshot(row.preview),
        live_snapshot: snapshot(row.live),
        stop_effective: row
            .stop
            .as_ref()
            .filter(|stop| stop.scheduled)
            .map(|stop| to_proto(stop.effective)),
        deprecation: row.stop.as_ref().and_then(deprecation),
    }
}

fn deprecation(stop: &Stop) -> Option<pb::DeprecationSchedule> {
    let told = stop.deprecation.as_ref()?;
    let reason = match told.reason {
        Reason::CriticalSecurityIssue => DeprecationReason::CriticalSecurityIssue,
        Reason::EndOfSupport => DeprecationReason::EndOfSupport,
        Reason::Other => DeprecationReason::Other,
    };
    Some(pb::DeprecationSchedule {
        date: Some(to_proto(stop.effective)),
        date_offset: Some(duration_to_proto(stop.effective - told.requested)),
        reason: reason.into(),
        alternative: told.alternative.clone(),
    })
}

fn distribution(distribution: Distribution) -> pb::Distribution {
    match distribution {
        Distribution::Never => pb::Distribution::Never,
        Distribution::Active => pb::Distribution::Active,
        Distribution::StopPending => pb::Distribution::StopPending,
        Distribution::Stopped => pb::Distribution::Stopped,
    }
}

fn plan_state(state: PlanState) -> pb::PlanDistributionState {
    match state {
        PlanState::StopPending => pb::PlanDistributionState::StopPending,
        PlanState::NotAvailable => pb::PlanDistributionState::NotAvailable,
        PlanState::RestorePending => pb::PlanDistributionState::RestorePending,
    }
}

/// The buttons of the Offer overview, in order, with the moves of the domain that each stands for.
pub const fn overview_move() -> [(pb::PublicationMove, &'static [Move]); 8] {
    use pb::PublicationMove as P;
    [
        (P::Publish, &[Move::Publish]),
        (P::CancelPublish, &[Move::CancelPublish]),
        (P::GoLive, &[Move::GoLive]),
        (P::CancelScheduledGoLive, &[Move::CancelScheduledGoLive]),
        (P::StopDistribution, &[Move::StopOffer]),
        (
            P::ResumeDistribution,
            &[Move::ResumeOffer, Move::ResumePlan],
        ),
        (P::RestorePlan, &[Move::RestorePlan]),
        (P::DiscardFailure, &[Move::DiscardFailure]),
    ]
}

/// Whether any of a button's moves is possible.
pub fn move_of(offering: &Offering, moves: &[Move]) -> bool {
    moves.iter().any(|&one| offering.allows(one))
}
