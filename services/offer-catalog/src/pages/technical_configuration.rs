//! Technical configuration of an offer: where customers land and where we call (TC-1, TC-2).

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

    /// TC-2: one application for all SaaS offers of a publisher, and of nobody else.
    pub fn check_application(&self, own: &[String], foreign: bool, issues: &mut Issues) {
        if self.application_id.is_empty() {
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
        if let Some(other) = own
            .iter()
            .find(|id| !id.eq_ignore_ascii_case(&self.application_id))
        {
            let message =
                format!("your other offers use application {other}; all must use the same");
            issues.error(
                "application_id",
                "OTHER_APPLICATION",
                message,
                format!("Give {other}, or change the other offers."),
            );
        }
    }
}
