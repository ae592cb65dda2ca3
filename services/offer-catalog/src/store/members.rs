//! Rows of members.

use marketplace_runtime::access::{Membership, PUBLISHING_ROLES, Role};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{membership, roles_of};
use crate::domain::publisher::{Member, MemberKind};
use crate::error::{Error, Result};

struct Row {
    publisher_id: String,
    member_id: String,
    kind: String,
    principal: String,
    display_name: String,
    roles: Vec<String>,
    revision: i64,
    create_time: OffsetDateTime,
}

impl Row {
    fn member(self) -> Result<Member> {
        Ok(Member {
            publisher: self.publisher_id,
            id: self.member_id,
            kind: MemberKind::parse(&self.kind).ok_or_else(|| Error::corrupt(&self.kind))?,
            principal: self.principal,
            display_name: self.display_name,
            roles: roles_of(self.roles)?,
            revision: self.revision,
            create_time: self.create_time,
        })
    }
}

fn stored(roles: &[Role]) -> Vec<String> {
    roles.iter().map(|role| role.as_str().to_owned()).collect()
}

/// A new member. `false`: id or principal is taken.
pub async fn insert(db: &mut PgConnection, member: &Member) -> Result<bool> {
    let done = sqlx::query!(
        "INSERT INTO offer_catalog.members (publisher_id, member_id, kind, principal, display_name, roles, revision, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        member.publisher,
        member.id,
        member.kind.as_str(),
        member.principal,
        member.display_name,
        &stored(&member.roles),
        member.revision,
        member.create_time
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A member.
pub async fn get(db: &mut PgConnection, publisher: &str, id: &str) -> Result<Option<Member>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT publisher_id, member_id, kind, principal, display_name, roles, revision, create_time
         FROM offer_catalog.members WHERE publisher_id = $1 AND member_id = $2",
        publisher,
        id
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::member).transpose()
}

/// Replaces display name, roles and revision.
pub async fn save(db: &mut PgConnection, member: &Member) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE offer_catalog.members SET display_name = $3, roles = $4, revision = $5
         WHERE publisher_id = $1 AND member_id = $2",
        member.publisher,
        member.id,
        member.display_name,
        &stored(&member.roles),
        member.revision
    )
    .execute(db)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::corrupt("the member is gone under the lock"))
    }
}

/// Removes a member.
pub async fn delete(db: &mut PgConnection, publisher: &str, id: &str) -> Result<()> {
    let done = sqlx::query!(
        "DELETE FROM offer_catalog.members WHERE publisher_id = $1 AND member_id = $2",
        publisher,
        id
    )
    .execute(db)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::corrupt("the member is gone under the lock"))
    }
}

/// Owners besides this member. The publisher's row must be locked (RO-4).
pub async fn other_owners(db: &mut PgConnection, publisher: &str, id: &str) -> Result<i64> {
    let owners = sqlx::query_scalar!(
        r#"SELECT count(*) AS "owners!" FROM offer_catalog.members
           WHERE publisher_id = $1 AND member_id <> $2 AND 'owner' = ANY (roles)"#,
        publisher,
        id
    )
    .fetch_one(db)
    .await?;
    Ok(owners)
}

/// A page of a publisher's members, by id.
pub async fn list(
    db: &mut PgConnection,
    publisher: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Member>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT publisher_id, member_id, kind, principal, display_name, roles, revision, create_time
         FROM offer_catalog.members WHERE publisher_id = $1 AND ($2::text IS NULL OR member_id > $2)
         ORDER BY member_id LIMIT $3",
        publisher,
        after,
        limit
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::member).collect()
}

/// The members with these principals, or with an empty list all that have publishing permission.
pub async fn batch(
    db: &mut PgConnection,
    publisher: &str,
    principals: &[String],
) -> Result<Vec<Member>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT publisher_id, member_id, kind, principal, display_name, roles, revision, create_time
         FROM offer_catalog.members
         WHERE publisher_id = $1
           AND CASE WHEN cardinality($2::text[]) = 0 THEN roles && $3 ELSE principal = ANY ($2) END
         ORDER BY member_id",
        publisher,
        principals,
        &stored(PUBLISHING_ROLES)
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::member).collect()
}

/// What a principal is to a publisher, with the id it has there: one statement.
pub async fn check(
    db: &mut PgConnection,
    publisher: &str,
    principal: &str,
    now: OffsetDateTime,
) -> Result<(Membership, Option<String>)> {
    let row = sqlx::query!(
        r#"SELECT m.roles AS "roles?", m.member_id AS "member_id?",
                  EXISTS (SELECT FROM offer_catalog.operator_grants g WHERE g.publisher_id = p.publisher_id
                          AND g.revoke_time IS NULL AND g.expire_time > $3) AS "granted!"
           FROM offer_catalog.publishers p
           LEFT JOIN offer_catalog.members m ON m.publisher_id = p.publisher_id AND m.principal = $2
           WHERE p.publisher_id = $1"#,
        publisher,
        principal,
        now
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else {
        return Ok((Membership::default(), None));
    };
    Ok((membership(row.roles, row.granted)?, row.member_id))
}
