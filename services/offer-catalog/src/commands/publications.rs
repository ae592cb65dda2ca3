//! News of a publication: its copy for status columns, what its preview is, which freezes are over, and the orders.

use marketplace_messaging::Work;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{orders, previews};
use crate::domain::deprecation::Deprecation;
use crate::domain::offer::Publication;
use crate::domain::order::Order;
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::store;

/// One transaction on a publication, as far as the catalogue goes by it.
#[derive(Debug, Clone)]
pub struct News {
    pub offer_uid: Uuid,
    /// State: applied if newer.
    pub copy: Publication,
    /// State: the live offer is about to leave (UP-7).
    pub deprecation: Option<Deprecation>,
    /// Submissions that go on: in flight, awaiting sign-off, served as preview.
    pub open: Vec<Uuid>,
    /// Facts: to be carried out, each once.
    pub orders: Vec<Order>,
    /// Facts: submissions that were canceled.
    pub canceled: Vec<Uuid>,
}

/// Wakes whoever waits for news of an offer.
pub fn topic(offer: Uuid) -> String {
    format!("offer/{offer}")
}

/// Applies the news of one publication.
pub async fn apply(db: &mut Work, keys: &Keys, news: News, now: OffsetDateTime) -> Result<()> {
    let offer = store::offers::lock_uid(db, news.offer_uid).await?;
    // A publication exists only of an offer that was frozen, and that can't be deleted.
    let offer = offer
        .ok_or_else(|| Error::corrupt(format!("no offer {} for a publication", news.offer_uid)))?;
    for submission in &news.canceled {
        store::listings::drop_submission(db, offer.uid, *submission).await?;
        store::orders::applied(db, offer.uid, news.copy.revision).await?;
    }
    let deprecation = news.deprecation.as_ref();
    if store::offers::apply_publication(db, offer.uid, &news.copy, deprecation).await? {
        // Most changes leave the preview as it is.
        let preview = news.copy.preview_submission;
        if preview != offer.publication.preview_submission {
            previews::serve(db, keys, &offer, preview, now).await?;
        }
        if let Some(newest) = news.copy.latest_submission {
            store::freezes::close_others(db, offer.uid, &news.open, newest, now).await?;
        }
        db.wake(topic(offer.uid));
    }
    for order in news.orders {
        orders::receive(db, &offer, order, now).await?;
    }
    Ok(())
}
