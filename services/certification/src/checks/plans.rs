//! Plans differ from each other and are available somewhere (CV-11).

use super::{Check, Found, Subject, automatic, html::Html, subject::plan_place, text};
use crate::domain::{Level, snapshot::CustomerMarkets};

pub const CHECKS: &[Check] = &[automatic(
    ("CV-11", 2),
    (Level::Content, "100.1"),
    "Plans are distinct and available",
    |s| s.has_plans(),
    plans,
)];

/// Descriptions with more words in common than this are called the same.
const NEARLY: f32 = 0.9;
/// The most markets there are (PN-4).
const MAX_MARKETS: usize = 141;

fn plans(subject: &Subject<'_>, found: &mut Found<'_>) {
    let plans: Vec<_> = subject.plans().collect();
    if plans.is_empty() {
        let remedy = "Create at least one plan.";
        found.fail(
            "PLANS_MISSING",
            ("plan_overview", ""),
            "the offer has no plan on sale",
            remedy,
        );
    }
    let described: Vec<String> = plans
        .iter()
        .map(|plan| Html::read(&plan.pages.plan_listing.description).visible())
        .collect();
    for (n, plan) in plans.iter().enumerate() {
        let name = plan_place(plan, "plan", "display_name");
        let description = plan_place(plan, "plan_listing", "description");
        if plan.display_name.trim().is_empty() {
            found.fail(
                "PLAN_NAME_MISSING",
                name.clone(),
                "the plan has no name",
                "Give the plan a name.",
            );
        }
        if described[n].trim().is_empty() {
            let remedy = "Say what this plan gives and for whom it is.";
            found.fail(
                "PLAN_DESCRIPTION_MISSING",
                description.clone(),
                "the plan has no description",
                remedy,
            );
        }
        for (m, other) in plans[..n].iter().enumerate() {
            if text::same(&plan.display_name, &other.display_name) {
                let remedy = "Give each plan a name of its own.";
                found.fail(
                    "PLAN_NAME_TWICE",
                    name.clone(),
                    format!("as plan {}", other.plan_id),
                    remedy,
                );
            }
            if text::same(&described[n], &described[m]) {
                let remedy = "Describe what sets this plan apart from the others.";
                found.fail(
                    "PLAN_DESCRIPTION_TWICE",
                    description.clone(),
                    format!("as plan {}", other.plan_id),
                    remedy,
                );
            } else if described[n].len() > 80
                && text::likeness(&described[n], &described[m]) >= NEARLY
            {
                let remedy = "Describe what sets this plan apart from the others.";
                found.warn(
                    "PLAN_DESCRIPTION_ALIKE",
                    description.clone(),
                    format!("nearly as plan {}", other.plan_id),
                    remedy,
                );
            }
        }
        markets(subject, plan, found);
    }
}

fn markets(subject: &Subject<'_>, plan: &crate::domain::snapshot::Plan, found: &mut Found<'_>) {
    let pricing = plan.pages.plan_pricing.as_ref();
    let markets = pricing.map_or(&[] as &[String], |pricing| &pricing.markets);
    let everywhere =
        pricing.is_some_and(|pricing| pricing.customer_markets != CustomerMarkets::Unspecified);
    let at = plan_place(plan, "plan_pricing", "markets");
    if everywhere && !markets.is_empty() {
        let evidence = format!("{} markets besides all of a kind", markets.len());
        let remedy = "List the markets, or choose all of a kind.";
        found.fail("MARKETS_TWICE", at, evidence, remedy);
    } else if markets.is_empty()
        && !everywhere
        && subject.of_type().is_none_or(|known| known.markets)
    {
        found.fail(
            "MARKETS_MISSING",
            at,
            "the plan is available nowhere",
            "Select at least one market.",
        );
    } else if markets.len() > MAX_MARKETS {
        let evidence = format!("{} markets", markets.len());
        found.fail(
            "MARKETS_TOO_MANY",
            at,
            evidence,
            "Select each market once, 141 at most.",
        );
    }
}
