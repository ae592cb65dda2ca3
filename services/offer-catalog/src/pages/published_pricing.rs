//! What a published plan can't take back (PN-5, PN-6, PN-8, PN-9, PN-10, UP-10).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::{BillingTerm, Issues, PlanAudience, PlanPricing, Price};

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
        self.check_changes(published, issues);
    }

    /// UP-10: what was free stays free, and a plan doesn't become dearer here and cheaper there at once.
    fn check_changes(&self, published: &Self, issues: &mut Issues) {
        let mut directions = BTreeSet::new();
        let changes = self
            .price_changes(published)
            .chain(self.meter_changes(published));
        for (field, before, now) in changes {
            if before == 0 && now > 0 {
                let message = "what was published at no cost can't be charged for";
                let remedy = "Set it to 0, or make a new plan.";
                issues.error(field, "FROZEN_BY_PUBLISH", message, remedy);
            }
            directions.insert(now.cmp(&before));
        }
        if directions.contains(&Ordering::Less) && directions.contains(&Ordering::Greater) {
            issues.error(
                "prices",
                "MIXED_PRICE_CHANGE",
                "some prices of the plan rise and others fall",
                "Publish the increases first and the decreases later, or the other way round.",
            );
        }
    }

    /// Field, published amount and new one of what customers pay for the same term, market and cores. A price in another
    /// currency counts as more, as it does for its notice, unless it was nothing.
    fn price_changes<'a>(&'a self, published: &'a Self) -> impl Iterator<Item = Change> + 'a {
        let (before, now) = (published.prices_for(), self.prices_for());
        let keys: BTreeSet<_> = before.keys().chain(now.keys()).copied().collect();
        keys.into_iter().filter_map(move |(term, cores, market)| {
            let find = |prices: &BTreeMap<For<'a>, (usize, &'a Price)>| {
                let own = prices.get(&(term, cores, market));
                own.or_else(|| prices.get(&(term, cores, ""))).copied()
            };
            let ((_, before), (at, now)) = (find(&before)?, find(&now)?);
            let (was, is) = (before.hundredths()?, now.hundredths()?);
            let same = before.currency == now.currency && before.paid_every() == now.paid_every();
            let is = if same || was == 0 { is } else { u64::MAX };
            Some((format!("prices[{at}].amount"), was, is))
        })
    }

    /// Every price with its place, by what it is for.
    fn prices_for(&self) -> BTreeMap<For<'_>, (usize, &Price)> {
        let prices = self.prices.iter().enumerate();
        prices
            .map(|(at, price)| {
                (
                    (price.term, price.cores, price.market.as_str()),
                    (at, price),
                )
            })
            .collect()
    }

    fn meter_changes<'a>(&'a self, published: &'a Self) -> impl Iterator<Item = Change> + 'a {
        self.meters.iter().enumerate().filter_map(|(at, meter)| {
            let before = published
                .meters
                .iter()
                .find(|before| before.id == meter.id)?;
            let (was, is) = (before.hundred_thousandths()?, meter.hundred_thousandths()?);
            Some((format!("meters[{at}].price_per_unit"), was, is))
        })
    }
}

/// Term, cores and market that a price is for; no market: all without a price of their own.
type For<'a> = (Option<BillingTerm>, u32, &'a str);

/// A field, what it was and what it is.
type Change = (String, u64, u64);
