//! SIGTERM under load: what was accepted is kept, what was told is published, and the process ends well in time.

use std::time::{Duration, Instant};

use marketplace_proto::offercatalog::v1::{CreateOfferRequest, GetOfferRequest, ListOffersRequest};
use marketplace_proto::publishing::v1::{CancelPublishRequest, PublishOfferRequest};
use system_tests::{Marketplace, SERVICES, drafts};
use tokio::sync::Mutex;
use tonic::Code;

/// The stop order loses no accepted call and no event.
#[tokio::test]
async fn a_stop_under_load_loses_nothing() -> anyhow::Result<()> {
    let mut market = Marketplace::start().await?;
    market.publisher("contoso").await?;
    let running = market
        .draft("contoso", "running", drafts::container())
        .await?;
    let submission = market.publish(&running).await?;
    let mut drafts = Vec::new();
    for i in 0..4 {
        let id = format!("publish-{i}");
        drafts.push(market.draft("contoso", &id, drafts::container()).await?);
    }
    let (created, published) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let creating = futures::future::join_all(
        (0..8).map(|worker| create_offers(market.person("ada"), worker, &created)),
    );
    let publishing = futures::future::join_all(
        drafts
            .iter()
            .map(|offer| publish_and_cancel(market.person("ada"), offer, &published)),
    );
    let stopping = async {
        let much = system_tests::until("every service has much to do", async || {
            let much = created.lock().await.len() > 50 && published.lock().await.len() > 8;
            Ok(much.then_some(()))
        })
        .await;
        let began = Instant::now();
        // All at once: each of them is at work.
        let stops = market
            .children
            .iter_mut()
            .map(system_tests::Child::terminate);
        for status in futures::future::try_join_all(stops).await? {
            anyhow::ensure!(status.success(), "it ended with {status}");
        }
        much?;
        anyhow::Ok(began.elapsed())
    };
    let (_, _, stopped) = tokio::join!(creating, publishing, stopping);
    assert!(
        stopped? < Duration::from_secs(25),
        "within the grace period"
    );
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
    for submission in &published.into_inner() {
        let kept = market.submission(submission).await;
        assert!(kept.is_ok(), "{submission} was accepted: {kept:?}");
    }
    for offer in &created.into_inner() {
        assert!(kept.contains(offer), "{offer} was accepted and is gone");
        system_tests::until("its history says that it was created", async || {
            Ok((market.history(offer).await? == ["Created offer"]).then_some(()))
        })
        .await?;
    }
    market.finish(&submission).await?;
    market.stop().await
}

/// Publishes an offer and cancels that, again and again until a service is gone; notes the submissions that were made.
async fn publish_and_cancel(
    mut ada: system_tests::Clients,
    offer: &str,
    published: &Mutex<Vec<String>>,
) {
    let mut submission = String::new();
    loop {
        let get = GetOfferRequest {
            name: offer.into(),
            ..Default::default()
        };
        let Ok(read) = ada.offers.get_offer(get).await else {
            return;
        };
        let publish = PublishOfferRequest {
            offer: offer.into(),
            etag: read.into_inner().offer.unwrap_or_default().etag,
            notes: "Run the image.".into(),
            confirm: true,
            ..Default::default()
        };
        match ada.publishing.publish_offer(publish).await {
            Ok(answer) => {
                submission = answer.into_inner().submission.unwrap_or_default().name;
                published.lock().await.push(submission.clone());
            }
            // The one before is still being canceled.
            Err(status) if status.code() == Code::FailedPrecondition => {}
            Err(_) => return,
        }
        let cancel = CancelPublishRequest {
            submission: submission.clone(),
            ..Default::default()
        };
        match ada.publishing.cancel_publish(cancel).await {
            Err(status) if status.code() == Code::Unavailable => return,
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Creates offers until the service is gone; notes those that were accepted.
async fn create_offers(
    mut ada: system_tests::Clients,
    worker: usize,
    created: &Mutex<Vec<String>>,
) {
    for i in 0.. {
        let create = CreateOfferRequest {
            parent: "publishers/contoso".into(),
            offer_id: format!("load-{worker}-{i}"),
            offer_type: "softwareAsAService".into(),
            alias: "load".into(),
            ..Default::default()
        };
        let Ok(answer) = ada.offers.create_offer(create).await else {
            return;
        };
        let offer = answer.into_inner().offer.unwrap_or_default();
        created.lock().await.push(offer.name);
    }
}
