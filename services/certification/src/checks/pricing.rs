//! Prices, markets, currencies and terms agree with each other (CV-10).

use std::collections::BTreeMap;

use super::{
    Check, Found, Subject, always, automatic,
    money::{amount, is_market, is_paid_in, own_currency, sold_in},
    subject::{Place, plan_place},
};
use crate::domain::{
    Level,
    snapshot::{Plan, Price, Pricing, PricingModel, Term},
};

pub const CHECKS: &[Check] = &[automatic(
    ("CV-10", 3),
    (Level::Content, "100.4"),
    "Prices and terms are consistent",
    always,
    pricing,
)];

fn pricing(subject: &Subject<'_>, found: &mut Found<'_>) {
    terms(subject, found);
    if !subject.is_priced() {
        return;
    }
    let mut models: Vec<PricingModel> = Vec::new();
    for plan in subject.plans().filter(|plan| subject.sells(plan)) {
        let Some(pricing) = &plan.pages.plan_pricing else {
            let remedy = "Complete the page Pricing and availability of this plan.";
            found.fail(
                "PRICING_MISSING",
                plan_place(plan, "plan_pricing", ""),
                "the plan has no prices",
                remedy,
            );
            continue;
        };
        plan_prices(plan, pricing, found);
        if !matches!(
            pricing.model,
            PricingModel::Unspecified | PricingModel::Free
        ) && !models.contains(&pricing.model)
        {
            models.push(pricing.model);
        }
    }
    if models.len() > 1 && subject.type_has(|known| known.one_pricing_model) {
        let evidence = format!("{models:?}");
        found.fail(
            "PRICING_MODELS",
            ("plan_overview", "model"),
            evidence,
            "Use one pricing model for all plans of the offer.",
        );
    }
}

/// Every offer says under which terms it is used.
fn terms(subject: &Subject<'_>, found: &mut Found<'_>) {
    let legal = &subject.snapshot.pages.properties.legal;
    let at = |field: &str| ("properties", format!("legal.{field}"));
    match (&legal.standard, &legal.custom) {
        (Some(_), _) => {}
        (None, Some(custom)) => {
            if custom.text.trim().is_empty() && custom.url.trim().is_empty() {
                found.fail(
                    "TERMS_EMPTY",
                    at("custom"),
                    "neither text nor URL",
                    "Write the terms of use, or link to them.",
                );
            }
        }
        (None, None) => {
            let remedy = "Choose the standard contract, or give terms of your own.";
            found.fail(
                "TERMS_MISSING",
                ("properties", "legal"),
                "no terms of use",
                remedy,
            );
        }
    }
}

fn plan_prices(plan: &Plan, pricing: &Pricing, found: &mut Found<'_>) {
    let at = |field: &str| plan_place(plan, "plan_pricing", field);
    for market in pricing.markets.iter().filter(|market| !is_market(market)) {
        let remedy = "Choose markets by their ISO 3166-1 codes.";
        found.fail("MARKET_UNKNOWN", at("markets"), market, remedy);
    }
    match pricing.model {
        PricingModel::Unspecified => found.fail(
            "MODEL_MISSING",
            at("model"),
            "no pricing model",
            "Choose a pricing model.",
        ),
        PricingModel::Free | PricingModel::Byol => unpriced(pricing, &at, found),
        PricingModel::FlatRate
        | PricingModel::PerUser
        | PricingModel::PerCore
        | PricingModel::PerCoreSize
        | PricingModel::PerMarketAndCoreSize => priced(pricing, &at, found),
    }
    meters(pricing, &at, found);
}

/// A free or bring-your-own-licence plan asks for nothing.
fn unpriced(pricing: &Pricing, at: &dyn Fn(&str) -> Place, found: &mut Found<'_>) {
    for (n, price) in pricing.prices.iter().enumerate() {
        if amount(&price.amount, 2) != Some(0) {
            let remedy = "Remove the price, or choose a pricing model that has prices.";
            found.fail(
                "PRICE_OF_UNPRICED",
                at(&format!("prices[{n}].amount")),
                &price.amount,
                remedy,
            );
        }
    }
}

fn priced(pricing: &Pricing, at: &dyn Fn(&str) -> Place, found: &mut Found<'_>) {
    if pricing.prices.is_empty() {
        found.fail(
            "PRICES_MISSING",
            at("prices"),
            "the plan has no price",
            "Give at least one price.",
        );
    }
    for (n, price) in pricing.prices.iter().enumerate() {
        one_price(
            pricing,
            price,
            &|field| at(&format!("prices[{n}].{field}")),
            found,
        );
    }
    each_once(pricing, at, found);
    every_market(pricing, at, found);
}

fn one_price(pricing: &Pricing, price: &Price, at: &dyn Fn(&str) -> Place, found: &mut Found<'_>) {
    match amount(&price.amount, 2) {
        None => found.fail(
            "AMOUNT_MALFORMED",
            at("amount"),
            &price.amount,
            "Write the amount with a point and at most two places: 49.00.",
        ),
        Some(..0) => found.fail(
            "AMOUNT_NEGATIVE",
            at("amount"),
            &price.amount,
            "A price is 0 or more.",
        ),
        Some(_) => {}
    }
    if price.term == Term::Unspecified {
        found.fail(
            "TERM_MISSING",
            at("term"),
            "the price has no term",
            "Say for which term the price is.",
        );
    }
    if price.market.is_empty() {
        if !price.currency.is_empty() && price.currency != "USD" {
            let evidence = format!("{} for all markets", price.currency);
            found.fail(
                "CURRENCY_MISMATCH",
                at("currency"),
                evidence,
                "A price for all markets is in USD; give others by market.",
            );
        }
    } else if !sold_in(pricing).contains(&price.market.as_str()) {
        let remedy = "Add the market to the plan, or remove its price.";
        found.fail("PRICE_OF_OTHER_MARKET", at("market"), &price.market, remedy);
    } else if !is_paid_in(&price.market, &price.currency) {
        let wanted = own_currency(&price.market).unwrap_or("USD");
        let evidence = format!("{:?} in {}", price.currency, price.market);
        found.fail(
            "CURRENCY_MISMATCH",
            at("currency"),
            evidence,
            format!("Give the price for {} in {wanted}.", price.market),
        );
    }
    let (min, max) = (price.min_users, price.max_users);
    if min < 0 || max < 0 || (max > 0 && min > max) {
        let evidence = format!("{min} to {max} users");
        found.fail(
            "USER_RANGE",
            at("min_users"),
            evidence,
            "Let the least number of users be no more than the greatest.",
        );
    }
}

fn each_once(pricing: &Pricing, at: &dyn Fn(&str) -> Place, found: &mut Found<'_>) {
    let mut seen = BTreeMap::new();
    for (n, price) in pricing.prices.iter().enumerate() {
        let key = (
            price.term,
            price.paid_every(),
            &price.market,
            price.cores,
            price.min_users,
        );
        if let Some(earlier) = seen.insert(key, n) {
            let evidence = format!("same term and market as prices[{earlier}]");
            found.fail(
                "PRICE_TWICE",
                at(&format!("prices[{n}]")),
                evidence,
                "Keep one price for each term and market.",
            );
        }
    }
}

/// A term that is offered has a price in every selected market.
fn every_market(pricing: &Pricing, at: &dyn Fn(&str) -> Place, found: &mut Found<'_>) {
    let mut offered: Vec<(Term, Term)> = pricing
        .prices
        .iter()
        .map(|p| (p.term, p.paid_every()))
        .collect();
    offered.sort_unstable();
    offered.dedup();
    for (term, every) in offered {
        let of_term: Vec<&Price> = pricing
            .prices
            .iter()
            .filter(|p| (p.term, p.paid_every()) == (term, every))
            .collect();
        if of_term.iter().any(|p| p.market.is_empty()) {
            continue;
        }
        let mut without = sold_in(pricing);
        without.retain(|market| !of_term.iter().any(|p| p.market == *market));
        if !without.is_empty() {
            let evidence = format!("{term:?}: no price in {}", without.join(", "));
            found.fail(
                "PRICE_MISSING_IN_MARKET",
                at("prices"),
                evidence,
                "Give a price for each selected market, or one for all.",
            );
        }
    }
}

/// As many as the catalog takes.
const METER_PLACES: usize = 5;

fn meters(pricing: &Pricing, at: &dyn Fn(&str) -> Place, found: &mut Found<'_>) {
    for (n, meter) in pricing.meters.iter().enumerate() {
        if amount(&meter.price_per_unit, METER_PLACES).is_none_or(|price| price < 0) {
            let remedy =
                "Write the price of a unit with a point and at most five places, 0 or more.";
            found.fail(
                "METER_PRICE",
                at(&format!("meters[{n}].price_per_unit")),
                &meter.price_per_unit,
                remedy,
            );
        }
        let included = meter.included_quantity.trim();
        if !included.is_empty()
            && amount(included, METER_PLACES).is_none_or(|quantity| quantity < 0)
        {
            let remedy = "Write the included quantity as a number, 0 or more.";
            found.fail(
                "METER_QUANTITY",
                at(&format!("meters[{n}].included_quantity")),
                included,
                remedy,
            );
        }
    }
    if pricing.free_trial && !pricing.meters.is_empty() {
        let remedy = "Switch the free trial off, or sell without meters.";
        found.fail(
            "TRIAL_WITH_METERS",
            at("free_trial"),
            "a free trial with custom meters",
            remedy,
        );
    }
}
