//! `dry-run`: what a publish of the draft would meet. Nothing of the offer changes.

use clap::{Args, ValueEnum};
use marketplace_proto::offercatalog::v1::PageIssue;
use marketplace_proto::publishing::v1::{
    CreateDryRunRequest, DryRun, DryRunDepth, DryRunState, DryRunStep, DryRunStepState,
    DryRunTarget, GetDryRunRequest, GetDryRunResponse, WatchDryRunRequest,
};
use tokio::time::{Duration, sleep};

use super::publish::{NotesArgs, policy};
use super::report::print_finding;
use crate::api::request_id;
use crate::config::Session;
use crate::error::Error;
use crate::output::{Output, table, words};

/// Pause before a broken stream is taken up again.
const PAUSE: Duration = Duration::from_millis(300);

#[derive(Args)]
pub struct DryRunArgs {
    /// The offer.
    pub offer: String,
    /// How far a publish is gone through.
    #[arg(long, value_enum, default_value_t)]
    pub target: Target,
    /// How much of each step is carried out.
    #[arg(long, value_enum, default_value_t)]
    pub depth: Depth,
    /// Send a test lead to the offer's lead destination, as a publish does.
    #[arg(long)]
    pub probe_endpoints: bool,
    #[command(flatten)]
    pub notes: NotesArgs,
    /// As for a publish although nothing changed since the last submission.
    #[arg(long)]
    pub confirm: bool,
    /// As for a publish that cancels the submission that is in flight.
    #[arg(long)]
    pub supersede: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// Up to sign-off.
    Preview,
    #[default]
    Live,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Depth {
    /// Pages alone.
    Schema,
    /// Besides, the checks that look at the document alone.
    Rules,
    /// Besides, all automatic checks, and an order of each plan.
    #[default]
    Full,
}

pub async fn run(session: &Session, args: DryRunArgs, out: &mut Output) -> Result<(), Error> {
    let offer = session.offer(&args.offer)?;
    let target = match args.target {
        Target::Preview => DryRunTarget::Preview,
        Target::Live => DryRunTarget::Live,
    };
    let depth = match args.depth {
        Depth::Schema => DryRunDepth::Schema,
        Depth::Rules => DryRunDepth::Rules,
        Depth::Full => DryRunDepth::Full,
    };
    let request = CreateDryRunRequest {
        notes: args.notes.read(&offer)?,
        offer: offer.name(),
        target: target.into(),
        depth: depth.into(),
        probe_endpoints: args.probe_endpoints,
        request_id: request_id(),
        confirm: args.confirm,
        in_flight_policy: policy(args.supersede).into(),
    };
    let made = session.api.call(request).await?.dry_run.unwrap_or_default();
    let ended = GetDryRunResponse {
        dry_run: Some(end(session, made).await?),
    };
    out.answer(&ended, |out, answer| {
        answer
            .dry_run
            .as_ref()
            .map_or(Ok(()), |run| print(run, out))
    })?;
    match ended.dry_run {
        Some(run) => verdict(&run),
        None => Ok(()),
    }
}

/// Waits for its end; takes a broken stream up again.
async fn end(session: &Session, mut run: DryRun) -> Result<DryRun, Error> {
    while run.state() == DryRunState::Running {
        let name = run.name.clone();
        let mut stream = session.api.stream(WatchDryRunRequest { name }).await?;
        while let Ok(Some(message)) = stream.message().await {
            run = message.dry_run.unwrap_or_default();
        }
        if run.state() == DryRunState::Running {
            sleep(PAUSE).await;
            let name = run.name.clone();
            let answer = session.api.call(GetDryRunRequest { name }).await?;
            run = answer.dry_run.unwrap_or_default();
        }
    }
    Ok(run)
}

/// A bad end is an error: its exit code says so.
fn verdict(run: &DryRun) -> Result<(), Error> {
    match run.state() {
        DryRunState::Failed => Err(Error::Ended(format!(
            "{}: failed: {}",
            run.name, run.failure_reason
        ))),
        DryRunState::Canceled => Err(Error::Ended(format!("{}: canceled", run.name))),
        _ if run.would_fail => Err(Error::Ended(format!("{}: a publish would fail", run.name))),
        _ => Ok(()),
    }
}

fn print(run: &DryRun, out: &mut Output) -> Result<(), Error> {
    if !run.steps.is_empty() {
        let mut plan = table(["STEP", "LEG", "EXPECTED", "USUALLY", "RESULT", ""]);
        for step in &run.steps {
            plan.add_row(row(step));
        }
        out.table(&plan)?;
    }
    for check in run.steps.iter().flat_map(|step| &step.not_run_checks) {
        out.say(format!(
            "  not run: {} {}: {}",
            check.check, check.title, check.message
        ))?;
    }
    for refusal in &run.refusals {
        out.say(format!(
            "refused at once: {}: {}",
            refusal.reason, refusal.message
        ))?;
    }
    for issue in &run.violations {
        print_issue(issue, out)?;
    }
    for finding in &run.findings {
        print_finding(finding, out)?;
    }
    for human in &run.humans {
        let check = if human.check.is_empty() {
            human.step.as_str()
        } else {
            &human.check
        };
        out.say(format!(
            "by hand: {check} {}: {}",
            human.title, human.reason
        ))?;
    }
    let good = run.state() == DryRunState::Done && !run.would_fail;
    match good {
        true => out.say("nothing was found that would keep it from being published"),
        false => Ok(()),
    }
}

fn row(step: &DryRunStep) -> [String; 6] {
    let leg = words::label(step.leg().as_str_name(), "LEG_").to_lowercase();
    let expected = step.expected.as_ref().map(|e| e.label.clone());
    let median = step
        .median
        .as_ref()
        .map(|median| words::span(time::Duration::new(median.seconds, median.nanos)));
    let result = match step.state() {
        DryRunStepState::NotRun => format!(
            "not run ({})",
            words::label(step.not_run_reason().as_str_name(), "NOT_RUN_REASON_").to_lowercase()
        ),
        state => words::label(state.as_str_name(), "DRY_RUN_STEP_STATE_").to_lowercase(),
    };
    [
        step.id.clone(),
        leg,
        expected.unwrap_or_default(),
        median.unwrap_or_default(),
        result,
        step.message.clone(),
    ]
}

/// A problem of a page in two lines, as a finding is printed.
fn print_issue(issue: &PageIssue, out: &mut Output) -> Result<(), Error> {
    let page = words::label(issue.page().as_str_name(), "PAGE_ID_");
    let plan = if issue.plan_id.is_empty() {
        String::new()
    } else {
        format!(" of plan {}", issue.plan_id)
    };
    out.say(format!(
        "  {} {page}{plan}, {}: {}",
        issue.code, issue.field_path, issue.message
    ))?;
    out.say(format!("      → {}", issue.remedy))
}

#[cfg(test)]
mod tests {
    use marketplace_proto::certification::v1::{Finding, Severity};
    use marketplace_proto::offercatalog::v1::PageId;
    use marketplace_proto::publishing::v1::{
        ExpectedDuration, HumanStep, Leg, NotRunCheck, NotRunReason, PublishRefusal,
    };

    use super::*;
    use crate::cli::Format;
    use crate::output::capture::lines;

    #[test]
    fn the_plan_comes_first_and_what_to_do_about_each_finding() {
        let step = |id: &str, state: DryRunStepState| DryRunStep {
            id: id.into(),
            leg: Leg::Preview.into(),
            state: state.into(),
            ..DryRunStep::default()
        };
        let run = DryRun {
            state: DryRunState::Done.into(),
            steps: vec![
                DryRunStep {
                    expected: Some(ExpectedDuration {
                        label: "<10 min".into(),
                        ..ExpectedDuration::default()
                    }),
                    not_run_checks: vec![NotRunCheck {
                        check: "CV-7".into(),
                        title: "Logo".into(),
                        message: "It looks at pictures.".into(),
                        ..NotRunCheck::default()
                    }],
                    ..step("purchase-flow", DryRunStepState::Rejected)
                },
                DryRunStep {
                    not_run_reason: NotRunReason::SideEffect.into(),
                    message: "A dry run makes no preview.".into(),
                    ..step("preview-creation", DryRunStepState::NotRun)
                },
            ],
            refusals: vec![PublishRefusal {
                reason: "PAGES_INCOMPLETE".into(),
                message: "1 problems".into(),
            }],
            violations: vec![PageIssue {
                page: PageId::OfferListing.into(),
                field_path: "title".into(),
                code: "REQUIRED".into(),
                message: "is missing".into(),
                remedy: "Give it.".into(),
                ..PageIssue::default()
            }],
            findings: vec![Finding {
                code: "LOGO_SIZE".into(),
                severity: Severity::Error.into(),
                page: "offer_listing".into(),
                evidence: "100 × 100".into(),
                remedy: "Upload a larger one.".into(),
                ..Finding::default()
            }],
            humans: vec![HumanStep {
                step: "publisher-sign-off".into(),
                title: "Publisher sign-off".into(),
                reason: "Look at it.".into(),
                ..HumanStep::default()
            }],
            would_fail: true,
            ..DryRun::default()
        };
        let said = lines(Format::Table, |out| print(&run, out));
        let said = said.join("\n");
        for part in [
            "purchase-flow",
            "<10 min",
            "rejected",
            "not run (side effect)",
            "  not run: CV-7 Logo: It looks at pictures.",
            "refused at once: PAGES_INCOMPLETE: 1 problems",
            "  REQUIRED Offer listing, title: is missing",
            "      → Give it.",
            "  error LOGO_SIZE offer_listing: 100 × 100",
            "by hand: publisher-sign-off Publisher sign-off: Look at it.",
        ] {
            assert!(said.contains(part), "{part:?} is not in\n{said}");
        }
        assert!(verdict(&run).is_err());
        let good = DryRun {
            state: DryRunState::Done.into(),
            ..DryRun::default()
        };
        assert!(verdict(&good).is_ok());
        let said = lines(Format::Table, |out| print(&good, out));
        assert_eq!(
            said,
            ["nothing was found that would keep it from being published"]
        );
        for state in [DryRunState::Failed, DryRunState::Canceled] {
            let bad = DryRun {
                state: state.into(),
                ..DryRun::default()
            };
            assert!(verdict(&bad).is_err());
        }
    }
}
