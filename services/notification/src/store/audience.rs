//! Submission notification audiences: who chose to hear of an offer.

use std::collections::{HashMap, HashSet};

use marketplace_runtime::access::Scope;
use sqlx::PgConnection;
use sqlx::types::Uuid;
use time::OffsetDateTime;

use crate::domain::Member;
use crate::error::Error;

/// The principals on the list of an offer of this publisher.
pub async fn listed(
    db: &mut PgConnection,
    scope: &Scope,
    offer_uid: Uuid,
) -> Result<HashSet<String>, Error> {
    let found = sqlx::query_scalar!(
        "SELECT principal FROM notification.audience WHERE publisher = $1 AND offer_uid = $2",
        scope.publisher(),
        offer_uid
    )
    .fetch_all(db)
    .await?;
    Ok(found.into_iter().collect())
}

/// The same for several offers, for telling.
pub async fn listed_in(
    db: &mut PgConnection,
    offers: &[Uuid],
) -> Result<HashMap<Uuid, HashSet<String>>, Error> {
    let rows = sqlx::query!(
        "SELECT offer_uid, principal FROM notification.audience WHERE offer_uid = ANY($1)",
        offers
    )
    .fetch_all(db)
    .await?;
    let mut lists: HashMap<Uuid, HashSet<String>> = HashMap::new();
    for row in rows {
        lists
            .entry(row.offer_uid)
            .or_default()
            .insert(row.principal);
    }
    Ok(lists)
}

/// Puts a member on the list; false if they are on it.
pub async fn add(
    db: &mut PgConnection,
    scope: &Scope,
    offer_uid: Uuid,
    member: &Member,
    at: OffsetDateTime,
) -> Result<bool, Error> {
    let done = sqlx::query!(
        "INSERT INTO notification.audience (publisher, offer_uid, principal, member, added_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (offer_uid, principal) DO NOTHING",
        scope.publisher(),
        offer_uid,
        member.principal,
        member.name,
        at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a member off the list; answers their principal.
pub async fn remove(
    db: &mut PgConnection,
    scope: &Scope,
    offer_uid: Uuid,
    member: &str,
) -> Result<Option<String>, Error> {
    let removed = sqlx::query_scalar!(
        "DELETE FROM notification.audience WHERE publisher = $1 AND offer_uid = $2 AND member = $3 RETURNING principal",
        scope.publisher(),
        offer_uid,
        member
    )
    .fetch_optional(db)
    .await?;
    Ok(removed)
}

/// The list of an offer that is gone.
pub async fn remove_audience(db: &mut PgConnection, offer_uid: Uuid) -> Result<(), Error> {
    sqlx::query!(
        "DELETE FROM notification.audience WHERE offer_uid = $1",
        offer_uid
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes a member who can no longer hear of submissions off every list of the publisher (NO-6). Late news of it spares
/// lists that they were put on since.
pub async fn remove_ineligible(
    db: &mut PgConnection,
    publisher: &str,
    principal: &str,
    at: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query!(
        "DELETE FROM notification.audience WHERE publisher = $1 AND principal = $2 AND added_at < $3",
        publisher,
        principal,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}
