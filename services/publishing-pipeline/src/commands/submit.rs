//! Publish: the second transaction, after the content was frozen.

use marketplace_messaging::Work;
use marketplace_runtime::access::Scope;
use time::OffsetDateTime;
use uuid::Uuid;

use super::publish::conclude_one;
use crate::domain::{Offering, Publication, Publish, Quota, Quotas};
use crate::error::Error;
use crate::steps::Steps;
use crate::store;

/// A submission to be made of an offer, by its ids.
#[derive(Debug, Clone)]
pub struct Submit {
    pub offer: String,
    pub offer_uid: Uuid,
    pub publish: Publish,
    /// How much the publisher may have.
    pub quotas: Quotas,
}

/// Locks the publication (the first publish makes it), checks again, and writes submission, steps and event.
/// [`crate::domain::Refusal::FreezeOutdated`]: the content must be frozen again.
pub async fn submit(
    work: &mut Work,
    steps: &Steps,
    scope: &Scope,
    submit: Submit,
    at: OffsetDateTime,
) -> Result<Offering, Error> {
    let mut offering = match store::lock_name(work, scope, &submit.offer).await? {
        Some(offering) => offering,
        None => {
            let publisher = scope.publisher().unwrap_or_default();
            store::make(
                work,
                &Publication::new(submit.offer_uid, publisher, &submit.offer, at),
            )
            .await?;
            let made = store::lock_name(work, scope, &submit.offer).await?;
            made.ok_or(Error::Corrupt("a publication that was just made is gone"))?
        }
    };
    if offering.publication().offer_uid != submit.offer_uid {
        return Err(Error::Corrupt(
            "the catalogue names another offer by this name",
        ));
    }
    let moment = offering.moment(steps.moment(at));
    offering.publish(submit.publish, moment)?;
    let used = store::count_submission(work, scope, submit.offer_uid, &submit.quotas, at).await?;
    let publisher = &offering.publication().publisher;
    for quota in Quota::OF_SUBMISSIONS {
        submit.quotas.admit(quota, used.of(quota), publisher, at)?;
    }
    conclude_one(work, steps, offering, at).await
}
