//! This service's SQL against a real Postgres: constraints, races, fencing, leases, paging.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod batches;
mod customers;
mod dry_runs;
mod support;

use marketplace_messaging::Work;
use marketplace_runtime::clock;
use marketplace_runtime::ids::new_id;
use publishing_pipeline::commands;
use publishing_pipeline::domain::{
    Answer, Move, Refusal, Status, StepId, StepState, SubmissionState, Tempo, Transition, Trouble,
};
use publishing_pipeline::due;
use publishing_pipeline::error::Error;
use publishing_pipeline::steps::{self, Steps};
use publishing_pipeline::store;
use support::{World, user};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[tokio::test]
async fn a_whole_flow_is_written_and_read_back() {
    let mut world = World::new().await;
    let id = world.submit().await;
    let run = world.handed.recv().await.unwrap();
    assert_eq!(
        *run.chain,
        [(StepId::PurchaseFlow, 1), (StepId::LeadManagement, 1)]
    );
    let both = [StepId::PurchaseFlow, StepId::LeadManagement];
    world
        .answer_all(&both.map(|step| world.outcome(id, step, 1, Answer::Done(String::new()))))
        .await;
    world.walk(id, None).await;
    world.sign_off(id).await;
    world.walk(id, Some(StepId::PurchaseFlowLive)).await;
    let both = [StepId::PurchaseFlowLive, StepId::LeadManagementLive];
    world
        .answer_all(&both.map(|step| world.outcome(id, step, 1, Answer::Done(String::new()))))
        .await;
    world.walk(id, None).await;
    let offering = world.offering().await.unwrap();
    assert_eq!(
        (offering.status(), offering.publication().live),
        (Status::Live, Some(id))
    );
    let told = world.told().await;
    let revisions: Vec<i64> = told.iter().map(|(revision, _)| *revision).collect();
    assert_eq!(
        revisions,
        (1..=8).collect::<Vec<i64>>(),
        "one event each, without gaps"
    );
    assert!(
        told[1].1.contains("validation_requested") && told[7].1.is_empty(),
        "{told:?}"
    );
    let mut db = world.db.acquire().await.unwrap();
    let mut unseen = async |after, limit| {
        let offer = &world.offer.offer;
        let found = store::unseen(&mut db, &world.scope, offer, id, after, limit).await;
        let found = found.unwrap().expect("it is there");
        assert_eq!(found.state, SubmissionState::Live);
        let numbers = |transitions: Vec<Transition>| {
            let numbers = transitions.into_iter().map(|one| one.number);
            numbers.collect::<Vec<u64>>()
        };
        found
            .news
            .map(|(_, now, transitions)| (now.transition, numbers(transitions)))
    };
    let (newest, none) = unseen(0, 1_000).await.expect("it has moved");
    assert_eq!(none, [] as [u64; 0]);
    let all = unseen(1, 1_000).await;
    assert_eq!(all, Some((newest, (2..=newest).collect())));
    assert_eq!(unseen(1, 2).await, Some((newest, vec![2, 3])));
    assert_eq!(unseen(newest, 1_000).await, None);
    assert_eq!(store::medians(&mut db).await.unwrap().len(), 9);
    drop(db);
    world.drop().await;
}

#[tokio::test]
async fn of_two_publishes_at_once_one_wins() {
    let world = World::new().await;
    let (one, two) = (new_id(), new_id());
    let (first, second) = tokio::join!(world.submit_as(one, false), world.submit_as(two, false));
    let (won, lost) = if first.is_ok() {
        (one, second)
    } else {
        (two, first)
    };
    assert!(
        matches!(lost, Err(Error::Refused(Refusal::InFlight(id))) if id == won),
        "{lost:?}"
    );
    assert_eq!(
        world.offering().await.unwrap().publication().in_flight,
        Some(won)
    );
    world.drop().await;
}

#[tokio::test]
async fn the_database_itself_refuses_a_second_submission_in_flight_and_an_uncertified_live_one() {
    let world = World::new().await;
    let id = world.submit().await;
    let twin = "INSERT INTO submissions SELECT (json_populate_record(s, json_build_object('id', gen_random_uuid()))).* FROM submissions s";
    let refused = sqlx::raw_sql(twin)
        .execute(world.db.pool())
        .await
        .unwrap_err();
    let constraint = refused
        .as_database_error()
        .and_then(|error| error.constraint().map(str::to_owned));
    assert_eq!(constraint.as_deref(), Some("submissions_one_in_flight"));
    let live = format!(
        "UPDATE submissions SET state = 'live', holder = NULL, due_at = NULL WHERE id = '{id}'"
    );
    assert!(
        sqlx::raw_sql(sqlx::AssertSqlSafe(live))
            .execute(world.db.pool())
            .await
            .is_err()
    );
    world.drop().await;
}

#[tokio::test]
async fn t38_the_old_submission_is_closed_before_the_new_one_is_inserted() {
    let world = World::new().await;
    let old = world.submit().await;
    let new = new_id();
    world.submit_as(new, true).await.unwrap();
    assert_eq!(
        world.submission(old).await.state,
        SubmissionState::Superseded
    );
    assert_eq!(
        world.submission(new).await.state,
        SubmissionState::PreviewLeg
    );
    assert_eq!(world.told().await.len(), 2, "one event for both");
    world.drop().await;
}

#[tokio::test]
async fn an_outcome_of_an_attempt_that_is_over_is_recorded_as_discarded() {
    let world = World::new().await;
    let id = world.submit().await;
    let before = world.submission(id).await;
    world
        .answer(id, StepId::PurchaseFlow, 7, Answer::Done(String::new()))
        .await;
    world
        .answer(
            new_id(),
            StepId::PurchaseFlow,
            1,
            Answer::Done(String::new()),
        )
        .await;
    assert_eq!(world.submission(id).await, before);
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM discarded_outcomes")
        .fetch_one(world.db.pool())
        .await
        .unwrap();
    assert_eq!((count, world.told().await.len()), (2, 1));
    world.drop().await;
}

#[tokio::test]
async fn a_cancel_and_the_outcome_that_reaches_sign_off_race_and_exactly_one_wins() {
    let world = World::new().await;
    for round in 0..20 {
        let id = world.submit().await;
        world.walk(id, Some(StepId::PreviewCreation)).await;
        let cancel = async {
            // Both sides get their turn.
            tokio::time::sleep(std::time::Duration::from_micros(round * 50)).await;
            world
                .change(id, |o, m| {
                    o.request_cancel(id, Move::CancelPublish, user(), m)
                })
                .await
        };
        let prepared = world.answer(
            id,
            StepId::PreviewCreation,
            1,
            support::good(StepId::PreviewCreation, id),
        );
        let (canceled, ()) = tokio::join!(cancel, prepared);
        let state = world.submission(id).await.state;
        match canceled {
            Ok(_) => assert_eq!(state, SubmissionState::CancelingPreview),
            Err(Error::Refused(Refusal::IllegalMove { .. })) => {
                assert_eq!(state, SubmissionState::AwaitingSignOff)
            }
            Err(other) => panic!("{other}"),
        }
        if state == SubmissionState::CancelingPreview {
            sweep(&world, &world.steps, None).await;
            assert_eq!(world.submission(id).await.state, SubmissionState::Canceled);
        }
    }
    world.drop().await;
}

async fn sweep(world: &World, steps: &Steps, orphan_of: Option<Uuid>) {
    let due = [store::Due {
        offer_uid: world.offer_uid,
        orphan_of,
        scheduled: false,
    }];
    let mut work = Work::begin(&world.db).await.unwrap();
    commands::sweep(&mut work, steps, &due, clock::now())
        .await
        .unwrap();
    work.commit().await.unwrap();
}

#[tokio::test]
async fn the_steps_of_a_process_without_lease_are_taken_over_and_its_outcomes_are_fenced() {
    let world = World::new().await;
    let lease = Tempo::default().lease;
    store::keep_lease(world.db.pool(), world.steps.id(), lease)
        .await
        .unwrap();
    let id = world.submit().await;
    assert_eq!(
        store::due(world.db.pool(), clock::now(), 10, &[])
            .await
            .unwrap(),
        [],
        "its process is there"
    );
    store::leave(world.db.pool(), world.steps.id())
        .await
        .unwrap();
    let due = store::due(world.db.pool(), clock::now(), 10, &[])
        .await
        .unwrap();
    assert_eq!(
        due,
        [store::Due {
            offer_uid: world.offer_uid,
            orphan_of: Some(world.steps.id()),
            scheduled: false
        }]
    );
    let besides = [world.offer_uid];
    let others = store::due(world.db.pool(), clock::now(), 10, &besides).await;
    assert_eq!(others.unwrap(), [], "what fails is left alone for a while");

    let (other, mut handed) = Steps::new(new_id(), Tempo::default());
    sweep(&world, &other, due[0].orphan_of).await;
    let run = handed.recv().await.unwrap();
    assert_eq!(
        (run.submission, run.chain[0]),
        (id, (StepId::PurchaseFlow, 2))
    );
    assert_eq!(world.submission(id).await.holder, Some(other.id()));
    // A second process that found it at the same time comes too late.
    let (third, _) = Steps::new(new_id(), Tempo::default());
    sweep(&world, &third, due[0].orphan_of).await;
    assert_eq!(world.submission(id).await.holder, Some(other.id()));
    world
        .answer(id, StepId::PurchaseFlow, 1, Answer::Done(String::new()))
        .await;
    assert_eq!(
        world.submission(id).await.active_step().unwrap().id,
        StepId::PurchaseFlow,
        "fenced"
    );
    world
        .answer(id, StepId::PurchaseFlow, 2, Answer::Done(String::new()))
        .await;
    assert_eq!(
        world.submission(id).await.active_step().unwrap().id,
        StepId::LeadManagement
    );
    world.drop().await;
}

#[tokio::test]
async fn a_step_whose_start_was_committed_unheard_is_started_anew() {
    let world = World::new().await;
    let id = world.submit().await;
    // What this process would be if the answer to that commit had been lost.
    let (deaf, mut handed) = Steps::new(world.steps.id(), Tempo::default());
    let held = store::held(world.db.pool(), deaf.id()).await.unwrap();
    assert_eq!(
        (
            held.len(),
            held[0].submission,
            held[0].step,
            held[0].attempt
        ),
        (1, id, StepId::PurchaseFlow, 1)
    );
    assert_eq!(world.steps.missing(held.clone()), [], "it was handed over");
    assert_eq!(deaf.missing(held.clone()), held);

    let run = tokio::select! {
        () = due::hand_on(world.db.clone(), deaf.clone()) => panic!("it looks for ever"),
        run = handed.recv() => run.unwrap(),
        () = tokio::time::sleep(std::time::Duration::from_secs(20)) => panic!("nothing is handed on"),
    };
    assert_eq!(
        (run.submission, run.chain[0]),
        (id, (StepId::PurchaseFlow, 2))
    );
    let held = store::held(world.db.pool(), deaf.id()).await.unwrap();
    assert_eq!(deaf.missing(held.clone()), [], "it is there now");
    drop(run);
    assert_eq!(deaf.missing(held.clone()), held, "and was lost again");
    world.drop().await;
}

#[tokio::test]
async fn an_outcome_that_is_kept_stays_before_the_one_that_follows_it() {
    let world = World::new().await;
    let id = world.submit().await;
    let mut db = world.superuser().await;
    // Nothing that passes by itself: outcomes are done one by one and kept. A sequence counts what is rolled back, too.
    let refuse = "CREATE SEQUENCE publishing.tries;
        CREATE FUNCTION publishing.refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
          BEGIN PERFORM nextval('publishing.tries'); RAISE insufficient_privilege; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON publishing.submissions FOR EACH ROW EXECUTE FUNCTION publishing.refuse()";
    sqlx::raw_sql(refuse).execute(&mut db).await.unwrap();
    let (done, outcomes) = unbounded_channel();
    let stop = CancellationToken::new();
    let committing = tokio::task::JoinSet::from_iter([steps::commit(
        world.db.clone(),
        world.steps.clone(),
        outcomes,
        stop,
    )]);
    for step in [StepId::PurchaseFlow, StepId::LeadManagement] {
        done.send(world.outcome(id, step, 1, Answer::Done(String::new())))
            .unwrap();
        // Each in a batch of its own: the next comes when a whole round with this one is over, and another has begun.
        let tries = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM publishing.tries";
        let tried: i64 = sqlx::query_scalar(tries).fetch_one(&mut db).await.unwrap();
        while sqlx::query_scalar::<_, i64>(tries)
            .fetch_one(&mut db)
            .await
            .unwrap()
            < tried + 4
        {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
    sqlx::raw_sql("DROP TRIGGER refuse ON publishing.submissions")
        .execute(&mut db)
        .await
        .unwrap();
    for _ in 0..200 {
        let submission = world.submission(id).await;
        if submission.active_step().unwrap().id == StepId::OfferValidation {
            drop(done);
            committing.join_all().await;
            world.drop().await;
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{:?}", world.submission(id).await.active_step());
}

#[tokio::test]
async fn an_incident_is_opened_once_listed_and_closed_by_success() {
    let world = World::new().await;
    let id = world.submit().await;
    for attempt in 1..=4 {
        let fault = Answer::Trouble(Trouble::Platform("the catalogue is away".into()));
        world.answer(id, StepId::PurchaseFlow, attempt, fault).await;
        hand_again(&world).await;
    }
    let mut db = world.db.acquire().await.unwrap();
    assert!(
        store::incident_open(&mut db, "contoso", "db")
            .await
            .unwrap()
    );
    assert!(
        !store::incident_failed(&mut db, "contoso", "db", id)
            .await
            .unwrap(),
        "it is still tried"
    );
    let open = store::list_incidents(&mut db, false, None, 10)
        .await
        .unwrap();
    assert_eq!(
        (open.len(), open[0].attempts, open[0].step.as_str()),
        (1, 4, "purchase-flow")
    );
    drop(db);
    assert_eq!(
        world.submission(id).await.active_step().unwrap().state,
        StepState::Blocked
    );
    assert_eq!(world.told().await.len(), 1, "retries tell nobody");
    world
        .answer(id, StepId::PurchaseFlow, 5, Answer::Done(String::new()))
        .await;
    let mut db = world.db.acquire().await.unwrap();
    assert!(
        !store::incident_open(&mut db, "contoso", "db")
            .await
            .unwrap()
    );
    assert_eq!(
        store::list_incidents(&mut db, false, None, 10)
            .await
            .unwrap()
            .len(),
        0
    );
    assert_eq!(
        store::list_incidents(&mut db, true, None, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    drop(db);
    world.drop().await;
}

/// The pause before the next try is over.
async fn hand_again(world: &World) {
    let due = [store::Due {
        offer_uid: world.offer_uid,
        orphan_of: None,
        scheduled: false,
    }];
    let mut work = Work::begin(&world.db).await.unwrap();
    let later = clock::now() + time::Duration::minutes(2);
    commands::sweep(&mut work, &world.steps, &due, later)
        .await
        .unwrap();
    work.commit().await.unwrap();
}

#[tokio::test]
async fn submissions_are_listed_newest_first_in_pages_that_survive_inserts() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(new_id());
        world.submit_as(made[made.len() - 1], true).await.unwrap();
    }
    let mut db = world.db.acquire().await.unwrap();
    let page = store::list_submissions(&mut db, &world.scope, "db", None, None, 3)
        .await
        .unwrap();
    world.submit_as(new_id(), true).await.unwrap();
    let last = page.last().unwrap().id;
    let rest = store::list_submissions(&mut db, &world.scope, "db", None, Some(last), 3)
        .await
        .unwrap();
    let listed: Vec<_> = page.iter().chain(&rest).map(|one| one.id).collect();
    made.reverse();
    assert_eq!(listed, made);
    let superseded = Some(vec!["superseded".to_owned()]);
    assert_eq!(
        store::list_submissions(&mut db, &world.scope, "db", superseded, None, 50)
            .await
            .unwrap()
            .len(),
        5
    );
    let other = marketplace_runtime::access::Scope::system("fabrikam");
    assert!(
        store::list_submissions(&mut db, &other, "db", None, None, 50)
            .await
            .unwrap()
            .is_empty(),
        "another's"
    );
    drop(db);
    world.drop().await;
}
