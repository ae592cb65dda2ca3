//! What a customer would be charged for a plan, and why an order of it could not be carried through (S1-1).

use crate::domain::snapshot::{Content, ContentPlan};
use crate::pages::offer_type::Fulfilment;
use crate::pages::{BillingTerm, PlanPricing, Price, PricingModel};

/// The market that a price is quoted for when nobody names one.
pub const DEFAULT_MARKET: &str = "US";

/// What one order of a plan costs in a market: "USD 49.00 per month"; empty where nothing is charged. `None`: the plan is
/// not sold there. Of several terms the shortest is quoted.
pub fn charge(pricing: &PlanPricing, market: &str) -> Option<String> {
    if !pricing.is_sold_in(market) {
        return None;
    }
    match pricing.model {
        Some(model) if !model.has_prices() => Some(String::new()),
        Some(model) => price(pricing, market).map(|price| quote(price, model)),
        None => None,
    }
}

/// A price of this market goes before one for all markets.
fn price<'a>(pricing: &'a PlanPricing, market: &str) -> Option<&'a Price> {
    let of = |market: &str| {
        pricing
            .prices
            .iter()
            .filter(|price| price.market == market)
            .min_by_key(|price| price.term)
    };
    of(market).or_else(|| of(""))
}

/// "USD 49.00 per month"
pub fn quote(price: &Price, model: PricingModel) -> String {
    let mut text = format!("{} {}", price.currency, price.amount);
    match model {
        PricingModel::PerUser => text.push_str(" per user"),
        PricingModel::PerCore => text.push_str(" per core"),
        PricingModel::PerCoreSize | PricingModel::PerMarketAndCoreSize if price.cores > 0 => {
            text.push_str(&format!(" for {} cores", price.cores));
        }
        _ => {}
    }
    if let Some(term) = price.term {
        text.push_str(period(term));
    }
    if let Some(every) = price.paid_every.filter(|every| Some(*every) != price.term) {
        text.push_str(&format!(", paid{}", period(every)));
    }
    text
}

const fn period(term: BillingTerm) -> &'static str {
    match term {
        BillingTerm::Hour => " per hour",
        BillingTerm::OneMonth => " per month",
        BillingTerm::OneYear => " per year",
        BillingTerm::TwoYears => " per 2 years",
        BillingTerm::ThreeYears => " per 3 years",
    }
}

/// Why no order of a plan could be made or carried through; each a sentence with what to do. Empty: it can.
pub fn faults(content: &Content, plan: &ContentPlan) -> Vec<String> {
    let Some(pricing) = &plan.pages.plan_pricing else {
        return vec!["the plan has no prices; save its page Pricing and availability".into()];
    };
    let mut faults = Vec::new();
    let mut unpriced = pricing.sold_in();
    if unpriced.is_empty() {
        faults.push("the plan is sold in no market; choose at least one".into());
    }
    unpriced.retain(|market| charge(pricing, market).is_none());
    if !unpriced.is_empty() {
        faults.push(format!(
            "the plan has no price for {}; add one for each, or one for all markets",
            unpriced.join(", ")
        ));
    }
    let amounts = pricing
        .prices
        .iter()
        .filter(|price| price.hundredths().is_none())
        .count();
    if amounts > 0 {
        faults.push(format!(
            "{amounts} prices of the plan are no amounts; write them like 49.00"
        ));
    }
    faults.extend(unresolvable(content));
    faults
}

/// An order of a service is resolved by its landing page and told about by its webhook (1000.4). Of other types only an
/// address that is given is called.
fn unresolvable(content: &Content) -> Vec<String> {
    let (Some(technical), Ok(kind)) =
        (&content.pages.technical_configuration, content.offer_type())
    else {
        return Vec::new();
    };
    let called = |url: &str| kind.fulfilment == Fulfilment::Required || !url.is_empty();
    let ends = [
        ("landing page", &technical.landing_page_url),
        ("connection webhook", &technical.webhook_url),
    ];
    let wrong = ends
        .into_iter()
        .filter(|(_, url)| called(url) && !is_https(url));
    wrong
        .map(|(what, url)| format!("the {what} {url:?} can't be called; give an https address"))
        .collect()
}

fn is_https(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| url.scheme() == "https" && url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::samples;
    use crate::pages::CustomerMarkets;

    fn price(market: &str, amount: &str, term: BillingTerm) -> Price {
        Price {
            term: Some(term),
            market: market.into(),
            currency: "USD".into(),
            amount: amount.into(),
            ..Price::default()
        }
    }

    fn pricing(model: PricingModel, prices: Vec<Price>) -> PlanPricing {
        PlanPricing {
            markets: vec!["US".into(), "DE".into()],
            model: Some(model),
            prices,
            ..PlanPricing::default()
        }
    }

    #[test]
    fn s1_1_the_shortest_term_of_the_market_is_quoted() {
        let prices = vec![
            price("", "490.00", BillingTerm::OneYear),
            price("", "49.00", BillingTerm::OneMonth),
            price("DE", "45.00", BillingTerm::OneMonth),
        ];
        let plan = pricing(PricingModel::FlatRate, prices.clone());
        assert_eq!(charge(&plan, "US").as_deref(), Some("USD 49.00 per month"));
        assert_eq!(charge(&plan, "DE").as_deref(), Some("USD 45.00 per month"));
        assert_eq!(charge(&plan, "FR"), None);
        let everywhere = PlanPricing {
            markets: vec![],
            customer_markets: Some(CustomerMarkets::All),
            ..plan
        };
        assert_eq!(
            charge(&everywhere, "FR").as_deref(),
            Some("USD 49.00 per month"),
            "PN-14"
        );
        assert_eq!(charge(&everywhere, "XK"), None);
        assert_eq!(
            charge(&pricing(PricingModel::PerUser, prices), "US").as_deref(),
            Some("USD 49.00 per user per month")
        );
    }

    #[test]
    fn what_costs_nothing_is_sold_all_the_same() {
        for model in [PricingModel::Free, PricingModel::Byol] {
            assert_eq!(charge(&pricing(model, vec![]), "US").as_deref(), Some(""));
        }
        assert_eq!(charge(&pricing(PricingModel::FlatRate, vec![]), "US"), None);
    }

    #[test]
    fn a_year_paid_by_the_month_says_so() {
        let yearly = Price {
            paid_every: Some(BillingTerm::OneMonth),
            ..price("", "10.00", BillingTerm::OneYear)
        };
        let plan = pricing(PricingModel::FlatRate, vec![yearly]);
        assert_eq!(
            charge(&plan, "US").as_deref(),
            Some("USD 10.00 per year, paid per month")
        );
    }

    /// S1-1: only a service is resolved by a landing page; of other types only what is given is looked at.
    #[test]
    fn s1_1_addresses_are_needed_where_the_type_needs_them() {
        let faults = |kind: &str, landing: &str| {
            let mut content = Content::of(&samples::saas());
            content.offer.offer_type = kind.into();
            let technical = content.pages.technical_configuration.as_mut().unwrap();
            technical.landing_page_url = landing.into();
            technical.webhook_url.clear();
            unresolvable(&content).len()
        };
        assert_eq!(faults("softwareAsAService", ""), 2);
        assert_eq!(faults("softwareAsAService", "https://a.example/"), 1);
        for kind in [
            "azureApplication",
            "powerBiVisual",
            "dynamics365ForCustomerEngagement",
        ] {
            assert_eq!(faults(kind, ""), 0, "{kind}");
            assert_eq!(faults(kind, "http://a.example/"), 1, "{kind}");
        }
    }

    #[test]
    fn pn_13_a_charge_says_what_it_is_for() {
        use BillingTerm::*;
        use PricingModel::*;
        let by_cores = |cores| Price {
            cores,
            ..price("", "0.20", Hour)
        };
        let paid = |every, term| Price {
            paid_every: Some(every),
            ..price("", "9", term)
        };
        for (model, one, expected) in [
            (
                PerUser,
                price("", "9", TwoYears),
                "USD 9 per user per 2 years",
            ),
            (FlatRate, price("", "9", ThreeYears), "USD 9 per 3 years"),
            (PerCore, by_cores(0), "USD 0.20 per core per hour"),
            (PerCoreSize, by_cores(4), "USD 0.20 for 4 cores per hour"),
            (PerCoreSize, by_cores(0), "USD 0.20 per hour"),
            (
                PerMarketAndCoreSize,
                by_cores(8),
                "USD 0.20 for 8 cores per hour",
            ),
            (FlatRate, by_cores(4), "USD 0.20 per hour"),
            (FlatRate, paid(OneYear, OneYear), "USD 9 per year"),
            (
                FlatRate,
                paid(OneYear, TwoYears),
                "USD 9 per 2 years, paid per year",
            ),
        ] {
            let plan = pricing(model, vec![one]);
            assert_eq!(charge(&plan, "US").as_deref(), Some(expected));
        }
    }

    #[test]
    fn s1_1_what_keeps_an_order_from_being_made_is_told() {
        type Fault = (fn(&mut Content), &'static [&'static str]);
        fn of(content: &mut Content) -> &mut PlanPricing {
            content.plans[0].pages.plan_pricing.as_mut().unwrap()
        }
        let rows: &[Fault] = &[
            (|_| {}, &[]),
            (|c| c.pages.technical_configuration = None, &[]),
            (
                |c| c.plans[0].pages.plan_pricing = None,
                &["the plan has no prices"],
            ),
            (
                |c| of(c).markets.clear(),
                &["the plan is sold in no market"],
            ),
            (
                |c| {
                    of(c).prices.remove(0);
                    of(c).markets.push("FR".into());
                },
                &["the plan has no price for US, FR; add"],
            ),
            (
                |c| {
                    c.offer.offer_type = "azureApplication".into();
                    let page = c.pages.technical_configuration.as_mut().unwrap();
                    page.landing_page_url.clear();
                    page.webhook_url = "http://notes.contoso.example".into();
                },
                &["the connection webhook \"http://notes.contoso.example\" can't"],
            ),
            (
                |c| of(c).prices[1].amount = "much".into(),
                &["1 prices of the plan are no amounts"],
            ),
            (
                |c| {
                    let page = c.pages.technical_configuration.as_mut().unwrap();
                    page.landing_page_url = "http://notes.contoso.example".into();
                    page.webhook_url.clear();
                },
                &[
                    "the landing page \"http://notes.contoso.example\" can't",
                    "the connection webhook \"\" can't",
                ],
            ),
        ];
        for (change, expected) in rows {
            let mut content = Content::of(&crate::domain::samples::saas());
            change(&mut content);
            let found = faults(&content, &content.plans[0]);
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (found, expected) in found.iter().zip(*expected) {
                assert!(found.starts_with(expected), "{found}");
            }
        }
    }
}
