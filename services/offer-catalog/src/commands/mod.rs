//! One function per write. Each takes the open transaction of its door and never begins or commits one.

pub mod acquisitions;
pub mod assets;
pub mod audiences;
pub mod freezes;
pub mod grants;
pub mod leads;
pub mod members;
pub mod offers;
pub mod orders;
pub mod pages;
pub mod plans;
pub mod previews;
pub mod publications;
pub mod publishers;
pub mod uploads;

use marketplace_messaging::Work;
use marketplace_runtime::access::Scope;
use marketplace_runtime::ids::OfferName;
use time::OffsetDateTime;

use crate::domain::offer::Offer;
use crate::error::{Error, Result};
use crate::store;

/// An offer whose row is locked, and the scope that its statement has settled.
pub struct Held {
    pub offer: Offer,
    pub scope: Scope,
}

/// Locks an offer for a write and decides whether the caller may.
pub async fn hold(
    db: &mut Work,
    scope: &Scope,
    name: &OfferName,
    now: OffsetDateTime,
) -> Result<Held> {
    let found = store::offers::lock(db, scope, name, now).await?;
    let (offer, standing) = found.ok_or_else(|| Error::not_found("Offer", name))?;
    let scope = scope.clone().settle(&standing)?;
    Ok(Held { offer, scope })
}
