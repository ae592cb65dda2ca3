//! An offer that leaves the marketplace at a date (UP-7): what customers find, read and acquire until then.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::listing_service_server::ListingService;
use marketplace_runtime::clock;
use offer_catalog::domain::deprecation::{Deprecation, Reason};
use offer_catalog::grpc::Listings;

use crate::support::{Bench, Offer, from, submission};

fn told() -> Deprecation {
    Deprecation {
        effective_time: clock::now() + time::Duration::days(90),
        reason: Reason::EndOfSupport,
        alternative: "publishers/contoso/offers/new".into(),
    }
}

async fn live(bench: &Bench, id: &str) -> Offer {
    let offer = bench.complete(id).await;
    let first = submission();
    let digest = bench.previewed(&offer, first, 1).await;
    bench.activate(&offer, first, &digest, 3).await;
    offer
}

/// Offers that a search finds, by words and by none.
async fn found(bench: &Bench) -> Vec<usize> {
    let listings = Listings(bench.catalog());
    let mut found = Vec::new();
    for query in ["", "forge"] {
        let search = pb::SearchListingsRequest {
            query: query.into(),
            ..Default::default()
        };
        let answer = listings.search_listings(tonic::Request::new(search)).await;
        found.push(answer.unwrap().into_inner().listings.len());
    }
    found
}

async fn listing(bench: &Bench, offer: &Offer) -> pb::Listing {
    let get = pb::GetListingRequest {
        offer: offer.name.to_string(),
    };
    let listings = Listings(bench.catalog());
    let answer = listings.get_listing(tonic::Request::new(get)).await;
    answer.unwrap().into_inner().listing.unwrap()
}

async fn buy(bench: &Bench, who: &str, offer: &Offer) -> pb::AcquireOfferResponse {
    let acquire = pb::AcquireOfferRequest {
        offer: offer.name.to_string(),
        plan_id: "team".into(),
        ..Default::default()
    };
    let listings = Listings(bench.catalog());
    let answer = listings.acquire_offer(from(who, acquire)).await;
    answer.unwrap().into_inner()
}

async fn acquired(bench: &Bench, who: &str, page: (i32, &str)) -> pb::ListAcquisitionsResponse {
    let list = pb::ListAcquisitionsRequest {
        page_size: page.0,
        page_token: page.1.into(),
    };
    let listings = Listings(bench.catalog());
    let answer = listings.list_acquisitions(from(who, list)).await;
    answer.unwrap().into_inner()
}

#[tokio::test]
async fn up_7_no_search_finds_it_and_who_knows_it_reads_when_it_leaves() {
    let bench = Bench::new().await;
    let offer = live(&bench, "forge").await;
    buy(&bench, "carla", &offer).await;
    assert_eq!(found(&bench).await, [1, 1]);
    assert_eq!(listing(&bench, &offer).await.deprecation, None);

    let told = told();
    bench.deprecate(&offer, 7, Some(told.clone())).await;
    assert_eq!(found(&bench).await, [0, 0]);
    let read = listing(&bench, &offer).await.deprecation.unwrap();
    assert_eq!(read.reason(), pb::DeprecationReason::EndOfSupport);
    assert_eq!(read.alternative, told.alternative);
    let until = read.effective_time.unwrap().seconds;
    assert_eq!(until, told.effective_time.unix_timestamp());
    let bought = buy(&bench, "carlos", &offer).await;
    let warned = bought.warnings.join(" ");
    assert!(warned.contains("publishers/contoso/offers/new"), "{warned}");
    assert!(bought.acquisition.unwrap().deprecation.is_some());
    // Who acquired it before reads it where they read what they have.
    let carlas = acquired(&bench, "carla", (0, "")).await.acquisitions;
    assert_eq!(carlas.len(), 1);
    assert_eq!(carlas[0].deprecation.as_ref(), Some(&read));

    // Late news of before changes nothing; a stop that is taken back ends it (T35).
    bench.deprecate(&offer, 6, None).await;
    assert_eq!(found(&bench).await, [0, 0]);
    bench.deprecate(&offer, 8, None).await;
    assert_eq!(found(&bench).await, [1, 1]);
    assert_eq!(listing(&bench, &offer).await.deprecation, None);
    let carlas = acquired(&bench, "carla", (0, "")).await.acquisitions;
    assert_eq!(carlas[0].deprecation, None);
    bench.end().await;
}

#[tokio::test]
async fn acquisitions_are_listed_to_who_made_them_newest_first() {
    let bench = Bench::new().await;
    let (first, second) = (live(&bench, "forge").await, live(&bench, "anvil").await);
    for offer in [&first, &second, &first] {
        buy(&bench, "carla", offer).await;
    }
    buy(&bench, "carlos", &second).await;
    let mut token = String::new();
    let mut offers = Vec::new();
    loop {
        let page = acquired(&bench, "carla", (2, &token)).await;
        offers.extend(page.acquisitions.into_iter().map(|one| one.offer));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let names = [&first, &second, &first].map(|offer| offer.name.to_string());
    assert_eq!(offers, names);
    let page = acquired(&bench, "carla", (2, "")).await;
    let list = pb::ListAcquisitionsRequest {
        page_token: page.next_page_token,
        ..Default::default()
    };
    let listings = Listings(bench.catalog());
    let refused = listings.list_acquisitions(from("carlos", list)).await;
    assert!(refused.is_err(), "a token is of its list");
    bench.end().await;
}
