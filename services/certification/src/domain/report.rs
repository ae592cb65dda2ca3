//! What was found, for the publisher (RP-1 … RP-3): findings by level and policy.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Finding, Level, Policies, Severity};

/// Which of the two reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of Offer validation, before the preview (RP-1).
    Validation,
    /// Why certification failed (RP-2).
    Failure,
}

impl Kind {
    /// As it is stored and stands in its resource name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Validation => "validation",
            Kind::Failure => "failure",
        }
    }

    /// From its stored text; `None` is a corrupt row.
    pub fn parse(text: &str) -> Option<Kind> {
        [Kind::Validation, Kind::Failure]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub id: Uuid,
    pub submission: String,
    pub kind: Kind,
    pub offer: String,
    /// Counts the certifications of the offer, from 1; 0 for a validation report.
    pub attempt: u32,
    pub review_notes: String,
    /// In the order of the checks.
    pub findings: Vec<(Level, Finding)>,
    pub created_at: OffsetDateTime,
}

/// The findings of one level that break the same policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    pub level: Level,
    pub policy: String,
    pub policy_title: String,
    pub policy_description: String,
    pub policy_url: String,
    pub findings: Vec<Finding>,
}

impl Report {
    /// "{submission}/reports/{kind}"
    pub fn name_of(submission: &str, kind: Kind) -> String {
        format!("{submission}/reports/{}", kind.as_str())
    }

    /// Findings that fail certification, or could.
    pub fn failures(&self) -> u32 {
        let errors = self
            .findings
            .iter()
            .filter(|(_, finding)| finding.severity == Severity::Error)
            .count();
        u32::try_from(errors).unwrap_or(u32::MAX)
    }

    /// One line for people: "2 policies failed: 100.1.3, 100.3".
    pub fn summary(&self) -> String {
        let mut policies: Vec<&str> = Vec::new();
        for (_, finding) in self
            .findings
            .iter()
            .filter(|(_, f)| f.severity == Severity::Error)
        {
            if !policies.contains(&finding.policy.as_str()) {
                policies.push(&finding.policy);
            }
        }
        match policies.as_slice() {
            [] => "failed by a reviewer; see the review notes".to_owned(),
            [one] => format!("1 policy failed: {one}"),
            many => format!("{} policies failed: {}", many.len(), many.join(", ")),
        }
    }

    /// The findings, by level and then by policy, each policy with its description (RP-3).
    pub fn sections(&self, policies: &Policies) -> Vec<Section> {
        let mut sections: Vec<Section> = Vec::new();
        for level in Level::ALL {
            for (_, finding) in self.findings.iter().filter(|(of, _)| *of == level) {
                let same = |s: &&mut Section| s.level == level && s.policy == finding.policy;
                if let Some(section) = sections.iter_mut().find(same) {
                    section.findings.push(finding.clone());
                } else {
                    sections.push(Section::open(level, finding, policies));
                }
            }
        }
        sections
    }
}

impl Section {
    fn open(level: Level, finding: &Finding, policies: &Policies) -> Section {
        let policy = policies.get(&finding.policy);
        Section {
            level,
            policy: finding.policy.clone(),
            policy_title: policy.map(|p| p.title.clone()).unwrap_or_default(),
            policy_description: policy.map(|p| p.description.clone()).unwrap_or_default(),
            policy_url: policy.map_or_else(|| finding.policy_url.clone(), |p| p.url.clone()),
            findings: vec![finding.clone()],
        }
    }
}
