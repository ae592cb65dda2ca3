//! The Plan overview: where each plan is in its life, and what can be done with it (PN-15).

use anyhow::Context;
use marketplace_proto::offercatalog::v1::{
    AudienceIdKind, AudienceMember, CreatePlanRequest, DeletePlanRequest, PlanAudience,
    SyncPrivateAudienceRequest, page::Page as Kind,
};
use marketplace_proto::publishing::v1::{
    GetOfferOverviewRequest, PlanLifecycle, PlanMove, PlanOverview, ResumeDistributionRequest,
    StopDistributionRequest,
};
use system_tests::drafts::{self, Draft};
use system_tests::{Clients, Marketplace};
use tonic::Code;

/// A container whose second plan is for one tenant only.
fn forge() -> Draft {
    let mut draft = drafts::container();
    let mut pages = draft.plans[0].2.clone();
    for page in &mut pages {
        match page {
            Kind::PlanPricing(pricing) => {
                pricing.audience = PlanAudience::Private as i32;
                pricing.private_audience = vec![AudienceMember {
                    kind: AudienceIdKind::Tenant as i32,
                    id: "c2f8d0b4-1f7e-4f5e-9d1c-6b1f0a2e7d55".into(),
                    label: String::new(),
                }];
            }
            Kind::PlanListing(listing) => {
                listing.description = "The same image, for partners with a contract.".into()
            }
            _ => {}
        }
    }
    draft.plans.push(("partner", "For partners", pages));
    draft
}

async fn plans(market: &Marketplace, offer: &str) -> anyhow::Result<Vec<PlanOverview>> {
    let get = GetOfferOverviewRequest {
        offer: offer.into(),
    };
    let mut ada = market.person("ada");
    let answer = ada.publishing.get_offer_overview(get).await?;
    Ok(answer.into_inner().overview.context("no overview")?.plans)
}

/// Where a plan is, and what is possible.
async fn standing(
    market: &Marketplace,
    offer: &str,
    plan: &str,
) -> anyhow::Result<(PlanLifecycle, Vec<PlanMove>)> {
    let mut all = plans(market, offer).await?.into_iter();
    let found = all
        .find(|one| one.plan_id == plan)
        .context("no such plan")?;
    let possible = found.actions.iter().filter(|action| action.allowed);
    let possible = possible.map(|action| action.r#move()).collect();
    Ok((found.lifecycle(), possible))
}

async fn delete(ada: &mut Clients, plan: &str) -> Result<(), tonic::Status> {
    let request = DeletePlanRequest {
        name: plan.into(),
        ..Default::default()
    };
    ada.plans.delete_plan(request).await.map(drop)
}

fn stop(offer: &str, plan: &str) -> StopDistributionRequest {
    StopDistributionRequest {
        offer: offer.into(),
        plan_id: plan.into(),
        confirm: plan.into(),
        ..Default::default()
    }
}

/// PN-15, E-6, SY-2, AS-109: what a plan's buttons say is what its moves do.
#[tokio::test]
async fn pn_15_the_plan_overview_offers_what_can_be_done_with_each_plan() -> anyhow::Result<()> {
    use PlanLifecycle as L;
    use PlanMove as M;
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let mut ada = market.person("ada");
    let offer = market.draft("contoso", "forge", forge()).await?;
    let partner = format!("{offer}/plans/partner");
    for plan in ["byol", "partner"] {
        let drafted = (L::Draft, vec![M::DeleteDraft]);
        assert_eq!(standing(&market, &offer, plan).await?, drafted);
    }

    let submission = market.publish(&offer).await?;
    assert_eq!(
        standing(&market, &offer, "partner").await?,
        (L::Draft, vec![]),
        "its submission is open"
    );
    market.approve(&submission).await?;
    market.asked_to_review(&submission).await?;
    let previewed = standing(&market, &offer, "partner").await?;
    assert_eq!(previewed, (L::Preview, vec![]));
    let refused = delete(&mut ada, &partner).await.expect_err("AS-109");
    assert_eq!(refused.code(), Code::FailedPrecondition);

    market.finish(&submission).await?;
    let sold = standing(&market, &offer, "byol").await?;
    assert_eq!(sold, (L::Live, vec![M::StopDistribution]));
    let private = standing(&market, &offer, "partner").await?;
    let both = vec![M::StopDistribution, M::SyncPrivateAudience];
    assert_eq!(private, (L::Live, both));
    let sync = SyncPrivateAudienceRequest {
        name: partner.clone(),
        ..Default::default()
    };
    ada.plans.sync_private_audience(sync).await?;
    let create = CreatePlanRequest {
        parent: offer.clone(),
        plan_id: "later".into(),
        display_name: "Later".into(),
        ..Default::default()
    };
    ada.plans.create_plan(create).await?;
    let later = standing(&market, &offer, "later").await?;
    assert_eq!(later, (L::Draft, vec![M::DeleteDraft]));
    delete(&mut ada, &format!("{offer}/plans/later")).await?;
    assert!(standing(&market, &offer, "later").await.is_err(), "gone");

    ada.publishing
        .stop_distribution(stop(&offer, "partner"))
        .await?;
    let pending = standing(&market, &offer, "partner").await?;
    let can = vec![M::ResumeDistribution, M::SyncPrivateAudience];
    assert_eq!(pending, (L::StopPending, can));
    let last = standing(&market, &offer, "byol").await?;
    assert_eq!(last, (L::Live, vec![]), "the last one on sale");
    let resume = ResumeDistributionRequest {
        offer: offer.clone(),
        plan_id: "partner".into(),
        ..Default::default()
    };
    ada.publishing.resume_distribution(resume).await?;
    let resumed = standing(&market, &offer, "partner").await?;
    assert_eq!(resumed.0, L::Live);
    ada.publishing
        .stop_distribution(stop(&offer, "partner"))
        .await?;
    let submission = market.publish(&offer).await?;
    market.finish(&submission).await?;
    let (lifecycle, possible) = standing(&market, &offer, "partner").await?;
    assert_eq!(lifecycle, L::NotAvailable);
    assert!(possible.contains(&M::Restore), "{possible:?}");
    market.stop().await
}

/// AS-106, AS-119: a type without private plans has no sync at all, one without plans no actions on plans.
#[tokio::test]
async fn as_119_types_without_private_plans_have_no_sync_action() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let empty = |offer_type| Draft {
        offer_type,
        pages: vec![],
        plans: vec![("plan", "Plan", vec![])],
        assets: vec![],
    };
    let moves = |plan: &PlanOverview| -> Vec<PlanMove> {
        let actions = plan.actions.iter();
        actions.map(|action| action.r#move()).collect()
    };
    let edge = market
        .draft("contoso", "edge", empty("iotEdgeModule"))
        .await?;
    let image = market
        .draft("contoso", "image", empty("azureContainer"))
        .await?;
    for (offer, wanted) in [(edge, false), (image, true)] {
        let plans = plans(&market, &offer).await?;
        assert_eq!(plans.len(), 1, "{offer}");
        let found = moves(&plans[0]).contains(&PlanMove::SyncPrivateAudience);
        assert_eq!(found, wanted, "AS-119: {offer}");
    }
    let advice = Draft {
        plans: vec![],
        ..empty("consultingService")
    };
    let advice = market.draft("contoso", "advice", advice).await?;
    assert_eq!(plans(&market, &advice).await?, [], "AS-106");
    market.stop().await
}
