//! What a check saw: levels, outcomes and findings (CE-3).

use serde::{Deserialize, Serialize};

/// The three levels of every certification (CE-2), in the order of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Level {
    BusinessEligibility,
    Content,
    Technical,
}

impl Level {
    pub const ALL: [Level; 3] = [Level::BusinessEligibility, Level::Content, Level::Technical];

    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::BusinessEligibility => "BUSINESS_ELIGIBILITY",
            Level::Content => "CONTENT",
            Level::Technical => "TECHNICAL",
        }
    }

    /// As a report shows it.
    pub const fn title(self) -> &'static str {
        match self {
            Level::BusinessEligibility => "Publisher eligibility",
            Level::Content => "Content",
            Level::Technical => "Technical",
        }
    }

    /// From its stored text; `None` is a corrupt row.
    pub fn parse(text: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

/// Who carries a check out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    Automatic,
    Manual,
}

impl Mode {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Mode::Automatic => "AUTOMATIC",
            Mode::Manual => "MANUAL",
        }
    }

    /// From its stored text; `None` is a corrupt row.
    pub fn parse(text: &str) -> Option<Mode> {
        [Mode::Automatic, Mode::Manual]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A person has to look.
    Pending,
    Pass,
    Warn,
    Fail,
    NotApplicable,
}

impl Outcome {
    pub const ALL: [Outcome; 5] = [
        Outcome::Pending,
        Outcome::Pass,
        Outcome::Warn,
        Outcome::Fail,
        Outcome::NotApplicable,
    ];

    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Pending => "PENDING",
            Outcome::Pass => "PASS",
            Outcome::Warn => "WARN",
            Outcome::Fail => "FAIL",
            Outcome::NotApplicable => "NOT_APPLICABLE",
        }
    }

    /// From its stored text; `None` is a corrupt row.
    pub fn parse(text: &str) -> Option<Outcome> {
        Outcome::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
    }

    /// What a level comes to: the worst of its checks; not applicable only if all of them are.
    pub fn of_level(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
        let weight = |outcome: &Outcome| match outcome {
            Outcome::NotApplicable => 0,
            Outcome::Pass => 1,
            Outcome::Warn => 2,
            Outcome::Pending => 3,
            Outcome::Fail => 4,
        };
        outcomes
            .into_iter()
            .max_by_key(weight)
            .unwrap_or(Outcome::NotApplicable)
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    Info,
    /// Never fails certification by itself.
    Warning,
    /// Fails certification.
    Error,
}

/// What a finding holds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Blocks {
    None,
    Preview,
    Live,
}

/// Something that a check saw. `remedy` is never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// SCREAMING_SNAKE, part of the contract.
    pub code: String,
    pub severity: Severity,
    pub blocks: Blocks,
    /// Policy id.
    pub policy: String,
    pub policy_url: String,
    /// As in a snapshot: "offer_listing", "plans/gold/plan_pricing"; empty: no page, for example the publisher's facts.
    pub page: String,
    pub field_path: String,
    #[serde(default)]
    pub artifact_path: String,
    pub evidence: String,
    pub remedy: String,
    /// Id of the check.
    pub check: String,
    pub check_version: u32,
    /// A reviewer made it, not the check.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_reviewer: bool,
}

/// The most characters of evidence that a finding keeps.
pub const MAX_EVIDENCE: usize = 1_000;

/// `text` cut to the length of an evidence.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_EVIDENCE - 1) {
        Some((cut, _)) if text[cut..].chars().nth(1).is_some() => format!("{}…", &text[..cut]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_as_bad_as_its_worst_check() {
        use Outcome::{Fail, NotApplicable, Pass, Pending, Warn};
        assert_eq!(
            Outcome::of_level([NotApplicable, NotApplicable]),
            NotApplicable
        );
        assert_eq!(Outcome::of_level([NotApplicable, Pass]), Pass);
        assert_eq!(Outcome::of_level([Pass, Warn]), Warn);
        assert_eq!(Outcome::of_level([Warn, Pending]), Pending);
        assert_eq!(Outcome::of_level([Pending, Fail, Pass]), Fail);
        assert_eq!(Outcome::of_level([]), NotApplicable);
    }

    #[test]
    fn evidence_is_shortened_to_its_limit() {
        assert_eq!(shortened("äb"), "äb");
        assert_eq!(shortened(&"ä".repeat(1_000)).chars().count(), 1_000);
        let cut = shortened(&"ä".repeat(1_001));
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (1_000, true));
    }
}
