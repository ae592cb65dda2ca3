//! Rows of operator grants (RO-7).

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::publisher::Grant;
use crate::error::Result;

struct Row {
    publisher_id: String,
    grant_id: Uuid,
    reason: String,
    granted_by: String,
    create_time: OffsetDateTime,
    expire_time: OffsetDateTime,
    revoke_time: Option<OffsetDateTime>,
}

impl From<Row> for Grant {
    fn from(row: Row) -> Self {
        Grant {
            publisher: row.publisher_id,
            id: row.grant_id,
            reason: row.reason,
            granted_by: row.granted_by,
            create_time: row.create_time,
            expire_time: row.expire_time,
            revoke_time: row.revoke_time,
        }
    }
}

/// A new grant.
pub async fn insert(db: &mut PgConnection, grant: &Grant) -> Result<()> {
    sqlx::query!(
        "INSERT INTO offer_catalog.operator_grants (publisher_id, grant_id, reason, granted_by, create_time, expire_time)
         VALUES ($1, $2, $3, $4, $5, $6)",
        grant.publisher,
        grant.id,
        grant.reason,
        grant.granted_by,
        grant.create_time,
        grant.expire_time
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Ends a grant now; one that was revoked before keeps its time. `None`: there is no such grant.
pub async fn revoke(
    db: &mut PgConnection,
    publisher: &str,
    id: Uuid,
    now: OffsetDateTime,
) -> Result<Option<Grant>> {
    let row = sqlx::query_as!(
        Row,
        "UPDATE offer_catalog.operator_grants SET revoke_time = coalesce(revoke_time, $3)
         WHERE publisher_id = $1 AND grant_id = $2
         RETURNING publisher_id, grant_id, reason, granted_by, create_time, expire_time, revoke_time",
        publisher,
        id,
        now
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Grant::from))
}

/// A page of a publisher's grants, newest first: ids grow with time.
pub async fn list(
    db: &mut PgConnection,
    publisher: &str,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Grant>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT publisher_id, grant_id, reason, granted_by, create_time, expire_time, revoke_time
         FROM offer_catalog.operator_grants WHERE publisher_id = $1 AND ($2::uuid IS NULL OR grant_id < $2)
         ORDER BY grant_id DESC LIMIT $3",
        publisher,
        after,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Grant::from).collect())
}
