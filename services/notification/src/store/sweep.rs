//! What is done once in a while: reminders, and what is past its age.

use sqlx::PgConnection;
use sqlx::types::Uuid;
use time::{Duration, OffsetDateTime};

use crate::error::Error;

/// Items and notices.
const KEPT: Duration = Duration::days(400);
/// Mails that were sent or given up; codes.
const MAILS: Duration = Duration::days(30);
/// Rows in one statement, so that no lock is held for long.
const CHUNK: i64 = 1_000;

/// Tells again of previews that wait for a sign-off since before then (A39). Each once, with the time since when it waits:
/// the sign-off that ends it is later, however late its news is.
pub async fn remind(
    db: &mut PgConnection,
    before: OffsetDateTime,
    now: OffsetDateTime,
    ids: &[Uuid],
) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"WITH old AS (
             UPDATE notification.notices SET reminded_at = $2
             WHERE id IN (SELECT id FROM notification.notices
                          WHERE code = 'N04' AND resolved_at IS NULL AND reminded_at IS NULL AND occurred_at < $1
                            AND cause NOT LIKE 'reminder:%'
                          ORDER BY occurred_at LIMIT cardinality($3::uuid[]) FOR UPDATE SKIP LOCKED)
             RETURNING publisher, offer, offer_uid, submission, facts, occurred_at
           ), numbered AS (SELECT row_number() OVER () AS n, old.* FROM old)
           INSERT INTO notification.notices (id, cause, code, publisher, offer, offer_uid, submission, facts, occurred_at, due_at)
           SELECT ($3::uuid[])[n], 'reminder:' || submission, 'N04', publisher, offer, offer_uid, submission,
             jsonb_set(facts, '{variant}', '"reminder"'), occurred_at, $2
           FROM numbered
           ON CONFLICT (cause, code) DO NOTHING"#,
        before,
        now,
        ids
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Deletes what is past its age; answers how many rows. Actions that stand are kept however old they are.
pub async fn sweep(db: &mut PgConnection, now: OffsetDateTime) -> Result<u64, Error> {
    let (old, sent) = (now - KEPT, now - MAILS);
    let mails = sqlx::query!(
        "DELETE FROM notification.mails WHERE id IN
           (SELECT id FROM notification.mails WHERE state <> 'pending' AND settled_at < $1 LIMIT $2)",
        sent,
        CHUNK
    )
    .execute(&mut *db)
    .await?;
    let codes = sqlx::query!(
        "DELETE FROM notification.verifications WHERE hash IN
           (SELECT hash FROM notification.verifications WHERE expires_at < $1 LIMIT $2)",
        sent,
        CHUNK
    )
    .execute(&mut *db)
    .await?;
    let items = sqlx::query!(
        "DELETE FROM notification.items WHERE id IN
           (SELECT id FROM notification.items
            WHERE created_at < $1 AND (kind = 'status' OR resolved_at IS NOT NULL OR archived_at IS NOT NULL) LIMIT $2)",
        old,
        CHUNK
    )
    .execute(&mut *db)
    .await?;
    let notices = sqlx::query!(
        "DELETE FROM notification.notices n WHERE id IN
           (SELECT id FROM notification.notices n
            WHERE occurred_at < $1 AND state = 'told'
              AND NOT EXISTS (SELECT FROM notification.items i WHERE i.notice = n.id)
              AND NOT EXISTS (SELECT FROM notification.mails m WHERE m.notice = n.id) LIMIT $2)",
        old,
        CHUNK
    )
    .execute(&mut *db)
    .await?;
    let previews = sqlx::query!(
        "DELETE FROM notification.previews WHERE submission IN
           (SELECT submission FROM notification.previews WHERE told_at < $1 LIMIT $2)",
        old,
        CHUNK
    )
    .execute(&mut *db)
    .await?;
    let gone = [mails, codes, items, notices, previews];
    Ok(gone.iter().map(|done| done.rows_affected()).sum())
}
