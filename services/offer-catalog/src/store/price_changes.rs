//! Prices that are paid for a while yet (UP-10). They outlive the listing: what is taken away and served again costs what it
//! did.

use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::price_change::PriceChange;
use crate::error::Result;

/// Those of an offer, past ones among them.
pub async fn get(db: &mut PgConnection, offer: Uuid) -> Result<Vec<PriceChange>> {
    let changes = sqlx::query_scalar!(
        r#"SELECT changes AS "changes: Json<Vec<PriceChange>>" FROM offer_catalog.price_changes WHERE offer_uid = $1"#,
        offer
    )
    .fetch_optional(db)
    .await?;
    Ok(changes.map(|Json(changes)| changes).unwrap_or_default())
}

/// Replaces them.
pub async fn set(db: &mut PgConnection, offer: Uuid, changes: &[PriceChange]) -> Result<()> {
    sqlx::query!(
        "INSERT INTO offer_catalog.price_changes (offer_uid, changes) VALUES ($1, $2)
         ON CONFLICT (offer_uid) DO UPDATE SET changes = $2",
        offer,
        Json(changes) as _
    )
    .execute(db)
    .await?;
    Ok(())
}
