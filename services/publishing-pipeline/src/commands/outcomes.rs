//! What becomes of steps: our own outcomes and neighbours' answers alike, as many offers as there are in one go; and
//! what is due.

use std::collections::BTreeSet;

use marketplace_messaging::Work;
use marketplace_runtime::telemetry;
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
    let offers = due.iter().map(|due| due.offer_uid).collect();
    uncalled(work, steps, offers, at, |offering| {
        let uid = offering.publication().offer_uid;
        let found = due.iter().find(|due| due.offer_uid == uid);
        // Of two processes that find it the second must not take it from the first; and whose lease ended late may be us.
        let orphaned = found
            .and_then(|due| due.orphan_of)
            .is_some_and(|dead| holder(offering) == Some(dead) && dead != steps.id());
        let moment = offering.moment(steps.moment(at));
        Ok(offering.sweep(orphaned, moment)?)
    })
    .await
}

/// Starts steps anew that this process holds by their rows and has nothing of: the answer to the commit that handed them
/// over was lost.
pub async fn hand_on(
    work: &mut Work,
    steps: &Steps,
    missing: &[store::Held],
    at: OffsetDateTime,
) -> Result<(), Error> {
    let offers = missing.iter().map(|held| held.offer_uid).collect();
    uncalled(work, steps, offers, at, |offering| {
        let uid = offering.publication().offer_uid;
        let moment = offering.moment(steps.moment(at));
        for held in missing.iter().filter(|held| held.offer_uid == uid) {
            offering.hand_on(held.submission, held.step, held.attempt, moment)?;
        }
        Ok(())
    })
    .await
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
    uncalled(work, steps, BTreeSet::from([offer]), at, |offering| {
        let moment = offering.moment(steps.moment(at));
        match permitted {
            Some(permitted) => offering.scheduled_go_live(permitted, moment)?,
            None => offering.delay_schedule(moment),
        }
        Ok(())
    })
    .await
}

/// Locks the offers, in order, does this to each, and concludes. Nobody calls for it: it goes on in the trace that
/// published what is on its way.
async fn uncalled(
    work: &mut Work,
    steps: &Steps,
    offers: BTreeSet<Uuid>,
    at: OffsetDateTime,
    act: impl Fn(&mut Offering) -> Result<(), Error>,
) -> Result<(), Error> {
    let offers: Vec<Uuid> = offers.into_iter().collect();
    let locked = store::lock_offers(work, &offers).await?;
    let mut offerings: Vec<(Offering, Span)> = Vec::new();
    for mut offering in locked {
        let span = publishing_span(&offering);
        act(&mut offering)?;
        offerings.push((offering, span));
    }
    conclude(work, steps, &mut offerings, at).await
}

fn publishing_span(offering: &Offering) -> Span {
    let publication = offering.publication();
    let span = tracing::info_span!("due", offer.id = %publication.offer_uid);
    let on_its_way = publication.in_flight.or(publication.awaiting_sign_off);
    if let Some(submission) = on_its_way.and_then(|id| offering.submission(id)) {
        let (parent, state) = (&submission.traceparent, &submission.tracestate);
        telemetry::adopt(&span, Some(parent), Some(state));
    }
    span
}

fn holder(offering: &Offering) -> Option<Uuid> {
    offering
        .publication()
        .in_flight
        .and_then(|id| offering.submission(id))
        .and_then(|submission| submission.holder)
}
