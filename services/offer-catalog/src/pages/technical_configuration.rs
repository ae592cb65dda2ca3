//! Technical configuration of an offer: where customers land and where we call (TC-1, TC-2).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Issues;
use super::check::{self, Context};
use super::offer_type::Fulfilment;

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TechnicalConfiguration {
    /// Where customers land after they bought.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub landing_page_url: String,
    /// Where we tell of what happens to a subscription.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub webhook_url: String,
    /// The application's tenant.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tenant_id: String,
    /// The application.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub application_id: String,
}

impl TechnicalConfiguration {
    /// TC-1, §4.2
    pub fn check(&self, context: &Context<'_>, issues: &mut Issues) {
        let fulfilment = context.offer_type.fulfilment;
        let called = context.transactable && fulfilment == Fulfilment::Required;
        let metered = context.metered && fulfilment == Fulfilment::WhenMetered;
        if called {
            check::required(
                issues,
                "landing_page_url",
                &self.landing_page_url,
                "the landing page's address",
            );
            check::required(
                issues,
                "webhook_url",
                &self.webhook_url,
                "the connection webhook's address",
            );
        }
        if called || metered {
            check::required(
                issues,
                "tenant_id",
                &self.tenant_id,
                "the application's tenant id",
            );
            check::required(
                issues,
                "application_id",
                &self.application_id,
                "the application's id",
            );
        }
        check::https_url(issues, "landing_page_url", &self.landing_page_url);
        if self.landing_page_url.contains('#') {
            let message = "has a fragment; what we add to the address would be lost behind it";
            issues.error(
                "landing_page_url",
                "URL_FRAGMENT",
                message,
                "Give an address without #.",
            );
        }
        check::https_url(issues, "webhook_url", &self.webhook_url);
        check::guid(issues, "tenant_id", &self.tenant_id);
        check::guid(issues, "application_id", &self.application_id);
    }

    /// TC-2: one application for all offers of a publisher that are fulfilled by it (SaaS), and of nobody else. `others`: which
    /// the others use, each with the name of an offer.
    pub fn check_application(
        &self,
        context: &Context<'_>,
        others: &BTreeMap<String, String>,
        foreign: bool,
        issues: &mut Issues,
    ) {
        let fulfils = context.offer_type.fulfilment == Fulfilment::Required;
        if !fulfils || self.application_id.is_empty() {
            return;
        }
        if foreign {
            let remedy = "Register an application of your own and give its id.";
            issues.error(
                "application_id",
                "FOREIGN_APPLICATION",
                "is the application of another publisher",
                remedy,
            );
        }
        let differs = |id: &String| !id.eq_ignore_ascii_case(&self.application_id);
        if let Some((other, offer)) = others.iter().find(|(id, _)| differs(id)) {
            let message =
                format!("{offer} uses application {other}; all your offers must use the same");
            let remedy = format!("Give {other}, or change {offer}.");
            issues.error("application_id", "OTHER_APPLICATION", message, remedy);
        }
    }
}
