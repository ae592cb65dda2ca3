//! Batches and quotas in SQL: turns, leases, shares, counts that race.

use std::time::Duration as Wait;

use marketplace_messaging::Work;
use marketplace_runtime::access::Scope;
use marketplace_runtime::clock;
use marketplace_runtime::ids::new_id;
use marketplace_runtime::telemetry::Trace;
use publishing_pipeline::commands::{self, Submit};
use publishing_pipeline::domain::{
    Batch, BatchOrder, Failed, Freeze, ItemState, NewBatch, Quota, QuotaExceeded, Quotas, Turn,
};
use publishing_pipeline::error::Error;
use publishing_pipeline::store;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::support::{World, user};

const LEASE: Duration = Duration::seconds(10);

async fn create(world: &World, publisher: &str, offers: i32) -> Result<Batch, Error> {
    let order = |item| BatchOrder {
        offer: format!("offer-{item}"),
        etag: "1".into(),
        notes: "notes".into(),
        confirm: false,
        supersede: item % 2 == 1,
    };
    let batch = NewBatch {
        id: new_id(),
        publisher: publisher.into(),
        made_by: user(),
        trace: Trace::default(),
        orders: (0..offers).map(order).collect(),
    };
    let mut work = Work::begin(&world.db).await?;
    let made = commands::create_batch(&mut work, &world.quotas, batch, clock::now()).await?;
    work.commit().await?;
    Ok(made)
}

async fn take(world: &World, now: OffsetDateTime, share: i64) -> Vec<Turn> {
    let mut tx = world.db.begin().await.unwrap();
    let turns = store::take_turns(&mut tx, now, now + LEASE, share, 8).await;
    tx.commit().await.unwrap();
    let mut turns = turns.unwrap();
    turns.sort_by_key(|turn| (turn.publisher.clone(), turn.batch, turn.item));
    turns
}

/// Publisher (its first letter) and place.
fn items(turns: &[Turn]) -> Vec<(&str, i32)> {
    let all = turns.iter();
    all.map(|turn| (&turn.publisher[..1], turn.item)).collect()
}

async fn found(world: &World, id: Uuid) -> Option<Batch> {
    let mut db = world.db.acquire().await.unwrap();
    store::find_batch(&mut db, &world.scope, id).await.unwrap()
}

/// A submission of an offer that was never published before.
async fn submit(world: &World, offer: &str) -> Result<(), Error> {
    let mut work = Work::begin(&world.db).await?;
    begin(world, &mut work, offer).await?;
    Ok(work.commit().await?)
}

async fn begin(world: &World, work: &mut Work, offer: &str) -> Result<(), Error> {
    let submit = Submit {
        offer: offer.into(),
        offer_uid: new_id(),
        publish: world.publish(new_id(), Freeze::default(), false),
        quotas: world.quotas,
    };
    let now = clock::now();
    commands::submit(work, &world.steps, &world.scope, submit, now).await?;
    Ok(())
}

#[tokio::test]
async fn publishers_take_turns_and_none_has_more_than_its_share_under_way() {
    let world = World::new().await;
    let long = create(&world, "contoso", 5).await.unwrap();
    create(&world, "fabrikam", 1).await.unwrap();
    let now = clock::now();
    let first = take(&world, now, 2).await;
    assert_eq!(items(&first), [("c", 0), ("c", 1), ("f", 0)]);
    assert_eq!(first[1].order.offer, "offer-1");
    assert!(first[1].order.supersede && !first[0].order.supersede);
    assert_eq!(take(&world, now, 2).await.len(), 0, "all are under way");

    let id = world.submit().await;
    let mut db = world.db.acquire().await.unwrap();
    store::item_submitted(&mut db, &first[0], id).await.unwrap();
    store::settle_batches(world.db.pool(), now).await.unwrap();
    assert_eq!(take(&world, now, 2).await.len(), 0, "it is on its way");
    world.walk(id, None).await;
    store::settle_batches(world.db.pool(), now).await.unwrap();
    let next = take(&world, now, 2).await;
    assert_eq!(items(&next), [("c", 2)], "it is through");
    store::item_refused(&mut db, &next[0], b"no").await.unwrap();
    assert_eq!(items(&take(&world, now, 2).await), [("c", 3)]);

    let shown = store::batch_items(&mut db, long.id, None, 3).await.unwrap();
    let states: Vec<ItemState> = shown.into_iter().map(|item| item.state).collect();
    let wanted = [
        ItemState::Submitted(id),
        ItemState::Pending,
        ItemState::Refused(b"no".into()),
    ];
    assert_eq!(states, wanted);
    let rest = store::batch_items(&mut db, long.id, Some(2), 9).await;
    assert_eq!(rest.unwrap().len(), 2);
    drop(db);
    let counts = found(&world, long.id).await.unwrap();
    assert_eq!(
        (counts.pending, counts.submitted, counts.refused),
        (3, 1, 1)
    );
    world.drop().await;
}

#[tokio::test]
async fn the_fewest_under_way_are_first() {
    let world = World::new().await;
    create(&world, "contoso", 20).await.unwrap();
    let now = clock::now();
    assert_eq!(take(&world, now, 100).await.len(), 8);
    create(&world, "fabrikam", 4).await.unwrap();
    let next = take(&world, clock::now(), 100).await;
    let of_fabrikam = next.iter().filter(|turn| turn.publisher == "fabrikam");
    assert_eq!(of_fabrikam.count(), 4, "contoso has eight already");
    world.drop().await;
}

#[tokio::test]
async fn a_lease_that_ends_is_anothers_and_a_late_refusal_changes_nothing() {
    let world = World::new().await;
    let batch = create(&world, "contoso", 1).await.unwrap();
    let now = clock::now();
    let late = take(&world, now, 2).await;
    assert_eq!(take(&world, now + LEASE / 2, 2).await.len(), 0);
    let again = take(&world, now + LEASE, 2).await;
    assert_eq!((late[0].attempts, again[0].attempts), (1, 2));

    let mut db = world.db.acquire().await.unwrap();
    store::item_refused(&mut db, &late[0], b"no").await.unwrap();
    store::item_delayed(&mut db, &late[0], Failed::Passing, now, now)
        .await
        .unwrap();
    assert_eq!(found(&world, batch.id).await.unwrap().pending, 1);
    assert_eq!(take(&world, now + LEASE, 2).await.len(), 0);
    // That it was submitted is true, whoever says it, and doesn't become untrue.
    let id = new_id();
    store::item_submitted(&mut db, &late[0], id).await.unwrap();
    store::item_refused(&mut db, &again[0], b"no")
        .await
        .unwrap();
    let shown = store::batch_items(&mut db, batch.id, None, 1)
        .await
        .unwrap();
    assert_eq!(shown[0].state, ItemState::Submitted(id));
    drop(db);
    world.drop().await;
}

/// Patience begins with the first failure, and what is wrong with us is counted apart.
#[tokio::test]
async fn a_delayed_item_remembers_since_when_and_how_it_fails() {
    let world = World::new().await;
    create(&world, "contoso", 1).await.unwrap();
    let mut since = None;
    for (failed, broken) in [
        (Failed::Passing, 0),
        (Failed::Broken, 1),
        (Failed::Passing, 1),
    ] {
        let now = clock::now();
        let turn = take(&world, now, 1).await.remove(0);
        assert_eq!(turn.failing_since, since);
        since = since.or(Some(now));
        let mut db = world.db.acquire().await.unwrap();
        store::item_delayed(&mut db, &turn, failed, now, now)
            .await
            .unwrap();
        let noted: i32 = sqlx::query_scalar("SELECT broken FROM publishing.batch_items")
            .fetch_one(&mut *db)
            .await
            .unwrap();
        assert_eq!(noted, broken);
    }
    world.drop().await;
}

#[tokio::test]
async fn a_batch_ends_with_its_last_item_and_is_forgotten_after_30_days() {
    let world = World::new().await;
    let batch = create(&world, "contoso", 2).await.unwrap();
    let now = clock::now();
    let turns = take(&world, now, 2).await;
    let mut db = world.db.acquire().await.unwrap();
    for turn in &turns {
        assert!(
            store::settle_batches(world.db.pool(), now).await.unwrap(),
            "it runs"
        );
        store::item_refused(&mut db, turn, b"no").await.unwrap();
    }
    store::settle_batches(world.db.pool(), now).await.unwrap();
    let running = store::settle_batches(world.db.pool(), now).await.unwrap();
    let done = found(&world, batch.id).await.unwrap();
    assert!(!running && done.end_time.is_some() && done.refused == 2);
    let foreign = store::find_batch(&mut db, &Scope::system("fabrikam"), batch.id).await;
    assert_eq!(foreign.unwrap(), None, "others have no such batch");

    let later = now + Duration::days(30);
    let forget = async |at| store::forget_batches(world.db.pool(), at).await.unwrap();
    forget(later - Duration::minutes(1)).await;
    assert!(found(&world, batch.id).await.is_some());
    forget(later + Duration::minutes(1)).await;
    assert_eq!(found(&world, batch.id).await, None);
    let left = store::batch_items(&mut db, batch.id, None, 9).await;
    assert_eq!(left.unwrap(), []);
    drop(db);
    world.drop().await;
}

#[tokio::test]
async fn of_batches_made_at_once_no_more_run_than_may() {
    let mut world = World::new().await;
    world.quotas.batches_running = 2;
    let all = futures::future::join_all((0..6).map(|_| create(&world, "contoso", 1))).await;
    let exceeded = |made: &Result<Batch, Error>| {
        let quota = Quota::BatchesRunning;
        matches!(made, Err(Error::Quota(QuotaExceeded { quota: q, .. })) if *q == quota)
    };
    assert_eq!(all.iter().filter(|made| made.is_ok()).count(), 2);
    assert_eq!(all.iter().filter(|made| exceeded(made)).count(), 4);
    create(&world, "fabrikam", 1).await.unwrap();
    world.drop().await;
}

#[tokio::test]
async fn of_submissions_made_at_once_no_more_are_open_or_made_in_a_day_than_may() {
    let quotas = [
        Quotas {
            open_submissions: 3,
            ..Quotas::default()
        },
        Quotas {
            open_submissions: 0,
            submissions_per_day: 3,
            ..Quotas::default()
        },
    ];
    for (quotas, wanted) in quotas
        .into_iter()
        .zip([Quota::OpenSubmissions, Quota::SubmissionsPerDay])
    {
        let mut world = World::new().await;
        world.quotas = quotas;
        let offers: Vec<String> = (0..8).map(|i| format!("offer-{i}")).collect();
        let all = futures::future::join_all(offers.iter().map(|offer| submit(&world, offer))).await;
        assert_eq!(all.iter().filter(|done| done.is_ok()).count(), 3, "{all:?}");
        for refused in all.into_iter().filter_map(Result::err) {
            let Error::Quota(exceeded) = refused else {
                panic!("{refused:?}")
            };
            assert_eq!((exceeded.quota, exceeded.limit), (wanted, 3));
        }
        let mut db = world.db.acquire().await.unwrap();
        let used = store::used(&mut db, &world.scope, clock::now()).await;
        let used = used.unwrap();
        assert_eq!((used.open_submissions, used.submissions_today), (3, 3));
        drop(db);
        world.drop().await;
    }
}

#[tokio::test]
async fn far_from_the_limits_nobody_waits_for_another() {
    let world = World::new().await;
    let mut slow = Work::begin(&world.db).await.unwrap();
    begin(&world, &mut slow, "slow").await.unwrap();
    // Not all connections have another slot; some of these have.
    let mut through = 0;
    for i in 0..4 {
        let offer = format!("quick-{i}");
        let quick = tokio::time::timeout(Wait::from_secs(2), submit(&world, &offer));
        through += usize::from(quick.await.is_ok());
    }
    assert!(through > 0, "every one waited for the first");
    slow.commit().await.unwrap();
    let mut db = world.db.acquire().await.unwrap();
    let used = store::used(&mut db, &world.scope, clock::now()).await;
    assert_eq!(
        used.unwrap().submissions_today,
        i64::try_from(through).unwrap() + 1
    );
    drop(db);
    world.drop().await;
}
