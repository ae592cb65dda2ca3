//! Customers' leads on their way: taken once, tried again when they are due, and settled for good.

use marketplace_runtime::clock;
use publishing_pipeline::store::{self, DueLead};
use time::Duration;
use uuid::Uuid;

use crate::support::World;

const LEASE: Duration = Duration::minutes(2);

#[tokio::test]
async fn pv_9_a_lead_is_held_by_one_tried_again_when_due_and_given_up_for_good() {
    let world = World::new().await;
    let mut db = world.db.acquire().await.unwrap();
    let now = clock::now();
    let lead = Uuid::now_v7();
    let offer = world.offer_uid;
    for _ in 0..2 {
        // News that comes again changes nothing.
        store::put_leads(&mut db, &[(lead, offer)], now)
            .await
            .unwrap();
    }
    let mut due = async |at| {
        let due = store::claim_leads(&mut db, at, at + LEASE, 8).await;
        due.unwrap()
    };
    let nth = |attempts| vec![DueLead { lead, attempts }];
    assert_eq!(due(now).await, nth(1));
    assert_eq!(due(now).await, [], "its lease holds");
    let later = now + LEASE;
    assert_eq!(due(later).await, nth(2), "who had it is gone");
    let mut other = world.db.acquire().await.unwrap();
    let (first, second) = (&nth(1)[0], &nth(2)[0]);
    store::lead_failed(&mut other, first, "late", None, later)
        .await
        .unwrap();
    let again = Some(later + Duration::seconds(30));
    store::lead_failed(&mut other, second, "503", again, later)
        .await
        .unwrap();
    assert_eq!(due(later + Duration::seconds(29)).await, []);
    let last = later + Duration::seconds(30);
    assert_eq!(due(last).await, nth(3), "a late word was not heard");
    store::lead_failed(&mut other, &nth(3)[0], "503", None, last)
        .await
        .unwrap();
    assert_eq!(due(last + Duration::days(20)).await, [], "given up");
    drop((db, other));
    world.drop().await;
}

#[tokio::test]
async fn pv_9_a_lead_that_was_taken_stays_so_whatever_is_said_later() {
    let world = World::new().await;
    let mut db = world.db.acquire().await.unwrap();
    let (now, lead) = (clock::now(), Uuid::now_v7());
    let offer = world.offer_uid;
    store::put_leads(&mut db, &[(lead, offer)], now)
        .await
        .unwrap();
    let due = store::claim_leads(&mut db, now, now + LEASE, 8)
        .await
        .unwrap();
    store::lead_delivered(&mut db, lead, now).await.unwrap();
    store::lead_failed(&mut db, &due[0], "late", Some(now), now)
        .await
        .unwrap();
    let later = now + Duration::days(20);
    let due = store::claim_leads(&mut db, later, later, 8).await.unwrap();
    assert_eq!(due, []);
}
