//! Finding live listings by Postgres full text.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::Result;

/// A hit.
#[derive(Debug)]
pub struct Hit {
    pub listing_id: Uuid,
    pub publisher_id: String,
    pub offer_id: String,
    pub publisher_display_name: String,
    pub title: String,
    pub summary: String,
    pub offer_type: String,
    pub storefronts: Vec<String>,
    pub categories: Vec<String>,
    pub logo_digest: String,
    pub served_since: OffsetDateTime,
    pub rank: f32,
}

/// What a search is for; `None` is everything.
#[derive(Debug, Default, Clone, serde::Serialize)]
pub struct Wanted {
    pub query: Option<String>,
    pub offer_type: Option<String>,
    pub storefront: Option<&'static str>,
    pub publisher: Option<String>,
    pub category: Option<String>,
}

/// Where a page of hits begins: after this one.
#[derive(Debug, Clone, Copy)]
pub struct After {
    pub rank: f32,
    pub served_since: OffsetDateTime,
    pub listing_id: Uuid,
}

/// A page of live listings: best first where a text is asked for, else newest first. Which are looked at,
/// `find_listings` says.
pub async fn find(
    db: &mut PgConnection,
    wanted: &Wanted,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<Hit>> {
    let hits = sqlx::query_as!(
        Hit,
        r#"SELECT h.listing_id AS "listing_id!", h.publisher_id AS "publisher_id!", o.offer_id AS "offer_id!",
                  p.display_name AS "publisher_display_name!",
                  h.title AS "title!", h.summary AS "summary!", h.offer_type AS "offer_type!",
                  h.storefronts AS "storefronts!", h.categories AS "categories!", h.logo_digest AS "logo_digest!",
                  h.served_since AS "served_since!", h.rank AS "rank!"
           FROM (SELECT l.*, CASE WHEN $1::text IS NULL THEN 0
                                  ELSE ts_rank(l.search, websearch_to_tsquery('english', $1)) END::real AS rank
                 FROM offer_catalog.find_listings($1, $2, $3, $4, $5, $7, $8, $9) f
                 JOIN offer_catalog.listings l ON l.listing_id = f.listing_id) h
           JOIN offer_catalog.offers o ON o.offer_uid = h.offer_uid
           JOIN offer_catalog.publishers p ON p.publisher_id = h.publisher_id
           WHERE $6::real IS NULL OR (h.rank, h.served_since, h.listing_id) < ($6, $7::timestamptz, $8::uuid)
           ORDER BY h.rank DESC, h.served_since DESC, h.listing_id DESC LIMIT $9"#,
        wanted.query,
        wanted.offer_type,
        wanted.storefront,
        wanted.publisher,
        wanted.category,
        after.map(|after| after.rank),
        after.map(|after| after.served_since),
        after.map(|after| after.listing_id),
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(hits)
}
