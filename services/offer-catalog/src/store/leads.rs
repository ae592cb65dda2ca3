//! Rows of customers' leads.

use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::lead::{Contact, KEPT, Lead};
use crate::error::Result;

/// A new lead; some that are too old go with it, so that the table doesn't grow for ever.
pub async fn insert(db: &mut PgConnection, lead: &Lead) -> Result<()> {
    sqlx::query!(
        "WITH old AS (
           DELETE FROM offer_catalog.customer_leads WHERE lead_id IN (
             SELECT lead_id FROM offer_catalog.customer_leads WHERE create_time < $8
             ORDER BY create_time LIMIT 10 FOR UPDATE SKIP LOCKED)
         )
         INSERT INTO offer_catalog.customer_leads
           (lead_id, offer_uid, digest, preview, principal, contact, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        lead.id,
        lead.offer_uid,
        lead.digest,
        lead.preview,
        lead.principal,
        Json(&lead.contact) as _,
        lead.create_time,
        lead.create_time - KEPT
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How many leads somebody has left since, and when the first of them was.
pub async fn since(
    db: &mut PgConnection,
    principal: &str,
    since: OffsetDateTime,
) -> Result<(i64, Option<OffsetDateTime>)> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "count!", min(create_time) AS first FROM offer_catalog.customer_leads
           WHERE principal = $1 AND create_time > $2"#,
        principal,
        since
    )
    .fetch_one(db)
    .await?;
    Ok((row.count, row.first))
}

/// A lead.
pub async fn get(db: &mut PgConnection, id: Uuid) -> Result<Option<Lead>> {
    let row = sqlx::query!(
        r#"SELECT lead_id, offer_uid, digest, preview, principal, contact AS "contact: Json<Contact>", create_time
           FROM offer_catalog.customer_leads WHERE lead_id = $1"#,
        id
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Lead {
        id: row.lead_id,
        offer_uid: row.offer_uid,
        digest: row.digest,
        preview: row.preview,
        principal: row.principal,
        contact: row.contact.0,
        create_time: row.create_time,
    }))
}
