//! Moves that somebody makes on an offer or on one of its submissions.

use marketplace_messaging::Work;
use marketplace_runtime::access::Scope;
use marketplace_runtime::ids::SubmissionName;
use time::OffsetDateTime;
use tracing::Span;
use uuid::Uuid;

use super::conclude;
use crate::domain::{Moment, Offering, Refusal};
use crate::error::Error;
use crate::steps::Steps;
use crate::store;

/// A move on an offer, which is locked.
pub async fn change_offer(
    work: &mut Work,
    steps: &Steps,
    mut offering: Offering,
    at: OffsetDateTime,
    change: impl FnOnce(&mut Offering, Moment<'_>) -> Result<(), Refusal>,
) -> Result<Offering, Error> {
    let moment = offering.moment(steps.moment(at));
    change(&mut offering, moment)?;
    conclude_one(work, steps, offering, at).await
}

/// A move on a submission. One that its publication doesn't refer to any more can't move; it is there or NOT_FOUND.
pub async fn change_submission(
    work: &mut Work,
    steps: &Steps,
    scope: &Scope,
    name: &SubmissionName,
    at: OffsetDateTime,
    change: impl FnOnce(&mut Offering, Moment<'_>) -> Result<(), Refusal>,
) -> Result<Offering, Error> {
    let id: Uuid = name.id("submission")?;
    let missing = || Error::NotFound {
        kind: "Submission",
        name: name.to_string(),
    };
    let mut offering = store::lock_name(work, scope, &name.offer)
        .await?
        .ok_or_else(missing)?;
    if offering.submission(id).is_none() {
        // An older one, which no move is about: its state is read so that the refusal can name it.
        let (publication, older) = store::find_submission(work, scope, &name.offer, id)
            .await?
            .ok_or_else(missing)?;
        let mut submissions = offering.submissions().to_vec();
        submissions.push(older);
        offering = Offering::new(publication, submissions);
    }
    let moment = offering.moment(steps.moment(at));
    change(&mut offering, moment)?;
    conclude_one(work, steps, offering, at).await
}

pub(super) async fn conclude_one(
    work: &mut Work,
    steps: &Steps,
    offering: Offering,
    at: OffsetDateTime,
) -> Result<Offering, Error> {
    let mut one = [(offering, Span::current())];
    conclude(work, steps, &mut one, at).await?;
    let [(offering, _)] = one;
    Ok(offering)
}
