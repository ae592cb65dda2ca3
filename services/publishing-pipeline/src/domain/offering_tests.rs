//! The moves, against expectations written from the rules (T01 … T41), not from the code.

use time::Duration;

use super::Refusal;
use super::fixtures::{Stage, operator, stop, user};
use super::guard::{Move, Situation};
use super::moves::{Answer, Trouble};
use super::news::{Fact, OrderKind};
use super::state::{StepState, SubmissionState};
use super::status::Status;
use super::step::{Leg, StepId};

pub(super) fn platform(why: &str) -> Answer {
    Answer::Trouble(Trouble::Platform(why.to_owned()))
}

/// A stage in each situation, with the live submission that some of its moves need.
pub(super) fn staged(situation: Situation) -> Stage {
    let mut stage = Stage::new(Leg::Live);
    if !matches!(situation, Situation::Draft) {
        stage.live();
    }
    match situation {
        Situation::Draft | Situation::Live => {}
        Situation::PreviewLeg => drop(stage.publish()),
        Situation::Preview => drop(stage.preview()),
        Situation::PreviewScheduled => {
            let id = stage.preview();
            let at = stage.at + Duration::days(1);
            stage
                .make(|o, m| o.schedule_go_live(id, false, at, user(), m))
                .unwrap();
        }
        Situation::LiveLeg | Situation::FinalPublish | Situation::AttentionRetriable => {
            let id = stage.preview();
            stage.sign_off(id);
            if situation != Situation::LiveLeg {
                stage.walk(id, Some(StepId::FinalPublish));
            }
            if situation == Situation::AttentionRetriable {
                stage.answer(id, Answer::Trouble(Trouble::mismatch("it")));
            }
        }
        Situation::Canceling => {
            let id = stage.publish();
            stage
                .make(|o, m| o.request_cancel(id, Move::CancelPublish, user(), m))
                .unwrap();
        }
        Situation::Attention => {
            let id = stage.publish();
            stage.answer(id, Answer::Trouble(Trouble::Publisher("no".to_owned())));
        }
        Situation::StopPending => stage.make(|o, m| o.stop_offer(stop(), user(), m)).unwrap(),
        Situation::StopScheduled => {
            let mut stage = Stage::new(Leg::Live);
            stage.profile.stop_notice_days = 90;
            stage.live();
            stage.make(|o, m| o.stop_offer(stop(), user(), m)).unwrap();
            return stage;
        }
        Situation::NotAvailable => {
            let live = stage.offering.publication().live.unwrap();
            stage.make(|o, m| o.stop_offer(stop(), user(), m)).unwrap();
            assert!(stage.make(|o, m| Ok(o.removed(live, 1, m))).unwrap());
        }
        Situation::PlanStopPending => stage
            .make(|o, m| o.stop_plan("gold", true, user(), m))
            .unwrap(),
    }
    stage
}

/// Columns: the situations in the order of `Situation::ALL`, each with a live submission where it can have one. Written
/// from the From column of T05 … T41.
const ALLOWED: [(Move, &str); 13] = [
    (Move::Publish, "x......xxxxxxx"),
    (Move::Supersede, ".x............"),
    (Move::CancelPublish, ".x............"),
    (Move::GoLive, "........x.xx.."),
    (Move::CancelScheduledGoLive, "...........x.."),
    (Move::StopOffer, ".......xx.xxxx"),
    (Move::ResumeOffer, "......x......."),
    (Move::StopPlan, ".......xx.xxxx"),
    (Move::ResumePlan, "............x."),
    (Move::RestorePlan, ".............."),
    (Move::DiscardFailure, ".......xx....."),
    (Move::CancelLiveLeg, "..x..........."),
    (Move::WithdrawPreview, "..........xx.."),
];

#[test]
fn every_situation_and_move_is_as_domain_md_says() {
    for (column, situation) in Situation::ALL.into_iter().enumerate() {
        let stage = staged(situation);
        assert_eq!(stage.offering.situation(), situation);
        for (wanted, row) in ALLOWED {
            let expected = row.as_bytes()[column] == b'x';
            assert_eq!(
                stage.offering.allows(wanted),
                expected,
                "{wanted:?} in {situation:?}"
            );
        }
    }
}

#[test]
fn a_refused_move_changes_nothing_and_names_what_is_possible() {
    let mut stage = staged(Situation::FinalPublish);
    let id = stage.offering.publication().in_flight.unwrap();
    let before = (
        stage.offering.publication().clone(),
        stage.submission(id).clone(),
    );
    for wanted in [Move::CancelPublish, Move::CancelLiveLeg] {
        let refused = stage
            .make(|o, m| o.request_cancel(id, wanted, operator(), m))
            .unwrap_err();
        let expected = Refusal::IllegalMove {
            situation: Situation::FinalPublish,
            wanted,
            allowed: vec![],
        };
        assert_eq!(refused, expected);
    }
    assert_eq!(
        before,
        (
            stage.offering.publication().clone(),
            stage.submission(id).clone()
        )
    );
    assert!(stage.offering.news().is_empty());
}

#[test]
fn t05_to_t22_a_saas_offer_goes_live() {
    let mut stage = Stage::new(Leg::Live);
    let id = stage.publish();
    assert_eq!(stage.rows(), ["Submitted"]);
    assert_eq!(stage.offering.status(), Status::PublishInProgress);
    assert_eq!(stage.active(id), (StepId::PurchaseFlow, 1));
    stage.walk(id, Some(StepId::OfferValidation));
    assert_eq!(stage.orders()[0].kind, OrderKind::Validate);
    stage.walk(id, Some(StepId::PreviewCreation));
    stage.walk(id, None);
    assert_eq!(
        stage.rows(),
        ["Preview creation: Succeeded", "AwaitingSignOff"]
    );
    assert_eq!(stage.offering.status(), Status::Preview);
    stage.sign_off(id);
    assert_eq!(stage.rows(), ["SignedOff", "Publisher sign-off: Succeeded"]);
    assert_eq!(
        stage.orders()[0].kind,
        OrderKind::Certify { leg: Leg::Live }
    );
    stage.walk(id, Some(StepId::FinalPublish));
    let digest = "d1".to_owned();
    assert_eq!(
        stage.orders()[0].kind,
        OrderKind::Activate {
            certified: digest.clone(),
            signed_off: digest
        }
    );
    stage.walk(id, None);
    assert_eq!(stage.rows(), ["Final publish: Succeeded", "WentLive"]);
    let publication = stage.offering.publication();
    assert_eq!(
        (publication.live, publication.preview, publication.in_flight),
        (Some(id), None, None)
    );
    assert_eq!(stage.offering.status(), Status::Live);
    assert!(
        stage
            .states(id)
            .iter()
            .all(|(_, state)| *state == StepState::Complete)
    );
}

#[test]
fn pl2_the_next_step_starts_only_after_the_one_before() {
    let mut stage = Stage::new(Leg::Preview);
    let id = stage.publish();
    let started = |stage: &Stage| {
        stage
            .states(id)
            .iter()
            .filter(|(_, s)| *s != StepState::NotStarted)
            .count()
    };
    assert_eq!(started(&stage), 1);
    stage.answer(id, Answer::Done(String::new()));
    assert_eq!(started(&stage), 2);
}

#[test]
fn outcomes_travel_together_and_each_is_a_row() {
    let mut stage = Stage::new(Leg::Live);
    let id = stage.publish();
    stage
        .make(|o, m| {
            assert!(o.answer(id, StepId::PurchaseFlow, 1, Answer::Done(String::new()), m)?);
            o.answer(
                id,
                StepId::LeadManagement,
                1,
                Answer::Done(String::new()),
                m,
            )
        })
        .unwrap();
    let rows = stage.rows();
    assert_eq!(
        rows,
        [
            "Offer purchase flow setup: Succeeded",
            "Lead management validation and registration: Succeeded"
        ]
    );
    assert_eq!(
        (stage.active(id).0, stage.orders().len()),
        (StepId::OfferValidation, 1)
    );
}

#[test]
fn t07_a_validation_report_never_stops_the_preview_and_must_be_acknowledged() {
    let mut stage = Stage::new(Leg::Live);
    let id = stage.publish();
    stage.walk(id, Some(StepId::OfferValidation));
    stage.answer(
        id,
        Answer::Validated {
            warnings: 2,
            report: "r".to_owned(),
        },
    );
    assert_eq!(
        stage.rows(),
        ["Offer validation: Warnings", "ValidationReported"]
    );
    stage.walk(id, None);
    let refused = stage
        .make(|o, m| o.go_live(id, false, user(), m))
        .unwrap_err();
    assert!(
        matches!(
            refused,
            Refusal::ConfirmationRequired {
                field: "acknowledge_warnings",
                ..
            }
        ),
        "{refused}"
    );
    stage.sign_off(id);
}

#[test]
fn t08_t09_t20_t21_failures_need_attention_and_leave_what_is_live() {
    for (leg, sign_off, step, answer, certification) in [
        (
            Leg::Live,
            false,
            StepId::LeadManagement,
            Answer::Trouble(Trouble::Publisher("x".into())),
            false,
        ),
        (
            Leg::Preview,
            false,
            StepId::Certification,
            not_certified(),
            true,
        ),
        (
            Leg::Live,
            true,
            StepId::Certification,
            not_certified(),
            true,
        ),
        (
            Leg::Live,
            true,
            StepId::PurchaseFlowLive,
            Answer::Trouble(Trouble::Publisher("x".into())),
            false,
        ),
    ] {
        let mut stage = Stage::new(leg);
        let live = stage.live();
        let id = if sign_off {
            stage.preview()
        } else {
            stage.publish()
        };
        if sign_off {
            stage.sign_off(id);
        }
        stage.walk(id, Some(step));
        stage.answer(id, answer);
        assert_eq!(
            stage.rows(),
            [format!("{}: Failed", step.title()).as_str(), "Failed"]
        );
        let told = |fact: &Fact| matches!(fact, Fact::Failed { certification: c, .. } if *c == certification);
        assert!(stage.facts().iter().any(told));
        assert_eq!(stage.offering.status(), Status::AttentionNeeded);
        assert_eq!(stage.offering.publication().live, Some(live));
        assert_eq!(
            stage.offering.publication().preview,
            Some(id).filter(|_| sign_off)
        );
        assert_eq!(stage.offering.situation(), Situation::Attention);
        stage.publish();
        assert_eq!(stage.offering.publication().failed, None);
    }
}

fn not_certified() -> Answer {
    Answer::NotCertified {
        report: "r".to_owned(),
        summary: "1 policy failed".to_owned(),
    }
}

#[test]
fn t10_an_older_preview_gives_way_and_is_served_until_then() {
    let mut stage = Stage::new(Leg::Live);
    let old = stage.preview();
    let new = stage.publish();
    assert_eq!(stage.offering.publication().preview, Some(old));
    stage.walk(new, Some(StepId::PreviewCreation));
    assert_eq!(stage.offering.publication().preview, Some(old));
    stage.walk(new, None);
    assert_eq!(
        stage.rows(),
        [
            "Preview creation: Succeeded",
            "Publisher sign-off: Canceled",
            "Superseded",
            "AwaitingSignOff"
        ]
    );
    assert_eq!(stage.submission(old).state, SubmissionState::Superseded);
    assert_eq!(stage.offering.publication().preview, Some(new));
}

#[test]
fn t11_t12_a_cancel_is_final_when_our_step_has_stopped_or_after_two_seconds() {
    for own_step_stops in [true, false] {
        let mut stage = Stage::new(Leg::Live);
        let old = stage.preview();
        let id = stage.publish();
        stage
            .make(|o, m| o.request_cancel(id, Move::CancelPublish, user(), m))
            .unwrap();
        assert_eq!(stage.rows(), ["CancelRequested"]);
        assert_eq!(stage.offering.news().stopped, [id]);
        if own_step_stops {
            assert!(
                !stage.answer(id, Answer::Done(String::new())),
                "its outcome is discarded"
            );
        } else {
            stage.make(|o, m| o.sweep(false, m)).unwrap();
            assert_eq!(
                stage.submission(id).state,
                SubmissionState::CancelingPreview
            );
            stage.wait(Duration::seconds(2));
            stage.make(|o, m| o.sweep(false, m)).unwrap();
        }
        assert_eq!(
            stage.rows(),
            ["Offer purchase flow setup: Canceled", "Canceled"]
        );
        assert_eq!(
            stage.offering.news().happened[1].actor,
            user(),
            "H08 is by who asked for it"
        );
        assert_eq!(stage.orders()[0].kind, OrderKind::Cancel);
        assert_eq!(
            stage.offering.publication().awaiting_sign_off,
            Some(old),
            "the older preview decides"
        );
        assert_eq!(stage.offering.status(), Status::Preview);
    }
}

#[test]
fn t12_nothing_outside_is_awaited() {
    let mut stage = Stage::new(Leg::Live);
    let id = stage.publish();
    stage.walk(id, Some(StepId::OfferValidation));
    stage
        .make(|o, m| o.request_cancel(id, Move::CancelPublish, user(), m))
        .unwrap();
    stage.make(|o, m| o.sweep(false, m)).unwrap();
    assert_eq!(stage.rows(), ["Offer validation: Canceled", "Canceled"]);
    let late = Answer::Validated {
        warnings: 0,
        report: String::new(),
    };
    let applied = stage
        .make(|o, m| o.answer(id, StepId::OfferValidation, 1, late, m))
        .unwrap();
    assert!(!applied && stage.offering.news().is_empty());
    assert_eq!(stage.offering.status(), Status::Draft);
}

#[test]
fn t18_t19_an_operator_takes_it_out_of_the_live_leg_and_the_row_of_the_sign_off_appears_once() {
    let mut stage = Stage::new(Leg::Live);
    let id = stage.preview();
    stage.sign_off(id);
    stage
        .make(|o, m| o.request_cancel(id, Move::CancelLiveLeg, operator(), m))
        .unwrap();
    assert_eq!(stage.offering.news().happened[0].leg, Leg::Live);
    stage.make(|o, m| o.sweep(false, m)).unwrap();
    assert_eq!(stage.rows(), ["Certification: Canceled", "Canceled"]);
    assert_eq!(stage.offering.status(), Status::Preview);
    assert_eq!(
        stage.step(id, StepId::PublisherSignOff).state,
        StepState::WaitingForPublisherReview
    );
    stage.sign_off(id);
    assert_eq!(stage.rows(), ["SignedOff"]);
    assert_eq!(
        stage.active(id),
        (StepId::Certification, 2),
        "everything restarts with new attempts"
    );
    stage.walk(id, None);
    assert_eq!(stage.offering.status(), Status::Live);
}

#[test]
fn t24_a_system_error_in_the_live_leg_may_be_retried_and_a_no_of_certification_may_not() {
    let mut stage = staged(Situation::AttentionRetriable);
    let id = stage.offering.publication().failed.unwrap();
    stage.sign_off(id);
    assert_eq!(stage.rows(), ["SignedOff"]);
    stage.answer(id, not_certified());
    assert_eq!(stage.offering.situation(), Situation::Attention);
    assert!(stage.make(|o, m| o.go_live(id, true, user(), m)).is_err());
}

#[test]
fn t37_a_discarded_failure_leaves_what_was_there() {
    let mut stage = staged(Situation::AttentionRetriable);
    let id = stage.offering.publication().failed.unwrap();
    stage.make(|o, m| o.discard_failure(id, user(), m)).unwrap();
    assert_eq!(
        (stage.rows(), stage.offering.status()),
        (vec!["FailureDiscarded".to_owned()], Status::Preview)
    );
    assert!(stage.orders().is_empty(), "its preview stays");

    let mut stage = staged(Situation::Attention);
    let id = stage.offering.publication().failed.unwrap();
    stage.make(|o, m| o.discard_failure(id, user(), m)).unwrap();
    assert_eq!(
        (stage.orders()[0].kind.clone(), stage.offering.status()),
        (OrderKind::Cancel, Status::Live)
    );
}

#[test]
fn t38_h07_h08_h06_in_this_order_by_one_initiator() {
    let mut stage = Stage::new(Leg::Live);
    let old = stage.publish();
    let mut command = stage.command();
    assert_eq!(
        stage.offering.check_publish(&command),
        Err(Refusal::InFlight(old))
    );
    command.supersede = true;
    let new = command.id;
    stage.make(|o, m| o.publish(command, m)).unwrap();
    let rows = stage.rows();
    assert_eq!(
        rows,
        [
            "CancelRequested",
            "Offer purchase flow setup: Canceled",
            "Canceled",
            "Superseded",
            "Submitted"
        ]
    );
    assert_eq!(stage.offering.news().closed_first, [old]);
    assert_eq!(stage.offering.publication().in_flight, Some(new));
    assert_eq!(stage.submission(old).state, SubmissionState::Superseded);
}

#[test]
fn t39_to_t41_a_scheduled_go_live() {
    let mut stage = staged(Situation::PreviewScheduled);
    let id = stage.offering.publication().awaiting_sign_off.unwrap();
    stage.make(|o, m| o.scheduled_go_live(true, m)).unwrap();
    assert!(stage.offering.news().is_empty(), "not before its time");
    stage.wait(Duration::days(1));
    stage.make(|o, m| o.scheduled_go_live(true, m)).unwrap();
    assert_eq!(stage.rows(), ["SignedOff", "Publisher sign-off: Succeeded"]);
    assert_eq!(
        stage.offering.news().happened[0].actor,
        user(),
        "as the scheduler"
    );
    assert_eq!(stage.submission(id).state, SubmissionState::LiveLeg);

    let mut stage = staged(Situation::PreviewScheduled);
    stage.wait(Duration::days(1));
    stage.make(|o, m| o.scheduled_go_live(false, m)).unwrap();
    let dropped =
        matches!(&stage.facts()[..], [Fact::GoLiveUnscheduled { reason }] if !reason.is_empty());
    assert!(dropped && stage.offering.situation() == Situation::Preview);

    let mut stage = staged(Situation::PreviewScheduled);
    stage.publish();
    assert_eq!(stage.rows(), ["GoLiveUnscheduled", "Submitted"]);
}

#[test]
fn t36_a_withdrawn_preview_is_no_longer_served() {
    let mut stage = staged(Situation::PreviewScheduled);
    let id = stage.offering.publication().awaiting_sign_off.unwrap();
    stage
        .make(|o, m| o.withdraw_preview(id, "why", operator(), m))
        .unwrap();
    assert_eq!(
        stage.rows(),
        [
            "GoLiveUnscheduled",
            "Publisher sign-off: Canceled",
            "PreviewWithdrawn"
        ]
    );
    assert_eq!(
        (
            stage.offering.status(),
            stage.offering.publication().preview
        ),
        (Status::Live, None)
    );
}

#[test]
fn what_changed_since_the_freeze_is_frozen_again() {
    let mut stage = staged(Situation::Live);
    let command = stage.command();
    stage
        .make(|o, m| o.stop_plan("gold", true, user(), m))
        .unwrap();
    assert_eq!(
        stage.offering.check_publish(&command),
        Err(Refusal::FreezeOutdated)
    );
}

#[test]
fn notes_and_an_unchanged_content_are_asked_for() {
    let mut stage = staged(Situation::Live);
    let mut command = stage.command();
    command.notes = " ".to_owned();
    assert_eq!(
        stage.offering.check_publish(&command),
        Err(Refusal::NotesRequired)
    );
    let mut command = stage.command();
    command.profile.changed = false;
    let refused = stage.offering.check_publish(&command).unwrap_err();
    assert!(matches!(
        refused,
        Refusal::ConfirmationRequired {
            field: "confirm",
            ..
        }
    ));
    command.confirm = true;
    assert_eq!(stage.offering.check_publish(&command), Ok(()));
}

#[test]
fn transitions_are_numbered_without_gaps_and_revisions_too() {
    let mut stage = Stage::new(Leg::Live);
    let id = stage.publish();
    let mut next = 1;
    let mut revision = 1;
    loop {
        for transition in &stage.offering.news().transitions {
            assert_eq!(transition.number, next);
            next += 1;
        }
        assert_eq!(stage.offering.publication().revision, revision);
        revision += 1;
        match stage.submission(id).active_step().map(|step| step.id) {
            Some(StepId::PublisherSignOff) => stage.sign_off(id),
            Some(step) => assert!(stage.answer(id, Stage::good(step))),
            None => break,
        }
    }
    assert_eq!(stage.submission(id).transition, next - 1);
    assert_eq!(stage.submission(id).state, SubmissionState::Live);
}

#[test]
fn s_6_the_sign_off_is_a_step_of_the_preview_leg() {
    let mut stage = Stage::new(Leg::Live);
    let id = stage.preview();
    stage.sign_off(id);
    let happened = &stage.offering.news().happened;
    let legs: Vec<_> = happened
        .iter()
        .filter(|one| matches!(one.fact, Fact::StepEnded { .. } | Fact::SignedOff))
        .map(|one| one.leg)
        .collect();
    assert_eq!(legs, [Leg::Live, Leg::Preview], "the move, and the step");
}
