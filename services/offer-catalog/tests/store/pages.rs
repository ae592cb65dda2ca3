//! Pages against a real Postgres: etags, writers at once, secrets, what is held against what is live.

use crate::support::{
    Bench, Offer, PUBLISHER, listing, member, pricing, reason, somebody, submission, system,
};
use marketplace_runtime::access::{Permission, Role};
use marketplace_runtime::clock;
use marketplace_runtime::ids::OfferName;
use offer_catalog::commands::pages::{self, NewSecret, SavePage, SavedPage};
use offer_catalog::commands::plans;
use offer_catalog::domain::completeness::{PageStatus, review};
use offer_catalog::error::Result;
use offer_catalog::pages::{Page, PageId};
use offer_catalog::store;
use offer_catalog::store::pages::Loaded;
use serde_json::{Value, json};

fn command(
    offer: &OfferName,
    plan: Option<&str>,
    id: PageId,
    content: Value,
    etag: i64,
) -> SavePage {
    let page = Page::from_json(id, content.clone()).unwrap();
    SavePage {
        offer: offer.clone(),
        plan: plan.map(str::to_owned),
        page,
        content,
        secret: NewSecret::None,
        etag,
    }
}

async fn save(bench: &Bench, command: &SavePage) -> Result<SavedPage> {
    let scope = system(PUBLISHER);
    bench
        .run(async |db| pages::save(db, &bench.keys, &scope, command, clock::now()).await)
        .await
}

async fn load(bench: &Bench, offer: &OfferName) -> Loaded {
    let mut db = bench.db.acquire().await.unwrap();
    store::pages::draft(&mut db, offer, clock::now())
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn a_page_is_saved_under_its_own_etag() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let page = |title: &str, etag| {
        command(
            &offer,
            None,
            PageId::OfferListing,
            json!({"title": title}),
            etag,
        )
    };
    assert_eq!(
        reason(save(&bench, &page("Early", 3)).await),
        "STALE_ETAG",
        "no page was ever saved"
    );
    let first = save(&bench, &page("One", 0)).await.unwrap();
    assert_eq!((first.revision, first.offer_revision), (1, 2));
    assert!(
        first
            .issues
            .iter()
            .any(|issue| issue.field == "summary" && issue.code == "REQUIRED")
    );
    assert_eq!(reason(save(&bench, &page("Blind", 0)).await), "STALE_ETAG");
    let second = save(&bench, &page("Two", 1)).await.unwrap();
    assert_eq!((second.revision, second.offer_revision), (2, 3));
    let stale = save(&bench, &page("Late", 1)).await.unwrap_err();
    assert!(matches!(stale, offer_catalog::error::Error::StaleEtag { current } if current == "2"));
    let loaded = load(&bench, &offer).await;
    assert_eq!(loaded.draft.pages.offer_listing.unwrap().title, "Two");
    assert_eq!(loaded.draft.revision, 3);
    bench.end().await;
}

#[tokio::test]
async fn writers_of_different_pages_never_refuse_each_other() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    bench.plan(&offer, "gold").await;
    let of_offer = [
        PageId::OfferSetup,
        PageId::Properties,
        PageId::OfferListing,
        PageId::PreviewAudience,
        PageId::CoSell,
    ];
    for round in 0..8 {
        let saves = of_offer
            .iter()
            .map(|&page| command(&offer, None, page, json!({}), round));
        let saves: Vec<SavePage> = saves
            .chain([command(
                &offer,
                Some("gold"),
                PageId::PlanPricing,
                json!({}),
                round,
            )])
            .collect();
        for saved in
            futures::future::join_all(saves.iter().map(|command| save(&bench, command))).await
        {
            assert_eq!(saved.unwrap().revision, round + 1);
        }
    }
    assert_eq!(
        load(&bench, &offer).await.draft.revision,
        2 + 8 * 6,
        "each write has raised the draft's revision by one"
    );
    bench.end().await;
}

#[tokio::test]
async fn of_writers_of_one_page_exactly_one_wins() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    for round in 0..8 {
        let page = |at: i32| {
            command(
                &offer,
                None,
                PageId::OfferListing,
                json!({"title": format!("{round}/{at}")}),
                round,
            )
        };
        let saves: Vec<SavePage> = (0..8).map(page).collect();
        let outcomes =
            futures::future::join_all(saves.iter().map(|command| save(&bench, command))).await;
        let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 7));
        assert!(
            lost.into_iter()
                .map(reason)
                .all(|reason| reason == "STALE_ETAG")
        );
    }
    assert_eq!(
        load(&bench, &offer).await.draft.revision,
        1 + 8,
        "who lost has changed nothing"
    );
    bench.end().await;
}

#[tokio::test]
async fn a_plan_that_goes_takes_its_pages_along_and_never_deadlocks_with_a_save() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    for round in 0..10 {
        let plan = bench.plan(&offer, &format!("p{round}")).await;
        let page = |etag| {
            command(
                &offer,
                Some(&plan.plan),
                PageId::PlanListing,
                json!({"description": "x"}),
                etag,
            )
        };
        save(&bench, &page(0)).await.unwrap();
        let scope = system(PUBLISHER);
        let delete =
            bench.run(async |db| plans::delete(db, &scope, &plan, None, clock::now()).await);
        let again = page(1);
        let (saved, deleted) = tokio::join!(save(&bench, &again), delete);
        deleted.unwrap();
        let outcome = reason(saved);
        assert!(
            ["nothing was refused", "NOT_FOUND", "STALE_ETAG"].contains(&outcome.as_str()),
            "{outcome}"
        );
    }
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM offer_catalog.pages")
        .fetch_one(bench.db.pool())
        .await
        .unwrap();
    assert_eq!(left, 0);
    bench.end().await;
}

#[tokio::test]
async fn pages_are_where_they_belong_and_for_who_may() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "consultingService").await;
    let at_plan = command(&offer, Some("gold"), PageId::PlanListing, json!({}), 0);
    assert_eq!(reason(save(&bench, &at_plan).await), "PAGE_NOT_APPLICABLE");
    let technical = command(&offer, None, PageId::TechnicalConfiguration, json!({}), 0);
    assert_eq!(
        reason(save(&bench, &technical).await),
        "PAGE_NOT_APPLICABLE"
    );
    let saas = bench.offer("app", "softwareAsAService").await;
    let no_plan = command(&saas, Some("gold"), PageId::PlanListing, json!({}), 0);
    assert_eq!(reason(save(&bench, &no_plan).await), "NOT_FOUND");
    let nowhere = command(
        &OfferName::new(PUBLISHER, "none"),
        None,
        PageId::CoSell,
        json!({}),
        0,
    );
    assert_eq!(reason(save(&bench, &nowhere).await), "NOT_FOUND");
    let marketer = member(PUBLISHER, "mark", &[Role::Marketer]);
    bench
        .run(async |db| store::members::insert(db, &marketer).await)
        .await
        .unwrap();
    let page = command(&saas, None, PageId::CoSell, json!({}), 0);
    for (who, expected) in [
        ("mallory", "NOT_FOUND"),
        ("mark", "ROLE_REQUIRED"),
        ("ada", "nothing was refused"),
    ] {
        let scope = somebody(who, Permission::Publish).await;
        let saved = bench
            .run(async |db| pages::save(db, &bench.keys, &scope, &page, clock::now()).await)
            .await;
        assert_eq!(reason(saved), expected, "{who}");
    }
    bench.end().await;
}

#[tokio::test]
async fn ld_4_secrets_are_sealed_versioned_and_kept() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let dynamics = |host: &str| {
        let entra = json!({"application_id": "a", "directory_id": "d"});
        json!({"lead_destination": {"dynamics": {"instance_url": format!("https://{host}"), "entra": entra}}})
    };
    let setup = |host: &str, etag, secret: NewSecret| SavePage {
        secret,
        ..command(&offer, None, PageId::OfferSetup, dynamics(host), etag)
    };
    assert_eq!(
        reason(save(&bench, &setup("crm.example", 0, NewSecret::Keep)).await),
        "SECRET_NOT_STORED"
    );
    let given = save(
        &bench,
        &setup("crm.example", 0, NewSecret::Value("hush".into())),
    )
    .await
    .unwrap();
    assert!(
        given.has_secret
            && !given
                .issues
                .iter()
                .any(|issue| issue.field.ends_with("application_key"))
    );
    let loaded = load(&bench, &offer).await;
    assert_eq!(loaded.draft.lead_secret, Some(1));
    let uid = loaded.draft.offer.uid;
    let opened = async |version| {
        let mut db = bench.db.acquire().await.unwrap();
        let sealed = store::secrets::get(&mut db, uid, store::secrets::LEAD_DESTINATION, version)
            .await
            .unwrap()
            .unwrap();
        assert!(!sealed.windows(4).any(|window| window == b"hush"));
        bench
            .keys
            .open(
                &store::secrets::place(uid, store::secrets::LEAD_DESTINATION),
                &sealed,
            )
            .unwrap()
    };
    assert_eq!(opened(1).await, b"hush");
    save(&bench, &setup("crm.example", 1, NewSecret::Keep))
        .await
        .unwrap();
    assert_eq!(
        load(&bench, &offer).await.draft.lead_secret,
        Some(1),
        "kept"
    );
    let elsewhere = setup("evil.example", 2, NewSecret::Keep);
    assert_eq!(
        reason(save(&bench, &elsewhere).await),
        "SECRET_NOT_STORED",
        "a kept secret goes nowhere else"
    );
    let cleared = save(&bench, &setup("crm.example", 2, NewSecret::None))
        .await
        .unwrap();
    assert!(
        !cleared.has_secret
            && cleared
                .issues
                .iter()
                .any(|issue| issue.field.ends_with("application_key"))
    );
    assert_eq!(load(&bench, &offer).await.draft.lead_secret, None);
    save(
        &bench,
        &setup("crm.example", 3, NewSecret::Value("hush2".into())),
    )
    .await
    .unwrap();
    assert_eq!(
        load(&bench, &offer).await.draft.lead_secret,
        Some(4),
        "versions are never used again"
    );
    assert_eq!(
        (opened(1).await, opened(4).await),
        (b"hush".to_vec(), b"hush2".to_vec())
    );
    let stored: String =
        sqlx::query_scalar("SELECT string_agg(content::text, '') FROM offer_catalog.pages")
            .fetch_one(bench.db.pool())
            .await
            .unwrap();
    assert!(!stored.contains("hush"));
    bench.end().await;
}

#[tokio::test]
async fn pg_6_the_draft_is_held_against_what_was_live_last() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let status = async || {
        let loaded = load(&bench, &offer.name).await;
        let review = review(&loaded.draft, &loaded.published);
        assert!(review.complete, "{:?}", review.issues);
        review
            .pages
            .iter()
            .find(|row| row.page == PageId::OfferListing)
            .unwrap()
            .status
    };
    assert_eq!(status().await, PageStatus::Complete);
    let submission = submission();
    let digest = bench.previewed(&offer, submission, 1).await;
    bench
        .save(
            offer.uid,
            "",
            PageId::OfferListing,
            listing(&offer.name, "Contoso Forge 2"),
        )
        .await;
    assert_eq!(
        status().await,
        PageStatus::Complete,
        "a preview is not published"
    );
    bench.activate(&offer, submission, &digest, 3).await;
    assert_eq!(status().await, PageStatus::UnpublishedChanges);
    bench
        .save(
            offer.uid,
            "",
            PageId::OfferListing,
            listing(&offer.name, "Contoso Forge"),
        )
        .await;
    assert_eq!(
        status().await,
        PageStatus::Complete,
        "the same words again are no change"
    );
    bench
        .save(
            offer.uid,
            "",
            PageId::OfferSetup,
            json!({"selling": "LISTING_ONLY", "call_to_action": "CONTACT_ME"}),
        )
        .await;
    let loaded = load(&bench, &offer.name).await;
    let codes: Vec<&str> = review(&loaded.draft, &loaded.published)
        .issues
        .iter()
        .map(|issue| issue.code)
        .collect();
    assert!(
        codes.contains(&"FROZEN_BY_PUBLISH"),
        "OS-5, AS-140: {codes:?}"
    );
    bench.end().await;
}

#[tokio::test]
async fn tc_2_live_offers_of_a_publisher_share_their_application() {
    let bench = Bench::new().await;
    let live = bench.complete("forge").await;
    let submission = submission();
    let digest = bench.previewed(&live, submission, 1).await;
    bench.activate(&live, submission, &digest, 3).await;
    let other = bench.complete("wiki").await;
    let review_of = async |name: &OfferName| {
        let loaded = load(&bench, name).await;
        let issues = review(&loaded.draft, &loaded.published).issues;
        issues
            .into_iter()
            .map(|issue| issue.code)
            .collect::<Vec<_>>()
    };
    assert!(
        review_of(&other.name).await.is_empty(),
        "the same application"
    );
    let revision = load(&bench, &other.name)
        .await
        .saved(PageId::TechnicalConfiguration, "")
        .unwrap()
        .revision;
    let technical = json!({
        "landing_page_url": "https://wiki.contoso.example", "webhook_url": "https://wiki.contoso.example/hook",
        "tenant_id": "3f1c9a52-6d0e-4b9d-8c53-0a7b8b0c2f11", "application_id": "00000000-0000-4000-8000-000000000001"
    });
    let saved = save(
        &bench,
        &command(
            &other.name,
            None,
            PageId::TechnicalConfiguration,
            technical,
            revision,
        ),
    )
    .await
    .unwrap();
    let codes: Vec<&str> = saved.issues.iter().map(|issue| issue.code).collect();
    assert_eq!(codes, ["OTHER_APPLICATION"], "the save says so already");
    assert_eq!(review_of(&other.name).await, ["OTHER_APPLICATION"]);
    assert!(
        review_of(&live.name).await.is_empty(),
        "a draft is no reason to refuse what is live"
    );
    bench.end().await;
}

/// A8: a warning, and a record of who did it and where they are from; never who they are, and never a refusal.
#[tokio::test]
async fn pv_6_who_lets_outsiders_into_a_preview_is_audited() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let page = PageId::PreviewAudience;
    let members = |ids: &[&str]| {
        let members = ids.iter().map(|id| json!({"kind": "EMAIL", "id": id}));
        json!({"members": members.collect::<Vec<_>>()})
    };
    let audits = async || -> Vec<(i64, Vec<String>, String)> {
        sqlx::query_as(
            "SELECT revision, domains, admitted_by FROM offer_catalog.outsider_admissions
             WHERE offer_uid = $1 ORDER BY revision",
        )
        .bind(offer.uid)
        .fetch_all(bench.db.pool())
        .await
        .unwrap()
    };
    let own = members(&["tess@contoso.example", "Tom@CONTOSO.example"]);
    let saved = save(&bench, &command(&offer.name, None, page, own, 1)).await;
    assert!(saved.unwrap().issues.is_empty());
    assert!(audits().await.is_empty());
    let outsiders = members(&[
        "tess@contoso.example",
        "ann@Fabrikam.example",
        "bob@adatum.example",
        "cid@fabrikam.example",
    ]);
    let stale = save(
        &bench,
        &command(&offer.name, None, page, outsiders.clone(), 1),
    )
    .await;
    assert_eq!(reason(stale.map(drop)), "STALE_ETAG");
    assert!(audits().await.is_empty(), "what isn't saved isn't noted");
    let ada = somebody("ada", Permission::Publish).await;
    let letting_in = command(&offer.name, None, page, outsiders, 2);
    let saved = bench
        .run(async |db| pages::save(db, &bench.keys, &ada, &letting_in, clock::now()).await)
        .await
        .unwrap();
    let codes: Vec<&str> = saved.issues.iter().map(|issue| issue.code).collect();
    assert_eq!(codes, ["OUTSIDE_DOMAIN"; 3]);
    let from = ["adatum.example", "fabrikam.example"].map(str::to_owned);
    let [(revision, domains, by)] = &audits().await[..] else {
        panic!("one entry");
    };
    assert_eq!((*revision, domains.as_slice()), (saved.revision, &from[..]));
    assert_eq!(by, ada.principal());
    bench.end().await;
}

/// TC-2 while nothing is live: both drafts are refused, each naming the other, until one gives in or isn't sold any more.
#[tokio::test]
async fn tc_2_drafts_of_a_publisher_share_their_application() {
    let bench = Bench::new().await;
    let (forge, wiki) = (bench.complete("forge").await, bench.complete("wiki").await);
    let technical = |application: &str| {
        json!({
            "landing_page_url": "https://wiki.contoso.example", "webhook_url": "https://wiki.contoso.example/hook",
            "tenant_id": "3f1c9a52-6d0e-4b9d-8c53-0a7b8b0c2f11", "application_id": application
        })
    };
    let other = "00000000-0000-4000-8000-00000000000a";
    let page = PageId::TechnicalConfiguration;
    let found = async |offer: &Offer| -> Vec<String> {
        let loaded = load(&bench, &offer.name).await;
        let issues = review(&loaded.draft, &loaded.published).issues.into_iter();
        issues
            .map(|issue| format!("{} {}", issue.code, issue.message))
            .collect()
    };
    assert!(found(&forge).await.is_empty() && found(&wiki).await.is_empty());
    bench.save(wiki.uid, "", page, technical(other)).await;
    for (offer, names) in [(&forge, "offers/wiki"), (&wiki, "offers/forge")] {
        let [issue] = &found(offer).await[..] else {
            panic!("one issue of {}", offer.name);
        };
        assert!(
            issue.starts_with("OTHER_APPLICATION") && issue.contains(names),
            "{issue}"
        );
        let refused = bench.freeze(offer, submission(), &[]).await;
        assert_eq!(reason(refused), "PAGES_INCOMPLETE");
    }
    // Ids are compared as what they are, and of offers that are sold.
    let shouted = "7A2E4C1D-95B3-4F0A-A6DE-2B1F8E9C3D44";
    bench.save(wiki.uid, "", page, technical(shouted)).await;
    assert!(found(&forge).await.is_empty());
    bench.save(wiki.uid, "", page, technical(other)).await;
    let listed = json!({"selling": "LISTING_ONLY", "call_to_action": "CONTACT_ME"});
    bench.save(wiki.uid, "", PageId::OfferSetup, listed).await;
    assert!(found(&forge).await.is_empty());
    // What is live decides alone.
    let first = submission();
    let digest = bench.previewed(&forge, first, 1).await;
    bench.activate(&forge, first, &digest, 3).await;
    let sold = json!({"selling": "LIST_AND_SELL"});
    bench.save(wiki.uid, "", PageId::OfferSetup, sold).await;
    assert!(found(&forge).await.is_empty());
    let third = bench.complete("third").await;
    assert!(found(&third).await.is_empty(), "as the live one");
    bench.end().await;
}

#[tokio::test]
async fn the_database_holds_to_what_pages_are() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let uid = load(&bench, &offer).await.draft.offer.uid;
    let insert = async |plan: &str, page: &str| {
        sqlx::query::<sqlx::Postgres>(sqlx::AssertSqlSafe(format!(
            "INSERT INTO offer_catalog.pages (offer_uid, plan_id, page, revision, content, save_time, saved_by)
             VALUES ('{uid}', '{plan}', '{page}', 1, '{{}}', now(), 'x')"
        )))
        .execute(bench.db.pool())
        .await
        .is_ok()
    };
    assert!(
        !insert("gold", "plan_listing").await,
        "a page of a plan that isn't there"
    );
    assert!(
        !insert("", "plan_listing").await
            && !insert("", "plan_overview").await
            && !insert("", "other").await
    );
    bench.plan(&offer, "gold").await;
    assert!(
        !insert("gold", "properties").await,
        "an offer's page at a plan"
    );
    assert!(insert("gold", "plan_listing").await && insert("", "properties").await);
    bench.end().await;
}

/// What a save says of its page is what Review and publish says of it, whatever its rules look at besides.
#[tokio::test]
async fn a_save_tells_the_issues_that_the_review_tells_of_its_page() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "azureApplication").await;
    let uid = load(&bench, &offer).await.draft.offer.uid;
    bench.plan(&offer, "gold").await;
    let mut metered = pricing("PUBLIC", &[]);
    metered["meters"] =
        json!([{"id": "calls", "display_name": "Calls", "unit": "call", "price_per_unit": "0.01"}]);
    let person = json!({"name": "Sam", "email": "sam@contoso.example", "phone": "+1 425 555 0100"});
    let mut listing = listing(&offer, "Contoso Forge");
    listing["csp_contact"] = person;
    for (plan, page, content) in [
        ("", PageId::OfferSetup, json!({"selling": "LIST_AND_SELL"})),
        ("", PageId::OfferListing, listing),
        ("gold", PageId::PlanPricing, metered),
    ] {
        bench.save(uid, plan, page, content).await;
    }
    for (page, content, wanted) in [
        (
            PageId::TechnicalConfiguration,
            json!({}),
            &["tenant_id", "application_id"][..],
        ),
        (
            PageId::ResellThroughCsps,
            json!({"state": "ALL"}),
            &["state"],
        ),
    ] {
        let told = save(&bench, &command(&offer, None, page, content, 0))
            .await
            .unwrap()
            .issues;
        let loaded = load(&bench, &offer).await;
        let mut all = review(&loaded.draft, &loaded.published).issues;
        all.retain(|issue| issue.page == page);
        assert_eq!(told, all, "{page:?}");
        let fields: Vec<&str> = told.iter().map(|issue| issue.field.as_str()).collect();
        assert_eq!(fields, wanted, "{page:?}");
    }
    bench.end().await;
}
