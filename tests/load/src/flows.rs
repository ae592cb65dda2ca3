//! Whole publish flows: from a complete draft to Live, through all five services, the broker, history and Action Center.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use marketplace_proto::publishing::v1::*;
use system_tests::{Clients, Marketplace, drafts};

use crate::latency::Sightings;
use crate::pace::Times;
use crate::processes::Processes;
use crate::report::{Report, spread};

/// Connections that publishers share.
const CONNECTIONS: usize = 8;
/// Drafts made at once: a publisher may have that many uploads under way.
const DRAFTING: usize = 4;

pub struct Flows<'a> {
    pub market: &'a Marketplace,
    processes: &'a Processes,
    clients: Vec<Clients>,
    made: usize,
    /// What watchers have seen, and when.
    pub sightings: Sightings,
}

/// The two halves of a flow that nobody waits in.
struct Flow {
    to_sign_off: Duration,
    to_live: Duration,
}

/// A draft that is ready to be published.
pub struct Ready {
    offer: String,
    request: PublishOfferRequest,
}

impl<'a> Flows<'a> {
    pub fn new(market: &'a Marketplace, processes: &'a Processes) -> Self {
        let clients = (0..CONNECTIONS).map(|_| market.person("ada")).collect();
        Self {
            market,
            processes,
            clients,
            made: 0,
            sightings: Sightings::default(),
        }
    }

    /// Complete drafts of new offers.
    pub async fn drafts(&mut self, count: usize) -> anyhow::Result<Vec<Ready>> {
        let first = self.made;
        self.made += count;
        let market = self.market;
        let draft = |number: usize| async move {
            let offer = market
                .draft("load", &format!("flow-{number}"), drafts::saas_free_trial())
                .await?;
            let request = market.publish_request(&offer).await?;
            anyhow::Ok(Ready { offer, request })
        };
        futures::stream::iter(first..first + count)
            .map(draft)
            .buffer_unordered(DRAFTING)
            .try_collect()
            .await
    }

    /// One after the other.
    pub async fn one_by_one(&mut self, report: &mut Report, count: usize) -> anyhow::Result<()> {
        let ready = self.drafts(count).await?;
        self.rest().await?;
        let begun = Instant::now();
        let (mut to_sign_off, mut to_live) = (Vec::new(), Vec::new());
        for one in ready {
            let flow = flow(self.clients[0].clone(), one, &self.sightings).await?;
            to_sign_off.push(flow.to_sign_off);
            to_live.push(flow.to_live);
        }
        let whole = begun.elapsed();
        report.row(
            "1 in flight: publish → awaiting sign-off",
            &spread(&Times::new(to_sign_off, whole)),
            "p50 ≤ 20 ms",
        );
        report.row(
            "1 in flight: go-live → live",
            &spread(&Times::new(to_live, whole)),
            "p50 ≤ 15 ms",
        );
        Ok(())
    }

    /// This many at a time; answers flows per second.
    pub async fn side_by_side(
        &mut self,
        report: &mut Report,
        in_flight: usize,
        count: usize,
        statements: Option<&Path>,
    ) -> anyhow::Result<f64> {
        let ready = self.drafts(count).await?;
        self.rest().await?;
        let seen = Statements::begin(self.market, statements).await?;
        let (cpu, begun) = (self.processes.cpu()?, Instant::now());
        let next = AtomicUsize::new(0);
        let times: Vec<Duration> = futures::stream::iter(ready)
            .map(|one| {
                let client =
                    self.clients[next.fetch_add(1, Ordering::Relaxed) % CONNECTIONS].clone();
                async {
                    let flow = flow(client, one, &self.sightings).await?;
                    anyhow::Ok(flow.to_sign_off + flow.to_live)
                }
            })
            .buffer_unordered(in_flight)
            .try_collect()
            .await?;
        let whole = begun.elapsed();
        // What history and notification still do belongs to these flows.
        self.market.settled().await?;
        let cpu = self.processes.cpu()?.since(cpu);
        seen.end(self.market, count).await?;
        let times = Times::new(times, whole);
        let each = |seconds: f64| format!("{:.1}", seconds * 1_000.0 / count as f64);
        let said = format!(
            "{:.0} / s, {}; CPU {} ms per flow (services {}, Postgres {}, RabbitMQ {})",
            times.rate(),
            spread(&times),
            each(cpu.all()),
            each(cpu.services),
            each(cpu.postgres),
            each(cpu.rabbitmq),
        );
        let goal = match in_flight {
            64 => "≥ 130 / s first, ≥ 200 / s the aim; CPU ≤ 7 ms",
            _ => "≥ 130 / s first, ≥ 270 / s the aim; CPU ≤ 7 ms",
        };
        report.row(
            &format!("publish flows, {in_flight} in flight"),
            &said,
            goal,
        );
        Ok(times.rate())
    }

    /// A flow begins every `pause`, whatever the others do.
    pub async fn at_a_pace(&mut self, count: usize, pause: Duration) -> anyhow::Result<()> {
        let ready = self.drafts(count).await?;
        self.rest().await?;
        let begun = tokio::time::Instant::now();
        let flows = ready.into_iter().enumerate().map(|(number, one)| {
            let client = self.clients[number % CONNECTIONS].clone();
            let sightings = &self.sightings;
            async move {
                tokio::time::sleep_until(begun + pause * number as u32).await;
                flow(client, one, sightings).await.map(drop)
            }
        });
        futures::future::try_join_all(flows).await?;
        self.market.settled().await
    }

    /// What making drafts left to be done is done before anything is measured.
    async fn rest(&self) -> anyhow::Result<()> {
        self.market.settled().await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(())
    }
}

/// From a complete draft to Live.
async fn flow(mut ada: Clients, ready: Ready, sightings: &Sightings) -> anyhow::Result<Flow> {
    let begun = Instant::now();
    let published = ada
        .publishing
        .publish_offer(ready.request)
        .await?
        .into_inner();
    let submission = published.submission.context("no submission")?.name;
    let mut watch = Watch {
        ada: ada.clone(),
        submission: submission.clone(),
        token: String::new(),
        sightings,
    };
    watch.until(SubmissionState::AwaitingSignOff).await?;
    let to_sign_off = begun.elapsed();
    let begun = Instant::now();
    let go = GoLiveRequest {
        submission: submission.clone(),
        acknowledge_warnings: true,
        ..Default::default()
    };
    ada.publishing
        .go_live(go)
        .await
        .with_context(|| ready.offer.clone())?;
    watch.until(SubmissionState::Live).await?;
    Ok(Flow {
        to_sign_off,
        to_live: begun.elapsed(),
    })
}

/// A publisher who looks on.
struct Watch<'a> {
    ada: Clients,
    submission: String,
    token: String,
    sightings: &'a Sightings,
}

impl Watch<'_> {
    async fn until(&mut self, wanted: SubmissionState) -> anyhow::Result<()> {
        let id = self
            .submission
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .parse()?;
        let watch = WatchSubmissionRequest {
            name: self.submission.clone(),
            resume_token: self.token.clone(),
        };
        let mut stream = self
            .ada
            .publishing
            .watch_submission(watch)
            .await?
            .into_inner();
        while let Some(news) = stream.message().await? {
            self.sightings
                .add(id, news.transitions.iter().map(|moved| moved.transition));
            self.token = news.resume_token;
            let now = news.submission.context("no submission")?;
            if now.state() == wanted {
                return Ok(());
            }
            if now.state() == SubmissionState::Failed {
                bail!("{} failed: {}", self.submission, now.failure_reason);
            }
        }
        bail!(
            "the watch of {} ended before {}",
            self.submission,
            wanted.as_str_name()
        )
    }
}

/// What Postgres was asked meanwhile, by pg_stat_statements.
struct Statements<'a>(Option<&'a Path>);

impl<'a> Statements<'a> {
    async fn begin(market: &Marketplace, file: Option<&'a Path>) -> anyhow::Result<Self> {
        if file.is_some() {
            let mut db = market.servers.database.superuser().await?;
            sqlx::raw_sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT pg_stat_statements_reset()").execute(&mut db).await?;
        }
        Ok(Self(file))
    }

    /// The costliest, with calls and milliseconds per flow.
    async fn end(self, market: &Marketplace, flows: usize) -> anyhow::Result<()> {
        let Some(file) = self.0 else { return Ok(()) };
        let mut db = market.servers.database.superuser().await?;
        let rows: Vec<(i64, f64, f64, String)> = sqlx::query_as(
            "SELECT calls, total_exec_time + total_plan_time, total_plan_time,
               userid::regrole || ': ' || regexp_replace(query, '\\s+', ' ', 'g')
             FROM pg_stat_statements ORDER BY 2 DESC LIMIT 60",
        )
        .fetch_all(&mut db)
        .await?;
        let each = |number: f64| number / flows as f64;
        let lines = rows.iter().map(|(calls, time, planning, query)| {
            format!(
                "{:8.2} calls {:8.3} ms ({:.3} planning)  {query}\n",
                each(*calls as f64),
                each(*time),
                each(*planning),
            )
        });
        std::fs::write(file, lines.collect::<String>())?;
        Ok(())
    }
}
