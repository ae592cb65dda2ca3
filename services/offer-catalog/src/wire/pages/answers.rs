//! What is said about pages: their rows, statuses and issues.

use marketplace_proto::offercatalog::v1 as pb;

use super::page_id;
use crate::domain::completeness::{PageReview, PageStatus};
use crate::pages::{Issue, Severity};

/// An issue as it is answered.
pub fn issue(issue: &Issue) -> pb::PageIssue {
    pb::PageIssue {
        page: page_id(issue.page) as i32,
        plan_id: issue.plan_id.clone().unwrap_or_default(),
        field_path: issue.field.clone(),
        code: issue.code.to_owned(),
        message: issue.message.clone(),
        severity: severity(issue.severity) as i32,
        remedy: issue.remedy.clone(),
    }
}

/// Error or warning, as it is answered.
pub fn severity(severity: Severity) -> pb::IssueSeverity {
    match severity {
        Severity::Error => pb::IssueSeverity::Error,
        Severity::Warning => pb::IssueSeverity::Warning,
    }
}

/// A row of the Review and publish page.
pub fn page_review(row: &PageReview) -> pb::PageReview {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    pb::PageReview {
        page: page_id(row.page) as i32,
        plan_id: row.plan_id.clone().unwrap_or_default(),
        title: row.page.title().to_owned(),
        status: status(row.status) as i32,
        errors: count(row.errors),
        warnings: count(row.warnings),
    }
}

/// A status as it is answered.
pub fn status(status: PageStatus) -> pb::PageStatus {
    match status {
        PageStatus::NotStarted => pb::PageStatus::NotStarted,
        PageStatus::Incomplete => pb::PageStatus::Incomplete,
        PageStatus::Complete => pb::PageStatus::Complete,
        PageStatus::UnpublishedChanges => pb::PageStatus::UnpublishedChanges,
    }
}
