//! Mails: stored as they are sent, sent by whoever holds the lease.

use sqlx::PgConnection;
use sqlx::types::Uuid;
use time::OffsetDateTime;

use crate::error::Error;

/// A mail to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub id: Uuid,
    pub notice: Option<Uuid>,
    pub principal: String,
    pub address: String,
    /// The whole message.
    pub message: Vec<u8>,
    /// It holds a code or a link to a preview: its text is kept no longer than it takes to send it.
    pub secret: bool,
    pub created_at: OffsetDateTime,
}

/// A mail that this process sends now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueMail {
    pub id: Uuid,
    pub address: String,
    pub message: Vec<u8>,
    pub attempts: i32,
}

/// Stores mails to send; one for the same notice and person stays as it is.
pub async fn put(db: &mut PgConnection, mails: &[Mail]) -> Result<(), Error> {
    if mails.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = mails.iter().map(|mail| mail.id).collect();
    let notices: Vec<Option<Uuid>> = mails.iter().map(|mail| mail.notice).collect();
    let principals: Vec<String> = mails.iter().map(|mail| mail.principal.clone()).collect();
    let addresses: Vec<String> = mails.iter().map(|mail| mail.address.clone()).collect();
    let messages: Vec<Vec<u8>> = mails.iter().map(|mail| mail.message.clone()).collect();
    let secrets: Vec<bool> = mails.iter().map(|mail| mail.secret).collect();
    let created: Vec<OffsetDateTime> = mails.iter().map(|mail| mail.created_at).collect();
    sqlx::query!(
        "INSERT INTO notification.mails (id, notice, principal, address, message, secret, created_at, due_at)
         SELECT n.id, n.notice, n.principal, n.address, n.message, n.secret, n.created_at, n.created_at
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::bool[], $7::timestamptz[])
           AS n (id, notice, principal, address, message, secret, created_at)
         ON CONFLICT (notice, principal) DO NOTHING",
        &ids,
        &notices as &[Option<Uuid>],
        &principals,
        &addresses,
        &messages,
        &secrets,
        &created
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes mails that are due, under a lease.
pub async fn claim(
    db: &mut PgConnection,
    now: OffsetDateTime,
    until: OffsetDateTime,
    limit: i64,
) -> Result<Vec<DueMail>, Error> {
    let mails = sqlx::query_as!(
        DueMail,
        r#"UPDATE notification.mails SET due_at = $2, attempts = attempts + 1
           WHERE id IN (SELECT id FROM notification.mails WHERE state = 'pending' AND due_at <= $1
                        ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
           RETURNING id, address, message AS "message!", attempts"#,
        now,
        until,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(mails)
}

/// Goes on holding those that are still being sent.
pub async fn hold(
    db: &mut PgConnection,
    ids: &[Uuid],
    held_until: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE notification.mails SET due_at = $3 WHERE id = ANY ($1) AND due_at = $2 AND state = 'pending'",
        ids,
        held_until,
        until
    )
    .execute(db)
    .await?;
    Ok(())
}

/// It was taken. A secret is not kept.
pub async fn sent(db: &mut PgConnection, id: Uuid, at: OffsetDateTime) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE notification.mails SET state = 'sent', settled_at = $2, error = '',
           message = CASE WHEN secret THEN NULL ELSE message END
         WHERE id = $1 AND state = 'pending'",
        id,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// It was not: it is tried again then, or never.
pub async fn failed(
    db: &mut PgConnection,
    mail: &DueMail,
    why: &str,
    again: Option<OffsetDateTime>,
    at: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE notification.mails SET error = $3,
           due_at = coalesce($4, due_at),
           state = CASE WHEN $4::timestamptz IS NULL THEN 'failed' ELSE state END,
           settled_at = CASE WHEN $4::timestamptz IS NULL THEN $5 ELSE settled_at END,
           message = CASE WHEN $4::timestamptz IS NULL AND secret THEN NULL ELSE message END
         WHERE id = $1 AND attempts = $2 AND state = 'pending'",
        mail.id,
        mail.attempts,
        why,
        again,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}
