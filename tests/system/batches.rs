//! Many offers by one call, and what that is to others.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use marketplace_proto::offercatalog::v1::CreateOfferRequest;
use marketplace_proto::publishing::v1::*;
use marketplace_runtime::status::reason;
use prost::Message;
use system_tests::{Marketplace, drafts, patiently};
use tonic::{Code, Status};
use tonic_types::{BadRequest, ErrorDetails, RpcStatusExt, StatusExt};

/// Drafts made at once.
const DRAFTING: usize = 8;

fn long() -> bool {
    std::env::var_os("LONG").is_some()
}

/// Drafts `count` offers of a publisher that can be published; answers them as items.
pub(super) async fn drafted(
    market: &Marketplace,
    publisher: &str,
    count: usize,
) -> anyhow::Result<Vec<BatchPublish>> {
    let one = async |i: usize| {
        let id = format!("offer-{i}");
        let draft = drafts::saas_free_trial();
        let offer = Box::pin(market.draft(publisher, &id, draft)).await?;
        Ok(item(market.publish_request(&offer).await?))
    };
    stream::iter(0..count)
        .map(one)
        .buffered(DRAFTING)
        .try_collect()
        .await
}

pub(super) fn item(request: PublishOfferRequest) -> BatchPublish {
    BatchPublish {
        offer: request.offer,
        etag: request.etag,
        notes: request.notes,
        ..Default::default()
    }
}

pub(super) fn request(publisher: &str, items: Vec<BatchPublish>) -> CreateBatchRequest {
    CreateBatchRequest {
        parent: format!("publishers/{publisher}"),
        items,
        request_id: String::new(),
    }
}

pub(super) async fn create(
    market: &Marketplace,
    request: CreateBatchRequest,
) -> Result<Batch, Status> {
    let answer = market
        .person("ada")
        .publishing
        .create_batch(request)
        .await?;
    Ok(answer.into_inner().batch.unwrap_or_default())
}

async fn page(market: &Marketplace, get: GetBatchRequest) -> anyhow::Result<GetBatchResponse> {
    let answer = market.person("ada").publishing.get_batch(get).await?;
    Ok(answer.into_inner())
}

async fn batch(market: &Marketplace, name: &str) -> anyhow::Result<Batch> {
    let get = GetBatchRequest {
        name: name.into(),
        page_size: 1,
        ..Default::default()
    };
    page(market, get).await?.batch.context("no batch")
}

pub(super) async fn done(market: &Marketplace, name: &str) -> anyhow::Result<()> {
    let patience = Duration::from_secs(if long() { 900 } else { 120 });
    patiently(patience, "the batch is done", async || {
        let now = batch(market, name).await?;
        Ok((now.state() == BatchState::Done).then_some(()))
    })
    .await
}

/// All items of a batch, by pages of 200.
pub(super) async fn items(market: &Marketplace, name: &str) -> anyhow::Result<Vec<BatchItem>> {
    let mut get = GetBatchRequest {
        name: name.into(),
        page_size: 200,
        ..Default::default()
    };
    let mut all = Vec::new();
    loop {
        let answer = page(market, get.clone()).await?;
        ensure!(answer.encoded_len() < 4 * 1024 * 1024);
        all.extend(answer.items);
        get.page_token = answer.next_page_token;
        if get.page_token.is_empty() {
            return Ok(all);
        }
    }
}

pub(super) async fn submissions(market: &Marketplace, offer: &str) -> anyhow::Result<Vec<String>> {
    let list = ListSubmissionsRequest {
        parent: offer.into(),
        ..Default::default()
    };
    let answer = market
        .person("ada")
        .publishing
        .list_submissions(list)
        .await?;
    let all = answer.into_inner().submissions.into_iter();
    Ok(all.map(|submission| submission.name).collect())
}

/// 500 items; the pipeline is killed while it submits them (LONG: three times). Each good offer is submitted exactly once, each
/// other one refused in the words of PublishOffer.
#[tokio::test]
async fn a_batch_survives_kills_and_submits_each_offer_once() -> anyhow::Result<()> {
    let good = if long() { 250 } else { 24 };
    let mut market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let mut orders = drafted(&market, "contoso", good).await?;
    for i in 0..10 {
        orders.push(incomplete(&market, &format!("empty-{i}")).await?);
    }
    orders[0].etag = "0".into();
    let missing = |i| BatchPublish {
        offer: format!("publishers/contoso/offers/missing-{i}"),
        etag: "1".into(),
        ..Default::default()
    };
    orders.extend((orders.len()..500).map(missing));
    let mut create_it = request("contoso", orders.clone());
    create_it.request_id = "all-of-them".into();
    let made = create(&market, create_it.clone()).await?;
    assert_eq!(
        (made.state(), made.pending_count),
        (BatchState::Running, 500)
    );

    let kills = if long() { vec![3, 125, 248] } else { vec![12] };
    for submitted in kills {
        patiently(Duration::from_secs(60), "some are submitted", async || {
            let now = batch(&market, &made.name).await?;
            Ok((now.submitted_count >= submitted).then_some(()))
        })
        .await?;
        market.kill("publishing-pipeline").await?;
        market.restart("publishing-pipeline").await?;
    }
    done(&market, &made.name).await?;

    let found = items(&market, &made.name).await?;
    let named = |offers: Vec<&String>| offers.into_iter().cloned().collect::<Vec<_>>();
    assert_eq!(
        named(found.iter().map(|item| &item.offer).collect()),
        named(orders.iter().map(|order| &order.offer).collect()),
        "in the order of the request"
    );
    for item in &found[1..good] {
        assert_eq!(item.state(), BatchItemState::Submitted, "{item:?}");
        assert_eq!(
            submissions(&market, &item.offer).await?,
            std::slice::from_ref(&item.submission)
        );
    }
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for item in found.iter().filter(|item| item.submission.is_empty()) {
        assert_eq!(item.state(), BatchItemState::Refused, "{item:?}");
        let refusal = item.refusal.as_ref().context("no refusal")?;
        let info = refusal.get_details_error_info().context("no ErrorInfo")?;
        *reasons.entry(info.reason).or_default() += 1;
    }
    let wanted = [
        ("NOT_FOUND", 490 - good),
        ("PAGES_INCOMPLETE", 10),
        ("STALE_ETAG", 1),
    ];
    assert_eq!(
        reasons,
        wanted
            .map(|(reason, count)| (reason.to_owned(), count))
            .into()
    );
    for place in [0, good, 499] {
        says_what_publish_says(&market, &orders[place], &found[place]).await?;
    }
    let last = batch(&market, &made.name).await?;
    assert_eq!(
        (last.submitted_count, last.refused_count),
        (good as i32 - 1, 501 - good as i32)
    );
    let again = create(&market, create_it).await?;
    assert_eq!(again, made, "the same request has the same answer");
    market.stop().await
}

/// An offer with nothing in it.
async fn incomplete(market: &Marketplace, id: &str) -> anyhow::Result<BatchPublish> {
    let create = CreateOfferRequest {
        parent: "publishers/contoso".into(),
        offer_id: id.into(),
        offer_type: "softwareAsAService".into(),
        alias: id.into(),
        ..Default::default()
    };
    let mut ada = market.person("ada");
    ada.offers.create_offer(create).await?;
    let offer = format!("publishers/contoso/offers/{id}");
    Ok(item(market.publish_request(&offer).await?))
}

async fn says_what_publish_says(
    market: &Marketplace,
    order: &BatchPublish,
    item: &BatchItem,
) -> anyhow::Result<()> {
    let publish = PublishOfferRequest {
        offer: order.offer.clone(),
        etag: order.etag.clone(),
        notes: order.notes.clone(),
        ..Default::default()
    };
    let refused = market.person("ada").publishing.publish_offer(publish).await;
    let refused = refused.err().context("it was published")?;
    let refusal = item.refusal.as_ref().context("no refusal")?;
    assert_eq!(refusal.code, refused.code() as i32);
    assert_eq!(refusal.message, refused.message());
    let info = |told: ErrorDetails| {
        let info = told.error_info().cloned();
        info.map(|info| (info.reason, info.domain, info.metadata))
    };
    assert_eq!(
        info(refusal.get_error_details()),
        info(refused.get_error_details())
    );
    let fields = |told: Option<BadRequest>| format!("{told:?}");
    assert_eq!(
        fields(refusal.get_details_bad_request()),
        fields(refused.get_details_bad_request())
    );
    Ok(())
}

/// One request id is one batch; what is malformed is named altogether; who may publish no more has what is left refused.
#[tokio::test]
async fn a_batch_is_made_once_and_run_as_who_made_it() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let orders = drafted(&market, "contoso", 2).await?;
    let mut create_it = request("contoso", orders.clone());
    create_it.request_id = "once".into();
    let twins = market.twins("ada");
    let calls = (0..16).map(|i| {
        let (mut ada, request) = (twins[i % 2].clone(), create_it.clone());
        async move { ada.publishing.create_batch(request).await }
    });
    let answers = futures::future::try_join_all(calls).await?;
    let answers: Vec<Vec<u8>> = answers
        .into_iter()
        .map(|answer| answer.into_inner().encode_to_vec())
        .collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let mut db = market.servers.database.superuser().await?;
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM publishing.batches")
        .fetch_one(&mut db)
        .await?;
    assert_eq!(count, 1);
    create_it.items.pop();
    let reused = create(&market, create_it)
        .await
        .expect_err("another request");
    assert_eq!(reason(&reused), "REQUEST_ID_REUSED");

    let mut wrong = request("contoso", vec![orders[0].clone(); 2]);
    wrong.items[0].etag.clear();
    wrong.items.push(BatchPublish {
        offer: "publishers/fabrikam/offers/x".into(),
        etag: "1".into(),
        ..Default::default()
    });
    let refused = create(&market, wrong).await.expect_err("it is malformed");
    let bad = refused.get_details_bad_request().context("no BadRequest")?;
    let fields: Vec<&str> = bad
        .field_violations
        .iter()
        .map(|one| one.field.as_str())
        .collect();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(
        fields,
        ["items[0].etag", "items[1].offer", "items[2].offer"]
    );

    // Who made it has left since: as if they had called PublishOffer.
    let left: String = sqlx::query_scalar(
        "WITH made AS (
           INSERT INTO publishing.batches (id, publisher, made_by, traceparent, tracestate, create_time)
           VALUES (gen_random_uuid(), 'contoso', json_build_object('kind', 'user', 'principal', $1 || '|gone'), '', '', now())
           RETURNING id
         )
         INSERT INTO publishing.batch_items (batch, item, offer, etag, notes, confirm, supersede, due_at)
         SELECT id, 0, 'offer-0', '1', '', true, true, now() FROM made RETURNING batch::text",
    )
    .bind(system_tests::ISSUER)
    .fetch_one(&mut db)
    .await?;
    let name = format!("publishers/contoso/batches/{left}");
    done(&market, &name).await?;
    let refusal = items(&market, &name).await?[0].refusal.clone();
    assert_eq!(refusal.context("no refusal")?.code, Code::NotFound as i32);
    market.stop().await
}

/// From a shell: the same, and what became of each.
#[tokio::test]
async fn marketctl_publishes_many_and_shows_quotas() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    drafted(&market, "contoso", 2).await?;
    let batch = ["publish", "--batch", "contoso/offer-0", "offer-1"];
    let words = [
        &["--as", "ada", "--publisher", "contoso"],
        &batch[..],
        &["--notes", "Sign in.", "--wait"],
    ]
    .concat();
    let answer = market.marketctl_json(&words).await?;
    assert_eq!(answer[0]["batch"]["submitted_count"], 2, "{answer:?}");
    // Nothing has changed since: one has to say that this is meant.
    let said = market.marketctl(&words).await?;
    assert_eq!(said.code, Some(4), "{}", said.err);
    assert!(said.out.contains("CONFIRMATION_REQUIRED"), "{}", said.out);
    let answer = market
        .marketctl(&["--as", "ada", "quota", "contoso"])
        .await?;
    assert!(answer.out.contains("submissions-per-day"), "{}", answer.out);
    market.stop().await
}

/// Who submits one offer waits at most twice as long while another has 2,000 queued (LONG). In the suite, where other tests
/// run beside it, 4 times beside 100: in the order of arrival it would wait for all of them.
#[tokio::test]
async fn one_who_submits_little_waits_little_beside_one_who_submits_much() -> anyhow::Result<()> {
    let (queued, samples, most) = if long() { (2_000, 31, 2) } else { (100, 15, 4) };
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    market.publisher("fabrikam").await?;
    let small = market
        .draft("fabrikam", "small", drafts::saas_free_trial())
        .await?;
    let much = drafted(&market, "contoso", queued).await?;
    for _ in 0..3 {
        wait(&market, &small).await?;
    }
    let idle = median(&market, &small, samples).await?;
    let mut batches = Vec::new();
    for part in much.chunks(500) {
        batches.push(
            create(&market, request("contoso", part.to_vec()))
                .await?
                .name,
        );
    }
    let busy = median(&market, &small, samples).await?;
    println!("{idle:?} alone, {busy:?} beside {queued} queued");
    let last = batch(&market, batches.last().context("no batch")?).await?;
    assert_eq!(last.state(), BatchState::Running, "it was measured in time");
    assert!(
        busy <= idle * most,
        "{busy:?} beside {queued} queued, {idle:?} alone"
    );
    if !long() {
        // All that was to be seen has been.
        let mut db = market.servers.database.superuser().await?;
        sqlx::raw_sql(
            "DELETE FROM publishing.batch_items WHERE state = 'pending' AND NOT underway",
        )
        .execute(&mut db)
        .await?;
    }
    for name in &batches {
        done(&market, name).await?;
        let now = batch(&market, name).await?;
        assert_eq!(now.refused_count, 0, "{now:?}");
    }
    market.stop().await
}

async fn median(market: &Marketplace, offer: &str, samples: usize) -> anyhow::Result<Duration> {
    let mut waits = Vec::new();
    for _ in 0..samples {
        waits.push(wait(market, offer).await?);
    }
    waits.sort_unstable();
    Ok(waits[samples / 2])
}

/// From publish to preview.
async fn wait(market: &Marketplace, offer: &str) -> anyhow::Result<Duration> {
    let request = market.publish_request(offer).await?;
    let mut ada = market.person("ada");
    let since = Instant::now();
    let answer = ada.publishing.publish_offer(request).await?.into_inner();
    let watch = WatchSubmissionRequest {
        name: answer.submission.unwrap_or_default().name,
        ..Default::default()
    };
    let mut news = ada.publishing.watch_submission(watch).await?.into_inner();
    while let Some(news) = news.message().await? {
        let now = news.submission.unwrap_or_default();
        if now.state() == SubmissionState::AwaitingSignOff {
            return Ok(since.elapsed());
        }
    }
    anyhow::bail!("it ended before its preview")
}
