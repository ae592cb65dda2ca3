//! SIGTERM under load: what was accepted is kept, what was told is published, and the process ends well in time.

use std::time::{Duration, Instant};

use marketplace_proto::offercatalog::v1::{CreateOfferRequest, ListOffersRequest};
use system_tests::{Marketplace, SERVICES, drafts};

/// Style §9: the stop order loses no accepted call and no event.
#[tokio::test]
async fn a_stop_under_load_loses_nothing() -> anyhow::Result<()> {
    let mut market = Marketplace::start().await?;
    market.publisher("contoso").await?;
    let running = market
        .draft("contoso", "running", drafts::container())
        .await?;
    let submission = market.publish(&running).await?;
    let load =
        futures::future::join_all((0..8).map(|worker| create_offers(market.person("ada"), worker)));
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let began = Instant::now();
        for service in SERVICES {
            let status = market.child(service).terminate().await?;
            anyhow::ensure!(status.success(), "{service} ended with {status}");
        }
        anyhow::Ok(began.elapsed())
    };
    let (accepted, stopped) = tokio::join!(load, stopping);
    assert!(
        stopped? < Duration::from_secs(25),
        "within the grace period"
    );
    let accepted: Vec<String> = accepted.into_iter().flatten().collect();
    assert!(accepted.len() > 8, "there was load: {}", accepted.len());
    for service in SERVICES {
        market.child(service).restart()?;
    }
    market.until_serving().await?;
    let mut kept = Vec::new();
    let mut page_token = String::new();
    loop {
        let list = ListOffersRequest {
            parent: "publishers/contoso".into(),
            page_size: 1_000,
            page_token,
            ..Default::default()
        };
        let page = market
            .person("ada")
            .offers
            .list_offers(list)
            .await?
            .into_inner();
        kept.extend(page.offers.into_iter().map(|offer| offer.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    for offer in &accepted {
        assert!(kept.contains(offer), "{offer} was accepted and is gone");
        system_tests::until("its history says that it was created", async || {
            Ok((market.history(offer).await? == ["Created offer"]).then_some(()))
        })
        .await?;
    }
    market.finish(&submission).await?;
    market.stop().await
}

/// Creates offers until the service is gone; answers those that were accepted.
async fn create_offers(mut ada: system_tests::Clients, worker: usize) -> Vec<String> {
    let mut accepted = Vec::new();
    for i in 0.. {
        let create = CreateOfferRequest {
            parent: "publishers/contoso".into(),
            offer_id: format!("load-{worker}-{i}"),
            offer_type: "softwareAsAService".into(),
            alias: "load".into(),
            ..Default::default()
        };
        match ada.offers.create_offer(create).await {
            Ok(answer) => accepted.extend(answer.into_inner().offer.map(|offer| offer.name)),
            Err(_) => break,
        }
    }
    accepted
}
