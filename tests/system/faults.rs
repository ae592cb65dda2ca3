//! Processes killed, broker and database away: every submission still arrives, nothing is lost or doubled.

use std::collections::BTreeMap;
use std::time::Duration;

use marketplace_proto::notification::v1::ListActionItemsRequest;
use marketplace_proto::publishing::v1::SubmissionState;
use system_tests::{Marketplace, Options, Proxy, SERVICES, drafts, until};

/// Design §5, PL-6: SIGKILL of each service in turn, at each step of the flow.
#[tokio::test]
async fn a_killed_service_delays_but_loses_and_doubles_nothing() -> anyhow::Result<()> {
    let mut market = Marketplace::start().await?;
    market.publisher("contoso").await?;
    for service in SERVICES {
        let offer = market
            .draft("contoso", &format!("killed-{service}"), drafts::container())
            .await?;
        let submission = market.publish(&offer).await?;
        crash(&mut market, service).await?;
        market.approve(&submission).await?;
        crash(&mut market, service).await?;
        market
            .until_state(&submission, SubmissionState::AwaitingSignOff)
            .await?;
        crash(&mut market, service).await?;
        market.go_live(&submission).await?;
        crash(&mut market, service).await?;
        market
            .until_state(&submission, SubmissionState::Live)
            .await?;
        exactly_once(&market, &offer).await?;
    }
    let mut by_id: BTreeMap<String, String> = BTreeMap::new();
    for mail in market.mails()? {
        let id = mail
            .lines()
            .find(|line| line.starts_with("Message-ID:"))
            .unwrap_or_default()
            .to_owned();
        let same = by_id.entry(id).or_insert_with(|| mail.clone());
        assert_eq!(*same, mail, "a repeat is byte-identical");
    }
    market.stop().await
}

async fn crash(market: &mut Marketplace, service: &str) -> anyhow::Result<()> {
    let child = market.child(service);
    child.kill().await?;
    child.restart()?;
    child.until_serving().await
}

/// History rows and Action Center items, each once.
async fn exactly_once(market: &Marketplace, offer: &str) -> anyhow::Result<()> {
    let wanted = [
        "Created offer",
        "Created plan: Bring your own licence",
        "Submitted offer to preview",
        "Offer purchase flow setup",
        "Certification",
        "Preview creation",
        "Publisher sign-off",
        "Sign-off to go live",
        "Offer purchase flow setup",
        "Final publish",
    ];
    let mut rows = until("the history is whole", async || {
        let rows = market.history(offer).await?;
        Ok((rows.len() >= wanted.len()).then_some(rows))
    })
    .await?;
    let mut wanted = wanted.to_vec();
    wanted.sort_unstable();
    rows.sort_unstable();
    assert_eq!(rows, wanted);
    let codes = until("the Action Center is whole", async || {
        let list = ListActionItemsRequest {
            page_size: 1_000,
            offer: offer.into(),
            ..Default::default()
        };
        let items = market
            .person("ada")
            .action_center
            .list_action_items(list)
            .await?
            .into_inner()
            .items;
        let codes: Vec<i32> = items.iter().map(|item| item.code).collect();
        Ok((codes.len() >= 4).then_some(codes))
    })
    .await?;
    let mut once = codes.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), codes.len(), "no item twice: {codes:?}");
    Ok(())
}

/// Design §5: the broker is away in the middle of a flow.
#[tokio::test]
async fn a_broker_that_is_away_only_delays() -> anyhow::Result<()> {
    let outage = Duration::from_secs(if std::env::var_os("LONG").is_some() {
        60
    } else {
        6
    });
    let broker = proxy("TEST_AMQP_URL").await?;
    let market = Marketplace::start_with(Options {
        broker: Some(broker.address),
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "forge", drafts::container())
        .await?;
    let submission = market.publish(&offer).await?;
    market.case_of(&submission).await?;
    broker.cut();
    market.decide(&submission).await?;
    let second = market
        .draft("contoso", "second", drafts::container())
        .await?;
    let other = market.publish(&second).await?;
    tokio::time::sleep(outage).await;
    broker.restore();
    // What rita decided while the broker was away comes through; then the publisher's turn.
    market
        .until_state(&submission, SubmissionState::AwaitingSignOff)
        .await?;
    market.finish(&submission).await?;
    market.finish(&other).await?;
    exactly_once(&market, &offer).await?;
    exactly_once(&market, &second).await?;
    market.stop().await
}

/// Design §4 and §5: services start, say that they serve and take commands without a broker.
#[tokio::test]
async fn services_start_and_take_commands_while_the_broker_is_away() -> anyhow::Result<()> {
    let broker = proxy("TEST_AMQP_URL").await?;
    broker.cut();
    let market = Marketplace::start_with(Options {
        broker: Some(broker.address),
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "forge", drafts::saas_free_trial())
        .await?;
    let submission = market.publish(&offer).await?;
    assert_eq!(
        market.submission(&submission).await?.state(),
        SubmissionState::Running
    );
    broker.restore();
    market.finish(&submission).await?;
    market.stop().await
}

async fn proxy(server: &str) -> anyhow::Result<Proxy> {
    let url = url::Url::parse(&std::env::var(server)?)?;
    Proxy::to(format!(
        "127.0.0.1:{}",
        url.port()
            .ok_or_else(|| anyhow::anyhow!("{server} names no port"))?
    ))
    .await
}

/// Design §5: every connection to the database breaks in the middle of a flow.
#[tokio::test]
async fn a_database_that_restarts_only_delays() -> anyhow::Result<()> {
    let proxy = proxy("TEST_POSTGRES_URL").await?;
    let market = Marketplace::start_with(Options {
        postgres: Some(proxy.address),
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "forge", drafts::container())
        .await?;
    let submission = market.publish(&offer).await?;
    for _ in 0..2 {
        proxy.cut();
        tokio::time::sleep(Duration::from_secs(2)).await;
        proxy.restore();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    // Clients are told UNAVAILABLE for a moment, and try again.
    until("everybody gets through", async || {
        Ok(market.finish(&submission).await.ok())
    })
    .await?;
    until("the records can be read", async || {
        Ok(exactly_once(&market, &offer).await.ok())
    })
    .await?;
    market.stop().await
}
