//! How answers are judged, whatever the destination.

use std::time::Duration;

use marketplace_runtime::clock;
use publishing_pipeline::leads::Delivery;
use system_tests::{Answer, Call};
use time::format_description::well_known::Rfc2822;
use tokio::time::Instant;

use super::{Kind, World};

/// A token that is refused is renewed once, so an answer is repeated.
fn always(answer: &Answer) -> Vec<Answer> {
    vec![answer.clone(); 2]
}

#[tokio::test]
async fn ld5_every_destination_takes_the_test_lead_and_a_repeat_is_the_same_bytes() {
    let world = World::start().await;
    for kind in Kind::ALL {
        let before = world.crm.leads().len();
        for _ in 0..2 {
            let delivery = world.deliver(kind).await;
            assert!(
                matches!(delivery, Delivery::Accepted(_)),
                "{kind:?}: {delivery:?}"
            );
        }
        let received = world.crm.server.received();
        let at = |host: &str| host.starts_with(kind.host());
        let mut leads = received
            .iter()
            .filter(|one| at(one.header("host")) && !one.path.contains("oauth"));
        let (last, first) = (leads.next_back().unwrap(), leads.next_back().unwrap());
        assert_eq!(
            (&first.path, &first.body),
            (&last.path, &last.body),
            "{kind:?}"
        );
        let kept = world.crm.leads();
        let id = "MKT_TEST_00000000000000000000000000000001_lead-management-live";
        assert!(kept.iter().any(|lead| lead.to_string().contains(id)));
        let knows_repeats = !matches!(kind, Kind::Https | Kind::Salesforce);
        assert_eq!(
            kept.len() - before,
            if knows_repeats { 1 } else { 2 },
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn ld9_a_wrong_answer_is_the_endpoints_and_says_what_to_look_at() {
    let world = World::start().await;
    let date = clock::now() + time::Duration::seconds(60);
    let date = date.format(&Rfc2822).unwrap().replace("+0000", "GMT");
    let table = [
        (Answer::status(400), "400: check", 0),
        (Answer::status(401), "401: check", 0),
        (Answer::status(403), "403: check", 0),
        (Answer::status(408), "408: make it answer sooner", 0),
        (Answer::status(429), "429: it takes no more calls", 0),
        (
            Answer::status(429).with("retry-after", "7"),
            "raise its limits",
            7,
        ),
        (Answer::status(429).with("retry-after", date), "429", 55),
        (Answer::status(500), "500: see why it fails", 0),
        (Answer::status(503).with("retry-after", "120"), "503", 120),
    ];
    let calls = Kind::ALL
        .map(|kind| (kind, Call::Lead))
        .into_iter()
        .chain(Kind::WITH_TOKEN.map(|kind| (kind, Call::Token)));
    for (kind, call) in calls {
        for (answer, words, least) in &table {
            world.crm.says(call, always(answer));
            let wait = World::refused(kind, world.deliver(kind).await, &[words]);
            assert!(
                (*least..=*least + 5).contains(&wait),
                "{kind:?} {words}: {wait} s"
            );
        }
    }
    assert!(world.crm.leads().is_empty());
}

#[tokio::test]
async fn ld9_an_answer_over_1_mib_is_not_read() {
    let world = World::start().await;
    let huge = Answer {
        body: vec![b' '; 1024 * 1024 + 1].into(),
        ..Answer::status(200)
    };
    for kind in Kind::ALL {
        world.crm.says(Call::Lead, [huge.clone()]);
        World::refused(kind, world.deliver(kind).await, &["1 MiB", "shortly"]);
    }
    for kind in Kind::WITH_TOKEN {
        world.crm.says(Call::Token, [huge.clone()]);
        World::refused(kind, world.deliver(kind).await, &["1 MiB"]);
    }
}

#[tokio::test]
async fn ld9_no_try_takes_longer_than_30_seconds_whatever_its_calls() {
    let world = World::start().await;
    for kind in Kind::ALL {
        slow(&world, kind, Call::Lead, &[]).await;
    }
    for kind in Kind::WITH_TOKEN {
        slow(&world, kind, Call::Token, &[]).await;
    }
    // The call is refused late, and made again with another token.
    slow(&world, Kind::Dynamics, Call::Lead, &[20]).await;
}

/// A try whose calls of a kind are refused after so many seconds each, and then never answered. The clock jumps once a
/// call has begun: never while a connection is made, which has a time of its own.
async fn slow(world: &World, kind: Kind, call: Call, seconds: &[u64]) {
    let times = seconds.iter().chain([&3600]);
    let answers = times.map(|seconds| Answer {
        after: Duration::from_secs(*seconds),
        ..Answer::status(401)
    });
    world.crm.says(call, answers);
    let before = world.crm.calls(call);
    let clock = async {
        for nth in 0..=seconds.len() {
            while world.crm.calls(call) == before + nth {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tokio::time::pause();
            if let Some(seconds) = seconds.get(nth) {
                tokio::time::advance(Duration::from_secs(*seconds)).await;
                tokio::time::resume();
            }
        }
        std::future::pending::<()>().await;
    };
    let begun = Instant::now();
    let delivery = tokio::select! {
        delivery = world.deliver(kind) => delivery,
        () = clock => unreachable!("it never ends"),
    };
    let took = begun.elapsed().as_secs_f64();
    tokio::time::resume();
    World::refused(kind, delivery, &["no answer within 30 s", "answer sooner"]);
    assert!((29.9..30.5).contains(&took), "{kind:?}: {took} s");
}
