//! People's addresses and languages, and the codes that prove an address.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::Person;
use crate::error::Error;

/// What is known of these people; those who never set anything are absent.
pub async fn people(db: &mut PgConnection, principals: &[String]) -> Result<Vec<Person>, Error> {
    let found = sqlx::query_as!(
        Person,
        "SELECT principal, email, verified_at, language, revision FROM notification.people WHERE principal = ANY($1)",
        principals
    )
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// What is known of one person.
pub async fn person(db: &mut PgConnection, principal: &str) -> Result<Person, Error> {
    let found = people(db, &[principal.to_owned()]).await?;
    Ok(found
        .into_iter()
        .next()
        .unwrap_or_else(|| Person::unknown(principal)))
}

/// The same, locked; made if nothing was ever set.
pub async fn lock(db: &mut PgConnection, principal: &str) -> Result<Option<Person>, Error> {
    let found = sqlx::query_as!(
        Person,
        "SELECT principal, email, verified_at, language, revision FROM notification.people WHERE principal = $1 FOR UPDATE",
        principal
    )
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Writes a person whose row this transaction has locked, or who has none: a twin that made it meanwhile wins, and the
/// caller sees 0.
pub async fn save(db: &mut PgConnection, person: &Person) -> Result<u64, Error> {
    let done = sqlx::query!(
        "INSERT INTO notification.people AS p (principal, email, verified_at, language, revision)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (principal) DO UPDATE SET email = excluded.email, verified_at = excluded.verified_at,
           language = excluded.language, revision = excluded.revision
         WHERE p.revision = excluded.revision - 1",
        person.principal,
        person.email,
        person.verified_at,
        person.language,
        person.revision
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// The address was proved.
pub async fn verified(
    db: &mut PgConnection,
    principal: &str,
    at: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE notification.people SET verified_at = $2, revision = revision + 1 WHERE principal = $1",
        principal,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A code that was mailed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub hash: Vec<u8>,
    pub email: String,
    pub expires_at: OffsetDateTime,
    pub used_at: Option<OffsetDateTime>,
}

/// Codes made for a person since then, and when the oldest of them was.
pub async fn codes_since(
    db: &mut PgConnection,
    principal: &str,
    since: OffsetDateTime,
) -> Result<(i64, Option<OffsetDateTime>), Error> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "made!", min(made_at) AS oldest FROM notification.verifications
           WHERE principal = $1 AND made_at > $2"#,
        principal,
        since
    )
    .fetch_one(db)
    .await?;
    Ok((row.made, row.oldest))
}

/// Keeps the hash of a code.
pub async fn put_code(
    db: &mut PgConnection,
    hash: &[u8],
    person: &Person,
    made_at: OffsetDateTime,
    expires_at: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO notification.verifications (hash, principal, email, made_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        hash,
        person.principal,
        person.email,
        made_at,
        expires_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A code of this person by its hash, locked.
pub async fn code(
    db: &mut PgConnection,
    principal: &str,
    hash: &[u8],
) -> Result<Option<Verification>, Error> {
    let found = sqlx::query_as!(
        Verification,
        "SELECT hash, email, expires_at, used_at FROM notification.verifications
         WHERE principal = $1 AND hash = $2 FOR UPDATE",
        principal,
        hash
    )
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// It can't be used again.
pub async fn use_code(db: &mut PgConnection, hash: &[u8], at: OffsetDateTime) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE notification.verifications SET used_at = $2 WHERE hash = $1",
        hash,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Codes for an earlier address prove nothing any more; they still count for the rate.
pub async fn forget_codes(
    db: &mut PgConnection,
    principal: &str,
    at: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE notification.verifications SET used_at = $2 WHERE principal = $1 AND used_at IS NULL",
        principal,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}
