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

/// The most issues that are told of one page; one more says how many there are besides.
pub const MOST_ISSUES: usize = 200;

/// Collects the issues of one page while its rules are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issues {
    page: PageId,
    plan_id: Option<String>,
    found: Vec<Issue>,
    /// Those beyond the most, by number alone.
    more_errors: usize,
    more_warnings: usize,
}

impl Issues {
    /// None so far, of this page.
    pub fn of(page: PageId, plan_id: Option<&str>) -> Self {
        Self {
            page,
            plan_id: plan_id.map(str::to_owned),
            found: Vec::new(),
            more_errors: 0,
            more_warnings: 0,
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

    /// Notes again what was found before.
    pub fn again(&mut self, before: &Issues) {
        self.more_errors += before.more_errors;
        self.more_warnings += before.more_warnings;
        for issue in before.found.iter().cloned() {
            self.note(
                issue.severity,
                issue.field,
                issue.code,
                issue.message,
                issue.remedy,
            );
        }
    }

    /// What was noted, in the order in which it was; the last says how many more there are than [`MOST_ISSUES`].
    pub fn into_vec(mut self) -> Vec<Issue> {
        let more = self.more_errors + self.more_warnings;
        if more > 0 {
            self.found.push(Issue {
                page: self.page,
                plan_id: self.plan_id,
                field: String::new(),
                code: "MORE_ISSUES",
                message: format!("has {more} more issues"),
                remedy: "Settle those that are listed; the others are told then.".to_owned(),
                severity: if self.more_errors > 0 {
                    Severity::Error
                } else {
                    Severity::Warning
                },
            });
        }
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
        if self.found.len() >= MOST_ISSUES {
            match severity {
                Severity::Error => self.more_errors += 1,
                Severity::Warning => self.more_warnings += 1,
            }
            return;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pg_10_a_page_tells_so_many_issues_and_how_many_more() {
        let mut issues = Issues::of(PageId::PreviewAudience, None);
        for at in 0..MOST_ISSUES {
            issues.error(format!("members[{at}]"), "BAD", "is bad", "Mend it.");
        }
        issues.warn("members[200]", "ODD", "is odd", "Look at it.");
        issues.error("members[201]", "BAD", "is bad", "Mend it.");
        let told = issues.into_vec();
        assert_eq!(told.len(), MOST_ISSUES + 1);
        let last = told.last().unwrap();
        assert_eq!(
            (last.code, last.message.as_str(), last.severity),
            ("MORE_ISSUES", "has 2 more issues", Severity::Error)
        );
    }

    #[test]
    fn pg_10_what_was_found_before_is_told_again_with_all_that_is_more() {
        let mut before = Issues::of(PageId::PlanPricing, None);
        for at in 0..MOST_ISSUES + 3 {
            before.warn(format!("members[{at}]"), "ODD", "is odd", "Look at it.");
        }
        let last = |before: &Issues| {
            let mut issues = Issues::of(PageId::PlanPricing, Some("gold"));
            issues.again(before);
            let told = issues.into_vec();
            assert_eq!(told.len(), MOST_ISSUES + 1);
            let mut plans = told.iter().map(|issue| issue.plan_id.as_deref());
            assert!(plans.all(|plan| plan == Some("gold")));
            let last = told.into_iter().next_back().unwrap();
            (last.message, last.severity)
        };
        assert_eq!(
            last(&before),
            ("has 3 more issues".into(), Severity::Warning)
        );
        before.error("members", "BAD", "is bad", "Mend it.");
        before.error("members", "BAD", "is bad", "Mend it.");
        assert_eq!(last(&before), ("has 5 more issues".into(), Severity::Error));
    }
}
