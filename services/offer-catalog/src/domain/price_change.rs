//! When a price that was published comes into force (UP-10): a lower one on the first of the next month, a higher one on the
//! first that is 90 days away. Until then customers pay what they paid.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::{Date, Duration, Month, OffsetDateTime};

use super::purchase::quote;
use super::snapshot::Content;
use crate::pages::{BillingTerm, CustomMeter, PlanPricing, Price};

/// How long a higher price is known before it comes into force.
const NOTICE: Duration = Duration::days(90);

/// What customers pay until the price that was published comes into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceChange {
    /// Of this plan.
    pub plan_id: String,
    /// What is paid until then.
    pub before: Before,
    /// Until when.
    #[serde(with = "time::serde::rfc3339")]
    pub effective_time: OffsetDateTime,
}

/// A price that is paid for a while yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// Of a term, in its market.
    Price(Price),
    /// Of a unit.
    Meter(CustomMeter),
}

/// What a price is for: a plan has one for each. How it is paid, in which currency and for how many users may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    term: Option<BillingTerm>,
    cores: u32,
    market: &'a str,
}

impl<'a> Key<'a> {
    fn of(price: &'a Price) -> Self {
        Self {
            term: price.term,
            cores: price.cores,
            market: &price.market,
        }
    }
}

/// The prices of a plan by what they are for: there may be thousands.
struct Prices<'a>(BTreeMap<Key<'a>, &'a Price>);

impl<'a> Prices<'a> {
    fn of(pricing: &'a PlanPricing) -> Self {
        Self(
            pricing
                .prices
                .iter()
                .map(|price| (Key::of(price), price))
                .collect(),
        )
    }

    /// A price of this market goes before one for all markets.
    fn get(&self, key: Key<'_>) -> Option<&'a Price> {
        let own = self
            .0
            .get(&key)
            .or_else(|| self.0.get(&Key { market: "", ..key }));
        own.copied()
    }
}

/// Whether customers pay the same.
fn same(one: &Price, other: &Price) -> bool {
    comparable(one, other) && one.hundredths() == other.hundredths()
}

/// Whether it can be told which is higher. What is paid in another currency, or in other pieces, counts as dearer: nobody
/// may have to pay it at once.
fn comparable(one: &Price, other: &Price) -> bool {
    one.currency == other.currency && one.paid_every() == other.paid_every()
}

/// The pricing that customers meet at this time.
pub fn in_force(
    pricing: &PlanPricing,
    plan_id: &str,
    changes: &[PriceChange],
    at: OffsetDateTime,
) -> PlanPricing {
    let mut pricing = pricing.clone();
    let places: BTreeMap<_, _> = (pricing.prices.iter().enumerate())
        .map(|(at, price)| ((price.term, price.cores, price.market.clone()), at))
        .collect();
    let waiting = changes
        .iter()
        .filter(|change| change.plan_id == plan_id && change.effective_time > at);
    for change in waiting {
        match &change.before {
            Before::Price(before) => {
                match places.get(&(before.term, before.cores, before.market.clone())) {
                    Some(&at) => pricing.prices[at].clone_from(before),
                    None => pricing.prices.push(before.clone()),
                }
            }
            Before::Meter(before) => {
                let same = |meter: &&mut CustomMeter| meter.id == before.id;
                if let Some(meter) = pricing.meters.iter_mut().find(same) {
                    meter.price_per_unit.clone_from(&before.price_per_unit);
                }
            }
        }
    }
    pricing
}

/// A price that is published and not paid yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced<'a> {
    /// As a charge reads.
    pub charge: String,
    /// Empty: all markets that have no price of their own.
    pub market: &'a str,
    /// Of a unit of this meter; empty: of the plan itself.
    pub meter: &'a str,
    pub effective_time: OffsetDateTime,
}

/// What customers of a plan will pay instead of what they pay now, soonest first.
pub fn announced<'a>(
    pricing: &PlanPricing,
    plan_id: &str,
    changes: &'a [PriceChange],
    now: OffsetDateTime,
) -> Vec<Announced<'a>> {
    let prices = Prices::of(pricing);
    let waiting = changes
        .iter()
        .filter(|change| change.plan_id == plan_id && change.effective_time > now);
    let announce = |change: &'a PriceChange| {
        let (charge, market, meter) = match &change.before {
            Before::Price(before) => {
                let next = prices.get(Key::of(before))?;
                (quote(next, pricing.model?), before.market.as_str(), "")
            }
            Before::Meter(before) => {
                let next = pricing.meters.iter().find(|meter| meter.id == before.id)?;
                let charge = format!("USD {} per {}", next.price_per_unit, next.unit);
                (charge, "", before.id.as_str())
            }
        };
        Some(Announced {
            charge,
            market,
            meter,
            effective_time: change.effective_time,
        })
    };
    let mut announced: Vec<_> = waiting.filter_map(announce).collect();
    announced.sort_by_key(|one| one.effective_time);
    announced
}

/// What waits from now on, when `next` takes the place of `live`. A price that was published before, and waits, keeps its
/// date.
pub fn changes(
    live: &Content,
    waiting: &[PriceChange],
    next: &Content,
    cutoff_days: u8,
    now: OffsetDateTime,
) -> Vec<PriceChange> {
    let mut changes = Vec::new();
    for plan in &next.plans {
        let live = live.plan(&plan.plan_id);
        let (Some(published), Some(next)) = (
            live.and_then(|live| live.pages.plan_pricing.as_ref()),
            plan.pages.plan_pricing.as_ref(),
        ) else {
            continue;
        };
        let paid = in_force(published, &plan.plan_id, waiting, now);
        let waiting = Waiting::of(waiting, &plan.plan_id, now);
        let mut wait = |before: Before, lower: bool, kept: Option<OffsetDateTime>| {
            changes.push(PriceChange {
                plan_id: plan.plan_id.clone(),
                before,
                effective_time: kept.unwrap_or_else(|| effective(lower, cutoff_days, now)),
            });
        };
        let keys: BTreeSet<Key<'_>> = (next.prices.iter())
            .chain(&paid.prices)
            .map(Key::of)
            .collect();
        let (paid_for, asked, before) =
            (Prices::of(&paid), Prices::of(next), Prices::of(published));
        for key in keys {
            let (Some(old), Some(new)) = (paid_for.get(key), asked.get(key)) else {
                continue;
            };
            if same(old, new) {
                continue;
            }
            let known = before.get(key).is_some_and(|before| same(before, new));
            let kept = waiting.prices.get(&key).copied().filter(|_| known);
            let lower = comparable(old, new) && new.hundredths() < old.hundredths();
            let old = Price {
                market: key.market.to_owned(),
                ..old.clone()
            };
            wait(Before::Price(old), lower, kept);
        }
        for new in &next.meters {
            let of = |pricing: &PlanPricing| {
                let meter = pricing.meters.iter().find(|meter| meter.id == new.id);
                meter.cloned()
            };
            let Some(old) = of(&paid) else { continue };
            let (from, to) = (old.hundred_thousandths(), new.hundred_thousandths());
            if from == to {
                continue;
            }
            let known = of(published).is_some_and(|meter| meter.hundred_thousandths() == to);
            let kept = waiting
                .meters
                .get(new.id.as_str())
                .copied()
                .filter(|_| known);
            let lower = to < from;
            wait(Before::Meter(old), lower, kept);
        }
    }
    changes
}

/// From when on what waits of a plan is paid.
struct Waiting<'a> {
    prices: BTreeMap<Key<'a>, OffsetDateTime>,
    meters: BTreeMap<&'a str, OffsetDateTime>,
}

impl<'a> Waiting<'a> {
    fn of(all: &'a [PriceChange], plan_id: &str, now: OffsetDateTime) -> Self {
        let mut waiting = Self {
            prices: BTreeMap::new(),
            meters: BTreeMap::new(),
        };
        let of_plan =
            |change: &&PriceChange| change.plan_id == plan_id && change.effective_time > now;
        for change in all.iter().filter(of_plan) {
            match &change.before {
                Before::Price(price) => {
                    waiting.prices.insert(Key::of(price), change.effective_time);
                }
                Before::Meter(meter) => {
                    waiting.meters.insert(&meter.id, change.effective_time);
                }
            }
        }
        waiting
    }
}

/// Whoever publishes in the last days of a month does it in the next one.
fn effective(lower: bool, cutoff_days: u8, now: OffsetDateTime) -> OffsetDateTime {
    let today = now.to_offset(time::UtcOffset::UTC).date();
    let days = today.month().length(today.year());
    let from = if today.day() > days.saturating_sub(cutoff_days) {
        next_first(today)
    } else {
        today
    };
    let date = if lower {
        next_first(from)
    } else {
        match from + NOTICE {
            first if first.day() == 1 => first,
            later => next_first(later),
        }
    };
    date.midnight().assume_utc()
}

fn next_first(date: Date) -> Date {
    let month = date.month().next();
    let year = date.year() + i32::from(month == Month::January);
    // Every month has a first day, and the year 10000 is not ours.
    Date::from_calendar_date(year, month, 1).unwrap_or(date)
}

#[cfg(test)]
mod tests;
