//! What becomes of steps: our own outcomes and neighbours' answers alike, as many offers as there are in one go; and
//! what is due.

use std::collections::BTreeSet;

use marketplace_messaging::Work;
use time::OffsetDateTime;
use tracing::Span;
use uuid::Uuid;

use super::conclude;
use crate::domain::Offering;
use crate::error::Error;
use crate::steps::{Outcome, Steps};
use crate::store;

/// Applies outcomes in order. Late is normal: an outcome whose attempt is over is recorded as discarded, and nothing
/// else happens.
pub async fn outcomes(
    work: &mut Work,
    steps: &Steps,
    outcomes: &[Outcome],
    at: OffsetDateTime,
) -> Result<(), Error> {
    let offers: BTreeSet<Uuid> = outcomes.iter().map(|outcome| outcome.offer_uid).collect();
    let offers: Vec<Uuid> = offers.into_iter().collect();
    let locked = store::lock_offers(work, &offers).await?;
    let mut offerings: Vec<(Offering, Span)> = locked
        .into_iter()
        .map(|one| (one, Span::current()))
        .collect();
    for outcome in outcomes {
        let uid = outcome.offer_uid;
        let found = offerings
            .iter_mut()
            .find(|(one, _)| one.publication().offer_uid == uid);
        let applied = match found {
            Some((offering, span)) => {
                *span = outcome.span.clone();
                apply(offering, steps, outcome, at)?
            }
            None => false,
        };
        if !applied {
            let step = outcome
                .step
                .map_or(crate::domain::STOP_DISTRIBUTION, |step| step.as_str());
            let name = outcome.answer.name();
            tracing::debug!(submission.id = %outcome.submission, step, outcome.attempt, name, "a late outcome");
            store::note_discarded(work, outcome.submission, step, outcome.attempt, name, at)
                .await?;
        }
    }
    conclude(work, steps, &mut offerings, at).await
}

fn apply(
    offering: &mut Offering,
    steps: &Steps,
    outcome: &Outcome,
    at: OffsetDateTime,
) -> Result<bool, Error> {
    let moment = offering.moment(steps.moment(at));
    match outcome.step {
        Some(step) => Ok(offering.answer(
            outcome.submission,
            step,
            outcome.attempt,
            outcome.answer.clone(),
            moment,
        )?),
        None => Ok(offering.removed(outcome.submission, outcome.attempt, moment)),
    }
}

/// Does what is due of these offers.
pub async fn sweep(
    work: &mut Work,
    steps: &Steps,
    due: &[store::Due],
    at: OffsetDateTime,
) -> Result<(), Error> {
    let mut offers: Vec<Uuid> = due.iter().map(|due| due.offer_uid).collect();
    offers.sort();
    let locked = store::lock_offers(work, &offers).await?;
    let mut offerings: Vec<(Offering, Span)> = locked
        .into_iter()
        .map(|one| (one, Span::current()))
        .collect();
    for (offering, _) in &mut offerings {
        let uid = offering.publication().offer_uid;
        let found = due.iter().find(|due| due.offer_uid == uid);
        // Whoever held it may have come back since it was found: its lease is looked at, not the step.
        let orphaned =
            found.is_some_and(|due| due.orphaned) && holder(offering) != Some(steps.id());
        let moment = offering.moment(steps.moment(at));
        offering.sweep(orphaned, moment)?;
    }
    conclude(work, steps, &mut offerings, at).await
}

fn holder(offering: &Offering) -> Option<Uuid> {
    offering
        .publication()
        .in_flight
        .and_then(|id| offering.submission(id))
        .and_then(|submission| submission.holder)
}

/// A scheduled go live has come (T40). `permitted`: whether the scheduler may still publish; `None`: it can't be asked
/// now.
pub async fn scheduled(
    work: &mut Work,
    steps: &Steps,
    offer: Uuid,
    permitted: Option<bool>,
    at: OffsetDateTime,
) -> Result<(), Error> {
    let locked = store::lock_offers(work, &[offer]).await?;
    let mut offerings: Vec<(Offering, Span)> = locked
        .into_iter()
        .map(|one| (one, Span::current()))
        .collect();
    for (offering, _) in &mut offerings {
        let moment = offering.moment(steps.moment(at));
        match permitted {
            Some(permitted) => offering.scheduled_go_live(permitted, moment)?,
            None => offering.delay_schedule(moment),
        }
    }
    conclude(work, steps, &mut offerings, at).await
}
