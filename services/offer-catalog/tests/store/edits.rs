//! Many writers of many offers, and what a call costs the database.

use std::collections::HashMap;
use std::sync::Mutex;

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::offer_service_server::OfferService;
use marketplace_proto::offercatalog::v1::page::Page as Kind;
use offer_catalog::grpc::Offers;
use tonic_types::StatusExt;

use crate::support::{Bench, PUBLISHER, from};

/// What one offer's or plan's page is known to hold, by its etag.
type Saved = Mutex<HashMap<(String, i32), HashMap<String, String>>>;

/// A page that says these words.
fn page(kind: i32, words: &str) -> (pb::PageId, Kind) {
    match kind % 4 {
        0 => {
            let page = pb::OfferListingPage {
                title: words.into(),
                ..Default::default()
            };
            (pb::PageId::OfferListing, Kind::OfferListing(page))
        }
        1 => {
            let page = pb::PropertiesPage {
                app_version: words.into(),
                ..Default::default()
            };
            (pb::PageId::Properties, Kind::Properties(page))
        }
        2 => {
            let page = pb::OfferSetupPage {
                call_to_action_url: words.into(),
                ..Default::default()
            };
            (pb::PageId::OfferSetup, Kind::OfferSetup(page))
        }
        _ => {
            let page = pb::PlanListingPage {
                description: words.into(),
                ..Default::default()
            };
            (pb::PageId::PlanListing, Kind::PlanListing(page))
        }
    }
}

fn words(page: &Kind) -> &str {
    match page {
        Kind::OfferListing(page) => &page.title,
        Kind::Properties(page) => &page.app_version,
        Kind::OfferSetup(page) => &page.call_to_action_url,
        Kind::PlanListing(page) => &page.description,
        _ => "",
    }
}

fn parent(offer: usize, id: pb::PageId) -> String {
    let offer = format!("publishers/{PUBLISHER}/offers/offer-{offer}");
    match id {
        pb::PageId::PlanListing => format!("{offer}/plans/gold"),
        _ => offer,
    }
}

async fn read(server: &Offers, parent: &str, id: pb::PageId) -> pb::Page {
    let get = pb::GetPageRequest {
        parent: parent.into(),
        page_id: id as i32,
    };
    let found = server.get_page(from("ada", get)).await;
    found.unwrap().into_inner().page.unwrap()
}

/// One edit of one writer, under the etag that it knows; answers whether it was refused as stale.
async fn edit(
    server: &Offers,
    known: &mut HashMap<(String, i32), String>,
    saved: &Saved,
    place: (usize, i32),
    text: String,
) -> bool {
    let (id, kind) = page(place.1, &text);
    let parent = parent(place.0, id);
    let key = (parent.clone(), id as i32);
    let etag = known.get(&key).cloned().unwrap_or_default();
    let request = pb::UpdatePageRequest {
        page: Some(pb::Page {
            parent,
            page: Some(kind),
            ..Default::default()
        }),
        etag: etag.clone(),
        request_id: String::new(),
    };
    match server.update_page(from("ada", request)).await {
        Ok(done) => {
            let now = done.into_inner().page.unwrap().etag;
            let twice = saved
                .lock()
                .unwrap()
                .entry(key.clone())
                .or_default()
                .insert(now.clone(), text);
            assert_eq!(
                twice, None,
                "two writers were answered etag {now} of {key:?}"
            );
            known.insert(key, now);
            false
        }
        Err(refused) => {
            assert_eq!(refused.code(), tonic::Code::Aborted, "{refused:?}");
            let info = refused.get_details_error_info().unwrap();
            let current = info.metadata["current"].clone();
            assert_ne!(current, etag, "nobody has changed this page");
            known.insert(key, current);
            true
        }
    }
}

/// 16 writers on 200 offers, 5,000 edits; `LONG`: 100,000. Half of them go to few pages, so that writers meet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mixed_edits_of_many_writers_lose_nothing() {
    const WRITERS: usize = 16;
    const OFFERS: usize = 200;
    let edits = match std::env::var_os("LONG") {
        Some(_) => 100_000,
        None => 5_000,
    };
    let bench = Bench::new().await;
    for n in 0..OFFERS {
        let offer = bench
            .offer(&format!("offer-{n}"), "softwareAsAService")
            .await;
        bench.plan(&offer, "gold").await;
    }
    let server = Offers(bench.catalog());
    let saved = Saved::default();
    let writer = async |writer: usize| {
        let mut random = fastrand::Rng::with_seed(writer as u64);
        let mut known = HashMap::new();
        let mut stale = 0;
        for n in 0..edits / WRITERS {
            let offer = if random.bool() {
                random.usize(..4)
            } else {
                random.usize(..OFFERS)
            };
            let place = (offer, random.i32(..4));
            stale += usize::from(
                edit(&server, &mut known, &saved, place, format!("{writer}-{n}")).await,
            );
        }
        stale
    };
    let stale = futures::future::join_all((0..WRITERS).map(writer)).await;
    let stale: usize = stale.iter().sum();
    assert!(
        stale > edits / 100,
        "writers hardly met: {stale} of {edits}"
    );
    let mut done = 0;
    for ((parent, id), contents) in saved.into_inner().unwrap() {
        let page = read(&server, &parent, pb::PageId::try_from(id).unwrap()).await;
        // An etag is the number of saves: every one of them counts, and the last one is what stands.
        assert_eq!(page.etag, contents.len().to_string(), "{parent}");
        assert_eq!(words(page.page.as_ref().unwrap()), contents[&page.etag]);
        done += contents.len();
    }
    assert_eq!(done + stale, edits / WRITERS * WRITERS);
    bench.end().await;
}

/// Statements of the service in the bench's database, but for the begin and the end of transactions.
async fn statements(bench: &Bench) -> i64 {
    let mut admin = bench.superuser().await;
    let calls: Option<i64> = sqlx::query_scalar(
        "SELECT sum(calls)::bigint FROM pg_stat_statements
         WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND userid = 'offer_catalog_app'::regrole AND query !~* '^(begin|commit|rollback)'",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    calls.unwrap_or_default()
}

#[tokio::test]
async fn an_offer_is_read_by_one_statement_and_a_page_saved_by_three_at_most() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let server = Offers(bench.catalog());
    let name = offer.name.to_string();
    let get = || pb::GetOfferRequest {
        name: name.clone(),
        ..Default::default()
    };
    let saved = async |etag: String, title: &str| {
        let mut listing = read(&server, &name, pb::PageId::OfferListing).await;
        let Some(Kind::OfferListing(page)) = &mut listing.page else {
            panic!("it is a listing");
        };
        page.title = title.into();
        let request = pb::UpdatePageRequest {
            page: Some(listing),
            etag,
            request_id: String::new(),
        };
        let before = statements(&bench).await;
        let saved = server.update_page(from("ada", request)).await.unwrap();
        let cost = statements(&bench).await - before;
        (saved.into_inner().page.unwrap().etag, cost)
    };
    let mut admin = bench.superuser().await;
    sqlx::raw_sql("CREATE EXTENSION pg_stat_statements")
        .execute(&mut admin)
        .await
        .expect("a Postgres that preloads pg_stat_statements");
    // Connections and their prepared statements are there.
    for _ in 0..12 {
        server.get_offer(from("ada", get())).await.unwrap();
    }
    let before = statements(&bench).await;
    for _ in 0..10 {
        server.get_offer(from("ada", get())).await.unwrap();
    }
    assert_eq!(statements(&bench).await - before, 10);
    let (etag, _) = saved("1".into(), "Warm").await;
    let (_, cost) = saved(etag, "Forge").await;
    assert!(
        (1..=3).contains(&cost),
        "a saved page took {cost} statements"
    );
    bench.end().await;
}
