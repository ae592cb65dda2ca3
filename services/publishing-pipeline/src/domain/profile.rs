//! What the catalogue says a submission consists of. The pipeline never reads pages.

use serde::{Deserialize, Serialize};

use super::step::Leg;

/// Derived by the catalogue from one snapshot; never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// `{offer}/snapshots/{digest}`.
    pub snapshot: String,
    pub digest: String,
    pub offer_type: String,
    pub title: String,
    pub transactable: bool,
    /// Empty: no lead destination is configured.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lead_destination: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<Plan>,
    pub certification_leg: Leg,
    /// Steps that the type adds to those every submission has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_steps: Vec<String>,
    pub requires_notes: bool,
    /// Something differs from the newest submission before.
    pub changed: bool,
    /// Days between a stop of the offer and its effect; 0: at once.
    pub stop_notice_days: u32,
    /// Pages that differ from the submission before, as numbers of the wire's enum: only passed on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages_changed: Vec<i32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub help_links: Vec<HelpLink>,
    /// Plans whose restore was frozen in it (T32).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restores: Vec<String>,
}

/// A plan of a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub stopped: bool,
    /// Plan whose technical configuration this one reuses; empty: its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub technical_parent: String,
}

/// Documentation that is shown on the Offer overview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelpLink {
    pub title: String,
    pub url: String,
}

impl Profile {
    pub fn plan(&self, id: &str) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.id == id)
    }

    /// Ids of the plans that this snapshot takes, or keeps, out of the marketplace.
    pub fn stops(&self) -> Vec<String> {
        self.plans
            .iter()
            .filter(|plan| plan.stopped)
            .map(|plan| plan.id.clone())
            .collect()
    }
}
