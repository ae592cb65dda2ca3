//! Where a plan is sold (PN-4, PN-14).

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{Issues, PlanPricing, check, taxonomy};

/// Markets by what they have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CustomerMarkets {
    /// Every market of ISO 3166-1.
    All,
    /// Those in which the marketplace collects and remits the taxes on a sale.
    AllTaxRemitted,
}

/// "Microsoft-managed countries" of learn.microsoft.com/partner-center/tax-details-marketplace for Azure Marketplace and
/// AppSource, as of April 2021. Certification goes by the same list.
static TAX_REMITTED: LazyLock<Vec<String>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/tax_remitted_markets.json"))
        .expect("a data file of this program is well formed")
});

const MAX_MARKETS: usize = 141;

impl CustomerMarkets {
    /// Which they are.
    pub fn markets(self) -> Vec<&'static str> {
        match self {
            Self::All => rust_iso3166::ALL_ALPHA2.to_vec(),
            Self::AllTaxRemitted => TAX_REMITTED.iter().map(String::as_str).collect(),
        }
    }

    fn has(self, market: &str) -> bool {
        match self {
            Self::All => taxonomy::is_market(market),
            Self::AllTaxRemitted => TAX_REMITTED.iter().any(|known| known == market),
        }
    }
}

impl PlanPricing {
    /// The markets that it is sold in.
    pub fn sold_in(&self) -> Vec<&str> {
        match self.customer_markets {
            Some(all) => all.markets(),
            None => self.markets.iter().map(String::as_str).collect(),
        }
    }

    /// Whether it is sold in a market.
    pub fn is_sold_in(&self, market: &str) -> bool {
        match self.customer_markets {
            Some(all) => all.has(market),
            None => self.markets.iter().any(|sold| sold == market),
        }
    }

    /// PN-4, PN-14
    pub(super) fn check_markets(&self, issues: &mut Issues) {
        if self.customer_markets.is_none() {
            self.check_listed_markets(issues);
        } else if !self.markets.is_empty() {
            let message = "markets are listed, and customer_markets says all of a kind";
            let remedy = "Leave out one of both.";
            issues.error("markets", "NOT_ALLOWED", message, remedy);
        }
    }

    fn check_listed_markets(&self, issues: &mut Issues) {
        if self.markets.is_empty() {
            check::required(issues, "markets", "", "at least one market");
        }
        check::max_items(issues, "markets", &self.markets, MAX_MARKETS);
        for (at, market) in self.markets.iter().enumerate() {
            if !taxonomy::is_market(market) {
                issues.error(
                    format!("markets[{at}]"),
                    "UNKNOWN_VALUE",
                    format!("\"{market}\" is no market"),
                    "Give a code like US or DE.",
                );
            }
        }
        let markets = self.markets.iter().enumerate();
        check::distinct(
            issues,
            markets.map(|(at, market)| (format!("markets[{at}]"), market.as_str())),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pn_14_all_of_a_kind_are_known_markets() {
        for all in [CustomerMarkets::All, CustomerMarkets::AllTaxRemitted] {
            let markets = all.markets();
            let mut sorted = markets.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), markets.len(), "each once");
            for market in markets {
                assert!(taxonomy::is_market(market) && all.has(market), "{market}");
            }
            assert!(!all.has("XK") && !all.has("us") && !all.has(""));
        }
        let remitted = CustomerMarkets::AllTaxRemitted;
        assert!(remitted.has("DE") && !remitted.has("JP"));
        assert!(CustomerMarkets::All.has("JP"));
    }
}
