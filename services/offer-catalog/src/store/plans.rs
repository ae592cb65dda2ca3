//! Rows of plans.

use marketplace_runtime::access::{Membership, Scope};
use marketplace_runtime::ids::PlanName;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::membership;
use crate::domain::plan::Plan;
use crate::error::{Error, Result};

struct Row {
    offer_uid: Uuid,
    plan_id: String,
    display_name: String,
    subtype: String,
    revision: i64,
    ever_frozen: bool,
    create_time: OffsetDateTime,
}

impl From<Row> for Plan {
    fn from(row: Row) -> Self {
        Plan {
            offer_uid: row.offer_uid,
            id: row.plan_id,
            display_name: row.display_name,
            subtype: row.subtype,
            revision: row.revision,
            ever_frozen: row.ever_frozen,
            create_time: row.create_time,
        }
    }
}

/// A plan with the caller's standing, in one statement.
pub async fn get(
    db: &mut PgConnection,
    scope: &Scope,
    name: &PlanName,
    now: OffsetDateTime,
) -> Result<Option<(Plan, Membership)>> {
    let row = sqlx::query!(
        r#"SELECT l.offer_uid, l.plan_id, l.display_name, l.subtype, l.revision, l.ever_frozen, l.create_time,
                  m.roles AS "roles?",
                  EXISTS (SELECT FROM offer_catalog.operator_grants g WHERE g.publisher_id = o.publisher_id
                          AND g.revoke_time IS NULL AND g.expire_time > $5) AS "granted!"
           FROM offer_catalog.offers o
           JOIN offer_catalog.plans l ON l.offer_uid = o.offer_uid AND l.plan_id = $3
           LEFT JOIN offer_catalog.members m ON m.publisher_id = o.publisher_id AND m.principal = $4
           WHERE o.publisher_id = $1 AND o.offer_id = $2"#,
        name.publisher,
        name.offer,
        name.plan,
        scope.principal(),
        now
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let standing = membership(row.roles, row.granted)?;
    let plan = Row {
        offer_uid: row.offer_uid,
        plan_id: row.plan_id,
        display_name: row.display_name,
        subtype: row.subtype,
        revision: row.revision,
        ever_frozen: row.ever_frozen,
        create_time: row.create_time,
    };
    Ok(Some((plan.into(), standing)))
}

/// A plan of an offer whose row is locked.
pub async fn of_offer(db: &mut PgConnection, offer: Uuid, plan: &str) -> Result<Option<Plan>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT offer_uid, plan_id, display_name, subtype, revision, ever_frozen, create_time
         FROM offer_catalog.plans WHERE offer_uid = $1 AND plan_id = $2",
        offer,
        plan
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Plan::from))
}

/// A page of an offer's plans, by id.
pub async fn list(
    db: &mut PgConnection,
    offer: Uuid,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Plan>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT offer_uid, plan_id, display_name, subtype, revision, ever_frozen, create_time
         FROM offer_catalog.plans WHERE offer_uid = $1 AND ($2::text IS NULL OR plan_id > $2)
         ORDER BY plan_id LIMIT $3",
        offer,
        after,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Plan::from).collect())
}

/// How many plans an offer has.
pub async fn count(db: &mut PgConnection, offer: Uuid) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM offer_catalog.plans WHERE offer_uid = $1"#,
        offer
    )
    .fetch_one(db)
    .await?;
    Ok(count)
}

/// A new plan. `false`: id or display name is taken.
pub async fn insert(db: &mut PgConnection, plan: &Plan) -> Result<bool> {
    let done = sqlx::query!(
        "INSERT INTO offer_catalog.plans (offer_uid, plan_id, display_name, subtype, revision, create_time)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        plan.offer_uid,
        plan.id,
        plan.display_name,
        plan.subtype,
        plan.revision,
        plan.create_time
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Renames a plan. `false`: another plan of the offer has the name.
pub async fn rename(db: &mut PgConnection, plan: &Plan) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE offer_catalog.plans p SET display_name = $3, revision = $4
         WHERE p.offer_uid = $1 AND p.plan_id = $2
           AND NOT EXISTS (SELECT FROM offer_catalog.plans o
                           WHERE o.offer_uid = $1 AND o.plan_id <> $2 AND o.display_name = $3)",
        plan.offer_uid,
        plan.id,
        plan.display_name,
        plan.revision
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// T04: whether an open freeze has the plan, or one that reached a prepared preview.
pub async fn is_held(db: &mut PgConnection, offer: Uuid, plan: &str) -> Result<bool> {
    let held = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM offer_catalog.freezes
                          WHERE offer_uid = $1 AND $2 = ANY (plans) AND (prepared OR close_time IS NULL)) AS "held!""#,
        offer,
        plan
    )
    .fetch_one(db)
    .await?;
    Ok(held)
}

/// What else is known of a plan.
pub struct Standing {
    pub plan_id: String,
    pub display_name: String,
    /// See [`is_held`].
    pub held: bool,
    /// The live listing has it as a private plan.
    pub live_private: bool,
}

/// Every plan of an offer, by id.
pub async fn standings(db: &mut PgConnection, offer: Uuid) -> Result<Vec<Standing>> {
    let found = sqlx::query_as!(
        Standing,
        r#"WITH held AS MATERIALIZED (
             SELECT DISTINCT unnest(plans) AS plan_id FROM offer_catalog.freezes
             WHERE offer_uid = $1 AND (prepared OR close_time IS NULL)
           )
           SELECT p.plan_id, p.display_name, h.plan_id IS NOT NULL AS "held!",
                  EXISTS (SELECT FROM offer_catalog.listings l JOIN offer_catalog.listing_plans s USING (listing_id)
                          WHERE l.offer_uid = $1 AND l.stage = 'live' AND s.plan_id = p.plan_id AND s.private) AS "live_private!"
           FROM offer_catalog.plans p LEFT JOIN held h ON h.plan_id = p.plan_id
           WHERE p.offer_uid = $1 ORDER BY p.plan_id"#,
        offer
    )
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Deletes a plan; its pages go with it.
pub async fn delete(db: &mut PgConnection, offer: Uuid, plan: &str) -> Result<()> {
    let done = sqlx::query!(
        "DELETE FROM offer_catalog.plans WHERE offer_uid = $1 AND plan_id = $2",
        offer,
        plan
    )
    .execute(db)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::corrupt("the plan is gone under the offer's lock"))
    }
}

/// Marks the plans that a freeze has seen.
pub async fn mark_frozen(db: &mut PgConnection, offer: Uuid, plans: &[String]) -> Result<()> {
    sqlx::query!(
        "UPDATE offer_catalog.plans SET ever_frozen = true
         WHERE offer_uid = $1 AND plan_id = ANY ($2) AND NOT ever_frozen",
        offer,
        plans
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Version of the private audience that was last synced, of each plan that ever was.
pub async fn synced(db: &mut PgConnection, offer: Uuid) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        "SELECT plan_id, synced_audience FROM offer_catalog.plans WHERE offer_uid = $1 AND synced_audience > 0",
        offer
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.plan_id, row.synced_audience))
        .collect())
}
