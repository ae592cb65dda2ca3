//! The SQL of the catalogue against a real Postgres: constraints and writers at once; a file for each noun besides.
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at and tamper with rows as they please, and are configured by the script that starts them"
)]
#![expect(
    clippy::unwrap_used,
    reason = "what a test can't go on without fails it"
)]

mod assets;
mod audience_files;
mod blobs;
mod compare;
mod customers;
mod deprecation;
mod edits;
mod freezes;
mod fuzz;
mod pages;
mod search;
mod serving;
mod support;
mod uploads;

use futures::{StreamExt, TryStreamExt};
use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::offer_service_server::OfferService;
use marketplace_runtime::access::{Permission, Role};
use marketplace_runtime::clock;
use marketplace_runtime::ids::OfferName;
use offer_catalog::commands::{members, offers, plans};
use offer_catalog::domain::freeze::Wanted as Freeze;
use offer_catalog::domain::offer::Publication;
use offer_catalog::error::Result;
use offer_catalog::pages::PageId;
use offer_catalog::store;
use support::pipeline::publication;
use support::{Bench, PUBLISHER, member, pricing, reason, somebody, submission, system};

#[tokio::test]
async fn ro4_two_owners_can_not_both_step_down_at_once() {
    let bench = Bench::new().await;
    let bob = member(PUBLISHER, "bob", &[Role::Owner]);
    assert!(
        bench
            .run(async |db| store::members::insert(db, &bob).await)
            .await
            .unwrap()
    );
    for _ in 0..10 {
        let step_down = async |id: &'static str| -> Result<()> {
            let scope = somebody(id, Permission::ManageMembers).await;
            let (display_name, roles) = (id.to_owned(), vec![Role::Developer]);
            let change = members::Change {
                publisher: PUBLISHER,
                id,
                display_name,
                roles,
                etag: None,
            };
            bench
                .run(async |db| {
                    members::update(db, &scope, change, clock::now())
                        .await
                        .map(drop)
                })
                .await
        };
        let (ada, bob) = tokio::join!(step_down("ada"), step_down("bob"));
        let refused: Vec<String> = [ada, bob]
            .into_iter()
            .filter(Result::is_err)
            .map(reason)
            .collect();
        assert_eq!(refused, ["LAST_OWNER"]);
        bench
            .tamper("UPDATE offer_catalog.members SET roles = ARRAY['owner']")
            .await;
    }
    bench.end().await;
}

#[tokio::test]
async fn ro2_who_is_no_member_finds_nothing_and_a_marketer_may_not() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let marketer = member(PUBLISHER, "mark", &[Role::Marketer]);
    bench
        .run(async |db| store::members::insert(db, &marketer).await)
        .await
        .unwrap();
    let delete = async |id: &str, offer: &OfferName| {
        let scope = somebody(id, Permission::Publish).await;
        reason(
            bench
                .run(async |db| offers::delete(db, &scope, offer, None, clock::now()).await)
                .await,
        )
    };
    assert_eq!(delete("mallory", &offer).await, "NOT_FOUND");
    assert_eq!(delete("mark", &offer).await, "ROLE_REQUIRED");
    assert_eq!(
        delete("ada", &OfferName::new(PUBLISHER, "nothing")).await,
        "NOT_FOUND"
    );
    assert_eq!(delete("ada", &offer).await, "nothing was refused");
    assert!(bench.read(&offer).await.is_none());
    bench.end().await;
}

#[tokio::test]
async fn t01_an_offer_id_is_given_once() {
    let bench = Bench::new().await;
    let scope = system(PUBLISHER);
    let new = || {
        let parent = format!("publishers/{PUBLISHER}");
        let request = marketplace_proto::offercatalog::v1::CreateOfferRequest {
            parent,
            offer_id: "forge".into(),
            offer_type: "azureContainer".into(),
            ..Default::default()
        };
        offer_catalog::wire::offers::create(&request, clock::now()).unwrap()
    };
    let create = async || {
        let offer = new();
        bench
            .run(async |db| offers::create(db, &scope, &offer, false).await)
            .await
    };
    let (one, two) = tokio::join!(create(), create());
    let refused: Vec<String> = [one, two]
        .into_iter()
        .filter(Result::is_err)
        .map(reason)
        .collect();
    assert_eq!(refused, ["ALREADY_EXISTS"]);
    assert_eq!(
        bench
            .told()
            .await
            .iter()
            .filter(|key| key.ends_with("offer_created"))
            .count(),
        1
    );
    bench.end().await;
}

#[tokio::test]
async fn pn11_a_long_private_audience_is_checked_and_kept_as_a_short_one() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let tenant = |at: u128| uuid::Uuid::from_u128(at).to_string();
    let mut members: Vec<String> = (1..=500).map(tenant).collect();
    let save = async |members: &[String]| {
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        let page = pricing("PRIVATE", &members);
        bench
            .save(offer.uid, "partner", PageId::PlanPricing, page)
            .await;
    };
    save(&members).await;
    let first = bench.freeze(&offer, submission(), &[]).await.unwrap();
    let mut db = bench.db.acquire().await.unwrap();
    let kept = store::audiences::get(&mut db, offer.uid, "partner", 1)
        .await
        .unwrap();
    assert_eq!(kept.to_stored().len(), 500);
    let tree = pb::GetOfferTreeRequest {
        name: offer.name.to_string(),
        version: String::new(),
    };
    let offers = offer_catalog::grpc::Offers(bench.catalog());
    let parts: Vec<_> = offers
        .get_offer_tree(support::from("ada", tree.clone()))
        .await
        .unwrap()
        .into_inner()
        .try_collect()
        .await
        .unwrap();
    let audience = parts.into_iter().find_map(|part| match part.part? {
        pb::get_offer_tree_response::Part::Page(page) => match page.page? {
            pb::page::Page::PlanPricing(pricing) => {
                Some(pricing.private_audience).filter(|members| !members.is_empty())
            }
            _ => None,
        },
        _ => None,
    });
    assert_eq!(audience.unwrap().len(), 500);
    let mut parts = offers
        .get_offer_tree(support::from("ada", tree))
        .await
        .unwrap()
        .into_inner();
    assert!(parts.next().await.unwrap().is_ok());
    members[499] = "no-guid".into();
    members[498] = members[0].clone();
    save(&members).await;
    let mixed = parts.try_collect::<Vec<_>>().await.map(drop).unwrap_err();
    assert_eq!(
        marketplace_runtime::status::reason(&mixed),
        "STALE_ETAG",
        "a tree never mixes two drafts"
    );
    let review = pb::ReviewOfferRequest {
        name: offer.name.to_string(),
        ..Default::default()
    };
    let review = offers.review_offer(support::from("ada", review)).await;
    let issues = review.unwrap().into_inner().issues;
    let found: Vec<(&str, &str, &str)> = issues
        .iter()
        .map(|issue| {
            (
                issue.plan_id.as_str(),
                issue.field_path.as_str(),
                issue.code.as_str(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("partner", "private_audience[499].id", "BAD_GUID"),
            ("partner", "private_audience[498].id", "DUPLICATE"),
        ]
    );
    let refused = bench.freeze(&offer, submission(), &[]).await;
    assert_eq!(reason(refused), "PAGES_INCOMPLETE");
    save(&vec!["no-guid".to_owned(); 500]).await;
    let review = pb::ReviewOfferRequest {
        name: offer.name.to_string(),
        page_size: 1_000,
        ..Default::default()
    };
    let review = offers.review_offer(support::from("ada", review)).await;
    let issues = review.unwrap().into_inner().issues;
    // Each is no GUID, and all but the first are duplicates.
    assert_eq!(issues.len(), 201);
    assert_eq!(issues[200].message, "has 799 more issues");
    let back = Freeze {
        submission: submission(),
        source: Some(first.snapshot.digest),
        ..Freeze::default()
    };
    assert_eq!(
        reason(bench.freeze_as(&offer, &back).await),
        "PAGES_INCOMPLETE"
    );
    drop(db);
    bench.end().await;
}

#[tokio::test]
async fn t04_a_plan_stays_while_a_submission_holds_it_and_for_ever_once_it_was_previewed() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let delete = async |plan: &str| {
        let name = offer.name.plan(plan);
        let scope = system(PUBLISHER);
        reason(
            bench
                .run(async |db| plans::delete(db, &scope, &name, None, clock::now()).await)
                .await,
        )
    };
    let canceled = submission();
    bench.freeze(&offer, canceled, &[]).await.unwrap();
    assert_eq!(delete("partner").await, "PLAN_FROZEN");
    let over = Publication {
        latest_submission: Some(canceled),
        ..publication(2)
    };
    bench.news(&offer, over, &[], vec![]).await;
    assert_eq!(delete("partner").await, "nothing was refused");
    bench.plan(&offer.name, "partner").await;
    assert_eq!(
        delete("partner").await,
        "nothing was refused",
        "what never was previewed can come and go"
    );
    let previewed = submission();
    bench.previewed(&offer, previewed, 3).await;
    let over = Publication {
        latest_submission: Some(previewed),
        ..publication(9)
    };
    bench.news(&offer, over, &[], vec![]).await;
    assert_eq!(delete("team").await, "PLAN_FROZEN");
    bench.end().await;
}
