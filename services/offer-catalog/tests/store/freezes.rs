//! Freezes: what they fix, what they keep from being deleted, and how they are given back.

use crate::support::pipeline::publication;
use crate::support::{Bench, Offer, PUBLISHER, listing, pricing, reason, submission, system};
use marketplace_runtime::clock;
use marketplace_runtime::ids::SnapshotName;
use offer_catalog::commands::freezes::Frozen;
use offer_catalog::commands::{audiences, offers, plans};
use offer_catalog::domain::freeze::Wanted as Freeze;
use offer_catalog::domain::offer::Publication;
use offer_catalog::pages::PageId;
use offer_catalog::store;
use serde_json::json;

#[tokio::test]
async fn one_freeze_fixes_the_content_and_later_ones_only_stamp_stops() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let submission = submission();
    let first = bench.freeze(&offer, submission, &[]).await.unwrap();
    assert!(first.profile.changed && first.profile.transactable);
    assert_eq!(first.profile.plans.len(), 2);
    bench
        .save(
            offer.uid,
            "",
            PageId::OfferListing,
            listing(&offer.name, "Another title"),
        )
        .await;
    let again = bench.freeze(&offer, submission, &[]).await.unwrap();
    assert_eq!(
        (&again.snapshot.digest, again.profile.offer_title.as_str()),
        (&first.snapshot.digest, "Contoso Forge")
    );
    let stopped = bench.freeze(&offer, submission, &["team"]).await.unwrap();
    assert_ne!(stopped.snapshot.digest, first.snapshot.digest);
    let restored = Freeze {
        submission,
        restored: vec!["team".into()],
        ..Freeze::default()
    };
    assert_eq!(
        bench
            .freeze_as(&offer, &restored)
            .await
            .unwrap()
            .snapshot
            .digest,
        first.snapshot.digest
    );
    let read = bench.read(&offer.name).await.unwrap();
    assert!(read.ever_frozen);
    let twin = crate::support::submission();
    assert_ne!(
        bench
            .freeze(&offer, twin, &[])
            .await
            .unwrap()
            .snapshot
            .digest,
        first.snapshot.digest
    );
    bench.end().await;
}

#[tokio::test]
async fn a_freeze_refuses_what_was_changed_or_is_incomplete_and_a_look_leaves_nothing() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let stale = Freeze {
        submission: submission(),
        etag: Some(1),
        ..Freeze::default()
    };
    assert_eq!(reason(bench.freeze_as(&offer, &stale).await), "STALE_ETAG");
    bench
        .save(offer.uid, "", PageId::Properties, json!({}))
        .await;
    let refused = bench.freeze(&offer, submission(), &[]).await;
    let Err(offer_catalog::error::Error::PagesIncomplete {
        total,
        pages,
        violations,
    }) = refused
    else {
        panic!("not refused")
    };
    assert!(
        total > 0 && violations.len() <= 20 && pages.contains(&"Properties".to_owned()),
        "{total} {pages:?}"
    );
    assert!(
        !bench.read(&offer.name).await.unwrap().ever_frozen,
        "a refused freeze leaves no mark"
    );
    bench.end().await;
}

#[tokio::test]
async fn t34_either_the_freeze_is_first_or_there_is_no_offer() {
    let bench = Bench::new().await;
    let scope = system(PUBLISHER);
    let (mut frozen_first, mut deleted_first) = (0, 0);
    for round in 0..60 {
        if round >= 12 && frozen_first > 0 && deleted_first > 0 {
            break;
        }
        let offer = bench.complete(&format!("race-{round}")).await;
        let wanted = Freeze {
            submission: submission(),
            etag: Some(bench.read(&offer.name).await.unwrap().revision),
            ..Freeze::default()
        };
        let delete =
            bench.run(async |db| offers::delete(db, &scope, &offer.name, None, clock::now()).await);
        let freeze = bench.freeze_as(&offer, &wanted);
        // Who is asked first has a start, and not always won by it.
        let (frozen, deleted) = if round % 2 == 0 {
            tokio::join!(freeze, delete)
        } else {
            let (deleted, frozen) = tokio::join!(delete, freeze);
            (frozen, deleted)
        };
        let is_there = bench.read(&offer.name).await.is_some();
        match (frozen.map(drop), deleted) {
            (Ok(()), refused @ Err(_)) => {
                frozen_first += 1;
                assert_eq!((reason(refused).as_str(), is_there), ("EVER_FROZEN", true));
            }
            (refused @ Err(_), Ok(())) => {
                deleted_first += 1;
                assert_eq!((reason(refused).as_str(), is_there), ("NOT_FOUND", false));
            }
            other => panic!("both or none: {other:?}"),
        }
    }
    assert!(
        frozen_first > 0 && deleted_first > 0,
        "{frozen_first} times frozen first, {deleted_first} times deleted first: that was no race"
    );
    bench.end().await;
}

async fn delete_plan(bench: &Bench, offer: &Offer, plan: &str) -> String {
    let (name, scope) = (offer.name.plan(plan), system(PUBLISHER));
    let delete = bench.run(async |db| plans::delete(db, &scope, &name, None, clock::now()).await);
    reason(delete.await)
}

async fn delete_offer(bench: &Bench, offer: &Offer) -> String {
    let scope = system(PUBLISHER);
    let delete =
        bench.run(async |db| offers::delete(db, &scope, &offer.name, None, clock::now()).await);
    reason(delete.await)
}

#[tokio::test]
async fn t04_a_later_freeze_of_a_submission_is_open_again() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let first = submission();
    bench.freeze(&offer, first, &[]).await.unwrap();
    let over = Publication {
        latest_submission: Some(first),
        ..publication(2)
    };
    bench.news(&offer, over, &[], vec![]).await;
    bench.freeze(&offer, first, &["team"]).await.unwrap();
    assert_eq!(delete_plan(&bench, &offer, "partner").await, "PLAN_FROZEN");
    bench.end().await;
}

#[tokio::test]
async fn t34_a_freeze_that_was_given_back_keeps_nobody_from_deleting() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let refused = submission();
    bench.freeze(&offer, refused, &[]).await.unwrap();
    assert_eq!(delete_plan(&bench, &offer, "partner").await, "PLAN_FROZEN");
    assert_eq!(delete_offer(&bench, &offer).await, "EVER_FROZEN");
    bench.release(&offer, refused).await;
    bench.release(&offer, refused).await;
    bench.release(&offer, submission()).await;
    assert_eq!(
        delete_plan(&bench, &offer, "partner").await,
        "nothing was refused"
    );
    assert_eq!(delete_offer(&bench, &offer).await, "nothing was refused");
    bench.release(&offer, refused).await;
    bench.end().await;
}

#[tokio::test]
async fn t34_a_freeze_that_was_given_back_begins_anew() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let twice = Freeze {
        submission: submission(),
        etag: Some(bench.read(&offer.name).await.unwrap().revision),
        ..Freeze::default()
    };
    bench.freeze_as(&offer, &twice).await.unwrap();
    bench.release(&offer, twice.submission).await;
    let page = listing(&offer.name, "Another title");
    bench.save(offer.uid, "", PageId::OfferListing, page).await;
    assert_eq!(
        delete_plan(&bench, &offer, "partner").await,
        "nothing was refused"
    );
    assert_eq!(reason(bench.freeze_as(&offer, &twice).await), "STALE_ETAG");
    let anew = bench.freeze(&offer, twice.submission, &[]).await.unwrap();
    assert_eq!(anew.profile.offer_title, "Another title");
    assert_eq!(anew.profile.plans.len(), 1, "what was deleted stays so");
    let again = bench.freeze_as(&offer, &twice).await.unwrap();
    assert_eq!(
        again.snapshot.digest, anew.snapshot.digest,
        "the first one that holds counts"
    );
    bench.end().await;
}

#[tokio::test]
async fn t04_the_loser_of_two_publishes_gives_back_its_own_freeze_only() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let (winner, loser) = (submission(), submission());
    bench.freeze(&offer, winner, &[]).await.unwrap();
    bench.freeze(&offer, loser, &[]).await.unwrap();
    bench.release(&offer, loser).await;
    assert_eq!(delete_plan(&bench, &offer, "partner").await, "PLAN_FROZEN");
    assert_eq!(delete_offer(&bench, &offer).await, "EVER_FROZEN");
    let over = Publication {
        latest_submission: Some(winner),
        ..publication(2)
    };
    bench.news(&offer, over, &[], vec![]).await;
    assert_eq!(
        delete_plan(&bench, &offer, "partner").await,
        "nothing was refused",
        "the loser's id is the greater, and its freeze is over all the same"
    );
    assert_eq!(delete_offer(&bench, &offer).await, "EVER_FROZEN");
    bench.end().await;
}

#[tokio::test]
async fn t34_a_freeze_that_was_given_back_too_early_holds_again() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let taken_over = submission();
    bench.freeze(&offer, taken_over, &[]).await.unwrap();
    bench.release(&offer, taken_over).await;
    let begun = Publication {
        latest_submission: Some(taken_over),
        ..publication(1)
    };
    bench.news(&offer, begun, &[taken_over], vec![]).await;
    assert_eq!(delete_offer(&bench, &offer).await, "EVER_FROZEN");
    assert_eq!(delete_plan(&bench, &offer, "partner").await, "PLAN_FROZEN");
    bench.end().await;
}

/// What the catalogue says of a freeze after this one.
async fn refrozen(bench: &Bench, offer: &Offer, previous: &str) -> Frozen {
    let wanted = Freeze {
        submission: submission(),
        etag: Some(bench.read(&offer.name).await.unwrap().revision),
        previous: Some(previous.into()),
        ..Freeze::default()
    };
    bench.freeze_as(offer, &wanted).await.unwrap();
    // Again, as PublishOffer does when stops change meanwhile: the same is said.
    bench.freeze_as(offer, &wanted).await.unwrap()
}

#[tokio::test]
async fn a30_another_private_audience_alone_is_a_change() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let first = bench.freeze(&offer, submission(), &[]).await.unwrap();
    let same = refrozen(&bench, &offer, &first.snapshot.digest).await;
    assert!(!same.profile.changed);
    bench
        .save(
            offer.uid,
            "partner",
            PageId::PlanPricing,
            pricing("PRIVATE", &["22222222-2222-4222-8222-222222222222"]),
        )
        .await;
    let other = refrozen(&bench, &offer, &first.snapshot.digest).await;
    assert!(
        other.profile.changed,
        "SY-3: a new kind of id needs a publish"
    );
    assert_eq!(
        other.snapshot.digest, first.snapshot.digest,
        "audiences are no content"
    );
    bench.end().await;
}

#[tokio::test]
async fn a30_an_audience_that_is_synced_already_is_no_change() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let live = submission();
    let digest = bench.previewed(&offer, live, 1).await;
    bench.activate(&offer, live, &digest, 3).await;
    let page = pricing("PRIVATE", &["22222222-2222-4222-8222-222222222222"]);
    bench
        .save(offer.uid, "partner", PageId::PlanPricing, page)
        .await;
    assert!(refrozen(&bench, &offer, &digest).await.profile.changed);
    let (scope, plan) = (system(PUBLISHER), offer.name.plan("partner"));
    bench
        .run(async |db| audiences::sync(db, &scope, &plan, clock::now()).await)
        .await
        .unwrap();
    assert!(!refrozen(&bench, &offer, &digest).await.profile.changed);
    bench.end().await;
}

/// A byte of every snapshot is changed so that it can still be read.
const REWORDED: &str = "UPDATE offer_catalog.snapshots SET bytes = \
     convert_to(replace(convert_from(bytes, 'UTF8'), 'code review', 'Code review'), 'UTF8')";
/// So that it can't.
const BROKEN: &str = "UPDATE offer_catalog.snapshots SET bytes = set_byte(bytes, 0, 64)";

#[tokio::test]
async fn t23_a_damaged_snapshot_keeps_nobody_from_publishing_again() {
    for damage in [REWORDED, BROKEN] {
        let bench = Bench::new().await;
        let offer = bench.complete("forge").await;
        let first = submission();
        let digest = bench.previewed(&offer, first, 1).await;
        bench.activate(&offer, first, &digest, 3).await;
        bench.tamper(damage).await;
        let again = Freeze {
            submission: first,
            ..Freeze::default()
        };
        let refused = bench.freeze_as(&offer, &again).await.map(drop);
        assert!(
            matches!(refused, Err(offer_catalog::error::Error::Damaged(_))),
            "what was tampered with gets no digest of its own: {refused:?}"
        );
        let mut draft = json!({"selling": "LISTING_ONLY", "call_to_action": "CONTACT_ME"});
        draft["lead_destination"] =
            json!({"https_endpoint": {"url": "https://leads.contoso.example/in"}});
        bench.save(offer.uid, "", PageId::OfferSetup, draft).await;
        let refused = bench.freeze(&offer, submission(), &[]).await.map(drop);
        let Err(offer_catalog::error::Error::PagesIncomplete { violations, .. }) = refused else {
            panic!("{refused:?}")
        };
        assert!(
            violations
                .iter()
                .any(|one| one.reason.as_deref() == Some("FROZEN_BY_PUBLISH")),
            "OS-5: what was live is known by the rows that are served: {violations:?}"
        );
        let leads = json!({"https_endpoint": {"url": "https://leads.contoso.example/in"}});
        let setup = json!({"selling": "LIST_AND_SELL", "lead_destination": leads});
        bench.save(offer.uid, "", PageId::OfferSetup, setup).await;
        let next = refrozen(&bench, &offer, &digest).await;
        assert_eq!(next.snapshot.digest, digest);
        assert!(
            !next.profile.changed,
            "the same content, frozen again, has mended the snapshot"
        );
        bench.tamper(damage).await;
        bench
            .save(
                offer.uid,
                "",
                PageId::OfferListing,
                listing(&offer.name, "The next one"),
            )
            .await;
        let next = refrozen(&bench, &offer, &digest).await;
        assert!(next.profile.changed && next.snapshot.digest != digest);
        assert!(next.profile.pages_changed.contains(&PageId::Properties));
        bench.end().await;
    }
}

/// A dry run's snapshot is for the eyes of other services: no version of the offer, no mark, gone after its day, unless a
/// submission fixes the same.
#[tokio::test]
async fn what_a_dry_run_looks_at_is_kept_for_a_day_and_is_no_version_of_the_offer() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let digest = bench.look(&offer).await.unwrap().snapshot.digest;
    assert!(!bench.read(&offer.name).await.unwrap().ever_frozen);
    let name = SnapshotName::new(PUBLISHER, &offer.name.offer, &digest);
    let seen = async || {
        let mut db = bench.db.acquire().await.unwrap();
        let by_name = store::snapshots::by_name(&mut db, &name).await.unwrap();
        let version = store::snapshots::of_offer(&mut db, offer.uid, &digest)
            .await
            .unwrap();
        (by_name.is_some(), version.is_some())
    };
    assert_eq!(seen().await, (true, false));
    let rollback = Freeze {
        submission: submission(),
        source: Some(digest.clone()),
        ..Freeze::default()
    };
    assert_eq!(
        reason(bench.freeze_as(&offer, &rollback).await),
        "NOT_FOUND"
    );
    let expire = async |hours| {
        let mut db = bench.db.acquire().await.unwrap();
        let then = clock::now() + time::Duration::hours(hours);
        store::snapshots::expire(&mut db, then, 10).await.unwrap()
    };
    assert_eq!(expire(23).await, 0);
    assert_eq!(expire(25).await, 1);
    assert_eq!(seen().await, (false, false));
    // What a submission fixes stays, whoever came first.
    bench.look(&offer).await.unwrap();
    let frozen = bench.freeze(&offer, submission(), &[]).await.unwrap();
    assert_eq!(frozen.snapshot.digest, digest);
    bench.look(&offer).await.unwrap();
    assert_eq!(expire(25).await, 0);
    assert_eq!(seen().await, (true, true));
    bench.end().await;
}

#[tokio::test]
async fn a_look_answers_every_error_of_pages_and_keeps_no_offer_from_being_deleted() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    bench.look(&offer).await.unwrap();
    bench
        .save(offer.uid, "", PageId::Properties, json!({}))
        .await;
    let looked = bench.look(&offer).await.unwrap();
    assert!(looked.issues.iter().any(|i| i.page == PageId::Properties));
    let mut db = bench.db.acquire().await.unwrap();
    let name = SnapshotName::new(PUBLISHER, &offer.name.offer, &looked.snapshot.digest);
    let kept = store::snapshots::by_name(&mut db, &name).await.unwrap();
    assert!(kept.is_none(), "incomplete, it is not to be looked at");
    drop(db);
    let scope = system(PUBLISHER);
    bench
        .run(async |db| offers::delete(db, &scope, &offer.name, None, clock::now()).await)
        .await
        .unwrap();
    assert_eq!(reason(bench.look(&offer).await), "NOT_FOUND");
    bench.end().await;
}
