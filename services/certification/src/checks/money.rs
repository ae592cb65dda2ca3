//! Markets, currencies and amounts: what ISO 3166-1 and ISO 4217 say, and parsing. No check of its own.

use iso_currency::{Country, Currency};

use crate::domain::snapshot::{CustomerMarkets, Pricing};

/// Where the marketplace collects and remits the taxes on a sale, as the catalog has it.
#[rustfmt::skip]
const TAX_REMITTED: &[&str] = &[
    "AE", "AM", "AT", "AU", "BE", "BG", "BY", "CA", "CH", "CL", "CO", "CY", "CZ", "DE", "DK", "EE", "ES", "FI",
    "FR", "GB", "GR", "HR", "HU", "ID", "IE", "IN", "IS", "IT", "KR", "LI", "LT", "LU", "LV", "MC", "MT", "MX",
    "MY", "NL", "NO", "NZ", "PL", "PR", "PT", "RO", "RS", "RU", "SA", "SE", "SG", "SI", "SK", "TR", "TW", "US",
    "ZA",
];

/// The markets that a plan is sold in (PN-4, PN-14).
pub fn sold_in(pricing: &Pricing) -> Vec<&str> {
    match pricing.customer_markets {
        CustomerMarkets::Unspecified => pricing.markets.iter().map(String::as_str).collect(),
        CustomerMarkets::All => rust_iso3166::ALL_ALPHA2.to_vec(),
        CustomerMarkets::AllTaxRemitted => TAX_REMITTED.to_vec(),
    }
}

/// A market by its ISO 3166-1 code.
pub fn is_market(code: &str) -> bool {
    rust_iso3166::from_alpha2(code).is_some()
}

/// The currency of a market; `None`: it has none of its own, or there is no such market.
pub fn own_currency(market: &str) -> Option<&'static str> {
    own_currencies(market).first().map(Currency::code)
}

/// Customers of that market can be charged in that currency: one of their own, or US dollars. The catalog goes by the
/// same rule when it looks at a draft.
pub fn is_paid_in(market: &str, currency: &str) -> bool {
    let own = || own_currencies(market).into_iter();
    is_market(market) && (currency == "USD" || own().any(|own| own.code() == currency))
}

/// No funds, no metals, nothing that another currency took the place of. Venezuela's VED was to take that of VES, which is
/// in use beside it.
fn own_currencies(market: &str) -> Vec<Currency> {
    let mut currencies = market
        .parse::<Country>()
        .map(Currency::from_country)
        .unwrap_or_default();
    currencies.retain(|&currency| currency == Currency::VES || currency.flags().is_empty());
    // The table names no country for it.
    if market == "NA" {
        currencies.insert(0, Currency::NAD);
    }
    currencies
}

/// An amount in hundred-thousandths; prices have two places at most, meters five.
pub fn amount(text: &str, places: usize) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    if whole.is_empty()
        || part.len() > places
        || (digits.contains('.') && part.is_empty())
        || !is_number(whole)
        || !is_number(part)
    {
        return None;
    }
    let part: i64 = format!("{part:0<5}").parse().ok()?;
    let whole: i64 = whole.parse().ok()?;
    Some(sign * (whole.checked_mul(100_000)?.checked_add(part)?))
}

#[cfg(test)]
mod unit {
    use super::*;

    /// PN-14: one fact, two tables.
    #[test]
    fn taxes_are_remitted_where_the_catalog_says() {
        let data = include_str!("../../../offer-catalog/data/tax_remitted_markets.json");
        let data: Vec<String> = serde_json::from_str(data).unwrap();
        assert_eq!(data, TAX_REMITTED);
    }

    #[test]
    fn amounts_have_digits_and_few_places() {
        assert_eq!(amount("49.00", 2), Some(4_900_000));
        assert_eq!(amount("0", 2), Some(0));
        assert_eq!(amount("-1.5", 2), Some(-150_000));
        assert_eq!(amount("0.00005", 5), Some(5));
        assert_eq!(amount("0.000005", 5), None);
        for wrong in [
            "",
            ".",
            "1.",
            ".5",
            "1.005",
            "1,00",
            "1e3",
            "99999999999999999999",
        ] {
            assert_eq!(amount(wrong, 2), None, "{wrong}");
        }
    }

    #[test]
    fn cv_10_a_market_pays_in_its_currency_or_in_dollars() {
        for (market, currency) in [
            ("DE", "EUR"),
            ("DE", "USD"),
            ("KE", "KES"),
            ("BG", "EUR"),
            ("VE", "VES"),
            ("NA", "NAD"),
            ("NA", "ZAR"),
        ] {
            assert!(is_paid_in(market, currency), "{market} {currency}");
        }
        for (market, currency) in [("DE", "JPY"), ("BG", "BGN"), ("KE", "EUR"), ("XK", "USD")] {
            assert!(!is_paid_in(market, currency), "{market} {currency}");
        }
        assert_eq!(
            (own_currency("DE"), own_currency("XX")),
            (Some("EUR"), None)
        );
    }
}
