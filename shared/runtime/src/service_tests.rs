//! The order in which a service stops, and what ends it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jsonwebtoken::Algorithm;
use tokio::time::Instant;

use crate::server::Server;
use crate::service::Service;
use crate::tasks::Tasks;
use crate::testing::{Folder, Signer, common};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<&'static str>>>);

impl Log {
    fn note(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }

    fn read(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

async fn serve(tasks: Tasks) -> Service {
    let folder = Folder::new();
    let signer = Signer::new(Algorithm::EdDSA, "local-1");
    Server::new("marketplace.test.v1", &common(&folder, &[&signer]))
        .start(tasks)
        .await
        .unwrap()
}

#[tokio::test]
async fn intake_stops_then_tracked_work_then_the_relay() {
    let log = Log::default();
    let mut tasks = Tasks::new();
    let (consumer, relay, work, timer) = (log.clone(), log.clone(), log.clone(), log.clone());
    tasks.spawn_until("consumer", |stop| async move {
        stop.cancelled().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        consumer.note("consumer finished its message");
    });
    tasks.spawn_last("relay", |stop| async move {
        stop.cancelled().await;
        relay.note("relay drained");
    });
    tasks.spawn("timer", async move {
        std::future::pending::<()>().await;
        timer.note("never");
    });
    let tracked = tasks.tracked();
    let service = serve(tasks).await;
    let waiting = tracked.run(async move {
        tokio::time::sleep(Duration::from_millis(150)).await;
        work.note("tracked work ended");
    });
    // The caller goes away; its work doesn't.
    assert!(
        tokio::time::timeout(Duration::from_millis(10), waiting)
            .await
            .is_err()
    );
    service.stop().await.unwrap();
    assert_eq!(
        log.read(),
        [
            "consumer finished its message",
            "tracked work ended",
            "relay drained"
        ]
    );
}

#[tokio::test]
async fn the_signal_stops_it_and_all_is_well() {
    let mut tasks = Tasks::new();
    tasks.spawn("timer", std::future::pending::<()>());
    let service = serve(tasks).await;
    service
        .run_until(tokio::time::sleep(Duration::from_millis(20)))
        .await
        .unwrap();
}

fn tasks_may_not_panic() -> bool {
    false
}

#[tokio::test]
async fn a_task_that_ends_ends_the_service() {
    type Start = fn(&mut Tasks);
    let table: [(&str, Start, &str); 4] = [
        (
            "returns",
            |tasks| tasks.spawn("sweep", async {}),
            "task sweep ended: it returned",
        ),
        (
            "fails",
            |tasks| {
                tasks.spawn("sweep", async {
                    anyhow::Result::<()>::Err(anyhow::anyhow!("no"))
                })
            },
            "task sweep ended: no",
        ),
        (
            "panics",
            |tasks| tasks.spawn("sweep", async { assert!(tasks_may_not_panic(), "boom") }),
            "panicked",
        ),
        (
            "the relay returns",
            |tasks| tasks.spawn_last("relay", |_| async {}),
            "task relay ended",
        ),
    ];
    for (name, start, expected) in table {
        let mut tasks = Tasks::new();
        start(&mut tasks);
        let error = serve(tasks)
            .await
            .run_until(std::future::pending())
            .await
            .unwrap_err();
        assert!(format!("{error:#}").contains(expected), "{name}: {error:#}");
    }
}

#[tokio::test]
async fn who_does_not_stop_is_cut_at_the_end_of_the_grace_period() {
    let mut tasks = Tasks::new();
    tasks.spawn_until("deaf", |_| std::future::pending::<()>());
    let service = serve(tasks).await;
    let begun = Instant::now();
    let error = service.stop().await.unwrap_err();
    assert!(error.to_string().contains("did not end in time"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn work_that_panics_is_told_to_who_waits() {
    let tracked = Tasks::new().tracked();
    assert!(
        tracked
            .run(async { assert!(tasks_may_not_panic()) })
            .await
            .is_err()
    );
    assert_eq!(tracked.run(async { 7 }).await.unwrap(), 7);
}
