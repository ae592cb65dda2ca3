//! What a publisher may have, and what is beyond it.

use std::time::Duration;

use anyhow::Context;
use marketplace_proto::offercatalog::v1::DeleteOfferRequest;
use marketplace_proto::publishing::v1::*;
use marketplace_runtime::status::reason;
use system_tests::{Marketplace, Options, drafts};
use tonic::{Code, Status};
use tonic_types::{RpcStatusExt, StatusExt};

use crate::batches::{create, done, item, items, request, submissions};

/// What is beyond a quota is refused with when to come back, and nothing is changed.
#[tokio::test]
async fn quotas_refuse_what_is_beyond_them_and_say_when() -> anyhow::Result<()> {
    let environment = [
        ("QUOTA_OPEN_SUBMISSIONS", "1"),
        ("QUOTA_SUBMISSIONS_PER_DAY", "2"),
        ("QUOTA_BATCHES_RUNNING", "1"),
        ("QUOTA_DRY_RUNS_RUNNING", "1"),
    ];
    let market = Marketplace::twice_with(Options {
        environment: environment.map(|(name, value)| (name, value.into())).into(),
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    assert_eq!(used(&market).await?, [(1, 0), (2, 0), (1, 0), (1, 0)]);
    // Its case waits for a reviewer.
    let first = market
        .draft("contoso", "first", drafts::container())
        .await?;
    let open = market.publish(&first).await?;
    market.case_of(&open).await?;
    let second = market
        .draft("contoso", "second", drafts::saas_free_trial())
        .await?;
    let publish = market.publish_request(&second).await?;
    let beyond = market
        .person("ada")
        .publishing
        .publish_offer(publish.clone())
        .await;
    exceeded(&beyond.expect_err("one is open"), "open-submissions", 30)?;
    assert_eq!(used(&market).await?, [(1, 1), (2, 1), (1, 0), (1, 0)]);
    assert_eq!(submissions(&market, &second).await?, Vec::<String>::new());
    // An item of a batch is refused by the same words.
    let one = create(&market, request("contoso", vec![item(publish.clone())])).await?;
    done(&market, &one.name).await?;
    let refusal = items(&market, &one.name).await?[0].refusal.clone();
    let refusal = refusal.context("no refusal")?;
    assert_eq!(refusal.code, Code::ResourceExhausted as i32);
    assert!(refusal.get_details_retry_info().is_some(), "{refusal:?}");
    // Nothing was frozen: what was never published can be deleted.
    let third = market
        .draft("contoso", "third", drafts::saas_free_trial())
        .await?;
    let of_third = market.publish_request(&third).await?;
    let delete = DeleteOfferRequest {
        name: third,
        etag: of_third.etag.clone(),
        ..Default::default()
    };
    let beyond = market
        .person("ada")
        .publishing
        .publish_offer(of_third)
        .await;
    exceeded(&beyond.expect_err("one is open"), "open-submissions", 30)?;
    market.person("ada").offers.delete_offer(delete).await?;

    let cancel = CancelPublishRequest {
        submission: open.clone(),
        request_id: String::new(),
    };
    market
        .person("ada")
        .publishing
        .cancel_publish(cancel)
        .await?;
    market.until_state(&open, SubmissionState::Canceled).await?;
    let submission = market.publish(&second).await?;
    market
        .until_state(&submission, SubmissionState::AwaitingSignOff)
        .await?;
    let again = market.publish_request(&first).await?;
    let beyond = market.person("ada").publishing.publish_offer(again).await;
    exceeded(
        &beyond.expect_err("two today"),
        "submissions-per-day",
        86_400,
    )?;
    assert_eq!(used(&market).await?, [(1, 0), (2, 2), (1, 0), (1, 0)]);

    let mut db = market.servers.database.superuser().await?;
    sqlx::raw_sql(
        "INSERT INTO publishing.batches (id, publisher, made_by, traceparent, tracestate, create_time)
         VALUES (gen_random_uuid(), 'contoso', '{\"kind\": \"user\"}', '', '', now());
         INSERT INTO publishing.batch_items (batch, item, offer, etag, notes, confirm, supersede, due_at)
         SELECT id, 0, 'x', '1', '', true, true, now() + interval '1 hour' FROM publishing.batches WHERE state = 'running'",
    )
    .execute(&mut db)
    .await?;
    let beyond = create(&market, request("contoso", vec![item(publish)])).await;
    exceeded(&beyond.expect_err("one runs"), "batches-running", 30)?;
    let dry = CreateDryRunRequest {
        offer: second.clone(),
        ..Default::default()
    };
    market.dry_run(dry.clone()).await?;
    sqlx::raw_sql("UPDATE publishing.dry_runs SET state = 'running', end_time = NULL, lease_until = now() + interval '1 hour'")
        .execute(&mut db)
        .await?;
    let beyond = market.person("ada").publishing.create_dry_run(dry).await;
    exceeded(&beyond.expect_err("one runs"), "dry-runs-running", 30)?;
    assert_eq!(used(&market).await?, [(1, 0), (2, 2), (1, 1), (1, 1)]);
    market.stop().await
}

/// Limit and use of the four.
async fn used(market: &Marketplace) -> anyhow::Result<Vec<(i64, i64)>> {
    let get = GetQuotaRequest {
        publisher: "publishers/contoso".into(),
    };
    let answer = market.person("ada").publishing.get_quota(get).await?;
    let quotas = answer.into_inner().quotas;
    let names: Vec<&str> = quotas.iter().map(|quota| quota.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "open-submissions",
            "submissions-per-day",
            "batches-running",
            "dry-runs-running"
        ]
    );
    assert!(quotas[1].free_time.is_some() && quotas[0].free_time.is_none());
    Ok(quotas
        .iter()
        .map(|quota| (quota.limit, quota.used))
        .collect())
}

/// RESOURCE_EXHAUSTED of this quota, to be tried again within these seconds.
fn exceeded(status: &Status, quota: &str, seconds: u64) -> anyhow::Result<()> {
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert_eq!(reason(status), "QUOTA_EXCEEDED");
    let failure = status
        .get_details_quota_failure()
        .context("no QuotaFailure")?;
    assert_eq!(
        failure.violations[0].subject,
        format!("publishers/contoso/quotas/{quota}")
    );
    let retry = status.get_details_retry_info().context("no RetryInfo")?;
    let delay = retry.retry_delay.context("no delay")?;
    assert!(
        !delay.is_zero() && delay <= Duration::from_secs(seconds),
        "{delay:?}"
    );
    Ok(())
}
