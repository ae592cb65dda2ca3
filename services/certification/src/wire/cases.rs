//! Cases, results and findings on their way out.

use marketplace_proto::certification::v1 as pb;
use marketplace_runtime::timestamp;

use crate::domain::{
    Blocks, Case, CheckResult, Finding, Level, Mode, Outcome, Policies, Policy, Severity, State,
};

/// A case; lists leave the checks out.
pub fn case(case: &Case, with_checks: bool, policies: &Policies) -> pb::Case {
    let levels = case.levels().map(|(of, outcome)| pb::LevelResult {
        level: level(of).into(),
        outcome: self::outcome(outcome).into(),
    });
    let checks = if with_checks {
        case.results.iter().map(|r| check(r, policies)).collect()
    } else {
        Vec::new()
    };
    pb::Case {
        name: format!("cases/{}", case.id),
        submission: case.order.key.submission.clone(),
        offer: case.order.offer.clone(),
        offer_type: case.order.offer_type.clone(),
        offer_title: case.order.offer_title.clone(),
        snapshot: case.order.snapshot.clone(),
        digest: case.digest.clone(),
        state: state(case.state).into(),
        notes: case.order.notes.clone(),
        levels: levels.into(),
        checks,
        reviewer: case.reviewer.clone().unwrap_or_default(),
        claim_expire_time: case.claim_until.map(timestamp::to_proto),
        etag: case.revision.to_string(),
        create_time: Some(timestamp::to_proto(case.created_at)),
        end_time: case.ended_at.map(timestamp::to_proto),
        review_notes: case.review_notes.clone(),
        attempt: case.number,
    }
}

/// A policy.
pub fn policy(policy: &Policy) -> pb::Policy {
    pb::Policy {
        name: format!("policies/{}", policy.id),
        title: policy.title.clone(),
        description: policy.description.clone(),
        url: policy.url.clone(),
    }
}

pub(super) fn check(result: &CheckResult, policies: &Policies) -> pb::CheckResult {
    let overridden = result.overridden.as_ref().map(|made| pb::Override {
        original: outcome(made.original).into(),
        reviewer: made.reviewer.clone(),
        note: result.note.clone(),
        override_time: result.decided_at.map(timestamp::to_proto),
    });
    pb::CheckResult {
        check: result.check.clone(),
        check_version: result.version,
        level: level(result.level).into(),
        mode: mode(result.mode).into(),
        outcome: outcome(result.outcome).into(),
        policy: result.policy.clone(),
        title: result.title.clone(),
        findings: result
            .findings
            .iter()
            .map(|found| finding(found, policies))
            .collect(),
        r#override: overridden,
        instructions: result.instructions.clone(),
        decided_by: result.decided_by.clone().unwrap_or_default(),
    }
}

/// A finding. Its link is the one that was stored with it; one of a reviewer's has the policy's of now.
pub(super) fn finding(found: &Finding, policies: &Policies) -> pb::Finding {
    let now = || {
        policies
            .get(&found.policy)
            .map(|policy| policy.url.clone())
            .unwrap_or_default()
    };
    pb::Finding {
        code: found.code.clone(),
        severity: severity(found.severity).into(),
        blocks: blocks(found.blocks).into(),
        fault: pb::Fault::Publisher.into(),
        policy: found.policy.clone(),
        page: found.page.clone(),
        field_path: found.field_path.clone(),
        artifact_path: found.artifact_path.clone(),
        evidence: found.evidence.clone(),
        remedy: found.remedy.clone(),
        check: found.check.clone(),
        check_version: found.check_version,
        policy_url: if found.policy_url.is_empty() {
            now()
        } else {
            found.policy_url.clone()
        },
    }
}

pub(super) fn state(state: State) -> pb::CaseState {
    match state {
        State::Checking => pb::CaseState::Checking,
        State::AwaitingReview => pb::CaseState::AwaitingReview,
        State::InReview => pb::CaseState::InReview,
        State::Passed => pb::CaseState::Passed,
        State::Failed => pb::CaseState::Failed,
        State::Withdrawn => pb::CaseState::Withdrawn,
    }
}

fn level(level: Level) -> pb::Level {
    match level {
        Level::BusinessEligibility => pb::Level::BusinessEligibility,
        Level::Content => pb::Level::Content,
        Level::Technical => pb::Level::Technical,
    }
}

fn mode(mode: Mode) -> pb::CheckMode {
    match mode {
        Mode::Automatic => pb::CheckMode::Automatic,
        Mode::Manual => pb::CheckMode::Manual,
    }
}

fn outcome(outcome: Outcome) -> pb::CheckOutcome {
    match outcome {
        Outcome::Pending => pb::CheckOutcome::Pending,
        Outcome::Pass => pb::CheckOutcome::Pass,
        Outcome::Warn => pb::CheckOutcome::Warn,
        Outcome::Fail => pb::CheckOutcome::Fail,
        Outcome::NotApplicable => pb::CheckOutcome::NotApplicable,
    }
}

fn severity(severity: Severity) -> pb::Severity {
    match severity {
        Severity::Info => pb::Severity::Info,
        Severity::Warning => pb::Severity::Warning,
        Severity::Error => pb::Severity::Error,
    }
}

fn blocks(blocks: Blocks) -> pb::Blocks {
    match blocks {
        Blocks::None => pb::Blocks::None,
        Blocks::Preview => pb::Blocks::Preview,
        Blocks::Live => pb::Blocks::Live,
    }
}
