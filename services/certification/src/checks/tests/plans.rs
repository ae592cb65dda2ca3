//! Prices, terms and plans: CV-10, CV-11.

use super::{Row, each_is_found, each_passes, offer::Offer};
use crate::domain::snapshot::{CustomTerms, CustomerMarkets, Meter, Price, PricingModel, Term};

fn euro(offer: &mut Offer, market: &str, currency: &str) {
    let price = Price {
        term: Term::OneYear,
        market: market.into(),
        currency: currency.into(),
        amount: "450.00".into(),
        ..Price::default()
    };
    offer.pricing().prices = vec![price];
    offer.pricing().markets = vec![market.into()];
}

fn everywhere(offer: &mut Offer, markets: CustomerMarkets) {
    offer.pricing().markets.clear();
    offer.pricing().customer_markets = markets;
}

#[test]
fn prices_that_do_not_agree_are_found_cv_10() {
    let rows: &[Row] = &[
        ("CV-10", "TERMS_MISSING", |o| {
            o.snapshot.pages.properties.legal.standard = None
        }),
        ("CV-10", "TERMS_EMPTY", |o| {
            o.snapshot.pages.properties.legal.standard = None;
            o.snapshot.pages.properties.legal.custom = Some(CustomTerms::default());
        }),
        ("CV-10", "PRICING_MISSING", |o| {
            o.snapshot.plans[0].pages.plan_pricing = None
        }),
        ("CV-10", "MODEL_MISSING", |o| {
            o.pricing().model = PricingModel::Unspecified
        }),
        ("CV-10", "PRICING_MODELS", |o| {
            o.pricing().model = PricingModel::PerUser
        }),
        ("CV-10", "PRICES_MISSING", |o| o.pricing().prices.clear()),
        ("CV-10", "PRICE_OF_UNPRICED", |o| {
            o.pricing().model = PricingModel::Free
        }),
        ("CV-10", "AMOUNT_MALFORMED", |o| {
            o.pricing().prices[0].amount = "49,00".into()
        }),
        ("CV-10", "AMOUNT_NEGATIVE", |o| {
            o.pricing().prices[0].amount = "-1.00".into()
        }),
        ("CV-10", "TERM_MISSING", |o| {
            o.pricing().prices[0].term = Term::Unspecified
        }),
        ("CV-10", "CURRENCY_MISMATCH", |o| {
            o.pricing().prices[0].currency = "EUR".into()
        }),
        // AS-057: price mismatch.
        ("CV-10", "CURRENCY_MISMATCH", |o| euro(o, "DE", "JPY")),
        ("CV-10", "PRICE_OF_OTHER_MARKET", |o| {
            o.pricing().prices[0].market = "FR".into()
        }),
        ("CV-10", "PRICE_MISSING_IN_MARKET", |o| {
            euro(o, "DE", "EUR");
            o.pricing().markets.push("FR".into());
        }),
        // PN-14
        ("CV-10", "PRICE_OF_OTHER_MARKET", |o| {
            euro(o, "JP", "JPY");
            everywhere(o, CustomerMarkets::AllTaxRemitted);
        }),
        ("CV-10", "PRICE_MISSING_IN_MARKET", |o| {
            euro(o, "DE", "EUR");
            everywhere(o, CustomerMarkets::All);
        }),
        ("CV-10", "PRICE_TWICE", |o| {
            let twin = o.pricing().prices[0].clone();
            o.pricing().prices.push(twin);
        }),
        ("CV-10", "USER_RANGE", |o| {
            (
                o.pricing().prices[0].min_users,
                o.pricing().prices[0].max_users,
            ) = (10, 5)
        }),
        ("CV-10", "MARKET_UNKNOWN", |o| {
            o.pricing().markets.push("XX".into())
        }),
        ("CV-10", "METER_PRICE", |o| {
            o.pricing().meters = vec![Meter {
                price_per_unit: "x".into(),
                ..Meter::default()
            }]
        }),
        ("CV-10", "METER_QUANTITY", |o| {
            o.pricing().meters = vec![Meter {
                price_per_unit: "0.0005".into(),
                included_quantity: "-1".into(),
                ..Meter::default()
            }];
        }),
        ("CV-10", "TRIAL_WITH_METERS", |o| {
            o.pricing().free_trial = true;
            o.pricing().meters = vec![Meter {
                price_per_unit: "1".into(),
                ..Meter::default()
            }];
        }),
    ];
    each_is_found(rows);
    each_passes(&[
        ("CV-10", |o| euro(o, "DE", "EUR")),
        ("CV-10", |o| everywhere(o, CustomerMarkets::All)),
        ("CV-11", |o| everywhere(o, CustomerMarkets::AllTaxRemitted)),
        ("CV-10", |o| o.pricing().prices[0].amount = "0".into()),
        ("CV-10", |o| {
            // A stopped plan is in the snapshot so that its stop takes effect, and isn't certified.
            o.pricing().prices.clear();
            o.snapshot.plans[0].stopped = true;
        }),
        ("CV-10", |o| {
            o.transactable = false;
            o.snapshot.plans.clear();
        }),
    ]);
}

#[test]
fn plans_are_distinct_and_available_cv_11() {
    let rows: &[Row] = &[
        ("CV-11", "PLANS_MISSING", |o| o.snapshot.plans.clear()),
        ("CV-11", "PLANS_MISSING", |o| {
            o.snapshot
                .plans
                .iter_mut()
                .for_each(|plan| plan.stopped = true)
        }),
        ("CV-11", "PLAN_NAME_MISSING", |o| {
            o.snapshot.plans[0].display_name.clear()
        }),
        ("CV-11", "PLAN_NAME_TWICE", |o| {
            o.snapshot.plans[1].display_name = "BASIC".into()
        }),
        ("CV-11", "PLAN_DESCRIPTION_MISSING", |o| {
            o.snapshot.plans[0].pages.plan_listing.description = "<p></p>".into()
        }),
        ("CV-11", "PLAN_DESCRIPTION_TWICE", |o| {
            let same = o.snapshot.plans[0].pages.plan_listing.description.clone();
            o.snapshot.plans[1].pages.plan_listing.description = format!("<p>{same}</p>");
        }),
        ("CV-11", "PLAN_DESCRIPTION_ALIKE", |o| {
            let words = "copies every database of a company each second restores any minute keeps a month sends mails shows reports";
            o.snapshot.plans[0].pages.plan_listing.description = format!("{words} daily");
            o.snapshot.plans[1].pages.plan_listing.description = words.into();
        }),
        // AS-057: a plan with no market.
        ("CV-11", "MARKETS_MISSING", |o| o.pricing().markets.clear()),
        // PN-14
        ("CV-11", "MARKETS_TWICE", |o| {
            o.pricing().customer_markets = CustomerMarkets::All
        }),
        ("CV-11", "MARKETS_TOO_MANY", |o| {
            o.pricing().markets = vec!["US".into(); 142]
        }),
    ];
    each_is_found(rows);
}
