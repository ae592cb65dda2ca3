//! The SQL of the catalogue against a real Postgres: constraints, writers at once, freezes, previews, activations.
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
mod edits;
mod fuzz;
mod pages;
mod search;
mod support;
mod uploads;

use futures::{StreamExt, TryStreamExt};
use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::offer_service_server::OfferService;
use marketplace_runtime::access::{Permission, Role};
use marketplace_runtime::clock;
use marketplace_runtime::ids::OfferName;
use offer_catalog::commands::freezes::Frozen;
use offer_catalog::commands::{audiences, members, offers, plans};
use offer_catalog::domain::freeze::Wanted as Freeze;
use offer_catalog::domain::offer::{Publication, Status};
use offer_catalog::domain::order::{Answer, Wanted};
use offer_catalog::error::Result;
use offer_catalog::pages::PageId;
use offer_catalog::store;
use serde_json::json;
use support::pipeline::{activation, order, publication};
use support::{Bench, Offer, PUBLISHER, member, pricing, reason, somebody, submission, system};

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
            support::listing(&offer.name, "Another title"),
        )
        .await;
    let again = bench.freeze(&offer, submission, &[]).await.unwrap();
    assert_eq!(
        (&again.digest, again.profile.offer_title.as_str()),
        (&first.digest, "Contoso Forge")
    );
    let stopped = bench.freeze(&offer, submission, &["team"]).await.unwrap();
    assert_ne!(stopped.digest, first.digest);
    let restored = Freeze {
        submission,
        restored: vec!["team".into()],
        ..Freeze::default()
    };
    assert_eq!(
        bench.freeze_as(&offer, &restored).await.unwrap().digest,
        first.digest
    );
    let read = bench.read(&offer.name).await.unwrap();
    assert!(read.ever_frozen);
    let twin = support::submission();
    assert_ne!(
        bench.freeze(&offer, twin, &[]).await.unwrap().digest,
        first.digest
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
    let page = support::listing(&offer.name, "Another title");
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
    assert_eq!(again.digest, anew.digest, "the first one that holds counts");
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
    let same = refrozen(&bench, &offer, &first.digest).await;
    assert!(!same.profile.changed);
    bench
        .save(
            offer.uid,
            "partner",
            PageId::PlanPricing,
            pricing("PRIVATE", &["22222222-2222-4222-8222-222222222222"]),
        )
        .await;
    let other = refrozen(&bench, &offer, &first.digest).await;
    assert!(
        other.profile.changed,
        "SY-3: a new kind of id needs a publish"
    );
    assert_eq!(other.digest, first.digest, "audiences are no content");
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
        assert_eq!(next.digest, digest);
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
                support::listing(&offer.name, "The next one"),
            )
            .await;
        let next = refrozen(&bench, &offer, &digest).await;
        assert!(next.profile.changed && next.digest != digest);
        assert!(next.profile.pages_changed.contains(&PageId::Properties));
        bench.end().await;
    }
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
        source: Some(first.digest),
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

#[tokio::test]
async fn pv5_a_preview_is_served_when_sign_off_is_reached_and_revokes_the_one_before() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let first = submission();
    let digest = bench.freeze(&offer, first, &[]).await.unwrap().digest;
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
            support::listing(&offer.name, "A draft"),
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
            support::listing(&offer.name, "The next one"),
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
