//! Previews as testers and strangers meet them, and what customers see meanwhile.

use anyhow::Context;
use marketplace_proto::offercatalog::v1::{
    AcquireOfferRequest, AcquireOfferResponse, AudienceIdKind, AudienceMember, CategoryChoice,
    GetListingRequest, GetPreviewLinksRequest, GetPreviewListingRequest, Listing,
    SearchListingsRequest, page,
};
use marketplace_proto::publishing::v1::{
    GetOfferOverviewRequest, OfferOverview, PublicationMove, SubmissionState,
};
use marketplace_runtime::status::reason;
use serde_json::json;
use system_tests::{Clients, HttpsServer, Marketplace, Options, drafts, until};
use tonic::{Code, Status};

/// The token of the links of a submission's preview, once it is served.
async fn token(market: &Marketplace, offer: &str, submission: &str) -> anyhow::Result<String> {
    let links = GetPreviewLinksRequest {
        offer: offer.into(),
        submission: submission.into(),
    };
    let url = until("the preview is served", async || {
        let mut pipeline = market.staff("publishing-pipeline", "service");
        let links = pipeline.listings.get_preview_links(links.clone()).await?;
        Ok(links
            .into_inner()
            .links
            .into_iter()
            .next()
            .map(|link| link.url))
    })
    .await?;
    Ok(url.rsplit('/').next().unwrap_or_default().to_owned())
}

async fn preview(who: &mut Clients, token: &str) -> Result<Listing, Status> {
    let get = GetPreviewListingRequest {
        token: token.into(),
    };
    let answer = who.listings.get_preview_listing(get).await?;
    Ok(answer.into_inner().listing.unwrap_or_default())
}

async fn live(who: &mut Clients, offer: &str) -> Result<Listing, Status> {
    let get = GetListingRequest {
        offer: offer.into(),
    };
    let answer = who.listings.get_listing(get).await?;
    Ok(answer.into_inner().listing.unwrap_or_default())
}

async fn found(who: &mut Clients, offer: &str) -> anyhow::Result<bool> {
    let search = SearchListingsRequest {
        page_size: 1_000,
        ..Default::default()
    };
    let hits = who.listings.search_listings(search).await?.into_inner();
    Ok(hits.listings.iter().any(|hit| hit.offer == offer))
}

async fn buy(
    who: &mut Clients,
    offer: &str,
    plan: &str,
    token: &str,
    ticket: &str,
) -> Result<AcquireOfferResponse, Status> {
    let acquire = AcquireOfferRequest {
        offer: offer.into(),
        plan_id: plan.into(),
        preview_token: token.into(),
        no_charge: !ticket.is_empty(),
        ticket_reference: ticket.into(),
        ..Default::default()
    };
    Ok(who.listings.acquire_offer(acquire).await?.into_inner())
}

async fn overview(market: &Marketplace, offer: &str) -> anyhow::Result<OfferOverview> {
    let get = GetOfferOverviewRequest {
        offer: offer.into(),
    };
    let mut ada = market.person("ada");
    let answer = ada.publishing.get_offer_overview(get).await?;
    answer.into_inner().overview.context("no overview")
}

fn may_go_live(overview: &OfferOverview) -> bool {
    let mut actions = overview.actions.iter();
    actions.any(|action| action.allowed && action.r#move() == PublicationMove::GoLive)
}

/// AS-035, AS-036, AS-037, AS-075, AS-077, AS-087, AS-090, AS-093, PV-2: a preview is seen by whoever holds its link, bought by
/// its audience alone, and found by nobody.
#[tokio::test]
async fn as_035_as_036_as_037_as_075_as_077_as_090_as_093_a_preview_is_for_its_testers()
-> anyhow::Result<()> {
    let crm = HttpsServer::start().await?;
    let market = Marketplace::twice_with(Options {
        environment: crm.trusted(),
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    let mut draft = drafts::saas_sold(&crm.url);
    for page in &mut draft.pages {
        if let page::Page::PreviewAudience(audience) = page {
            audience.members.push(AudienceMember {
                kind: AudienceIdKind::Email as i32,
                id: "theo@contoso.example".into(),
                label: "Another tester".into(),
            });
        }
    }
    let offer = market.draft("contoso", "forge", draft).await?;
    let before = overview(&market, &offer).await?;
    assert!(!may_go_live(&before) && before.preview_links.is_empty());
    let submission = market.publish(&offer).await?;
    market.asked_to_review(&submission).await?;
    let token = token(&market, &offer, &submission).await?;
    let after = overview(&market, &offer).await?;
    assert!(
        may_go_live(&after) && !after.preview_links.is_empty(),
        "AS-087"
    );

    let tester = json!({"email": "tess@contoso.example", "email_verified": true});
    let (mut tess, mut carl) = (market.speaker("tess", &tester), market.person("carl"));
    for who in [&mut market.anybody(), &mut carl, &mut tess] {
        assert!(preview(who, &token).await?.preview, "AS-035");
        assert_eq!(live(who, &offer).await.unwrap_err().code(), Code::NotFound);
        assert!(!found(who, &offer).await?, "AS-075: in no search");
    }
    let refused = buy(&mut carl, &offer, "team", &token, "")
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "NOT_IN_AUDIENCE", "AS-036");
    let refused = buy(&mut carl, &offer, "team", "", "").await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound, "AS-075");
    let charged = buy(&mut tess, &offer, "team", &token, "").await?;
    assert_eq!(charged.warnings.len(), 1, "AS-090: it would be charged");
    let tester = json!({"email": "theo@contoso.example", "email_verified": true});
    let mut theo = market.speaker("theo", &tester);
    for who in [&mut tess, &mut theo] {
        for plan in ["team", "company"] {
            let free = buy(who, &offer, plan, &token, "support 4711").await?;
            let acquired = free.acquisition.context("AS-037, AS-093")?;
            assert!(acquired.no_charge && acquired.charge.is_empty() && free.warnings.is_empty());
        }
    }

    market.finish(&submission).await?;
    assert!(found(&mut carl, &offer).await?, "AS-077");
    buy(&mut carl, &offer, "team", "", "").await?;
    market.stop().await
}

/// AS-076, AS-078, AS-096 … AS-098: the next preview takes the place of the one before, and customers see nothing of it.
#[tokio::test]
async fn as_076_as_078_as_096_as_097_as_098_the_newest_preview_counts_and_live_stays_as_it_is()
-> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let draft = drafts::saas_free_trial();
    let (offer, _) = market.publish_live("contoso", "forge", draft).await?;
    let mut carl = market.person("carl");
    let old = live(&mut carl, &offer).await?;
    let mut tokens = Vec::new();
    let mut last = String::new();
    for title in ["Second edition of the forge", "Third edition of the forge"] {
        let mut listing = drafts::listing();
        listing.title = title.into();
        listing.large_logo = format!("{offer}/assets/logo");
        listing.screenshots[0].asset = format!("{offer}/assets/screen");
        market
            .save(&offer, page::Page::OfferListing(listing))
            .await?;
        last = market.publish(&offer).await?;
        market.asked_to_review(&last).await?;
        let token = token(&market, &offer, &last).await?;
        assert_eq!(preview(&mut carl, &token).await?.title, title, "AS-076");
        assert_eq!(live(&mut carl, &offer).await?, old, "AS-097");
        tokens.push(token);
    }
    let gone = preview(&mut carl, &tokens[0]).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound, "AS-078: one preview only");
    market.finish(&last).await?;
    let new = live(&mut carl, &offer).await?;
    assert_eq!(new.title, "Third edition of the forge");
    let gone = preview(&mut carl, &tokens[1]).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound, "what was a preview is live");
    let help = overview(&market, &offer).await?.help_links;
    let guide = help
        .iter()
        .find(|link| link.title == "Update an existing offer");
    let guide = guide.context("AS-098")?;
    assert!(guide.target.starts_with("https://"), "{guide:?}");
    market.stop().await
}

/// Titles of the links beneath Go live.
async fn link_titles(market: &Marketplace, offer: &str) -> anyhow::Result<Vec<String>> {
    until("the overview has preview links", async || {
        let links = overview(market, offer).await?.preview_links;
        let titles: Vec<_> = links.into_iter().map(|link| link.title).collect();
        Ok((!titles.is_empty()).then_some(titles))
    })
    .await
}

/// AS-075, AS-092, AS-093, PV-3: links lead to the storefronts where the offer will be; that of a container shows nothing to
/// who has no subscription of its audience.
#[tokio::test]
async fn as_075_as_092_as_093_links_lead_to_storefronts_and_through_the_cloud_portal_for_testers()
-> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let (app_source, azure) = ("AppSource preview", "Azure Marketplace preview");
    let offers: [(&str, &[&str], &[&str]); 3] = [
        ("for-sales", &["sales"], &[app_source]),
        ("for-data", &["databases"], &[azure]),
        ("for-both", &["sales", "databases"], &[app_source, azure]),
    ];
    for (id, categories, wanted) in offers {
        let choices = categories.iter().map(|category| CategoryChoice {
            category: (*category).into(),
            subcategories: vec![],
        });
        let mut draft = drafts::saas_free_trial();
        for page in &mut draft.pages {
            if let page::Page::Properties(properties) = page {
                properties.categories = choices.clone().collect();
            }
        }
        let offer = market.draft("contoso", id, draft).await?;
        let submission = market.publish(&offer).await?;
        market
            .until_state(&submission, SubmissionState::AwaitingSignOff)
            .await?;
        assert_eq!(link_titles(&market, &offer).await?, wanted, "AS-092: {id}");
    }

    let draft = drafts::container();
    let offer = market.draft("contoso", "forge", draft).await?;
    let submission = market.publish(&offer).await?;
    market.approve(&submission).await?;
    market
        .until_state(&submission, SubmissionState::AwaitingSignOff)
        .await?;
    assert_eq!(link_titles(&market, &offer).await?, [azure]);
    let token = token(&market, &offer, &submission).await?;
    let owning = |subscription: &str| {
        let claims = json!({"subscriptions": [subscription]});
        market.speaker("tess", &claims)
    };
    let another = owning("5d3e9a70-8c41-4b6f-9e02-7f1a6b2c8d93");
    for mut who in [market.anybody(), market.person("carl"), another] {
        let nothing = preview(&mut who, &token).await.unwrap_err();
        assert_eq!(nothing.code(), Code::NotFound, "AS-075, PV-3");
    }
    let mut tess = owning("0b7a1f3e-2c4d-4e5f-8a6b-9c0d1e2f3a4b");
    assert!(preview(&mut tess, &token).await?.preview, "AS-075");
    let bought = buy(&mut tess, &offer, "byol", &token, "support 4711").await?;
    assert!(bought.acquisition.context("AS-093")?.preview);
    market.stop().await
}
