//! Pricing and availability of a plan (PN-4 … PN-14).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::check::{self, Context};
use super::{
    AudienceIdKind, AudienceMember, BillingTerm, CustomMeter, CustomerMarkets, Issues, PageId,
    Price, PricingModel,
};

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanPricing {
    /// Where it is sold, one by one (PN-4).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub markets: Vec<String>,
    /// Where it is sold, all at once (PN-14): in snapshots from format 2 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_markets: Option<CustomerMarkets>,
    /// What it is priced by (PN-5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<PricingModel>,
    /// What it costs (PN-6, PN-13).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<Price>,
    /// Who may buy it (PN-10).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<PlanAudience>,
    /// Bought by deep link only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// The first 30 days cost nothing (PN-9).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub free_trial: bool,
    /// Charged besides (PN-8).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub meters: Vec<CustomMeter>,
    /// Who may buy a private plan (PN-11); never part of a snapshot.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub private_audience: Vec<AudienceMember>,
}

/// Who may buy a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PlanAudience {
    /// Everybody.
    Public,
    /// Those of the private audience.
    Private,
}

const MAX_METERS: usize = 30;
const MAX_TENANTS: usize = 20_000;
const MAX_SUBSCRIPTIONS: usize = 10_000;

impl PlanPricing {
    /// Whether only its private audience may buy it.
    pub fn is_private(&self) -> bool {
        self.audience == Some(PlanAudience::Private)
    }

    /// Terms of more than a year, or a year paid by the month, are sold by one storefront only (PN-7).
    pub fn has_long_terms(&self) -> bool {
        self.prices.iter().any(|price| match price.term {
            Some(BillingTerm::TwoYears | BillingTerm::ThreeYears) => true,
            Some(BillingTerm::OneYear) => price.paid_every == Some(BillingTerm::OneMonth),
            _ => false,
        })
    }

    /// PN-4 … PN-14, of a plan of this subtype. Where the members of its private audience aren't here, what was found of
    /// them before counts.
    pub fn check(
        &self,
        context: &Context<'_>,
        subtype: &str,
        checked: Option<&CheckedAudience>,
        issues: &mut Issues,
    ) {
        self.check_markets(issues);
        if context.offer_type.sells(subtype) {
            self.check_model(context, issues);
            self.check_meters(context, issues);
        } else {
            self.check_unsold(subtype, issues);
        }
        self.check_audience(context, checked, issues);
    }

    /// §1.1: a plan that is never sold costs nothing here.
    fn check_unsold(&self, subtype: &str, issues: &mut Issues) {
        let priced = self.model.is_some_and(PricingModel::has_prices);
        for (field, used) in [
            ("model", priced),
            ("prices", !self.prices.is_empty()),
            ("meters", !self.meters.is_empty()),
            ("free_trial", self.free_trial),
        ] {
            if used {
                let message = format!("a {subtype} is not sold through the marketplace");
                issues.error(field, "NOT_ALLOWED", message, "Leave it out.");
            }
        }
    }

    /// PN-5, PN-6, PN-13
    fn check_model(&self, context: &Context<'_>, issues: &mut Issues) {
        let models = &context.offer_type.pricing_models;
        if models.is_empty() {
            if self.model.is_some() || !self.prices.is_empty() {
                issues.error(
                    "model",
                    "NOT_ALLOWED",
                    "plans of this type have no price",
                    "Leave out model and prices.",
                );
            }
            return;
        }
        check::present(issues, "model", self.model.as_ref(), "a pricing model");
        let Some(model) = self.model else { return };
        if !models.contains(&model) {
            let known: Vec<&str> = models.iter().map(|model| model.as_str()).collect();
            let message = format!(
                "{} is no pricing model of this type of offer",
                model.as_str()
            );
            return issues.error(
                "model",
                "NOT_ALLOWED",
                message,
                format!("Choose one of {}.", known.join(", ")),
            );
        }
        if !model.has_prices() {
            if !self.prices.is_empty() {
                issues.error(
                    "prices",
                    "NOT_ALLOWED",
                    format!("{} has no prices", model.as_str()),
                    "Leave out prices.",
                );
            }
            return;
        }
        self.check_prices(model, &context.offer_type.billing_terms, issues);
    }

    fn check_prices(&self, model: PricingModel, terms: &[BillingTerm], issues: &mut Issues) {
        if self.prices.is_empty() {
            check::required(issues, "prices", "", "at least one price");
        }
        let markets: HashSet<&str> = self.sold_in().into_iter().collect();
        for (at, price) in self.prices.iter().enumerate() {
            let at = format!("prices[{at}]");
            price.check(&at, model, terms, issues);
            check_price_market(&at, price, model, &markets, issues);
        }
        let keys = self.prices.iter().enumerate();
        check::distinct(
            issues,
            keys.map(|(at, price)| {
                (
                    format!("prices[{at}]"),
                    (price.term, price.market.as_str(), price.cores),
                )
            }),
        );
        self.check_payment_options(issues);
        self.check_coverage(issues);
    }

    /// PN-6: one payment option per term.
    fn check_payment_options(&self, issues: &mut Issues) {
        let mut options = BTreeMap::new();
        for (at, price) in self.prices.iter().enumerate() {
            let Some(term) = price.term else { continue };
            let every = price.paid_every.unwrap_or(term);
            if *options.entry(term).or_insert(every) != every {
                let message = format!(
                    "a plan has one payment option per term; {} has two",
                    term.as_str()
                );
                issues.error(
                    format!("prices[{at}].paid_every"),
                    "DUPLICATE",
                    message,
                    "Give every price of a term the same option.",
                );
            }
        }
    }

    /// Every term has a price in every market.
    fn check_coverage(&self, issues: &mut Issues) {
        let mut by_term: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
        for price in &self.prices {
            by_term
                .entry((price.term, price.cores))
                .or_default()
                .insert(&price.market);
        }
        for ((term, _), priced) in by_term {
            let mut missing = self.sold_in();
            missing.retain(|market| !priced.contains(market));
            if !priced.contains("") && !missing.is_empty() {
                let term = term.map_or("a term", BillingTerm::as_str);
                let message = format!("{term} has no price for {}", some_of(&missing));
                issues.error(
                    "prices",
                    "MARKET_WITHOUT_PRICE",
                    message,
                    "Add a price for all markets, or one for each of these.",
                );
            }
        }
    }

    /// PN-8
    fn check_meters(&self, context: &Context<'_>, issues: &mut Issues) {
        if !context.offer_type.meters_and_trials {
            for (field, used) in [
                ("meters", !self.meters.is_empty()),
                ("free_trial", self.free_trial),
            ] {
                if used {
                    issues.error(
                        field,
                        "NOT_ALLOWED",
                        "plans of this type of offer don't have it",
                        "Leave it out.",
                    );
                }
            }
            return;
        }
        check::max_items(issues, "meters", &self.meters, MAX_METERS);
        for (at, meter) in self.meters.iter().enumerate() {
            meter.check(&format!("meters[{at}]"), issues);
        }
        let meters = self
            .meters
            .iter()
            .enumerate()
            .filter(|(_, meter)| !meter.id.is_empty());
        check::distinct(
            issues,
            meters.map(|(at, meter)| (format!("meters[{at}].id"), meter.id.as_str())),
        );
        if self.free_trial && !self.meters.is_empty() {
            issues.error(
                "free_trial",
                "NOT_ALLOWED",
                "a plan with meters has no free trial",
                "Remove the meters or the free trial.",
            );
        }
        if self.model == Some(PricingModel::PerUser) && !self.meters.is_empty() {
            issues.error(
                "meters",
                "NOT_ALLOWED",
                "a plan priced per user has no meters",
                "Remove the meters, or choose FLAT_RATE.",
            );
        }
    }

    /// PN-10, PN-11, PN-12
    fn check_audience(
        &self,
        context: &Context<'_>,
        checked: Option<&CheckedAudience>,
        issues: &mut Issues,
    ) {
        let any = !self.private_audience.is_empty() || checked.is_some();
        check::present(
            issues,
            "audience",
            self.audience.as_ref(),
            "who may buy it: PUBLIC or PRIVATE",
        );
        match self.audience {
            Some(PlanAudience::Private) if !context.offer_type.private_plans => {
                issues.error(
                    "audience",
                    "NOT_ALLOWED",
                    "plans of this type of offer are never private",
                    "Choose PUBLIC.",
                );
            }
            Some(PlanAudience::Private) => match checked {
                Some(checked) => issues.again(&checked.0),
                None => check_private_audience(
                    &self.private_audience,
                    &context.offer_type.private_audience_kinds,
                    issues,
                ),
            },
            Some(PlanAudience::Public) if any => {
                let message =
                    "a public plan is sold to everybody; its private audience counts for nothing";
                issues.warn(
                    "private_audience",
                    "IGNORED",
                    message,
                    "Remove it, or choose PRIVATE.",
                );
            }
            Some(PlanAudience::Public) | None => {}
        }
    }
}

/// What the rules say of a long private audience. It was looked at while it was read, and not kept: a draft may have
/// millions of members, and its plans are looked at together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedAudience(Issues);

impl CheckedAudience {
    /// Looks at a private audience (PN-11, PN-12).
    pub fn of(members: &[AudienceMember], kinds: &[AudienceIdKind]) -> Self {
        let mut issues = Issues::of(PageId::PlanPricing, None);
        check_private_audience(members, kinds, &mut issues);
        Self(issues)
    }
}

fn check_private_audience(
    members: &[AudienceMember],
    kinds: &[AudienceIdKind],
    issues: &mut Issues,
) {
    const AT: &str = "private_audience";
    check::min_items(issues, AT, members, 1);
    let of = |kind| {
        members
            .iter()
            .filter(move |member| member.kind == kind)
            .count()
    };
    let limits = [
        (AudienceIdKind::Tenant, MAX_TENANTS),
        (AudienceIdKind::Subscription, MAX_SUBSCRIPTIONS),
    ];
    for (kind, max) in limits {
        if of(kind) > max {
            let message = format!(
                "has {} entries of kind {}; at most {max} are allowed",
                of(kind),
                kind.as_str()
            );
            issues.error(
                AT,
                "TOO_MANY",
                message,
                format!("Remove {} of them.", of(kind) - max),
            );
        }
    }
    AudienceMember::check_all(members, AT, kinds, issues);
}

fn check_price_market(
    field: &str,
    price: &Price,
    model: PricingModel,
    markets: &HashSet<&str>,
    issues: &mut Issues,
) {
    let field = format!("{field}.market");
    let by_market = model == PricingModel::PerMarketAndCoreSize;
    let without_market = matches!(model, PricingModel::PerCore | PricingModel::PerCoreSize);
    if price.market.is_empty() {
        if by_market {
            check::required(issues, &field, "", "the market that the price is for");
        }
    } else if without_market {
        let message = format!("prices of {} are the same for all markets", model.as_str());
        issues.error(
            field,
            "NOT_ALLOWED",
            message,
            "Leave out market, or choose PER_MARKET_AND_CORE_SIZE.",
        );
    } else if !markets.contains(price.market.as_str()) {
        let message = format!("the plan is not sold in \"{}\"", price.market);
        issues.error(
            field,
            "NOT_ALLOWED",
            message,
            "Add the market to the plan, or remove its price.",
        );
    }
}

/// The first of many, and how many more there are.
fn some_of(markets: &[&str]) -> String {
    const NAMED: usize = 10;
    match markets.len().checked_sub(NAMED) {
        None | Some(0) => markets.join(", "),
        Some(more) => format!("{} and {more} more", markets[..NAMED].join(", ")),
    }
}
