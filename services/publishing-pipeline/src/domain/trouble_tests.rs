//! What becomes of steps that fail, stay unanswered or are asked again: the platform's fault and the publisher's.

use time::Duration;

use super::fixtures::Stage;
use super::moves::{Answer, Trouble};
use super::news::IncidentNews;
use super::offering_tests::platform;
use super::state::{StepState, SubmissionState};
use super::status::Status;
use super::step::{Fault, Leg, StepId};

#[test]
fn a_platform_fault_is_retried_then_an_incident_and_never_a_failure_by_itself() {
    let mut stage = Stage::new(Leg::Live);
    let id = stage.publish();
    for attempt in 1..=3 {
        assert_eq!(stage.active(id), (StepId::PurchaseFlow, attempt));
        stage.answer(id, platform("away"));
        assert!(!stage.offering.news().tells(), "retries leave no row");
        if attempt < 3 {
            stage.wait(Duration::minutes(1));
            stage.make(|o, m| o.sweep(false, m)).unwrap();
            assert_eq!(stage.offering.news().handed, [id]);
            stage.at -= Duration::minutes(1) - Duration::seconds(1);
        }
    }
    assert_eq!(
        stage.step(id, StepId::PurchaseFlow).state,
        StepState::Blocked
    );
    assert!(matches!(
        stage.offering.news().incidents[..],
        [IncidentNews::Raised { attempts: 3, .. }]
    ));
    assert_eq!(stage.offering.status(), Status::PublishInProgress);
    stage
        .make(|o, m| o.retry_step(id, StepId::PurchaseFlow, m))
        .unwrap();
    stage.answer(id, Answer::Done(String::new()));
    assert!(matches!(
        stage.offering.news().incidents[..],
        [IncidentNews::Closed { .. }]
    ));
    assert!(!stage.offering.publication().incident);
}

#[test]
fn fail_step_and_the_hard_deadline_end_what_is_stuck() {
    let mut stage = Stage::new(Leg::Live);
    let id = stage.publish();
    (0..3).for_each(|_| {
        stage.answer(id, platform("away"));
        stage.wait(Duration::minutes(1));
        stage.make(|o, m| o.sweep(false, m)).unwrap();
    });
    stage
        .make(|o, m| o.fail_blocked(id, StepId::PurchaseFlow, "given up", m))
        .unwrap();
    assert_eq!(
        stage.submission(id).failure.as_ref().unwrap().fault,
        Fault::Platform
    );
    assert!(
        stage.offering.publication().incident,
        "it stays open through Attention needed"
    );

    let mut stage = Stage::new(Leg::Live);
    let id = stage.publish();
    stage.wait(Duration::hours(24));
    stage.make(|o, m| o.sweep(false, m)).unwrap();
    assert_eq!(
        (stage.submission(id).state, stage.offering.status()),
        (SubmissionState::Failed, Status::AttentionNeeded)
    );
}

fn refused(wait: Duration) -> Answer {
    let why = "500".to_owned();
    Answer::Trouble(Trouble::Endpoint { why, wait })
}

#[test]
fn ld9_an_endpoint_is_left_alone_as_it_asks_but_three_tries_fit_into_five_minutes() {
    for (asked, left_alone) in [
        (Duration::seconds(7), Duration::seconds(7)),
        (Duration::DAY, Duration::seconds(100)),
    ] {
        let mut stage = Stage::new(Leg::Live);
        let id = stage.publish();
        stage.walk(id, Some(StepId::LeadManagement));
        for _ in 0..2 {
            stage.answer(id, refused(asked));
            assert_eq!(stage.submission(id).due_at, Some(stage.at + left_alone));
            stage.wait(left_alone);
            stage.make(|o, m| o.sweep(false, m)).unwrap();
        }
        stage.answer(id, refused(asked));
        let failure = stage.submission(id).failure.clone().unwrap();
        assert_eq!(failure.fault, Fault::Publisher);
    }
}

#[test]
fn a_publishers_endpoint_counts_as_theirs_after_three_tries_within_five_minutes() {
    let mut stage = Stage::new(Leg::Live);
    let id = stage.publish();
    stage.walk(id, Some(StepId::LeadManagement));
    let wrong = || refused(Duration::ZERO);
    for pause in [
        Duration::minutes(6),
        Duration::seconds(1),
        Duration::seconds(2),
    ] {
        stage.answer(id, wrong());
        assert_eq!(stage.offering.status(), Status::PublishInProgress);
        stage.wait(pause);
        stage.make(|o, m| o.sweep(false, m)).unwrap();
    }
    stage.answer(id, wrong());
    assert_eq!(
        stage.submission(id).failure.as_ref().unwrap().fault,
        Fault::Publisher
    );
}

#[test]
fn rp_what_the_platform_failed_at_does_not_count_against_the_publishers_endpoint() {
    let mut stage = Stage::new(Leg::Live);
    let id = stage.publish();
    stage.answer(id, Stage::good(StepId::PurchaseFlow));
    let endpoint = || refused(Duration::ZERO);
    let failed = |stage: &Stage| stage.submission(id).state == SubmissionState::Failed;
    let again = |stage: &mut Stage| {
        stage.wait(Duration::seconds(1));
        stage.make(|o, m| o.sweep(false, m)).unwrap();
    };
    for answer in [platform("away"), platform("away"), endpoint(), endpoint()] {
        stage.answer(id, answer);
        assert!(!failed(&stage), "two of its own so far");
        again(&mut stage);
    }
    stage.answer(id, platform("away"));
    again(&mut stage);
    let step = stage.step(id, StepId::LeadManagement);
    assert_eq!(
        (step.failed_tries, step.state),
        (1, StepState::InProgress),
        "nor the other way round"
    );
    for _ in 0..3 {
        assert!(!failed(&stage));
        stage.answer(id, endpoint());
        if !failed(&stage) {
            again(&mut stage);
        }
    }
    let failure = stage.submission(id).failure.clone().unwrap();
    assert_eq!(failure.fault, Fault::Publisher);
}

#[test]
fn an_unanswered_order_is_sent_again_under_the_same_key_and_becomes_an_incident() {
    let mut stage = Stage::new(Leg::Preview);
    let id = stage.publish();
    stage.walk(id, Some(StepId::PreviewCreation));
    let first = stage.orders()[0].clone();
    stage.wait(Duration::seconds(5));
    stage.make(|o, m| o.sweep(false, m)).unwrap();
    assert_eq!(stage.orders(), std::slice::from_ref(&first));
    assert!(stage.facts().is_empty(), "nothing happened");
    stage.wait(Duration::seconds(60));
    stage.make(|o, m| o.sweep(false, m)).unwrap();
    assert_eq!(
        (stage.orders(), stage.active(id)),
        (&[first][..], (StepId::PreviewCreation, 1))
    );
    assert_eq!(
        stage.step(id, StepId::PreviewCreation).state,
        StepState::Blocked
    );
    stage.walk(id, None);
    assert_eq!(stage.offering.status(), Status::Preview);
}

#[test]
fn who_waits_for_a_reviewer_never_times_out() {
    let mut stage = Stage::new(Leg::Preview);
    let id = stage.publish();
    stage.walk(id, Some(StepId::Certification));
    let waits = Answer::Progressed {
        progress: 50,
        message: "Waiting for a reviewer".to_owned(),
        waits: true,
    };
    stage.answer(id, waits.clone());
    assert_eq!(
        stage.step(id, StepId::Certification).state,
        StepState::WaitingForApproval
    );
    assert!(stage.facts().is_empty());
    stage.wait(Duration::days(30));
    stage.make(|o, m| o.sweep(false, m)).unwrap();
    assert_eq!(stage.orders().len(), 1);
    let before = stage.submission(id).transition;
    stage.answer(id, waits);
    assert_eq!(
        stage.submission(id).transition,
        before,
        "an answer to a repeat is nothing new"
    );
    assert!(stage.submission(id).due_at.unwrap() > stage.at);
    stage.walk(id, None);
    assert_eq!(stage.offering.status(), Status::Preview);
}

#[test]
fn pb1_another_digest_is_the_platforms_fault_at_once() {
    let other = || "d2".to_owned();
    let answers = [
        (
            StepId::Certification,
            Answer::Certified {
                digest: other(),
                with_notes: false,
            },
        ),
        (
            StepId::PreviewCreation,
            Answer::Prepared { digest: other() },
        ),
        (StepId::FinalPublish, Answer::Activated { digest: other() }),
    ];
    for (step, answer) in answers {
        let mut stage = Stage::new(Leg::Preview);
        let id = stage.publish();
        stage.walk(id, Some(step));
        if step == StepId::FinalPublish {
            stage.sign_off(id);
            stage.walk(id, Some(step));
        }
        stage.answer(id, answer);
        assert_eq!(stage.offering.status(), Status::AttentionNeeded);
        assert_eq!(
            stage.submission(id).failure.as_ref().unwrap().fault,
            Fault::Platform
        );
        assert_eq!(stage.offering.publication().live, None);
    }
}

#[test]
fn an_outcome_of_an_attempt_that_is_over_changes_nothing() {
    let mut stage = Stage::new(Leg::Live);
    let id = stage.publish();
    stage.make(|o, m| o.sweep(true, m)).unwrap();
    assert_eq!(
        stage.active(id),
        (StepId::PurchaseFlow, 2),
        "taken over from a process that died"
    );
    for (step, attempt) in [
        (StepId::PurchaseFlow, 1),
        (StepId::LeadManagement, 1),
        (StepId::PurchaseFlow, 3),
    ] {
        let applied = stage
            .make(|o, m| o.answer(id, step, attempt, Answer::Done(String::new()), m))
            .unwrap();
        assert!(!applied && stage.offering.news().is_empty());
    }
}
