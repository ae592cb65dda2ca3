//! Writing a page: one statement.

use serde_json::Value;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::Result;
use crate::pages::PageId;
use crate::store::secrets;

/// What becomes of a page's secret.
#[derive(Debug, Clone, Copy)]
pub enum Secret<'a> {
    /// There is none (any more).
    None,
    /// The stored one stays.
    Keep,
    /// A new one, sealed.
    New(&'a [u8]),
}

/// A page to be saved.
#[derive(Debug)]
pub struct Save<'a> {
    pub offer: Uuid,
    /// Empty for pages of the offer.
    pub plan_id: &'a str,
    pub page: PageId,
    pub content: Value,
    /// The page's revision as the writer read it; 0: never saved.
    pub etag: i64,
    pub secret: Secret<'a>,
    pub by: &'a str,
}

/// Revisions after a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revisions {
    pub page: i64,
    pub offer: i64,
}

/// Saves a page if its revision is the expected one, and raises the draft's: one statement. `None`: it was changed.
///
/// The offer's row is locked first, as every write to an offer does, so that a freeze or a deleted plan never waits for
/// us while we wait for it; writers of different pages take turns and never refuse each other.
pub async fn save(
    db: &mut PgConnection,
    save: &Save<'_>,
    now: OffsetDateTime,
) -> Result<Option<Revisions>> {
    let (sealed, keep) = match save.secret {
        Secret::None => (None, false),
        Secret::Keep => (None, true),
        Secret::New(sealed) => (Some(sealed), false),
    };
    let row = sqlx::query!(
        r#"WITH locked AS (
             SELECT offer_uid FROM offer_catalog.offers WHERE offer_uid = $1 FOR NO KEY UPDATE
           ), saved AS (
             INSERT INTO offer_catalog.pages AS p
               (offer_uid, plan_id, page, revision, content, secret_version, save_time, saved_by)
             SELECT offer_uid, $2, $3, 1, $4, CASE WHEN $6::bytea IS NOT NULL THEN 1 END, $8, $9 FROM locked
             WHERE $5::bigint = 0
                OR EXISTS (SELECT FROM offer_catalog.pages e WHERE e.offer_uid = $1 AND e.plan_id = $2 AND e.page = $3)
             ON CONFLICT (offer_uid, plan_id, page) DO UPDATE
               SET revision = p.revision + 1, content = excluded.content, save_time = excluded.save_time,
                   saved_by = excluded.saved_by,
                   secret_version = CASE WHEN $6::bytea IS NOT NULL THEN p.revision + 1 WHEN $7 THEN p.secret_version END
               WHERE p.revision = $5
             RETURNING p.revision
           ), sealed AS (
             INSERT INTO offer_catalog.secrets (offer_uid, purpose, version, sealed, create_time)
             SELECT $1, $10, revision, $6, $8 FROM saved WHERE $6::bytea IS NOT NULL
           ), touched AS (
             UPDATE offer_catalog.offers o SET revision = o.revision + 1, update_time = $8
             FROM saved WHERE o.offer_uid = $1
             RETURNING o.revision
           )
           SELECT saved.revision AS "page!", touched.revision AS "offer!" FROM saved, touched"#,
        save.offer,
        save.plan_id,
        save.page.as_str(),
        save.content,
        save.etag,
        sealed,
        keep,
        now,
        save.by,
        secrets::LEAD_DESTINATION
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Revisions {
        page: row.page,
        offer: row.offer,
    }))
}

/// The revision of a page; 0: it was never saved.
pub async fn revision(
    db: &mut PgConnection,
    offer: Uuid,
    plan_id: &str,
    page: PageId,
) -> Result<i64> {
    let found = sqlx::query_scalar!(
        "SELECT revision FROM offer_catalog.pages WHERE offer_uid = $1 AND plan_id = $2 AND page = $3",
        offer,
        plan_id,
        page.as_str()
    )
    .fetch_optional(db)
    .await?;
    Ok(found.unwrap_or(0))
}
