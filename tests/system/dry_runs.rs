//! Dry runs: they say what a submission of the same draft then meets, change nothing, and survive who carries them out.

mod made;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use marketplace_proto::certification::v1::{Case, CheckMode, CheckOutcome, Finding};
use marketplace_proto::certification::v1::{GetCaseRequest, ListReviewQueueRequest};
use marketplace_proto::offercatalog::v1::*;
use marketplace_proto::publishing::v1::*;
use marketplace_runtime::status::reason;
use system_tests::{Answer, HttpsServer, Marketplace, Options, drafts, until};

use crate::files::steps::{ADA, apply, contoso, copied, samples};

fn full(offer: &str) -> CreateDryRunRequest {
    CreateDryRunRequest {
        offer: offer.into(),
        ..Default::default()
    }
}

fn step<'a>(run: &'a DryRun, id: &str) -> anyhow::Result<&'a DryRunStep> {
    let found = run.steps.iter().find(|step| step.id == id);
    found.with_context(|| format!("no step {id}"))
}

/// What the automatic checks of a case found, and which checks it leaves to a person.
fn said(case: &Case) -> (Vec<Finding>, BTreeSet<String>) {
    let found = case.checks.iter().flat_map(|check| check.findings.clone());
    let by_hand = case.checks.iter().filter(|check| {
        check.mode() == CheckMode::Manual && check.outcome() == CheckOutcome::Pending
    });
    (
        found.collect(),
        by_hand.map(|check| check.check.clone()).collect(),
    )
}

/// The same of a dry run.
fn foretold(run: &DryRun) -> (Vec<Finding>, BTreeSet<String>) {
    let by_hand = run.humans.iter().filter(|human| !human.check.is_empty());
    (
        run.findings.clone(),
        by_hand.map(|human| human.check.clone()).collect(),
    )
}

/// Steps and findings of a dry run of every sample are those of its submission; publishers get them from a shell.
#[tokio::test]
async fn a_dry_run_of_every_sample_says_what_its_submission_meets() -> anyhow::Result<()> {
    let crm = HttpsServer::start().await?;
    let mut environment = crm.trusted();
    environment.push(("LEADS_SALESFORCE_URL", format!("{}/salesforce", crm.url)));
    let market = contoso(Options {
        environment,
        ..Options::default()
    })
    .await?;
    let folder = market.folder.join("samples");
    copied(&samples(), &folder, &format!("{}/leads", crm.url))?;
    apply(&market, &folder).await?;
    let mut runs = BTreeMap::new();
    for sample in std::fs::read_dir(&folder)? {
        let sample = sample?;
        let id = sample.file_name().display().to_string();
        let (offer, notes) = (format!("contoso/{id}"), sample.path().display().to_string());
        let words = [&ADA[..], &["dry-run", &offer, "-f", &notes]].concat();
        let answer = market.marketctl_json(&words).await?;
        let run = answer.first().context("no answer")?["dry_run"].clone();
        let words = [&ADA[..], &["publish", &offer, "-f", &notes]].concat();
        market.marketctl_json(&words).await?;
        runs.insert(id, run);
    }
    assert!(crm.received().len() < 30, "only submissions send leads");
    for offer in ["contoso/grafana-hosted", "contoso/gitea-managed"] {
        let watch = [&ADA[..], &["watch", offer, "--until", "sign-off"]].concat();
        market.marketctl_json(&watch).await?;
        let go_live = [&ADA[..], &["go-live", offer, "--acknowledge-warnings"]].concat();
        market.marketctl_json(&go_live).await?;
    }
    let rita = market.staff("rita", "reviewer");
    let cases = until("all twelve wait for a review", async || {
        let all = ListReviewQueueRequest {
            page_size: 100,
            ..ListReviewQueueRequest::default()
        };
        let queue = rita.reviews.clone().list_review_queue(all).await?;
        let cases = queue.into_inner().cases;
        Ok((cases.len() == 12).then_some(cases))
    })
    .await?;
    let mut ada = market.person("ada@contoso");
    for case in cases {
        let id = case.offer.rsplit('/').next().unwrap_or_default();
        let name = runs[id]["name"].as_str().context("no name")?.to_owned();
        let get = GetDryRunRequest { name };
        let run = ada.publishing.get_dry_run(get).await?.into_inner().dry_run;
        let run = run.context("no dry run")?;
        let get = GetCaseRequest { name: case.name };
        let case = rita.certification.clone().get_case(get).await?.into_inner();
        let case = case.case.context("no case")?;
        assert_eq!(run.digest, case.digest, "{id}");
        assert_eq!(foretold(&run), said(&case), "{id}");
        assert!(!run.would_fail, "{id}: {run:#?}");
        let get = GetSubmissionRequest {
            name: case.submission,
        };
        let submission = ada.publishing.get_submission(get).await?.into_inner();
        let submission = submission.submission.context("no submission")?;
        let plan = run.steps.iter().map(|one| (&one.id, &one.expected));
        let steps = submission.steps.iter().map(|one| (&one.id, &one.expected));
        assert!(plan.eq(steps), "{id}");
    }
    market.stop().await
}

/// Offers with flaws of every kind: what a dry run found is what validation and certification then find, each finding by
/// each. 200 of them with LONG set.
#[tokio::test]
async fn a_dry_run_finds_what_a_submission_is_told() -> anyhow::Result<()> {
    let count = if std::env::var_os("LONG").is_some() {
        200
    } else {
        8
    };
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let (mut flawed, mut good, mut refusals) = (0, 0, 0);
    for number in 0..count {
        let draft = made::offer(number);
        let offer = market
            .draft("contoso", &format!("made-{number}"), draft)
            .await?;
        let request = market.publish_request(&offer).await?;
        let dry = CreateDryRunRequest {
            notes: request.notes.clone(),
            ..full(&offer)
        };
        let run = market.dry_run(dry).await?;
        assert_eq!(run.state(), DryRunState::Done, "{}", run.failure_reason);
        assert_eq!(run.draft_etag, request.etag);
        if let Some(refusal) = run.refusals.first() {
            let mut ada = market.person("ada").publishing;
            let refused = ada.publish_offer(request).await.unwrap_err();
            assert_eq!(reason(&refused), refusal.reason, "{:?}", run.violations);
            refusals += 1;
            continue;
        }
        let submission = market.publish(&offer).await?;
        let settled = || async {
            until("certification has looked", async || {
                let now = market.submission(&submission).await?;
                let waits = now.steps.iter().any(|one| {
                    one.id == "certification"
                        && matches!(
                            one.state(),
                            StepState::WaitingForApproval | StepState::Rejected
                        )
                });
                if now.state() == SubmissionState::AwaitingSignOff {
                    market.go_live(&submission).await?;
                }
                Ok(waits.then_some(now))
            })
            .await
        };
        let now = settled().await?;
        assert_eq!(run.digest, now.digest);
        if let Ok(validation) = step(&run, "offer-validation") {
            assert_eq!(validation.state(), DryRunStepState::Complete);
            assert_eq!(validation.errors, now.validation_warnings, "{run:#?}");
        }
        let rejected = now.state() == SubmissionState::Failed;
        let certification = step(&run, "certification")?.state();
        assert_eq!(certification == DryRunStepState::Rejected, rejected);
        assert_eq!(run.would_fail, rejected);
        let case = market.newest_case(&offer).await?;
        assert_eq!(foretold(&run), said(&case), "{offer}");
        if rejected {
            flawed += 1;
        } else {
            good += 1;
        }
    }
    let all = format!("{flawed} flawed, {good} good, {refusals} refused");
    assert!(flawed > 0 && good > 0 && refusals < count / 2, "{all}");
    market.stop().await
}

/// Incomplete pages are told in full, each depth leaves out what it doesn't reach, and the publisher's endpoints are
/// called only where that was asked for.
#[tokio::test]
async fn what_is_not_run_says_why_and_a_refusal_says_what_publish_would() -> anyhow::Result<()> {
    let crm = HttpsServer::start().await?;
    let market = Marketplace::twice_with(Options {
        environment: crm.trusted(),
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    let mut bare = drafts::saas_contact_me(&crm.url);
    bare.pages.truncate(1);
    let bare = market.draft("contoso", "bare", bare).await?;
    let run = market.dry_run(full(&bare)).await?;
    let review = ReviewOfferRequest {
        name: bare.clone(),
        page_size: 1_000,
        ..Default::default()
    };
    let mut ada = market.person("ada");
    let review = ada.offers.review_offer(review).await?.into_inner();
    let errors = review.issues.into_iter();
    let errors = errors.filter(|issue| issue.severity() == IssueSeverity::Error);
    assert_eq!(run.violations, errors.collect::<Vec<_>>());
    let reasons = |run: &DryRun| -> Vec<String> {
        let refusals = run.refusals.iter();
        refusals.map(|refusal| refusal.reason.clone()).collect()
    };
    assert_eq!(reasons(&run), ["PAGES_INCOMPLETE", "NOTES_REQUIRED"]);
    assert!(run.would_fail && run.findings.is_empty());
    let validation = step(&run, "offer-validation")?;
    assert_eq!(validation.not_run_reason(), NotRunReason::Refused);

    let draft = drafts::saas_contact_me(&crm.url);
    let offer = market.draft("contoso", "contact", draft).await?;
    let at = |depth: DryRunDepth, probe_endpoints| CreateDryRunRequest {
        depth: depth.into(),
        probe_endpoints,
        notes: "Sign in.".into(),
        ..full(&offer)
    };
    let schema = market.dry_run(at(DryRunDepth::Schema, false)).await?;
    let schema_only = schema.steps.iter();
    assert!(
        schema_only
            .map(DryRunStep::state)
            .all(|state| state == DryRunStepState::NotRun)
    );
    let rules = market.dry_run(at(DryRunDepth::Rules, false)).await?;
    let certification = step(&rules, "certification")?;
    assert_eq!(certification.state(), DryRunStepState::Complete);
    let left_out = certification.not_run_checks.iter();
    let left_out: Vec<&str> = left_out.map(|check| check.check.as_str()).collect();
    assert!(
        left_out.contains(&"CV-7") && left_out.contains(&"BE-1"),
        "{left_out:?}"
    );
    assert!(rules.humans.iter().any(|human| human.check == "CV-15-M"));
    let without = market.dry_run(at(DryRunDepth::Full, false)).await?;
    let leads = step(&without, "lead-management")?;
    assert_eq!(leads.not_run_reason(), NotRunReason::PublisherEndpoint);
    assert!(crm.received().is_empty(), "nobody asked for that");
    let probed = market.dry_run(at(DryRunDepth::Full, true)).await?;
    let leads = step(&probed, "lead-management")?;
    assert_eq!(
        leads.state(),
        DryRunStepState::Complete,
        "{}",
        leads.message
    );
    assert_eq!(crm.received().len(), 2, "in both legs");
    crm.script([
        Answer::status(500),
        Answer::status(500),
        Answer::status(500),
    ]);
    let refused = market.dry_run(at(DryRunDepth::Full, true)).await?;
    let leads = step(&refused, "lead-management")?;
    assert_eq!(
        leads.state(),
        DryRunStepState::Rejected,
        "{}",
        leads.message
    );
    assert!(refused.would_fail);
    // A preview is gone through up to its sign-off.
    let preview = CreateDryRunRequest {
        target: DryRunTarget::Preview.into(),
        ..at(DryRunDepth::Full, false)
    };
    let preview = market.dry_run(preview).await?;
    let last = preview.steps.last().context("no steps")?;
    assert_eq!(
        (last.id.as_str(), last.not_run_reason()),
        ("publisher-sign-off", NotRunReason::Person)
    );
    // Said by the shell's exit code as well.
    let bad = market
        .marketctl(&["--as", "ada", "dry-run", "contoso/bare"])
        .await?;
    assert_eq!(bad.code, Some(4), "{}{}", bad.out, bad.err);
    assert!(
        bad.out.contains("refused at once: PAGES_INCOMPLETE"),
        "{}",
        bad.out
    );
    // In flight, a publish would be refused, and everything is looked at all the same; one request is one dry run.
    market.publish(&offer).await?;
    let again = CreateDryRunRequest {
        request_id: "once".into(),
        ..at(DryRunDepth::Full, false)
    };
    let meant = CreateDryRunRequest {
        confirm: true,
        in_flight_policy: InFlightPolicy::Supersede.into(),
        ..at(DryRunDepth::Full, false)
    };
    let meant = market.dry_run(meant).await?;
    assert!(meant.confirm && meant.in_flight_policy() == InFlightPolicy::Supersede);
    assert_eq!(reasons(&meant), Vec::<String>::new());
    let run = market.dry_run(again.clone()).await?;
    let in_flight = ["SUBMISSION_IN_FLIGHT", "CONFIRMATION_REQUIRED"];
    assert!(
        reasons(&run)
            .iter()
            .all(|why| in_flight.contains(&why.as_str()))
    );
    assert_eq!(
        step(&run, "certification")?.state(),
        DryRunStepState::Complete
    );
    assert_eq!(market.dry_run(again).await?.name, run.name);
    let missing = full("publishers/contoso/offers/nothing");
    let refused = ada.publishing.create_dry_run(missing).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_FOUND");
    market.stop().await
}

/// Nothing is written anywhere but the dry run itself and what it looked at; nobody is told; the offer can be deleted. What
/// the platform can't look at in its time is a dry run that failed.
#[tokio::test]
async fn a_dry_run_changes_nothing() -> anyhow::Result<()> {
    let mut market = Marketplace::twice_with(Options {
        environment: vec![("DRY_RUN_DEADLINE", "3s".into())],
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "forge", drafts::container())
        .await?;
    market.everybody_told().await?;
    let before = rows(&market).await?;
    let run = market.dry_run(full(&offer)).await?;
    assert_eq!(run.state(), DryRunState::Done);
    assert_eq!(
        step(&run, "purchase-flow")?.state(),
        DryRunStepState::Complete
    );
    market.everybody_told().await?;
    let changed: Vec<_> = rows(&market)
        .await?
        .into_iter()
        .filter(|(table, count)| before.get(table) != Some(count))
        .collect();
    let expected = [
        ("offer_catalog.snapshots".to_owned(), 1),
        ("publishing.dry_runs".to_owned(), 1),
    ];
    assert_eq!(changed, expected);
    assert!(market.mails()?.is_empty());
    assert_eq!(market.publication(&offer).await?.revision, 0);
    let mut ada = market.person("ada");
    // It is no version of the offer: nothing compares with it, nothing goes back to it.
    let snapshot = format!("{offer}/snapshots/{}", run.digest);
    let compare = CompareOfferRequest {
        name: offer.clone(),
        from: snapshot.clone(),
        ..Default::default()
    };
    let refused = ada.offers.compare_offer(compare).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_FOUND");
    let tree = GetOfferTreeRequest {
        name: offer.clone(),
        version: snapshot.clone(),
    };
    let refused = ada.offers.get_offer_tree(tree).await;
    assert_eq!(reason(&refused.map(drop).unwrap_err()), "NOT_FOUND");
    let rollback = PublishOfferRequest {
        offer: offer.clone(),
        source: snapshot,
        notes: "Run it.".into(),
        ..Default::default()
    };
    let refused = ada.publishing.publish_offer(rollback).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_FOUND");

    market.kill("certification").await?;
    let failed = market.dry_run(full(&offer)).await?;
    assert_eq!(failed.state(), DryRunState::Failed);
    let said = &failed.failure_reason;
    // Refused, or waited for until the end.
    let told = [
        "certification is not available",
        "Certification could not be looked at in time",
    ];
    assert!(told.contains(&said.as_str()), "{said}");
    let unfinished = step(&failed, "certification")?;
    assert_eq!(unfinished.not_run_reason(), NotRunReason::Ended);
    market.restart("certification").await?;
    let get = GetOfferRequest {
        name: offer.clone(),
        ..Default::default()
    };
    let etag = ada.offers.get_offer(get).await?.into_inner().offer;
    let delete = DeleteOfferRequest {
        name: offer.clone(),
        etag: etag.context("no offer")?.etag,
        ..Default::default()
    };
    ada.offers.delete_offer(delete).await?;
    market.stop().await
}

/// How many rows every table has.
async fn rows(market: &Marketplace) -> anyhow::Result<BTreeMap<String, i64>> {
    let count = "SELECT table_schema || '.' || table_name,
          (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I.%I', table_schema, table_name), false, true, '')))[1]::text::bigint
        FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')";
    let mut db = market.servers.database.superuser().await?;
    let rows: Vec<(String, i64)> = sqlx::query_as(count).fetch_all(&mut db).await?;
    Ok(rows.into_iter().collect())
}

/// Certification and the pipeline die in the middle; whoever is left, or is back, goes on to the end. A cancel ends it at
/// once, and whoever watches sees every change until then.
#[tokio::test]
async fn a_dry_run_outlives_who_carries_it_out() -> anyhow::Result<()> {
    let mut market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "forge", drafts::container())
        .await?;
    market.kill("certification").await?;
    let mut ada = market.person("ada").publishing;
    let made = async |ada: &mut marketplace_proto::publishing::v1::publishing_service_client::PublishingServiceClient<_>| {
        let created = ada.create_dry_run(full(&offer)).await?.into_inner();
        anyhow::Ok(created.dry_run.context("no dry run")?.name)
    };
    let (canceled, survivor) = (made(&mut ada).await?, made(&mut ada).await?);
    let is_at = async |market: &Marketplace, name: &str| {
        let get = GetDryRunRequest { name: name.into() };
        until("certification is asked", async || {
            let mut ada = market.person("ada").publishing;
            let run = ada.get_dry_run(get.clone()).await?.into_inner().dry_run;
            let run = run.unwrap_or_default();
            let asked = step(&run, "certification").map(DryRunStep::state);
            Ok((asked.ok() == Some(DryRunStepState::InProgress)).then_some(()))
        })
        .await
    };
    is_at(&market, &canceled).await?;
    let watch = |name: &str| WatchDryRunRequest { name: name.into() };
    let mut watched = ada.watch_dry_run(watch(&canceled)).await?.into_inner();
    let cancel = CancelDryRunRequest {
        name: canceled,
        ..Default::default()
    };
    let answer = ada.cancel_dry_run(cancel.clone()).await?.into_inner();
    let answer = answer.dry_run.context("no dry run")?;
    assert_eq!(answer.state(), DryRunState::Canceled);
    let mut last = None;
    while let Some(message) = watched.message().await? {
        last = message.dry_run;
    }
    assert_eq!(last, Some(answer));
    let refused = ada.cancel_dry_run(cancel).await.unwrap_err();
    assert_eq!(reason(&refused), "ILLEGAL_MOVE");

    is_at(&market, &survivor).await?;
    market.kill("publishing-pipeline").await?;
    market.restart("publishing-pipeline").await?;
    market.restart("certification").await?;
    let mut ada = market.person("ada").publishing;
    let mut watched = ada.watch_dry_run(watch(&survivor)).await?.into_inner();
    let mut revision = 0;
    let mut state = DryRunState::Running;
    while let Some(message) = watched.message().await? {
        let run = message.dry_run.context("no dry run")?;
        assert!(run.revision > revision, "each message is news");
        (revision, state) = (run.revision, run.state());
    }
    assert_eq!(state, DryRunState::Done);
    market.stop().await
}
