//! Reports on their way out (RP-1 … RP-4).

use marketplace_proto::certification::v1 as pb;
use marketplace_runtime::timestamp;

use super::cases::finding;
use crate::domain::{Kind, Policies, Report};

/// A report; lists leave the sections out.
pub fn report(report: &Report, with_sections: bool, policies: &Policies) -> pb::Report {
    let (kind, status) = match report.kind {
        Kind::Validation => (
            pb::ReportKind::Validation,
            pb::ReportStatus::PassedWithNotes,
        ),
        Kind::Failure => (pb::ReportKind::Failure, pb::ReportStatus::Failed),
    };
    let sections = if with_sections {
        report.sections(policies)
    } else {
        Vec::new()
    };
    let sections = sections.into_iter().map(|section| pb::ReportSection {
        level: section.level.title().to_owned(),
        policy: section.policy,
        policy_title: section.policy_title,
        policy_description: section.policy_description,
        policy_url: section.policy_url,
        findings: section
            .findings
            .iter()
            .map(|found| finding(found, policies))
            .collect(),
    });
    pb::Report {
        name: Report::name_of(&report.submission, report.kind),
        kind: kind.into(),
        status: status.into(),
        submission: report.submission.clone(),
        attempt: report.attempt,
        create_time: Some(timestamp::to_proto(report.created_at)),
        sections: sections.collect(),
        review_notes: report.review_notes.clone(),
    }
}
