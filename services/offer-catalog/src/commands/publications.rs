//! News of a publication: its copy for status columns, what its preview is, which freezes are over, and the orders.

use std::collections::BTreeSet;

use marketplace_messaging::Work;
use time::OffsetDateTime;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use super::{orders, previews};
use crate::domain::news::News;
use crate::domain::offer::Offer;
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::store;

/// Wakes whoever waits for news of an offer.
pub fn topic(offer: Uuid) -> String {
    format!("offer/{offer}")
}

/// Applies news, each within its span: those of one offer in order, those of different offers together.
pub async fn apply(
    db: &mut Work,
    keys: &Keys,
    mut news: Vec<(News, Span)>,
    now: OffsetDateTime,
) -> Result<()> {
    while !news.is_empty() {
        let mut offers = BTreeSet::new();
        let (first, later) = news
            .into_iter()
            .partition(|(one, _)| offers.insert(one.offer_uid));
        let offers: Vec<Uuid> = offers.into_iter().collect();
        apply_firsts(db, keys, first, &offers, now).await?;
        news = later;
    }
    Ok(())
}

/// At most one of each offer; `offers` are theirs, in order.
async fn apply_firsts(
    db: &mut Work,
    keys: &Keys,
    news: Vec<(News, Span)>,
    offers: &[Uuid],
    now: OffsetDateTime,
) -> Result<()> {
    let offers = store::offers::lock_uids(db, offers).await?;
    for (one, _) in &news {
        // A publication exists only of an offer that was frozen, and that can't be deleted.
        if !offers.contains_key(&one.offer_uid) {
            let uid = one.offer_uid;
            return Err(Error::corrupt(format!("no offer {uid} for a publication")));
        }
        for submission in &one.canceled {
            store::listings::drop_submission(db, one.offer_uid, *submission).await?;
            store::orders::applied(db, one.offer_uid, one.copy.revision).await?;
        }
    }
    let all: Vec<&News> = news.iter().map(|(one, _)| one).collect();
    let newer = store::offers::apply_publications(db, &all).await?;
    let changed: Vec<&News> = all
        .into_iter()
        .filter(|one| newer.contains(&one.offer_uid))
        .collect();
    store::freezes::close_others(db, &changed, now).await?;
    for (one, span) in news {
        let offer = &offers[&one.offer_uid];
        let newer = newer.contains(&offer.uid);
        follow(db, keys, offer, one, newer, now)
            .instrument(span)
            .await?;
    }
    Ok(())
}

/// What follows for one offer from news of it; `newer`: its copy was applied.
async fn follow(
    db: &mut Work,
    keys: &Keys,
    offer: &Offer,
    news: News,
    newer: bool,
    now: OffsetDateTime,
) -> Result<()> {
    if newer {
        // Most changes leave the preview as it is.
        let preview = news.copy.preview_submission;
        if preview != offer.publication.preview_submission {
            previews::serve(db, keys, offer, preview, now).await?;
        }
        db.wake(topic(offer.uid));
    }
    for order in news.orders {
        orders::receive(db, offer, order, now).await?;
    }
    Ok(())
}
