//! What a published plan can't take back (PN-5, PN-6, PN-8, PN-9, PN-10, UP-10).

use std::cmp::Ordering;
use std::collections::BTreeSet;

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
    /// currency is neither more nor less, unless it was nothing.
    fn price_changes<'a>(&'a self, published: &'a Self) -> impl Iterator<Item = Change> + 'a {
        let keys: BTreeSet<_> = [self, published]
            .into_iter()
            .flat_map(|pricing| &pricing.prices)
            .map(|price| (price.term, price.cores, price.market.as_str()))
            .collect();
        keys.into_iter().filter_map(|(term, cores, market)| {
            let (_, before) = published.price_for(term, cores, market)?;
            let (at, now) = self.price_for(term, cores, market)?;
            let (was, is) = (before.hundredths()?, now.hundredths()?);
            let comparable = was == 0 || before.currency == now.currency;
            comparable.then(|| (format!("prices[{at}].amount"), was, is))
        })
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

    /// The price of a market; without one of its own, that of all markets.
    fn price_for(
        &self,
        term: Option<BillingTerm>,
        cores: u32,
        market: &str,
    ) -> Option<(usize, &Price)> {
        let of = |market: &str| {
            let mut prices = self.prices.iter().enumerate();
            prices.find(|(_, price)| {
                (price.term, price.cores, price.market.as_str()) == (term, cores, market)
            })
        };
        of(market).or_else(|| of(""))
    }
}

/// A field, what it was and what it is.
type Change = (String, u64, u64);
