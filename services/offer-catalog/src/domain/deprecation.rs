//! What customers are told of an offer that leaves the marketplace at a date (UP-7). Until then no search finds it and it has
//! no trial, and that is all: whoever knows it reads and acquires it. From then on it is gone like any stopped offer (UP-4).

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// As it is stored with the live listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deprecation {
    #[serde(with = "time::serde::rfc3339")]
    pub effective_time: OffsetDateTime,
    pub reason: Reason,
    /// Name of an offer or a plan to use instead; empty: none.
    pub alternative: String,
}

/// Why it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    CriticalSecurityIssue,
    EndOfSupport,
    Other,
}
