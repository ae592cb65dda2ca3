//! Prices and meters of a plan (PN-5, PN-6, PN-8, PN-13).

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::check;
use super::{Issues, taxonomy};

/// What a plan is priced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PricingModel {
    /// One price per term.
    FlatRate,
    /// A price per user and term.
    PerUser,
    /// Nothing.
    Free,
    /// Bring your own licence: nothing here.
    Byol,
    /// A price per core and hour.
    PerCore,
    /// A price per hour for each number of cores.
    PerCoreSize,
    /// The same for each market.
    PerMarketAndCoreSize,
}

impl PricingModel {
    /// As pages name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FlatRate => "FLAT_RATE",
            Self::PerUser => "PER_USER",
            Self::Free => "FREE",
            Self::Byol => "BYOL",
            Self::PerCore => "PER_CORE",
            Self::PerCoreSize => "PER_CORE_SIZE",
            Self::PerMarketAndCoreSize => "PER_MARKET_AND_CORE_SIZE",
        }
    }

    /// Whether there are prices at all (PN-13).
    pub const fn has_prices(self) -> bool {
        !matches!(self, Self::Free | Self::Byol)
    }

    /// Whether a price is for a number of cores.
    pub const fn by_cores(self) -> bool {
        matches!(self, Self::PerCoreSize | Self::PerMarketAndCoreSize)
    }
}

/// How long a customer buys for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BillingTerm {
    /// By use.
    Hour,
    /// A month.
    OneMonth,
    /// A year.
    OneYear,
    /// Two years.
    TwoYears,
    /// Three years.
    ThreeYears,
}

impl BillingTerm {
    /// As pages name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "HOUR",
            Self::OneMonth => "ONE_MONTH",
            Self::OneYear => "ONE_YEAR",
            Self::TwoYears => "TWO_YEARS",
            Self::ThreeYears => "THREE_YEARS",
        }
    }
}

/// A price of one term.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Price {
    /// How long a customer buys for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<BillingTerm>,
    /// How often it is paid; unset: once per term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_every: Option<BillingTerm>,
    /// For one market; empty: for all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub market: String,
    /// ISO 4217.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub currency: String,
    /// For example `49.00`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub amount: String,
    /// The fewest users.
    #[serde(skip_serializing_if = "is_zero")]
    pub min_users: u32,
    /// The most users; 0: any number.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_users: u32,
    /// For how many cores.
    #[serde(skip_serializing_if = "is_zero")]
    pub cores: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Something that is counted and charged besides the price.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomMeter {
    /// Never changes once published.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// As customers read it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// What is counted.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Of one unit.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub price_per_unit: String,
    /// Units that the price includes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub included_quantity: String,
}

static AMOUNT: LazyLock<Regex> =
    LazyLock::new(|| check::pattern(r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?$"));
static UNIT_PRICE: LazyLock<Regex> =
    LazyLock::new(|| check::pattern(r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,5})?$"));
static METER_ID: LazyLock<Regex> = LazyLock::new(|| check::pattern(r"^[A-Za-z0-9_-]{1,50}$"));

impl Price {
    /// How often it is paid; unset: once per term.
    pub fn paid_every(&self) -> Option<BillingTerm> {
        self.paid_every.or(self.term)
    }

    /// The amount in hundredths; `None`: it is no amount.
    pub fn hundredths(&self) -> Option<u64> {
        counted(&self.amount, &AMOUNT, 2)
    }

    /// What a price is of its own, whatever its plan's model.
    pub(super) fn check(
        &self,
        field: &str,
        model: PricingModel,
        terms: &[BillingTerm],
        issues: &mut Issues,
    ) {
        self.check_term(field, terms, issues);
        self.check_amount(field, issues);
        let users = model == PricingModel::PerUser;
        if !users && (self.min_users, self.max_users) != (0, 0) {
            let message = "only prices per user have numbers of users";
            issues.error(
                format!("{field}.min_users"),
                "NOT_ALLOWED",
                message,
                "Leave out min_users and max_users.",
            );
        }
        if users && self.max_users != 0 && self.min_users > self.max_users {
            let remedy = "Give a maximum that is not below the minimum.";
            issues.error(
                format!("{field}.max_users"),
                "BAD_RANGE",
                "is below min_users",
                remedy,
            );
        }
        match (model.by_cores(), self.cores) {
            (true, 0) => {
                check::required(issues, &format!("{field}.cores"), "", "a number of cores")
            }
            (false, 1..) => {
                let message = "prices of this model are not for a number of cores";
                issues.error(
                    format!("{field}.cores"),
                    "NOT_ALLOWED",
                    message,
                    "Leave out cores.",
                );
            }
            _ => {}
        }
    }

    fn check_term(&self, field: &str, terms: &[BillingTerm], issues: &mut Issues) {
        let known = || {
            terms
                .iter()
                .map(|term| term.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        check::present(
            issues,
            &format!("{field}.term"),
            self.term.as_ref(),
            "a term",
        );
        let Some(term) = self.term else { return };
        if !terms.contains(&term) {
            let message = format!("{} is no term of this type of offer", term.as_str());
            issues.error(
                format!("{field}.term"),
                "NOT_ALLOWED",
                message,
                format!("Choose one of {}.", known()),
            );
        }
        if let Some(every) = self.paid_every
            && (every > term || every == BillingTerm::Hour && term != BillingTerm::Hour)
        {
            let message = "is paid less often than it is bought, or by the hour";
            issues.error(
                format!("{field}.paid_every"),
                "NOT_ALLOWED",
                message,
                "Choose at most the term itself.",
            );
        }
    }

    fn check_amount(&self, field: &str, issues: &mut Issues) {
        let currency = format!("{field}.currency");
        check::required(issues, &currency, &self.currency, "a currency");
        if !self.currency.is_empty() && !taxonomy::is_currency(&self.currency) {
            issues.error(
                &currency,
                "UNKNOWN_VALUE",
                "is no currency that can be charged",
                "Give a code like USD or EUR.",
            );
        } else if self.market.is_empty() && !matches!(self.currency.as_str(), "" | "USD") {
            let message = "a price for all markets is in US dollars";
            issues.error(
                &currency,
                "NOT_ALLOWED",
                message,
                "Give USD, or name the market that this price is for.",
            );
        } else if taxonomy::is_market(&self.market)
            && !self.currency.is_empty()
            && !taxonomy::is_paid_in(&self.market, &self.currency)
        {
            let own = taxonomy::own_currencies(&self.market);
            let known: Vec<&str> = own.iter().map(|own| own.code()).chain(["USD"]).collect();
            issues.error(
                &currency,
                "CURRENCY_MISMATCH",
                format!(
                    "customers in {} don't pay in {}",
                    self.market, self.currency
                ),
                format!("Choose one of {}.", known.join(", ")),
            );
        }
        let amount = format!("{field}.amount");
        check::required(issues, &amount, &self.amount, "an amount");
        check::matches(
            issues,
            &amount,
            &self.amount,
            &AMOUNT,
            "an amount of at most 9 digits and 2 places, like 49.00",
        );
    }
}

/// A number of at most this many places, in its smallest parts.
fn counted(text: &str, form: &Regex, places: usize) -> Option<u64> {
    if !form.is_match(text) {
        return None;
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{part:0<places$}").parse().ok()
}

impl CustomMeter {
    /// The price of a unit in hundred-thousandths; `None`: it is no price.
    pub fn hundred_thousandths(&self) -> Option<u64> {
        counted(&self.price_per_unit, &UNIT_PRICE, 5)
    }

    /// PN-8
    pub(super) fn check(&self, field: &str, issues: &mut Issues) {
        check::required(issues, &format!("{field}.id"), &self.id, "an id");
        check::matches(
            issues,
            &format!("{field}.id"),
            &self.id,
            &METER_ID,
            "at most 50 letters, digits, _ and -",
        );
        check::required(
            issues,
            &format!("{field}.display_name"),
            &self.display_name,
            "a name",
        );
        check::max_chars(
            issues,
            &format!("{field}.display_name"),
            &self.display_name,
            50,
        );
        check::required(issues, &format!("{field}.unit"), &self.unit, "a unit");
        check::max_chars(issues, &format!("{field}.unit"), &self.unit, 50);
        let price = format!("{field}.price_per_unit");
        check::required(issues, &price, &self.price_per_unit, "a price");
        check::matches(
            issues,
            &price,
            &self.price_per_unit,
            &UNIT_PRICE,
            "an amount of at most 9 digits and 5 places",
        );
        let included = format!("{field}.included_quantity");
        check::matches(
            issues,
            &included,
            &self.included_quantity,
            &UNIT_PRICE,
            "a number of at most 9 digits and 5 places",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_counted_in_hundredths() {
        let of = |amount: &str| {
            Price {
                amount: amount.into(),
                ..Price::default()
            }
            .hundredths()
        };
        assert_eq!(
            [of("49"), of("49.5"), of("49.05"), of("0")],
            [Some(4_900), Some(4_950), Some(4_905), Some(0)]
        );
        for wrong in ["", "-1", "1.234", "1,00", "01", "1e3", "1234567890", "."] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn pb_1_numbers_of_users_and_cores_are_part_of_what_is_certified() {
        let price = Price {
            min_users: 1,
            max_users: 9,
            cores: 4,
            ..Price::default()
        };
        let json = serde_json::json!({"min_users": 1, "max_users": 9, "cores": 4});
        assert_eq!(serde_json::to_value(&price).unwrap(), json);
        let nothing = serde_json::to_value(Price::default()).unwrap();
        assert_eq!(nothing, serde_json::json!({}), "format 1 leaves out zeros");
    }
}
