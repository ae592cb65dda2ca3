//! A dry run from its beginning to its end.

use super::*;
use crate::domain::fixtures::{profile, user};

fn at(second: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(second)
}

fn run(target: Target, depth: Depth, probe_endpoints: bool) -> DryRun {
    let new = NewDryRun {
        id: Uuid::from_u128(1),
        offer_uid: Uuid::from_u128(2),
        publisher: "contoso".into(),
        offer: "db".into(),
        target,
        depth,
        probe_endpoints,
        notes: String::new(),
        confirm: false,
        supersede: false,
        by: user(),
    };
    DryRun::new(new, at(0))
}

fn draft() -> Draft {
    let mut profile = profile(Leg::Live);
    profile.transactable = true;
    profile.lead_destination = "https_endpoint".into();
    profile.extra_steps = vec!["offer-validation".into()];
    Draft {
        etag: "7".into(),
        profile: Some(profile),
        ..Draft::default()
    }
}

fn left_out(run: &DryRun) -> Vec<(&'static str, Option<NotRun>)> {
    let steps = run.record.steps.iter();
    steps
        .map(|step| (step.id.as_str(), step.left_out))
        .collect()
}

#[test]
fn the_plan_is_a_submissions_and_each_depth_leaves_out_what_it_does_not_reach() {
    use NotRun as N;
    let row = |depth, probe| {
        let mut run = run(Target::Live, depth, probe);
        run.plan(draft());
        let all: Vec<_> = pipeline::steps(draft().profile.as_ref().unwrap());
        assert_eq!(
            left_out(&run).iter().map(|(id, _)| *id).collect::<Vec<_>>(),
            all.iter().map(|step| step.id.as_str()).collect::<Vec<_>>()
        );
        left_out(&run)
            .into_iter()
            .map(|(_, why)| why)
            .collect::<Vec<_>>()
    };
    let (side, person) = (Some(N::SideEffect), Some(N::Person));
    let (depth, endpoint) = (Some(N::Depth), Some(N::Endpoint));
    // Purchase, leads, validation, preview, sign-off, certification, purchase, leads, final publish.
    let schema = vec![depth, depth, depth, side, person, depth, depth, depth, side];
    assert_eq!(row(Depth::Schema, true), schema);
    let rules = vec![depth, depth, None, side, person, None, depth, depth, side];
    assert_eq!(row(Depth::Rules, true), rules);
    let full = vec![
        None, endpoint, None, side, person, None, None, endpoint, side,
    ];
    assert_eq!(row(Depth::Full, false), full);
    let probing = vec![None, None, None, side, person, None, None, None, side];
    assert_eq!(row(Depth::Full, true), probing);
}

#[test]
fn a_preview_is_gone_through_up_to_its_sign_off() {
    let mut run = run(Target::Preview, Depth::Full, false);
    run.plan(draft());
    let ids: Vec<&str> = left_out(&run).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids.last(), Some(&"publisher-sign-off"));
    assert!(!ids.contains(&"certification"), "it is in the live leg");
    assert_eq!(run.record.humans.len(), 1);
}

#[test]
fn with_incomplete_pages_no_step_is_carried_out() {
    let mut incomplete = draft();
    incomplete.problems.push(PageProblem {
        page: 1,
        plan_id: String::new(),
        field_path: "title".into(),
        code: "REQUIRED".into(),
        message: "is missing".into(),
        severity: 2,
        remedy: "Give it.".into(),
    });
    let mut run = run(Target::Live, Depth::Full, true);
    run.plan(incomplete);
    assert_eq!(run.next(), None);
    assert!(left_out(&run).contains(&("certification", Some(NotRun::Refused))));
}

fn finding(code: &str) -> Finding {
    Finding {
        code: code.into(),
        severity: 3,
        blocks: 3,
        fault: 1,
        policy: "100".into(),
        policy_url: String::new(),
        page: "offer_listing".into(),
        field_path: "title".into(),
        artifact_path: String::new(),
        evidence: String::new(),
        remedy: "Change it.".into(),
        check: "CV-1".into(),
        check_version: 1,
    }
}

#[test]
fn every_step_is_looked_at_whatever_the_others_found_and_a_finding_is_said_once() {
    let mut run = run(Target::Live, Depth::Full, false);
    run.plan(draft());
    let mut seen = Vec::new();
    while let Some(place) = run.next() {
        run.begin(place, at(1));
        assert_eq!(run.next(), Some(place), "begun, it is still to be done");
        let id = run.record.steps[place].id;
        seen.push(id);
        let outcome = DryOutcome {
            rejected: id == StepId::Certification,
            findings: vec![finding("SAME"), finding(id.as_str())],
            ..DryOutcome::default()
        };
        run.conclude(place, outcome, at(2));
    }
    assert_eq!(seen.len(), 4);
    assert_eq!(run.record.findings.len(), 5);
    assert!(run.would_fail());
    run.finish(at(3)).unwrap();
    assert_eq!((run.state, run.end_time), (DryRunState::Done, Some(at(3))));
}

#[test]
fn what_was_not_looked_at_when_it_ended_was_not_run_and_it_ends_once() {
    for (state, end) in [
        (
            DryRunState::Canceled,
            DryRun::cancel as fn(&mut DryRun, _) -> _,
        ),
        (DryRunState::Failed, |run: &mut DryRun, at| {
            run.fail("away".into(), at)
        }),
    ] {
        let mut run = run(Target::Live, Depth::Full, false);
        run.plan(draft());
        run.begin(0, at(1));
        end(&mut run, at(2)).unwrap();
        assert_eq!(run.state, state);
        assert_eq!(run.next(), None);
        let ended = run.record.steps.iter();
        let ended = ended.filter(|step| step.left_out == Some(NotRun::Ended));
        assert_eq!(ended.count(), 4);
        assert!(!run.would_fail(), "nothing was found");
        let again = [
            run.cancel(at(3)),
            run.finish(at(3)),
            run.fail("x".into(), at(3)),
        ];
        assert_eq!(again, [Err(DryRunEnded(state)); 3]);
    }
}
