//! GetOffer and saved pages, against what bare tonic does with the same database.

use std::time::Duration;

use anyhow::Context;
use marketplace_proto::offercatalog::v1::page::Page as Kind;
use marketplace_proto::offercatalog::v1::*;
use system_tests::{Clients, Marketplace, drafts};
use tokio::sync::Mutex;

use crate::floor::{CALLERS, CONNECTIONS, Floors};
use crate::pace::closed_loop;
use crate::report::{Report, rate};

pub async fn measure(
    report: &mut Report,
    market: &Marketplace,
    floors: &Floors,
    pause: Duration,
) -> anyhow::Result<()> {
    let mut offers = Vec::new();
    for caller in 0..CALLERS {
        offers.push(
            market
                .draft("load", &format!("read-{caller}"), drafts::saas_free_trial())
                .await?,
        );
    }
    let clients: Vec<Clients> = (0..CONNECTIONS).map(|_| market.person("ada")).collect();

    let get = async |mut ada: Clients, caller: usize| {
        let name = offers[caller].clone();
        ada.offers
            .get_offer(GetOfferRequest {
                name,
                min_publication_revision: 0,
            })
            .await?;
        Ok(())
    };
    let times = closed_loop(CALLERS, pause, get, &clients).await?;
    let ratio = times.rate() / floors.read;
    report.row(
        "GetOffer against bare tonic with one read",
        &format!("{ratio:.2} ({})", rate(&times)),
        "≥ 0.8",
    );

    let mut etags = Vec::new();
    for offer in &offers {
        etags.push(Mutex::new(page(&clients[0], offer).await?));
    }
    let save = async |mut ada: Clients, caller: usize| {
        // A caller has its offer alone: the lock is never waited for.
        let mut page = etags[caller].lock().await;
        let request = UpdatePageRequest {
            page: Some(page.clone()),
            etag: page.etag.clone(),
            request_id: uuid::Uuid::now_v7().to_string(),
        };
        let saved = ada.offers.update_page(request).await?.into_inner().page;
        *page = saved.context("no page")?;
        Ok(())
    };
    let times = closed_loop(CALLERS, pause, save, &clients).await?;
    let ratio = times.rate() / floors.write;
    report.row(
        "a saved page against bare tonic with two inserts",
        &format!("{ratio:.2} ({})", rate(&times)),
        "≥ 0.6",
    );
    Ok(())
}

async fn page(ada: &Clients, offer: &str) -> anyhow::Result<Page> {
    let get = GetPageRequest {
        parent: offer.into(),
        page_id: PageId::Properties as i32,
    };
    let page = ada
        .clone()
        .offers
        .get_page(get)
        .await?
        .into_inner()
        .page
        .context("no page")?;
    anyhow::ensure!(
        matches!(page.page, Some(Kind::Properties(_))),
        "another page than was asked for"
    );
    Ok(page)
}
