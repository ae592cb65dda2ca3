//! Plan listing: what customers read of a plan (PN-3).

use serde::{Deserialize, Serialize};

use super::Issues;
use super::check;

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
    pub fn check(&self, issues: &mut Issues) {
        check::max_chars(issues, "summary", &self.summary, 100);
        check::plain_line(issues, "summary", &self.summary);
        check::required(issues, "description", &self.description, "a description");
        check::max_chars(issues, "description", &self.description, 3_000);
    }
}
