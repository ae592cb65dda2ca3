//! Two who want opposite things at the same moment.

use marketplace_proto::publishing::v1::{CancelPublishRequest, SubmissionState};
use system_tests::{Marketplace, drafts, until};

/// AS-085, T11, T12, T14: cancel and sign-off race; exactly one wins each time, and the history agrees.
#[tokio::test]
async fn cancel_races_sign_off() -> anyhow::Result<()> {
    let rounds = 200;
    let market = Marketplace::start().await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "forge", drafts::saas_free_trial())
        .await?;
    let mut ada = market.person("ada");
    let (mut canceled, mut reached) = (0, 0);
    // Where the sign-off comes, in microseconds after publishing; follows the outcomes so that both sides win.
    let mut delay = 20_000_u64;
    for _ in 0..rounds {
        let submission = market.publish(&offer).await?;
        tokio::time::sleep(std::time::Duration::from_micros(delay)).await;
        let cancel = CancelPublishRequest {
            submission: submission.clone(),
            request_id: String::new(),
        };
        let accepted = ada.publishing.cancel_publish(cancel).await;
        let ended = until("the race is decided", async || {
            let now = market.submission(&submission).await?;
            Ok(matches!(
                now.state(),
                SubmissionState::Canceled | SubmissionState::AwaitingSignOff
            )
            .then_some(now))
        })
        .await?;
        match (accepted, ended.state()) {
            (Ok(_), SubmissionState::Canceled) => {
                canceled += 1;
                delay += delay / 8 + 200;
            }
            (Err(refused), SubmissionState::AwaitingSignOff) => {
                assert_eq!(
                    refused.code(),
                    tonic::Code::FailedPrecondition,
                    "{refused:?}"
                );
                reached += 1;
                delay -= delay / 8;
            }
            (accepted, state) => {
                anyhow::bail!("cancel said {accepted:?} and the submission is {state:?}")
            }
        }
    }
    assert!(
        canceled >= 20 && reached >= 20,
        "each side wins at least 20 of {rounds}: {canceled} and {reached}"
    );
    let rows = until("the history has every outcome", async || {
        let rows = history_of(&market, &offer).await?;
        let done = rows
            .iter()
            .filter(|row| *row == "Canceled submission to preview")
            .count()
            == canceled;
        Ok(done.then_some(rows))
    })
    .await?;
    let count = |label: &str| rows.iter().filter(|row| *row == label).count();
    assert_eq!(count("Initiated submit to preview cancellation"), canceled);
    assert_eq!(count("Submitted offer to preview"), rounds);
    market.stop().await
}

async fn history_of(market: &Marketplace, offer: &str) -> anyhow::Result<Vec<String>> {
    use marketplace_proto::history::v1::ListEventsRequest;
    let mut labels = Vec::new();
    let mut page_token = String::new();
    loop {
        let list = ListEventsRequest {
            parent: offer.into(),
            page_size: 1_000,
            page_token,
            ..Default::default()
        };
        let page = market
            .person("ada")
            .history
            .list_events(list)
            .await?
            .into_inner();
        labels.extend(page.events.into_iter().map(|event| event.label));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(labels);
        }
    }
}
