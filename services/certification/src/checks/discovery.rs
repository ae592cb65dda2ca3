//! Can customers find it: a visible presence (CV-5), categories and keywords (CV-6).

use super::{Check, Found, Subject, always, automatic, subject::listing, text};
use crate::domain::{Level, snapshot::PlanAudience};

pub const CHECKS: &[Check] = &[
    automatic(
        ("CV-5", 1),
        (Level::Content, "100.1.5"),
        "Has a public presence",
        has_plans,
        presence,
    ),
    automatic(
        ("CV-6", 1),
        (Level::Content, "100.2"),
        "Categories and keywords are relevant",
        always,
        keywords,
    ),
];

/// Categories by their English names, to compare keywords with.
static CATEGORIES: &str = include_str!("data/categories.txt");
/// Products and companies that a keyword must not borrow.
static COMPETITORS: &str = include_str!("data/competitors.txt");

fn has_plans(subject: &Subject<'_>) -> bool {
    subject.has_plans()
}

fn presence(subject: &Subject<'_>, found: &mut Found<'_>) {
    let is_public = |audience: PlanAudience| audience != PlanAudience::Private;
    let pricings: Vec<_> = subject
        .plans()
        .filter_map(|plan| plan.pages.plan_pricing.as_ref())
        .collect();
    if pricings.is_empty() || pricings.iter().any(|p| is_public(p.audience) && !p.hidden) {
        return;
    }
    let remedy = "Offer at least one plan to the public, or expect to be found by nobody but your private audiences.";
    let at = ("plan_overview", "audience");
    let evidence = format!("{} plans, all private or hidden", pricings.len());
    if subject.rules.switches.private_only_fails {
        found.fail("PRIVATE_ONLY", at, evidence, remedy);
    } else {
        found.warn("PRIVATE_ONLY", at, evidence, remedy);
    }
}

fn keywords(subject: &Subject<'_>, found: &mut Found<'_>) {
    categories(subject, found);
    let keywords = &subject.listing().keywords;
    if keywords.len() > 3 {
        found.fail_under(
            "100.2.2",
            "KEYWORDS_TOO_MANY",
            listing("keywords"),
            keywords.join(", "),
            "Keep at most three keywords.",
        );
    }
    for (n, keyword) in keywords.iter().enumerate() {
        let at = || listing(format!("keywords[{n}]"));
        if text::lines(CATEGORIES).any(|category| text::same(category, keyword)) {
            let remedy = "Choose the category instead, and use the keyword for something else.";
            found.warn_under("100.2.2", "KEYWORD_IS_CATEGORY", at(), keyword, remedy);
        }
        if let Some(other) =
            text::lines(COMPETITORS).find(|other| text::mentions(keyword, other, false))
        {
            let remedy = "Name your own product's qualities, not another company's product.";
            found.warn_under(
                "100.2.2",
                "KEYWORD_IS_COMPETITOR",
                at(),
                format!("{keyword:?} names {other}"),
                remedy,
            );
        }
        if keywords[..n]
            .iter()
            .any(|earlier| text::same(earlier, keyword))
        {
            found.warn_under(
                "100.2.2",
                "KEYWORD_TWICE",
                at(),
                keyword,
                "Replace the repeated keyword by another.",
            );
        }
    }
}

fn categories(subject: &Subject<'_>, found: &mut Found<'_>) {
    let chosen = &subject.snapshot.pages.properties.categories;
    let at = |field: &str| ("properties", field.to_owned());
    if chosen.is_empty() || chosen.len() > 2 {
        let evidence = format!("{} categories", chosen.len());
        found.fail_under(
            "100.2.1",
            "CATEGORIES",
            at("categories"),
            evidence,
            "Choose one or two categories.",
        );
    }
    for (n, category) in chosen
        .iter()
        .enumerate()
        .filter(|(_, category)| category.subcategories.len() > 2)
    {
        let evidence = format!(
            "{} subcategories of {}",
            category.subcategories.len(),
            category.category
        );
        let field = format!("categories[{n}].subcategories");
        found.fail_under(
            "100.2.1",
            "SUBCATEGORIES",
            at(&field),
            evidence,
            "Choose at most two subcategories of each category.",
        );
    }
}
