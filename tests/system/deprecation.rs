//! Virtual machines leave the marketplace at a date, of which customers are told (UP-7).

use anyhow::Context;
use marketplace_proto::offercatalog::v1::{
    AcquireOfferRequest, DeprecationReason, GetListingRequest, ListAcquisitionsRequest, Listing,
    OfferStatus, SearchListingsRequest,
};
use marketplace_proto::publishing::v1::{
    DeprecationSchedule, GetOfferOverviewRequest, PublicationMove, ResumeDistributionRequest,
    StopDistributionRequest,
};
use marketplace_runtime::status::reason;
use system_tests::{Marketplace, drafts, repository, until};
use tonic::{Code, Status};

const OFFER: &str = "publishers/contoso/offers/postgresql-vm";

/// Publishes the sample and brings it to its customers.
async fn sell(market: &Marketplace) -> anyhow::Result<()> {
    market.publisher("contoso").await?;
    let folder = repository().join("deploy/local/samples/postgresql-vm");
    let folder = folder.display().to_string();
    let apply = ["--as", "ada", "apply", "-f", &folder];
    market.marketctl_json(&apply).await?;
    let submission = market.publish(OFFER).await?;
    market.finish(&submission).await
}

async fn found(market: &Marketplace) -> anyhow::Result<bool> {
    let search = SearchListingsRequest {
        page_size: 1_000,
        ..Default::default()
    };
    let hits = market.anybody().listings.search_listings(search).await?;
    Ok(hits
        .into_inner()
        .listings
        .iter()
        .any(|hit| hit.offer == OFFER))
}

async fn listing(market: &Marketplace) -> Result<Listing, Status> {
    let get = GetListingRequest {
        offer: OFFER.into(),
    };
    let answer = market.anybody().listings.get_listing(get).await?;
    Ok(answer.into_inner().listing.unwrap_or_default())
}

async fn buy(market: &Marketplace) -> Result<Vec<String>, Status> {
    let plan = listing(market).await?.plans.swap_remove(0);
    let acquire = AcquireOfferRequest {
        offer: OFFER.into(),
        plan_id: plan.plan_id,
        ..Default::default()
    };
    let mut carla = market.person("carla");
    Ok(carla
        .listings
        .acquire_offer(acquire)
        .await?
        .into_inner()
        .warnings)
}

fn stop(schedule: Option<DeprecationSchedule>) -> StopDistributionRequest {
    StopDistributionRequest {
        offer: OFFER.into(),
        confirm: "postgresql-vm".into(),
        schedule,
        ..Default::default()
    }
}

/// AS-142, UP-7, T26, T27, T35: 90 days unless another date is named; out of search at once, on sale until then; taken back
/// before its date it is as it was.
#[tokio::test]
async fn as_142_up_7_a_virtual_machine_leaves_at_a_date_and_stays_if_that_is_taken_back()
-> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    let mut ada = market.person("ada");
    sell(&market).await?;
    assert!(buy(&market).await?.is_empty());

    let gone = DeprecationSchedule {
        alternative: "publishers/contoso/offers/nothing".into(),
        ..Default::default()
    };
    let refused = ada.publishing.stop_distribution(stop(Some(gone))).await;
    assert_eq!(reason(&refused.unwrap_err()), "ALTERNATIVE_NOT_LIVE");
    let stopped = ada.publishing.stop_distribution(stop(None)).await?;
    let publication = stopped.into_inner().publication.context("publication")?;
    let told = publication.deprecation.clone().context("deprecation")?;
    let days = told.date_offset.map(|offset| offset.seconds / 86_400);
    assert_eq!(days, Some(90), "AS-142");
    assert_eq!(told.date, publication.stop_effective);
    assert_eq!(publication.status(), OfferStatus::PendingStopDistribution);

    until("no search finds it", async || {
        Ok((!found(&market).await?).then_some(()))
    })
    .await?;
    let read = listing(&market)
        .await?
        .deprecation
        .context("customers are told")?;
    assert_eq!(read.effective_time, told.date);
    let warned = buy(&market).await?.join(" ");
    assert!(warned.contains("leaves the marketplace"), "{warned}");
    let mine = ListAcquisitionsRequest::default();
    let mine = market
        .person("carla")
        .listings
        .list_acquisitions(mine)
        .await?;
    let mine = mine.into_inner().acquisitions;
    assert_eq!(mine.len(), 2);
    assert!(
        mine.iter()
            .all(|one| one.deprecation.as_ref() == Some(&read))
    );
    let get = GetOfferOverviewRequest {
        offer: OFFER.into(),
    };
    let overview = ada.publishing.get_offer_overview(get).await?.into_inner();
    let overview = overview.overview.context("overview")?;
    assert_eq!(
        overview.publication.and_then(|row| row.deprecation),
        Some(told)
    );
    let mut actions = overview.actions.iter();
    let resume = actions.find(|one| one.r#move() == PublicationMove::ResumeDistribution);
    assert!(resume.is_some_and(|one| one.allowed), "T35");

    let resume = ResumeDistributionRequest {
        offer: OFFER.into(),
        ..Default::default()
    };
    ada.publishing.resume_distribution(resume.clone()).await?;
    until("it is found again", async || {
        Ok(found(&market).await?.then_some(()))
    })
    .await?;
    assert_eq!(listing(&market).await?.deprecation, None);
    assert!(buy(&market).await?.is_empty());

    let soon = DeprecationSchedule {
        date_offset: Some(prost_types::Duration {
            seconds: 2,
            nanos: 0,
        }),
        reason: DeprecationReason::CriticalSecurityIssue.into(),
        ..Default::default()
    };
    ada.publishing.stop_distribution(stop(Some(soon))).await?;
    until("its date has come", async || {
        let gone = listing(&market).await.map_err(|status| status.code());
        Ok((gone == Err(Code::NotFound)).then_some(()))
    })
    .await?;
    until("it is not available", async || {
        let publication = market.publication(OFFER).await?;
        let gone = publication.status() == OfferStatus::NotAvailable;
        Ok((gone && publication.deprecation.is_none()).then_some(()))
    })
    .await?;
    let late = ada
        .publishing
        .resume_distribution(resume)
        .await
        .unwrap_err();
    assert_eq!(reason(&late), "ILLEGAL_MOVE");
    market.stop().await
}

/// UP-7 is of virtual machines: whatever else is stopped leaves at once.
#[tokio::test]
async fn up_7_other_types_take_no_schedule() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let draft = drafts::saas_free_trial();
    let (offer, _) = market.publish_live("contoso", "forge", draft).await?;
    let mut ada = market.person("ada");
    let mut wanted = StopDistributionRequest {
        offer,
        confirm: "forge".into(),
        schedule: Some(DeprecationSchedule::default()),
        ..Default::default()
    };
    let refused = ada.publishing.stop_distribution(wanted.clone()).await;
    assert_eq!(reason(&refused.unwrap_err()), "NOT_SCHEDULABLE");
    wanted.schedule = None;
    let stopped = ada.publishing.stop_distribution(wanted).await?.into_inner();
    let publication = stopped.publication.context("publication")?;
    assert_eq!(publication.deprecation, None);
    assert_eq!(publication.stop_effective, None);
    market.stop().await
}
