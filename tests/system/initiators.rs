//! Whose names the history shows (IB-1 … IB-5).

use anyhow::Context;
use marketplace_proto::history::v1::{HistoryEventType, ListEventsRequest};
use marketplace_proto::offercatalog::v1::{
    CreateMemberRequest, CreatePlanRequest, DeleteMemberRequest, Member, MemberKind, MemberRole,
};
use system_tests::{ISSUER, Marketplace, drafts, until};

const PUBLISHER: &str = "publishers/contoso";

/// The name beside the plan that was created: `ada` looks.
async fn shown(market: &Marketplace, offer: &str) -> anyhow::Result<String> {
    let list = ListEventsRequest {
        parent: offer.into(),
        types: vec![HistoryEventType::CreatedPlan.into()],
        ..Default::default()
    };
    let mut ada = market.person("ada");
    let events = ada.history.list_events(list).await?.into_inner().events;
    let newest = events.into_iter().next().context("no row")?;
    Ok(newest.initiator.unwrap_or_default().display_name)
}

/// AS-130, IB-3, IB-5: who left is shown nowhere from the moment their leaving is told, also while the catalogue is away and
/// names of before are at hand; who comes back is shown again.
#[tokio::test]
async fn as_130_ib_3_who_left_is_shown_no_more_not_even_while_the_catalog_is_away()
-> anyhow::Result<()> {
    let mut market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let draft = drafts::container();
    let offer = market.draft("contoso", "forge", draft).await?;
    let create = CreatePlanRequest {
        parent: offer.clone(),
        plan_id: "later".into(),
        display_name: "Later".into(),
        ..Default::default()
    };
    market.person("dev").plans.create_plan(create).await?;
    market.settled().await?;
    let name = shown(&market, &offer).await?;
    assert_eq!(name, format!("Dev of {PUBLISHER}"), "IB-1");

    let mut ada = market.person("ada");
    let leave = DeleteMemberRequest {
        name: format!("{PUBLISHER}/members/dev"),
        ..Default::default()
    };
    ada.publishers.delete_member(leave).await?;
    market.settled().await?;
    market.kill("offer-catalog").await?;
    assert_eq!(shown(&market, &offer).await?, "", "IB-3: the row stays");
    market.restart("offer-catalog").await?;
    assert_eq!(shown(&market, &offer).await?, "", "AS-130");

    let back = CreateMemberRequest {
        parent: PUBLISHER.into(),
        member_id: "dev".into(),
        member: Some(Member {
            name: format!("{PUBLISHER}/members/dev"),
            kind: MemberKind::User as i32,
            principal: format!("{ISSUER}|dev"),
            display_name: "Dev, again".into(),
            roles: vec![MemberRole::Developer as i32],
            ..Default::default()
        }),
        request_id: String::new(),
    };
    ada.publishers.create_member(back).await?;
    until("IB-5: the name of now is shown", async || {
        // By both replicas, who are asked in turn: each keeps names of its own at hand.
        let names = [shown(&market, &offer).await?, shown(&market, &offer).await?];
        Ok(names.iter().all(|name| name == "Dev, again").then_some(()))
    })
    .await?;
    market.settled().await?;
    market.kill("offer-catalog").await?;
    assert_eq!(shown(&market, &offer).await?, "Dev, again", "IB-5");
    market.restart("offer-catalog").await?;
    market.stop().await
}
