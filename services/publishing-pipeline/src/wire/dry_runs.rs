//! Dry runs on the wire, and what other services say in them.

use marketplace_proto::certification::v1 as certification;
use marketplace_proto::offercatalog::v1 as catalog;
use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::ids::{DryRunName, OfferName};
use marketplace_runtime::status::{Violation, Violations};
use marketplace_runtime::text;
use marketplace_runtime::timestamp::{duration_to_proto, to_proto};
use time::Duration;
use uuid::Uuid;

use super::requests::{NOTES, in_flight_policy, supersede};
use super::submission::{Medians, actor, expected, leg, phase};
use crate::domain::{
    CheckLeftOut, Depth, DryRun, DryRunState, DryStep, DryStepState, Finding, HumanStep, NotRun,
    PageProblem, PublishRefusal, Target,
};

/// A CreateDryRun that is well formed.
#[derive(Debug, Clone)]
pub struct CreateDryRun {
    pub offer: OfferName,
    pub target: Target,
    pub depth: Depth,
    pub probe_endpoints: bool,
    pub notes: String,
    pub confirm: bool,
    pub supersede: bool,
}

pub fn create_dry_run(request: &pb::CreateDryRunRequest) -> Result<CreateDryRun, Vec<Violation>> {
    let mut wrong = Violations::new();
    let unknown = |field| Violation::new(field, "is not known").because("UNKNOWN_VALUE");
    let offer = wrong.take(OfferName::parse(&request.offer, "offer"));
    let notes = wrong.take(text::lines(&request.notes, "notes", NOTES));
    let target = wrong.take(match pb::DryRunTarget::try_from(request.target) {
        Ok(pb::DryRunTarget::Preview) => Ok(Target::Preview),
        Ok(pb::DryRunTarget::Live | pb::DryRunTarget::Unspecified) => Ok(Target::Live),
        Err(_) => Err(unknown("target")),
    });
    let depth = wrong.take(match pb::DryRunDepth::try_from(request.depth) {
        Ok(pb::DryRunDepth::Schema) => Ok(Depth::Schema),
        Ok(pb::DryRunDepth::Rules) => Ok(Depth::Rules),
        Ok(pb::DryRunDepth::Full | pb::DryRunDepth::Unspecified) => Ok(Depth::Full),
        Err(_) => Err(unknown("depth")),
    });
    let supersede = wrong.take(supersede(request.in_flight_policy));
    if request.probe_endpoints && depth.is_some_and(|depth| depth != Depth::Full) {
        wrong.add(
            Violation::new("probe_endpoints", "is for FULL only").because("CONFLICTING_FIELDS"),
        );
    }
    let read = || {
        Some(CreateDryRun {
            offer: offer?,
            target: target?,
            depth: depth?,
            probe_endpoints: request.probe_endpoints,
            notes: notes?,
            confirm: request.confirm,
            supersede: supersede?,
        })
    };
    let read = read();
    wrong.finish(read)
}

/// A dry run's resource name and its id.
pub fn dry_run_name(name: &str) -> Result<(DryRunName, Uuid), Vec<Violation>> {
    let mut wrong = Violations::new();
    let name = wrong.take(DryRunName::parse(name, "name"));
    let id = name.as_ref().and_then(|name| wrong.take(name.id("name")));
    wrong.finish(name.zip(id))
}

pub fn dry_run(run: &DryRun, medians: &Medians) -> pb::DryRun {
    let record = &run.record;
    let draft = record.draft.clone().unwrap_or_default();
    let state = match run.state {
        DryRunState::Running => pb::DryRunState::Running,
        DryRunState::Done => pb::DryRunState::Done,
        DryRunState::Failed => pb::DryRunState::Failed,
        DryRunState::Canceled => pb::DryRunState::Canceled,
    };
    let target = match run.target {
        Target::Preview => pb::DryRunTarget::Preview,
        Target::Live => pb::DryRunTarget::Live,
    };
    let depth = match run.depth {
        Depth::Schema => pb::DryRunDepth::Schema,
        Depth::Rules => pb::DryRunDepth::Rules,
        Depth::Full => pb::DryRunDepth::Full,
    };
    pb::DryRun {
        name: OfferName::new(&run.publisher, &run.offer)
            .dry_run(run.id)
            .to_string(),
        state: state.into(),
        target: target.into(),
        depth: depth.into(),
        probe_endpoints: run.probe_endpoints,
        notes: run.notes.clone(),
        draft_etag: draft.etag,
        digest: draft
            .profile
            .map(|profile| profile.digest)
            .unwrap_or_default(),
        violations: draft.problems.into_iter().map(page_issue).collect(),
        refusals: draft.refusals.into_iter().map(refusal).collect(),
        findings: record.findings.iter().cloned().map(told).collect(),
        steps: record.steps.iter().map(|one| step(one, medians)).collect(),
        humans: record.humans.iter().map(human).collect(),
        would_fail: run.would_fail(),
        failure_reason: record.failure.clone(),
        created_by: Some(actor(&run.created_by)),
        create_time: Some(to_proto(run.create_time)),
        start_time: run.start_time.map(to_proto),
        end_time: run.end_time.map(to_proto),
        revision: run.revision,
        confirm: run.confirm,
        in_flight_policy: in_flight_policy(run.supersede).into(),
    }
}

fn step(step: &DryStep, medians: &Medians) -> pb::DryRunStep {
    let state = match step.state {
        DryStepState::NotStarted => pb::DryRunStepState::NotStarted,
        DryStepState::InProgress => pb::DryRunStepState::InProgress,
        DryStepState::Complete => pb::DryRunStepState::Complete,
        DryStepState::Rejected => pb::DryRunStepState::Rejected,
        DryStepState::NotRun => pb::DryRunStepState::NotRun,
    };
    let median = medians.get(step.id.as_str());
    pb::DryRunStep {
        id: step.id.as_str().to_owned(),
        name: step.id.title().to_owned(),
        phase: phase(step.id.phase()).into(),
        leg: leg(step.leg).into(),
        state: state.into(),
        not_run_reason: step
            .left_out
            .map_or(pb::NotRunReason::Unspecified, not_run)
            .into(),
        message: step.message.clone(),
        expected: expected(step.id),
        median: median.map(|ms| duration_to_proto(Duration::seconds_f64(ms / 1_000.0))),
        errors: step.errors,
        warnings: step.warnings,
        not_run_checks: step.checks_left_out.iter().map(check).collect(),
        start_time: step.started.map(to_proto),
        end_time: step.ended.map(to_proto),
    }
}

fn not_run(reason: NotRun) -> pb::NotRunReason {
    match reason {
        NotRun::Depth => pb::NotRunReason::Depth,
        NotRun::Refused => pb::NotRunReason::Refused,
        NotRun::SideEffect => pb::NotRunReason::SideEffect,
        NotRun::Endpoint => pb::NotRunReason::PublisherEndpoint,
        NotRun::Person => pb::NotRunReason::Person,
        NotRun::Ended => pb::NotRunReason::Ended,
    }
}

fn check(check: &CheckLeftOut) -> pb::NotRunCheck {
    pb::NotRunCheck {
        check: check.check.clone(),
        title: check.title.clone(),
        reason: not_run(check.reason).into(),
        message: check.message.clone(),
    }
}

fn human(human: &HumanStep) -> pb::HumanStep {
    pb::HumanStep {
        step: human.step.as_str().to_owned(),
        check: human.check.clone(),
        title: human.title.clone(),
        reason: human.reason.clone(),
    }
}

fn refusal(refusal: PublishRefusal) -> pb::PublishRefusal {
    pb::PublishRefusal {
        reason: refusal.reason,
        message: refusal.message,
    }
}

/// A finding as certification tells it.
pub fn finding(told: certification::Finding) -> Finding {
    Finding {
        code: told.code,
        severity: told.severity,
        blocks: told.blocks,
        fault: told.fault,
        policy: told.policy,
        policy_url: told.policy_url,
        page: told.page,
        field_path: told.field_path,
        artifact_path: told.artifact_path,
        evidence: told.evidence,
        remedy: told.remedy,
        check: told.check,
        check_version: told.check_version,
    }
}

fn told(finding: Finding) -> certification::Finding {
    certification::Finding {
        code: finding.code,
        severity: finding.severity,
        blocks: finding.blocks,
        fault: finding.fault,
        policy: finding.policy,
        policy_url: finding.policy_url,
        page: finding.page,
        field_path: finding.field_path,
        artifact_path: finding.artifact_path,
        evidence: finding.evidence,
        remedy: finding.remedy,
        check: finding.check,
        check_version: finding.check_version,
    }
}

/// A problem of a page as the catalogue tells it.
pub fn page_problem(issue: catalog::PageIssue) -> PageProblem {
    PageProblem {
        page: issue.page,
        plan_id: issue.plan_id,
        field_path: issue.field_path,
        code: issue.code,
        message: issue.message,
        severity: issue.severity,
        remedy: issue.remedy,
    }
}

fn page_issue(problem: PageProblem) -> catalog::PageIssue {
    catalog::PageIssue {
        page: problem.page,
        plan_id: problem.plan_id,
        field_path: problem.field_path,
        code: problem.code,
        message: problem.message,
        severity: problem.severity,
        remedy: problem.remedy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_request_is_checked_and_what_is_unset_means_everything() {
        let request = pb::CreateDryRunRequest {
            offer: "publishers/contoso/offers/db".into(),
            ..Default::default()
        };
        let read = create_dry_run(&request).unwrap();
        assert_eq!((read.target, read.depth), (Target::Live, Depth::Full));
        let wrong = pb::CreateDryRunRequest {
            target: 9,
            depth: 9,
            notes: "a\u{7}".into(),
            in_flight_policy: 9,
            ..Default::default()
        };
        let mut fields: Vec<String> = create_dry_run(&wrong)
            .unwrap_err()
            .into_iter()
            .map(|violation| violation.field)
            .collect();
        fields.sort();
        assert_eq!(
            fields,
            ["depth", "in_flight_policy", "notes", "offer", "target"]
        );
        let probing = pb::CreateDryRunRequest {
            depth: pb::DryRunDepth::Rules.into(),
            probe_endpoints: true,
            ..request
        };
        let refused = create_dry_run(&probing).unwrap_err();
        assert_eq!(refused[0].reason.as_deref(), Some("CONFLICTING_FIELDS"));
        for name in ["", "dryRuns/1", "publishers/a/offers/b/dryRuns/x"] {
            assert!(dry_run_name(name).is_err(), "{name}");
        }
    }
}
