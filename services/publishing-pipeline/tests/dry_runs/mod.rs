//! Dry runs: who takes them, how many of a publisher at once, and what fences those who lost them.

use marketplace_messaging::Work;
use marketplace_runtime::access::Scope;
use marketplace_runtime::clock;
use marketplace_runtime::ids::new_id;
use publishing_pipeline::commands;
use publishing_pipeline::domain::{
    Depth, Draft, DryRun, DryRunEnded, DryRunState, NewDryRun, Target,
};
use publishing_pipeline::error::Error;
use publishing_pipeline::store;
use time::Duration;
use uuid::Uuid;

use crate::support::{World, profile, user};

const LEASE: Duration = Duration::seconds(3);

async fn made(world: &World, publisher: &str) -> DryRun {
    let new = NewDryRun {
        id: new_id(),
        offer_uid: new_id(),
        publisher: publisher.into(),
        offer: "db".into(),
        target: Target::Live,
        depth: Depth::Full,
        probe_endpoints: false,
        notes: "notes".into(),
        confirm: false,
        supersede: false,
        by: user(),
    };
    let run = DryRun::new(new, clock::now());
    let mut work = Work::begin(&world.db).await.unwrap();
    let run = commands::create_dry_run(&mut work, &world.quotas, run)
        .await
        .unwrap();
    work.commit().await.unwrap();
    run
}

async fn claimed(world: &World) -> Vec<DryRun> {
    let mut work = Work::begin(&world.db).await.unwrap();
    let claimed = store::claim_dry_runs(&mut work, clock::now(), LEASE, 2, 8)
        .await
        .unwrap();
    work.commit().await.unwrap();
    claimed
}

async fn written(world: &World, run: &mut DryRun) -> bool {
    let mut work = Work::begin(&world.db).await.unwrap();
    let written = commands::write_dry_run(&mut work, run).await.unwrap();
    work.commit().await.unwrap();
    written
}

async fn read(world: &World, run: &DryRun) -> DryRun {
    let mut db = world.db.acquire().await.unwrap();
    let scope = Scope::system(&run.publisher);
    store::find_dry_run(&mut db, &scope, &run.offer, run.id)
        .await
        .unwrap()
        .unwrap()
}

fn ids(runs: &[DryRun]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = runs.iter().map(|run| run.id).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn two_of_a_publisher_are_at_work_and_the_oldest_waits_least() {
    let world = World::new().await;
    let mut waiting = Vec::new();
    for _ in 0..5 {
        waiting.push(made(&world, "contoso").await);
    }
    let other = made(&world, "fabrikam").await;
    // Four processes at once take no more than one would.
    let (a, b, c, d) = tokio::join!(
        claimed(&world),
        claimed(&world),
        claimed(&world),
        claimed(&world)
    );
    let taken = [a, b, c, d].concat();
    assert_eq!(ids(&taken), [waiting[0].id, waiting[1].id, other.id]);
    assert!(
        taken
            .iter()
            .all(|run| run.attempt == 1 && run.start_time.is_some())
    );
    assert!(claimed(&world).await.is_empty());
    // Given back, it is the oldest again; ended, it makes room for the next.
    let mine = |id: Uuid| taken.iter().find(|run| run.id == id).unwrap().clone();
    let first = mine(waiting[0].id);
    store::release_dry_run(world.db.pool(), &first)
        .await
        .unwrap();
    let again = claimed(&world).await;
    assert_eq!(ids(&again), [first.id]);
    assert_eq!(again[0].attempt, 2);
    assert_eq!(again[0].start_time, first.start_time);
    let mut second = mine(waiting[1].id);
    second.finish(clock::now()).unwrap();
    assert!(written(&world, &mut second).await);
    assert_eq!(ids(&claimed(&world).await), [waiting[2].id]);
    world.drop().await;
}

#[tokio::test]
async fn what_was_found_is_there_for_whoever_goes_on_and_who_lost_it_writes_nothing() {
    let world = World::new().await;
    made(&world, "contoso").await;
    let mut run = claimed(&world).await.remove(0);
    run.plan(Draft {
        etag: "7".into(),
        profile: Some(profile("s".into(), "d".into())),
        ..Draft::default()
    });
    run.begin(0, clock::now());
    assert!(written(&world, &mut run).await);
    assert!(
        store::keep_dry_run(world.db.pool(), &run, LEASE)
            .await
            .unwrap()
    );
    assert!(claimed(&world).await.is_empty());
    let gone = "UPDATE publishing.dry_runs SET lease_until = now() - interval '1 second'";
    sqlx::raw_sql(gone)
        .execute(&mut world.superuser().await)
        .await
        .unwrap();
    let taken = claimed(&world).await.remove(0);
    assert_eq!((taken.attempt, taken.revision), (2, run.revision));
    assert_eq!(taken.record, run.record);
    assert!(!written(&world, &mut run.clone()).await, "it is another's");
    let kept = store::keep_dry_run(world.db.pool(), &run, LEASE).await;
    assert!(!kept.unwrap());
    store::release_dry_run(world.db.pool(), &run).await.unwrap();
    assert!(claimed(&world).await.is_empty(), "nor is it given back");
    world.drop().await;
}

#[tokio::test]
async fn a_cancel_is_final_and_keeps_what_was_found() {
    let world = World::new().await;
    let made = made(&world, "contoso").await;
    let mut run = claimed(&world).await.remove(0);
    let name = world.offer.dry_run(made.id);
    let cancel = async || {
        let mut work = Work::begin(&world.db).await.unwrap();
        let done = commands::cancel_dry_run(&mut work, &world.scope, &name, clock::now()).await;
        work.commit().await.unwrap();
        done
    };
    assert_eq!(cancel().await.unwrap().state, DryRunState::Canceled);
    assert!(matches!(
        cancel().await,
        Err(Error::DryRunEnded(DryRunEnded(DryRunState::Canceled)))
    ));
    run.finish(clock::now()).unwrap();
    assert!(!written(&world, &mut run).await);
    let read = read(&world, &made).await;
    assert_eq!((read.state, read.revision), (DryRunState::Canceled, 2));
    assert!(claimed(&world).await.is_empty());
    // Another publisher has none of this name.
    let scope = Scope::system("fabrikam");
    let mut db = world.db.acquire().await.unwrap();
    let other = store::find_dry_run(&mut db, &scope, "db", made.id).await;
    assert_eq!(other.unwrap(), None);
    drop(db);
    // 30 days later it is forgotten; one that hasn't ended never is.
    let waiting = self::made(&world, "contoso").await;
    store::forget_dry_runs(world.db.pool(), clock::now() + Duration::days(1))
        .await
        .unwrap();
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM publishing.dry_runs WHERE id = $1")
        .bind(waiting.id)
        .fetch_one(world.db.pool())
        .await
        .unwrap();
    let all: i64 = sqlx::query_scalar("SELECT count(*) FROM publishing.dry_runs")
        .fetch_one(world.db.pool())
        .await
        .unwrap();
    assert_eq!((left, all), (1, 1));
    world.drop().await;
}

#[tokio::test]
async fn a_publisher_has_as_many_at_once_as_its_quota_says() {
    let mut world = World::new().await;
    world.quotas.dry_runs_running = 3;
    for _ in 0..3 {
        made(&world, "contoso").await;
    }
    let first = made(&world, "fabrikam").await;
    let mut more = first;
    (more.id, more.publisher) = (new_id(), "contoso".into());
    let mut work = Work::begin(&world.db).await.unwrap();
    let refused = commands::create_dry_run(&mut work, &world.quotas, more).await;
    assert!(matches!(refused, Err(Error::Quota(_))));
    drop(work);
    world.drop().await;
}
