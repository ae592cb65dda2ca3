//! PN-5, PN-6, PN-8, PN-10, PN-13, CV-10, UP-10: prices that are refused for one reason alone, or are fine after all.

use super::{Row, check_all, issues};
use crate::domain::completeness::{Published, review};
use crate::domain::snapshot::Content;
use crate::domain::{Draft, samples};
use crate::pages::*;

fn pricing(draft: &mut Draft, at: usize) -> &mut PlanPricing {
    draft.plans[at].pages.plan_pricing.get_or_insert_default()
}

fn live(draft: &Draft) -> Published {
    Published {
        live: Some(Content::of(draft)),
        ..Published::default()
    }
}

fn meter(id: &str) -> CustomMeter {
    CustomMeter {
        id: id.into(),
        display_name: "Pages".into(),
        unit: "page".into(),
        price_per_unit: "0.01".into(),
        ..CustomMeter::default()
    }
}

#[test]
fn pn_6_pn_8_one_fault_is_told_once() {
    let rows: &[Row] = &[
        (
            "PN-6 paid once per term",
            |d| pricing(d, 1).prices[0].paid_every = Some(BillingTerm::OneYear),
            &[],
        ),
        (
            "PN-6 never by the hour",
            |d| pricing(d, 1).prices[0].paid_every = Some(BillingTerm::Hour),
            &["plan_pricing team prices[0].paid_every NOT_ALLOWED"],
        ),
        (
            "CV-10 no currency for all markets",
            |d| pricing(d, 1).prices[0].currency.clear(),
            &["plan_pricing team prices[0].currency REQUIRED"],
        ),
        (
            "CV-10 no currency for one market",
            |d| pricing(d, 0).prices[1].currency.clear(),
            &["plan_pricing gold prices[1].currency REQUIRED"],
        ),
        (
            "PN-8 twins",
            |d| pricing(d, 0).meters = vec![meter("m"), meter("n"), meter("m")],
            &["plan_pricing gold meters[2].id DUPLICATE"],
        ),
        (
            "PN-8 ids that are missing are no twins",
            |d| pricing(d, 0).meters = vec![meter(""), meter("")],
            &[
                "plan_pricing gold meters[0].id REQUIRED",
                "plan_pricing gold meters[1].id REQUIRED",
            ],
        ),
        (
            "PN-8 not beside prices per user",
            |d| {
                for at in [0, 1] {
                    pricing(d, at).model = Some(PricingModel::PerUser);
                }
                pricing(d, 0).meters = vec![meter("m")];
            },
            &["plan_pricing gold meters NOT_ALLOWED"],
        ),
    ];
    check_all(samples::saas, rows);
}

#[test]
fn cv_10_markets_without_a_price_are_named() {
    let named = |count: usize| {
        let mut draft = samples::saas();
        let markets = [
            "US", "AT", "BE", "CH", "DK", "ES", "FI", "FR", "GB", "IE", "IT",
        ];
        pricing(&mut draft, 0).markets = markets[..count].iter().map(|&m| m.into()).collect();
        pricing(&mut draft, 0).prices.remove(0);
        pricing(&mut draft, 0).markets.push("DE".into());
        let issues = review(&draft, &Published::default()).issues;
        issues.into_iter().next().unwrap().message
    };
    assert_eq!(named(2), "ONE_MONTH has no price for US, AT");
    let ten = "ONE_MONTH has no price for US, AT, BE, CH, DK, ES, FI, FR, GB, IE";
    assert_eq!(named(10), ten);
    assert_eq!(named(11), format!("{ten} and 1 more"));
}

#[test]
fn s_1_1_plans_of_iot_edge_modules_cost_nothing_and_are_public() {
    type Case = (fn(&mut PlanPricing), &'static [&'static str]);
    let cases: &[Case] = &[
        (|_| {}, &[]),
        (
            |p| p.model = Some(PricingModel::Free),
            &["plan_pricing base model NOT_ALLOWED"],
        ),
        (
            |p| p.prices = vec![Price::default()],
            &["plan_pricing base model NOT_ALLOWED"],
        ),
        (
            |p| p.audience = Some(PlanAudience::Private),
            &["plan_pricing base audience NOT_ALLOWED"],
        ),
    ];
    for (change, expected) in cases {
        let mut draft = samples::container();
        draft.offer_type = offer_type::find("iotEdgeModule").unwrap();
        pricing(&mut draft, 0).model = None;
        change(pricing(&mut draft, 0));
        let mut found = issues(&draft, &Published::default());
        found.retain(|issue| issue.starts_with("plan_pricing"));
        assert_eq!(found, *expected);
    }
}

#[test]
fn pn_13_models_and_terms_are_called_what_pages_call_them() {
    use PricingModel::*;
    for model in [
        FlatRate,
        PerUser,
        Free,
        Byol,
        PerCore,
        PerCoreSize,
        PerMarketAndCoreSize,
    ] {
        assert_eq!(serde_json::to_value(model).unwrap(), model.as_str());
    }
    use BillingTerm::*;
    for term in [Hour, OneMonth, OneYear, TwoYears, ThreeYears] {
        assert_eq!(serde_json::to_value(term).unwrap(), term.as_str());
    }
}

#[test]
fn up_10_another_currency_counts_as_more_unless_it_was_nothing() {
    for (before, (all, germany), expected) in [
        ("45", ("50", "40"), None),
        ("45", ("48", "40"), Some("prices MIXED_PRICE_CHANGE")),
        ("0", ("50", "0"), None),
        (
            "0",
            ("50", "40"),
            Some("prices[1].amount FROZEN_BY_PUBLISH"),
        ),
    ] {
        let mut draft = samples::saas();
        pricing(&mut draft, 0).prices[1].amount = before.into();
        let published = live(&draft);
        pricing(&mut draft, 0).prices[0].amount = all.into();
        let own = &mut pricing(&mut draft, 0).prices[1];
        (own.currency, own.amount) = ("USD".into(), germany.into());
        let expected = expected.map(|issue| format!("plan_pricing gold {issue}"));
        assert_eq!(issues(&draft, &published), Vec::from_iter(expected));
    }
}

#[test]
fn up_10_another_way_of_paying_counts_as_more() {
    let of = |term, amount: &str| Price {
        term: Some(term),
        currency: "USD".into(),
        amount: amount.into(),
        ..Price::default()
    };
    let mut draft = samples::saas();
    pricing(&mut draft, 1).prices = vec![
        of(BillingTerm::OneYear, "490"),
        of(BillingTerm::TwoYears, "900"),
    ];
    let published = live(&draft);
    let prices = &mut pricing(&mut draft, 1).prices;
    prices[0].paid_every = Some(BillingTerm::OneMonth);
    (prices[0].amount, prices[1].amount) = ("40".into(), "800".into());
    assert_eq!(
        issues(&draft, &published),
        ["plan_pricing team prices MIXED_PRICE_CHANGE"]
    );
}
