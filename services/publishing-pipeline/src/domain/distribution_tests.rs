//! Stops, resumes and restores of offers and plans, against expectations written from the rules.

use time::Duration;

use super::Refusal;
use super::fixtures::{Stage, stop, user};
use super::guard::Situation;
use super::moves::{Alternative, Deprecate, StopOffer};
use super::news::OrderKind;
use super::offering_tests::staged;
use super::publication::{DeprecationReason, Distribution, PlanState};
use super::status::Status;
use super::step::Leg;

#[test]
fn t26_t27_a_stop_of_the_offer() {
    let mut stage = staged(Situation::Live);
    let live = stage.offering.publication().live.unwrap();
    let refused = stage
        .make(|o, m| o.stop_offer(StopOffer::default(), user(), m))
        .unwrap_err();
    assert!(matches!(
        refused,
        Refusal::ConfirmationRequired {
            field: "confirm",
            ..
        }
    ));
    stage.make(|o, m| o.stop_offer(stop(), user(), m)).unwrap();
    assert_eq!(
        (stage.rows(), stage.orders()[0].kind.clone()),
        (vec!["OfferStopRequested".to_owned()], OrderKind::Remove)
    );
    stage.wait(Duration::seconds(5));
    stage.make(|o, m| o.sweep(false, m)).unwrap();
    assert_eq!(
        stage.orders()[0].attempt,
        1,
        "sent again under the same key"
    );
    assert!(stage.make(|o, m| Ok(o.removed(live, 1, m))).unwrap());
    assert_eq!(
        stage.rows(),
        ["Stop distribution: Succeeded", "OfferStopped"]
    );
    assert_eq!(stage.offering.status(), Status::NotAvailable);
    assert!(
        !stage.make(|o, m| Ok(o.removed(live, 1, m))).unwrap(),
        "once"
    );
    stage.live();
    assert_eq!(
        stage.offering.publication().distribution,
        Distribution::Active
    );
}

#[test]
fn t35_a_scheduled_stop_can_be_taken_back_before_its_date() {
    let mut stage = staged(Situation::StopScheduled);
    assert!(stage.orders().is_empty());
    stage.make(|o, m| o.resume_offer(user(), m)).unwrap();
    assert_eq!(
        (stage.rows(), stage.offering.status()),
        (vec!["DistributionResumed".to_owned()], Status::Live)
    );

    let mut stage = staged(Situation::StopScheduled);
    stage.wait(Duration::days(90));
    stage.make(|o, m| o.sweep(false, m)).unwrap();
    assert_eq!(stage.orders()[0].kind, OrderKind::Remove);
    assert!(stage.make(|o, m| o.resume_offer(user(), m)).is_err());
}

#[test]
fn up_7_the_date_is_that_of_the_type_unless_the_publisher_names_another() {
    let days = |schedule: Option<Deprecate>| {
        let mut stage = Stage::new(Leg::Live);
        stage.profile.stop_notice_days = 90;
        stage.live();
        let wanted = StopOffer { schedule, ..stop() };
        stage.make(|o, m| o.stop_offer(wanted, user(), m)).unwrap();
        let stop = stage.offering.publication().stop.clone().unwrap();
        assert!(stop.scheduled && stop.due == stop.effective && stage.orders().is_empty());
        let deprecation = stop.deprecation.unwrap();
        (
            (stop.effective - deprecation.requested).whole_days(),
            deprecation,
        )
    };
    let (usual, deprecation) = days(None);
    assert_eq!((usual, deprecation.reason), (90, DeprecationReason::Other));
    let (soon, deprecation) = days(Some(Deprecate {
        notice: Some(Duration::days(7)),
        reason: DeprecationReason::CriticalSecurityIssue,
        alternative: Some(Alternative {
            name: "publishers/p/offers/new".to_owned(),
            on_sale: true,
        }),
    }));
    assert_eq!(
        (soon, deprecation.reason),
        (7, DeprecationReason::CriticalSecurityIssue)
    );
    assert_eq!(deprecation.alternative, "publishers/p/offers/new");
}

#[test]
fn up_7_a_schedule_is_for_types_with_notice_and_names_what_stays() {
    let refused = |days: u32, schedule: Deprecate| {
        let mut stage = Stage::new(Leg::Live);
        stage.profile.stop_notice_days = days;
        stage.live();
        let wanted = StopOffer {
            schedule: Some(schedule),
            ..stop()
        };
        let refused = stage
            .make(|o, m| o.stop_offer(wanted, user(), m))
            .unwrap_err();
        assert_eq!(stage.offering.status(), Status::Live);
        match refused {
            Refusal::NotAllowed(reason, _) => reason,
            other => panic!("{other}"),
        }
    };
    assert_eq!(refused(0, Deprecate::default()), "NOT_SCHEDULABLE");
    let gone = Deprecate {
        alternative: Some(Alternative {
            name: "publishers/p/offers/new".to_owned(),
            on_sale: false,
        }),
        ..Deprecate::default()
    };
    assert_eq!(refused(90, gone), "ALTERNATIVE_NOT_LIVE");
}

#[test]
fn t29_to_t32_plans_are_stopped_and_restored_by_a_publish() {
    let mut stage = staged(Situation::Live);
    stage
        .make(|o, m| o.stop_plan("gold", true, user(), m))
        .unwrap();
    assert_eq!(stage.offering.status(), Status::PendingStopDistribution);
    let last = stage
        .make(|o, m| o.stop_plan("silver", true, user(), m))
        .unwrap_err();
    assert!(
        matches!(last, Refusal::NotAllowed("LAST_PLAN", _)),
        "{last}"
    );
    let twice = stage
        .make(|o, m| o.stop_plan("gold", true, user(), m))
        .unwrap_err();
    assert!(
        matches!(twice, Refusal::NotAllowed("PLAN_NOT_LIVE", _)),
        "{twice}"
    );
    let id = stage.preview();
    stage.sign_off(id);
    stage.walk(id, None);
    assert_eq!(
        stage.rows(),
        [
            "Final publish: Succeeded",
            "WentLive",
            "Stop distribution: GOLD: Succeeded",
            "PlanStopped"
        ]
    );
    assert_eq!(
        stage.offering.publication().plan("gold"),
        Some(PlanState::NotAvailable)
    );
    stage
        .make(|o, m| o.restore_plan("gold", user(), m))
        .unwrap();
    assert_eq!(stage.rows(), ["PlanRestoreRequested"]);
    stage.live();
    assert_eq!(stage.rows().last().unwrap(), "PlanRestored");
    assert_eq!(stage.offering.publication().plan("gold"), None);
}

#[test]
fn t16_a_preview_frozen_with_other_stops_can_not_go_live() {
    let mut stage = staged(Situation::PlanStopPending);
    let id = stage.preview();
    stage.make(|o, m| o.resume_plan("gold", user(), m)).unwrap();
    let refused = stage
        .make(|o, m| o.go_live(id, true, user(), m))
        .unwrap_err();
    assert!(
        matches!(refused, Refusal::NotAllowed("PLANS_CHANGED", _)),
        "{refused}"
    );
}

#[test]
fn t29_a_parent_of_reused_configuration_stays() {
    let mut stage = Stage::new(Leg::Live);
    stage.profile.plans[1].technical_parent = "gold".to_owned();
    stage.live();
    let refused = stage
        .make(|o, m| o.stop_plan("gold", true, user(), m))
        .unwrap_err();
    assert!(
        matches!(refused, Refusal::NotAllowed("PARENT_PLAN", _)),
        "{refused}"
    );
}

#[test]
fn t29_t30_t32_a_plan_in_another_state_is_there_all_the_same() {
    let mut stage = staged(Situation::PlanStopPending);
    for (sold, refused) in [
        (
            "silver",
            stage.make(|o, m| o.resume_plan("silver", user(), m)),
        ),
        (
            "silver",
            stage.make(|o, m| o.restore_plan("silver", user(), m)),
        ),
        ("gold", stage.make(|o, m| o.restore_plan("gold", user(), m))),
    ] {
        assert!(
            matches!(refused, Err(Refusal::IllegalMove { .. })),
            "{sold}: {refused:?}"
        );
    }
    let unknown = [
        stage.make(|o, m| o.resume_plan("bronze", user(), m)),
        stage.make(|o, m| o.stop_plan("bronze", true, user(), m)),
    ];
    for refused in unknown {
        assert!(
            matches!(refused, Err(Refusal::UnknownPlan { .. })),
            "{refused:?}"
        );
    }
    // One that only the preview has.
    let mut stage = Stage::new(Leg::Live);
    stage.live();
    let mut later = stage.profile.plans[0].clone();
    later.id = "later".to_owned();
    stage.profile.plans.push(later);
    stage.preview();
    let refused = stage.make(|o, m| o.stop_plan("later", true, user(), m));
    assert!(
        matches!(refused, Err(Refusal::NotAllowed("PLAN_NOT_LIVE", _))),
        "{refused:?}"
    );
}
