//! What customers find, see and acquire; what lists cost.

use std::sync::atomic::{AtomicBool, Ordering};

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::listing_service_server::ListingService;
use marketplace_proto::offercatalog::v1::offer_service_server::OfferService;
use marketplace_runtime::clock;
use marketplace_runtime::paging::{self, Fingerprint};
use offer_catalog::commands::acquisitions::{self, Acquire};
use offer_catalog::domain::acquisition::Acquisition;
use offer_catalog::domain::audience::Customer;
use offer_catalog::domain::order::Wanted as Ordered;
use offer_catalog::domain::snapshot;
use offer_catalog::domain::token::PreviewToken;
use offer_catalog::error::Result;
use offer_catalog::grpc::{Listings, Offers};
use offer_catalog::pages::PageId;
use offer_catalog::store::listings::Served;
use offer_catalog::store::search::{After, Wanted};
use offer_catalog::{store, wire};
use serde_json::json;

use crate::support::pipeline::{order, publication};
use crate::support::{Bench, Offer, from, listing, pricing, reason, submission};

fn wanted(offer: &Offer, plan: &str, customer: Customer) -> Acquire {
    Acquire {
        offer: offer.name.clone(),
        plan_id: plan.into(),
        token: None,
        no_charge: false,
        ticket_reference: String::new(),
        market: "US".into(),
        principal: "https://issuer.example|carla".into(),
        customer,
        validate_only: false,
    }
}

async fn acquire(bench: &Bench, wanted: &Acquire) -> Result<Acquisition> {
    let acquired = bench
        .run(async |db| acquisitions::acquire(db, wanted, clock::now()).await)
        .await;
    acquired.map(|acquired| acquired.acquisition)
}

fn tenant(id: &str) -> Customer {
    Customer {
        tenant: Some(id.into()),
        ..Customer::default()
    }
}

#[tokio::test]
async fn a_live_plan_is_acquired_by_anybody_and_a_private_one_by_its_audience() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    assert_eq!(
        reason(acquire(&bench, &wanted(&offer, "team", Customer::default())).await),
        "NOT_FOUND"
    );
    let first = submission();
    let digest = bench.previewed(&offer, first, 1).await;
    bench.activate(&offer, first, &digest, 3).await;
    let bought = acquire(&bench, &wanted(&offer, "team", Customer::default()))
        .await
        .unwrap();
    assert_eq!(
        (bought.charge.as_str(), bought.preview),
        ("USD 49.00 per month", false)
    );
    let private = |tenant_id| wanted(&offer, "partner", tenant(tenant_id));
    assert_eq!(
        reason(acquire(&bench, &private("somebody-else")).await),
        "NOT_IN_AUDIENCE"
    );
    assert!(
        acquire(&bench, &private("11111111-1111-4111-8111-111111111111"))
            .await
            .is_ok()
    );
    assert_eq!(
        reason(acquire(&bench, &wanted(&offer, "nothing", Customer::default())).await),
        "NOT_FOUND"
    );
    let elsewhere = Acquire {
        market: "FR".into(),
        ..wanted(&offer, "team", Customer::default())
    };
    assert_eq!(
        reason(acquire(&bench, &elsewhere).await),
        "NOT_SOLD_IN_MARKET"
    );
    let free = Acquire {
        no_charge: true,
        ticket_reference: "T-1".into(),
        ..wanted(&offer, "team", Customer::default())
    };
    assert_eq!(
        reason(acquire(&bench, &free).await),
        "NO_CHARGE_NEEDS_PREVIEW"
    );
    let only = Acquire {
        validate_only: true,
        ..wanted(&offer, "team", Customer::default())
    };
    acquire(&bench, &only).await.unwrap();
    assert_eq!(acquisitions_stored(&bench).await, 2);
    bench.end().await;
}

/// A snapshot of the newest format goes all the way: frozen, previewed, encoded anew from its rows, live.
#[tokio::test]
async fn pn_14_a_plan_for_all_markets_is_sold_in_each() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let mut everywhere = pricing("PUBLIC", &[]);
    everywhere["markets"] = json!([]);
    everywhere["customer_markets"] = json!("ALL_TAX_REMITTED");
    bench
        .save(offer.uid, "team", PageId::PlanPricing, everywhere)
        .await;
    let first = submission();
    let digest = bench.previewed(&offer, first, 1).await;
    bench.activate(&offer, first, &digest, 3).await;
    let format: Vec<i32> = sqlx::query_scalar(
        "SELECT format FROM offer_catalog.listings WHERE stage = 'live'
         UNION ALL SELECT format FROM offer_catalog.snapshots",
    )
    .fetch_all(bench.db.pool())
    .await
    .unwrap();
    assert_eq!(format, [2, 2]);
    let from = |market: &str| Acquire {
        market: market.into(),
        ..wanted(&offer, "team", Customer::default())
    };
    let bought = acquire(&bench, &from("FR")).await.unwrap();
    assert_eq!(bought.charge, "USD 49.00 per month");
    assert_eq!(
        reason(acquire(&bench, &from("JP")).await),
        "NOT_SOLD_IN_MARKET"
    );
    bench.end().await;
}

#[tokio::test]
async fn pb1_whether_a_plan_is_private_its_content_says() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let first = submission();
    let digest = bench.previewed(&offer, first, 1).await;
    bench.activate(&offer, first, &digest, 3).await;
    bench
        .tamper("UPDATE offer_catalog.listing_plans SET private = false WHERE private")
        .await;
    let stranger = wanted(&offer, "partner", tenant("somebody-else"));
    assert_eq!(reason(acquire(&bench, &stranger).await), "NOT_IN_AUDIENCE");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pv11_customers_find_the_offer_while_an_update_goes_live() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let first = submission();
    let digest = bench.previewed(&offer, first, 1).await;
    bench.activate(&offer, first, &digest, 3).await;
    let over = AtomicBool::new(false);
    let updates = async {
        for round in 0..15 {
            let next = submission();
            let revision = 10 * (round + 1);
            let title = format!("Edition {round}");
            let page = listing(&offer.name, &title);
            bench.save(offer.uid, "", PageId::OfferListing, page).await;
            let digest = bench.previewed(&offer, next, revision).await;
            bench.activate(&offer, next, &digest, revision + 3).await;
        }
        over.store(true, Ordering::Relaxed);
    };
    let listings = Listings(bench.catalog());
    let reads = async {
        let mut read = 0;
        while !over.load(Ordering::Relaxed) {
            let get = pb::GetListingRequest {
                offer: offer.name.to_string(),
            };
            let found = listings.get_listing(tonic::Request::new(get)).await;
            assert!(found.is_ok(), "after {read}: {found:?}");
            let bought = acquire(&bench, &wanted(&offer, "team", Customer::default())).await;
            assert!(bought.is_ok(), "after {read}: {bought:?}");
            read += 1;
        }
        read
    };
    let (read, ()) = tokio::join!(reads, updates);
    assert!(read > 15, "{read} reads are none of a race");
    bench.end().await;
}

#[tokio::test]
async fn bad_input_is_the_callers_fault() {
    let bench = Bench::new().await;
    let offers = Offers(bench.catalog());
    let list = |offer_type: &str, page_token: &str| pb::ListOffersRequest {
        parent: "publishers/contoso".into(),
        offer_type: offer_type.into(),
        page_token: page_token.into(),
        ..Default::default()
    };
    let refused = async |request| {
        let status = offers.list_offers(from("ada", request)).await.unwrap_err();
        marketplace_runtime::status::reason(&status)
    };
    assert_eq!(refused(list("a\0b", "")).await, "CONTROL_CHARACTER");
    let filter = store::offers::Filter {
        publisher: "contoso".into(),
        status: None,
        offer_type: None,
    };
    let filters = Fingerprint::of("ListOffers", &filter);
    for nanos in [-i64::MAX, -1, i64::MIN] {
        let forged = paging::encode(&(i128::from(nanos), uuid::Uuid::nil()), filters);
        assert_eq!(refused(list("", &forged)).await, "BAD_PAGE_TOKEN");
    }
    let early = format!("[-{},\"{}\"]", "2".repeat(18), uuid::Uuid::nil());
    let early: serde_json::Value = serde_json::from_str(&early).unwrap();
    let forged = paging::encode(&early, filters);
    assert_eq!(refused(list("", &forged)).await, "BAD_PAGE_TOKEN");
    bench.end().await;
}

#[tokio::test]
async fn ld_4_that_a_secret_was_asked_for_is_noted_where_there_is_none_too() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let digest = bench
        .freeze(&offer, submission(), &[])
        .await
        .unwrap()
        .snapshot
        .digest;
    let open = pb::OpenLeadSecretRequest {
        snapshot: format!("{}/snapshots/{digest}", offer.name),
    };
    let offers = Offers(bench.catalog());
    let opened = offers
        .open_lead_secret(from("publishing-pipeline", open))
        .await
        .unwrap()
        .into_inner();
    assert!(opened.destination.is_some(), "an endpoint needs no secret");
    let noted: Vec<(i64, String)> =
        sqlx::query_as("SELECT version, snapshot_digest FROM offer_catalog.secret_openings")
            .fetch_all(bench.db.pool())
            .await
            .unwrap();
    assert_eq!(noted, [(0, digest)]);
    bench.end().await;
}

async fn acquisitions_stored(bench: &Bench) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM offer_catalog.acquisitions")
        .fetch_one(bench.db.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn pv1_a_preview_is_acquired_by_its_audience_with_the_token_of_its_own_offer() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let other = bench.complete("other").await;
    let first = submission();
    bench.previewed(&offer, first, 1).await;
    let token = PreviewToken::parse(&bench.tokens(&offer, first).await[0]);
    let tess = Customer {
        email: Some("Tess@contoso.example".into()),
        ..Customer::default()
    };
    let of = |offer: &Offer, customer: &Customer| Acquire {
        token: token.clone(),
        no_charge: true,
        ticket_reference: "T-1".into(),
        ..wanted(offer, "partner", customer.clone())
    };
    let tested = acquire(&bench, &of(&offer, &tess)).await.unwrap();
    assert_eq!((tested.preview, tested.charge.as_str()), (true, ""));
    assert_eq!(
        reason(acquire(&bench, &of(&offer, &Customer::default())).await),
        "NOT_IN_AUDIENCE"
    );
    assert_eq!(
        reason(acquire(&bench, &of(&other, &tess)).await),
        "NOT_FOUND"
    );
    bench.end().await;
}

#[tokio::test]
async fn s1_1_a_trial_order_is_carried_through_and_leaves_nothing() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let digest = bench
        .freeze(&offer, submission(), &["partner"])
        .await
        .unwrap()
        .snapshot
        .digest;
    let mut work = marketplace_messaging::Work::begin(&bench.db).await.unwrap();
    let stored = store::snapshots::of_offer(&mut work, offer.uid, &digest)
        .await
        .unwrap()
        .unwrap();
    let mut content = snapshot::decode(&stored.bytes).unwrap();
    let probes = acquisitions::probe(&mut work, offer.uid, &content, clock::now())
        .await
        .unwrap();
    let [probe] = probes.as_slice() else {
        panic!("stopped plans are not sold: {probes:?}")
    };
    assert!(probe.created && probe.resolved && probe.canceled && probe.faults.is_empty());
    assert_eq!(probe.charge, "USD 49.00 per month");
    content
        .pages
        .technical_configuration
        .as_mut()
        .unwrap()
        .webhook_url = "nowhere".into();
    let probes = acquisitions::probe(&mut work, offer.uid, &content, clock::now())
        .await
        .unwrap();
    assert!(
        !probes[0].created && probes[0].faults[0].contains("webhook"),
        "{probes:?}"
    );
    drop(work);
    assert_eq!(acquisitions_stored(&bench).await, 0);
    bench.end().await;
}

#[tokio::test]
async fn a_search_ranks_titles_first_and_pages_without_gaps() {
    let bench = Bench::new().await;
    for (id, title) in [
        ("first", "Ledger"),
        ("second", "Forge of Git ledgers"),
        ("third", "Ledger ledger"),
    ] {
        let offer = bench.complete(id).await;
        bench
            .save(
                offer.uid,
                "",
                PageId::OfferListing,
                listing(&offer.name, title),
            )
            .await;
        let submission = submission();
        let digest = bench.previewed(&offer, submission, 1).await;
        bench.activate(&offer, submission, &digest, 3).await;
    }
    bench.complete("hidden").await;
    let wanted = Wanted {
        query: Some("ledger".into()),
        ..Wanted::default()
    };
    let mut db = bench.db.acquire().await.unwrap();
    let all = store::search::find(&mut db, &wanted, None, 10)
        .await
        .unwrap();
    assert_eq!(all.len(), 3);
    assert!(all.windows(2).all(|pair| pair[0].rank >= pair[1].rank));
    let mut paged = Vec::new();
    let mut after = None;
    while let Some(hit) = store::search::find(&mut db, &wanted, after, 1)
        .await
        .unwrap()
        .pop()
    {
        after = Some(After {
            rank: hit.rank,
            served_since: hit.served_since,
            listing_id: hit.listing_id,
        });
        paged.push(hit.offer_id);
    }
    assert_eq!(
        paged,
        all.iter()
            .map(|hit| hit.offer_id.clone())
            .collect::<Vec<_>>()
    );
    let browse = Wanted {
        query: None,
        ..wanted.clone()
    };
    let newest = store::search::find(&mut db, &browse, None, 10)
        .await
        .unwrap();
    assert_eq!(
        newest
            .iter()
            .map(|hit| hit.offer_id.as_str())
            .collect::<Vec<_>>(),
        ["third", "second", "first"]
    );
    let nothing = Wanted {
        storefront: Some("NOWHERE"),
        ..browse
    };
    assert!(
        store::search::find(&mut db, &nothing, None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    drop(db);
    bench.end().await;
}

#[tokio::test]
async fn a_filtered_list_reads_few_buffers_of_many_offers() {
    let bench = Bench::new().await;
    bench
        .tamper(
            "INSERT INTO offer_catalog.offers (offer_uid, publisher_id, offer_id, offer_type, alias, status, create_time, update_time)
             SELECT gen_random_uuid(), 'contoso', 'offer-' || n, 'azureContainer', '',
                    CASE WHEN n % 500 = 0 THEN 'live' ELSE 'draft' END, now() - n * interval '1 s', now()
             FROM generate_series(1, 20000) n",
        )
        .await;
    let plan: serde_json::Value = sqlx::query_scalar(
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
         SELECT * FROM offer_catalog.offers o
         WHERE o.publisher_id = 'contoso' AND ('live'::text IS NULL OR o.status = 'live')
           AND (NULL::text IS NULL OR o.offer_type = NULL)
           AND (NULL::timestamptz IS NULL OR (o.create_time, o.offer_uid) < (NULL::timestamptz, NULL::uuid))
         ORDER BY o.create_time DESC, o.offer_uid DESC LIMIT 20",
    )
    .fetch_one(bench.db.pool())
    .await
    .unwrap();
    let root = &plan[0]["Plan"];
    let buffers =
        root["Shared Hit Blocks"].as_i64().unwrap() + root["Shared Read Blocks"].as_i64().unwrap();
    assert!(
        buffers < 60,
        "{buffers} buffers for 20 of 40 matching among 20,000: {plan:#}"
    );
    let filter = store::offers::Filter {
        publisher: "contoso".into(),
        status: Some("live"),
        offer_type: None,
    };
    let mut db = bench.db.acquire().await.unwrap();
    let page = store::offers::list(&mut db, &filter, None, 30)
        .await
        .unwrap();
    let last = page.last().map(|offer| (offer.create_time, offer.uid));
    let rest = store::offers::list(&mut db, &filter, last, 30)
        .await
        .unwrap();
    assert_eq!((page.len(), rest.len()), (30, 10));
    drop(db);
    bench.end().await;
}

#[tokio::test]
async fn json_of_a_page_that_was_tampered_with_is_damage_and_no_default() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    bench
        .save(offer.uid, "", PageId::Properties, json!({"categories": 1}))
        .await;
    let refused = bench.freeze(&offer, submission(), &[]).await;
    assert!(matches!(
        refused,
        Err(offer_catalog::error::Error::Corrupt(_))
    ));
    bench.end().await;
}

#[tokio::test]
async fn up_10_customers_pay_the_old_price_until_the_new_one_comes_into_force() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let first = submission();
    let digest = bench.previewed(&offer, first, 1).await;
    bench.activate(&offer, first, &digest, 3).await;
    let mut dearer = pricing("PUBLIC", &[]);
    dearer["prices"][0]["amount"] = "59.00".into();
    bench
        .save(offer.uid, "team", PageId::PlanPricing, dearer)
        .await;
    let second = submission();
    let digest = bench.previewed(&offer, second, 4).await;
    bench.activate(&offer, second, &digest, 6).await;
    let wanted = wanted(&offer, "team", Customer::default());
    let charge = async |at| {
        let bought = bench.run(async |db| acquisitions::acquire(db, &wanted, at).await);
        bought.await.unwrap().acquisition.charge
    };
    let now = clock::now();
    assert_eq!(charge(now).await, "USD 49.00 per month");
    assert_eq!(
        charge(now + time::Duration::days(89)).await,
        "USD 49.00 per month"
    );
    assert_eq!(
        charge(now + time::Duration::days(152)).await,
        "USD 59.00 per month"
    );
    let mut db = bench.db.acquire().await.unwrap();
    let served = Served::Live {
        publisher: &offer.name.publisher,
        offer: &offer.name.offer,
    };
    let (head, rows) = store::listings::served(&mut db, served)
        .await
        .unwrap()
        .unwrap();
    let content = serde_json::from_value(rows.join()).unwrap();
    let listing = wire::listings::listing(&head, &content, now).unwrap();
    let team = listing
        .plans
        .iter()
        .find(|plan| plan.plan_id == "team")
        .unwrap();
    assert_eq!(team.price, "USD 49.00 per month");
    assert_eq!(team.price_changes.len(), 1);
    assert_eq!(team.price_changes[0].price, "USD 59.00 per month");
    assert_eq!(
        listing.digest, digest,
        "what was signed off is what is served"
    );
    drop(db);
    bench.end().await;
}

/// A stop between two publishes is no way around the notice.
#[tokio::test]
async fn up_10_what_was_stopped_and_is_sold_again_is_held_against_what_it_cost() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let first = submission();
    let digest = bench.previewed(&offer, first, 1).await;
    bench.activate(&offer, first, &digest, 3).await;
    let remove = order(&offer, first, &digest, 4, Ordered::Removal);
    bench.news(&offer, publication(4), &[], vec![remove]).await;
    assert_eq!(bench.live(&offer).await, None);
    let mut dearer = pricing("PUBLIC", &[]);
    dearer["prices"][0]["amount"] = "490.00".into();
    bench
        .save(offer.uid, "team", PageId::PlanPricing, dearer)
        .await;
    let second = submission();
    let digest = bench.previewed(&offer, second, 5).await;
    bench.activate(&offer, second, &digest, 7).await;
    let wanted = wanted(&offer, "team", Customer::default());
    let bought = bench.run(async |db| acquisitions::acquire(db, &wanted, clock::now()).await);
    assert_eq!(
        bought.await.unwrap().acquisition.charge,
        "USD 49.00 per month"
    );
    bench.end().await;
}
