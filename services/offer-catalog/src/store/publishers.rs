//! Rows of publishers.

use marketplace_runtime::access::{Membership, Scope};
use serde_json::Value;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::membership;
use crate::domain::publisher::Publisher;
use crate::error::{Error, Result};

struct Row {
    publisher_id: String,
    display_name: String,
    programme: Value,
    revision: i64,
    create_time: OffsetDateTime,
    update_time: OffsetDateTime,
}

impl Row {
    fn publisher(self) -> Result<Publisher> {
        Ok(Publisher {
            id: self.publisher_id,
            display_name: self.display_name,
            programme: serde_json::from_value(self.programme).map_err(Error::corrupt)?,
            revision: self.revision,
            create_time: self.create_time,
            update_time: self.update_time,
        })
    }
}

/// A new publisher. `false`: the id is taken.
pub async fn insert(db: &mut PgConnection, publisher: &Publisher) -> Result<bool> {
    let programme = serde_json::to_value(&publisher.programme).map_err(Error::corrupt)?;
    let done = sqlx::query!(
        "INSERT INTO offer_catalog.publishers (publisher_id, display_name, programme, revision, create_time, update_time)
         VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT DO NOTHING",
        publisher.id,
        publisher.display_name,
        programme,
        publisher.revision,
        publisher.create_time
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A publisher.
pub async fn get(db: &mut PgConnection, id: &str) -> Result<Option<Publisher>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT publisher_id, display_name, programme, revision, create_time, update_time
         FROM offer_catalog.publishers WHERE publisher_id = $1",
        id
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::publisher).transpose()
}

/// A publisher with its row locked: changes to its members and facts take turns.
pub async fn lock(db: &mut PgConnection, id: &str) -> Result<Option<Publisher>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT publisher_id, display_name, programme, revision, create_time, update_time
         FROM offer_catalog.publishers WHERE publisher_id = $1 FOR NO KEY UPDATE",
        id
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::publisher).transpose()
}

/// Replaces facts and revision of a locked publisher.
pub async fn save(db: &mut PgConnection, publisher: &Publisher) -> Result<()> {
    let programme = serde_json::to_value(&publisher.programme).map_err(Error::corrupt)?;
    let done = sqlx::query!(
        "UPDATE offer_catalog.publishers SET programme = $2, revision = $3, update_time = $4 WHERE publisher_id = $1",
        publisher.id,
        programme,
        publisher.revision,
        publisher.update_time
    )
    .execute(db)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::corrupt("the locked publisher is gone"))
    }
}

/// What the caller is to a publisher; of one that doesn't exist, nothing.
pub async fn standing(
    db: &mut PgConnection,
    scope: &Scope,
    id: &str,
    now: OffsetDateTime,
) -> Result<Membership> {
    let row = sqlx::query!(
        r#"SELECT m.roles AS "roles?",
                  EXISTS (SELECT FROM offer_catalog.operator_grants g WHERE g.publisher_id = p.publisher_id
                          AND g.revoke_time IS NULL AND g.expire_time > $3) AS "granted!"
           FROM offer_catalog.publishers p
           LEFT JOIN offer_catalog.members m ON m.publisher_id = p.publisher_id AND m.principal = $2
           WHERE p.publisher_id = $1"#,
        id,
        scope.principal(),
        now
    )
    .fetch_optional(db)
    .await?;
    row.map_or(Ok(Membership::default()), |row| {
        membership(row.roles, row.granted)
    })
}

/// A page of publishers by id: all of them, or those that `principal` works for.
pub async fn list(
    db: &mut PgConnection,
    principal: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Publisher>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT p.publisher_id, p.display_name, p.programme, p.revision, p.create_time, p.update_time
         FROM offer_catalog.publishers p
         WHERE ($1::text IS NULL OR p.publisher_id IN
                 (SELECT m.publisher_id FROM offer_catalog.members m WHERE m.principal = $1))
           AND ($2::text IS NULL OR p.publisher_id > $2)
         ORDER BY p.publisher_id LIMIT $3",
        principal,
        after,
        limit
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::publisher).collect()
}
