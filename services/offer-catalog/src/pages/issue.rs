//! What is missing or wrong on a page (PG-10): where, what, and what to do about it.

use super::PageId;

/// Whether an issue keeps its page from being complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It does.
    Error,
    /// It doesn't; somebody should look all the same.
    Warning,
}

/// Something missing or wrong on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// The page to go to.
    pub page: PageId,
    /// The plan whose page it is; `None` for pages of the offer.
    pub plan_id: Option<String>,
    /// Path of the field in the page's message: `contacts[0].email`.
    pub field: String,
    /// SCREAMING_SNAKE, part of the contract.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
    /// What to do; never empty.
    pub remedy: String,
    /// Error or warning.
    pub severity: Severity,
}

/// Collects the issues of one page while its rules are looked at.
#[derive(Debug)]
pub struct Issues {
    page: PageId,
    plan_id: Option<String>,
    found: Vec<Issue>,
}

impl Issues {
    /// None so far, of this page.
    pub fn of(page: PageId, plan_id: Option<&str>) -> Self {
        Self {
            page,
            plan_id: plan_id.map(str::to_owned),
            found: Vec::new(),
        }
    }

    /// Notes an error.
    pub fn error(
        &mut self,
        field: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.note(
            Severity::Error,
            field.into(),
            code,
            message.into(),
            remedy.into(),
        );
    }

    /// Notes a warning.
    pub fn warn(
        &mut self,
        field: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.note(
            Severity::Warning,
            field.into(),
            code,
            message.into(),
            remedy.into(),
        );
    }

    /// Everything noted, in the order in which it was.
    pub fn into_vec(self) -> Vec<Issue> {
        self.found
    }

    fn note(
        &mut self,
        severity: Severity,
        field: String,
        code: &'static str,
        message: String,
        remedy: String,
    ) {
        let (page, plan_id) = (self.page, self.plan_id.clone());
        self.found.push(Issue {
            page,
            plan_id,
            field,
            code,
            message,
            remedy,
            severity,
        });
    }
}
