//! Plan listing: what customers read of a plan (PN-3).

use serde::{Deserialize, Serialize};

use super::Issues;
use super::check::{self, Context};

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanListing {
    /// One line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// What it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
}

impl PlanListing {
    /// PN-3
    pub fn check(&self, context: &Context<'_>, issues: &mut Issues) {
        if !self.summary.is_empty() && !context.offer_type.plan_summary {
            issues.warn(
                "summary",
                "IGNORED",
                "plans of this type of offer have no summary",
                "Say it in the description.",
            );
        }
        check::max_chars(issues, "summary", &self.summary, 100);
        check::plain_line(issues, "summary", &self.summary);
        check::required(issues, "description", &self.description, "a description");
        check::max_chars(issues, "description", &self.description, 3_000);
    }
}
