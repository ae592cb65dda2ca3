//! CompareOffer against real rows: draft, preview, live and snapshots.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::offer_service_server::OfferService;
use marketplace_runtime::status::reason;
use offer_catalog::grpc::Offers;
use offer_catalog::pages::PageId;
use serde_json::json;
use tonic::{Code, Status};

use crate::support::{self, Bench, Offer, submission};

fn ask(offer: &Offer, from: &str, to: &str) -> pb::CompareOfferRequest {
    pb::CompareOfferRequest {
        name: offer.name.to_string(),
        from: from.into(),
        to: to.into(),
        ..Default::default()
    }
}

async fn compare(
    bench: &Bench,
    request: pb::CompareOfferRequest,
) -> Result<pb::CompareOfferResponse, Status> {
    let answer = Offers(bench.catalog())
        .compare_offer(support::from("ada", request))
        .await;
    answer.map(tonic::Response::into_inner)
}

fn paths(answer: &pb::CompareOfferResponse) -> Vec<String> {
    let row = |one: &pb::Difference| format!("{:?} {}", one.kind(), one.field_path);
    answer.differences.iter().map(row).collect()
}

#[tokio::test]
async fn up_2_a_draft_is_compared_with_what_is_live() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let missing = compare(&bench, ask(&offer, "", "live")).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    let live = submission();
    let digest = bench.previewed(&offer, live, 1).await;
    bench.activate(&offer, live, &digest, 3).await;
    let same = compare(&bench, ask(&offer, "live", "")).await.unwrap();
    assert_eq!((same.added, same.removed, same.edited), (0, 0, 0));
    assert!(same.unchanged > 3 && same.differences.is_empty());

    let page = support::listing(&offer.name, "Another title");
    bench.save(offer.uid, "", PageId::OfferListing, page).await;
    let resold = json!({"state": "ALL"});
    bench
        .save(offer.uid, "", PageId::ResellThroughCsps, resold)
        .await;
    let edited = compare(&bench, ask(&offer, "live", "")).await.unwrap();
    assert_eq!(
        paths(&edited),
        ["Edited title"],
        "and CSPs are not compared"
    );
    let title = &edited.differences[0];
    assert_eq!(title.page(), pb::PageId::OfferListing);
    let new = title.new.clone().unwrap().kind;
    let another = prost_types::value::Kind::StringValue("Another title".into());
    assert_eq!(new, Some(another));
    let snapshot = format!("{}/snapshots/{digest}", offer.name);
    let by_name = compare(&bench, ask(&offer, &snapshot, "")).await.unwrap();
    assert_eq!(by_name, edited, "what is live is that snapshot");
    let kinds = vec![pb::DifferenceKind::Unchanged as i32];
    let rest = pb::CompareOfferRequest {
        kinds,
        ..ask(&offer, "live", "")
    };
    let rest = compare(&bench, rest).await.unwrap();
    assert_eq!(rest.differences.len(), rest.unchanged as usize);
    let unknown = pb::CompareOfferRequest {
        kinds: vec![0, 99],
        ..ask(&offer, "", "")
    };
    assert_eq!(
        compare(&bench, unknown).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    bench.end().await;
}

#[tokio::test]
async fn a_comparison_is_paged_and_never_mixes_two() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let all = vec![4, 3, 2, 1];
    let first = pb::CompareOfferRequest {
        kinds: all,
        page_size: 2,
        ..ask(&offer, "", "")
    };
    let mut request = first.clone();
    let mut told = Vec::new();
    let total = loop {
        let page = compare(&bench, request.clone()).await.unwrap();
        assert!(page.differences.len() <= 2);
        told.extend(page.differences);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break page.unchanged;
        }
    };
    assert_eq!(told.len(), total as usize);
    let page = compare(&bench, first.clone()).await.unwrap();
    let listing = support::listing(&offer.name, "Another title");
    bench
        .save(offer.uid, "", PageId::OfferListing, listing)
        .await;
    let mixed = pb::CompareOfferRequest {
        page_token: page.next_page_token,
        ..first
    };
    let mixed = compare(&bench, mixed).await.unwrap_err();
    assert_eq!(reason(&mixed), "STALE_ETAG");
    bench.end().await;
}
