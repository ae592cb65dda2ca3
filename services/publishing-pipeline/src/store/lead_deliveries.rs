//! Customers' leads on their way: kept once they are heard of, delivered by whoever holds the lease.

use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::error::Error;

/// How long it is known what became of one.
const KEPT: Duration = Duration::days(30);

/// A lead that this process delivers now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLead {
    pub lead: Uuid,
    pub attempts: i32,
}

/// Leads to deliver, each with its offer; those that are known stay as they are. Some that are done with long ago go, so
/// that the table doesn't grow for ever.
pub async fn put_leads(
    db: &mut PgConnection,
    leads: &[(Uuid, Uuid)],
    now: OffsetDateTime,
) -> Result<(), Error> {
    let (ids, offers): (Vec<Uuid>, Vec<Uuid>) = leads.iter().copied().unzip();
    sqlx::query!(
        "WITH old AS (
           DELETE FROM publishing.lead_deliveries WHERE lead IN (
             SELECT lead FROM publishing.lead_deliveries WHERE state <> 'pending' AND settled_at < $4
             ORDER BY settled_at LIMIT 100 FOR UPDATE SKIP LOCKED)
         )
         INSERT INTO publishing.lead_deliveries (lead, offer_uid, due_at)
         SELECT n.lead, n.offer_uid, $3 FROM unnest($1::uuid[], $2::uuid[]) AS n (lead, offer_uid)
         ON CONFLICT (lead) DO NOTHING",
        &ids,
        &offers,
        now,
        now - KEPT
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes leads that are due, under a lease.
pub async fn claim_leads(
    db: &mut PgConnection,
    now: OffsetDateTime,
    until: OffsetDateTime,
    limit: i64,
) -> Result<Vec<DueLead>, Error> {
    let leads = sqlx::query_as!(
        DueLead,
        "UPDATE publishing.lead_deliveries SET due_at = $2, attempts = attempts + 1
         WHERE lead IN (SELECT lead FROM publishing.lead_deliveries WHERE state = 'pending' AND due_at <= $1
                        ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING lead, attempts",
        now,
        until,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(leads)
}

/// It was taken.
pub async fn lead_delivered(
    db: &mut PgConnection,
    lead: Uuid,
    at: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE publishing.lead_deliveries SET state = 'delivered', settled_at = $2, error = ''
         WHERE lead = $1 AND state = 'pending'",
        lead,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// It was not: it is tried again then, or never.
pub async fn lead_failed(
    db: &mut PgConnection,
    due: &DueLead,
    why: &str,
    again: Option<OffsetDateTime>,
    at: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE publishing.lead_deliveries SET error = $3,
           due_at = coalesce($4, due_at),
           state = CASE WHEN $4::timestamptz IS NULL THEN 'failed' ELSE state END,
           settled_at = CASE WHEN $4::timestamptz IS NULL THEN $5 ELSE settled_at END
         WHERE lead = $1 AND attempts = $2 AND state = 'pending'",
        due.lead,
        due.attempts,
        why,
        again,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}
