//! Previews, activations and removals: what is served is what was frozen (PB-1), and customers see one or the other.

use crate::support::pipeline::{activation, order, publication};
use crate::support::{Bench, Offer, PUBLISHER, listing, pricing, reason, submission, system};
use marketplace_runtime::clock;
use offer_catalog::commands::audiences;
use offer_catalog::domain::offer::{Publication, Status};
use offer_catalog::domain::order::{Answer, Wanted};
use offer_catalog::pages::PageId;
use offer_catalog::store;
use serde_json::json;

#[tokio::test]
async fn pv5_a_preview_is_served_when_sign_off_is_reached_and_revokes_the_one_before() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let first = submission();
    let digest = bench
        .freeze(&offer, first, &[])
        .await
        .unwrap()
        .snapshot
        .digest;
    let prepare = order(&offer, first, &digest, 1, Wanted::Preview);
    let latest = Publication {
        latest_submission: Some(first),
        ..publication(1)
    };
    bench
        .news(&offer, latest, &[first], vec![prepare.clone()])
        .await;
    assert_eq!(
        bench.answer(&prepare.key).await,
        Some(Answer::PreviewPrepared {
            digest: digest.clone()
        })
    );
    assert!(
        bench.tokens(&offer, first).await.is_empty(),
        "prepared is served to nobody"
    );
    let reached = Publication {
        preview_submission: Some(first),
        latest_submission: Some(first),
        ..publication(2)
    };
    bench.news(&offer, reached.clone(), &[first], vec![]).await;
    let tokens = bench.tokens(&offer, first).await;
    assert!(!tokens.is_empty() && bench.opens(&tokens[0]).await);
    bench
        .news(
            &offer,
            Publication {
                revision: 3,
                ..reached
            },
            &[first],
            vec![],
        )
        .await;
    assert_eq!(
        bench.tokens(&offer, first).await,
        tokens,
        "news of the same preview changes no link"
    );
    assert_eq!(
        bench
            .told()
            .await
            .iter()
            .filter(|key| key.ends_with("preview_served"))
            .count(),
        1
    );
    let second = submission();
    bench.previewed(&offer, second, 4).await;
    assert!(!bench.opens(&tokens[0]).await);
    let newer = bench.tokens(&offer, second).await;
    assert!(bench.opens(&newer[0]).await);
    bench
        .news(
            &offer,
            Publication {
                latest_submission: Some(second),
                ..publication(6)
            },
            &[],
            vec![],
        )
        .await;
    assert!(!bench.opens(&newer[0]).await, "withdrawn");
    bench.end().await;
}

#[tokio::test]
async fn pb1_what_was_previewed_goes_live_and_the_draft_changes_nothing_of_it() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let first = submission();
    let digest = bench.previewed(&offer, first, 1).await;
    bench.activate(&offer, first, &digest, 3).await;
    let key = order(&offer, first, &digest, 3, activation(&digest)).key;
    assert_eq!(
        bench.answer(&key).await,
        Some(Answer::OfferActivated {
            digest: digest.clone()
        })
    );
    assert_eq!(
        bench.live(&offer).await,
        Some(("Contoso Forge".into(), digest.clone()))
    );
    bench
        .save(
            offer.uid,
            "",
            PageId::OfferListing,
            listing(&offer.name, "A draft"),
        )
        .await;
    let second = submission();
    bench.previewed(&offer, second, 4).await;
    assert_eq!(
        bench.live(&offer).await,
        Some(("Contoso Forge".into(), digest.clone())),
        "PV-11"
    );
    let told = bench.told().await.len();
    let again = order(&offer, first, &digest, 6, activation(&digest));
    bench
        .news(
            &offer,
            Publication {
                preview_submission: Some(second),
                ..publication(6)
            },
            &[second],
            vec![again],
        )
        .await;
    assert_eq!(
        bench.told().await[told..],
        ["offercatalog.v1.offer_activated"],
        "the stored answer, once more"
    );
    assert_eq!(
        bench.live(&offer).await,
        Some(("Contoso Forge".into(), digest))
    );
    bench.end().await;
}

/// Previews an offer over a live one, lets `fault` happen, activates: nothing may change for customers.
async fn activation_after(fault: impl AsyncFnOnce(&Bench, &Offer)) {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let first = submission();
    let live = bench.previewed(&offer, first, 1).await;
    bench.activate(&offer, first, &live, 3).await;
    bench
        .save(
            offer.uid,
            "",
            PageId::OfferListing,
            listing(&offer.name, "The next one"),
        )
        .await;
    let second = submission();
    let digest = bench.previewed(&offer, second, 4).await;
    fault(&bench, &offer).await;
    bench.activate(&offer, second, &digest, 6).await;
    let key = order(&offer, second, &digest, 6, activation(&digest)).key;
    let answer = bench.answer(&key).await;
    assert!(
        matches!(&answer, Some(Answer::Failed { reason, .. }) if reason == "DIGEST_MISMATCH"),
        "{answer:?}"
    );
    assert_eq!(
        bench.live(&offer).await,
        Some(("Contoso Forge".into(), live))
    );
    bench.end().await;
}

#[tokio::test]
async fn pb1_a_changed_listing_row_is_not_served() {
    activation_after(async |bench, _| {
        bench
            .tamper(
                "UPDATE offer_catalog.listing_pages SET content = jsonb_set(content, '{summary}', '\"Other\"')
                 WHERE page = 'offer_listing' AND listing_id IN
                   (SELECT listing_id FROM offer_catalog.listings WHERE stage = 'preview')",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn pb1_a_private_plan_made_public_in_its_row_is_not_served() {
    activation_after(async |bench, _| {
        bench
            .tamper(
                "UPDATE offer_catalog.listing_plans SET private = false WHERE private AND listing_id IN
                   (SELECT listing_id FROM offer_catalog.listings WHERE stage = 'preview')",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn pb1_an_asset_whose_row_names_another_content_is_not_served() {
    activation_after(async |bench, _| {
        bench
            .tamper(
                "UPDATE offer_catalog.listing_assets a SET digest = b.digest FROM offer_catalog.listing_assets b
                 WHERE b.listing_id = a.listing_id AND b.digest <> a.digest AND a.listing_id IN
                   (SELECT listing_id FROM offer_catalog.listings WHERE stage = 'preview')",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn pb1_a_changed_snapshot_is_not_served() {
    activation_after(async |bench, _| {
        bench
            .tamper(
                "UPDATE offer_catalog.snapshots SET bytes = set_byte(bytes, 40, get_byte(bytes, 40) # 1)
                 WHERE digest IN (SELECT digest FROM offer_catalog.listings WHERE stage = 'preview')",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn pb1_changed_content_of_an_asset_is_not_served() {
    activation_after(async |bench, offer| {
        std::fs::write(bench.object(&offer.logo), "something else").unwrap();
    })
    .await;
}

#[tokio::test]
async fn pb1_an_asset_that_is_gone_is_not_served() {
    activation_after(async |bench, offer| {
        std::fs::remove_file(bench.object(&offer.logo)).unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_older_order_is_answered_superseded_and_changes_nothing() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let first = submission();
    let digest = bench.previewed(&offer, first, 5).await;
    let older = submission();
    let late = order(&offer, older, &digest, 2, Wanted::Preview);
    bench
        .news(&offer, publication(2), &[], vec![late.clone()])
        .await;
    assert_eq!(bench.answer(&late.key).await, Some(Answer::Superseded));
    let read = bench.read(&offer.name).await.unwrap();
    assert_eq!(
        (read.publication.revision, read.publication.status),
        (6, Status::Preview),
        "older news of state"
    );
    assert!(!bench.tokens(&offer, first).await.is_empty());
    bench.end().await;
}

#[tokio::test]
async fn t27_a_removed_offer_is_found_no_longer() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let first = submission();
    let digest = bench.previewed(&offer, first, 1).await;
    bench.activate(&offer, first, &digest, 3).await;
    let remove = order(&offer, first, &digest, 4, Wanted::Removal);
    bench
        .news(&offer, publication(4), &[], vec![remove.clone()])
        .await;
    assert_eq!(bench.answer(&remove.key).await, Some(Answer::OfferRemoved));
    assert_eq!(bench.live(&offer).await, None);
    bench.end().await;
}

#[tokio::test]
async fn sy_a_synced_audience_counts_at_once_and_new_kinds_wait_for_a_publish() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let name = offer.name.plan("partner");
    let sync = async || {
        let scope = system(PUBLISHER);
        bench
            .run(async |db| audiences::sync(db, &scope, &name, clock::now()).await)
            .await
    };
    assert_eq!(reason(sync().await), "NO_LIVE_PRIVATE_PLAN");
    let first = submission();
    let digest = bench.previewed(&offer, first, 1).await;
    bench.activate(&offer, first, &digest, 3).await;
    assert!(
        !sync().await.unwrap().changed,
        "the saved audience is the served one"
    );
    bench
        .save(
            offer.uid,
            "partner",
            PageId::PlanPricing,
            pricing("PRIVATE", &["tenant-two"]),
        )
        .await;
    let synced = sync().await.unwrap();
    assert!(synced.changed && synced.version == 2);
    let mut db = bench.db.acquire().await.unwrap();
    let served = store::audiences::live_version(&mut db, offer.uid, "partner")
        .await
        .unwrap();
    assert_eq!(served, Some(2));
    let mut other = pricing("PRIVATE", &[]);
    other["private_audience"] = json!([{"kind": "SUBSCRIPTION", "id": "s"}]);
    bench
        .save(offer.uid, "partner", PageId::PlanPricing, other)
        .await;
    assert_eq!(reason(sync().await), "NEW_AUDIENCE_KIND");
    drop(db);
    bench.end().await;
}

#[tokio::test]
async fn sy6_a_listing_that_goes_live_keeps_the_newer_audience() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let first = submission();
    let digest = bench.previewed(&offer, first, 1).await;
    bench.activate(&offer, first, &digest, 3).await;
    let second = submission();
    let next = bench.previewed(&offer, second, 4).await;
    bench
        .save(
            offer.uid,
            "partner",
            PageId::PlanPricing,
            pricing("PRIVATE", &["tenant-two"]),
        )
        .await;
    let name = offer.name.plan("partner");
    let scope = system(PUBLISHER);
    bench
        .run(async |db| audiences::sync(db, &scope, &name, clock::now()).await)
        .await
        .unwrap();
    bench.activate(&offer, second, &next, 6).await;
    let mut db = bench.db.acquire().await.unwrap();
    assert_eq!(
        store::audiences::live_version(&mut db, offer.uid, "partner")
            .await
            .unwrap(),
        Some(2)
    );
    drop(db);
    bench.end().await;
}
