//! Serving a preview by link: minted when sign-off is reached (T10), revoked when another preview takes its place or
//! none is served any more (PV-5).

use marketplace_messaging::Work;
use rand::RngCore;
use time::OffsetDateTime;
use uuid::Uuid;

use super::freezes::content;
use crate::domain::offer::Offer;
use crate::domain::profile::storefronts;
use crate::domain::token::PreviewToken;
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::pages::Storefront;
use crate::store::previews::Minted;
use crate::{outgoing, store};

/// What a token is sealed for (see [`crate::keys`]).
pub fn place(offer: Uuid, submission: Uuid) -> String {
    format!("preview/{offer}/{submission}")
}

/// Lets the offer's preview be what the publication says it is, and nothing else.
pub async fn serve(
    db: &mut Work,
    keys: &Keys,
    offer: &Offer,
    wanted: Option<Uuid>,
    now: OffsetDateTime,
) -> Result<()> {
    store::previews::revoke(db, offer.uid, wanted, now).await?;
    let Some(submission) = wanted else {
        return store::listings::drop_previews(db, offer.uid, None).await;
    };
    if !store::listings::serve_preview(db, offer.uid, submission, now).await? {
        return Ok(());
    }
    let head = store::listings::of_submission(db, offer.uid, submission).await?;
    let head = head.ok_or_else(|| Error::corrupt("the preview that is served is gone"))?;
    let content = content(db, offer.uid, &head.digest).await?;
    let content = content.ok_or_else(|| Error::corrupt("the snapshot of a preview is gone"))?;
    let kind = content.offer_type().map_err(Error::corrupt)?;
    for storefront in storefronts(&content, kind) {
        mint(db, keys, offer.uid, submission, storefront, now).await?;
    }
    db.tell(outgoing::preview_served(offer, submission, now));
    Ok(())
}

async fn mint(
    db: &mut Work,
    keys: &Keys,
    offer_uid: Uuid,
    submission: Uuid,
    storefront: Storefront,
    now: OffsetDateTime,
) -> Result<()> {
    let mut random = [0; 16];
    rand::rng().fill_bytes(&mut random);
    let token = PreviewToken::new(random);
    let sealed = keys.seal(&place(offer_uid, submission), token.reveal().as_bytes())?;
    let link = Minted {
        token_hash: token.hash(),
        offer_uid,
        submission,
        storefront: storefront.as_str(),
        sealed,
    };
    store::previews::insert(db, &link, now).await
}
