//! UP-10: from when a price that was published is paid, and what is paid until then.

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

#[test]
fn up_10_each_plan_and_each_market_keeps_its_own_date() {
    let both = |gold: &[(&str, &str)], team: &str| {
        let mut content = content(gold);
        let prices = self::content(&[("", team)]).plans[0].pages.clone();
        content.plans[1].pages = prices;
        content
    };
    let (first, second) = (NOW + Duration::days(40), NOW + Duration::days(60));
    let mut live = both(&[("", "49"), ("DE", "39")], "490");
    let mut waiting = Vec::new();
    for (next, at) in [
        (both(&[("", "59"), ("DE", "39")], "490"), NOW),
        (both(&[("", "59"), ("DE", "49")], "490"), first),
        (both(&[("", "59"), ("DE", "49")], "590"), second),
    ] {
        waiting = changes(&live, &waiting, &next, 4, at);
        live = next;
    }
    let dates = |waiting: &[PriceChange]| -> Vec<String> {
        let told = waiting.iter().map(|change| {
            let Before::Price(price) = &change.before else {
                return "a meter".into();
            };
            let date = change.effective_time.date();
            format!(
                "{} {} {} {date}",
                change.plan_id, price.market, price.amount
            )
        });
        told.collect()
    };
    let expected = [
        "gold  49 2027-03-01",
        "gold DE 39 2027-04-01",
        "team  490 2027-05-01",
    ];
    assert_eq!(dates(&waiting), expected);
    let again = changes(&live, &waiting, &live, 4, second + Duration::days(1));
    assert_eq!(again, waiting, "published again as it is");
}

#[test]
fn up_10_a_date_that_has_come_is_no_notice_of_another_price() {
    let published = content(&[("", "59")]);
    let next = content(&[("", "59"), ("DE", "59")]);
    let until = |market: &str, amount: &str, effective_time| PriceChange {
        plan_id: "gold".into(),
        before: Before::Price(Price {
            market: market.into(),
            amount: amount.into(),
            ..published.plans[0]
                .pages
                .plan_pricing
                .as_ref()
                .unwrap()
                .prices[0]
                .clone()
        }),
        effective_time,
    };
    // Germany has paid what all pay since today: 49, until the spring.
    let spring = datetime!(2027-03-01 00:00 UTC);
    let waiting = [until("", "49", spring), until("DE", "45", NOW)];
    let found = changes(&published, &waiting, &next, 4, NOW);
    let dates: Vec<OffsetDateTime> = found.iter().map(|change| change.effective_time).collect();
    assert_eq!(dates, [spring, spring]);
}

#[test]
fn up_10_a_unit_of_a_meter_that_waits_keeps_its_date() {
    let metered = |price: &str| {
        let mut content = content(&[("", "49")]);
        let pricing = content.plans[0].pages.plan_pricing.as_mut().unwrap();
        pricing.meters = vec![CustomMeter {
            id: "calls".into(),
            price_per_unit: price.into(),
            ..CustomMeter::default()
        }];
        content
    };
    let dearer = metered("0.75");
    let waiting = changes(&metered("0.5"), &[], &dearer, 4, NOW);
    let later = NOW + Duration::days(40);
    assert_eq!(changes(&dearer, &waiting, &dearer, 4, later), waiting);
    let more = changes(&dearer, &waiting, &metered("1"), 4, later);
    assert_eq!(more[0].effective_time, datetime!(2027-04-01 00:00 UTC));
}

#[test]
fn up_10_customers_are_told_of_every_price_that_waits() {
    let plan = |amounts: [&str; 2], unit: &str| {
        let mut content = content(&[("", amounts[0]), ("DE", amounts[1])]);
        let pricing = content.plans[0].pages.plan_pricing.as_mut().unwrap();
        pricing.meters = vec![CustomMeter {
            id: "emails".into(),
            unit: "email".into(),
            price_per_unit: unit.into(),
            ..CustomMeter::default()
        }];
        content
    };
    let (live, next) = (plan(["49", "45"], "0.001"), plan(["59", "40"], "0.002"));
    let waiting = changes(&live, &[], &next, 4, NOW);
    let id = next.plans[0].plan_id.as_str();
    let pricing = next.plans[0].pages.plan_pricing.as_ref().unwrap();
    let told = |now| {
        let told = announced(pricing, id, &waiting, now);
        let told = told.iter().map(|one| {
            let date = one.effective_time.date();
            format!("{date} {} {}{}", one.charge, one.market, one.meter)
        });
        told.collect::<Vec<_>>()
    };
    let all = [
        "2026-12-01 USD 40 per month DE",
        "2027-03-01 USD 59 per month ",
        "2027-03-01 USD 0.002 per email emails",
    ];
    assert_eq!(told(NOW), all);
    assert_eq!(told(datetime!(2026-12-01 00:00 UTC)), all[1..]);
    assert!(told(datetime!(2027-03-01 00:00 UTC)).is_empty());
    assert!(announced(pricing, "other", &waiting, NOW).is_empty());
}
