//! Offer setup: how it is sold, and where leads go (OS-1 … OS-7).

use serde::{Deserialize, Serialize};
use url::Url;

use super::check::{self, Context};
use super::offer_type::{LeadsNeeded, Transactable};
use super::{Issues, LeadDestination, OfferType};

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OfferSetup {
    /// Sold through the marketplace, or listed only (OS-1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selling: Option<Selling>,
    /// What a customer of a listed offer does (OS-2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_to_action: Option<CallToAction>,
    /// Where that leads.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub call_to_action_url: String,
    /// Where leads go (OS-3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_destination: Option<LeadDestination>,
    /// Links into Microsoft 365 clients, ranked (OS-7).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub client_links: Vec<String>,
    /// A test drive (OS-6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_drive: Option<TestDrive>,
}

/// How an offer is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Selling {
    /// Through the marketplace.
    ListAndSell,
    /// Elsewhere; the marketplace shows it.
    ListingOnly,
}

/// What a customer of a listed offer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CallToAction {
    /// "Get it now".
    Free,
    /// "Free trial".
    FreeTrial,
    /// "Contact me".
    ContactMe,
}

/// Trying it out in an environment of the publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestDrive {
    /// One of those of OS-6.
    #[serde(rename = "type")]
    pub kind: String,
}

const TEST_DRIVES: [&str; 6] = [
    "azureResourceManager",
    "dynamicsForBusinessCentral",
    "dynamicsForCustomerEngagement",
    "dynamicsForOperations",
    "logicApp",
    "powerBi",
];

const MAX_CLIENT_LINKS: usize = 20;

impl OfferSetup {
    /// OS-1 … OS-4, OS-6, OS-7
    pub fn check(&self, context: &Context<'_>, issues: &mut Issues) {
        self.check_selling(context, issues);
        self.check_leads(context, issues);
        self.check_client_links(issues);
        if let Some(test_drive) = &self.test_drive
            && !TEST_DRIVES.contains(&test_drive.kind.as_str())
        {
            let remedy = format!(
                "Choose one of {}, or no test drive.",
                TEST_DRIVES.join(", ")
            );
            issues.error(
                "test_drive.type",
                "UNKNOWN_VALUE",
                "is no type of test drive",
                remedy,
            );
        }
    }

    fn check_selling(&self, context: &Context<'_>, issues: &mut Issues) {
        check::present(
            issues,
            "selling",
            self.selling.as_ref(),
            "whether it is sold through the marketplace",
        );
        let wrong = match (context.offer_type.transactable, self.selling) {
            (Transactable::Always, Some(Selling::ListingOnly)) => {
                Some(("LIST_AND_SELL", "are always sold through the marketplace"))
            }
            (Transactable::Never, Some(Selling::ListAndSell)) => {
                Some(("LISTING_ONLY", "can't be sold through the marketplace"))
            }
            _ => None,
        };
        if let Some((right, why)) = wrong {
            issues.error(
                "selling",
                "NOT_ALLOWED",
                format!("offers of this type {why}"),
                format!("Choose {right}."),
            );
        }
        if self.selling == Some(Selling::ListingOnly) {
            self.check_call_to_action(issues);
        }
    }

    fn check_call_to_action(&self, issues: &mut Issues) {
        check::present(
            issues,
            "call_to_action",
            self.call_to_action.as_ref(),
            "a call to action",
        );
        let what = match self.call_to_action {
            Some(CallToAction::Free) => "the address of the offer",
            Some(CallToAction::FreeTrial) => "the address of the trial",
            Some(CallToAction::ContactMe) | None => return,
        };
        check::required(issues, "call_to_action_url", &self.call_to_action_url, what);
        check::web_url(
            issues,
            "call_to_action_url",
            &self.call_to_action_url,
            &["https", "http"],
        );
    }

    fn check_leads(&self, context: &Context<'_>, issues: &mut Issues) {
        let contact_me = self.selling == Some(Selling::ListingOnly)
            && self.call_to_action == Some(CallToAction::ContactMe);
        let by_type = match context.offer_type.lead_destination {
            LeadsNeeded::Always => true,
            LeadsNeeded::WhenTransactableOrContactMe => {
                self.selling == Some(Selling::ListAndSell) || contact_me
            }
            LeadsNeeded::WhenContactMe => contact_me,
            LeadsNeeded::WhenTestDrive => false,
        };
        let needed = by_type || self.test_drive.is_some();
        match &self.lead_destination {
            Some(leads) => leads.check(needed, context.lead_secret, issues),
            None if needed => {
                check::required(issues, "lead_destination", "", "a destination for leads")
            }
            None => {}
        }
    }

    fn check_client_links(&self, issues: &mut Issues) {
        check::max_items(issues, "client_links", &self.client_links, MAX_CLIENT_LINKS);
        for (at, link) in self.client_links.iter().enumerate() {
            let field = format!("client_links[{at}]");
            check::required(issues, &field, link, "an AppSource address");
            let elsewhere = |url: &Url| url.host_str() != Some("appsource.microsoft.com");
            if check::https_url(issues, &field, link).is_some_and(|url| elsewhere(&url)) {
                let remedy = "Give the address of the client's page on appsource.microsoft.com.";
                issues.error(field, "BAD_URL", "is not an AppSource address", remedy);
            }
        }
        let links = self.client_links.iter().enumerate();
        check::distinct(
            issues,
            links.map(|(at, link)| (format!("client_links[{at}]"), link.as_str())),
        );
    }

    /// OS-5, UP-9
    pub fn check_against(&self, published: &Self, offer_type: &OfferType, issues: &mut Issues) {
        if published.selling == Some(Selling::ListAndSell)
            && self.selling == Some(Selling::ListingOnly)
        {
            let message =
                "an offer that was sold through the marketplace can't become listing-only";
            issues.error(
                "selling",
                "FROZEN_BY_PUBLISH",
                message,
                "Choose LIST_AND_SELL, or stop its distribution and create another offer.",
            );
        }
        if published.selling == Some(Selling::ListingOnly)
            && self.selling == Some(Selling::ListAndSell)
            && !offer_type.listed_may_be_sold
        {
            issues.error(
                "selling",
                "FROZEN_BY_PUBLISH",
                "an offer of this type that was published as listing-only can't be sold",
                "Choose LISTING_ONLY, or create another offer.",
            );
        }
    }
}
