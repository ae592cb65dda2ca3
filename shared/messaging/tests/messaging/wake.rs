//! Wake-ups across replicas.

use std::time::Duration;

use marketplace_messaging::{Work, wake};
use tokio_util::sync::CancellationToken;

use crate::setup::Setup;

#[tokio::test]
async fn a_commit_wakes_the_other_replica() {
    let setup = Setup::new().await;
    let (here, there) = (setup.publishing.clone(), setup.publishing_replica());
    let stop = CancellationToken::new();
    let sharing = [here.clone(), there.clone()]
        .map(|replica| tokio::spawn(wake::share(replica, stop.clone())));
    setup
        .until("SELECT count(*) FROM publishing.replicas", 2)
        .await;
    let mut woken = there.wake().on("submission:1");
    // Until the first replica has seen the second (within a second), nothing is sent.
    let mut heard = false;
    for _ in 0..30 {
        let mut work = Work::begin(&here).await.unwrap();
        work.wake("submission:1");
        work.commit().await.unwrap();
        heard = woken.within(Duration::from_millis(100)).await;
        if heard {
            break;
        }
    }
    assert!(heard);
    let mut other_topic = there.wake().on("submission:2");
    // A hint may be lost: whoever waits looks once a second besides.
    let mut heard = false;
    for _ in 0..50 {
        here.wake().notify("submission:1");
        heard = woken.within(Duration::from_millis(100)).await;
        if heard {
            break;
        }
    }
    assert!(heard);
    assert!(!other_topic.within(Duration::from_millis(50)).await);
    stop.cancel();
    for task in sharing {
        task.await.unwrap();
    }
    setup.end().await;
}
