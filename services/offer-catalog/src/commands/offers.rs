//! Drafts come (T01) and, never submitted, go (T34).

use marketplace_messaging::Work;
use marketplace_runtime::access::Scope;
use marketplace_runtime::ids::OfferName;
use time::OffsetDateTime;

use super::hold;
use crate::domain::offer::Offer;
use crate::domain::refusal::Refusal;
use crate::error::{Error, Result};
use crate::{outgoing, store};

/// Creates a draft (T01). With `validate_only` everything is checked and nothing written.
pub async fn create(
    db: &mut Work,
    scope: &Scope,
    offer: &Offer,
    validate_only: bool,
) -> Result<()> {
    let standing =
        store::publishers::standing(db, scope, &offer.publisher, offer.create_time).await?;
    let scope = scope.clone().settle(&standing)?;
    let publisher = store::publishers::get(db, &offer.publisher).await?;
    let publisher = publisher.ok_or_else(|| Error::not_found("Offer", offer.name()))?;
    if !publisher.programme.enrolled {
        return Err(Refusal::NotEnrolled.into());
    }
    // The insert settles whether the id is free, also for two at once; a mere check takes it back.
    if !store::offers::insert(db, offer).await? {
        return Err(Error::AlreadyExists {
            kind: "Offer",
            name: offer.name().to_string(),
        });
    }
    if validate_only {
        return store::offers::delete(db, offer.uid).await;
    }
    db.tell(outgoing::offer_created(&scope, offer, offer.create_time));
    Ok(())
}

/// Deletes a draft for good (T34). The lock is the one that a freeze takes: either it was first, or there is no offer.
pub async fn delete(
    db: &mut Work,
    scope: &Scope,
    name: &OfferName,
    etag: Option<i64>,
    now: OffsetDateTime,
) -> Result<()> {
    let held = hold(db, scope, name, now).await?;
    if held.offer.ever_frozen {
        return Err(Refusal::EverFrozen.into());
    }
    if etag.is_some_and(|etag| etag != held.offer.revision) {
        return Err(Error::StaleEtag {
            current: held.offer.etag(),
        });
    }
    store::offers::delete(db, held.offer.uid).await?;
    db.tell(outgoing::offer_deleted(&held.scope, &held.offer, now));
    Ok(())
}
