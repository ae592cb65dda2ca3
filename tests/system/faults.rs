//! Processes killed, broker and database away: every submission still arrives, nothing is lost or doubled.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use marketplace_proto::publishing::v1::{Step, StepState, SubmissionState};
use system_tests::drafts::{container, saas_free_trial, saas_sold};
use system_tests::{
    HttpsServer, Mailbox, Marketplace, Options, PrivateServers, Proxy, patiently, until,
};

/// A submission has arrived where it waits for somebody, or at its end, this long after the service is there again (PL-6).
const RECOVERY: Duration = Duration::from_secs(10);

#[tokio::test]
async fn offer_catalog_killed_at_every_step() -> anyhow::Result<()> {
    Box::pin(killed_at_every_step("offer-catalog")).await
}

#[tokio::test]
async fn certification_killed_at_every_step() -> anyhow::Result<()> {
    Box::pin(killed_at_every_step("certification")).await
}

#[tokio::test]
async fn publishing_pipeline_killed_at_every_step() -> anyhow::Result<()> {
    Box::pin(killed_at_every_step("publishing-pipeline")).await
}

#[tokio::test]
async fn history_killed_at_every_step() -> anyhow::Result<()> {
    Box::pin(killed_at_every_step("history")).await
}

#[tokio::test]
async fn notification_killed_at_every_step() -> anyhow::Result<()> {
    Box::pin(killed_at_every_step("notification")).await
}

/// PL-6: SIGKILL of one service each time that another step has begun, while it waits for people as well.
/// What is left is what an undisturbed flow leaves.
async fn killed_at_every_step(service: &str) -> anyhow::Result<()> {
    let mailbox = Mailbox::start(Duration::ZERO).await?;
    let crm = HttpsServer::start().await?;
    let mut environment = crm.trusted();
    environment.push(("SMTP_URL", mailbox.url()));
    let mut market = Marketplace::twice_with(Options {
        environment,
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    market.prove_address("ada", || mailbox.mails()).await?;
    let mut gate = Gate::build(&market).await?;
    let (mut mails, mut kills) = (0, 0);
    for (kind, draft) in [("container", container()), ("saas", saas_sold(&crm.url))] {
        let (calm, _) = market
            .publish_live("contoso", &format!("calm-{kind}"), draft.clone())
            .await?;
        market.everybody_told().await?;
        let undisturbed = market.records(&calm).await?;
        let offer = market
            .draft("contoso", &format!("killed-{kind}"), draft)
            .await?;
        kills += storm(&mut market, &mut gate, service, &offer).await?;
        market.everybody_told().await?;
        assert_eq!(market.records(&offer).await?, undisturbed);
        mails += 6; // submitted, preview, live: of both
    }
    let sent = mailbox.mails()?;
    let repeats = repeats(&sent)?;
    assert_eq!(sent.len() - repeats, mails + 1, "and the one with the code");
    let may_repeat = if service == "notification" { kills } else { 0 };
    assert!(repeats <= may_repeat, "{repeats} repeats, {kills} kills");
    market.stop().await
}

/// A submission from Publish to Live, with a service killed in every step that lasts (some end in the transaction that
/// begins them); answers how often that was.
async fn storm(
    market: &mut Marketplace,
    gate: &mut Gate,
    service: &str,
    offer: &str,
) -> anyhow::Result<usize> {
    let mut revision = 1;
    gate.close_after(Some(revision)).await?;
    let submission = market.publish(offer).await?;
    let (mut killed, mut decided) = (Vec::new(), false);
    loop {
        let now = market.submission(&submission).await?;
        if now.state() == SubmissionState::Live {
            gate.close_after(None).await?;
            let missed = now.steps.iter().filter(|step| !killed.contains(&step.id));
            for step in missed {
                let at_once = step.start_time == step.end_time;
                ensure!(at_once, "was not killed in {step:?}, only in {killed:?}");
            }
            return Ok(killed.len());
        }
        let begun = now
            .steps
            .iter()
            .rfind(|step| step.state() != StepState::NotStarted);
        let step = begun.context("no step has begun")?.id.clone();
        if killed.last() != Some(&step) {
            killed.push(step);
            market.kill(service).await?;
            market.restart(service).await?;
        }
        let since = Instant::now();
        revision += 1;
        gate.close_after(Some(revision)).await?;
        loop {
            // Read before the revision: what it says has not been acted upon yet.
            let now = market.submission(&submission).await?;
            if market.publication(offer).await?.revision >= revision {
                break;
            }
            let reviewer = |step: &Step| step.state() == StepState::WaitingForApproval;
            if now.state() == SubmissionState::AwaitingSignOff {
                market.asked_to_review(&submission).await?;
                market.go_live(&submission).await?;
            } else if !decided && now.steps.iter().any(reviewer) {
                market.decide(&submission).await?;
                decided = true;
            }
            let stuck = since.elapsed() > RECOVERY;
            ensure!(!stuck, "{RECOVERY:?} after the restart: {now:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Lets the publications of a marketplace come to a revision and no further, as a database does that is busy: so a step
/// lasts for as long as a test wants.
struct Gate(sqlx::PgConnection);

impl Gate {
    async fn build(market: &Marketplace) -> anyhow::Result<Gate> {
        let mut db = market.servers.database.superuser().await?;
        let gate = "CREATE TABLE publishing.gate (closed_after bigint);
            INSERT INTO publishing.gate VALUES (NULL);
            CREATE FUNCTION publishing.pass() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
              BEGIN
                IF NEW.revision > (SELECT closed_after FROM publishing.gate) THEN RAISE serialization_failure; END IF;
                RETURN NEW;
              END $$;
            CREATE TRIGGER gate BEFORE UPDATE ON publishing.publications FOR EACH ROW EXECUTE FUNCTION publishing.pass()";
        sqlx::raw_sql(gate).execute(&mut db).await?;
        Ok(Gate(db))
    }

    /// `None`: open.
    async fn close_after(&mut self, revision: Option<u64>) -> anyhow::Result<()> {
        sqlx::query("UPDATE publishing.gate SET closed_after = $1")
            .bind(revision.map(u64::cast_signed))
            .execute(&mut self.0)
            .await?;
        Ok(())
    }
}

/// A mail whose sender dies before it has heard the answer is sent again, as it was to the byte. So may the
/// other of the two that have been written by then.
#[tokio::test]
async fn a_mail_is_repeated_to_the_byte_when_its_sender_is_killed() -> anyhow::Result<()> {
    let mailbox = Mailbox::start(Duration::from_secs(2)).await?;
    let mut market = Marketplace::twice_with(Options {
        environment: vec![("SMTP_URL", mailbox.url())],
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    market.prove_address("ada", || mailbox.mails()).await?;
    let before = mailbox.mails()?.len();
    let offer = market.draft("contoso", "forge", container()).await?;
    market.publish(&offer).await?;
    until("the server has the mail", async || {
        Ok((mailbox.mails()?.len() > before).then_some(()))
    })
    .await?;
    market.kill("notification").await?;
    market.restart("notification").await?;
    let mails = patiently(
        Duration::from_secs(60),
        "the mail comes again",
        async || {
            let mails = mailbox.mails()?;
            Ok((mails.len() > before + 1).then_some(mails))
        },
    )
    .await?;
    let repeats = repeats(&mails)?;
    assert!((1..=2).contains(&repeats), "{repeats}: {mails:?}");
    market.stop().await
}

/// How many of the mails have come before; fails if one is another than it was then.
pub(super) fn repeats(mails: &[String]) -> anyhow::Result<usize> {
    let mut by_id: BTreeMap<&str, &str> = BTreeMap::new();
    for mail in mails {
        let id = mail.lines().find(|line| line.starts_with("Message-ID:"));
        let same = by_id
            .entry(id.context("a mail without an id")?)
            .or_insert(mail);
        ensure!(same == mail, "a repeat is byte-identical: {same} {mail}");
    }
    Ok(mails.len() - by_id.len())
}

/// Broker and database, both really, go away in the middle of flows and come back.
#[tokio::test]
async fn a_broker_and_a_database_that_go_away_only_delay() -> anyhow::Result<()> {
    let outage = Duration::from_secs(if std::env::var_os("LONG").is_some() {
        60
    } else {
        5
    });
    let private = PrivateServers::start()?;
    let market = Marketplace::start_with(Options {
        servers: Some(private.servers().await?),
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    let first = market.draft("contoso", "first", container()).await?;
    let of_first = market.publish(&first).await?;
    market.case_of(&of_first).await?;

    private.stop_broker()?;
    // Commands are taken without it.
    market.decide(&of_first).await?;
    let second = market.draft("contoso", "second", container()).await?;
    let of_second = market.publish(&second).await?;
    tokio::time::sleep(outage).await;
    private.start_broker()?;
    // What rita decided while the broker was away comes through; then the publisher's turn.
    market
        .until_state(&of_first, SubmissionState::AwaitingSignOff)
        .await?;

    for _ in 0..2 {
        private.crash_postgres()?;
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    for submission in [&of_first, &of_second] {
        // Clients are told UNAVAILABLE for a moment, and try again.
        until("everybody gets through", async || {
            Ok(market.finish(submission).await.ok())
        })
        .await?;
    }
    let (undisturbed, _) = market.publish_live("contoso", "third", container()).await?;
    market.everybody_told().await?;
    let wanted = market.records(&undisturbed).await?;
    for offer in [&first, &second] {
        assert_eq!(market.records(offer).await?, wanted);
    }
    market.stop().await
}

/// Services start, say that they serve and take commands without a broker.
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
    let offer = market.draft("contoso", "forge", saas_free_trial()).await?;
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
