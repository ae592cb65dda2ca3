//! Private audiences of what is live, served anew without a publish (SY-1 … SY-6).

use anyhow::Context;
use marketplace_proto::offercatalog::v1::{
    AcquireOfferRequest, AudienceIdKind, AudienceMember, CreatePlanRequest, GetListingRequest,
    GetPageRequest, ImportMode, ImportPrivateAudienceHead, ImportPrivateAudienceRequest, Listing,
    PageId, PlanAudience, SyncPrivateAudienceRequest, import_private_audience_request::Part,
    page::Page as Kind,
};
use marketplace_runtime::status::reason;
use serde_json::json;
use system_tests::Marketplace;
use system_tests::drafts::{self, Draft};
use tonic::{Code, Status};

const FIRST: &str = "c2f8d0b4-1f7e-4f5e-9d1c-6b1f0a2e7d55";
const SECOND: &str = "0f3b8e8c-5b1e-4c3e-8e5e-2f6d7a9b1c22";
const THIRD: &str = "5a1d2c3b-4e5f-4a6b-8c7d-9e0f1a2b3c4d";

pub(super) fn members(kind: AudienceIdKind, ids: &[&str]) -> Vec<AudienceMember> {
    let ids = ids.iter();
    ids.map(|id| AudienceMember {
        kind: kind as i32,
        id: (*id).into(),
        label: String::new(),
    })
    .collect()
}

/// A container whose second plan is for some tenants only.
pub(super) fn forge() -> Draft {
    let mut draft = drafts::container();
    let mut pages = draft.plans[0].2.clone();
    for page in &mut pages {
        match page {
            Kind::PlanPricing(pricing) => {
                pricing.audience = PlanAudience::Private as i32;
                pricing.private_audience = members(AudienceIdKind::Tenant, &[FIRST]);
            }
            Kind::PlanListing(listing) => {
                listing.description =
                    "The same image, for partners who have a contract with us.".into()
            }
            _ => {}
        }
    }
    draft.plans.push(("partner", "For partners", pages));
    draft
}

/// The private plan's pricing, for these.
pub(super) fn pricing(draft: &Draft, audience: Vec<AudienceMember>) -> Kind {
    let mut page = draft.plans[1].2[1].clone();
    if let Kind::PlanPricing(pricing) = &mut page {
        pricing.private_audience = audience;
    }
    page
}

async fn sync(market: &Marketplace, plan: &str) -> Result<bool, Status> {
    let request = SyncPrivateAudienceRequest {
        name: plan.into(),
        request_id: String::new(),
    };
    let answer = market
        .person("ada")
        .plans
        .sync_private_audience(request)
        .await?;
    Ok(answer.into_inner().changed)
}

pub(super) async fn may_buy(
    market: &Marketplace,
    offer: &str,
    claims: serde_json::Value,
) -> anyhow::Result<bool> {
    let acquire = AcquireOfferRequest {
        offer: offer.into(),
        plan_id: "partner".into(),
        validate_only: true,
        ..Default::default()
    };
    match market
        .speaker("carla", &claims)
        .listings
        .acquire_offer(acquire)
        .await
    {
        Ok(_) => Ok(true),
        Err(refused) if refused.code() == Code::PermissionDenied => Ok(false),
        Err(other) => Err(other.into()),
    }
}

async fn live(market: &Marketplace, offer: &str) -> anyhow::Result<Listing> {
    let get = GetListingRequest {
        offer: offer.into(),
    };
    let found = market.anybody().listings.get_listing(get).await?;
    found.into_inner().listing.context("no listing")
}

async fn import(market: &Marketplace, plan: &str, csv: &str) -> anyhow::Result<()> {
    let mut ada = market.person("ada");
    let get = GetPageRequest {
        parent: plan.into(),
        page_id: PageId::PlanPricingAndAvailability as i32,
    };
    let page = ada
        .offers
        .get_page(get)
        .await?
        .into_inner()
        .page
        .context("no page")?;
    let head = ImportPrivateAudienceHead {
        plan: plan.into(),
        etag: page.etag,
        mode: ImportMode::Add as i32,
        ..Default::default()
    };
    let parts = [Part::Head(head), Part::Chunk(csv.into())];
    let parts = parts.map(|part| ImportPrivateAudienceRequest { part: Some(part) });
    ada.plans
        .import_private_audience(futures::stream::iter(parts))
        .await?;
    Ok(())
}

async fn synced(market: &Marketplace, offer: &str) -> anyhow::Result<usize> {
    let rows = market.history(offer).await?;
    Ok(rows
        .iter()
        .filter(|row| row.starts_with("Sync private audience"))
        .count())
}

/// AS-118, AS-139, A36: from the plan's page or from a file, each sync is one row and publishes nothing else; a kind of id
/// that isn't live yet has to be published.
#[tokio::test]
async fn as_118_a_sync_serves_the_audience_and_nothing_else() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let draft = forge();
    let (offer, _) = market
        .publish_live("contoso", "forge", draft.clone())
        .await?;
    let plan = format!("{offer}/plans/partner");
    let before = live(&market, &offer).await?;
    let tenants = members(AudienceIdKind::Tenant, &[FIRST, SECOND]);
    market.save(&plan, pricing(&draft, tenants)).await?;
    let mut listing = draft.plans[0].2[0].clone();
    if let Kind::PlanListing(page) = &mut listing {
        page.description = "Words that nobody has published yet, about the same image.".into();
    }
    market.save(&format!("{offer}/plans/byol"), listing).await?;
    assert!(!may_buy(&market, &offer, json!({"tenant": SECOND})).await?);
    assert!(sync(&market, &plan).await?);
    assert!(may_buy(&market, &offer, json!({"tenant": SECOND})).await?);
    assert_eq!(
        live(&market, &offer).await?,
        before,
        "other edits stay drafts"
    );
    market.settled().await?;
    assert_eq!(synced(&market, &offer).await?, 1);

    import(&market, &plan, &format!("kind,id\nTENANT,{THIRD}\n")).await?;
    assert!(
        !may_buy(&market, &offer, json!({"tenant": THIRD})).await?,
        "a draft"
    );
    assert!(sync(&market, &plan).await?);
    assert!(may_buy(&market, &offer, json!({"tenant": THIRD})).await?);
    assert!(!sync(&market, &plan).await?, "A36: there is nothing new");
    market.settled().await?;
    assert_eq!(synced(&market, &offer).await?, 2);

    let mut both = members(AudienceIdKind::Tenant, &[FIRST]);
    both.extend(members(AudienceIdKind::Subscription, &[SECOND]));
    market.save(&plan, pricing(&draft, both)).await?;
    let refused = sync(&market, &plan)
        .await
        .expect_err("AS-139: subscriptions aren't live");
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    assert_eq!(reason(&refused), "NEW_AUDIENCE_KIND", "{refused:?}");
    assert!(
        may_buy(&market, &offer, json!({"tenant": THIRD})).await?,
        "nothing has changed"
    );
    market.settled().await?;
    assert_eq!(synced(&market, &offer).await?, 2);
    market.stop().await
}

/// AS-119: types without private plans have nothing to sync.
#[tokio::test]
async fn as_119_types_without_private_plans_have_no_sync() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let empty = |offer_type| Draft {
        offer_type,
        pages: vec![],
        plans: vec![],
        assets: vec![],
    };
    let edge = market
        .draft("contoso", "edge", empty("iotEdgeModule"))
        .await?;
    let new = |parent: &str| CreatePlanRequest {
        parent: parent.into(),
        plan_id: "partner".into(),
        display_name: "For partners".into(),
        ..Default::default()
    };
    market.person("ada").plans.create_plan(new(&edge)).await?;
    let plan = format!("{edge}/plans/partner");
    let issues = market.save(&plan, forge().plans[1].2[1].clone()).await?;
    assert!(
        issues.iter().any(|issue| issue.code == "NOT_ALLOWED"),
        "{issues:?}"
    );
    let refused = sync(&market, &plan)
        .await
        .expect_err("nothing is live and private");
    assert_eq!(reason(&refused), "NO_LIVE_PRIVATE_PLAN", "{refused:?}");
    let advice = market
        .draft("contoso", "advice", empty("consultingService"))
        .await?;
    let refused = market
        .person("ada")
        .plans
        .create_plan(new(&advice))
        .await
        .expect_err("no plans");
    assert_eq!(reason(&refused), "PLANS_NOT_SUPPORTED", "{refused:?}");
    market.stop().await
}
