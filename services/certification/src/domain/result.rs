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
            // Of an earlier override only this one's findings count.
            self.findings.retain(|found| !found.by_reviewer);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Blocks;

    fn finding(code: &str, by_reviewer: bool) -> Finding {
        Finding {
            code: code.into(),
            severity: Severity::Error,
            blocks: Blocks::Live,
            policy: "100".into(),
            policy_url: String::new(),
            page: String::new(),
            field_path: String::new(),
            artifact_path: String::new(),
            evidence: String::new(),
            remedy: "Change it.".into(),
            check: "CV-3".into(),
            check_version: 1,
            by_reviewer,
        }
    }

    #[test]
    fn ce4_an_override_replaces_the_findings_of_the_one_before_and_keeps_those_of_the_check() {
        let mut result = CheckResult {
            check: "CV-3".into(),
            version: 1,
            level: Level::Content,
            mode: Mode::Automatic,
            outcome: Outcome::Warn,
            policy: "100".into(),
            title: "A check".into(),
            instructions: String::new(),
            findings: vec![finding("SEEN", false)],
            decided_by: None,
            overridden: None,
            note: String::new(),
            decided_at: None,
        };
        let now = OffsetDateTime::UNIX_EPOCH;
        for code in ["FIRST", "SECOND"] {
            let own = vec![finding(code, true)];
            result.decide(Outcome::Fail, "rita", "n", own, now);
        }
        let codes: Vec<&str> = result.findings.iter().map(|f| f.code.as_str()).collect();
        assert_eq!(codes, ["SEEN", "SECOND"]);
        result.decide(Outcome::Pass, "rita", "n", Vec::new(), now);
        assert_eq!(result.findings.len(), 1);
        assert_eq!(result.overridden.unwrap().original, Outcome::Warn);
    }
}
