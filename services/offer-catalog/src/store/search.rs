//! Finding live listings: Postgres full text, ranked, or newest first where nothing is asked for.

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
#[derive(Debug, Clone, serde::Serialize)]
pub struct Wanted {
    pub query: Option<String>,
    pub offer_type: Option<String>,
    pub storefront: Option<&'static str>,
    pub publisher: Option<String>,
}

/// Where a page of hits begins: after this one.
#[derive(Debug, Clone, Copy)]
pub struct After {
    pub rank: f32,
    pub served_since: OffsetDateTime,
    pub listing_id: Uuid,
}

/// A page of hits, best first.
pub async fn ranked(
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
           FROM (SELECT l.*, ts_rank(l.search, websearch_to_tsquery('english', $1)) AS rank
                 FROM offer_catalog.listings l
                 WHERE l.stage = 'live' AND l.search @@ websearch_to_tsquery('english', $1)
                   AND ($2::text IS NULL OR l.offer_type = $2)
                   AND ($3::text IS NULL OR $3 = ANY (l.storefronts))
                   AND ($4::text IS NULL OR l.publisher_id = $4)) h
           JOIN offer_catalog.offers o ON o.offer_uid = h.offer_uid
           JOIN offer_catalog.publishers p ON p.publisher_id = h.publisher_id
           WHERE $5::real IS NULL OR (h.rank, h.served_since, h.listing_id) < ($5, $6::timestamptz, $7::uuid)
           ORDER BY h.rank DESC, h.served_since DESC, h.listing_id DESC LIMIT $8"#,
        wanted.query.as_deref().unwrap_or_default(),
        wanted.offer_type,
        wanted.storefront,
        wanted.publisher,
        after.map(|after| after.rank),
        after.map(|after| after.served_since),
        after.map(|after| after.listing_id),
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(hits)
}

/// A page of live listings, newest first.
pub async fn newest(
    db: &mut PgConnection,
    wanted: &Wanted,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<Hit>> {
    let hits = sqlx::query_as!(
        Hit,
        r#"SELECT l.listing_id, l.publisher_id, o.offer_id, p.display_name AS publisher_display_name, l.title, l.summary,
                  l.offer_type, l.storefronts, l.categories, l.logo_digest, l.served_since AS "served_since!",
                  0::real AS "rank!"
           FROM offer_catalog.listings l
           JOIN offer_catalog.offers o ON o.offer_uid = l.offer_uid
           JOIN offer_catalog.publishers p ON p.publisher_id = l.publisher_id
           WHERE l.stage = 'live'
             AND ($1::text IS NULL OR l.offer_type = $1)
             AND ($2::text IS NULL OR $2 = ANY (l.storefronts))
             AND ($3::text IS NULL OR l.publisher_id = $3)
             AND ($4::timestamptz IS NULL OR (l.served_since, l.listing_id) < ($4, $5::uuid))
           ORDER BY l.served_since DESC, l.listing_id DESC LIMIT $6"#,
        wanted.offer_type,
        wanted.storefront,
        wanted.publisher,
        after.map(|after| after.served_since),
        after.map(|after| after.listing_id),
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(hits)
}
