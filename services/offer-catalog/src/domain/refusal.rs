//! The rules that say no: FAILED_PRECONDITION with a reason of its own.

/// Why something can't be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// E-4
    #[error("the publisher is not enrolled in the commercial marketplace programme")]
    NotEnrolled,
    /// T34
    #[error(
        "the offer was submitted before; what was submitted can't be deleted, only taken off the marketplace"
    )]
    EverFrozen,
    /// OT-1
    #[error("offers of this type have no plans")]
    PlansNotSupported,
    /// PN-1
    #[error("an offer has at most 100 plans")]
    TooManyPlans,
    /// At most 200, so that nothing grows without a bound.
    #[error("an offer has at most 200 assets; delete those that no page names")]
    TooManyAssets,
    /// T04, A37
    #[error(
        "the plan is part of an open submission or was in a preview; stop its distribution instead"
    )]
    PlanFrozen,
    /// RO-4
    #[error("a publisher has at least one owner; make somebody else owner first")]
    LastOwner,
    /// OT-2
    #[error("the offer is not sold through the marketplace; follow its call to action instead")]
    NotTransactable,
    /// T31
    #[error("the plan is no longer sold")]
    PlanStopped,
    /// PV-8
    #[error("only a preview can be acquired without a charge")]
    NoChargeNeedsPreview,
    /// PN-10
    #[error("the plan has no price for this market")]
    NotSoldInMarket,
    /// SY-2, SY-6
    #[error("the plan is no private plan of the live listing; publish it first")]
    NoLivePrivatePlan,
    /// SY-3
    #[error("the audience has a kind of id that was not published yet; publish the offer")]
    NewAudienceKind,
    /// PN-11
    #[error("a private plan needs at least one customer in its audience")]
    EmptyAudience,
    /// Rollback: what customers have can't vanish with it.
    #[error(
        "the source lacks a plan that is live and not being stopped; stop its distribution first"
    )]
    SourceLacksPlan,
    /// PV-9
    #[error("this offer takes no contact details: it has no lead destination")]
    NoLeadDestination,
}

impl Refusal {
    /// All of them.
    pub const ALL: &'static [Refusal] = &[
        Refusal::NotEnrolled,
        Refusal::EverFrozen,
        Refusal::PlansNotSupported,
        Refusal::TooManyPlans,
        Refusal::TooManyAssets,
        Refusal::PlanFrozen,
        Refusal::LastOwner,
        Refusal::NotTransactable,
        Refusal::PlanStopped,
        Refusal::NoChargeNeedsPreview,
        Refusal::NotSoldInMarket,
        Refusal::NoLivePrivatePlan,
        Refusal::NewAudienceKind,
        Refusal::EmptyAudience,
        Refusal::SourceLacksPlan,
        Refusal::NoLeadDestination,
    ];

    /// For programs; part of the contract.
    pub const fn reason(self) -> &'static str {
        match self {
            Refusal::NotEnrolled => "NOT_ENROLLED",
            Refusal::EverFrozen => "EVER_FROZEN",
            Refusal::PlansNotSupported => "PLANS_NOT_SUPPORTED",
            Refusal::TooManyPlans => "TOO_MANY_PLANS",
            Refusal::TooManyAssets => "TOO_MANY_ASSETS",
            Refusal::PlanFrozen => "PLAN_FROZEN",
            Refusal::LastOwner => "LAST_OWNER",
            Refusal::NotTransactable => "NOT_TRANSACTABLE",
            Refusal::PlanStopped => "PLAN_STOPPED",
            Refusal::NoChargeNeedsPreview => "NO_CHARGE_NEEDS_PREVIEW",
            Refusal::NotSoldInMarket => "NOT_SOLD_IN_MARKET",
            Refusal::NoLivePrivatePlan => "NO_LIVE_PRIVATE_PLAN",
            Refusal::NewAudienceKind => "NEW_AUDIENCE_KIND",
            Refusal::EmptyAudience => "EMPTY_AUDIENCE",
            Refusal::SourceLacksPlan => "SOURCE_LACKS_PLAN",
            Refusal::NoLeadDestination => "NO_LEAD_DESTINATION",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Programs go by them: a refusal that is renamed here keeps its reason, or this test is told why not.
    #[test]
    fn every_refusal_has_the_reason_of_its_name() {
        for refusal in Refusal::ALL {
            let mut reason = String::new();
            for c in format!("{refusal:?}").chars() {
                if c.is_uppercase() && !reason.is_empty() {
                    reason.push('_');
                }
                reason.push(c.to_ascii_uppercase());
            }
            assert_eq!(refusal.reason(), reason);
        }
    }
}
