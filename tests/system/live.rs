//! From draft to Live: the main job, for types that are certified before and after the publisher's sign-off.

use std::time::Duration;

use marketplace_proto::history::v1::{CompletionStatus, HistoryEventType, InitiatorKind};
use marketplace_proto::notification::v1::{ListActionItemsRequest, NotificationCode};
use marketplace_proto::offercatalog::v1::{
    GetListingRequest, GetOfferRequest, OfferStatus, SearchListingsRequest,
};
use marketplace_proto::publishing::v1::{
    GetOfferOverviewRequest, PublicationMove, SubmissionState, WatchSubmissionRequest,
};
use system_tests::{HttpsServer, Marketplace, Options, drafts, until};
use tonic::Code;

/// AS-001 … AS-010, AS-030, AS-089 (SaaS): certification follows sign-off.
#[tokio::test]
async fn a_saas_offer_goes_live_and_is_certified_after_sign_off() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "forge", drafts::saas_free_trial())
        .await?;
    assert_eq!(
        market.publication(&offer).await?.status(),
        OfferStatus::Draft
    );
    let submission = market.publish(&offer).await?;
    market
        .until_state(&submission, SubmissionState::AwaitingSignOff)
        .await?;
    assert_eq!(
        market.publication(&offer).await?.status(),
        OfferStatus::Preview
    );
    let nobody = market
        .anybody()
        .listings
        .get_listing(GetListingRequest {
            offer: offer.clone(),
        })
        .await;
    assert_eq!(
        nobody.expect_err("it is no live offer yet").code(),
        Code::NotFound
    );
    market.go_live(&submission).await?;
    market.approve(&submission).await?;
    market
        .until_state(&submission, SubmissionState::Live)
        .await?;

    let publication = market.publication(&offer).await?;
    assert_eq!(publication.status(), OfferStatus::Live);
    let seen = GetOfferRequest {
        name: offer.clone(),
        min_publication_revision: publication.revision,
    };
    let copy = market
        .person("ada")
        .offers
        .get_offer(seen)
        .await?
        .into_inner()
        .offer
        .and_then(|offer| offer.publication);
    assert_eq!(copy.map(|copy| copy.status()), Some(OfferStatus::Live));
    let listing = market
        .anybody()
        .listings
        .get_listing(GetListingRequest {
            offer: offer.clone(),
        })
        .await?
        .into_inner()
        .listing;
    assert_eq!(
        listing.map(|listing| listing.title).as_deref(),
        Some("Contoso Forge")
    );
    let search = SearchListingsRequest {
        query: "code review".into(),
        ..Default::default()
    };
    let found = market
        .anybody()
        .listings
        .search_listings(search)
        .await?
        .into_inner()
        .listings;
    assert_eq!(
        found.iter().map(|hit| &hit.offer).collect::<Vec<_>>(),
        [&offer]
    );

    let wanted = [
        "Created offer",
        "Submitted offer to preview",
        "Offer validation",
        "Preview creation",
        "Publisher sign-off",
        "Sign-off to go live",
        "Certification",
        "Final publish",
    ];
    let mut rows = until("the history is whole", async || {
        let rows = market.history(&offer).await?;
        Ok((rows.len() == wanted.len()).then_some(rows))
    })
    .await?;
    // One transaction's two rows: the sign-off, and the step that it ends.
    if rows[4] == "Sign-off to go live" {
        rows.swap(4, 5);
    }
    assert_eq!(rows, wanted);
    market.stop().await
}

/// AS-089 (other types), PL-9: certification comes before the preview.
#[tokio::test]
async fn a_container_offer_is_certified_before_its_preview() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "forge", drafts::container())
        .await?;
    let submission = market.publish(&offer).await?;
    market.approve(&submission).await?;
    market
        .until_state(&submission, SubmissionState::AwaitingSignOff)
        .await?;
    market.go_live(&submission).await?;
    let live = market
        .until_state(&submission, SubmissionState::Live)
        .await?;
    let steps: Vec<&str> = live.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        steps,
        [
            "Offer purchase flow setup",
            "Certification",
            "Preview creation",
            "Publisher sign-off",
            "Offer purchase flow setup",
            "Final publish"
        ]
    );
    // Who resumes where it has ended is told so: the stream ends.
    let mut watch = WatchSubmissionRequest {
        name: submission.clone(),
        ..Default::default()
    };
    for expected in [1, 0] {
        let mut ada = market.person("ada");
        let stream = ada.publishing.watch_submission(watch.clone()).await?;
        let mut stream = stream.into_inner();
        let mut messages = 0;
        let whole = async {
            while let Some(message) = stream.message().await? {
                messages += 1;
                watch.resume_token = message.resume_token;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(Duration::from_secs(10), whole).await??;
        assert_eq!(messages, expected);
    }
    market.stop().await
}

/// AS-016, AS-038, AS-046, AS-101, IB-1, IB-4: leads arrive in both legs, people hear of it, the history says who.
#[tokio::test]
async fn a_sold_offer_probes_purchase_and_leads_and_tells_its_people() -> anyhow::Result<()> {
    let crm = HttpsServer::start().await?;
    let options = Options {
        environment: crm.trusted(),
        ..Options::default()
    };
    let market = Marketplace::twice_with(options).await?;
    market.publisher("contoso").await?;
    let draft = drafts::saas_sold(&format!("{}/leads", crm.url));
    let offer = market.draft("contoso", "forge", draft).await?;
    let submission = market.publish(&offer).await?;
    market.finish(&submission).await?;
    let inbox = ListActionItemsRequest {
        page_size: 100,
        ..Default::default()
    };

    let leads = crm.received();
    assert_eq!(leads.len(), 2, "one test lead per leg: {leads:?}");
    let id = submission.rsplit('/').next().unwrap_or_default();
    let id = id.replace('-', "");
    for lead in &leads {
        let body: serde_json::Value = serde_json::from_slice(&lead.body)?;
        let email = body["UserDetails"]["Email"].as_str().unwrap_or_default();
        assert!(
            email.starts_with(&format!("MKT_TEST_{id}_")) && email.ends_with("@test.com"),
            "{body}"
        );
    }
    let codes = until("ada's Action Center knows that it is live", async || {
        let items = market
            .person("ada")
            .action_center
            .list_action_items(inbox.clone())
            .await?
            .into_inner()
            .items;
        let codes: Vec<_> = items.iter().map(|item| item.code()).collect();
        Ok(codes
            .contains(&NotificationCode::OfferLive)
            .then_some(codes))
    })
    .await?;
    for code in [
        NotificationCode::PublishSubmitted,
        NotificationCode::PreviewReady,
        NotificationCode::GoLiveAccepted,
    ] {
        assert_eq!(
            codes.iter().filter(|there| **there == code).count(),
            1,
            "{code:?} once in {codes:?}"
        );
    }
    let others = market
        .person("mia")
        .action_center
        .list_action_items(inbox)
        .await?
        .into_inner()
        .items;
    assert!(
        others.iter().all(|item| item.offer != offer),
        "managers hear of it only by choice (NO-3)"
    );

    for event in market.events(&offer).await? {
        let initiator = event.initiator.clone().unwrap_or_default();
        if event.r#type() == HistoryEventType::Step {
            assert_eq!(
                (initiator.kind(), initiator.display_name.as_str()),
                (InitiatorKind::System, ""),
                "{event:?}"
            );
            assert_ne!(
                event.completion_status(),
                CompletionStatus::Unspecified,
                "{event:?}"
            );
        } else {
            assert_eq!(
                initiator.display_name, "Ada of publishers/contoso",
                "{event:?}"
            );
        }
    }
    let overview = GetOfferOverviewRequest { offer };
    let overview = market
        .person("ada")
        .publishing
        .get_offer_overview(overview)
        .await?
        .into_inner()
        .overview
        .unwrap_or_default();
    let allowed: Vec<_> = overview
        .actions
        .iter()
        .filter(|action| action.allowed)
        .map(|action| action.r#move())
        .collect();
    assert!(
        allowed.contains(&PublicationMove::Publish) && !allowed.contains(&PublicationMove::GoLive),
        "{allowed:?}"
    );
    // OT-3: databases are for technical users.
    let links = overview.live_links.into_iter().map(|link| link.target);
    let links: Vec<_> = links.collect();
    assert_eq!(
        links,
        ["https://azuremarketplace.localhost/product/contoso.forge"]
    );
    market.stop().await
}
