//! What reviewers send: outcomes, notes and findings of their own.

use marketplace_proto::certification::v1 as pb;
use marketplace_runtime::{
    status::{Violation, Violations},
    text,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    checks,
    commands::{Approve, Decide, Reject},
    domain::{Blocks, Finding, MAX_EVIDENCE, Outcome, Policies, Ruling, Severity},
    error::Error,
};

/// The most characters of a note.
const MAX_NOTE: usize = 5_000;
/// The most characters of a finding's code, and of what says where it is.
const MAX_CODE: usize = 64;
const MAX_PLACE: usize = 500;
/// The most findings that one call brings.
const MAX_FINDINGS: usize = 100;
/// The policy of findings that name none and belong to no check.
const GENERAL: &str = "100";

/// The outcome of a check, or an override.
pub fn decide(
    case: Uuid,
    request: &pb::DecideCheckRequest,
    policies: &Policies,
    at: OffsetDateTime,
) -> Result<Decide, Error> {
    let mut wrong = Violations::new();
    let outcome = wrong.take(outcome(request.outcome()));
    if request.check.is_empty() {
        wrong.add(Violation::missing("check"));
    }
    let note = note(
        &request.note,
        "note",
        outcome == Some(Outcome::Fail),
        &mut wrong,
    );
    let policy = checks::policy_of(&request.check).unwrap_or(GENERAL);
    let findings = findings(&request.findings, policy, policies, &mut wrong);
    let ruling = outcome.map(|outcome| Ruling {
        check: request.check.clone(),
        outcome,
        note,
        findings,
    });
    let ruling = wrong.finish(ruling).map_err(Error::Invalid)?;
    Ok(Decide { case, ruling, at })
}

/// An approval.
pub fn approve(
    case: Uuid,
    request: &pb::ApproveCaseRequest,
    at: OffsetDateTime,
) -> Result<Approve, Error> {
    let mut wrong = Violations::new();
    let notes = note(&request.notes, "notes", false, &mut wrong);
    let command = Approve {
        case,
        notes,
        pass_pending_checks: request.pass_pending_checks,
        at,
    };
    wrong.finish(Some(command)).map_err(Error::Invalid)
}

/// A rejection: says what the publisher has to change.
pub fn reject(
    case: Uuid,
    request: &pb::RejectCaseRequest,
    policies: &Policies,
    at: OffsetDateTime,
) -> Result<Reject, Error> {
    let mut wrong = Violations::new();
    let notes = note(&request.notes, "notes", true, &mut wrong);
    let findings = findings(&request.findings, GENERAL, policies, &mut wrong);
    let command = Reject {
        case,
        notes,
        findings,
        at,
    };
    wrong.finish(Some(command)).map_err(Error::Invalid)
}

fn outcome(outcome: pb::CheckOutcome) -> Result<Outcome, Violation> {
    match outcome {
        pb::CheckOutcome::Pass => Ok(Outcome::Pass),
        pb::CheckOutcome::Warn => Ok(Outcome::Warn),
        pb::CheckOutcome::Fail => Ok(Outcome::Fail),
        pb::CheckOutcome::NotApplicable => Ok(Outcome::NotApplicable),
        pb::CheckOutcome::Unspecified => Err(Violation::missing("outcome")),
        pb::CheckOutcome::Pending => Err(Violation::new(
            "outcome",
            "must be PASS, WARN, FAIL or NOT_APPLICABLE",
        )
        .because("BAD_OUTCOME")),
    }
}

fn note(sent: &str, field: &str, required: bool, wrong: &mut Violations) -> String {
    if required && sent.trim().is_empty() {
        wrong.add(Violation::missing(field));
    }
    wrong
        .take(text::lines(sent, field, MAX_NOTE))
        .unwrap_or_default()
}

fn findings(
    sent: &[pb::Finding],
    policy: &str,
    policies: &Policies,
    wrong: &mut Violations,
) -> Vec<Finding> {
    if sent.len() > MAX_FINDINGS {
        wrong.add(
            Violation::new("findings", format!("are more than {MAX_FINDINGS}")).because("TOO_MANY"),
        );
    }
    let read = |(n, sent): (usize, &pb::Finding)| {
        finding(sent, &format!("findings[{n}]"), policy, policies, wrong)
    };
    sent.iter()
        .take(MAX_FINDINGS)
        .enumerate()
        .map(read)
        .collect()
}

fn finding(
    sent: &pb::Finding,
    at: &str,
    policy: &str,
    policies: &Policies,
    wrong: &mut Violations,
) -> Finding {
    if sent.remedy.trim().is_empty() {
        wrong.add(Violation::missing(format!("{at}.remedy")));
    }
    let evidence = text::lines(&sent.evidence, &format!("{at}.evidence"), MAX_EVIDENCE);
    let remedy = text::lines(&sent.remedy, &format!("{at}.remedy"), MAX_EVIDENCE);
    let (evidence, remedy) = (wrong.take(evidence), wrong.take(remedy));
    for (field, sent, most) in [
        ("code", &sent.code, MAX_CODE),
        ("page", &sent.page, MAX_PLACE),
        ("field_path", &sent.field_path, MAX_PLACE),
        ("artifact_path", &sent.artifact_path, MAX_PLACE),
    ] {
        wrong.take(text::line(sent, &format!("{at}.{field}"), most));
    }
    let policy = if sent.policy.is_empty() {
        policy
    } else {
        &sent.policy
    };
    if !policies.contains_key(policy) {
        wrong.add(Violation::new(format!("{at}.policy"), "is no policy").because("UNKNOWN_POLICY"));
    }
    let code = if sent.code.is_empty() {
        "REVIEWER_FINDING"
    } else {
        &sent.code
    };
    Finding {
        code: code.to_owned(),
        severity: if sent.severity() == pb::Severity::Warning {
            Severity::Warning
        } else {
            Severity::Error
        },
        blocks: Blocks::None,
        policy: policy.to_owned(),
        policy_url: policies
            .get(policy)
            .map(|known| known.url.clone())
            .unwrap_or_default(),
        page: sent.page.clone(),
        field_path: sent.field_path.clone(),
        artifact_path: sent.artifact_path.clone(),
        evidence: evidence.unwrap_or_default(),
        remedy: remedy.unwrap_or_default(),
        check: String::new(),
        check_version: 1,
        by_reviewer: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Policy;

    fn policies() -> Policies {
        let policy = Policy {
            id: "100".into(),
            title: "t".into(),
            description: "d".into(),
            url: "https://p.example".into(),
        };
        Policies::from([("100".to_owned(), policy)])
    }

    fn fields(error: Error) -> Vec<String> {
        match error {
            Error::Invalid(violations) => violations.into_iter().map(|v| v.field).collect(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn everything_wrong_with_a_decision_is_named() {
        let finding = pb::Finding {
            policy: "9".into(),
            ..Default::default()
        };
        let request = pb::DecideCheckRequest {
            outcome: pb::CheckOutcome::Fail.into(),
            findings: vec![finding],
            ..Default::default()
        };
        let wrong = decide(
            Uuid::nil(),
            &request,
            &policies(),
            OffsetDateTime::UNIX_EPOCH,
        )
        .unwrap_err();
        assert_eq!(
            fields(wrong),
            ["check", "note", "findings[0].remedy", "findings[0].policy"]
        );
        let pending = pb::DecideCheckRequest {
            check: "CV-3".into(),
            outcome: pb::CheckOutcome::Pending.into(),
            ..Default::default()
        };
        let wrong = decide(
            Uuid::nil(),
            &pending,
            &policies(),
            OffsetDateTime::UNIX_EPOCH,
        )
        .unwrap_err();
        assert_eq!(fields(wrong), ["outcome"]);
    }

    #[test]
    fn a_rejection_says_what_to_change() {
        let empty = pb::RejectCaseRequest::default();
        assert_eq!(
            fields(
                reject(Uuid::nil(), &empty, &policies(), OffsetDateTime::UNIX_EPOCH).unwrap_err()
            ),
            ["notes"]
        );
        let finding = pb::Finding {
            remedy: "Change it.".into(),
            ..Default::default()
        };
        let request = pb::RejectCaseRequest {
            notes: "n".into(),
            findings: vec![finding],
            ..Default::default()
        };
        let read = reject(
            Uuid::nil(),
            &request,
            &policies(),
            OffsetDateTime::UNIX_EPOCH,
        )
        .unwrap();
        let found = &read.findings[0];
        assert_eq!(
            (
                found.policy.as_str(),
                found.policy_url.as_str(),
                found.severity
            ),
            ("100", "https://p.example", Severity::Error)
        );
    }

    #[test]
    fn a_finding_has_limits_and_no_control_characters() {
        let nul = || "a\0".to_owned();
        let finding = pb::Finding {
            code: "C".repeat(65),
            page: "p".repeat(501),
            field_path: nul(),
            artifact_path: "one\ntwo".into(),
            evidence: nul(),
            remedy: nul(),
            ..Default::default()
        };
        let request = pb::RejectCaseRequest {
            notes: nul(),
            findings: vec![finding],
            ..Default::default()
        };
        let wrong = reject(
            Uuid::nil(),
            &request,
            &policies(),
            OffsetDateTime::UNIX_EPOCH,
        );
        let at = |field| format!("findings[0].{field}");
        assert_eq!(
            fields(wrong.unwrap_err()),
            [
                "notes".to_owned(),
                at("evidence"),
                at("remedy"),
                at("code"),
                at("page"),
                at("field_path"),
                at("artifact_path")
            ]
        );
    }

    #[test]
    fn notes_have_a_limit() {
        let request = pb::ApproveCaseRequest {
            notes: "n".repeat(5_001),
            ..Default::default()
        };
        assert_eq!(
            fields(approve(Uuid::nil(), &request, OffsetDateTime::UNIX_EPOCH).unwrap_err()),
            ["notes"]
        );
    }
}
