//! The submission notification audience across two services: whose list it is, the catalogue says.

use marketplace_proto::notification::v1::{
    AddAudienceMemberRequest, ListActionItemsRequest, ListAudienceRequest,
};
use marketplace_proto::offercatalog::v1::{DeleteMemberRequest, DeleteOfferRequest};
use marketplace_proto::publishing::v1::SubmissionState;
use system_tests::Marketplace;
use system_tests::drafts::{self, Draft};
use tonic::Code;

fn add(offer: &str, request_id: &str) -> AddAudienceMemberRequest {
    AddAudienceMemberRequest {
        offer: offer.into(),
        member: "publishers/contoso/members/dev".into(),
        request_id: request_id.into(),
    }
}

/// Members on the list, owners included.
async fn listed(market: &Marketplace, offer: &str) -> Result<Vec<String>, tonic::Status> {
    let request = ListAudienceRequest {
        offer: offer.into(),
        ..Default::default()
    };
    let answer = market
        .person("ada")
        .audience
        .list_audience(request)
        .await?
        .into_inner();
    Ok(answer
        .entries
        .into_iter()
        .filter_map(|entry| Some(entry.member.rsplit('/').next()?.to_owned()))
        .collect())
}

/// NO-4: no list without an offer, and none that outlives it; NO-6 doesn't change the answer to a repeat.
#[tokio::test]
async fn a_list_belongs_to_one_product() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let invented = "publishers/contoso/offers/invented";
    let mut ada = market.person("ada").audience;
    let missing = listed(&market, invented).await.expect_err("no such offer");
    let refused = ada
        .add_audience_member(add(invented, "r-0"))
        .await
        .expect_err("no such offer");
    for status in [missing, refused] {
        assert_eq!(status.code(), Code::NotFound, "{status:?}");
    }

    let empty = || Draft {
        offer_type: "softwareAsAService",
        pages: vec![],
        plans: vec![],
        assets: vec![],
    };
    let offer = market.draft("contoso", "forge", empty()).await?;
    let first = ada.add_audience_member(add(&offer, "r-1")).await?;
    assert_eq!(listed(&market, &offer).await?, ["ada", "dev"]);

    let gone = DeleteOfferRequest {
        name: offer.clone(),
        ..Default::default()
    };
    let mut owner = market.person("ada");
    owner.offers.delete_offer(gone).await?;
    market.draft("contoso", "forge", empty()).await?;
    assert_eq!(
        listed(&market, &offer).await?,
        ["ada"],
        "the name is the same, the product isn't"
    );

    let leaves = DeleteMemberRequest {
        name: "publishers/contoso/members/dev".into(),
        ..Default::default()
    };
    owner.publishers.delete_member(leaves).await?;
    let left = ada
        .add_audience_member(add(&offer, "r-2"))
        .await
        .expect_err("dev has left");
    assert_eq!(left.code(), Code::InvalidArgument, "{left:?}");
    let again = ada.add_audience_member(add(&offer, "r-1")).await?;
    assert_eq!(again.into_inner(), first.into_inner());
    market.stop().await
}

/// Whether somebody's Action Center has anything about a submission.
async fn heard(market: &Marketplace, who: &str, submission: &str) -> anyhow::Result<bool> {
    let list = ListActionItemsRequest {
        page_size: 1_000,
        ..Default::default()
    };
    let mut center = market.person(who).action_center;
    let items = center.list_action_items(list).await?.into_inner().items;
    Ok(items.iter().any(|item| item.submission == submission))
}

/// AS-136, NO-4: every submission of a product is told to that product's list, no other's.
#[tokio::test]
async fn as_136_each_product_tells_its_own_list() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let draft = drafts::saas_free_trial();
    let listed = market.draft("contoso", "forge", draft.clone()).await?;
    let other = market.draft("contoso", "anvil", draft).await?;
    let mut ada = market.person("ada").audience;
    ada.add_audience_member(add(&listed, "r-1")).await?;
    for (offer, told) in [(&listed, true), (&other, false), (&listed, true)] {
        let submission = market.publish(offer).await?;
        market
            .until_state(&submission, SubmissionState::AwaitingSignOff)
            .await?;
        market.everybody_told().await?;
        assert!(heard(&market, "ada", &submission).await?, "{submission}");
        let dev = heard(&market, "dev", &submission).await?;
        assert_eq!(dev, told, "{submission}");
    }
    market.stop().await
}
