//! Plans of the Offer overview on the wire.

use marketplace_proto::offercatalog::v1 as catalog;
use marketplace_proto::publishing::v1 as pb;

use crate::domain::{Drafted, DraftedPlan, Lifecycle, PlanMove, PlanRow};

/// What the catalogue says of the plans of a draft.
pub fn drafted(draft: &catalog::GetDraftStandingResponse) -> Drafted {
    let plan = |plan: &catalog::PlanStanding| DraftedPlan {
        id: plan.plan_id.clone(),
        name: plan.name.clone(),
        deletable: plan.deletable,
        live_private: plan.live_private,
        was_live: plan.was_live,
    };
    let kind = draft.offer_type.as_ref();
    Drafted {
        plans: draft.plans.iter().map(plan).collect(),
        private_plans: kind.is_some_and(|kind| kind.supports_private_plans),
    }
}

/// A row of the Plan overview.
pub fn plan_row(row: PlanRow) -> pb::PlanOverview {
    let action = |(wanted, refused): (PlanMove, Result<(), String>)| {
        let allowed = refused.is_ok();
        let (reason, needs_confirmation) = match refused {
            Err(why) => (why, false),
            Ok(()) => to_know(wanted),
        };
        pb::PlanAction {
            r#move: plan_move(wanted).into(),
            allowed,
            reason,
            needs_confirmation,
        }
    };
    pb::PlanOverview {
        plan_id: row.id,
        plan_name: row.name,
        lifecycle: lifecycle(row.lifecycle).into(),
        actions: row.moves.into_iter().map(action).collect(),
    }
}

/// What to know before the button is pressed, and whether to ask.
fn to_know(wanted: PlanMove) -> (String, bool) {
    let (text, ask) = match wanted {
        PlanMove::DeleteDraft => ("the plan and its pages are gone for good", true),
        PlanMove::Stop => (
            "customers can't buy it any more once a publish with the stop is live; repeat its id to confirm",
            true,
        ),
        PlanMove::Restore => ("it is on sale once a publish with it is live", false),
        PlanMove::Resume | PlanMove::SyncPrivateAudience => ("", false),
    };
    (text.to_owned(), ask)
}

const fn plan_move(wanted: PlanMove) -> pb::PlanMove {
    match wanted {
        PlanMove::DeleteDraft => pb::PlanMove::DeleteDraft,
        PlanMove::Stop => pb::PlanMove::StopDistribution,
        PlanMove::Resume => pb::PlanMove::ResumeDistribution,
        PlanMove::Restore => pb::PlanMove::Restore,
        PlanMove::SyncPrivateAudience => pb::PlanMove::SyncPrivateAudience,
    }
}

const fn lifecycle(lifecycle: Lifecycle) -> pb::PlanLifecycle {
    match lifecycle {
        Lifecycle::Draft => pb::PlanLifecycle::Draft,
        Lifecycle::Preview => pb::PlanLifecycle::Preview,
        Lifecycle::Live => pb::PlanLifecycle::Live,
        Lifecycle::StopPending => pb::PlanLifecycle::StopPending,
        Lifecycle::NotAvailable => pb::PlanLifecycle::NotAvailable,
    }
}
