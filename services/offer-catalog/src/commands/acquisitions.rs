//! What customers acquire (PV-8), and the trial orders of the purchase flow (S1-1).

use marketplace_messaging::Work;
use marketplace_runtime::ids::{OfferName, new_id};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::acquisition::{Acquisition, State};
use crate::domain::audience::Customer;
use crate::domain::deprecation::Deprecation;
use crate::domain::listing::{Head, PlanRow, Stage};
use crate::domain::price_change::in_force;
use crate::domain::purchase::{DEFAULT_MARKET, charge, faults};
use crate::domain::refusal::Refusal;
use crate::domain::snapshot::{Content, ContentPlan};
use crate::domain::token::PreviewToken;
use crate::error::{Error, Result};
use crate::pages::PlanPricing;
use crate::store;
use crate::store::listings::Served;

/// What a customer wants.
pub struct Acquire {
    pub offer: OfferName,
    pub plan_id: String,
    /// Of a preview instead of the live offer.
    pub token: Option<PreviewToken>,
    pub no_charge: bool,
    pub ticket_reference: String,
    pub market: String,
    pub principal: String,
    pub customer: Customer,
    pub validate_only: bool,
}

/// What a customer has, and is told of it.
#[derive(Debug, Clone)]
pub struct Acquired {
    pub acquisition: Acquisition,
    /// The offer is about to leave (UP-7).
    pub deprecation: Option<Deprecation>,
}

/// Acquires a plan for a customer, or with `validate_only` says what that would be.
pub async fn acquire(db: &mut Work, wanted: &Acquire, now: OffsetDateTime) -> Result<Acquired> {
    let (head, content, plans) = find(db, wanted).await?;
    if !content.transactable() {
        return Err(Refusal::NotTransactable.into());
    }
    let plan_name = wanted.offer.plan(&wanted.plan_id);
    let plan = content
        .plan(&wanted.plan_id)
        .ok_or_else(|| Error::not_found("Plan", plan_name))?;
    permit(db, wanted, &head, plan, &plans).await?;
    let kind = content.offer_type().map_err(Error::corrupt)?;
    if !kind.sells(&plan.subtype) {
        return Err(Refusal::NotTransactable.into());
    }
    if plan.stopped {
        return Err(Refusal::PlanStopped.into());
    }
    let preview = head.stage == Stage::Preview;
    if wanted.no_charge && !preview {
        return Err(Refusal::NoChargeNeedsPreview.into());
    }
    let pricing = plan.pages.plan_pricing.as_ref();
    let quoted = pricing
        .map(|pricing| in_force(pricing, &plan.plan_id, &head.price_changes, now))
        .and_then(|pricing| charge(&pricing, &wanted.market))
        .ok_or(Refusal::NotSoldInMarket)?;
    let acquisition = Acquisition {
        id: new_id(),
        offer_uid: head.offer_uid,
        submission: head.submission,
        plan_id: wanted.plan_id.clone(),
        principal: wanted.principal.clone(),
        preview,
        no_charge: wanted.no_charge,
        ticket_reference: wanted.ticket_reference.clone(),
        market: wanted.market.clone(),
        charge: if wanted.no_charge {
            String::new()
        } else {
            quoted
        },
        create_time: now,
    };
    if !wanted.validate_only {
        store::acquisitions::insert(db, &acquisition).await?;
    }
    Ok(Acquired {
        acquisition,
        deprecation: head.deprecation,
    })
}

async fn find(db: &mut PgConnection, wanted: &Acquire) -> Result<(Head, Content, Vec<PlanRow>)> {
    let gone = || Error::not_found("Listing", &wanted.offer);
    let (publisher, offer) = (&wanted.offer.publisher, &wanted.offer.offer);
    let hash = wanted.token.as_ref().map(PreviewToken::hash);
    let served = match &hash {
        None => Served::Live { publisher, offer },
        Some(hash) => Served::Preview(hash),
    };
    let (head, rows) = store::listings::served(db, served)
        .await?
        .ok_or_else(gone)?;
    let plans = rows.plans.clone();
    let content: Content = serde_json::from_value(rows.join()).map_err(Error::corrupt)?;
    // A token opens its own offer, whatever offer is named with it.
    if content.offer.name == wanted.offer.to_string() {
        Ok((head, content, plans))
    } else {
        Err(gone())
    }
}

/// A preview is for its audience; a private plan that is live is for its own. Whether it is private, its page says.
async fn permit(
    db: &mut PgConnection,
    wanted: &Acquire,
    head: &Head,
    plan: &ContentPlan,
    plans: &[PlanRow],
) -> Result<()> {
    let pricing = plan.pages.plan_pricing.as_ref();
    let (of, version) = match head.stage {
        Stage::Live if !pricing.is_some_and(|pricing| pricing.is_private()) => return Ok(()),
        Stage::Live => {
            let row = plans.iter().find(|row| row.plan_id == plan.plan_id);
            (plan.plan_id.as_str(), row.map_or(0, |row| row.audience))
        }
        Stage::Preview | Stage::Prepared => ("", head.preview_audience),
    };
    let found = store::audiences::has(db, head.offer_uid, of, version, &wanted.customer).await?;
    if found {
        Ok(())
    } else {
        Err(Error::NotInAudience)
    }
}

/// What became of one plan's trial order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub plan_id: String,
    pub created: bool,
    pub resolved: bool,
    pub canceled: bool,
    pub charge: String,
    pub faults: Vec<String>,
}

/// Makes, resolves and cancels an order of every plan of a snapshot that is sold (S1-1). The door rolls all of it back.
pub async fn probe(
    db: &mut Work,
    offer: Uuid,
    content: &Content,
    now: OffsetDateTime,
) -> Result<Vec<Probe>> {
    let kind = content.offer_type().map_err(Error::corrupt)?;
    let sold = |plan: &&ContentPlan| !plan.stopped && kind.sells(&plan.subtype);
    let mut probes = Vec::new();
    for plan in content.plans.iter().filter(sold) {
        probes.push(probe_plan(db, offer, content, plan, now).await?);
    }
    Ok(probes)
}

async fn probe_plan(
    db: &mut Work,
    offer_uid: Uuid,
    content: &Content,
    plan: &ContentPlan,
    now: OffsetDateTime,
) -> Result<Probe> {
    let found = faults(content, plan);
    let plan_id = plan.plan_id.clone();
    let pricing = plan.pages.plan_pricing.as_ref();
    let market = pricing.map_or(DEFAULT_MARKET, first_market);
    let quoted = pricing
        .and_then(|pricing| charge(pricing, market))
        .unwrap_or_default();
    if !found.is_empty() {
        return Ok(Probe {
            plan_id,
            created: false,
            resolved: false,
            canceled: false,
            charge: quoted,
            faults: found,
        });
    }
    let trial = Acquisition {
        id: new_id(),
        offer_uid,
        submission: Uuid::nil(),
        plan_id: plan_id.clone(),
        principal: "system|purchase-flow".into(),
        preview: true,
        no_charge: true,
        ticket_reference: "purchase-flow".into(),
        market: market.to_owned(),
        charge: String::new(),
        create_time: now,
    };
    store::acquisitions::insert(db, &trial).await?;
    store::acquisitions::advance(db, trial.id, State::Resolved).await?;
    store::acquisitions::advance(db, trial.id, State::Canceled).await?;
    Ok(Probe {
        plan_id,
        created: true,
        resolved: true,
        canceled: true,
        charge: quoted,
        faults: Vec::new(),
    })
}

fn first_market(pricing: &PlanPricing) -> &str {
    if pricing.is_sold_in(DEFAULT_MARKET) {
        return DEFAULT_MARKET;
    }
    let first = pricing.sold_in().into_iter().next();
    first.unwrap_or(DEFAULT_MARKET)
}
