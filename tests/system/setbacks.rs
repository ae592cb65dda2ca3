//! What goes wrong on the way, and what its publisher then sees: findings, failures, plans that are taken out.

use anyhow::Context;
use marketplace_proto::certification::v1::GetValidationReportRequest;
use marketplace_proto::offercatalog::v1::{GetListingRequest, OfferStatus, page::Page as Kind};
use marketplace_proto::publishing::v1::*;
use marketplace_runtime::status::reason;
use sqlx::{Connection, Executor};
use system_tests::drafts::{self, Draft};
use system_tests::{Marketplace, Options, until};
use tonic::Code;

/// A SaaS offer whose title was never changed.
fn untitled() -> Draft {
    let mut draft = drafts::saas_free_trial();
    for page in &mut draft.pages {
        if let Kind::OfferListing(listing) = page {
            listing.title = "My offer".into();
        }
    }
    draft
}

/// AS-008, AS-048 … AS-050, AS-086, AS-094: what Offer validation finds doesn't stop a preview; who goes live in spite of
/// it is warned, and certification fails it.
#[tokio::test]
async fn as_050_who_goes_live_with_findings_is_warned() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    market.prove_address("ada", || market.mails()).await?;
    let good = drafts::saas_free_trial();
    let good = market.draft("contoso", "good", good).await?;
    let unimpeachable = market.publish(&good).await?;
    let offer = market.draft("contoso", "forge", untitled()).await?;
    let submission = market.publish(&offer).await?;
    for submission in [&unimpeachable, &submission] {
        market
            .until_state(submission, SubmissionState::AwaitingSignOff)
            .await?;
    }
    let seen = market.overview(&offer).await?;
    let status = seen.publication.unwrap_or_default().status();
    assert_eq!(status, OfferStatus::Preview, "AS-008, AS-048");
    let titles = |overview: &[OverviewLink]| {
        let titles = overview.iter().map(|link| link.title.clone());
        titles.collect::<Vec<_>>()
    };
    assert_eq!(titles(&seen.reports), ["View validation report"], "AS-049");
    let none = market.overview(&good).await?.reports;
    assert!(none.is_empty(), "AS-049: {none:?}");
    let get = GetValidationReportRequest {
        submission: submission.clone(),
    };
    let mut ada = market.person("ada");
    let report = ada.certification.get_validation_report(get).await?;
    let report = report.into_inner().report.context("no report")?;
    let mut policies = report.sections.iter().map(|section| &section.policy);
    assert!(
        policies.any(|policy| policy == "100.1.1"),
        "AS-049: {report:?}"
    );
    let mut buttons = seen.actions.into_iter();
    let button = buttons.find(|action| action.r#move() == PublicationMove::GoLive);
    let button = button.context("no Go live")?;
    assert!(button.allowed && button.needs_confirmation, "AS-094");
    assert!(
        button.reason.contains("may fail certification"),
        "AS-094: {button:?}"
    );
    until("AS-086: the mail asks for review", async || {
        let mails = market.mails()?;
        let asks = |mail: &String| mail.contains("review") && mail.contains("preview");
        Ok(mails.iter().any(asks).then_some(()))
    })
    .await?;

    let unaware = GoLiveRequest {
        submission: submission.clone(),
        ..Default::default()
    };
    let refused = ada.publishing.go_live(unaware).await.unwrap_err();
    assert_eq!(reason(&refused), "CONFIRMATION_REQUIRED", "AS-050");
    assert!(
        refused.message().contains("certification"),
        "AS-050: {refused}"
    );
    // No reviewer is needed to see it.
    market.go_live(&submission).await?;
    market
        .until_status(&offer, OfferStatus::AttentionNeeded)
        .await?;
    let listing = GetListingRequest { offer };
    let found = market.anybody().listings.get_listing(listing).await;
    assert_eq!(found.unwrap_err().code(), Code::NotFound, "AS-050");
    market.finish(&unimpeachable).await?;
    market.stop().await
}

/// AS-006, AS-007, AS-137: a submission fails by its certification, or because no preview can be made of it; neither can
/// go live.
#[tokio::test]
async fn as_007_whatever_fails_a_submission_wants_attention() -> anyhow::Result<()> {
    let market = Marketplace::twice_with(Options {
        environment: vec![
            ("ORDER_RESEND", "300ms".into()),
            ("INCIDENT_AFTER", "2s".into()),
        ],
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    let mut ada = market.person("ada");
    let offer = market.draft("contoso", "box", drafts::container()).await?;
    let submission = market.publish(&offer).await?;
    let go = |submission: &str| GoLiveRequest {
        submission: submission.into(),
        acknowledge_warnings: true,
        ..Default::default()
    };
    let nothing = ada.publishing.go_live(go("")).await.unwrap_err();
    assert_eq!(nothing.code(), Code::InvalidArgument, "AS-137");
    let early = ada.publishing.go_live(go(&submission)).await.unwrap_err();
    assert_eq!(reason(&early), "ILLEGAL_MOVE", "AS-137");
    market.reject(&submission).await?;
    market
        .until_status(&offer, OfferStatus::AttentionNeeded)
        .await?;
    let late = ada.publishing.go_live(go(&submission)).await.unwrap_err();
    assert_eq!(reason(&late), "ILLEGAL_MOVE", "AS-006");

    let mut db = market.servers.database.superuser().await?;
    let mut held = db.begin().await?;
    held.execute("LOCK TABLE offer_catalog.listings IN EXCLUSIVE MODE")
        .await?;
    let other = drafts::saas_free_trial();
    let other = market.draft("contoso", "forge", other).await?;
    let stuck = market.publish(&other).await?;
    let step = until("no preview can be made", async || {
        let steps = market.submission(&stuck).await?.steps.into_iter();
        let mut blocked = steps.filter(|step| step.state() == StepState::Blocked);
        Ok(blocked.next())
    })
    .await?;
    assert_eq!(step.id, "preview-creation");
    let fail = FailStepRequest {
        submission: stuck.clone(),
        step: step.id,
        reason: "The listings can't be written.".into(),
        ..Default::default()
    };
    let mut oscar = market.staff("oscar", "operator");
    oscar.operators.fail_step(fail).await?;
    market
        .until_status(&other, OfferStatus::AttentionNeeded)
        .await?;
    held.rollback().await?;
    let again = market.publish(&other).await?;
    market.finish(&again).await?;
    market.stop().await
}

/// AS-012, AS-138, AS-145, UP-5, UP-6: a plan leaves by way of a preview, the offer at once.
#[tokio::test]
async fn as_145_a_plan_leaves_by_a_preview_and_an_offer_at_once() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let draft = drafts::with_plans(drafts::container(), ["second"]);
    let (offer, _) = market.publish_live("contoso", "box", draft).await?;
    let mut ada = market.person("ada");
    let stop = |plan: &str, confirm: &str| StopDistributionRequest {
        offer: offer.clone(),
        plan_id: plan.into(),
        confirm: confirm.into(),
        ..Default::default()
    };
    let plans = async || {
        let get = GetListingRequest {
            offer: offer.clone(),
        };
        let answer = market
            .anybody()
            .listings
            .get_listing(get)
            .await?
            .into_inner();
        let plans = answer.listing.unwrap_or_default().plans.into_iter();
        anyhow::Ok(plans.map(|plan| plan.plan_id).collect::<Vec<_>>())
    };
    let status = async || anyhow::Ok(market.publication(&offer).await?.status());
    ada.publishing
        .stop_distribution(stop("second", "second"))
        .await?;
    assert_eq!(
        status().await?,
        OfferStatus::PendingStopDistribution,
        "AS-012"
    );
    assert_eq!(plans().await?, ["byol", "second"], "AS-145");
    let last = ada.publishing.stop_distribution(stop("byol", "byol")).await;
    assert_eq!(reason(&last.unwrap_err()), "LAST_PLAN", "AS-138");
    let resume = ResumeDistributionRequest {
        offer: offer.clone(),
        plan_id: "second".into(),
        ..Default::default()
    };
    ada.publishing.resume_distribution(resume).await?;
    assert_eq!(status().await?, OfferStatus::Live, "AS-012");

    ada.publishing
        .stop_distribution(stop("second", "second"))
        .await?;
    let submission = market.publish(&offer).await?;
    assert_eq!(status().await?, OfferStatus::PublishInProgress, "AS-012");
    market.approve(&submission).await?;
    market
        .until_state(&submission, SubmissionState::AwaitingSignOff)
        .await?;
    assert_eq!(status().await?, OfferStatus::Preview, "AS-012");
    assert_eq!(plans().await?, ["byol", "second"], "AS-145");
    market.finish(&submission).await?;
    assert_eq!(status().await?, OfferStatus::Live, "AS-012");
    assert_eq!(plans().await?, ["byol"], "AS-145");

    ada.publishing.stop_distribution(stop("", "box")).await?;
    market
        .until_status(&offer, OfferStatus::NotAvailable)
        .await?;
    assert!(plans().await.is_err(), "AS-145");
    market.stop().await
}
