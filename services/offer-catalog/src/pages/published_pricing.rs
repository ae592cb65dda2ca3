//! What a published plan can't take back (PN-5, PN-6, PN-8, PN-9, PN-10, UP-10).

use std::collections::BTreeSet;

use super::{BillingTerm, Issues, PlanAudience, PlanPricing};

impl PlanPricing {
    /// PN-5, PN-6, PN-8, PN-9, PN-10, UP-10: what a published plan can't take back.
    pub fn check_against(&self, published: &Self, issues: &mut Issues) {
        let mut frozen = |field: &str, message: String, remedy: &str| {
            issues.error(field, "FROZEN_BY_PUBLISH", message, remedy)
        };
        if let (Some(before), Some(now)) = (published.model, self.model)
            && before != now
        {
            frozen(
                "model",
                format!("was published as {} and stays that", before.as_str()),
                "Choose it again, or make a new offer.",
            );
        }
        if published.audience == Some(PlanAudience::Public) && self.is_private() {
            frozen(
                "audience",
                "a plan that was sold to everybody can't become private".into(),
                "Choose PUBLIC, or make a new plan.",
            );
        }
        if published.free_trial && !self.free_trial {
            frozen(
                "free_trial",
                "a published free trial can't be switched off".into(),
                "Switch it on.",
            );
        }
        let terms: BTreeSet<BillingTerm> =
            self.prices.iter().filter_map(|price| price.term).collect();
        let before: BTreeSet<BillingTerm> = published
            .prices
            .iter()
            .filter_map(|price| price.term)
            .collect();
        for term in before.difference(&terms) {
            frozen(
                "prices",
                format!("the published term {} is gone", term.as_str()),
                "Add a price for it.",
            );
        }
        for meter in &published.meters {
            if !self.meters.iter().any(|now| now.id == meter.id) {
                frozen(
                    "meters",
                    format!(
                        "the published meter {} is gone; ids of meters never change",
                        meter.id
                    ),
                    "Add it again.",
                );
            }
        }
        let free = |pricing: &Self| {
            pricing
                .prices
                .iter()
                .all(|price| price.hundredths() == Some(0))
                && !pricing.prices.is_empty()
        };
        if free(published) && !free(self) && !self.prices.is_empty() {
            frozen(
                "prices",
                "a plan that was published at no cost can't be charged for".into(),
                "Set its prices to 0, or make a new plan.",
            );
        }
    }
}
