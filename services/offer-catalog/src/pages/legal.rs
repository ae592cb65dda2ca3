//! Legal terms (PR-4 … PR-6).

use serde::{Deserialize, Serialize};

use super::Issues;
use super::check;

/// Under which terms customers buy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegalTerms {
    /// The marketplace's standard contract, with amendments.
    Standard(StandardContract),
    /// The publisher's own.
    Custom(CustomTerms),
}

/// Amendments to the standard contract (PR-5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StandardContract {
    /// For every customer; of any length.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub universal_amendment: String,
    /// For some customers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom_amendments: Vec<CustomAmendment>,
}

/// An amendment for some customers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomAmendment {
    /// What it says.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// For whom.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tenant_ids: Vec<String>,
}

/// The publisher's own terms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomTerms {
    /// As text or by address.
    #[serde(flatten)]
    pub source: Option<TermsSource>,
}

/// Where terms are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TermsSource {
    /// Here.
    Text(String),
    /// There.
    Url(String),
}

impl LegalTerms {
    /// PR-4, PR-5
    pub(super) fn check(&self, issues: &mut Issues) {
        match self {
            Self::Standard(contract) => contract.check(issues),
            Self::Custom(terms) => match &terms.source {
                None => check::required(
                    issues,
                    "legal.custom",
                    "",
                    "the text of the terms, or their address",
                ),
                Some(TermsSource::Text(text)) => {
                    check::required(issues, "legal.custom.text", text, "the text of the terms");
                    check::max_chars(issues, "legal.custom.text", text, 10_000);
                }
                Some(TermsSource::Url(url)) => {
                    check::required(issues, "legal.custom.url", url, "the address of the terms");
                    check::web_url(issues, "legal.custom.url", url, &["https", "http"]);
                }
            },
        }
    }
}

impl StandardContract {
    fn check(&self, issues: &mut Issues) {
        const AT: &str = "legal.standard.custom_amendments";
        check::max_items(issues, AT, &self.custom_amendments, 10);
        for (at, amendment) in self.custom_amendments.iter().enumerate() {
            check::required(
                issues,
                &format!("{AT}[{at}].text"),
                &amendment.text,
                "the text of the amendment",
            );
            let tenants = format!("{AT}[{at}].tenant_ids");
            check::min_items(issues, &tenants, &amendment.tenant_ids, 1);
            check::max_items(issues, &tenants, &amendment.tenant_ids, 20);
            for (place, tenant) in amendment.tenant_ids.iter().enumerate() {
                let field = format!("{tenants}[{place}]");
                check::required(issues, &field, tenant, "a tenant's id");
                check::guid(issues, &field, tenant);
            }
            let places = amendment.tenant_ids.iter().enumerate();
            check::distinct(
                issues,
                places.map(|(at, id)| (format!("{tenants}[{at}]"), id.to_lowercase())),
            );
        }
    }
}
