//! What is still missing after an apply, and what a page was refused for: each with its line in the file.

use marketplace_proto::offercatalog::v1::{
    IssueSeverity, PageId, PageIssue, PageReview, PageStatus, ReviewOfferRequest,
};
use serde_json::{Value, json};
use tonic::Code;
use tonic_types::StatusExt;

use super::changes::Change;
use super::file::{OfferFile, PageFile};
use crate::api::Api;
use crate::error::{Error, Problem, code_name, violations};
use crate::output::{Output, table, words};

/// The Review and publish page, with every issue's place in the file.
pub struct Review {
    pages: Vec<PageReview>,
    issues: Vec<(Problem, PageIssue)>,
    complete: bool,
}

/// Asks for all of it.
pub async fn run(api: &Api, file: &OfferFile) -> Result<Review, Error> {
    let mut request = ReviewOfferRequest {
        name: file.offer.name(),
        page_size: 1_000,
        page_token: String::new(),
    };
    let mut review = Review {
        pages: Vec::new(),
        issues: Vec::new(),
        complete: false,
    };
    loop {
        let answer = api.call(request.clone()).await?;
        review.complete = answer.complete;
        review.pages = answer.pages;
        review.issues.extend(
            answer
                .issues
                .into_iter()
                .map(|issue| (problem(file, &issue), issue)),
        );
        if answer.next_page_token.is_empty() {
            return Ok(review);
        }
        request.page_token = answer.next_page_token;
    }
}

fn problem(file: &OfferFile, issue: &PageIssue) -> Problem {
    let page = field(issue.page());
    let severity = if issue.severity() == IssueSeverity::Warning {
        "warning: "
    } else {
        ""
    };
    let path = if issue.field_path.is_empty() {
        page.to_owned()
    } else {
        format!("{page}.{}", issue.field_path)
    };
    let text = format!(
        "{severity}{path}: {} [{}] → {}",
        issue.message, issue.code, issue.remedy
    );
    file.problem(page, &issue.plan_id, &issue.field_path, text)
}

/// The field of the message `Page` that holds a page.
fn field(page: PageId) -> &'static str {
    match page {
        PageId::Unspecified => "",
        PageId::OfferSetup => "offer_setup",
        PageId::Properties => "properties",
        PageId::OfferListing => "offer_listing",
        PageId::PreviewAudience => "preview_audience",
        PageId::TechnicalConfiguration => "technical_configuration",
        PageId::PlanOverview => "plans",
        PageId::ResellThroughCsps => "resell_through_csps",
        PageId::CoSell => "co_sell",
        PageId::SupplementalContent => "supplemental_content",
        PageId::PlanListing => "plan_listing",
        PageId::PlanPricingAndAvailability => "plan_pricing",
        PageId::PlanTechnicalConfiguration => "plan_technical_configuration",
    }
}

impl Review {
    pub fn print(&self, out: &mut Output) -> Result<(), Error> {
        let mut rows = table(["page", "plan", "status", "errors", "warnings"]);
        for page in &self.pages {
            let status = words::label(page.status().as_str_name(), "PAGE_STATUS_");
            rows.add_row([
                &page.title,
                &page.plan_id,
                &status,
                &page.errors.to_string(),
                &page.warnings.to_string(),
            ]);
        }
        out.table(&rows)?;
        for (problem, _) in &self.issues {
            out.say(format!("  {problem}"))?;
        }
        let open = self.pages.iter().filter(|page| !is_complete(page)).count();
        if self.complete {
            out.say("  every page is complete: it can be published")
        } else {
            out.say(format!(
                "  {} not complete: it can't be published yet",
                words::count(open, "page")
            ))
        }
    }

    pub fn json(&self) -> Value {
        let pages = self.pages.iter().map(|page| {
            json!({"title": page.title, "page": page.page().as_str_name(), "plan_id": page.plan_id,
                   "status": page.status().as_str_name(), "errors": page.errors, "warnings": page.warnings})
        });
        let issues = self.issues.iter().map(|(problem, issue)| {
            json!({"file": problem.file, "line": problem.line, "page": issue.page().as_str_name(), "plan_id": issue.plan_id,
                   "field_path": issue.field_path, "code": issue.code, "message": issue.message, "remedy": issue.remedy,
                   "severity": issue.severity().as_str_name()})
        });
        json!({"complete": self.complete, "pages": pages.collect::<Vec<_>>(), "issues": issues.collect::<Vec<_>>()})
    }
}

fn is_complete(page: &PageReview) -> bool {
    matches!(
        page.status(),
        PageStatus::Complete | PageStatus::UnpublishedChanges
    )
}

/// A refused change as mistakes in its file. An error that says nothing of the change, but that the service failed or that
/// the caller is nobody, stays what it is.
pub fn located(file: &OfferFile, change: &Change<'_>, error: Error) -> Result<Vec<Problem>, Error> {
    let status = match error.refusal() {
        Some(status) if says_something(status.code()) => status,
        _ => return Err(error),
    };
    let details = status.get_error_details();
    let mut faults = violations(&details);
    if faults.is_empty() {
        let reason = details.error_info().map(|info| info.reason.clone());
        let reason = reason.unwrap_or_else(|| code_name(status.code()).to_owned());
        faults.push((String::new(), status.message().to_owned(), reason));
    }
    let problems = faults.into_iter().map(|(path, text, reason)| {
        let reason = if reason.is_empty() {
            reason
        } else {
            format!(" [{reason}]")
        };
        let text = format!("{text}{reason}");
        match change {
            Change::SavePage { page, .. } if !path.is_empty() => on_page(file, page, &path, &text),
            _ => {
                let mut words = vec![change.what(), path, text];
                words.retain(|word| !word.is_empty());
                file.problem_at(change.at(file), words.join(" "))
            }
        }
    });
    Ok(problems.collect())
}

/// Whether an answer with this code is about the change.
fn says_something(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
    )
}

fn on_page(file: &OfferFile, page: &PageFile, path: &str, text: &str) -> Problem {
    let field = path.trim_start_matches("page.");
    let field = field
        .strip_prefix(&page.field)
        .map_or(field, |rest| rest.trim_start_matches('.'));
    let text = format!("{}.{field} {text}", page.field);
    file.problem(&page.field, &page.plan, field, text)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tonic::Status;
    use tonic_types::ErrorDetails;

    use super::*;
    use crate::api::Service;

    fn sample() -> OfferFile {
        let path =
            std::env::temp_dir().join(format!("marketctl-review-{}.yaml", std::process::id()));
        let text = "publisher: c\noffer: o\noffer_type: t\npages:\n  offer_listing:\n    title: <b>\n    screenshots:\n      - caption: x\n";
        std::fs::write(&path, text).unwrap();
        let file = OfferFile::load(Path::new(&path), None, &|_| None).unwrap();
        std::fs::remove_file(&path).unwrap();
        OfferFile {
            file: "offer.yaml".into(),
            ..file
        }
    }

    #[test]
    fn an_issue_points_at_its_line() {
        let issue = PageIssue {
            page: PageId::OfferListing.into(),
            field_path: "screenshots[0].asset".into(),
            code: "REQUIRED".into(),
            message: "a screenshot is missing".into(),
            remedy: "upload a PNG of 1280 × 720".into(),
            ..PageIssue::default()
        };
        let wanted = "offer.yaml:8: offer_listing.screenshots[0].asset: a screenshot is missing [REQUIRED] → upload a PNG of 1280 × 720";
        assert_eq!(problem(&sample(), &issue).to_string(), wanted);
    }

    #[test]
    fn a_refused_page_is_a_list_of_mistakes_in_the_file() {
        let file = sample();
        let mut details = ErrorDetails::new();
        details.add_bad_request_violation("page.offer_listing.title", "must not hold HTML");
        details.add_bad_request_violation("offer_listing.summary", "is too long");
        let status = Status::with_error_details(Code::InvalidArgument, "2 violations", details);
        let save = Change::SavePage {
            page: &file.pages[0],
            message: file.pages[0].message.clone(),
            etag: String::new(),
            fields: Vec::new(),
            shown: Vec::new(),
        };
        let refused = |status| {
            located(
                &file,
                &save,
                Error::status("UpdatePage", Service::Catalog, "", status),
            )
        };
        let problems = refused(status).unwrap();
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "offer.yaml:6: offer_listing.title must not hold HTML",
                "offer.yaml:5: offer_listing.summary is too long"
            ]
        );
        let stale = refused(Status::aborted("saved by another")).unwrap();
        let wanted = "offer.yaml:5: page offer_listing: saved by another [ABORTED]";
        assert_eq!(stale[0].to_string(), wanted);
        for failed in [
            Status::unauthenticated("who?"),
            Status::unavailable("away"),
            Status::internal("broken"),
            Status::deadline_exceeded("late"),
            Status::resource_exhausted("full"),
            Status::unknown("what?"),
        ] {
            assert!(refused(failed.clone()).is_err(), "{failed}");
        }
    }
}
