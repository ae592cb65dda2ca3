//! Secrets of offers: sealed values, a new version for each change, and a record of who had one opened.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::Result;

/// The only purpose so far.
pub const LEAD_DESTINATION: &str = "lead_destination";

/// What a secret is sealed for (see [`crate::keys`]).
pub fn place(offer: Uuid, purpose: &str) -> String {
    format!("offer/{offer}/{purpose}")
}

/// A version of a secret, sealed.
pub async fn get(
    db: &mut PgConnection,
    offer: Uuid,
    purpose: &str,
    version: i64,
) -> Result<Option<Vec<u8>>> {
    let sealed = sqlx::query_scalar!(
        "SELECT sealed FROM offer_catalog.secrets WHERE offer_uid = $1 AND purpose = $2 AND version = $3",
        offer,
        purpose,
        version
    )
    .fetch_optional(db)
    .await?;
    Ok(sealed)
}

/// One opening of a secret.
pub struct Opening<'a> {
    pub id: Uuid,
    pub offer: Uuid,
    pub purpose: &'static str,
    pub version: i64,
    pub digest: &'a str,
    pub by: &'a str,
    pub at: OffsetDateTime,
}

/// Notes that a secret is opened; before it is.
pub async fn audit(db: &mut PgConnection, opening: &Opening<'_>) -> Result<()> {
    sqlx::query!(
        "INSERT INTO offer_catalog.secret_openings (opening_id, offer_uid, purpose, version, snapshot_digest, opened_by, open_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        opening.id,
        opening.offer,
        opening.purpose,
        opening.version,
        opening.digest,
        opening.by,
        opening.at
    )
    .execute(db)
    .await?;
    Ok(())
}
