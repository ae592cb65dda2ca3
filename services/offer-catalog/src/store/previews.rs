//! Links to previews: minted when a preview is served, revoked when another is or none is any more.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::Result;

/// A link, sealed.
pub struct Link {
    pub storefront: String,
    pub sealed: Vec<u8>,
}

/// A new link to the preview of a submission.
pub struct Minted {
    pub token_hash: [u8; 32],
    pub offer_uid: Uuid,
    pub submission: Uuid,
    pub storefront: &'static str,
    pub sealed: Vec<u8>,
}

/// Stores a new link. The one before of the same storefront must be revoked.
pub async fn insert(db: &mut PgConnection, link: &Minted, now: OffsetDateTime) -> Result<()> {
    sqlx::query!(
        "INSERT INTO offer_catalog.preview_tokens (token_hash, offer_uid, submission, storefront, sealed, create_time)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &link.token_hash[..],
        link.offer_uid,
        link.submission,
        link.storefront,
        link.sealed,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Revokes the links of an offer, but for one submission's.
pub async fn revoke(
    db: &mut PgConnection,
    offer: Uuid,
    keep: Option<Uuid>,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query!(
        "UPDATE offer_catalog.preview_tokens SET revoke_time = $3
         WHERE offer_uid = $1 AND revoke_time IS NULL AND submission IS DISTINCT FROM $2",
        offer,
        keep,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The links in force of a submission's preview.
pub async fn in_force(
    db: &mut PgConnection,
    publisher: &str,
    offer: &str,
    submission: Uuid,
) -> Result<Vec<(Uuid, Link)>> {
    let rows = sqlx::query!(
        "SELECT o.offer_uid, t.storefront, t.sealed
         FROM offer_catalog.offers o
         JOIN offer_catalog.preview_tokens t ON t.offer_uid = o.offer_uid
         WHERE o.publisher_id = $1 AND o.offer_id = $2 AND t.submission = $3 AND t.revoke_time IS NULL
         ORDER BY t.storefront",
        publisher,
        offer,
        submission
    )
    .fetch_all(db)
    .await?;
    let link = |storefront, sealed| Link { storefront, sealed };
    Ok(rows
        .into_iter()
        .map(|row| (row.offer_uid, link(row.storefront, row.sealed)))
        .collect())
}
