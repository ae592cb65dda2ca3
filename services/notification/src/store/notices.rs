//! Notices: written with their event, told afterwards by whoever holds the lease.

use sqlx::PgConnection;
use sqlx::types::{JsonValue, Uuid};
use time::OffsetDateTime;

use crate::domain::{About, Facts, Notice, Of, Resolve};
use crate::error::Error;

/// Writes notices; one that was written before is left as it is.
pub async fn insert(db: &mut PgConnection, notices: &[Notice]) -> Result<(), Error> {
    let column = |of: fn(&Notice) -> String| -> Vec<String> { notices.iter().map(of).collect() };
    let ids: Vec<Uuid> = notices.iter().map(|n| n.id).collect();
    let uids: Vec<Uuid> = notices.iter().map(|n| n.about.offer_uid).collect();
    let facts = notices
        .iter()
        .map(|n| serde_json::to_value(&n.facts))
        .collect::<Result<Vec<JsonValue>, _>>()?;
    let times: Vec<OffsetDateTime> = notices.iter().map(|n| n.occurred_at).collect();
    let resolved: Vec<Option<OffsetDateTime>> = notices.iter().map(|n| n.resolved_at).collect();
    sqlx::query!(
        "INSERT INTO notification.notices
           (id, cause, code, publisher, offer, offer_uid, submission, facts, occurred_at, resolved_at, due_at)
         SELECT n.id, n.cause, n.code, n.publisher, n.offer, n.offer_uid, n.submission, n.facts, n.occurred_at,
           n.resolved_at, now()
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::jsonb[],
                     $9::timestamptz[], $10::timestamptz[])
           AS n (id, cause, code, publisher, offer, offer_uid, submission, facts, occurred_at, resolved_at)
         ON CONFLICT (cause, code) DO NOTHING",
        &ids,
        &column(|n| n.cause.clone()),
        &column(|n| n.code.as_str().to_owned()),
        &column(|n| n.about.publisher.clone()),
        &column(|n| n.about.offer.clone()),
        &uids,
        &column(|n| n.about.submission.clone()),
        &facts,
        &times,
        &resolved as &[Option<OffsetDateTime>]
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that actions were taken: of the notices, then of the items made of them. Two statements, because the first may
/// wait for a transaction that is just making such items, which only a new statement sees.
pub async fn resolve(db: &mut PgConnection, resolves: &[Resolve]) -> Result<(), Error> {
    let uids: Vec<Uuid> = resolves.iter().map(|r| r.offer_uid).collect();
    let codes: Vec<String> = resolves.iter().map(codes_of).collect();
    let only: Vec<Option<String>> = resolves.iter().map(|r| only(&r.of)).collect();
    let but: Vec<Option<String>> = resolves.iter().map(|r| but(&r.of)).collect();
    let times: Vec<OffsetDateTime> = resolves.iter().map(|r| r.at).collect();
    let closed = sqlx::query!(
        r#"UPDATE notification.notices n SET resolved_at = r.at
           FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
             AS r (offer_uid, codes, own, but, at)
           WHERE n.offer_uid = r.offer_uid AND n.code = ANY(string_to_array(r.codes, ',')) AND n.resolved_at IS NULL
             AND n.code IN ('N02', 'N03', 'N04', 'N05') AND n.occurred_at <= r.at
             AND (r.own IS NULL OR n.submission = r.own) AND (r.but IS NULL OR n.submission <> r.but)
           RETURNING n.id, n.resolved_at AS "at!""#,
        &uids,
        &codes,
        &only as &[Option<String>],
        &but as &[Option<String>],
        &times
    )
    .fetch_all(&mut *db)
    .await?;
    if closed.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = closed.iter().map(|row| row.id).collect();
    let times: Vec<OffsetDateTime> = closed.iter().map(|row| row.at).collect();
    sqlx::query!(
        "UPDATE notification.items i SET resolved_at = c.at
         FROM unnest($1::uuid[], $2::timestamptz[]) AS c (notice, at)
         WHERE i.notice = c.notice AND i.resolved_at IS NULL",
        &ids,
        &times
    )
    .execute(db)
    .await?;
    Ok(())
}

fn codes_of(resolve: &Resolve) -> String {
    resolve
        .codes
        .iter()
        .map(|code| code.as_str())
        .collect::<Vec<_>>()
        .join(",")
}

fn only(of: &Of) -> Option<String> {
    match of {
        Of::Only(submission) => Some(submission.clone()),
        Of::Every | Of::Others(_) => None,
    }
}

fn but(of: &Of) -> Option<String> {
    match of {
        Of::Others(submission) => Some(submission.clone()),
        Of::Every | Of::Only(_) => None,
    }
}

/// A notice that this process is telling now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub notice: Notice,
    pub attempts: i32,
}

/// Takes notices that are due, under a lease.
pub async fn claim(
    db: &mut PgConnection,
    now: OffsetDateTime,
    until: OffsetDateTime,
    limit: i64,
) -> Result<Vec<Claimed>, Error> {
    let rows = sqlx::query!(
        "UPDATE notification.notices SET due_at = $2, attempts = attempts + 1
         WHERE id IN (SELECT id FROM notification.notices WHERE state = 'pending' AND due_at <= $1
                      ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING id, cause, code, publisher, offer, offer_uid, submission, facts, occurred_at, resolved_at, attempts",
        now,
        until,
        limit
    )
    .fetch_all(db)
    .await?;
    let claimed = rows.into_iter().map(|row| {
        let facts: Facts = serde_json::from_value(row.facts)?;
        let about = About {
            publisher: row.publisher,
            offer: row.offer,
            offer_uid: row.offer_uid,
            submission: row.submission,
        };
        let (cause, code) = (row.cause, row.code.parse()?);
        let (occurred_at, resolved_at) = (row.occurred_at, row.resolved_at);
        let notice = Notice {
            id: row.id,
            cause,
            code,
            about,
            facts,
            occurred_at,
            resolved_at,
        };
        Ok(Claimed {
            notice,
            attempts: row.attempts,
        })
    });
    claimed.collect()
}

/// Marks claimed notices as told and locks them; answers those that were still to tell under this claim, with what was
/// resolved by now. Who lost the lease gets none, and writes nothing.
pub async fn confirm(
    db: &mut PgConnection,
    claimed: &[Claimed],
) -> Result<Vec<(Uuid, Option<OffsetDateTime>)>, Error> {
    let ids: Vec<Uuid> = claimed.iter().map(|c| c.notice.id).collect();
    let attempts: Vec<i32> = claimed.iter().map(|c| c.attempts).collect();
    let rows = sqlx::query!(
        "UPDATE notification.notices n SET state = 'told'
         FROM unnest($1::uuid[], $2::int4[]) AS c (id, attempts)
         WHERE n.id = c.id AND n.attempts = c.attempts AND n.state = 'pending'
         RETURNING n.id, n.resolved_at",
        &ids,
        &attempts
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id, row.resolved_at))
        .collect())
}

/// What it needs is away: it is tried again then.
pub async fn postpone(
    db: &mut PgConnection,
    claimed: &Claimed,
    until: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE notification.notices SET due_at = $3 WHERE id = $1 AND attempts = $2 AND state = 'pending'",
        claimed.notice.id,
        claimed.attempts,
        until
    )
    .execute(db)
    .await?;
    Ok(())
}
