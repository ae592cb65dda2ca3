//! When a price that was published comes into force (UP-10): a lower one on the first of the next month, a higher one on the
//! first that is 90 days away. Until then customers pay what they paid.

use std::collections::BTreeSet;

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

/// What a price is for. Another currency is another price: there is no telling which is higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    term: Option<BillingTerm>,
    paid_every: Option<BillingTerm>,
    cores: u32,
    users: (u32, u32),
    currency: &'a str,
    market: &'a str,
}

impl<'a> Key<'a> {
    fn of(price: &'a Price) -> Self {
        Self {
            term: price.term,
            paid_every: price.paid_every,
            cores: price.cores,
            users: (price.min_users, price.max_users),
            currency: &price.currency,
            market: &price.market,
        }
    }

    /// A price of this market goes before one for all markets.
    fn find(self, pricing: &PlanPricing) -> Option<&Price> {
        let of = |key: Key<'_>| pricing.prices.iter().find(|price| Key::of(price) == key);
        of(self).or_else(|| of(Key { market: "", ..self }))
    }
}

/// The pricing that customers meet at this time.
pub fn in_force(
    pricing: &PlanPricing,
    plan_id: &str,
    changes: &[PriceChange],
    at: OffsetDateTime,
) -> PlanPricing {
    let mut pricing = pricing.clone();
    let waiting = changes
        .iter()
        .filter(|change| change.plan_id == plan_id && change.effective_time > at);
    for change in waiting {
        match &change.before {
            Before::Price(before) => {
                let same = |price: &&mut Price| Key::of(price) == Key::of(before);
                match pricing.prices.iter_mut().find(same) {
                    Some(price) => price.amount.clone_from(&before.amount),
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
        let kept = |same: &dyn Fn(&Before) -> bool| {
            let kept = waiting
                .iter()
                .find(|change| change.plan_id == plan.plan_id && same(&change.before));
            kept.map(|change| change.effective_time)
                .filter(|time| *time > now)
        };
        let mut wait = |before: Before, lower: bool, kept: Option<OffsetDateTime>| {
            changes.push(PriceChange {
                plan_id: plan.plan_id.clone(),
                before,
                effective_time: kept.unwrap_or_else(|| effective(lower, cutoff_days, now)),
            });
        };
        let keys: BTreeSet<Key<'_>> = next
            .prices
            .iter()
            .chain(&paid.prices)
            .map(Key::of)
            .collect();
        for key in keys {
            let (Some(old), Some(new)) = (key.find(&paid), key.find(next)) else {
                continue;
            };
            let (from, to) = (old.hundredths(), new.hundredths());
            if from == to {
                continue;
            }
            let before = Price {
                market: key.market.to_owned(),
                ..old.clone()
            };
            let known = key.find(published).and_then(Price::hundredths) == to;
            let same =
                |other: &Before| matches!(other, Before::Price(price) if Key::of(price) == key);
            let kept = kept(&same).filter(|_| known);
            wait(Before::Price(before), to < from, kept);
        }
        for new in &next.meters {
            let of = |pricing: &PlanPricing| {
                let meter = pricing.meters.iter().find(|meter| meter.id == new.id);
                meter.cloned()
            };
            let Some(old) = of(&paid) else { continue };
            if old.price_per_unit == new.price_per_unit {
                continue;
            }
            let known =
                of(published).is_some_and(|meter| meter.price_per_unit == new.price_per_unit);
            let same = |other: &Before| matches!(other, Before::Meter(meter) if meter.id == new.id);
            let kept = kept(&same).filter(|_| known);
            let lower = new.hundred_thousandths() < old.hundred_thousandths();
            wait(Before::Meter(old), lower, kept);
        }
    }
    changes
}

/// Whoever publishes in the last days of a month does it in the next one.
fn effective(lower: bool, cutoff_days: u8, now: OffsetDateTime) -> OffsetDateTime {
    let today = now.to_offset(time::UtcOffset::UTC).date();
    let days = today.month().length(today.year());
    let from = if today.day() > days - cutoff_days {
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
        let dearer = changes(&next, &[], &metered("1"), 4, NOW);
        assert_eq!(dearer[0].effective_time, datetime!(2027-03-01 00:00 UTC));
    }
}
