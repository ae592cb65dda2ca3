//! This service's SQL against a real Postgres: orders answered once and the same, leases, two reviewers at once, claims
//! that expire, cancellations, and what the app role may not do. Needs `TEST_POSTGRES_URL`: a superuser of a server on
//! which databases may be made.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod database;
mod world;

use certification::{
    Error, commands,
    domain::{IllegalMove, JobKind, Kind, Move, NotYet, Outcome, State, Switches},
    store,
};
use marketplace_messaging::Work;
use marketplace_runtime::access::Scope;
use sqlx::Executor;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;
use world::{NOW, World, failing, open_item, order, passing, reviewer};

#[tokio::test]
async fn a_repeated_order_starts_nothing_and_is_answered_with_the_same() {
    let world = World::new().await;
    let order = order(JobKind::Certify, 1, 1);
    world.order(&order).await;
    world.order(&order).await;
    assert_eq!(world.count("jobs").await, 1, "one job for one key");
    assert_eq!(world.told().await, [], "not answered yet");

    let job = world.claim_one().await;
    world
        .certified(&job, vec![passing("CV-1")], &Switches::default())
        .await;
    world.order(&order).await;
    world.order(&order).await;
    let told = world.told().await;
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|(key, body)| key == "certification.v1.certification_passed" && *body == told[0].1));
    assert_eq!(
        (world.count("jobs").await, world.count("cases").await),
        (1, 1)
    );
    world.drop().await;
}

#[tokio::test]
async fn offer_validation_answers_without_a_case_and_reports_what_could_fail() {
    let world = World::new().await;
    world.order(&order(JobKind::Validate, 1, 1)).await;
    let job = world.claim_one().await;
    let mut work = Work::begin(&world.db).await.unwrap();
    commands::validated(&mut work, &job, &[passing("CV-1"), failing("CV-3")], NOW)
        .await
        .unwrap();
    work.commit().await.unwrap();
    let mut db = world.db.acquire().await.unwrap();
    let submission = &job.order.key.submission;
    let report = store::find_report(
        &mut db,
        &Scope::system("contoso"),
        submission,
        Kind::Validation,
    )
    .await
    .unwrap()
    .unwrap();
    assert_eq!((report.failures(), report.findings.len()), (1, 1));
    assert!(
        store::find_report(
            &mut db,
            &Scope::system("fabrikam"),
            submission,
            Kind::Validation
        )
        .await
        .unwrap()
        .is_none()
    );
    assert_eq!(
        world.told().await[0].0,
        "certification.v1.validation_completed"
    );
    assert_eq!(world.count("cases").await, 0);
    drop(db);
    world.drop().await;
}

#[tokio::test]
async fn publishers_are_served_in_turn() {
    let world = World::new().await;
    for n in 1..=4 {
        world.order(&order(JobKind::Validate, n, 1)).await;
    }
    let mut late = order(JobKind::Validate, 5, 1);
    late.publisher = "fabrikam".into();
    world.order(&late).await;
    let mut claimed = Vec::new();
    for _ in 0..5 {
        let mut db = world.db.acquire().await.unwrap();
        let jobs = store::claim_jobs(&mut db, Uuid::from_u128(1), 1, NOW, Duration::seconds(3));
        let jobs = jobs.await.unwrap();
        claimed.extend(jobs.into_iter().map(|job| job.order.publisher));
    }
    assert_eq!(claimed.len(), 5);
    let place = claimed.iter().position(|publisher| publisher == "fabrikam");
    assert!(
        matches!(place, Some(0 | 1)),
        "four of another that came before count as one: {claimed:?}"
    );
    world.drop().await;
}

/// What waits to be tried again doesn't run: it puts nobody behind those who have just come.
#[tokio::test]
async fn a_failed_job_that_waits_does_not_count_as_running() {
    let world = World::new().await;
    for n in 1..=4 {
        world.order(&order(JobKind::Validate, n, 1)).await;
    }
    let claim = async |limit: i64, now: OffsetDateTime| {
        let mut db = world.db.acquire().await.unwrap();
        store::claim_jobs(
            &mut db,
            Uuid::from_u128(1),
            limit,
            now,
            Duration::seconds(3),
        )
        .await
        .unwrap()
    };
    for job in claim(3, NOW).await {
        let mut db = world.db.acquire().await.unwrap();
        store::fail_job(&mut db, &job, "away", NOW + Duration::hours(1))
            .await
            .unwrap();
    }
    for n in 5..=6 {
        let mut other = order(JobKind::Validate, n, 1);
        other.publisher = "fabrikam".into();
        world.order(&other).await;
    }
    let next = claim(2, NOW + Duration::seconds(1)).await;
    let publishers: std::collections::BTreeSet<_> = next
        .iter()
        .map(|job| job.order.publisher.as_str())
        .collect();
    assert_eq!(publishers.len(), 2, "one of each: {publishers:?}");
    world.drop().await;
}

#[tokio::test]
async fn a_job_belongs_to_one_worker_until_its_lease_ends() {
    let world = World::new().await;
    for n in 1..=4 {
        world.order(&order(JobKind::Validate, n, 1)).await;
    }
    let lease = Duration::seconds(3);
    let claim = async |me: Uuid, limit: i64, after: Duration| {
        let mut db = world.db.acquire().await.unwrap();
        store::claim_jobs(&mut db, me, limit, NOW + after, lease)
            .await
            .unwrap()
    };
    let (ann, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let (of_ann, of_bob) =
        tokio::join!(claim(ann, 2, Duration::ZERO), claim(bob, 2, Duration::ZERO));
    assert_eq!(of_ann.len() + of_bob.len(), 4, "every job is somebody's");
    assert!(
        of_ann
            .iter()
            .all(|job| of_bob.iter().all(|other| other.order.key != job.order.key)),
        "and nobody else's"
    );
    assert!(
        claim(bob, 4, Duration::seconds(2)).await.is_empty(),
        "leased"
    );

    let mut db = world.db.acquire().await.unwrap();
    let running: Vec<_> = of_bob.iter().map(|job| &job.order.key).collect();
    store::renew_jobs(&mut db, bob, &running, NOW + Duration::seconds(2), lease)
        .await
        .unwrap();
    // Ann's process lives, but these don't run there any more.
    store::renew_jobs(&mut db, ann, &[], NOW + Duration::seconds(2), lease)
        .await
        .unwrap();
    drop(db);
    let taken = claim(bob, 4, Duration::seconds(3)).await;
    assert_eq!(
        taken.len(),
        of_ann.len(),
        "Ann's lease has ended, Bob's was renewed"
    );
    assert!(taken.iter().all(|job| job.tries == 2));

    // Ann comes late: her outcome changes nothing.
    let mut work = Work::begin(&world.db).await.unwrap();
    commands::validated(&mut work, &of_ann[0], &[failing("CV-3")], NOW)
        .await
        .unwrap();
    work.commit().await.unwrap();
    assert_eq!(
        (world.told().await.len(), world.count("reports").await),
        (0, 0)
    );
    world.drop().await;
}

#[tokio::test]
async fn of_two_reviewers_at_once_one_holds_the_case() {
    let world = World::new().await;
    let case = world.waiting_case().await;
    let claim = async |who: &str| {
        let mut work = Work::begin(&world.db).await.unwrap();
        let claimed = commands::claim(
            &mut work,
            &reviewer(who).await,
            commands::Claim { case, at: NOW },
        )
        .await;
        if claimed.is_ok() {
            work.commit().await.unwrap();
        }
        claimed.map(|case| case.reviewer)
    };
    let both = tokio::join!(claim("rita"), claim("rob"));
    let (won, lost) = match both {
        (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
        other => panic!("{other:?}"),
    };
    assert!(won.is_some());
    let illegal = IllegalMove {
        from: State::InReview,
        wanted: Move::Claim,
    };
    assert!(
        matches!(lost, Error::NotYet(NotYet::Illegal(why)) if why == illegal),
        "{lost}"
    );
    world.drop().await;
}

#[tokio::test]
async fn an_expired_claim_is_nobodys_and_what_was_decided_stays() {
    let world = World::new().await;
    let case = world.waiting_case().await;
    world.claim("rita", case, NOW).await.unwrap();
    world
        .decide(
            "rita",
            case,
            "CV-15-M",
            Outcome::Pass,
            NOW + Duration::minutes(10),
        )
        .await
        .unwrap();

    let late = NOW + Duration::minutes(39);
    assert!(
        world.queue(late).await.is_empty(),
        "the decision has renewed the claim"
    );
    let later = NOW + Duration::minutes(41);
    assert_eq!(
        world.queue(later).await,
        [case],
        "swept or not, it waits again"
    );
    assert!(matches!(
        world
            .decide("rita", case, "CV-15-M", Outcome::Pass, later)
            .await,
        Err(Error::NotYet(NotYet::NotClaimed))
    ));

    let mut db = world.db.acquire().await.unwrap();
    assert_eq!(
        store::expired_claims(&mut db, later, 10).await.unwrap(),
        [(case, "contoso".to_owned())]
    );
    drop(db);
    let mut work = Work::begin(&world.db).await.unwrap();
    commands::expire_claim(&mut work, &Scope::system("contoso"), case, later)
        .await
        .unwrap();
    work.commit().await.unwrap();
    let taken = world.claim("rob", case, later).await.unwrap();
    let decided = taken.results.iter().find(|r| r.check == "CV-15-M").unwrap();
    assert_eq!(
        (decided.outcome, taken.reviewer.as_deref()),
        (Outcome::Pass, Some("https://login|rob"))
    );
    world.drop().await;
}

#[tokio::test]
async fn approval_wants_every_check_decided_and_answers_the_order() {
    let world = World::new().await;
    let case = world.waiting_case().await;
    world.claim("rita", case, NOW).await.unwrap();
    let refused = world.approve("rita", case, false).await;
    assert!(matches!(refused, Err(Error::NotYet(NotYet::ChecksOpen(open))) if open == ["CV-15-M"]));
    world
        .decide("rita", case, "CV-1", Outcome::Fail, NOW)
        .await
        .unwrap();
    assert!(
        matches!(world.approve("rita", case, true).await, Err(Error::NotYet(NotYet::ChecksOpen(open))) if open == ["CV-1"])
    );
    world
        .decide("rita", case, "CV-1", Outcome::Pass, NOW)
        .await
        .unwrap();
    let passed = world.approve("rita", case, true).await.unwrap();
    assert_eq!(passed.state, State::Passed);
    let overridden = passed
        .results
        .iter()
        .find(|r| r.check == "CV-1")
        .unwrap()
        .overridden
        .clone()
        .unwrap();
    assert_eq!(
        overridden.original,
        Outcome::Pass,
        "the automatic outcome stays known"
    );

    let keys: Vec<String> = world.told().await.into_iter().map(|(key, _)| key).collect();
    assert_eq!(
        keys,
        [
            "certification.v1.certification_progressed",
            "certification.v1.certification_passed"
        ]
    );
    assert_eq!(
        world.count("decisions").await,
        3,
        "two overrides and the approval are audited (CE-4)"
    );
    world.drop().await;
}

#[tokio::test]
async fn a_rejection_has_a_report_with_the_reviewers_words() {
    let world = World::new().await;
    let case = world.waiting_case().await;
    world.claim("rita", case, NOW).await.unwrap();
    let reject = async |findings| {
        let mut work = Work::begin(&world.db).await.unwrap();
        let command = commands::Reject {
            case,
            notes: "Show the product.".into(),
            findings,
            at: NOW,
        };
        let rejected = commands::reject(&mut work, &reviewer("rita").await, command).await?;
        work.commit().await.map(|()| rejected).map_err(Error::from)
    };
    assert!(matches!(
        reject(vec![]).await,
        Err(Error::NotYet(NotYet::NothingFailed))
    ));
    let rejected = reject(failing("").findings).await.unwrap();
    assert_eq!(rejected.state, State::Failed);

    let mut db = world.db.acquire().await.unwrap();
    let submission = &rejected.order.key.submission;
    let report = store::find_report(
        &mut db,
        &Scope::system("contoso"),
        submission,
        Kind::Failure,
    )
    .await
    .unwrap()
    .unwrap();
    assert_eq!(
        (
            report.review_notes.as_str(),
            report.attempt,
            report.failures()
        ),
        ("Show the product.", 1, 1)
    );
    assert_eq!(report.findings[0].1.check, "REVIEW");
    let listed = store::list_reports(&mut db, &Scope::system("contoso"), &report.offer, None, 10)
        .await
        .unwrap();
    assert_eq!(listed, [report]);
    drop(db);
    world.drop().await;
}

#[tokio::test]
async fn an_automatic_failure_fails_the_case_with_all_levels_unless_reviewers_get_it() {
    let world = World::new().await;
    world.order(&order(JobKind::Certify, 1, 1)).await;
    let results = vec![
        passing("BE-1"),
        failing("CV-3"),
        open_item("CV-15-M"),
        failing("TV-P1"),
    ];
    world
        .certified(
            &world.claim_one().await,
            results.clone(),
            &Switches::default(),
        )
        .await;
    assert_eq!(
        world.told().await[0].0,
        "certification.v1.certification_failed"
    );

    world.order(&order(JobKind::Certify, 2, 1)).await;
    let lenient = Switches {
        review_failures: true,
        ..Switches::default()
    };
    world
        .certified(&world.claim_one().await, results, &lenient)
        .await;
    assert_eq!(
        world.queue(NOW).await.len(),
        1,
        "a reviewer may override it"
    );
    world.drop().await;
}

#[tokio::test]
async fn a_cancelled_submission_is_withdrawn_and_nothing_of_it_is_used_again() {
    let world = World::new().await;
    let case = world.waiting_case().await;
    let first = order(JobKind::Certify, 1, 1);
    world.cancel(&first, 5).await;
    assert_eq!(world.case(case).await.state, State::Withdrawn);
    assert!(world.queue(NOW).await.is_empty());
    // Late news: an order from before the cancellation, and the cancellation again.
    let mut late = order(JobKind::Certify, 1, 2);
    late.publication_revision = 3;
    world.order(&late).await;
    world.cancel(&first, 5).await;
    assert_eq!(
        (world.count("cases").await, world.count("jobs").await),
        (1, 1)
    );
    // T19, then go live again: the same submission is certified anew (SM-3).
    let mut again = order(JobKind::Certify, 1, 3);
    again.publication_revision = 7;
    world.order(&again).await;
    let job = world.claim_one().await;
    world
        .certified(&job, vec![passing("CV-1")], &Switches::default())
        .await;
    assert_eq!(world.case(job.case.unwrap()).await.number, 2);
    world.cancel(&first, 5).await;
    assert_eq!(
        world.case(job.case.unwrap()).await.state,
        State::Passed,
        "an old cancellation is late, not wrong"
    );
    world.drop().await;
}

#[tokio::test]
async fn another_attempt_joins_the_case_and_both_are_answered() {
    let world = World::new().await;
    let case = world.waiting_case().await;
    world.order(&order(JobKind::Certify, 1, 2)).await;
    assert_eq!(world.count("cases").await, 1);
    world.claim("rita", case, NOW).await.unwrap();
    world.approve("rita", case, true).await.unwrap();
    // An attempt after the end is answered at once, the earlier ones with their own key.
    world.order(&order(JobKind::Certify, 1, 3)).await;
    world.order(&order(JobKind::Certify, 1, 1)).await;
    let told = world.told().await;
    let passed: Vec<u32> = told
        .iter()
        .filter(|(key, _)| key.ends_with("passed"))
        .map(|(_, body)| world::attempt(body))
        .collect();
    assert_eq!(
        passed,
        [2, 3, 1],
        "only the newest attempt is told when the case ends"
    );
    world.drop().await;
}

#[tokio::test]
async fn a_repeated_order_that_waits_for_a_reviewer_is_told_so_again() {
    let world = World::new().await;
    world.waiting_case().await;
    world.order(&order(JobKind::Certify, 1, 1)).await;
    world.order(&order(JobKind::Certify, 1, 2)).await;
    let told = world.told().await;
    let progressed: Vec<_> = told
        .iter()
        .map(|(key, body)| (key.as_str(), world::progress(body)))
        .collect();
    let key = "certification.v1.certification_progressed";
    let waits = |attempt| {
        (
            key,
            (attempt, "Waiting for a reviewer: 1 checks".to_owned()),
        )
    };
    assert_eq!(progressed, [waits(1), waits(1), waits(2)]);
    world.drop().await;
}

#[tokio::test]
async fn pb1_an_order_about_something_else_is_impossible_and_the_next_attempt_starts_afresh() {
    let world = World::new().await;
    let kinds = [(JobKind::Validate, 1), (JobKind::Certify, 2)];
    for (kind, n) in kinds {
        let order = order(kind, n, 1);
        world.order(&order).await;
        let job = world.claim_one().await;
        let mut work = Work::begin(&world.db).await.unwrap();
        commands::impossible(&mut work, &job, "DIGEST_MISMATCH", "another", NOW)
            .await
            .unwrap();
        work.commit().await.unwrap();
        world.order(&order).await;
        if let Some(case) = job.case {
            assert_eq!(world.case(case).await.state, State::Withdrawn);
        }
    }
    let told = world.told().await;
    assert_eq!(told.len(), 4, "each, and each repeat");
    for (key, body) in &told {
        assert_eq!(key, "certification.v1.order_impossible");
        assert_eq!(world::impossible(body), "DIGEST_MISMATCH");
    }
    assert_eq!(
        (world.count("reports").await, world.queue(NOW).await.len()),
        (0, 0)
    );
    // T24: what was mended is certified.
    world.order(&order(JobKind::Certify, 2, 2)).await;
    let job = world.claim_one().await;
    world
        .certified(&job, vec![passing("CV-1")], &Switches::default())
        .await;
    assert_eq!(
        world.told().await[4].0,
        "certification.v1.certification_passed"
    );
    world.drop().await;
}

#[tokio::test]
async fn the_application_of_another_publishers_certified_offer_is_known() {
    let world = World::new().await;
    world.order(&order(JobKind::Certify, 1, 1)).await;
    world
        .certified(
            &world.claim_one().await,
            vec![passing("CV-1")],
            &Switches::default(),
        )
        .await;
    let mut db = world.db.acquire().await.unwrap();
    let facts = store::eligibility_facts(&mut db, "managedService", "fabrikam", world::APPLICATION)
        .await
        .unwrap();
    assert_eq!(facts.application_owner.as_deref(), Some("contoso"));
    assert_eq!(facts.criteria[0].competency, "cloud-platform");
    let own =
        store::eligibility_facts(&mut db, "softwareAsAService", "contoso", world::APPLICATION)
            .await
            .unwrap();
    assert_eq!(
        (
            own.application_owner,
            own.other_application,
            own.criteria.len()
        ),
        (None, None, 0)
    );
    let other = store::eligibility_facts(&mut db, "softwareAsAService", "contoso", "another")
        .await
        .unwrap();
    assert_eq!(other.other_application.as_deref(), Some(world::APPLICATION));
    let none = store::eligibility_facts(&mut db, "softwareAsAService", "fabrikam", "")
        .await
        .unwrap();
    assert_eq!(
        (none.application_owner, none.other_application),
        (None, None)
    );
    assert_eq!(
        store::policies(&mut db).await.unwrap()["100.1.3"].title,
        "Description"
    );
    drop(db);
    world.drop().await;
}

#[tokio::test]
async fn the_schema_holds_what_the_domain_relies_on() {
    let world = World::new().await;
    let case = world.waiting_case().await;
    let mut db = world.fresh.app().await;
    let refused = [
        (
            "UPDATE certification.cases SET state = 'PASSED', digest = '', ended_at = now()",
            "23514",
        ),
        (
            "UPDATE certification.cases SET state = 'IN_REVIEW'",
            "23514",
        ),
        ("UPDATE certification.cases SET state = 'LOST'", "23514"),
        ("UPDATE certification.jobs SET state = 'done'", "23514"),
        ("DELETE FROM certification.decisions", "42501"),
        ("UPDATE certification.decisions SET note = ''", "42501"),
    ];
    for (statement, code) in refused {
        let error = db.execute(statement).await.unwrap_err();
        assert_eq!(
            error.as_database_error().unwrap().code().unwrap(),
            code,
            "{statement}"
        );
    }
    let mut work = Work::begin(&world.db).await.unwrap();
    let foreign = store::lock_case(&mut work, &Scope::system("fabrikam"), case)
        .await
        .unwrap();
    assert!(foreign.is_none(), "another publisher's scope finds nothing");
    drop(work);
    world.drop().await;
}
