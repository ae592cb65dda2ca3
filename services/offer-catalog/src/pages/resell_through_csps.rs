//! Resell through CSPs: which resellers may sell it (CS-1). Complete without ever being saved.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::check;
use super::{Issues, OfferListing};

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResellThroughCsps {
    /// Who may; unset: as the type says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ResellerState>,
    /// Who, where it is some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partner_tenant_ids: Vec<String>,
}

/// Which resellers may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResellerState {
    /// Nobody.
    None,
    /// Some.
    Some,
    /// Everybody.
    All,
}

impl ResellThroughCsps {
    /// CS-1
    pub fn check(&self, issues: &mut Issues) {
        const AT: &str = "partner_tenant_ids";
        if self.state == Some(ResellerState::Some) {
            check::min_items(issues, AT, &self.partner_tenant_ids, 1);
        }
        for (at, tenant) in self.partner_tenant_ids.iter().enumerate() {
            let field = format!("{AT}[{at}]");
            check::required(issues, &field, tenant, "a partner's tenant id");
            check::guid(issues, &field, tenant);
        }
        let tenants = self.partner_tenant_ids.iter().enumerate();
        check::distinct(
            issues,
            tenants.map(|(at, tenant)| (format!("{AT}[{at}]"), tenant.to_lowercase())),
        );
    }

    /// LI-12: resellers who may sell it want somebody to ask and something to show.
    pub fn warn_of_listing(
        &self,
        listing: &OfferListing,
        default: ResellerState,
        issues: &mut Issues,
    ) {
        let on = self.state.unwrap_or(default) > ResellerState::None;
        for (what, missing) in [
            ("contact", listing.csp_contact.is_none()),
            ("marketing materials", listing.csp_materials_url.is_empty()),
        ] {
            if on && missing {
                issues.warn(
                    "state",
                    "RECOMMENDED",
                    format!("the listing has no {what} for resellers"),
                    "Give it on the page Offer listing.",
                );
            }
        }
    }

    /// CS-1: resellers that were let in stay in.
    pub fn check_against(&self, published: &Self, default: ResellerState, issues: &mut Issues) {
        let (now, before) = (
            self.state.unwrap_or(default),
            published.state.unwrap_or(default),
        );
        let ids = self.partner_tenant_ids.iter();
        let kept: HashSet<String> = ids.map(|tenant| tenant.to_lowercase()).collect();
        let lost = published
            .partner_tenant_ids
            .iter()
            .any(|tenant| !kept.contains(&tenant.to_lowercase()));
        if now < before || (now == ResellerState::Some && before == ResellerState::Some && lost) {
            let message = "resellers that could sell it would lose it";
            issues.error(
                "state",
                "FROZEN_BY_PUBLISH",
                message,
                "Keep them, and ask support to take them out.",
            );
        }
    }
}
