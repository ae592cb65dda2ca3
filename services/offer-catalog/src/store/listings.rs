//! Rows of listings. One listing moves through the stages prepared → preview → live; its rows are written once.

use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::deprecation::Deprecation;
use crate::domain::indexed::Indexed;
use crate::domain::listing::{AssetRow, Head, PageRow, PlanRow, Rows, Stage};
use crate::domain::price_change::PriceChange;
use crate::error::{Error, Result};

struct HeadRow {
    listing_id: Uuid,
    offer_uid: Uuid,
    submission: Uuid,
    digest: String,
    stage: String,
    preview_audience: i64,
    served_since: Option<OffsetDateTime>,
    publisher_id: String,
    display_name: String,
    price_changes: Option<Json<Vec<PriceChange>>>,
    deprecation: Option<Json<Deprecation>>,
}

impl HeadRow {
    fn head(self) -> Result<Head> {
        Ok(Head {
            id: self.listing_id,
            offer_uid: self.offer_uid,
            submission: self.submission,
            digest: self.digest,
            stage: Stage::parse(&self.stage).ok_or_else(|| Error::corrupt(&self.stage))?,
            preview_audience: self.preview_audience,
            served_since: self.served_since,
            publisher: self.publisher_id,
            publisher_display_name: self.display_name,
            price_changes: self
                .price_changes
                .map(|Json(changes)| changes)
                .unwrap_or_default(),
            deprecation: self.deprecation.map(|Json(deprecation)| deprecation),
        })
    }
}

/// The listing of a submission.
pub async fn of_submission(
    db: &mut PgConnection,
    offer: Uuid,
    submission: Uuid,
) -> Result<Option<Head>> {
    let row = sqlx::query_as!(
        HeadRow,
        r#"SELECT l.listing_id, l.offer_uid, l.submission, l.digest, l.stage, l.preview_audience, l.served_since,
                l.publisher_id, p.display_name, NULL::jsonb AS "price_changes: Json<Vec<PriceChange>>",
                l.deprecation AS "deprecation: Json<Deprecation>"
         FROM offer_catalog.listings l JOIN offer_catalog.publishers p ON p.publisher_id = l.publisher_id
         WHERE l.offer_uid = $1 AND l.submission = $2"#,
        offer,
        submission
    )
    .fetch_optional(db)
    .await?;
    row.map(HeadRow::head).transpose()
}

/// Which listing is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Served<'a> {
    /// The live listing of an offer, by the offer's name.
    Live { publisher: &'a str, offer: &'a str },
    /// The preview that a token in force opens, by the token's hash.
    Preview(&'a [u8]),
    /// The listing of a submission, served or not.
    Submission(Uuid, Uuid),
}

/// A listing with its rows. One statement: between two, an update that goes live would take the rows of
/// the listing that the first has found (PV-11).
pub async fn served(db: &mut PgConnection, wanted: Served<'_>) -> Result<Option<(Head, Rows)>> {
    let (publisher, offer) = match wanted {
        Served::Live { publisher, offer } => (Some(publisher), Some(offer)),
        _ => (None, None),
    };
    let (offer_uid, submission) = match wanted {
        Served::Submission(offer, submission) => (Some(offer), Some(submission)),
        _ => (None, None),
    };
    let token = match wanted {
        Served::Preview(token) => Some(token),
        _ => None,
    };
    let row = sqlx::query!(
        r#"SELECT l.listing_id, l.offer_uid, l.submission, l.digest, l.stage, l.preview_audience, l.served_since,
                  l.publisher_id, p.display_name, l.format, l.offer, l.secrets, l.deprecation AS "deprecation: Json<Deprecation>",
             (SELECT c.changes FROM offer_catalog.price_changes c
              WHERE c.offer_uid = l.offer_uid AND l.stage = 'live') AS "price_changes: Json<Vec<PriceChange>>",
             (SELECT coalesce(jsonb_agg(jsonb_build_array(g.plan_id, g.page, g.content)), '[]')
              FROM offer_catalog.listing_pages g WHERE g.listing_id = l.listing_id) AS "pages!",
             (SELECT coalesce(jsonb_agg(jsonb_build_array(p.plan_id, p.content, p.private, p.audience)), '[]')
              FROM offer_catalog.listing_plans p WHERE p.listing_id = l.listing_id) AS "plans!",
             (SELECT coalesce(jsonb_agg(jsonb_build_array(a.name, a.digest, a.content)), '[]')
              FROM offer_catalog.listing_assets a WHERE a.listing_id = l.listing_id) AS "assets!"
           FROM offer_catalog.listings l JOIN offer_catalog.publishers p ON p.publisher_id = l.publisher_id
           WHERE l.listing_id = CASE
             WHEN $5::uuid IS NOT NULL
             THEN (SELECT s.listing_id FROM offer_catalog.listings s WHERE s.offer_uid = $4 AND s.submission = $5)
             WHEN $3::bytea IS NULL
             THEN (SELECT s.listing_id FROM offer_catalog.offers o JOIN offer_catalog.listings s ON s.offer_uid = o.offer_uid
                   WHERE o.publisher_id = $1 AND o.offer_id = $2 AND s.stage = 'live')
             ELSE (SELECT s.listing_id FROM offer_catalog.preview_tokens t
                   JOIN offer_catalog.listings s ON s.offer_uid = t.offer_uid AND s.submission = t.submission
                   WHERE t.token_hash = $3 AND t.revoke_time IS NULL AND s.stage = 'preview') END"#,
        publisher,
        offer,
        token,
        offer_uid,
        submission
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let head = HeadRow {
        listing_id: row.listing_id,
        offer_uid: row.offer_uid,
        submission: row.submission,
        digest: row.digest,
        stage: row.stage,
        preview_audience: row.preview_audience,
        served_since: row.served_since,
        publisher_id: row.publisher_id,
        display_name: row.display_name,
        price_changes: row.price_changes,
        deprecation: row.deprecation,
    };
    let parts = Parts {
        format: row.format,
        offer: row.offer,
        secrets: row.secrets,
        pages: row.pages,
        plans: row.plans,
        assets: row.assets,
    };
    Ok(Some((head.head()?, parts.rows()?)))
}

/// The rows of a listing as one row of a statement.
struct Parts {
    format: i32,
    offer: Value,
    secrets: Value,
    pages: Value,
    plans: Value,
    assets: Value,
}

impl Parts {
    fn rows(self) -> Result<Rows> {
        let pages: Vec<(String, String, Value)> =
            serde_json::from_value(self.pages).map_err(Error::corrupt)?;
        let plans: Vec<(String, Value, bool, i64)> =
            serde_json::from_value(self.plans).map_err(Error::corrupt)?;
        let assets: Vec<(String, String, Value)> =
            serde_json::from_value(self.assets).map_err(Error::corrupt)?;
        let page = |(plan_id, page, content)| PageRow {
            plan_id,
            page,
            content,
        };
        let plan = |(plan_id, content, private, audience)| PlanRow {
            plan_id,
            content,
            private,
            audience,
        };
        let asset = |(name, digest, content)| AssetRow {
            name,
            digest,
            content,
        };
        Ok(Rows {
            format: self.format,
            offer: self.offer,
            secrets: self.secrets,
            pages: pages.into_iter().map(page).collect(),
            plans: plans.into_iter().map(plan).collect(),
            assets: assets.into_iter().map(asset).collect(),
        })
    }
}

/// A listing to be prepared.
pub struct Prepared<'a> {
    pub id: Uuid,
    pub offer_uid: Uuid,
    pub publisher: &'a str,
    pub submission: Uuid,
    pub digest: &'a str,
    pub offer_type: &'a str,
    pub preview_audience: i64,
    pub rows: &'a Rows,
}

/// Materialises a listing, served to nobody. One that was prepared for the same submission before is replaced.
pub async fn prepare(
    db: &mut PgConnection,
    prepared: &Prepared<'_>,
    now: OffsetDateTime,
) -> Result<()> {
    let rows = prepared.rows;
    sqlx::query!(
        "DELETE FROM offer_catalog.listings WHERE submission = $1 AND stage = 'prepared'",
        prepared.submission
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "INSERT INTO offer_catalog.listings
           (listing_id, offer_uid, submission, digest, stage, format, offer, secrets, preview_audience, offer_type,
            publisher_id, create_time)
         VALUES ($1, $2, $3, $4, 'prepared', $5, $6, $7, $8, $9, $10, $11)",
        prepared.id,
        prepared.offer_uid,
        prepared.submission,
        prepared.digest,
        rows.format,
        rows.offer,
        rows.secrets,
        prepared.preview_audience,
        prepared.offer_type,
        prepared.publisher,
        now
    )
    .execute(&mut *db)
    .await?;
    insert_rows(db, prepared.id, rows).await
}

async fn insert_rows(db: &mut PgConnection, listing: Uuid, rows: &Rows) -> Result<()> {
    let (page_plans, pages, page_contents): (Vec<_>, Vec<_>, Vec<_>) = rows
        .pages
        .iter()
        .map(|row| (row.plan_id.clone(), row.page.clone(), row.content.clone()))
        .collect();
    let plans: Vec<String> = rows.plans.iter().map(|row| row.plan_id.clone()).collect();
    let plan_contents: Vec<Value> = rows.plans.iter().map(|row| row.content.clone()).collect();
    let private: Vec<bool> = rows.plans.iter().map(|row| row.private).collect();
    let audiences: Vec<i64> = rows.plans.iter().map(|row| row.audience).collect();
    let (assets, digests, asset_contents): (Vec<_>, Vec<_>, Vec<_>) = rows
        .assets
        .iter()
        .map(|row| (row.name.clone(), row.digest.clone(), row.content.clone()))
        .collect();
    sqlx::query!(
        "WITH pages AS (
           INSERT INTO offer_catalog.listing_pages (listing_id, plan_id, page, content)
           SELECT $1, * FROM unnest($2::text[], $3::text[], $4::jsonb[])
         ), plans AS (
           INSERT INTO offer_catalog.listing_plans (listing_id, plan_id, content, private, audience)
           SELECT $1, * FROM unnest($5::text[], $6::jsonb[], $7::boolean[], $8::bigint[])
         )
         INSERT INTO offer_catalog.listing_assets (listing_id, name, digest, content)
         SELECT $1, * FROM unnest($9::text[], $10::text[], $11::jsonb[])",
        listing,
        &page_plans,
        &pages,
        &page_contents,
        &plans,
        &plan_contents,
        &private,
        &audiences,
        &assets,
        &digests,
        &asset_contents
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Serves the prepared listing of a submission as the offer's preview, in place of the one before (PV-5). `false`: there
/// is no such prepared listing.
pub async fn serve_preview(
    db: &mut PgConnection,
    offer: Uuid,
    submission: Uuid,
    now: OffsetDateTime,
) -> Result<bool> {
    drop_previews(db, offer, Some(submission)).await?;
    let done = sqlx::query!(
        "UPDATE offer_catalog.listings SET stage = 'preview', served_since = $3
         WHERE offer_uid = $1 AND submission = $2 AND stage = 'prepared'",
        offer,
        submission,
        now
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Serves no preview of the offer any more, but for one submission's.
pub async fn drop_previews(db: &mut PgConnection, offer: Uuid, keep: Option<Uuid>) -> Result<()> {
    sqlx::query!(
        "DELETE FROM offer_catalog.listings
         WHERE offer_uid = $1 AND stage = 'preview' AND submission IS DISTINCT FROM $2",
        offer,
        keep
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Drops what was prepared for a submission, or is its preview. What is live stays.
pub async fn drop_submission(db: &mut PgConnection, offer: Uuid, submission: Uuid) -> Result<()> {
    sqlx::query!(
        "DELETE FROM offer_catalog.listings WHERE offer_uid = $1 AND submission = $2 AND stage <> 'live'",
        offer,
        submission
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Serves a listing to customers in place of the one before. The audiences of its private plans are the newer of frozen
/// and last synced (SY-6).
pub async fn serve_live(
    db: &mut PgConnection,
    head: &Head,
    indexed: &Indexed,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query!(
        "DELETE FROM offer_catalog.listings WHERE offer_uid = $1 AND stage = 'live' AND listing_id <> $2",
        head.offer_uid,
        head.id
    )
    .execute(&mut *db)
    .await?;
    let done = sqlx::query!(
        "WITH audiences AS (
           UPDATE offer_catalog.listing_plans lp SET audience = greatest(lp.audience, p.synced_audience)
           FROM offer_catalog.plans p
           WHERE lp.listing_id = $1 AND lp.private AND p.offer_uid = $2 AND p.plan_id = lp.plan_id
         )
         UPDATE offer_catalog.listings
         SET stage = 'live', served_since = $3, title = $4, summary = $5, logo_digest = $6, storefronts = $7, categories = $8,
             search = setweight(to_tsvector('english', $4), 'A') || setweight(to_tsvector('english', $9), 'B')
                      || setweight(to_tsvector('english', $5 || ' ' || $11 || ' ' || $12), 'C')
                      || setweight(to_tsvector('english', $10), 'D')
         WHERE listing_id = $1",
        head.id,
        head.offer_uid,
        now,
        indexed.title,
        indexed.summary,
        indexed.logo_digest,
        &indexed.storefronts,
        &indexed.categories,
        indexed.keywords,
        indexed.text,
        indexed.kinds,
        head.publisher_display_name
    )
    .execute(db)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::corrupt("the listing is gone under the offer's lock"))
    }
}

/// Takes the live listing away (T27).
pub async fn remove_live(db: &mut PgConnection, offer: Uuid) -> Result<()> {
    sqlx::query!(
        "DELETE FROM offer_catalog.listings WHERE offer_uid = $1 AND stage = 'live'",
        offer
    )
    .execute(db)
    .await?;
    Ok(())
}
