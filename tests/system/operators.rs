//! What the marketplace's own people do: correct what the platform failed at, act by a publisher's leave, apply again
//! what a service had given up.

use anyhow::Context;
use marketplace_proto::history::v1::InitiatorKind;
use marketplace_proto::messaging::v1::{
    DiscardDeadLetterRequest, GetDeadLetterRequest, ListDeadLettersRequest, ReplayDeadLetterRequest,
};
use marketplace_proto::offercatalog::v1::GrantOperatorRequest;
use marketplace_proto::publishing::v1::*;
use sqlx::Executor;
use system_tests::{Clients, Marketplace, Options, drafts, until};
use tonic::{Code, Status};

/// AS-128, AS-129, RO-7, A2: without a grant an operator may correct what the platform failed at, and nothing else.
#[tokio::test]
async fn without_a_grant_operators_only_correct_the_platforms_errors() -> anyhow::Result<()> {
    let mut market = Marketplace::twice_with(Options {
        environment: vec![
            ("ORDER_RESEND", "300ms".into()),
            ("INCIDENT_AFTER", "2s".into()),
        ],
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    let mut oscar = market.staff("oscar", "operator");
    let offer = market
        .draft("contoso", "forge", drafts::container())
        .await?;
    let submission = market.publish(&offer).await?;
    market.case_of(&submission).await?;
    refused(
        oscar
            .operators
            .withdraw_preview(withdraw(&submission))
            .await,
    )?;
    refused(cancel(&mut oscar, &submission).await)?;

    // Certification is away: what it was asked for is the platform's failure.
    market.kill("certification").await?;
    let other = market
        .draft("contoso", "other", drafts::container())
        .await?;
    let stuck = market.publish(&other).await?;
    let (incident, step) = until("an incident is open", async || {
        let list = ListIncidentsRequest::default();
        let open = oscar.operators.list_incidents(list).await?.into_inner();
        let mine = open.incidents.into_iter().find(|i| i.submission == stuck);
        let submission = market.submission(&stuck).await?;
        let blocked = submission
            .steps
            .into_iter()
            .find(|step| step.state() == StepState::Blocked);
        Ok(mine.zip(blocked))
    })
    .await?;
    assert_eq!((&incident.offer, &incident.step), (&other, &step.id));
    let fail = FailStepRequest {
        submission: stuck.clone(),
        step: step.id.clone(),
        reason: "The certification service is away for maintenance.".into(),
        ..Default::default()
    };
    let retry = RetryStepRequest {
        submission: stuck.clone(),
        step: step.id.clone(),
        reason: "again".into(),
        ..Default::default()
    };
    for person in ["ada", "max", "stranger"] {
        let mut person = market.person(person);
        refused(person.operators.retry_step(retry.clone()).await)?;
        refused(person.operators.fail_step(fail.clone()).await)?;
    }
    let without = RetryStepRequest {
        reason: String::new(),
        ..retry.clone()
    };
    let said = oscar.operators.retry_step(without).await.map(drop);
    assert_eq!(said.map_err(|s| s.code()), Err(Code::InvalidArgument));
    oscar.operators.retry_step(retry).await?;
    until("it is blocked again", async || {
        let steps = market.submission(&stuck).await?.steps;
        Ok(steps
            .iter()
            .any(|step| step.state() == StepState::Blocked)
            .then_some(()))
    })
    .await?;
    let failed = oscar.operators.fail_step(fail).await?.into_inner();
    let failed = failed.submission.context("no submission")?;
    assert_eq!(failed.state(), SubmissionState::Failed);
    assert_eq!(failed.fault(), StepFault::Platform);
    // Nobody published for the publisher on the ground of an incident.
    let publish = market.publish_request(&other).await?;
    refused(oscar.publishing.publish_offer(publish).await)?;

    market.restart("certification").await?;
    market.finish(&submission).await?;
    let again = market.publish(&other).await?;
    market.finish(&again).await?;
    let list = ListIncidentsRequest::default();
    let open = oscar.operators.list_incidents(list).await?.into_inner();
    assert!(open.incidents.is_empty(), "{:?}", open.incidents);
    market.stop().await
}

/// AS-128, RO-7, IB-2: with a grant they act, and the history says that the operator did.
#[tokio::test]
async fn with_a_grant_operators_act_and_are_shown_by_their_brand() -> anyhow::Result<()> {
    let market = Marketplace::twice_with(Options {
        environment: vec![("OPERATOR_NAME", "Contoso Marketplace".into())],
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    let mut oscar = market.staff("oscar", "operator");
    let offer = market
        .draft("contoso", "forge", drafts::container())
        .await?;
    let submission = market.publish(&offer).await?;
    market.approve(&submission).await?;
    market
        .until_state(&submission, SubmissionState::AwaitingSignOff)
        .await?;
    refused(
        oscar
            .operators
            .withdraw_preview(withdraw(&submission))
            .await,
    )?;
    let grant = GrantOperatorRequest {
        parent: "publishers/contoso".into(),
        reason: "The preview shows a wrong price.".into(),
        ..Default::default()
    };
    market
        .person("ada")
        .publishers
        .grant_operator(grant)
        .await?;
    let withdrawn = oscar
        .operators
        .withdraw_preview(withdraw(&submission))
        .await?;
    let withdrawn = withdrawn.into_inner().submission.context("no submission")?;
    assert_eq!(withdrawn.state(), SubmissionState::Withdrawn);
    let publish = market.publish_request(&offer).await?;
    let again = oscar.publishing.publish_offer(publish).await?.into_inner();
    let again = again.submission.context("no submission")?.name;
    let by = until("the history knows", async || {
        let events = market.events(&offer).await?;
        let mut acts = events.into_iter().rev();
        let newest = acts.find(|event| event.label == "Submitted offer to preview");
        let by = newest.and_then(|event| event.initiator);
        Ok(by.filter(|by| by.kind() == InitiatorKind::Operator))
    })
    .await?;
    assert_eq!(by.display_name, "Contoso Marketplace");
    market.finish(&again).await?;

    // A SaaS offer is certified in its live leg: it can be taken out of it.
    let second = market
        .draft("contoso", "second", drafts::saas_free_trial())
        .await?;
    let live_leg = market.publish(&second).await?;
    market.asked_to_review(&live_leg).await?;
    market.go_live(&live_leg).await?;
    market.case_of(&live_leg).await?;
    cancel(&mut oscar, &live_leg).await?;
    market
        .until_state(&live_leg, SubmissionState::AwaitingSignOff)
        .await?;
    market.finish(&live_leg).await?;
    market.stop().await
}

/// A message that a service could not apply is kept with its reason, and is applied once when its cause is gone.
#[tokio::test]
async fn what_a_service_gave_up_is_applied_when_it_can_be() -> anyhow::Result<()> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let mut db = market.servers.database.superuser().await?;
    db.execute("ALTER TABLE history.rows ADD CONSTRAINT broken CHECK (false) NOT VALID")
        .await?;
    let offer = market
        .draft("contoso", "forge", drafts::saas_free_trial())
        .await?;
    let mut oscar = market.staff("oscar", "operator");
    let letters = &mut oscar.dead_letters[3];
    let dead = until("history has given up", async || {
        let list = ListDeadLettersRequest::default();
        let dead = letters.list_dead_letters(list).await?.into_inner();
        Ok(dead.dead_letters.into_iter().next())
    })
    .await?;
    assert!(dead.reason.contains("broken"), "{}", dead.reason);
    assert_eq!(dead.r#type, "offercatalog.v1.offer_created");
    let replay = ReplayDeadLetterRequest {
        id: dead.id.clone(),
        ..Default::default()
    };
    let still = letters.replay_dead_letter(replay.clone()).await.map(drop);
    assert_eq!(
        still.map_err(|status| status.code()),
        Err(Code::FailedPrecondition)
    );
    db.execute("ALTER TABLE history.rows DROP CONSTRAINT broken")
        .await?;
    letters.replay_dead_letter(replay.clone()).await?;
    assert_eq!(market.history(&offer).await?, ["Created offer"]);
    let get = GetDeadLetterRequest {
        id: dead.id.clone(),
    };
    let kept = letters.get_dead_letter(get).await?.into_inner().dead_letter;
    assert!(!kept.context("it is kept")?.payload.is_empty());
    let discard = DiscardDeadLetterRequest {
        id: dead.id,
        reason: "old".into(),
        ..Default::default()
    };
    for refused in [
        letters.replay_dead_letter(replay).await.map(drop),
        letters.discard_dead_letter(discard).await.map(drop),
    ] {
        let code = refused.map_err(|status| status.code());
        assert_eq!(code, Err(Code::FailedPrecondition), "it is done with");
    }
    assert_eq!(market.history(&offer).await?.len(), 1);
    market.stop().await
}

fn withdraw(submission: &str) -> WithdrawPreviewRequest {
    WithdrawPreviewRequest {
        submission: submission.into(),
        reason: "It shows a wrong price.".into(),
        ..Default::default()
    }
}

async fn cancel(oscar: &mut Clients, submission: &str) -> Result<(), Status> {
    let cancel = CancelLiveLegRequest {
        submission: submission.into(),
        reason: "The publisher asked by telephone.".into(),
        ..Default::default()
    };
    oscar.operators.cancel_live_leg(cancel).await.map(drop)
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> anyhow::Result<()> {
    let status = answer.err().context("it was allowed")?;
    anyhow::ensure!(status.code() == Code::PermissionDenied, "{status:?}");
    Ok(())
}
