use crate::setup::*;
use std::sync::Arc;
use uuid::Uuid;
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probe_throughput() {
    let setup = Setup::new().await;
    let (relay, consumer) = (setup.relay(&setup.publishing), setup.consume(&Arc::new(Effects)));
    setup.tell([changed(Uuid::now_v7())]).await;
    setup.until(EFFECTS, 1).await;
    let t = std::time::Instant::now();
    let setup = Arc::new(setup);
    futures::future::join_all((0..8).map(|_| { let setup = setup.clone(); async move { for _ in 0..250 { setup.tell([changed(Uuid::now_v7())]).await; } } })).await;
    println!("2000 told {:?}", t.elapsed());
    setup.until(EFFECTS, 2001).await;
    println!("2000 applied {:?}", t.elapsed());
    setup.until(WAITING, 0).await;
    println!("2000 marked {:?}", t.elapsed());
    relay.stop().await;
    for _ in 0..20 { setup.tell((0..500).map(|_| changed(Uuid::now_v7()))).await; }
    let t = std::time::Instant::now();
    let relay = setup.relay(&setup.publishing);
    setup.until(WAITING, 0).await;
    println!("10000 backlog published {:?}", t.elapsed());
    setup.until(EFFECTS, 12001).await;
    println!("10000 backlog applied {:?}", t.elapsed());
    relay.stop().await;
    consumer.stop().await;
}
