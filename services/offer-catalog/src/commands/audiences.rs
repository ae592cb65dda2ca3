//! Sync private audience (T33, SY-1 … SY-6): the saved audience of a private plan is served at once, nothing else is.

use marketplace_messaging::Work;
use marketplace_runtime::access::Scope;
use marketplace_runtime::ids::PlanName;
use time::OffsetDateTime;

use super::{Held, hold};
use crate::domain::refusal::Refusal;
use crate::error::{Error, Result};
use crate::{outgoing, store};

/// What a sync did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Synced {
    pub changed: bool,
    pub version: i64,
}

/// Serves the saved audience of a private plan of the live listing. Allowed in any status, also while something is in
/// flight: only the catalogue's own rows are looked at.
pub async fn sync(
    db: &mut Work,
    scope: &Scope,
    name: &PlanName,
    now: OffsetDateTime,
) -> Result<Synced> {
    let Held { offer, scope } = hold(db, scope, &name.parent(), now).await?;
    let plan = store::plans::of_offer(db, offer.uid, &name.plan).await?;
    let plan = plan.ok_or_else(|| Error::not_found("Plan", name))?;
    let served = store::audiences::live_version(db, offer.uid, &plan.id).await?;
    let served = served.ok_or(Refusal::NoLivePrivatePlan)?;
    let saved = store::pages::private_audience(db, offer.uid, &plan.id).await?;
    if saved.is_empty() {
        return Err(Refusal::EmptyAudience.into());
    }
    let before = store::audiences::get(db, offer.uid, &plan.id, served).await?;
    if saved == before {
        return Ok(Synced {
            changed: false,
            version: served,
        });
    }
    if saved.has_kinds_beyond(&before) {
        return Err(Refusal::NewAudienceKind.into());
    }
    let version = store::audiences::keep(db, offer.uid, &plan.id, &saved, now).await?;
    store::audiences::serve(db, offer.uid, &plan.id, version).await?;
    db.tell(outgoing::private_audience_synced(
        &scope, &offer, &plan, version, now,
    ));
    Ok(Synced {
        changed: true,
        version,
    })
}
