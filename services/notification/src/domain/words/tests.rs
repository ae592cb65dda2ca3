//! Every message says what it must, and names nobody it must not.

use time::macros::datetime;
use uuid::Uuid;

use super::super::{About, verification};
use super::*;

fn portal() -> Portal {
    Portal {
        url: "https://portal.example".into(),
        brand: "Marketplace".into(),
    }
}

fn notice(code: Code, facts: Facts) -> Notice {
    let about = About {
        publisher: "contoso".into(),
        offer: "publishers/contoso/offers/db".into(),
        offer_uid: Uuid::nil(),
        submission: "publishers/contoso/offers/db/submissions/s1".into(),
    };
    let occurred_at = datetime!(2026-11-22 17:40 UTC);
    Notice {
        id: Uuid::nil(),
        cause: "e/0".into(),
        code,
        about,
        facts,
        occurred_at,
        resolved_at: None,
    }
}

fn all(message: &Message) -> String {
    format!("{}\n{}", message.title, message.text("footer"))
}

/// Facts, what was found out, and what the message must hold.
fn table() -> Vec<(Code, Facts, Told, Vec<&'static str>)> {
    let title = || "Db <Pro>".to_owned();
    let by = || By::User("i|ada".into());
    let ada = || Told {
        who: Some("Ada".into()),
        ..Told::default()
    };
    let report = "publishers/contoso/offers/db/submissions/s1/reports/failure";
    let finding = Finding {
        policy: "100.1.3 Title".into(),
        description: "The title must be true.".into(),
        page: "offer_listing, title".into(),
        evidence: "\"Best\"".into(),
        remedy: "Say what it does.".into(),
        url: "https://policies/100.1.3".into(),
    };
    let failure = Report {
        attempt: 2,
        made_at: None,
        findings: vec![finding],
        review_notes: "See page 2".into(),
    };
    let preview = Link {
        title: "AppSource".into(),
        target: "https://preview/x".into(),
    };
    vec![
        (
            Code::PublishSubmitted,
            Facts {
                title: title(),
                by: by(),
                ..Facts::default()
            },
            ada(),
            vec![
                "Db <Pro>",
                "Ada",
                "22 November 2026, 17:40 UTC",
                "https://portal.example/publishers/contoso/offers/db/overview",
            ],
        ),
        (
            Code::StepFailed,
            Facts {
                step: "Lead management".into(),
                reason: "no answer".into(),
                ..Facts::default()
            },
            Told::default(),
            vec!["Lead management", "no answer", "/overview"],
        ),
        (
            Code::CertificationFailed,
            Facts {
                report: report.into(),
                reason: "1 policy".into(),
                ..Facts::default()
            },
            Told {
                report: Some(failure),
                ..Told::default()
            },
            vec![
                "100.1.3",
                "must be true",
                "See page 2",
                "\"Best\"",
                "offer_listing",
                "Say what it does",
                "Attempt: 2",
                "s1",
                "reports/failure",
            ],
        ),
        (
            Code::PreviewReady,
            Facts {
                warnings: 2,
                report: "r".into(),
                ..Facts::default()
            },
            Told {
                previews: vec![preview],
                ..Told::default()
            },
            vec![
                "review and approve",
                "https://preview/x",
                "Go live",
                "2 issues",
                "View validation report",
            ],
        ),
        (
            Code::ValidationWarnings,
            Facts {
                warnings: 1,
                report: "r".into(),
                ..Facts::default()
            },
            Told::default(),
            vec!["1 issue", "View validation report"],
        ),
        (
            Code::PublishCanceled,
            Facts {
                leg: Leg::Live,
                by: By::Operator,
                ..Facts::default()
            },
            Told::default(),
            vec!["Publishing to the marketplace", "Marketplace"],
        ),
        (
            Code::GoLiveAccepted,
            Facts {
                by: by(),
                ..Facts::default()
            },
            ada(),
            vec!["going live", "Ada"],
        ),
        (
            Code::OfferLive,
            Facts::default(),
            Told::default(),
            vec!["is live", "Live listing: https://portal.example/listings/"],
        ),
        (
            Code::StopRequested,
            Facts {
                effective_at: Some(datetime!(2027-01-02 03:04 UTC)),
                ..Facts::default()
            },
            Told::default(),
            vec!["2 January 2027, 03:04 UTC"],
        ),
        (
            Code::StopRequested,
            Facts {
                plan: "Gold".into(),
                ..Facts::default()
            },
            Told::default(),
            vec!["Gold", "publish to apply"],
        ),
        (
            Code::OfferNotAvailable,
            Facts::default(),
            Told::default(),
            vec!["not available"],
        ),
        (
            Code::PlanStopped,
            Facts {
                plan: "Gold".into(),
                ..Facts::default()
            },
            Told::default(),
            vec!["Gold"],
        ),
        (
            Code::AudienceSyncedOrResumed,
            Facts {
                plan: "Gold".into(),
                ..Facts::default()
            },
            Told::default(),
            vec!["private audience", "Gold"],
        ),
        (
            Code::AudienceSyncedOrResumed,
            Facts {
                variant: Variant::Resumed,
                ..Facts::default()
            },
            Told::default(),
            vec!["resumed"],
        ),
    ]
}

#[test]
fn n01_to_n12_say_what_they_must() {
    for (code, facts, told, parts) in table() {
        let text = all(&words(&notice(code, facts), &told, &portal()));
        for part in parts {
            assert!(
                text.contains(part),
                "{}: {part:?} is not in {text}",
                code.as_str()
            );
        }
    }
}

#[test]
fn n13_and_n14_and_the_code() {
    assert!(
        all(&unverified(&portal()))
            .contains("My Preferences: https://portal.example/action-center/preferences")
    );
    assert!(all(&membership("publishers/c/offers/db", true, &portal())).contains("db"));
    assert!(all(&verification("c0de", &portal())).contains("c0de"));
}

#[test]
fn ib_2_and_3_no_staff_and_no_name_of_who_left() {
    let operator = notice(
        Code::PublishCanceled,
        Facts {
            by: By::Operator,
            ..Facts::default()
        },
    );
    let told = Told {
        who: Some("Staff Member".into()),
        ..Told::default()
    };
    assert!(!all(&words(&operator, &told, &portal())).contains("Staff Member"));
    let left = notice(
        Code::PublishCanceled,
        Facts {
            by: By::User("i|secret".into()),
            ..Facts::default()
        },
    );
    let text = all(&words(&left, &Told::default(), &portal()));
    assert!(text.contains("has left the account") && !text.contains("secret"));
}

#[test]
fn facts_survive_their_storage() {
    let facts = Facts {
        by: By::User("i|a".into()),
        effective_at: Some(datetime!(2027-01-02 03:04 UTC)),
        variant: Variant::Resumed,
        ..Facts::default()
    };
    let stored = serde_json::to_value(&facts).unwrap();
    assert_eq!(serde_json::from_value::<Facts>(stored).unwrap(), facts);
    assert_eq!(
        serde_json::from_str::<Facts>("{}").unwrap(),
        Facts::default(),
        "rows of an older version"
    );
}
