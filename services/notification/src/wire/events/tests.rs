//! Which happening tells what, and which actions it ends.

use marketplace_proto::offercatalog::v1::{
    Member, OfferDeleted, PreviewServed, PrivateAudienceSynced,
};
use marketplace_proto::publishing::v1 as pb;

use super::*;

const OFFER: &str = "publishers/contoso/offers/db";
const SUBMISSION: &str =
    "publishers/contoso/offers/db/submissions/0190c0de-0000-7000-8000-000000000001";

fn header() -> EventHeader {
    EventHeader {
        event_id: Uuid::from_u128(5).to_string(),
        occurred_at: Some(timestamp::to_proto(OffsetDateTime::UNIX_EPOCH)),
        actor: Some(Actor {
            kind: ActorKind::User as i32,
            principal: "i|ada".into(),
        }),
        publisher: "publishers/contoso".into(),
        offer: OFFER.into(),
        offer_uid: Uuid::from_u128(9).to_string(),
        revision: 1,
        epoch: 1,
    }
}

fn published(kind: ActorKind, leg: pb::Leg, fact: Fact) -> Vec<News> {
    let happening = Happening {
        actor: Some(Actor {
            kind: kind as i32,
            principal: "i|ada".into(),
        }),
        time: None,
        submission: Some(SubmissionFact {
            submission: SUBMISSION.into(),
            leg: leg as i32,
            offer_title: "Db".into(),
            ..Default::default()
        }),
        happening: Some(fact),
    };
    let changed = pb::PublicationChanged {
        happened: vec![happening],
        ..Default::default()
    };
    publishing(PublishingEvent {
        header: Some(header()),
        event: Some(PublishedEvent::PublicationChanged(changed)),
    })
    .unwrap()
}

fn codes(news: &[News]) -> (Vec<&'static str>, Vec<&'static str>) {
    let mut told = Vec::new();
    let mut ended = Vec::new();
    for one in news {
        match one {
            News::Tell(notice) => told.push(notice.code.as_str()),
            News::Resolve(resolve) => ended.extend(resolve.codes.iter().map(|code| code.as_str())),
            News::Preview(_)
            | News::Closed(_)
            | News::Ineligible { .. }
            | News::OfferDeleted(_) => {}
        }
    }
    (told, ended)
}

#[test]
fn n01_to_n12_each_from_its_happening() {
    use pb::Leg::{Live, Preview};
    let user = ActorKind::User;
    let failed = |certification| {
        Fact::Failed(pb::Failed {
            certification,
            reason: "r".into(),
            ..Default::default()
        })
    };
    let unscheduled = || {
        Fact::GoLiveUnscheduled(pb::GoLiveUnscheduled {
            reason: "no right any more".into(),
        })
    };
    let reported = |warnings| {
        Fact::ValidationReported(pb::ValidationReported {
            warnings,
            report: "r".into(),
        })
    };
    let table: Vec<(&str, ActorKind, pb::Leg, Fact, &[&str])> = vec![
        (
            "T05",
            user,
            Preview,
            Fact::Submitted(pb::Submitted::default()),
            &["N01"],
        ),
        ("T08", ActorKind::System, Preview, failed(false), &["N02"]),
        ("T09", ActorKind::System, Preview, failed(true), &["N03"]),
        (
            "T36",
            ActorKind::Operator,
            Preview,
            Fact::PreviewWithdrawn(pb::PreviewWithdrawn { reason: "x".into() }),
            &["N02"],
        ),
        ("T40", ActorKind::System, Live, unscheduled(), &["N02"]),
        ("T41", user, Live, unscheduled(), &[]),
        ("T07", ActorKind::System, Preview, reported(2), &["N05"]),
        (
            "T07, nothing found",
            ActorKind::System,
            Preview,
            reported(0),
            &[],
        ),
        (
            "T12",
            user,
            Preview,
            Fact::Canceled(pb::Canceled::default()),
            &["N06"],
        ),
        (
            "T19",
            ActorKind::Operator,
            Live,
            Fact::Canceled(pb::Canceled::default()),
            &["N06"],
        ),
        (
            "T38",
            user,
            Preview,
            Fact::Canceled(pb::Canceled { superseded: true }),
            &[],
        ),
        (
            "T16",
            user,
            Live,
            Fact::SignedOff(pb::SignedOff {}),
            &["N07"],
        ),
        (
            "T22",
            ActorKind::System,
            Live,
            Fact::WentLive(pb::WentLive {}),
            &["N08"],
        ),
        (
            "T26",
            user,
            Live,
            Fact::OfferStopRequested(pb::OfferStopRequested::default()),
            &["N09"],
        ),
        (
            "T29",
            user,
            Live,
            Fact::PlanStopRequested(pb::PlanStopRequested::default()),
            &["N09"],
        ),
        (
            "T27",
            ActorKind::System,
            Live,
            Fact::OfferStopped(pb::OfferStopped {}),
            &["N10"],
        ),
        (
            "T31",
            ActorKind::System,
            Live,
            Fact::PlanStopped(pb::PlanStopped::default()),
            &["N11"],
        ),
        (
            "T30",
            user,
            Live,
            Fact::DistributionResumed(pb::DistributionResumed::default()),
            &["N12"],
        ),
        (
            "T11",
            user,
            Preview,
            Fact::CancelRequested(pb::CancelRequested {}),
            &[],
        ),
        (
            "T06",
            ActorKind::System,
            Preview,
            Fact::StepEnded(pb::StepEnded::default()),
            &[],
        ),
        (
            "T37",
            user,
            Preview,
            Fact::FailureDiscarded(pb::FailureDiscarded {}),
            &[],
        ),
    ];
    for (rule, kind, leg, fact, expected) in table {
        let news = published(kind, leg, fact);
        assert_eq!(codes(&news).0, expected, "{rule}");
    }
}

#[test]
fn actions_end_when_they_are_taken() {
    let user = ActorKind::User;
    let preview = pb::Leg::Preview;
    assert_eq!(
        codes(&published(
            user,
            preview,
            Fact::Submitted(pb::Submitted::default())
        ))
        .1,
        ["N02", "N03"]
    );
    assert_eq!(
        codes(&published(user, preview, Fact::SignedOff(pb::SignedOff {}))).1,
        ["N02", "N03", "N04", "N05"]
    );
    assert_eq!(
        codes(&published(
            user,
            preview,
            Fact::FailureDiscarded(pb::FailureDiscarded {})
        ))
        .1,
        ["N02", "N03"]
    );
    let News::Resolve(earlier) = &published(
        user,
        preview,
        Fact::AwaitingSignOff(pb::AwaitingSignOff::default()),
    )[0] else {
        panic!("nothing ends")
    };
    assert_eq!(
        (earlier.codes, &earlier.of),
        (SIGN_OFF, &Of::Others(SUBMISSION.into())),
        "T10: those of earlier previews only"
    );
}

#[test]
fn n05_ends_with_its_own_submission_and_no_other() {
    let gone = [
        Fact::Superseded(pb::Superseded { by: "s2".into() }),
        Fact::Canceled(pb::Canceled { superseded: true }),
        Fact::Canceled(pb::Canceled::default()),
    ];
    for fact in gone {
        let news = published(ActorKind::User, pb::Leg::Preview, fact);
        let ended = news.iter().find_map(|one| match one {
            News::Resolve(resolve) => Some((resolve.codes, resolve.of.clone())),
            _ => None,
        });
        assert_eq!(ended, Some((WARNINGS, Of::Only(SUBMISSION.into()))));
    }
}

#[test]
fn n04_is_closed_by_whatever_ends_the_wait_for_a_sign_off() {
    let facts = [
        Fact::SignedOff(pb::SignedOff {}),
        Fact::WentLive(pb::WentLive {}),
        Fact::PreviewWithdrawn(pb::PreviewWithdrawn::default()),
        Fact::Superseded(pb::Superseded::default()),
    ];
    for fact in facts {
        let news = published(ActorKind::User, pb::Leg::Live, fact.clone());
        let closed = news
            .iter()
            .any(|one| matches!(one, News::Closed(closed) if closed.submission == SUBMISSION));
        assert!(closed, "{fact:?}");
    }
}

#[test]
fn n04_has_two_sides() {
    let awaiting = Fact::AwaitingSignOff(pb::AwaitingSignOff {
        validation_warnings: 2,
        validation_report: "r".into(),
    });
    let News::Preview(one) = &published(ActorKind::System, pb::Leg::Preview, awaiting)[1] else {
        panic!("no side")
    };
    assert_eq!(
        (one.awaits, one.served, one.warnings, one.title.as_str()),
        (true, false, 2, "Db")
    );
    let served = PreviewServed {
        submission: SUBMISSION.into(),
    };
    let news = catalog(OfferCatalogEvent {
        header: Some(header()),
        event: Some(CatalogEvent::PreviewServed(served)),
    })
    .unwrap();
    let [News::Preview(other)] = news.as_slice() else {
        panic!("no side")
    };
    assert_eq!(
        (other.awaits, other.served, &other.about.submission),
        (false, true, &one.about.submission)
    );
}

#[test]
fn n12_of_the_catalog() {
    let synced = PrivateAudienceSynced {
        plan_name: "Gold".into(),
        ..Default::default()
    };
    let event = OfferCatalogEvent {
        header: Some(header()),
        event: Some(CatalogEvent::PrivateAudienceSynced(synced)),
    };
    assert_eq!(codes(&catalog(event).unwrap()).0, ["N12"]);
}

#[test]
fn no_6_who_leaves_or_loses_the_role_is_taken_off_the_lists() {
    let changed = |roles: &[MemberRole], removed| {
        let roles = roles.iter().map(|role| *role as i32).collect();
        let member = Member {
            principal: "i|dan".into(),
            roles,
            ..Default::default()
        };
        let event = CatalogEvent::MemberChanged(MemberChanged {
            member: Some(member),
            removed,
        });
        catalog(OfferCatalogEvent {
            header: Some(header()),
            event: Some(event),
        })
        .unwrap()
        .len()
    };
    assert_eq!(changed(&[MemberRole::Developer], false), 0);
    assert_eq!(
        changed(&[MemberRole::Marketer, MemberRole::Manager], false),
        0
    );
    assert_eq!(changed(&[MemberRole::Marketer], false), 1);
    assert_eq!(changed(&[MemberRole::Developer], true), 1);
    assert_eq!(
        changed(&[MemberRole::Owner], false),
        1,
        "an owner is told anyway: no choice is kept"
    );
}

#[test]
fn an_event_of_a_newer_publisher_is_not_guessed_at() {
    let unknown = PublishingEvent {
        header: Some(header()),
        event: None,
    };
    assert!(matches!(publishing(unknown), Err(Error::UnknownEvent)));
    let nameless = PublishingEvent {
        header: None,
        event: None,
    };
    assert!(matches!(publishing(nameless), Err(Error::Event(_))));
    // An arm that this version doesn't know is read as none.
    let happened = vec![
        Happening {
            happening: Some(Fact::CancelRequested(pb::CancelRequested {})),
            ..Default::default()
        },
        Happening::default(),
    ];
    let changed = pb::PublicationChanged {
        happened,
        ..Default::default()
    };
    let newer = PublishingEvent {
        header: Some(header()),
        event: Some(PublishedEvent::PublicationChanged(changed)),
    };
    assert!(matches!(publishing(newer), Err(Error::UnknownEvent)));
}

#[test]
fn no_4_an_offer_that_is_gone_has_no_audience() {
    let event = OfferCatalogEvent {
        header: Some(header()),
        event: Some(CatalogEvent::OfferDeleted(OfferDeleted {})),
    };
    assert_eq!(
        catalog(event).unwrap(),
        [News::OfferDeleted(Uuid::from_u128(9))]
    );
}
