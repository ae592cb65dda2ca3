//! Request ids: one effect, one answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use marketplace_messaging::{
    Database, Work,
    requests::{self, Claim, Once},
};
use marketplace_proto::messaging::v1::{
    DeadLetter, DiscardDeadLetterRequest, DiscardDeadLetterResponse,
};
use marketplace_runtime::{deadline, status};
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::setup::{Setup, WAITING, caller, changed};

const DOMAIN: &str = "marketplace.publishing.v1";

fn request(id: &str, reason: &str) -> Once {
    let message = DiscardDeadLetterRequest {
        id: "1".into(),
        reason: reason.into(),
        request_id: id.into(),
    };
    Once::new(DOMAIN, &caller("ada"), "DiscardDeadLetter", id, &message).unwrap()
}

/// An answer that tells the tries apart.
fn answer() -> DiscardDeadLetterResponse {
    let dead_letter = DeadLetter {
        id: Uuid::now_v7().to_string(),
        ..Default::default()
    };
    DiscardDeadLetterResponse {
        dead_letter: Some(dead_letter),
    }
}

async fn command(
    database: &Database,
    once: Once,
) -> Result<Response<DiscardDeadLetterResponse>, Status> {
    requests::run(database, once, async |mut work: Work| {
        work.tell(changed(Uuid::now_v7()));
        Ok((work, answer()))
    })
    .await
}

#[tokio::test]
async fn of_64_equal_requests_over_two_replicas_one_has_an_effect_and_all_the_same_answer() {
    let setup = Setup::new().await;
    let other = setup.publishing_replica();
    let calls = (0..64_u32).map(|n| {
        command(
            if n.is_multiple_of(2) {
                &setup.publishing
            } else {
                &other
            },
            request("one", "noise"),
        )
    });
    let answers: Vec<_> = join_all(calls)
        .await
        .into_iter()
        .map(|answer| answer.unwrap().into_inner())
        .collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(setup.count(WAITING).await, 1);

    // Another request under this id, another caller, another id, no id.
    let reused = command(&setup.publishing, request("one", "other"))
        .await
        .unwrap_err();
    assert_eq!(
        (reused.code(), status::reason(&reused).as_str()),
        (Code::InvalidArgument, "REQUEST_ID_REUSED")
    );
    let message = DiscardDeadLetterRequest {
        id: "1".into(),
        reason: "noise".into(),
        request_id: "one".into(),
    };
    let grace = Once::new(
        DOMAIN,
        &caller("grace"),
        "DiscardDeadLetter",
        "one",
        &message,
    )
    .unwrap();
    for once in [
        grace,
        request("two", "noise"),
        request("", "noise"),
        request("", "noise"),
    ] {
        command(&setup.publishing, once).await.unwrap();
    }
    assert_eq!(setup.count(WAITING).await, 5);
    assert_eq!(
        Once::new(DOMAIN, &caller("ada"), "X", &"x".repeat(129), &message)
            .unwrap_err()
            .code(),
        Code::InvalidArgument
    );
    setup.end().await;
}

#[tokio::test]
async fn a_refusal_is_not_kept_and_a_success_before_it_is_answered() {
    let setup = Setup::new().await;
    let refuse = async |once| {
        requests::run::<DiscardDeadLetterResponse, _, _>(
            &setup.publishing,
            once,
            async |mut work: Work| {
                work.tell(changed(Uuid::now_v7()));
                if true {
                    Err(status::in_flight(DOMAIN, "x"))
                } else {
                    Ok((work, answer()))
                }
            },
        )
        .await
    };
    assert_eq!(
        refuse(request("one", "noise")).await.unwrap_err().code(),
        Code::FailedPrecondition
    );
    assert_eq!(setup.count(WAITING).await, 0);
    let done = command(&setup.publishing, request("one", "noise"))
        .await
        .unwrap()
        .into_inner();
    // The repeat finds the world changed, and is answered what the first was.
    assert_eq!(
        refuse(request("one", "noise")).await.unwrap().into_inner(),
        done
    );
    assert_eq!(
        refuse(request("one", "other")).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    setup.end().await;
}

#[tokio::test]
async fn claimed_requests_have_one_effect_and_twins_wait_without_a_connection() {
    let setup = Setup::new().await;
    let (other, tries) = (setup.publishing_replica(), Arc::new(AtomicU32::new(0)));
    let call = |n: usize| {
        let (database, tries) = (
            if n.is_multiple_of(2) {
                &setup.publishing
            } else {
                &other
            },
            Arc::clone(&tries),
        );
        requests::run_claimed(
            database,
            request("one", "noise"),
            Uuid::now_v7(),
            async move |_| {
                tries.fetch_add(1, Ordering::Relaxed);
                // Longer than the pool's six connections would bear 31 waiting twins.
                tokio::time::sleep(Duration::from_millis(300)).await;
                sqlx::query("SELECT 1")
                    .execute(database.pool())
                    .await
                    .unwrap();
                let mut work = Work::begin(database).await.unwrap();
                work.tell(changed(Uuid::now_v7()));
                Ok((work, answer()))
            },
        )
    };
    let answers: Vec<_> = join_all((0..64).map(call))
        .await
        .into_iter()
        .map(|a| a.unwrap().into_inner())
        .collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(
        (setup.count(WAITING).await, tries.load(Ordering::Relaxed)),
        (1, 1)
    );
    setup.end().await;
}

#[tokio::test]
async fn a_claim_cut_off_is_taken_over_under_the_same_id() {
    let setup = Setup::new().await;
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let Claim::Mine(late) = requests::claim(&setup.publishing, &request("one", "noise"), first)
        .await
        .unwrap()
    else {
        panic!("the first claim is mine")
    };
    assert_eq!(late.id(), first);
    let reused = requests::claim(&setup.publishing, &request("one", "other"), second).await;
    assert!(matches!(
        reused,
        Err(marketplace_messaging::Error::RequestReused)
    ));
    sqlx::query("UPDATE publishing.requests SET lease_until = now() - interval '1 second'")
        .execute(&setup.admin)
        .await
        .unwrap();
    let Claim::Mine(taken) = requests::claim(&setup.publishing, &request("one", "noise"), second)
        .await
        .unwrap()
    else {
        panic!("the claim had ended")
    };
    assert_eq!(taken.id(), first);

    // The first was only slow: what it tells is not told, and its release takes nothing away.
    let work = async || Work::begin(&setup.publishing).await.unwrap();
    taken.complete(work().await, &answer()).await.unwrap();
    let mut again = work().await;
    again.tell(changed(Uuid::now_v7()));
    assert!(matches!(
        late.complete(again, &answer()).await,
        Err(marketplace_messaging::Error::ClaimLost)
    ));
    late.release(&setup.publishing).await;
    assert_eq!(setup.count(WAITING).await, 0);
    let done = requests::claim(&setup.publishing, &request("one", "noise"), second)
        .await
        .unwrap();
    assert!(matches!(done, Claim::Done(_)));
    setup.end().await;
}

#[tokio::test]
async fn a_refused_claim_is_free_at_once() {
    let setup = Setup::new().await;
    let refused = requests::run_claimed::<DiscardDeadLetterResponse, _, _>(
        &setup.publishing,
        request("one", "noise"),
        Uuid::now_v7(),
        async |_| Err(status::in_flight(DOMAIN, "x")),
    )
    .await;
    assert_eq!(refused.unwrap_err().code(), Code::FailedPrecondition);
    assert_eq!(
        setup
            .count("SELECT count(*) FROM publishing.requests")
            .await,
        0
    );
    setup.end().await;
}

/// What is left of a call ends its statements in the database as well, whatever command it is.
#[tokio::test]
async fn a_command_is_cut_at_its_calls_deadline() {
    let setup = Setup::new().await;
    let at = tokio::time::Instant::now() + Duration::from_millis(300);
    let sleep = requests::run::<DiscardDeadLetterResponse, _, _>(
        &setup.publishing,
        request("", "noise"),
        async |mut work: Work| {
            let slept = sqlx::query("SELECT pg_sleep(5)").execute(&mut *work).await;
            slept.map_err(|error| status::database(DOMAIN, &error))?;
            Ok((work, answer()))
        },
    );
    let begun = tokio::time::Instant::now();
    let refused = deadline::within(at, sleep).await.unwrap_err();
    assert_eq!(refused.code(), Code::DeadlineExceeded);
    assert!(begun.elapsed() < Duration::from_secs(3));
    setup.end().await;
}
