//! The result of one check within a case, and what a reviewer may make of it (CE-3, CE-4).

use time::OffsetDateTime;

use super::{Finding, Level, Mode, Outcome, Severity};

/// What came of one check.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckResult {
    pub check: String,
    pub version: u32,
    pub level: Level,
    pub mode: Mode,
    pub outcome: Outcome,
    pub policy: String,
    pub title: String,
    /// Manual checks: why a person has to look, and the script to follow.
    pub instructions: String,
    pub findings: Vec<Finding>,
    /// The reviewer who recorded a manual outcome.
    pub decided_by: Option<String>,
    /// The last override of an automatic outcome; all of them are kept as decisions.
    pub overridden: Option<Override>,
    /// What the reviewer noted.
    pub note: String,
    pub decided_at: Option<OffsetDateTime>,
}

/// A reviewer put another outcome in place of an automatic one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The automatic outcome.
    pub original: Outcome,
    pub reviewer: String,
}

impl CheckResult {
    /// Records a reviewer's outcome. The automatic outcome stays known however often it is overridden.
    pub(super) fn decide(
        &mut self,
        outcome: Outcome,
        reviewer: &str,
        note: &str,
        findings: Vec<Finding>,
        now: OffsetDateTime,
    ) {
        if self.mode == Mode::Automatic {
            let original = self
                .overridden
                .as_ref()
                .map_or(self.outcome, |earlier| earlier.original);
            self.overridden = Some(Override {
                original,
                reviewer: reviewer.to_owned(),
            });
            self.findings.extend(findings);
        } else {
            self.findings = findings;
        }
        self.outcome = outcome;
        self.decided_by = Some(reviewer.to_owned());
        note.clone_into(&mut self.note);
        self.decided_at = Some(now);
    }

    /// Findings that a failure report shows: those of checks that failed or warned.
    pub fn reported(&self) -> impl Iterator<Item = &Finding> {
        let shown = matches!(self.outcome, Outcome::Fail | Outcome::Warn);
        self.findings
            .iter()
            .filter(move |finding| shown && finding.severity != Severity::Info)
    }
}
