//! The outbox and its relay.

use std::{sync::Arc, time::Duration};

use marketplace_messaging::Work;
use uuid::Uuid;

use crate::setup::{
    CHANGED, DISORDERED, DOUBLED, EFFECTS, Effects, Setup, WAITING, changed, event,
};

#[tokio::test]
async fn what_is_told_arrives_once_and_in_order() {
    let setup = Setup::new().await;
    let (relay, consumer) = (
        setup.relay(&setup.publishing),
        setup.consume(&Arc::new(Effects)),
    );
    let offers: Vec<Uuid> = (0..20).map(|_| Uuid::now_v7()).collect();
    for _ in 0..10 {
        // Two of each offer in one transaction, and all offers in it: revisions have no gaps and no doubles.
        setup
            .tell(offers.iter().chain(&offers).map(|offer| changed(*offer)))
            .await;
    }
    setup.until(EFFECTS, 400).await;
    setup.until(WAITING, 0).await;
    assert_eq!(setup.count(DOUBLED).await, 0);
    assert_eq!(setup.count(DISORDERED).await, 0);
    let revisions = "SELECT count(*) FROM (SELECT offer FROM history.effects GROUP BY offer
                     HAVING count(DISTINCT revision) = 20 AND min(revision) = 1 AND max(revision) = 20) whole";
    assert_eq!(setup.count(revisions).await, 20);
    assert_eq!(
        setup
            .count("SELECT count(*) FROM publishing.published")
            .await,
        400
    );
    relay.stop().await;
    consumer.stop().await;
    setup.end().await;
}

#[tokio::test]
async fn a_rolled_back_transaction_tells_nothing() {
    let setup = Setup::new().await;
    let mut work = Work::begin(&setup.publishing).await.unwrap();
    work.tell(changed(Uuid::now_v7()));
    drop(work);
    assert_eq!(setup.count(WAITING).await, 0);
    setup.end().await;
}

#[tokio::test]
async fn a_crash_between_publish_and_mark_sends_again_and_doubles_nothing() {
    let setup = Setup::new().await;
    let (first, consumer) = (
        setup.relay(&setup.publishing),
        setup.consume(&Arc::new(Effects)),
    );
    setup.tell([changed(Uuid::now_v7())]).await;
    setup.until(EFFECTS, 1).await;
    setup.until(WAITING, 0).await;
    // A lock on the row that is about to be told keeps the relay from marking it, and from nothing else.
    let mut work = Work::begin(&setup.publishing).await.unwrap();
    work.tell(changed(Uuid::now_v7()));
    let mut lock = setup.admin.begin().await.unwrap();
    let blocker = "CREATE FUNCTION publishing.block() RETURNS trigger LANGUAGE plpgsql AS
                   $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN OLD; END $$;
                   CREATE TRIGGER block BEFORE DELETE ON publishing.outbox FOR EACH ROW EXECUTE FUNCTION publishing.block()";
    sqlx::raw_sql(blocker).execute(&setup.admin).await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(42)")
        .execute(&mut *lock)
        .await
        .unwrap();
    work.commit().await.unwrap();
    setup.until(EFFECTS, 2).await;
    first.crash().await;
    // Postgres doesn't notice at once that the client of a waiting statement has gone.
    let gone = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event = 'advisory'";
    setup.until(gone, 0).await;
    lock.rollback().await.unwrap();
    assert_eq!(setup.count(WAITING).await, 1, "published and not marked");

    let second = setup.relay(&setup.publishing);
    setup.until(WAITING, 0).await;
    setup.tell([changed(Uuid::now_v7())]).await;
    setup.until(EFFECTS, 3).await;
    assert_eq!(setup.count(DOUBLED).await, 0);
    second.stop().await;
    consumer.stop().await;
    setup.end().await;
}

#[tokio::test]
async fn what_is_returned_stays_and_holds_back_only_its_offer() {
    let setup = Setup::new().await;
    let consumer = setup.consume(&Arc::new(Effects));
    let (held, free): (Vec<Uuid>, Vec<Uuid>) = (
        (0..10).map(|_| Uuid::now_v7()).collect(),
        (0..50).map(|_| Uuid::now_v7()).collect(),
    );
    // One batch, the unroutable ones in the middle of it: lapin hands their returns to any confirm.
    let early = free[..25].iter().map(|offer| changed(*offer));
    let unroutable = held
        .iter()
        .map(|offer| event("publishing.v1.of_a_newer_version", *offer));
    let late = free[25..].iter().map(|offer| changed(*offer));
    setup.tell(early.chain(unroutable).chain(late)).await;
    setup
        .tell(held.iter().chain(&free).map(|offer| changed(*offer)))
        .await;
    let relay = setup.relay(&setup.publishing);
    setup.until(EFFECTS, 100).await;
    setup.until(WAITING, 20).await;
    let of_held =
        "SELECT count(*) FROM publishing.outbox WHERE key = 'publishing.v1.of_a_newer_version'";
    assert_eq!(setup.count(of_held).await, 10);

    let (_connection, channel) = setup.channel().await;
    let key = "publishing.v1.of_a_newer_version";
    let bind = channel.queue_bind(
        "history".into(),
        "marketplace.events".into(),
        key.into(),
        Default::default(),
        Default::default(),
    );
    bind.await.unwrap();
    setup.until(EFFECTS, 120).await;
    setup.until(WAITING, 0).await;
    assert_eq!(
        (setup.count(DOUBLED).await, setup.count(DISORDERED).await),
        (0, 0)
    );
    relay.stop().await;
    consumer.stop().await;
    setup.end().await;
}

#[tokio::test]
async fn an_order_goes_to_who_is_bound_for_it_and_to_nobody_twice() {
    let setup = Setup::new().await;
    let relay = setup.relay(&setup.publishing);
    let order = || changed(Uuid::now_v7()).order(format!("{CHANGED}.certification_requested"));
    setup
        .tell([
            order(),
            order().order(format!("{CHANGED}.validation_requested")),
            changed(Uuid::now_v7()),
        ])
        .await;
    setup.until(WAITING, 0).await;
    let (_connection, channel) = setup.channel().await;
    for (queue, copies) in [
        ("certification", 2),
        ("history", 3),
        ("offer-catalog", 3),
        ("publishing-pipeline", 0),
    ] {
        let options = lapin::options::QueueDeclareOptions {
            passive: true,
            ..Default::default()
        };
        let declared = channel
            .queue_declare(queue.into(), options, Default::default())
            .await
            .unwrap();
        assert_eq!(declared.message_count(), copies, "{queue}");
    }
    relay.stop().await;
    setup.end().await;
}

#[tokio::test]
async fn of_two_relays_one_works_and_the_other_takes_over() {
    let setup = Setup::new().await;
    let other = setup.publishing_replica();
    let (first, consumer) = (
        setup.relay(&setup.publishing),
        setup.consume(&Arc::new(Effects)),
    );
    setup.tell([changed(Uuid::now_v7())]).await;
    setup.until(WAITING, 0).await;
    let second = setup.relay(&other);
    let holder = "SELECT holder FROM publishing.relay_lease";
    let leader: Uuid = sqlx::query_scalar(holder)
        .fetch_one(&setup.admin)
        .await
        .unwrap();
    for _ in 0..50 {
        setup.tell((0..4).map(|_| changed(Uuid::now_v7()))).await;
    }
    setup.until(EFFECTS, 201).await;
    setup.until(WAITING, 0).await;
    let still: Uuid = sqlx::query_scalar(holder)
        .fetch_one(&setup.admin)
        .await
        .unwrap();
    assert_eq!(still, leader, "one relay, one lease");

    first.crash().await;
    let killed = std::time::Instant::now();
    setup.tell([changed(Uuid::now_v7())]).await;
    setup.until(WAITING, 0).await;
    assert!(
        killed.elapsed() < Duration::from_secs(5),
        "the lease ends after 3 s, not {:?}",
        killed.elapsed()
    );
    // A stopping relay gives the lease away at once.
    let third = setup.relay(&setup.publishing);
    second.stop().await;
    let stopped = std::time::Instant::now();
    setup.tell([changed(Uuid::now_v7())]).await;
    setup.until(WAITING, 0).await;
    assert!(
        stopped.elapsed() < Duration::from_millis(2_500),
        "{:?}",
        stopped.elapsed()
    );
    setup.until(EFFECTS, 203).await;
    assert_eq!(setup.count(DOUBLED).await, 0);
    third.stop().await;
    consumer.stop().await;
    setup.end().await;
}

#[tokio::test]
async fn a_stopping_relay_sends_what_is_left() {
    let setup = Setup::new().await;
    let relay = setup.relay(&setup.publishing);
    setup.tell([changed(Uuid::now_v7())]).await;
    setup.until(WAITING, 0).await;
    for _ in 0..20 {
        setup.tell((0..50).map(|_| changed(Uuid::now_v7()))).await;
    }
    relay.stop().await;
    assert_eq!(setup.count(WAITING).await, 0);
    setup.end().await;
}

/// Positions are taken before the commit: a transaction that commits late puts its events below what was read already.
#[tokio::test]
async fn late_commits_are_neither_lost_nor_overtaken() {
    let setup = Setup::new().await;
    let slow = "CREATE FUNCTION publishing.dawdle() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN IF random() < 0.1 THEN PERFORM pg_sleep(random() * 0.4); END IF; RETURN NULL; END $$;
                CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON publishing.outbox DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION publishing.dawdle()";
    sqlx::raw_sql(slow).execute(&setup.admin).await.unwrap();
    let (relay, consumer) = (
        setup.relay(&setup.publishing),
        setup.consume(&Arc::new(Effects)),
    );
    let offers: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
    let teller = async |n: usize| {
        for round in 0..60 {
            setup.tell([changed(offers[(n + round) % 3])]).await;
        }
    };
    futures::future::join_all((0..5).map(teller)).await;
    setup.until(EFFECTS, 300).await;
    setup.until(WAITING, 0).await;
    assert_eq!(
        (setup.count(DOUBLED).await, setup.count(DISORDERED).await),
        (0, 0)
    );
    relay.stop().await;
    consumer.stop().await;
    setup.end().await;
}
