//! Audiences: versioned lists outside of snapshots (SY-6). The plan '' is the offer's preview.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::audience::{Audience, Customer};
use crate::error::Result;

/// The version that holds exactly this audience: the newest if it is equal, else a new one. The offer must be locked.
pub async fn keep(
    db: &mut PgConnection,
    offer: Uuid,
    plan: &str,
    audience: &Audience,
    now: OffsetDateTime,
) -> Result<i64> {
    let version = sqlx::query_scalar!(
        r#"WITH newest AS (
             SELECT version, members FROM offer_catalog.audiences
             WHERE offer_uid = $1 AND plan_id = $2 ORDER BY version DESC LIMIT 1
           ), made AS (
             INSERT INTO offer_catalog.audiences (offer_uid, plan_id, version, members, create_time)
             SELECT $1, $2, coalesce((SELECT version FROM newest), 0) + 1, $3, $4
             WHERE NOT EXISTS (SELECT FROM newest WHERE members = $3)
             RETURNING version
           )
           SELECT coalesce((SELECT version FROM made), (SELECT version FROM newest)) AS "version!""#,
        offer,
        plan,
        &audience.to_stored(),
        now
    )
    .fetch_one(db)
    .await?;
    Ok(version)
}

/// A version of an audience; version 0 and a version that never was hold nobody.
pub async fn get(db: &mut PgConnection, offer: Uuid, plan: &str, version: i64) -> Result<Audience> {
    let members = sqlx::query_scalar!(
        "SELECT members FROM offer_catalog.audiences WHERE offer_uid = $1 AND plan_id = $2 AND version = $3",
        offer,
        plan,
        version
    )
    .fetch_optional(db)
    .await?;
    Ok(members.map(Audience::stored).unwrap_or_default())
}

/// Whether a customer is in a version of an audience.
pub async fn has(
    db: &mut PgConnection,
    offer: Uuid,
    plan: &str,
    version: i64,
    customer: &Customer,
) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT members && $4 AS "found!" FROM offer_catalog.audiences
           WHERE offer_uid = $1 AND plan_id = $2 AND version = $3"#,
        offer,
        plan,
        version,
        &customer.ids()
    )
    .fetch_optional(db)
    .await?;
    Ok(found.unwrap_or(false))
}

/// Serves a version in every listing of the offer that has the plan as a private one (SY-1: preview and live together),
/// and notes it for listings to come. Answers the number of listings. Versions only grow.
pub async fn serve(db: &mut PgConnection, offer: Uuid, plan: &str, version: i64) -> Result<u64> {
    let done = sqlx::query!(
        "WITH noted AS (
           UPDATE offer_catalog.plans SET synced_audience = greatest(synced_audience, $3)
           WHERE offer_uid = $1 AND plan_id = $2
         )
         UPDATE offer_catalog.listing_plans p SET audience = $3
         FROM offer_catalog.listings l
         WHERE l.offer_uid = $1 AND p.listing_id = l.listing_id AND p.plan_id = $2 AND p.private AND p.audience < $3",
        offer,
        plan,
        version
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// The version that customers of the live listing are held against, where the plan is a private one of it.
pub async fn live_version(db: &mut PgConnection, offer: Uuid, plan: &str) -> Result<Option<i64>> {
    let version = sqlx::query_scalar!(
        "SELECT p.audience FROM offer_catalog.listings l
         JOIN offer_catalog.listing_plans p ON p.listing_id = l.listing_id
         WHERE l.offer_uid = $1 AND l.stage = 'live' AND p.plan_id = $2 AND p.private",
        offer,
        plan
    )
    .fetch_optional(db)
    .await?;
    Ok(version)
}
