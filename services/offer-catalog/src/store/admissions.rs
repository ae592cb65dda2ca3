//! A record of who let people from outside into a preview (PV-6).

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::Result;

/// One save of a preview audience with people from outside in it.
pub struct Admission<'a> {
    pub id: Uuid,
    pub offer: Uuid,
    /// Of the page.
    pub revision: i64,
    /// Where they are from.
    pub domains: &'a [String],
    pub by: &'a str,
    pub at: OffsetDateTime,
}

/// Notes it, with the save.
pub async fn audit(db: &mut PgConnection, admission: &Admission<'_>) -> Result<()> {
    sqlx::query!(
        "INSERT INTO offer_catalog.outsider_admissions (admission_id, offer_uid, revision, domains, admitted_by, admit_time)
         VALUES ($1, $2, $3, $4, $5, $6)",
        admission.id,
        admission.offer,
        admission.revision,
        admission.domains,
        admission.by,
        admission.at
    )
    .execute(db)
    .await?;
    Ok(())
}
