//! Documents that no program of ours would send: refused or taken, never a panic and never INTERNAL.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::offer_service_server::OfferService;
use offer_catalog::grpc::Offers;
use prost::Message;
use system_tests::drafts;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::support::{Bench, from};

/// A few bytes changed, taken away, put in, or repeated.
fn damage(random: &mut fastrand::Rng, bytes: &mut Vec<u8>) {
    for _ in 0..random.usize(1..3) {
        let at = random.usize(..=bytes.len());
        match random.u8(..5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
            1 => bytes.truncate(at),
            2 => bytes.insert(at, random.u8(..)),
            3 => {
                let piece = bytes[at..].to_vec();
                bytes.extend(piece);
            }
            _ => bytes.extend(wild(random, 4)),
        }
    }
}

/// Fields of any number and form, one inside another.
fn wild(random: &mut fastrand::Rng, depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..random.usize(..5) {
        let kind = random.u64(..6);
        prost::encoding::encode_varint(random.u64(1..24) << 3 | kind, &mut bytes);
        match kind {
            0 => prost::encoding::encode_varint(random.u64(..), &mut bytes),
            1 => bytes.extend(random.u64(..).to_le_bytes()),
            2 => {
                let inner = match depth {
                    0 => (0..random.usize(..40)).map(|_| random.u8(..)).collect(),
                    _ if random.bool() => random
                        .char(..)
                        .to_string()
                        .repeat(random.usize(..3_000))
                        .into_bytes(),
                    _ => wild(random, depth - 1),
                };
                prost::encoding::encode_varint(inner.len() as u64, &mut bytes);
                bytes.extend(inner);
            }
            _ => bytes.extend(random.u32(..).to_le_bytes()),
        }
    }
    bytes
}

fn check(outcome: Result<(), Status>, what: &str) -> bool {
    let Err(refused) = outcome else { return true };
    let bad = [
        Code::Internal,
        Code::Unknown,
        Code::DeadlineExceeded,
        Code::Unavailable,
    ];
    assert!(!bad.contains(&refused.code()), "{what}: {refused:?}");
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_pages_are_taken_or_refused() {
    let rounds = match std::env::var_os("LONG") {
        Some(_) => 20_000,
        None => 1_500,
    };
    let bench = Bench::new().await;
    let server = Offers(bench.catalog());
    let mut pages = Vec::new();
    for (n, draft) in [
        drafts::saas_sold("https://leads.contoso.example/in"),
        drafts::container(),
    ]
    .into_iter()
    .enumerate()
    {
        let offer = bench.offer(&format!("offer-{n}"), draft.offer_type).await;
        pages.extend(
            draft
                .pages
                .into_iter()
                .map(|page| (offer.to_string(), page)),
        );
        for (plan, _, own) in draft.plans {
            let plan = bench.plan(&offer, plan).await;
            pages.extend(own.into_iter().map(|page| (plan.to_string(), page)));
        }
    }
    let mut random = fastrand::Rng::with_seed(7);
    let (mut decoded, mut saved) = (0, 0);
    for round in 0..rounds {
        let (parent, page) = random.choice(&pages).unwrap().clone();
        let page = pb::Page {
            page: Some(page),
            ..Default::default()
        };
        let mut bytes = page.encode_to_vec();
        damage(&mut random, &mut bytes);
        let Ok(mut page) = pb::Page::decode(bytes.as_slice()) else {
            continue;
        };
        decoded += 1;
        page.parent.clone_from(&parent);
        let mut etag = String::new();
        let done = loop {
            let request = pb::UpdatePageRequest {
                page: Some(page.clone()),
                etag,
                request_id: String::new(),
            };
            match server.update_page(from("ada", request)).await {
                Err(stale) if stale.code() == Code::Aborted => {
                    etag = stale.get_details_error_info().unwrap().metadata["current"].clone();
                }
                done => break done.map(drop),
            }
        };
        saved += usize::from(check(done, "UpdatePage"));
        if round % 20 == 0 {
            let name = parent.split("/plans/").next().unwrap().to_owned();
            let review = pb::ReviewOfferRequest {
                name,
                ..Default::default()
            };
            let done = server.review_offer(from("ada", review)).await;
            check(done.map(drop), "ReviewOffer");
        }
    }
    assert!(
        decoded > rounds / 20 && saved > 0,
        "{decoded} of {rounds} decoded, {saved} saved"
    );
    bench.end().await;
}
