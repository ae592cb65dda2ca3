//! Plans come (T03), get another name, and as mere drafts go (T04).

use marketplace_messaging::Work;
use marketplace_runtime::access::Scope;
use marketplace_runtime::ids::{OfferName, PlanName};
use marketplace_runtime::status::Violation;
use time::OffsetDateTime;

use super::{Held, hold};
use crate::domain::plan::{MOST_PLANS, Plan};
use crate::domain::refusal::Refusal;
use crate::error::{Error, Result};
use crate::pages::offer_type;
use crate::{outgoing, store};

/// A plan to be made.
pub struct New {
    pub parent: OfferName,
    pub id: String,
    pub display_name: String,
    pub subtype: String,
}

/// Creates a plan (T03); answers it and the draft's new revision.
pub async fn create(
    db: &mut Work,
    scope: &Scope,
    new: New,
    now: OffsetDateTime,
) -> Result<(Plan, i64)> {
    let Held { offer, scope } = hold(db, scope, &new.parent, now).await?;
    let kind =
        offer_type::find(&offer.offer_type).ok_or_else(|| Error::corrupt(&offer.offer_type))?;
    if kind.plans == offer_type::Applies::Never {
        return Err(Refusal::PlansNotSupported.into());
    }
    if !new.subtype.is_empty() && !kind.plan_subtypes.contains(&new.subtype) {
        let why = format!("is not one of {}", kind.plan_subtypes.join(", "));
        return Err(Error::invalid(
            Violation::new("subtype", why).because("UNKNOWN_SUBTYPE"),
        ));
    }
    let plan = Plan {
        offer_uid: offer.uid,
        id: new.id,
        display_name: new.display_name,
        subtype: new.subtype,
        revision: 1,
        ever_frozen: false,
        create_time: now,
    };
    let name = new.parent.plan(&plan.id);
    if !store::plans::insert(db, &plan).await? {
        return Err(Error::AlreadyExists {
            kind: "Plan",
            name: name.to_string(),
        });
    }
    if store::plans::count(db, offer.uid).await? > MOST_PLANS as i64 {
        return Err(Refusal::TooManyPlans.into());
    }
    let revision = store::offers::touch(db, offer.uid, now).await?;
    db.tell(outgoing::plan_created(&scope, &offer, &plan, now));
    Ok((plan, revision))
}

/// Changes the display name; answers the plan and the draft's new revision.
pub async fn rename(
    db: &mut Work,
    scope: &Scope,
    name: &PlanName,
    display_name: String,
    etag: Option<i64>,
    now: OffsetDateTime,
) -> Result<(Plan, i64)> {
    let Held { offer, .. } = hold(db, scope, &name.parent(), now).await?;
    let mut plan = load(db, &offer, name, etag).await?;
    plan.display_name = display_name;
    plan.revision += 1;
    if !store::plans::rename(db, &plan).await? {
        return Err(Error::AlreadyExists {
            kind: "Plan",
            name: plan.display_name,
        });
    }
    let revision = store::offers::touch(db, offer.uid, now).await?;
    Ok((plan, revision))
}

/// Deletes a draft plan (T04); answers the draft's new revision. The lock is the one that a freeze takes.
pub async fn delete(
    db: &mut Work,
    scope: &Scope,
    name: &PlanName,
    etag: Option<i64>,
    now: OffsetDateTime,
) -> Result<i64> {
    let Held { offer, scope } = hold(db, scope, &name.parent(), now).await?;
    let plan = load(db, &offer, name, etag).await?;
    if store::plans::is_held(db, offer.uid, &plan.id).await? {
        return Err(Refusal::PlanFrozen.into());
    }
    store::plans::delete(db, offer.uid, &plan.id).await?;
    let revision = store::offers::touch(db, offer.uid, now).await?;
    db.tell(outgoing::plan_deleted(&scope, &offer, &plan, now));
    Ok(revision)
}

async fn load(
    db: &mut Work,
    offer: &crate::domain::offer::Offer,
    name: &PlanName,
    etag: Option<i64>,
) -> Result<Plan> {
    let found = store::plans::of_offer(db, offer.uid, &name.plan).await?;
    let plan = found.ok_or_else(|| Error::not_found("Plan", name))?;
    match etag {
        Some(etag) if etag != plan.revision => Err(Error::StaleEtag {
            current: plan.revision.to_string(),
        }),
        _ => Ok(plan),
    }
}
