//! What the pipeline orders and calls off.

use marketplace_messaging::Work;
use marketplace_runtime::{access::Scope, ids, telemetry::Trace};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{JOBS, checking};
use crate::{
    domain::{Case, JobKind, Order, State},
    error::Error,
    outgoing, store,
};

/// An order: stored once. A repeat starts nothing new; one that is answered is answered again with the same, and one
/// that waits for a reviewer is told so again.
pub async fn order(db: &mut Work, order: Order, now: OffsetDateTime) -> Result<(), Error> {
    let standing = store::standing(db, &order.key, order.offer_uid).await?;
    if let Some((_, stored)) = standing.answer {
        db.tell(outgoing::answered(&order, &stored, now)?);
        return Ok(());
    }
    if let Some(case) = standing.waits_for {
        return still_waits(db, &order, case, now).await;
    }
    let called_off = standing
        .canceled_at
        .is_some_and(|at| at.unsigned_abs() > order.publication_revision);
    if standing.known || called_off {
        return Ok(());
    }
    match (order.kind, standing.case) {
        (JobKind::Validate, _) => {
            store::insert_job(db, &order, None, false, &Trace::current(), now).await?;
            db.wake(JOBS);
        }
        (JobKind::Certify, None) => {
            let case = ids::new_id();
            store::insert_case(db, case, &order, standing.next_number, now).await?;
            store::insert_job(db, &order, Some(case), false, &Trace::current(), now).await?;
            db.wake(JOBS);
        }
        (JobKind::Certify, Some(case)) => join(db, &order, case, now).await?,
    }
    Ok(())
}

/// Another attempt of a step whose case is there already: waits for its end with the first, or gets its answer now.
async fn join(db: &mut Work, order: &Order, case: Uuid, now: OffsetDateTime) -> Result<(), Error> {
    let scope = Scope::system(order.publisher.clone());
    let case = store::lock_case(db, &scope, case)
        .await?
        .ok_or_else(|| Error::not_found("Case", case.to_string()))?;
    store::insert_job(db, order, Some(case.id), true, &Trace::current(), now).await?;
    if let Some(ended) = case.ended() {
        return checking::answer(db, &case, &ended, now).await;
    }
    waits(db, order, &case, now);
    Ok(())
}

/// The pipeline may not have heard of it: without an answer it would take us for stuck, and the reviewer is still at it.
async fn still_waits(
    db: &mut Work,
    order: &Order,
    case: Uuid,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let scope = Scope::system(order.publisher.clone());
    let case = store::find_case(db, &scope, case)
        .await?
        .ok_or_else(|| Error::not_found("Case", case.to_string()))?;
    waits(db, order, &case, now);
    Ok(())
}

fn waits(db: &mut Work, order: &Order, case: &Case, now: OffsetDateTime) {
    if matches!(case.state, State::AwaitingReview | State::InReview) {
        let open = case.open_checks();
        db.tell(outgoing::certification_progressed(
            order, &order.key, case.id, open, now,
        ));
    }
}

/// The submission was called off: its open case is withdrawn and its orders aren't answered. A closed case stays
/// closed: late, not wrong; but no later attempt joins it (SM-3).
pub async fn withdraw(
    db: &mut Work,
    publisher: &str,
    submission: &str,
    at_revision: u64,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let scope = Scope::system(publisher);
    if let Some(open) = store::open_case(db, submission, at_revision).await?
        && let Some(mut case) = store::lock_case(db, &scope, open).await?
        && !case.state.is_final()
    {
        case.withdraw(now)?;
        store::save_case(db, &mut case).await?;
    }
    store::void_cases(db, submission, at_revision).await?;
    store::withdraw_jobs(db, submission, at_revision, now).await?;
    Ok(())
}
