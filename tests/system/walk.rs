//! An offer's whole way, as a publisher reads it on the Offer overview: its status, its steps by phase, and what may be done.

use anyhow::Context;
use marketplace_proto::offercatalog::v1::{GetListingRequest, ListOffersRequest, OfferStatus};
use marketplace_proto::publishing::v1::{
    CancelPublishRequest, OfferOverview, Phase, PublicationMove as Move, PublishOfferRequest,
    StepState, StopDistributionRequest, SubmissionState,
};
use marketplace_runtime::status::reason;
use system_tests::{HttpsServer, Marketplace, Options, drafts, until};
use tonic::{Code, Status};

/// The status shown, and whether Cancel publish and Go live are there.
fn seen(overview: &OfferOverview) -> (OfferStatus, bool, bool) {
    let offered = |wanted| {
        let mut actions = overview.actions.iter();
        actions.any(|action| action.r#move() == wanted && action.allowed)
    };
    let publication = overview.publication.clone().unwrap_or_default();
    (
        publication.status(),
        offered(Move::CancelPublish),
        offered(Move::GoLive),
    )
}

async fn cancel(market: &Marketplace, submission: &str) -> Result<(), Status> {
    let cancel = CancelPublishRequest {
        submission: submission.into(),
        ..Default::default()
    };
    let mut ada = market.person("ada");
    ada.publishing.cancel_publish(cancel).await.map(drop)
}

/// What `ListOffers` says of each offer's status.
async fn listed(market: &Marketplace) -> anyhow::Result<Vec<(String, OfferStatus)>> {
    let list = ListOffersRequest {
        parent: "publishers/contoso".into(),
        ..Default::default()
    };
    let answer = market.person("ada").offers.list_offers(list).await?;
    let offers = answer.into_inner().offers.into_iter().map(|offer| {
        let status = offer.publication.map(|copy| copy.status());
        (offer.name, status.unwrap_or_default())
    });
    let mut offers: Vec<_> = offers.collect();
    offers.sort();
    Ok(offers)
}

/// Phases and names of the steps, in their order.
fn steps(overview: &OfferOverview) -> Vec<(Phase, String)> {
    let submission = overview.submission.clone().unwrap_or_default();
    let steps = submission.steps.into_iter();
    steps.map(|step| (step.phase(), step.name)).collect()
}

/// AS-002, AS-004, AS-005, AS-009, AS-013, AS-032 … AS-034, AS-039, AS-045, AS-047, AS-081, AS-083, AS-084, AS-095,
/// AS-100, AS-102, AS-103: a SaaS offer that is sold, from its draft to its end.
#[tokio::test]
async fn as_009_as_013_the_overview_says_where_an_offer_stands() -> anyhow::Result<()> {
    let crm = HttpsServer::start().await?;
    let options = Options {
        environment: crm.trusted(),
        ..Options::default()
    };
    let market = Marketplace::twice_with(options).await?;
    market.publisher("contoso").await?;
    let draft = drafts::saas_sold(&format!("{}/leads", crm.url));
    let offer = market.draft("contoso", "forge", draft).await?;
    let nobodys = PublishOfferRequest {
        offer: "publishers/contoso/offers/none".into(),
        ..market.publish_request(&offer).await?
    };
    let refused = market.person("ada").publishing.publish_offer(nobodys).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound, "AS-002");
    let before = market.overview(&offer).await?;
    assert_eq!(seen(&before), (OfferStatus::Draft, false, false), "AS-081");

    let submission = market.publish(&offer).await?;
    market
        .until_state(&submission, SubmissionState::AwaitingSignOff)
        .await?;
    let at_sign_off = market.overview(&offer).await?;
    assert_eq!(
        seen(&at_sign_off),
        (OfferStatus::Preview, false, true),
        "AS-009"
    );
    let late = cancel(&market, &submission).await.unwrap_err();
    assert_eq!(late.code(), Code::FailedPrecondition, "AS-083");
    in_order(&at_sign_off);

    market.go_live(&submission).await?;
    market.case_of(&submission).await.context("AS-034")?;
    let in_review = market.overview(&offer).await?;
    let running = (OfferStatus::PublishInProgress, false, false);
    assert_eq!(seen(&in_review), running, "AS-009, AS-084");
    let late = cancel(&market, &submission).await.unwrap_err();
    assert_eq!(late.code(), Code::FailedPrecondition, "AS-084");
    let signed_off = "Sign-off to go live".to_owned();
    until("AS-095: the sign-off is in the history", async || {
        Ok(market
            .history(&offer)
            .await?
            .contains(&signed_off)
            .then_some(()))
    })
    .await?;
    market.approve(&submission).await?;
    let live = market
        .until_state(&submission, SubmissionState::Live)
        .await?;
    let ended = live
        .steps
        .iter()
        .all(|step| step.state() == StepState::Complete);
    assert!(ended, "AS-039: {:?}", live.steps);
    let get = GetListingRequest {
        offer: offer.clone(),
    };
    let listing = market.anybody().listings.get_listing(get.clone()).await;
    assert!(listing.is_ok(), "AS-102: {listing:?}");
    let at_end = market.overview(&offer).await?;
    assert_eq!(seen(&at_end), (OfferStatus::Live, false, false), "AS-103");
    end(&market, &offer, get).await?;
    market.stop().await
}

/// AS-032, AS-033, AS-045, AS-047, AS-100: phases follow each other; which steps there are follows from the offer.
fn in_order(overview: &OfferOverview) {
    use Phase as P;
    let wanted = [
        (P::AutomatedValidation, "Offer purchase flow setup"),
        (
            P::AutomatedValidation,
            "Lead management validation and registration",
        ),
        (P::AutomatedValidation, "Offer validation"),
        (P::PreviewCreation, "Preview creation"),
        (P::PublisherSignOff, "Publisher sign-off"),
        (P::Certification, "Certification"),
        (P::Publish, "Offer purchase flow setup"),
        (P::Publish, "Lead management validation and registration"),
        (P::Publish, "Final publish"),
    ];
    let wanted = wanted.map(|(phase, name)| (phase, name.to_owned()));
    assert_eq!(steps(overview), wanted);
}

/// AS-011, AS-013: stopped, no customer finds it, and its publisher still does.
async fn end(market: &Marketplace, offer: &str, get: GetListingRequest) -> anyhow::Result<()> {
    let stop = StopDistributionRequest {
        offer: offer.into(),
        confirm: "forge".into(),
        ..Default::default()
    };
    let mut ada = market.person("ada");
    let stopped = ada.publishing.stop_distribution(stop).await?.into_inner();
    let publication = stopped.publication.unwrap_or_default();
    assert_eq!(
        publication.status(),
        OfferStatus::PendingStopDistribution,
        "AS-011"
    );
    let gone = (offer.to_owned(), OfferStatus::NotAvailable);
    until("AS-013: it is listed as not available", async || {
        Ok(listed(market).await?.contains(&gone).then_some(()))
    })
    .await?;
    let found = market.anybody().listings.get_listing(get).await;
    let found = found.map_err(|status| status.code());
    assert_eq!(found.err(), Some(Code::NotFound), "AS-013");
    Ok(())
}

/// AS-003, AS-004, AS-005, AS-043, AS-044, AS-080, AS-082, AS-083, AS-088: a container offer in review is canceled and
/// published again; each offer has a status and steps of its own.
#[tokio::test]
async fn as_082_after_a_cancel_everything_starts_from_the_first_step() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let offer = market.draft("contoso", "box", drafts::container()).await?;
    let other = drafts::saas_free_trial();
    let other = market.draft("contoso", "forge", other).await?;
    let canceled = market.publish(&offer).await?;
    market.case_of(&canceled).await?;
    let running = market.overview(&offer).await?;
    let in_progress = (OfferStatus::PublishInProgress, true, false);
    assert_eq!(seen(&running), in_progress, "AS-005, AS-083");
    let phases: Vec<Phase> = steps(&running)
        .into_iter()
        .map(|(phase, _)| phase)
        .collect();
    let wanted = [
        Phase::AutomatedValidation,
        Phase::Certification,
        Phase::PreviewCreation,
        Phase::PublisherSignOff,
        Phase::Publish,
        Phase::Publish,
    ];
    assert_eq!(phases, wanted, "AS-032");
    let states = |overview: &OfferOverview| {
        let submission = overview.submission.clone().unwrap_or_default();
        let steps = submission.steps.iter().map(|step| step.state());
        steps.collect::<Vec<_>>()
    };
    let later = &states(&running)[2..];
    assert_eq!(later, [StepState::NotStarted; 4], "AS-043");
    let mut actions = running.actions.iter();
    let button = actions.find(|action| action.r#move() == Move::CancelPublish);
    assert!(
        button.is_some_and(|button| button.needs_confirmation),
        "AS-080"
    );

    cancel(&market, &canceled).await?;
    market
        .until_state(&canceled, SubmissionState::Canceled)
        .await?;
    let published = market.publish(&other).await?;
    market
        .until_state(&published, SubmissionState::AwaitingSignOff)
        .await?;
    let again = market.publish(&offer).await?;
    assert_ne!(again, canceled);
    market.case_of(&again).await?;
    let restarted = market.overview(&offer).await?;
    assert_eq!(seen(&restarted), in_progress);
    assert_eq!(states(&restarted)[2..], *later, "AS-082");
    let begun = |overview: &OfferOverview| {
        let submission = overview.submission.clone().unwrap_or_default();
        let first = submission.steps[0].start_time.unwrap_or_default();
        (first.seconds, first.nanos)
    };
    assert!(begun(&restarted) > begun(&running), "AS-082");
    let beside = market.overview(&other).await?;
    assert_ne!(steps(&beside), steps(&restarted), "AS-044, AS-088");
    let third = market.draft("contoso", "new", drafts::container()).await?;
    let wanted = [
        (offer, OfferStatus::PublishInProgress),
        (other, OfferStatus::Preview),
        (third, OfferStatus::Draft),
    ];
    until("AS-003: each is listed with its status", async || {
        Ok((listed(&market).await? == wanted).then_some(()))
    })
    .await?;
    let late = cancel(&market, &canceled).await.unwrap_err();
    assert_eq!(reason(&late), "ILLEGAL_MOVE");
    market.stop().await
}
