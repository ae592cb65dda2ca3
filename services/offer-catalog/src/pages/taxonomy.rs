//! Lists that fields choose from: categories and industries (`data/taxonomy.json`), languages (`data/languages.json`),
//! markets (ISO 3166-1) and what is paid there (ISO 4217).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use iso_currency::{Country, Currency};
use serde::Deserialize;

use super::{Issues, Storefront};

/// A category or an industry.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// For example `databases`.
    pub id: String,
    /// As people read it.
    pub display_name: String,
    /// Where it is shown; nowhere for industries.
    pub storefronts: Vec<Storefront>,
    /// Subcategories or sub-industries.
    pub children: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Taxonomy {
    categories: Vec<Group>,
    industries: Vec<Group>,
}

// Files that are compiled in: a wrong one is a mistake that every test of a page shows.
static TAXONOMY: LazyLock<Taxonomy> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/taxonomy.json"))
        .expect("a data file of this program is well formed")
});
static LANGUAGES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/languages.json"))
        .expect("a data file of this program is well formed")
});

/// Every category.
pub fn categories() -> &'static [Group] {
    &TAXONOMY.categories
}

/// Every industry.
pub fn industries() -> &'static [Group] {
    &TAXONOMY.industries
}

/// The category of this id.
pub fn category(id: &str) -> Option<&'static Group> {
    categories().iter().find(|group| group.id == id)
}

/// The English name of a language, by its BCP 47 tag; what it isn't in the list is `None`.
pub fn language(tag: &str) -> Option<&'static str> {
    let primary = tag
        .split('-')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    LANGUAGES.get(&primary).map(String::as_str)
}

/// Whether this is the code of a market (ISO 3166-1 alpha-2).
pub fn is_market(code: &str) -> bool {
    rust_iso3166::from_alpha2(code).is_some()
}

/// Whether prices can be in this currency (ISO 4217): one that people pay with today, no fund, no metal.
pub fn is_currency(code: &str) -> bool {
    Currency::from_code(code).is_some_and(in_use)
}

/// Whether customers of this market can be charged in this currency (CV-10): one of their own, or US dollars.
/// Certification goes by the same rule.
pub fn is_paid_in(market: &str, currency: &str) -> bool {
    currency == "USD"
        || own_currencies(market)
            .iter()
            .any(|own| own.code() == currency)
}

/// The currencies of a market; none where the market has none of its own.
pub fn own_currencies(market: &str) -> Vec<Currency> {
    let mut currencies = market
        .parse::<Country>()
        .map(Currency::from_country)
        .unwrap_or_default();
    currencies.retain(|&currency| in_use(currency));
    // The table names no country for it.
    if market == "NA" {
        currencies.insert(0, Currency::NAD);
    }
    currencies
}

/// Venezuela's VED was to take the place of VES, which is in use beside it.
fn in_use(currency: Currency) -> bool {
    currency == Currency::VES || currency.flags().is_empty()
}

/// A group chosen from a list: it must be known; the issue names what is.
pub(super) fn known<'a>(
    issues: &mut Issues,
    field: &str,
    id: &str,
    groups: &'a [Group],
) -> Option<&'a Group> {
    let found = groups.iter().find(|group| group.id == id);
    if found.is_none() {
        let ids: Vec<&str> = groups.iter().map(|group| group.id.as_str()).collect();
        unknown(issues, field, id, &ids);
    }
    found
}

/// A child of a group: it must be known; the issue names what is.
pub(super) fn known_child(issues: &mut Issues, field: &str, id: &str, group: &Group) {
    if !group.children.iter().any(|child| child == id) {
        let ids: Vec<&str> = group.children.iter().map(String::as_str).collect();
        unknown(issues, field, id, &ids);
    }
}

fn unknown(issues: &mut Issues, field: &str, id: &str, known: &[&str]) {
    let remedy = if known.is_empty() {
        "Leave it out.".to_owned()
    } else {
        format!("Choose one of {}.", known.join(", "))
    };
    issues.error(
        field,
        "UNKNOWN_VALUE",
        format!("\"{id}\" is not known"),
        remedy,
    );
}
