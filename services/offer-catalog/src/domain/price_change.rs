//! When a price that was published comes into force (UP-10): a lower one on the first of the next month, a higher one on the
//! first that is 90 days away. Until then customers pay what they paid.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::{Date, Duration, Month, OffsetDateTime};

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
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::domain::samples;

    const NOW: OffsetDateTime = datetime!(2026-11-10 12:00 UTC);

    /// The sample, whose plan has these prices.
    fn content(prices: &[(&str, &str)]) -> Content {
        let mut draft = samples::saas();
        let pricing = draft.plans[0].pages.plan_pricing.as_mut().unwrap();
        pricing.prices = prices
            .iter()
            .map(|(market, amount)| Price {
                term: Some(BillingTerm::OneMonth),
                market: (*market).into(),
                currency: "USD".into(),
                amount: (*amount).into(),
                ..Price::default()
            })
            .collect();
        Content::of(&draft)
    }

    fn paid(content: &Content, changes: &[PriceChange], at: OffsetDateTime) -> Vec<String> {
        let plan = &content.plans[0];
        let pricing = plan.pages.plan_pricing.as_ref().unwrap();
        let force = in_force(pricing, &plan.plan_id, changes, at);
        let prices = force.prices.iter();
        prices
            .map(|price| format!("{}{}", price.market, price.amount))
            .collect()
    }

    #[test]
    fn up_10_a_price_comes_into_force_on_a_first() {
        let of = |lower, cutoff, now| effective(lower, cutoff, now).date().to_string();
        for (lower, cutoff, now, date) in [
            (true, 4, datetime!(2026-11-10 12:00 UTC), "2026-12-01"),
            (true, 4, datetime!(2026-11-26 23:59 UTC), "2026-12-01"),
            // Too late for this month, by four days, by six, by fourteen.
            (true, 4, datetime!(2026-11-27 00:00 UTC), "2027-01-01"),
            (true, 6, datetime!(2026-11-25 00:00 UTC), "2027-01-01"),
            (true, 6, datetime!(2026-11-24 00:00 UTC), "2026-12-01"),
            (true, 14, datetime!(2026-11-17 00:00 UTC), "2027-01-01"),
            (true, 4, datetime!(2026-12-31 00:00 UTC), "2027-02-01"),
            (true, 4, datetime!(2028-02-26 00:00 UTC), "2028-04-01"),
            (true, 4, datetime!(2028-02-25 00:00 UTC), "2028-03-01"),
            (false, 4, datetime!(2026-11-10 12:00 UTC), "2027-03-01"),
            // 90 days to the day.
            (false, 4, datetime!(2026-11-03 00:00 UTC), "2027-02-01"),
            (false, 4, datetime!(2026-11-04 00:00 UTC), "2027-03-01"),
            (false, 4, datetime!(2026-11-30 00:00 UTC), "2027-03-01"),
            (false, 4, datetime!(2027-01-30 00:00 UTC), "2027-06-01"),
        ] {
            assert_eq!(of(lower, cutoff, now), date, "{lower} {cutoff} {now}");
        }
    }

    #[test]
    fn up_10_customers_pay_what_they_paid_until_then() {
        let (live, next) = (content(&[("", "49.00")]), content(&[("", "59.00")]));
        let waiting = changes(&live, &[], &next, 4, NOW);
        assert_eq!(waiting.len(), 1);
        let day = datetime!(2027-03-01 00:00 UTC);
        assert_eq!(waiting[0].effective_time, day);
        assert_eq!(paid(&next, &waiting, NOW), ["49.00"]);
        assert_eq!(paid(&next, &waiting, day - Duration::SECOND), ["49.00"]);
        assert_eq!(paid(&next, &waiting, day), ["59.00"]);
        assert_eq!(changes(&live, &[], &live, 4, NOW), []);
    }

    #[test]
    fn up_10_what_waits_keeps_its_date_and_what_changes_again_gets_another() {
        let (live, next) = (content(&[("", "49.00")]), content(&[("", "59.00")]));
        let waiting = changes(&live, &[], &next, 4, NOW);
        let later = NOW + Duration::days(40);
        assert_eq!(changes(&next, &waiting, &next, 4, later), waiting);
        let more = content(&[("", "69.00")]);
        let again = changes(&next, &waiting, &more, 4, later);
        assert_eq!(again[0].effective_time, datetime!(2027-04-01 00:00 UTC));
        assert_eq!(paid(&more, &again, later), ["49.00"]);
        // Taken back before anybody paid it.
        assert_eq!(changes(&next, &waiting, &live, 4, later), []);
    }

    #[test]
    fn up_10_a_price_of_a_market_is_held_against_the_one_for_all() {
        let live = content(&[("", "49.00")]);
        let next = content(&[("", "49.00"), ("DE", "39.00")]);
        let waiting = changes(&live, &[], &next, 4, NOW);
        assert_eq!(paid(&next, &waiting, NOW), ["49.00", "DE49.00"]);
        assert_eq!(
            waiting[0].effective_time,
            datetime!(2026-12-01 00:00 UTC),
            "lower"
        );
        // And the other way round: without its own, the market pays the one for all.
        let waiting = changes(&next, &[], &live, 4, NOW);
        assert_eq!(paid(&live, &waiting, NOW), ["49.00", "DE39.00"]);
    }

    /// Notice is not evaded by how a price is written, in which currency it is, or how it is paid.
    #[test]
    fn up_10_another_way_of_paying_waits_as_an_increase_does() {
        let with = |change: &dyn Fn(&mut Price)| {
            let mut next = content(&[("", "490.00")]);
            let pricing = next.plans[0].pages.plan_pricing.as_mut().unwrap();
            change(&mut pricing.prices[0]);
            next
        };
        let live = content(&[("", "49.00")]);
        for next in [
            with(&|price| price.paid_every = Some(BillingTerm::OneMonth)),
            with(&|price| (price.min_users, price.max_users) = (1, 9)),
            with(&|price| price.currency = "EUR".into()),
            with(&|price| {
                price.currency = "EUR".into();
                price.amount = "4.90".into();
            }),
        ] {
            let waiting = changes(&live, &[], &next, 4, NOW);
            assert_eq!(waiting.len(), 1);
            assert_eq!(waiting[0].effective_time, datetime!(2027-03-01 00:00 UTC));
            let pricing = next.plans[0].pages.plan_pricing.as_ref().unwrap();
            let force = in_force(pricing, &next.plans[0].plan_id, &waiting, NOW);
            let [price] = &force.prices[..] else {
                panic!("{force:?}")
            };
            assert_eq!((&*price.currency, &*price.amount), ("USD", "49.00"));
        }
        // Written out, it is the same.
        let mut next = content(&[("", "49.0")]);
        let pricing = next.plans[0].pages.plan_pricing.as_mut().unwrap();
        pricing.prices[0].paid_every = Some(BillingTerm::OneMonth);
        assert_eq!(changes(&live, &[], &next, 4, NOW), []);
    }

    /// Germans paid the dollars of all markets, and then euros of their own.
    #[test]
    fn up_10_a_market_pays_what_it_paid_in_the_currency_it_paid() {
        let live = content(&[("", "49.00")]);
        let mut next = content(&[("", "49.00"), ("DE", "490.00")]);
        next.plans[0].pages.plan_pricing.as_mut().unwrap().prices[1].currency = "EUR".into();
        let waiting = changes(&live, &[], &next, 4, NOW);
        assert_eq!(paid(&next, &waiting, NOW), ["49.00", "DE49.00"]);
        let back = changes(&next, &[], &live, 4, NOW);
        assert_eq!(paid(&live, &back, NOW), ["49.00", "DE490.00"]);
    }

    #[test]
    fn up_10_ten_thousand_prices_are_looked_at_at_once() {
        let priced = |amount: &str| {
            let mut content = content(&[("", amount)]);
            let pricing = content.plans[0].pages.plan_pricing.as_mut().unwrap();
            let one = pricing.prices[0].clone();
            pricing.prices = (0..10_000)
                .map(|cores| Price {
                    cores,
                    ..one.clone()
                })
                .collect();
            content
        };
        let (live, next) = (priced("49.00"), priced("59.00"));
        let begun = std::time::Instant::now();
        let waiting = changes(&live, &[], &next, 4, NOW);
        assert_eq!(waiting.len(), 10_000);
        assert_eq!(changes(&next, &waiting, &next, 4, NOW), waiting);
        assert_eq!(paid(&next, &waiting, NOW)[9_999], "49.00");
        // A scan for each would take minutes here.
        assert!(begun.elapsed() < std::time::Duration::from_secs(10));
    }

    #[test]
    fn up_10_units_of_meters_wait_as_prices_do() {
        let metered = |price: &str| {
            let mut content = content(&[("", "49.00")]);
            let pricing = content.plans[0].pages.plan_pricing.as_mut().unwrap();
            pricing.meters = vec![CustomMeter {
                id: "calls".into(),
                price_per_unit: price.into(),
                ..CustomMeter::default()
            }];
            content
        };
        let (live, next) = (metered("0.5"), metered("0.25"));
        let waiting = changes(&live, &[], &next, 4, NOW);
        assert_eq!(waiting[0].effective_time, datetime!(2026-12-01 00:00 UTC));
        let pricing = next.plans[0].pages.plan_pricing.as_ref().unwrap();
        let force = in_force(pricing, &next.plans[0].plan_id, &waiting, NOW);
        assert_eq!(force.meters[0].price_per_unit, "0.5");
        assert_eq!(
            changes(&live, &[], &metered("0.50"), 4, NOW),
            [],
            "written otherwise"
        );
        let dearer = changes(&next, &[], &metered("1"), 4, NOW);
        assert_eq!(dearer[0].effective_time, datetime!(2027-03-01 00:00 UTC));
    }
}
