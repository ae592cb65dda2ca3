//! The same request twice, and two requests at once.

use marketplace_proto::publishing::v1::{CancelPublishRequest, ListSubmissionsRequest};
use prost::Message;
use system_tests::{Marketplace, drafts};
use tonic::Code;
use tonic_types::StatusExt;

/// SM-2: 64 identical calls over two replicas have one effect and 64 equal answers.
#[tokio::test]
async fn sixty_four_identical_publishes_make_one_submission() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "forge", drafts::saas_free_trial())
        .await?;
    let mut request = market.publish_request(&offer).await?;
    request.request_id = "publish-once".into();
    let twins = market.twins("ada");
    let calls = (0..64).map(|i| {
        let (mut ada, request) = (twins[i % 2].clone(), request.clone());
        async move { ada.publishing.publish_offer(request).await }
    });
    let answers: Vec<Vec<u8>> = futures::future::try_join_all(calls)
        .await?
        .into_iter()
        .map(|answer| answer.into_inner().encode_to_vec())
        .collect();
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "all 64 answers are the same bytes"
    );
    let list = ListSubmissionsRequest {
        parent: offer.clone(),
        ..Default::default()
    };
    assert_eq!(
        market
            .person("ada")
            .publishing
            .list_submissions(list)
            .await?
            .into_inner()
            .submissions
            .len(),
        1
    );

    request.notes += " and something else";
    let other = market
        .person("ada")
        .publishing
        .publish_offer(request)
        .await
        .expect_err("another request");
    assert_eq!(other.code(), Code::InvalidArgument);
    assert_eq!(
        other
            .get_details_error_info()
            .map(|info| info.reason)
            .as_deref(),
        Some("REQUEST_ID_REUSED")
    );
    market.stop().await
}

/// AS-144, SM-1: of two different ones at once one wins, the other is told who is in flight.
#[tokio::test]
async fn of_two_publishes_at_once_one_wins() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "forge", drafts::container())
        .await?;
    let [mut here, mut there] = market.twins("ada");
    for round in 0..5 {
        let request = market.publish_request(&offer).await?;
        let both = tokio::join!(
            here.publishing.publish_offer(request.clone()),
            there.publishing.publish_offer(request.clone())
        );
        let (won, lost) = match both {
            (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => {
                (won.into_inner().submission.unwrap_or_default(), lost)
            }
            other => anyhow::bail!("round {round}: exactly one wins: {other:?}"),
        };
        assert_eq!(lost.code(), Code::FailedPrecondition, "{lost:?}");
        let info = lost
            .get_details_error_info()
            .ok_or_else(|| anyhow::anyhow!("no ErrorInfo: {lost:?}"))?;
        assert_eq!(info.reason, "SUBMISSION_IN_FLIGHT");
        assert!(
            info.metadata.values().any(|value| *value == won.name),
            "it names {}: {info:?}",
            won.name
        );
        let cancel = CancelPublishRequest {
            submission: won.name.clone(),
            request_id: String::new(),
        };
        here.publishing.cancel_publish(cancel).await?;
        market
            .until_state(
                &won.name,
                marketplace_proto::publishing::v1::SubmissionState::Canceled,
            )
            .await?;
    }
    market.stop().await
}

/// A call over its deadline says so, and is repeated safely by its request id.
#[tokio::test]
async fn a_call_over_its_deadline_is_repeated_by_its_request_id() -> anyhow::Result<()> {
    let market = Marketplace::start().await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "forge", drafts::container())
        .await?;
    let mut message = market.publish_request(&offer).await?;
    message.request_id = "publish-late".into();
    let mut late = 0;
    // Longer and longer, so that callers leave at different places. What was begun goes on without them: a repeat is told
    // so (ABORTED), or gets its answer.
    let answer = loop {
        let mut request = tonic::Request::new(message.clone());
        request.set_timeout(std::time::Duration::from_millis(1 + late * 7));
        match market.person("ada").publishing.publish_offer(request).await {
            Ok(answer) => break answer.into_inner(),
            // Aborted: the cut call still holds its claim.
            Err(status) => assert!(
                matches!(
                    status.code(),
                    Code::DeadlineExceeded | Code::Aborted | Code::Cancelled
                ),
                "{status:?}"
            ),
        }
        late += 1;
        anyhow::ensure!(late < 300, "it never gets through");
    };
    assert!(late > 0, "the first had one millisecond");
    let again = market
        .person("ada")
        .publishing
        .publish_offer(message)
        .await?
        .into_inner();
    assert_eq!(again.encode_to_vec(), answer.encode_to_vec());
    let list = ListSubmissionsRequest {
        parent: offer,
        ..Default::default()
    };
    assert_eq!(
        market
            .person("ada")
            .publishing
            .list_submissions(list)
            .await?
            .into_inner()
            .submissions
            .len(),
        1
    );
    market.stop().await
}
