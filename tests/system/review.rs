//! Review and publish: which pages there are, how they stand, and what a publish needs.

use anyhow::Context;
use marketplace_proto::certification::v1::GetCaseRequest;
use marketplace_proto::offercatalog::v1::{
    CustomTerms, HelpLink, IssueSeverity, LegalTerms, ListOfferTypesRequest, OfferListingPage,
    OfferSetupPage, PageId, PageIssue, PageStatus, PlanAudience, ReviewOfferRequest,
    ReviewOfferResponse, SellingOption, SupplementalContentPage, custom_terms, legal_terms,
    page::Page as Kind,
};
use marketplace_proto::publishing::v1::{
    Action, GetOfferOverviewRequest, OfferOverview, PublicationMove, StepState,
};
use marketplace_runtime::status::reason;
use system_tests::drafts::{self, Draft};
use system_tests::{HttpsServer, Marketplace, Options};
use tonic::Code;

async fn review(market: &Marketplace, offer: &str) -> anyhow::Result<ReviewOfferResponse> {
    let request = ReviewOfferRequest {
        name: offer.into(),
        page_size: 1_000,
        ..Default::default()
    };
    let mut ada = market.person("ada");
    Ok(ada.offers.review_offer(request).await?.into_inner())
}

async fn overview(market: &Marketplace, offer: &str) -> anyhow::Result<OfferOverview> {
    let get = GetOfferOverviewRequest {
        offer: offer.into(),
    };
    let mut ada = market.person("ada");
    let answer = ada.publishing.get_offer_overview(get).await?;
    answer.into_inner().overview.context("no overview")
}

/// The Publish button.
fn publish(overview: &OfferOverview) -> Action {
    let mut actions = overview.actions.iter();
    let found = actions.find(|action| action.r#move() == PublicationMove::Publish);
    found.cloned().unwrap_or_default()
}

/// PG-5, PG-9: before anything is submitted the overview shows what the Review and publish page shows, and Publish is
/// enabled as that says.
async fn agrees(
    market: &Marketplace,
    offer: &str,
    review: &ReviewOfferResponse,
) -> anyhow::Result<()> {
    let overview = overview(market, offer).await?;
    assert_eq!(overview.pages, review.pages, "{offer}");
    assert_eq!(
        overview.requires_testing_notes, review.requires_testing_notes,
        "AS-028: {offer}"
    );
    let links = overview.help_links.iter().map(|link| &link.target);
    let wanted = review.help_links.iter().map(|link| &link.url);
    assert!(links.eq(wanted), "AS-040: {offer}");
    let publish = publish(&overview);
    assert_eq!(publish.allowed, review.complete, "AS-027: {offer}");
    let open = review.pages.iter().filter(|page| {
        !matches!(
            page.status(),
            PageStatus::Complete | PageStatus::UnpublishedChanges
        )
    });
    for page in open {
        assert!(
            publish.reason.starts_with("PAGES_INCOMPLETE") && publish.reason.contains(&page.title),
            "AS-027: {publish:?} for {page:?}"
        );
    }
    Ok(())
}

fn statuses(review: &ReviewOfferResponse) -> Vec<(PageId, &str, PageStatus)> {
    let rows = review.pages.iter();
    rows.map(|row| (row.page(), row.plan_id.as_str(), row.status()))
        .collect()
}

fn status(review: &ReviewOfferResponse, page: PageId) -> PageStatus {
    let mut rows = review.pages.iter();
    rows.find(|row| row.page() == page)
        .map(|row| row.status())
        .unwrap_or_default()
}

fn empty(offer_type: &'static str) -> Draft {
    Draft {
        offer_type,
        pages: vec![],
        plans: vec![],
        assets: vec![],
    }
}

/// AS-022, AS-023, AS-028, AS-040: every applicable page once, with its status; notes and guidelines by type.
#[tokio::test]
async fn as_022_every_page_of_the_type_is_there_with_one_of_three_statuses() -> anyhow::Result<()> {
    use PageId as P;
    let market = Marketplace::start().await?;
    market.publisher("contoso").await?;
    let listed = [P::OfferSetup, P::Properties, P::OfferListing, P::CoSell];
    let sold = [
        P::OfferSetup,
        P::Properties,
        P::OfferListing,
        P::PreviewAudience,
        P::TechnicalConfiguration,
        P::PlanOverview,
        P::ResellThroughCsps,
        P::CoSell,
        P::SupplementalContent,
    ];
    let container = [
        P::OfferSetup,
        P::Properties,
        P::OfferListing,
        P::PreviewAudience,
        P::PlanOverview,
        P::ResellThroughCsps,
        P::CoSell,
    ];
    let of_saas_plans = [P::PlanListing, P::PlanPricingAndAvailability];
    let of_images = [
        P::PlanListing,
        P::PlanPricingAndAvailability,
        P::PlanTechnicalConfiguration,
    ];
    let cases: [(&str, Draft, &[P], &[P]); 3] = [
        ("listed", drafts::saas_free_trial(), &listed, &[]),
        (
            "sold",
            drafts::saas_sold("https://leads.contoso.example/in"),
            &sold,
            &of_saas_plans,
        ),
        ("image", drafts::container(), &container, &of_images),
    ];
    for (id, draft, of_offer, of_plans) in cases {
        let plans: Vec<&str> = draft.plans.iter().map(|(plan, ..)| *plan).collect();
        let offer = market.draft("contoso", id, draft).await?;
        let review = review(&market, &offer).await?;
        let mut wanted: Vec<(P, &str)> = of_offer.iter().map(|page| (*page, "")).collect();
        wanted.extend(
            plans
                .iter()
                .flat_map(|plan| of_plans.iter().map(|page| (*page, *plan))),
        );
        let mut found: Vec<_> = statuses(&review).iter().map(|row| (row.0, row.1)).collect();
        wanted.sort_by_key(|(page, plan)| (*page as i32, plan.to_owned()));
        found.sort_by_key(|(page, plan)| (*page as i32, plan.to_owned()));
        assert_eq!(found, wanted, "{id}");
        assert!(review.complete, "{id}: {:?}", review.issues);
        agrees(&market, &offer, &review).await?;
    }
    let mut ada = market.person("ada");
    let types = ada
        .offers
        .list_offer_types(ListOfferTypesRequest::default())
        .await?
        .into_inner();
    assert!(types.offer_types.len() >= 12);
    for (n, kind) in types.offer_types.iter().enumerate() {
        let draft = Draft {
            offer_type: kind.id.clone().leak(),
            ..empty("")
        };
        let offer = market
            .draft("contoso", &format!("empty-{n}"), draft)
            .await?;
        let review = review(&market, &offer).await?;
        for (page, _, status) in statuses(&review) {
            let allowed = [
                PageStatus::NotStarted,
                PageStatus::Incomplete,
                PageStatus::Complete,
            ];
            assert!(allowed.contains(&status), "{} {page:?} {status:?}", kind.id);
        }
        assert_eq!(
            status(&review, P::OfferListing),
            PageStatus::NotStarted,
            "AS-023"
        );
        assert!(
            review.help_links.iter().any(is_guidelines),
            "AS-040: {}",
            kind.id
        );
        match kind.id.as_str() {
            "softwareAsAService" => assert!(review.requires_testing_notes, "AS-028"),
            "consultingService" => assert!(!review.requires_testing_notes, "AS-028"),
            _ => {}
        }
        agrees(&market, &offer, &review).await?;
    }
    market.stop().await
}

fn is_guidelines(link: &HelpLink) -> bool {
    let (title, context) = (link.title.as_str(), link.context.as_str());
    (title, context) == ("Offer listing guidelines", "review-and-publish")
        && link.url.starts_with("https://")
}

/// AS-024, AS-025, AS-026, AS-027, AS-029: from incomplete to complete, and what the notes are for.
#[tokio::test]
async fn as_026_a_page_is_complete_once_nothing_is_missing_or_wrong() -> anyhow::Result<()> {
    let market = Marketplace::start().await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "forge", drafts::saas_free_trial())
        .await?;
    let good = drafts::listing();
    let named = |mut page: OfferListingPage| {
        page.large_logo = format!("{offer}/assets/{}", page.large_logo);
        for shot in &mut page.screenshots {
            shot.asset = format!("{offer}/assets/{}", shot.asset);
        }
        page
    };
    let mut without_summary = named(good.clone());
    without_summary.summary.clear();
    let mut wrong_address = named(good.clone());
    wrong_address.support_url = "nowhere".into();
    for (page, field, id) in [
        (without_summary, "summary", "AS-024"),
        (wrong_address, "support_url", "AS-025"),
    ] {
        market.save(&offer, Kind::OfferListing(page)).await?;
        let review = review(&market, &offer).await?;
        assert_eq!(
            status(&review, PageId::OfferListing),
            PageStatus::Incomplete,
            "{id}"
        );
        assert!(!review.complete, "AS-027");
        let issue = review.issues.iter().find(|issue| issue.field_path == field);
        assert_eq!(
            issue.context(field)?.severity(),
            IssueSeverity::Error,
            "{id}"
        );
        let request = market.publish_request(&offer).await?;
        let refused = market.person("ada").publishing.publish_offer(request).await;
        let refused = refused.expect_err("a page is incomplete");
        assert_eq!(reason(&refused), "PAGES_INCOMPLETE", "AS-027");
        agrees(&market, &offer, &review).await?;
    }
    market.save(&offer, Kind::OfferListing(named(good))).await?;
    let complete = review(&market, &offer).await?;
    assert_eq!(
        status(&complete, PageId::OfferListing),
        PageStatus::Complete,
        "AS-026"
    );
    assert!(complete.complete, "AS-027: {:?}", complete.issues);
    agrees(&market, &offer, &complete).await?;
    for notes in ["", " \n "] {
        let mut request = market.publish_request(&offer).await?;
        request.notes = notes.into();
        let refused = market.person("ada").publishing.publish_offer(request).await;
        let refused = refused.expect_err("AS-029: notes are needed");
        assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
        assert_eq!(reason(&refused), "NOTES_REQUIRED", "{refused:?}");
    }
    market.settled().await?;
    assert_eq!(
        market.history(&offer).await?,
        ["Created offer"],
        "AS-029: nothing was begun"
    );
    let request = market.publish_request(&offer).await?;
    let notes = request.notes.clone();
    let submission = market.publish(&offer).await?;
    let begun = market.submission(&submission).await?;
    assert_eq!(begun.notes, notes, "AS-029");
    assert_ne!(begun.steps[0].state(), StepState::NotStarted, "AS-030");
    market.asked_to_review(&submission).await?;
    market.go_live(&submission).await?;
    let case = market.case_of(&submission).await?;
    let get = GetCaseRequest { name: case.name };
    let case = market
        .staff("rita", "reviewer")
        .certification
        .get_case(get)
        .await?
        .into_inner();
    assert_eq!(case.case.context("no case")?.notes, notes, "AS-029");
    market.stop().await
}

/// AS-041, SU-2: Dynamics 365 Operations links the guide to its functional validation before its first publish, and says what
/// evidence is missing.
#[tokio::test]
async fn as_041_missing_demo_evidence_is_reported_and_the_guide_is_linked() -> anyhow::Result<()> {
    let market = Marketplace::start().await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "ledger", empty("dynamics365ForOperations"))
        .await?;
    let before = overview(&market, &offer).await?;
    for title in [
        "Dynamics 365 Operations functional validation",
        "Offer listing guidelines",
        "Update an existing offer",
        "User management",
        "Action Center overview",
        "Notifications help",
    ] {
        let link = before.help_links.iter().find(|link| link.title == title);
        let link = link.context(title)?;
        assert!(link.target.starts_with("https://"), "{link:?}");
    }
    let video = SupplementalContentPage {
        demo_video_url: "https://www.youtube.com/watch?v=ledger".into(),
        ..Default::default()
    };
    let call = SupplementalContentPage {
        validation_call_requested: true,
        ..Default::default()
    };
    for (page, missing) in [
        (None, &["demo_video_url", "evidence"][..]),
        (Some(video), &["evidence"]),
        (Some(call), &[]),
    ] {
        if let Some(page) = page {
            market.save(&offer, Kind::SupplementalContent(page)).await?;
        }
        let review = review(&market, &offer).await?;
        let issues = review.issues.iter();
        let found: Vec<_> = issues
            .filter(|issue| issue.page() == PageId::SupplementalContent)
            .map(|issue| (issue.field_path.as_str(), issue.code.as_str()))
            .collect();
        let wanted: Vec<_> = missing.iter().map(|field| (*field, "REQUIRED")).collect();
        assert_eq!(found, wanted, "AS-041");
        let named = publish(&overview(&market, &offer).await?)
            .reason
            .contains("Supplemental content");
        assert_eq!(named, !missing.is_empty(), "AS-041");
        let request = market.publish_request(&offer).await?;
        let refused = market.person("ada").publishing.publish_offer(request).await;
        let refused = refused.expect_err("its other pages are empty");
        let said = String::from_utf8_lossy(refused.details()).contains("Supplemental content");
        assert_eq!(said, !missing.is_empty(), "AS-041: {refused:?}");
    }
    market.stop().await
}

/// Without the catalogue the overview says what the pipeline knows, and that Publish waits for it.
#[tokio::test]
async fn the_overview_answers_while_the_catalog_is_away() -> anyhow::Result<()> {
    let mut market = Marketplace::start().await?;
    market.publisher("contoso").await?;
    let (offer, _) = market
        .publish_live("contoso", "forge", drafts::saas_free_trial())
        .await?;
    let there = overview(&market, &offer).await?;
    assert!(publish(&there).allowed && !there.pages.is_empty());
    market.settled().await?;
    market.kill("offer-catalog").await?;
    let away = overview(&market, &offer).await?;
    let button = publish(&away);
    assert!(!button.allowed, "{button:?}");
    assert!(button.reason.contains("catalog is away"), "{button:?}");
    assert_eq!(away.submission, there.submission);
    assert_eq!(away.help_links, there.help_links, "as of the submission");
    assert!(away.pages.is_empty() && away.live_links.is_empty());
    let stop = |overview: &OfferOverview| {
        let mut actions = overview.actions.iter();
        actions.any(|one| one.allowed && one.r#move() == PublicationMove::StopDistribution)
    };
    assert!(stop(&away), "what needs no catalogue stays possible");
    market.restart("offer-catalog").await?;
    market.stop().await
}

/// AS-140, AS-141, AS-143: what was published can't be taken back, and Publish says so page by page.
#[tokio::test]
async fn as_140_what_was_published_is_not_taken_back() -> anyhow::Result<()> {
    let crm = HttpsServer::start().await?;
    let options = Options {
        environment: crm.trusted(),
        ..Options::default()
    };
    let market = Marketplace::start_with(options).await?;
    market.publisher("contoso").await?;
    let draft = drafts::saas_sold(&format!("{}/leads", crm.url));
    let (offer, _) = market
        .publish_live("contoso", "forge", draft.clone())
        .await?;
    let setup = OfferSetupPage {
        selling: SellingOption::ListingOnly as i32,
        ..Default::default()
    };
    market.save(&offer, Kind::OfferSetup(setup)).await?;
    refused(&market, &offer, PageId::OfferSetup, "AS-140").await?;
    market.save(&offer, draft.pages[0].clone()).await?;
    let mut properties = draft.pages[1].clone();
    if let Kind::Properties(page) = &mut properties {
        let terms = CustomTerms {
            source: Some(custom_terms::Source::Text("Ours".into())),
        };
        page.legal = Some(LegalTerms {
            terms: Some(legal_terms::Terms::Custom(terms)),
        });
    }
    market.save(&offer, properties).await?;
    refused(&market, &offer, PageId::Properties, "AS-143").await?;
    market.save(&offer, draft.pages[1].clone()).await?;
    let (plan, _, pages) = &draft.plans[0];
    let mut pricing = pages[1].clone();
    if let Kind::PlanPricing(page) = &mut pricing {
        page.audience = PlanAudience::Private as i32;
    }
    market
        .save(&format!("{offer}/plans/{plan}"), pricing)
        .await?;
    refused(
        &market,
        &offer,
        PageId::PlanPricingAndAvailability,
        "AS-141",
    )
    .await?;
    market.stop().await
}

async fn refused(market: &Marketplace, offer: &str, page: PageId, id: &str) -> anyhow::Result<()> {
    let review = review(market, offer).await?;
    let frozen = |issue: &PageIssue| issue.page() == page && issue.code == "FROZEN_BY_PUBLISH";
    assert!(
        review.issues.iter().any(frozen),
        "{id}: {:?}",
        review.issues
    );
    let request = market.publish_request(offer).await?;
    let refused = market.person("ada").publishing.publish_offer(request).await;
    let refused = refused.expect_err(id);
    assert_eq!(reason(&refused), "PAGES_INCOMPLETE", "{id}");
    Ok(())
}
