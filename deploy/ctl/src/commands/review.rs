//! `review`: the reviewers' queue, and decisions on cases.

use clap::{Args, Subcommand, ValueEnum};
use marketplace_proto::certification::v1::{
    ApproveCaseRequest, Blocks, Case, CheckOutcome, ClaimCaseRequest, DecideCheckRequest, Fault,
    Finding, GetCaseRequest, ListReviewQueueRequest, ListReviewQueueResponse, RejectCaseRequest,
    ReleaseCaseRequest, Severity,
};

use super::report::print_finding;
use crate::api::request_id;
use crate::config::Session;
use crate::error::Error;
use crate::names::{self, Target};
use crate::output::{Output, table, words};

#[derive(Args)]
pub struct ReviewArgs {
    #[command(subcommand)]
    command: Command,
}

/// A CASE is an id, a resource name, or an offer or submission that has a case in the queue.
#[derive(Subcommand)]
enum Command {
    /// Cases that await review, oldest first.
    List {
        /// Only those that you hold.
        #[arg(long)]
        mine: bool,
        /// Only offers of this type.
        #[arg(long = "offer-type", default_value = "")]
        offer_type: String,
    },
    /// A case with its checks and findings.
    Show { case: String },
    /// Take a case.
    Claim { case: String },
    /// Give a case back.
    Release { case: String },
    /// Record the result of a check, or override an automatic one.
    Decide {
        case: String,
        /// The check's id ("CV-15").
        check: String,
        #[arg(long, value_enum)]
        outcome: Outcome,
        /// What was seen; audited.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Pass a case.
    Approve {
        case: String,
        /// Shown to the publisher.
        #[arg(long, default_value = "")]
        notes: String,
        /// Record every manual check that is still open as passed.
        #[arg(long)]
        pass_pending: bool,
        /// Take the case first, if nobody holds it.
        #[arg(long)]
        claim: bool,
    },
    /// Fail a case.
    Reject {
        case: String,
        /// What the publisher has to change.
        #[arg(long)]
        notes: String,
        /// "policy=100.1.3;page=offer_listing;field=description;remedy=Say for whom it is"; may be repeated.
        #[arg(long = "finding", value_parser = finding)]
        findings: Vec<Finding>,
        /// Take the case first, if nobody holds it.
        #[arg(long)]
        claim: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Outcome {
    Pass,
    Warn,
    Fail,
    NotApplicable,
}

pub async fn run(session: &Session, args: ReviewArgs, out: &mut Output) -> Result<(), Error> {
    match args.command {
        Command::List { mine, offer_type } => list(session, mine, offer_type, out).await,
        Command::Show { case } => {
            let request = GetCaseRequest {
                name: find(session, &case).await?,
            };
            let answer = session.api.call(request).await?;
            out.answer(&answer, |out, answer| print(answer.case.as_ref(), out))
        }
        Command::Claim { case } => {
            let request = ClaimCaseRequest {
                name: find(session, &case).await?,
                request_id: request_id(),
            };
            let answer = session.api.call(request).await?;
            out.answer(&answer, |out, answer| say_state(answer.case.as_ref(), out))
        }
        Command::Release { case } => {
            let request = ReleaseCaseRequest {
                name: find(session, &case).await?,
                request_id: request_id(),
            };
            let answer = session.api.call(request).await?;
            out.answer(&answer, |out, answer| say_state(answer.case.as_ref(), out))
        }
        Command::Decide {
            case,
            check,
            outcome,
            note,
        } => decide(session, &case, check, outcome, note, out).await,
        Command::Approve {
            case,
            notes,
            pass_pending,
            claim,
        } => {
            let name = take(session, &case, claim).await?;
            let request = ApproveCaseRequest {
                name,
                notes,
                pass_pending_checks: pass_pending,
                request_id: request_id(),
            };
            let answer = session.api.call(request).await?;
            out.answer(&answer, |out, answer| say_state(answer.case.as_ref(), out))
        }
        Command::Reject {
            case,
            notes,
            findings,
            claim,
        } => {
            let name = take(session, &case, claim).await?;
            let answer = session
                .api
                .call(RejectCaseRequest {
                    name,
                    notes,
                    findings,
                    request_id: request_id(),
                })
                .await?;
            out.answer(&answer, |out, answer| say_state(answer.case.as_ref(), out))
        }
    }
}

async fn list(
    session: &Session,
    mine: bool,
    offer_type: String,
    out: &mut Output,
) -> Result<(), Error> {
    let request = ListReviewQueueRequest {
        mine,
        offer_type,
        ..ListReviewQueueRequest::default()
    };
    let answer = session.api.list(request).await?;
    out.answer(&answer, |out, answer| print_queue(answer, out))
}

async fn decide(
    session: &Session,
    case: &str,
    check: String,
    outcome: Outcome,
    note: String,
    out: &mut Output,
) -> Result<(), Error> {
    let name = find(session, case).await?;
    let outcome = outcome.into();
    let request = DecideCheckRequest {
        name,
        check,
        outcome,
        note,
        findings: Vec::new(),
        request_id: request_id(),
    };
    let answer = session.api.call(request).await?;
    out.answer(&answer, |out, answer| print(answer.case.as_ref(), out))
}

async fn take(session: &Session, case: &str, claim: bool) -> Result<String, Error> {
    let name = find(session, case).await?;
    if claim {
        session
            .api
            .call(ClaimCaseRequest {
                name: name.clone(),
                request_id: request_id(),
            })
            .await?;
    }
    Ok(name)
}

/// The case that is meant. Offers and submissions are looked up in the queue.
async fn find(session: &Session, text: &str) -> Result<String, Error> {
    if text.starts_with("cases/") {
        return Ok(text.to_owned());
    }
    if uuid::Uuid::parse_str(text).is_ok() {
        return Ok(format!("cases/{text}"));
    }
    let target = session.target(text)?;
    // The queue has cases that nobody holds; one that the caller holds is among theirs.
    for mine in [true, false] {
        if let Some(case) = find_in_queue(session, &target, mine).await? {
            return Ok(case);
        }
    }
    Err(Error::usage(format!(
        "no case of {text} awaits review, nor do you hold one"
    )))
}

async fn find_in_queue(
    session: &Session,
    target: &Target,
    mine: bool,
) -> Result<Option<String>, Error> {
    let mut request = ListReviewQueueRequest {
        page_size: 1_000,
        mine,
        ..ListReviewQueueRequest::default()
    };
    loop {
        let answer = session.api.call(request.clone()).await?;
        let case = answer.cases.into_iter().find(|case| is_of(case, target));
        if case.is_some() || answer.next_page_token.is_empty() {
            return Ok(case.map(|case| case.name));
        }
        request.page_token = answer.next_page_token;
    }
}

fn is_of(case: &Case, target: &Target) -> bool {
    match target {
        Target::Offer(offer) => case.offer == offer.name(),
        Target::Submission(name) => case.submission == *name,
    }
}

fn print_queue(answer: &ListReviewQueueResponse, out: &mut Output) -> Result<(), Error> {
    let mut rows = table(["case", "offer", "title", "type", "state", "since (UTC)"]);
    for case in &answer.cases {
        let offer = case
            .offer
            .replace("publishers/", "")
            .replace("/offers/", "/");
        let since = words::when(case.create_time.as_ref());
        rows.add_row([
            names::id(&case.name),
            &offer,
            &case.offer_title,
            &case.offer_type,
            &state(case),
            &since,
        ]);
    }
    out.table(&rows)?;
    out.say(words::count(answer.cases.len(), "case"))
}

fn state(case: &Case) -> String {
    words::label(case.state().as_str_name(), "CASE_STATE_").to_lowercase()
}

fn outcome(outcome: CheckOutcome) -> String {
    words::label(outcome.as_str_name(), "CHECK_OUTCOME_").to_lowercase()
}

fn say_state(case: Option<&Case>, out: &mut Output) -> Result<(), Error> {
    case.map_or(Ok(()), |case| {
        out.say(format!("{} ({}): {}", case.name, case.offer, state(case)))
    })
}

fn print(case: Option<&Case>, out: &mut Output) -> Result<(), Error> {
    let Some(case) = case else { return Ok(()) };
    say_state(Some(case), out)?;
    out.say(format!(
        "{} — {}\nsubmission {}",
        case.offer_title, case.offer_type, case.submission
    ))?;
    if !case.notes.is_empty() {
        out.say(format!("notes of the publisher: {}", case.notes))?;
    }
    let levels = case.levels.iter().map(|level| {
        let name = words::label(level.level().as_str_name(), "LEVEL_");
        format!("{name}: {}", outcome(level.outcome()))
    });
    out.say(levels.collect::<Vec<_>>().join("; "))?;
    let mut rows = table(["check", "outcome", "mode", "policy", "title"]);
    for check in &case.checks {
        let mode = words::label(check.mode().as_str_name(), "CHECK_MODE_").to_lowercase();
        rows.add_row([
            &check.check,
            &outcome(check.outcome()),
            &mode,
            &check.policy,
            &check.title,
        ]);
    }
    out.table(&rows)?;
    let mut findings = case.checks.iter().flat_map(|check| &check.findings);
    findings.try_for_each(|finding| print_finding(finding, out))
}

impl From<Outcome> for i32 {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Pass => CheckOutcome::Pass,
            Outcome::Warn => CheckOutcome::Warn,
            Outcome::Fail => CheckOutcome::Fail,
            Outcome::NotApplicable => CheckOutcome::NotApplicable,
        }
        .into()
    }
}

/// A finding that fails certification, as a reviewer types it.
fn finding(text: &str) -> Result<Finding, String> {
    let mut finding = Finding {
        code: "REVIEWER_FINDING".into(),
        severity: Severity::Error.into(),
        blocks: Blocks::Live.into(),
        fault: Fault::Publisher.into(),
        ..Finding::default()
    };
    for part in text.split(';') {
        let (key, value) = part
            .split_once('=')
            .ok_or_else(|| format!("{part:?} is no KEY=VALUE"))?;
        let field = match key.trim() {
            "policy" => &mut finding.policy,
            "page" => &mut finding.page,
            "field" => &mut finding.field_path,
            "file" => &mut finding.artifact_path,
            "evidence" => &mut finding.evidence,
            "remedy" => &mut finding.remedy,
            "code" => &mut finding.code,
            other => {
                return Err(format!(
                    "{other:?} is not known; policy, page, field, file, evidence, remedy, code are"
                ));
            }
        };
        value.trim().clone_into(field);
    }
    if finding.remedy.is_empty() {
        return Err("a finding needs a remedy=…: what is the publisher to do?".into());
    }
    Ok(finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_typed_as_pairs() {
        let found =
            finding("policy=100.1.3; page=offer_listing;field=description;remedy=Say a=b").unwrap();
        assert_eq!(
            (
                found.policy.as_str(),
                found.page.as_str(),
                found.remedy.as_str()
            ),
            ("100.1.3", "offer_listing", "Say a=b")
        );
        assert_eq!(found.severity(), Severity::Error);
        assert!(finding("page=x").unwrap_err().contains("remedy"));
        assert!(finding("pagex").is_err() && finding("colour=red;remedy=x").is_err());
    }

    #[test]
    fn a_case_is_found_by_its_offer_or_submission() {
        let case = Case {
            offer: "publishers/c/offers/o".into(),
            submission: "publishers/c/offers/o/submissions/1".into(),
            ..Case::default()
        };
        assert!(is_of(&case, &Target::parse("c/o", None).unwrap()));
        assert!(is_of(&case, &Target::parse("c/o/1", None).unwrap()));
        assert!(!is_of(&case, &Target::parse("c/o/2", None).unwrap()));
    }
}
