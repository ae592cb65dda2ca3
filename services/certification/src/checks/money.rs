//! Markets, currencies and amounts: data and parsing. No check of its own.

use super::text;

/// "DE=EUR"
static MARKETS: &str = include_str!("data/markets.txt");
/// Currencies that the marketplace bills in; elsewhere customers may be billed in US dollars.
const BILLED: &[&str] = &[
    "AUD", "BRL", "CAD", "CHF", "CNY", "DKK", "EUR", "GBP", "INR", "JPY", "KRW", "NOK", "NZD",
    "RUB", "SEK", "TWD", "USD",
];

/// The currency of a market; `None`: no such market.
pub fn currency_of(market: &str) -> Option<&'static str> {
    let mut pairs = text::lines(MARKETS).filter_map(|line| line.split_once('='));
    pairs
        .find(|(code, _)| *code == market)
        .map(|(_, currency)| currency)
}

/// Customers of that market can be billed in that currency.
pub fn is_billed(market: &str, currency: &str) -> bool {
    currency_of(market)
        .is_some_and(|own| own == currency || (currency == "USD" && !BILLED.contains(&own)))
}

/// An amount of money in ten-thousandths; prices have two places at most, meters four.
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
    let part: i64 = format!("{part:0<4}").parse().ok()?;
    let whole: i64 = whole.parse().ok()?;
    Some(sign * (whole.checked_mul(10_000)?.checked_add(part)?))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn amounts_have_digits_and_few_places() {
        assert_eq!(amount("49.00", 2), Some(490_000));
        assert_eq!(amount("0", 2), Some(0));
        assert_eq!(amount("-1.5", 2), Some(-15_000));
        assert_eq!(amount("0.0005", 4), Some(5));
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
    fn a_market_is_billed_in_its_currency_or_in_dollars_where_that_one_is_not_billed() {
        assert!(is_billed("DE", "EUR") && !is_billed("DE", "USD") && !is_billed("DE", "JPY"));
        assert!(is_billed("KE", "USD") && is_billed("KE", "KES") && !is_billed("KE", "EUR"));
        assert!(!is_billed("XX", "USD"));
        assert_eq!(text::lines(MARKETS).count(), 141);
    }
}
