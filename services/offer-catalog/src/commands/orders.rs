//! The pipeline's orders: make a preview, serve an offer to customers, take it away. Each is carried out once and
//! answered as often as it is asked for; one that is older than the last applied changes nothing.

use std::collections::BTreeMap;

use marketplace_messaging::Work;
use marketplace_runtime::ids::new_id;
use serde_json::Value;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::freezes;
use crate::domain::listing::{Head, Rows, Stage};
use crate::domain::offer::Offer;
use crate::domain::order::{Answer, Order, OrderKey, Wanted, difference};
use crate::domain::price_change;
use crate::domain::snapshot::{self, Content};
use crate::error::{Error, Result};
use crate::store::listings::{Prepared, Served};
use crate::{outgoing, store};

/// Wakes whoever carries orders out.
pub const TOPIC: &str = "orders";

/// Takes an order in. What needs no content of assets is carried out at once, the rest by [`crate::due`].
pub async fn receive(
    db: &mut Work,
    offer: &Offer,
    order: Order,
    now: OffsetDateTime,
) -> Result<()> {
    let Some(last) = store::orders::insert(db, &order, now).await? else {
        // Whoever is at it answers.
        if let Some((_, Some(answer))) = store::orders::find(db, &order.key).await? {
            db.tell(outgoing::answered(offer, &order.key, &answer, now));
        }
        return Ok(());
    };
    if order.publication_revision < last {
        return answer(db, offer, &order.key, Answer::Superseded, None, now).await;
    }
    match order.wanted {
        Wanted::Preview => {
            let outcome = prepare(db, offer, &order, now).await?;
            settle(db, offer, &order, outcome, now).await
        }
        Wanted::Removal => {
            store::listings::remove_live(db, offer.uid).await?;
            settle(db, offer, &order, Answer::OfferRemoved, now).await
        }
        Wanted::Activation { .. } => {
            db.wake(TOPIC);
            Ok(())
        }
    }
}

/// Answers an order; one that was carried out is the last applied from now on.
async fn settle(
    db: &mut Work,
    offer: &Offer,
    order: &Order,
    outcome: Answer,
    now: OffsetDateTime,
) -> Result<()> {
    let changes = !matches!(outcome, Answer::Failed { .. } | Answer::Superseded);
    let applied = changes.then_some(order.publication_revision);
    answer(db, offer, &order.key, outcome, applied, now).await
}

async fn answer(
    db: &mut Work,
    offer: &Offer,
    key: &OrderKey,
    outcome: Answer,
    applied: Option<i64>,
    now: OffsetDateTime,
) -> Result<()> {
    if store::orders::answer(db, offer.uid, key, &outcome, applied, now).await? {
        db.tell(outgoing::answered(offer, key, &outcome, now));
    }
    Ok(())
}

/// S5-1: materialises the listing from the snapshot and answers the digest of what is really stored now.
async fn prepare(
    db: &mut Work,
    offer: &Offer,
    order: &Order,
    now: OffsetDateTime,
) -> Result<Answer> {
    let before = store::listings::of_submission(db, offer.uid, order.key.submission).await?;
    if before.is_none_or(|head| head.stage == Stage::Prepared)
        && let Some(failed) = materialise(db, offer, order, now).await?
    {
        return Ok(failed);
    }
    let (_, rows) = listing(db, order)
        .await?
        .ok_or_else(|| Error::corrupt("the listing just prepared is gone"))?;
    let digest = rows.digest().map_err(Error::corrupt)?;
    if digest != order.digest {
        return Ok(Answer::mismatch(format!(
            "the prepared rows have digest {digest}, the snapshot is {}",
            order.digest
        )));
    }
    store::freezes::mark_prepared(db, order.key.submission).await?;
    Ok(Answer::PreviewPrepared { digest })
}

async fn materialise(
    db: &mut Work,
    offer: &Offer,
    order: &Order,
    now: OffsetDateTime,
) -> Result<Option<Answer>> {
    let snapshot = match intact(db, offer, &order.digest).await? {
        Ok(bytes) => bytes,
        Err(failed) => return Ok(Some(failed)),
    };
    let snapshot: Value = serde_json::from_slice(&snapshot).map_err(Error::corrupt)?;
    let mut rows = Rows::split(snapshot).map_err(Error::corrupt)?;
    let freeze = store::freezes::get(db, order.key.submission).await?;
    let seen = freeze.map(|freeze| freeze.audiences).unwrap_or_default();
    let version = |plan: &str| seen.get(plan).copied().unwrap_or_default();
    let synced: BTreeMap<String, i64> = store::plans::synced(db, offer.uid)
        .await?
        .into_iter()
        .collect();
    for plan in rows.plans.iter_mut().filter(|plan| plan.private) {
        plan.audience =
            version(&plan.plan_id).max(synced.get(&plan.plan_id).copied().unwrap_or_default());
    }
    let prepared = Prepared {
        id: new_id(),
        offer_uid: offer.uid,
        publisher: &offer.publisher,
        submission: order.key.submission,
        digest: &order.digest,
        offer_type: &offer.offer_type,
        preview_audience: version(""),
        rows: &rows,
    };
    store::listings::prepare(db, &prepared, now).await?;
    Ok(None)
}

/// The bytes of a snapshot, if they still are what their digest says.
async fn intact(
    db: &mut PgConnection,
    offer: &Offer,
    digest: &str,
) -> Result<Result<Vec<u8>, Answer>> {
    let Some(stored) = store::snapshots::of_offer(db, offer.uid, digest).await? else {
        return Ok(Err(Answer::missing(format!(
            "there is no snapshot {digest}"
        ))));
    };
    let found = snapshot::digest(&stored.bytes);
    if found != digest {
        return Ok(Err(Answer::mismatch(format!(
            "the stored snapshot {digest} has digest {found}"
        ))));
    }
    Ok(Ok(stored.bytes))
}

/// The listing that an order is about.
async fn listing(db: &mut PgConnection, order: &Order) -> Result<Option<(Head, Rows)>> {
    let served = Served::Submission(order.offer_uid, order.key.submission);
    store::listings::served(db, served).await
}

/// What was found of the assets of a listing, outside of any transaction: each digest that a row names, and the digest
/// that the content really has.
pub type Hashed = BTreeMap<String, String>;

/// The digests of the assets that an activation is about to serve; `None`: there is no such listing (any more).
pub async fn assets_of(db: &mut PgConnection, order: &Order) -> Result<Option<Vec<String>>> {
    let assets = |rows: Rows| rows.assets.into_iter().map(|asset| asset.digest).collect();
    Ok(listing(db, order).await?.map(|(_, rows)| assets(rows)))
}

/// S9-1: serves an offer to customers if what would be served is what was certified and signed off (PB-1). A difference
/// leaves everything as it is.
pub async fn activate(
    db: &mut Work,
    order: &Order,
    hashed: &Hashed,
    now: OffsetDateTime,
) -> Result<()> {
    let mut offers = store::offers::lock_uids(db, &[order.offer_uid]).await?;
    let offer = offers.remove(&order.offer_uid);
    let offer = offer.ok_or_else(|| Error::corrupt("the offer of an order is gone"))?;
    if let Some((_, Some(_))) = store::orders::find(db, &order.key).await? {
        return Ok(());
    }
    if order.publication_revision < store::orders::last_revision(db, offer.uid).await? {
        return answer(db, &offer, &order.key, Answer::Superseded, None, now).await;
    }
    let outcome = serve(db, &offer, order, hashed, now).await?;
    settle(db, &offer, order, outcome, now).await
}

async fn serve(
    db: &mut Work,
    offer: &Offer,
    order: &Order,
    hashed: &Hashed,
    now: OffsetDateTime,
) -> Result<Answer> {
    let Wanted::Activation {
        certified,
        signed_off,
    } = &order.wanted
    else {
        return Err(Error::corrupt("only activations wait to be carried out"));
    };
    let Some((head, rows)) = listing(db, order).await? else {
        return Ok(Answer::missing("there is no preview of this submission"));
    };
    if let Err(failed) = intact(db, offer, &order.digest).await? {
        return Ok(failed);
    }
    for asset in &rows.assets {
        if hashed.get(&asset.digest) != Some(&asset.digest) {
            return Ok(Answer::mismatch(format!(
                "the content of {} is not what was signed off",
                asset.name
            )));
        }
    }
    if let Some(message) = rows.contradiction() {
        return Ok(Answer::mismatch(message));
    }
    let digest = rows.clone().digest().map_err(Error::corrupt)?;
    if let Some(message) = difference(&digest, &order.digest, certified, signed_off) {
        return Ok(Answer::mismatch(message));
    }
    publish(db, offer, &head, rows, now).await?;
    Ok(Answer::OfferActivated { digest })
}

async fn publish(
    db: &mut Work,
    offer: &Offer,
    head: &Head,
    rows: Rows,
    now: OffsetDateTime,
) -> Result<()> {
    let content: Content = serde_json::from_value(rows.join()).map_err(Error::corrupt)?;
    // What was taken away and is served again is held against what it was.
    let before = match store::orders::last_activated(db, offer.uid).await? {
        Some(digest) => freezes::previous(db, offer.uid, &digest).await?,
        None => None,
    };
    if let Some(live) = before {
        let cutoff = content
            .offer_type()
            .map_err(Error::corrupt)?
            .price_cutoff_days;
        let waiting = store::price_changes::get(db, offer.uid).await?;
        let changes = price_change::changes(&live, &waiting, &content, cutoff, now);
        if changes != waiting {
            store::price_changes::set(db, offer.uid, &changes).await?;
        }
    }
    let indexed = crate::domain::indexed::of(&content).map_err(Error::corrupt)?;
    store::listings::serve_live(db, head, &indexed, now).await
}
