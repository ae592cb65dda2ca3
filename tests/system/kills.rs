//! Kills at random: two replicas of every service, whose way to the broker returns, repeats and loses what it carries,
//! while submissions, batches and dry runs are under way. What is left is what calm flows leave.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use marketplace_proto::messaging::v1::ReplayEventsRequest;
use marketplace_proto::publishing::v1::*;
use prost_types::Timestamp;
use system_tests::drafts::{self, Draft};
use system_tests::{
    Chances, Child, HttpsServer, Mailbox, Marketplace, Options, Records, SERVICES, Unruly,
    patiently,
};
use tokio::sync::Mutex;

use crate::faults::repeats;

/// A submission has ended or waits for somebody this long after the last fault.
const RECOVERY: Duration = Duration::from_secs(10);
/// Submissions at a time, each with a kill at a step of its own.
const ROUND: usize = 10;
/// Mails that a process of notification sends at the same time.
const MAILS_UNDER_WAY: usize = 16;
/// Of ten deliveries one is returned or comes twice; of a hundred requests and answers one is gone.
const CHANCES: Chances = Chances {
    returned: 50,
    repeated: 50,
    lost: 10,
};

/// SM-1, PL-6: a random replica of a random service killed at a random step of each submission; 30, with LONG set 1,000.
#[tokio::test]
async fn kills_at_random_lose_nothing_and_double_nothing() -> anyhow::Result<()> {
    let long = std::env::var_os("LONG").is_some();
    let storm = Box::pin(Storm::start()).await?;
    let rounds = if long { 100 } else { 3 };
    for round in 0..rounds {
        Box::pin(storm.round(round))
            .await
            .with_context(|| format!("round {round}"))?;
    }
    let faults = Box::pin(storm.end(rounds * ROUND)).await?;
    println!("{faults}");
    Ok(())
}

/// A sort of offers, and what a calm flow of one leaves.
struct Sort {
    id: &'static str,
    draft: Draft,
    records: Records,
    /// The publication's last revision.
    revisions: u64,
    /// How many findings a dry run has.
    findings: usize,
}

/// One submission's part in a round.
struct Run<'a> {
    sort: &'a Sort,
    offer: String,
    number: usize,
}

struct Storm {
    market: Marketplace,
    children: Vec<Mutex<Child>>,
    unruly: Unruly,
    mailbox: Mailbox,
    crm: HttpsServer,
    sorts: Vec<Sort>,
    last_kill: std::sync::Mutex<Instant>,
    /// By process.
    kills: Vec<AtomicUsize>,
}

impl Storm {
    async fn start() -> anyhow::Result<Self> {
        let mailbox = Mailbox::start(Duration::ZERO).await?;
        let crm = HttpsServer::start().await?;
        let unruly = Unruly::to(&std::env::var("TEST_AMQP_URL")?).await?;
        let mut environment = crm.trusted();
        environment.push(("SMTP_URL", mailbox.url()));
        // An answer may be lost twice in a row, and after a reviewer's decision.
        environment.push(("ORDER_RESEND_MAX", "5s".into()));
        environment.push(("ORDER_RESEND_WAITING", "5s".into()));
        let mut market = Marketplace::twice_with(Options {
            environment,
            broker: Some(unruly.address),
            ..Options::default()
        })
        .await?;
        market.publisher("contoso").await?;
        market.prove_address("ada", || mailbox.mails()).await?;
        let mut sorts = Vec::new();
        for (id, draft) in [
            ("container", drafts::container()),
            ("sold", drafts::saas_sold(&crm.url)),
            ("contact", drafts::saas_contact_me(&crm.url)),
        ] {
            let calm = format!("calm-{id}");
            let (offer, _) = market.publish_live("contoso", &calm, draft.clone()).await?;
            let run = market.dry_run(dry(&offer)).await?;
            market.everybody_told().await?;
            sorts.push(Sort {
                id,
                draft,
                records: market.records(&offer).await?,
                revisions: market.publication(&offer).await?.revision,
                findings: run.findings.len(),
            });
        }
        let children: Vec<_> = market.children.drain(..).map(Mutex::new).collect();
        Ok(Self {
            kills: children.iter().map(|_| AtomicUsize::new(0)).collect(),
            children,
            market,
            unruly,
            mailbox,
            crm,
            sorts,
            last_kill: std::sync::Mutex::new(Instant::now()),
        })
    }

    /// Some submissions at once, half of them by a batch, each with a dry run beside it; then everything is as if nothing had
    /// happened.
    async fn round(&self, round: usize) -> anyhow::Result<()> {
        let from = Timestamp::from(std::time::SystemTime::now());
        let mut runs = Vec::new();
        for number in round * ROUND..(round + 1) * ROUND {
            let sort = &self.sorts[number % self.sorts.len()];
            let id = format!("{}-{number}", sort.id);
            let offer = self.market.draft("contoso", &id, sort.draft.clone());
            let offer = Box::pin(offer).await?;
            runs.push(Run {
                sort,
                offer,
                number,
            });
        }
        self.unruly.chances(CHANCES);
        let (batch, singly) = runs.split_at(ROUND / 2);
        let batch = self.batch(batch, round).await?;
        try_join_all(
            runs.iter()
                .map(|run| Box::pin(self.run(run, &batch, singly))),
        )
        .await?;
        self.unruly.chances(Chances::default());
        if self.unruly.mishaps().lost > 0 {
            self.replay(from).await?;
        }
        self.market.everybody_told().await?;
        for run in &runs {
            let left = self.market.records(&run.offer).await?;
            ensure!(left == run.sort.records, "{}: {left:?}", run.offer);
        }
        Ok(())
    }

    async fn batch(&self, runs: &[Run<'_>], round: usize) -> anyhow::Result<String> {
        let mut request = CreateBatchRequest {
            parent: "publishers/contoso".into(),
            request_id: format!("batch {round}"),
            ..Default::default()
        };
        for run in runs {
            let publish = self.market.publish_request(&run.offer).await?;
            request.items.push(BatchPublish {
                offer: publish.offer,
                etag: publish.etag,
                notes: publish.notes,
                ..Default::default()
            });
        }
        let mut ada = self.market.person("ada").publishing;
        let made = ada.create_batch(request).await?.into_inner().batch;
        Ok(made.context("no batch")?.name)
    }

    /// A submission from Publish to Live, with a process killed once it has come to some revision.
    async fn run(&self, run: &Run<'_>, batch: &str, singly: &[Run<'_>]) -> anyhow::Result<()> {
        let Run { sort, offer, .. } = run;
        let dry = insisting("a dry run", async || self.dry_run(run).await).await?;
        let by_batch = !singly.iter().any(|one| one.number == run.number);
        let submission = if by_batch {
            let told = async || self.told_by(batch, offer).await;
            insisting("the batch has submitted it", told).await?
        } else {
            insisting("it is published", async || self.publish(run).await).await?
        };
        let after = fastrand::u64(1..=sort.revisions);
        let mut victim = Some(fastrand::usize(..self.children.len()));
        let (mut acted, mut decided) = (Instant::now(), false);
        let mut seen = Submission::default();
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let quiet = acted.max(self.last_fault()).elapsed();
            ensure!(quiet < RECOVERY, "{RECOVERY:?} after all faults: {seen:?}");
            let now = self.market.submission(&submission).await;
            let publication = self.market.publication(offer).await;
            let (Ok(now), Ok(publication)) = (now, publication) else {
                continue;
            };
            seen = now;
            // A flow may come to its end in fewer revisions than the calm one did.
            let live = seen.state() == SubmissionState::Live;
            if let Some(victim) = victim.take_if(|_| live || publication.revision >= after) {
                self.kill(victim).await?;
            }
            let reviewer = |step: &Step| step.state() == StepState::WaitingForApproval;
            match seen.state() {
                SubmissionState::Live => break,
                SubmissionState::AwaitingSignOff => {
                    if soon(self.sign_off(&submission)).await {
                        acted = Instant::now();
                    }
                }
                SubmissionState::Running if !decided && seen.steps.iter().any(reviewer) => {
                    decided = Box::pin(soon(self.market.decide(&submission))).await;
                    if decided {
                        acted = Instant::now();
                    }
                }
                SubmissionState::Queued | SubmissionState::Running => {}
                _ => anyhow::bail!("it has become {seen:?}"),
            }
        }
        let ended = async || {
            let get = GetDryRunRequest { name: dry.clone() };
            let run = self
                .market
                .person("ada")
                .publishing
                .get_dry_run(get)
                .await?;
            let run = run.into_inner().dry_run.context("no dry run")?;
            ensure!(run.state() != DryRunState::Running, "it goes on: {run:?}");
            Ok(run)
        };
        let ended = insisting("the dry run has ended", ended).await?;
        ensure!(
            ended.state() == DryRunState::Done && ended.findings.len() == sort.findings,
            "{ended:?}"
        );
        Ok(())
    }

    async fn dry_run(&self, run: &Run<'_>) -> anyhow::Result<String> {
        let request = CreateDryRunRequest {
            request_id: format!("dry run {}", run.number),
            ..dry(&run.offer)
        };
        let mut ada = self.market.person("ada").publishing;
        let made = ada.create_dry_run(request).await?.into_inner().dry_run;
        Ok(made.context("no dry run")?.name)
    }

    async fn publish(&self, run: &Run<'_>) -> anyhow::Result<String> {
        let request = PublishOfferRequest {
            request_id: format!("publish {}", run.number),
            ..self.market.publish_request(&run.offer).await?
        };
        let mut ada = self.market.person("ada").publishing;
        let made = ada.publish_offer(request).await?.into_inner().submission;
        Ok(made.context("no submission")?.name)
    }

    async fn told_by(&self, batch: &str, offer: &str) -> anyhow::Result<String> {
        let get = GetBatchRequest {
            name: batch.into(),
            page_size: 100,
            ..Default::default()
        };
        let mut ada = self.market.person("ada").publishing;
        let items = ada.get_batch(get).await?.into_inner().items;
        let item = items.into_iter().find(|item| item.offer == offer);
        let item = item.context("not in the batch")?;
        ensure!(item.state() == BatchItemState::Submitted, "{item:?}");
        Ok(item.submission)
    }

    async fn sign_off(&self, submission: &str) -> anyhow::Result<()> {
        self.market.asked_to_review(submission).await?;
        self.market.go_live(submission).await
    }

    async fn kill(&self, process: usize) -> anyhow::Result<()> {
        let mut child = self.children[process].lock().await;
        child.kill().await?;
        child.restart()?;
        child.until_serving().await?;
        self.kills[process].fetch_add(1, Ordering::Relaxed);
        *self.last_kill.lock().expect("no panic holds it") = Instant::now();
        Ok(())
    }

    fn last_fault(&self) -> Instant {
        let last_kill = *self.last_kill.lock().expect("no panic holds it");
        last_kill.max(self.unruly.mishaps().last)
    }

    /// What was lost is announced again, long after it has been asked for again: nobody minds.
    async fn replay(&self, from: Timestamp) -> anyhow::Result<()> {
        let operator = self.market.staff("oscar", "operator");
        let asked = [
            ("publishing-pipeline", "offer-catalog"),
            ("publishing-pipeline", "certification"),
            ("offer-catalog", "publishing-pipeline"),
            ("certification", "publishing-pipeline"),
        ];
        for (teller, consumer) in asked {
            let teller = SERVICES.iter().position(|service| *service == teller);
            let mut events = operator.events[teller.context("one of the five")?].clone();
            let mut ask = ReplayEventsRequest {
                consumer: consumer.into(),
                from: Some(from),
                to: Some(std::time::SystemTime::now().into()),
                ..Default::default()
            };
            loop {
                let answer = events.replay_events(ask.clone()).await?.into_inner();
                ask.page_token = answer.next_page_token;
                if ask.page_token.is_empty() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Everybody was told once, or to the byte again by who was killed while telling. Answers what went wrong how often.
    async fn end(self, runs: usize) -> anyhow::Result<String> {
        let mut killed: BTreeMap<&str, usize> = BTreeMap::new();
        let mut market = self.market;
        for (child, kills) in self.children.into_iter().zip(self.kills) {
            let child = child.into_inner();
            *killed.entry(child.service).or_default() += kills.into_inner();
            market.children.push(child);
        }
        let mishaps = self.unruly.mishaps();
        ensure!(killed.values().sum::<usize>() == runs);
        ensure!(mishaps.returned > 0 && mishaps.repeated > 0);

        let mails = self.mailbox.mails()?;
        let repeats = repeats(&mails)?;
        // Submitted, preview, live of each; and the code.
        let wanted = 3 * (runs + self.sorts.len()) + 1;
        let sent = mails.len() - repeats;
        ensure!(sent == wanted, "{sent} mails, not {wanted}");
        // What a process had under way when it was killed comes again; not what had been noted.
        let may_repeat = (MAILS_UNDER_WAY * killed["notification"]).min(sent / 2);
        ensure!(
            repeats <= may_repeat,
            "{repeats} of {sent} mails came twice"
        );

        let leads = self.crm.received();
        let mut bodies: BTreeMap<&[u8], usize> = BTreeMap::new();
        for lead in &leads {
            *bodies.entry(&lead.body).or_default() += 1;
        }
        let with_leads = |number: &usize| self.sorts[number % self.sorts.len()].id != "container";
        // One in the preview leg, one in the live leg.
        let wanted = 2 * ((0..runs).filter(with_leads).count() + 2);
        ensure!(
            bodies.len() == wanted,
            "{} leads, not {wanted}",
            bodies.len()
        );
        let repeats = leads.len() - bodies.len();
        ensure!(
            repeats <= killed["publishing-pipeline"],
            "{repeats} leads came twice"
        );
        market.stop().await?;
        Ok(format!("killed {killed:?}; {mishaps:?}"))
    }
}

fn dry(offer: &str) -> CreateDryRunRequest {
    CreateDryRunRequest {
        offer: offer.into(),
        target: DryRunTarget::Live as i32,
        depth: DryRunDepth::Full as i32,
        notes: "Sign in with the account in the supporting document.".into(),
        ..Default::default()
    }
}

/// Whether it was done within a moment; who it was asked of may have been killed meanwhile.
async fn soon(act: impl Future<Output = anyhow::Result<()>>) -> bool {
    let done = tokio::time::timeout(Duration::from_secs(3), act).await;
    matches!(done, Ok(Ok(())))
}

/// Asks until it is answered well; what a batch is to publish waits for what comes before it.
async fn insisting<T>(
    what: &str,
    mut ask: impl AsyncFnMut() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut refusal = None;
    let patience = Duration::from_secs(120);
    let answer = patiently(patience, what, async || match ask().await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => {
            refusal = Some(error);
            Ok(None)
        }
    })
    .await;
    answer.with_context(|| format!("the last answer was {refusal:?}"))
}
