//! What reviewers do with a case.

use marketplace_messaging::Work;
use marketplace_runtime::{access::Scope, ids};
use time::OffsetDateTime;
use uuid::Uuid;

use super::checking;
use crate::{
    domain::{Case, CheckResult, Decision, Finding, Ruling},
    error::Error,
    store,
};

#[derive(Debug, Clone)]
pub struct Claim {
    pub case: Uuid,
    pub at: OffsetDateTime,
}

#[derive(Debug, Clone)]
pub struct Release {
    pub case: Uuid,
    pub at: OffsetDateTime,
}

#[derive(Debug, Clone)]
pub struct Decide {
    pub case: Uuid,
    pub ruling: Ruling,
    pub at: OffsetDateTime,
}

#[derive(Debug, Clone)]
pub struct Approve {
    pub case: Uuid,
    pub notes: String,
    pub pass_pending_checks: bool,
    pub at: OffsetDateTime,
}

#[derive(Debug, Clone)]
pub struct Reject {
    pub case: Uuid,
    pub notes: String,
    pub findings: Vec<Finding>,
    pub at: OffsetDateTime,
}

/// Takes a case for 30 minutes, or renews the claim.
pub async fn claim(db: &mut Work, scope: &Scope, command: Claim) -> Result<Case, Error> {
    let mut case = lock(db, scope, command.case).await?;
    case.claim(scope.principal(), command.at)?;
    store::save_case(db, &mut case).await?;
    Ok(case)
}

/// Gives a case back to the queue; what was decided stays.
pub async fn release(db: &mut Work, scope: &Scope, command: Release) -> Result<Case, Error> {
    let mut case = lock(db, scope, command.case).await?;
    case.release(scope.principal(), command.at)?;
    store::save_case(db, &mut case).await?;
    Ok(case)
}

/// Records the outcome of a manual check, or overrides an automatic one (CE-4).
pub async fn decide(db: &mut Work, scope: &Scope, command: Decide) -> Result<Case, Error> {
    let mut case = lock(db, scope, command.case).await?;
    let decision = case.decide(scope.principal(), command.ruling, command.at)?;
    save(db, scope, &mut case, &decision, command.at).await?;
    Ok(case)
}

/// Passes a case and answers the pipeline.
pub async fn approve(db: &mut Work, scope: &Scope, command: Approve) -> Result<Case, Error> {
    let mut case = lock(db, scope, command.case).await?;
    let (ended, decision) = case.approve(
        scope.principal(),
        &command.notes,
        command.pass_pending_checks,
        command.at,
    )?;
    save(db, scope, &mut case, &decision, command.at).await?;
    checking::end(db, &case, &ended, command.at).await?;
    Ok(case)
}

/// Fails a case, stores its report, and answers the pipeline.
pub async fn reject(db: &mut Work, scope: &Scope, command: Reject) -> Result<Case, Error> {
    let mut case = lock(db, scope, command.case).await?;
    let (ended, decision) = case.reject(
        scope.principal(),
        &command.notes,
        command.findings,
        command.at,
    )?;
    save(db, scope, &mut case, &decision, command.at).await?;
    checking::end(db, &case, &ended, command.at).await?;
    Ok(case)
}

/// The claim's time is over: the case goes back to the queue. One that was renewed or decided meanwhile stays.
pub async fn expire_claim(
    db: &mut Work,
    scope: &Scope,
    case: Uuid,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let mut case = lock(db, scope, case).await?;
    if case.claim_until.is_some_and(|until| until <= now) {
        case.expire_claim()?;
        store::save_case(db, &mut case).await?;
    }
    Ok(())
}

async fn lock(db: &mut Work, scope: &Scope, case: Uuid) -> Result<Case, Error> {
    store::lock_case(db, scope, case)
        .await?
        .ok_or_else(|| Error::not_found("Case", format!("cases/{case}")))
}

/// Saves the case, the results that were decided now, and the decision.
async fn save(
    db: &mut Work,
    scope: &Scope,
    case: &mut Case,
    decision: &Decision,
    at: OffsetDateTime,
) -> Result<(), Error> {
    store::save_case(db, case).await?;
    let decided: Vec<&CheckResult> = case
        .results
        .iter()
        .filter(|result| result.decided_at == Some(at))
        .collect();
    if !decided.is_empty() {
        store::save_results(db, case.id, &decided).await?;
    }
    store::add_decision(db, ids::new_id(), case, scope.principal(), decision, at).await?;
    Ok(())
}
