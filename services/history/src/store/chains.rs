//! Heads of chains: one row per offer, locked while rows are appended.

use sqlx::PgConnection;
use sqlx::types::Uuid;
use time::OffsetDateTime;

use marketplace_runtime::access::Scope;

use super::{hash, parse_all};
use crate::domain::{Chain, Code, Subject};
use crate::error::Error;

/// What is known of an offer's record without reading its rows.
#[derive(Debug, Clone)]
pub struct Record {
    pub chain: Chain,
    pub offer_type: String,
    /// Types of rows that it has.
    pub codes: Vec<Code>,
    /// Users who initiated something.
    pub principals: Vec<String>,
    /// An operator initiated something.
    pub operated: bool,
    pub oldest: Option<OffsetDateTime>,
    pub newest: Option<OffsetDateTime>,
}

/// The record of an offer of this publisher; the newest one where the id was used again after a delete.
pub async fn find(
    db: &mut PgConnection,
    scope: &Scope,
    offer: &str,
) -> Result<Option<Record>, Error> {
    let row = sqlx::query_as!(
        Head,
        "SELECT offer_uid, offer_type, seq, head, codes, principals, operated, oldest, newest
         FROM history.chains
         WHERE publisher = $1 AND offer = $2 AND NOT deleted
         ORDER BY offer_uid DESC LIMIT 1",
        scope.publisher(),
        offer
    )
    .fetch_optional(db)
    .await?;
    row.map(Record::try_from).transpose()
}

/// A head that this transaction has locked.
pub type Locked = Record;

/// Makes the heads that are missing and locks all, in the order of their ids.
pub async fn lock(db: &mut PgConnection, offers: &[&Subject]) -> Result<Vec<Locked>, Error> {
    let uids: Vec<Uuid> = offers.iter().map(|offer| offer.uid).collect();
    let mut heads = take(db, &uids).await?;
    if heads.len() < uids.len() {
        make(db, &uids, offers).await?;
        heads = take(db, &uids).await?;
    }
    Ok(heads)
}

async fn take(db: &mut PgConnection, uids: &[Uuid]) -> Result<Vec<Locked>, Error> {
    let rows = sqlx::query_as!(
        Head,
        "SELECT offer_uid, offer_type, seq, head, codes, principals, operated, oldest, newest
         FROM history.chains WHERE offer_uid = ANY($1) ORDER BY offer_uid FOR UPDATE",
        uids
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Record::try_from).collect()
}

async fn make(db: &mut PgConnection, uids: &[Uuid], offers: &[&Subject]) -> Result<(), Error> {
    let publishers: Vec<String> = offers.iter().map(|offer| offer.publisher.clone()).collect();
    let ids: Vec<String> = offers.iter().map(|offer| offer.offer.clone()).collect();
    sqlx::query!(
        "INSERT INTO history.chains (offer_uid, publisher, offer)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]) AS new (uid, publisher, offer) ORDER BY uid
         ON CONFLICT (offer_uid) DO NOTHING",
        uids,
        &publishers,
        &ids
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The offer is gone: its record stays, and is found by its name no more.
pub async fn mark_deleted(db: &mut PgConnection, offers: &[Uuid]) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE history.chains SET deleted = true WHERE offer_uid = ANY($1)",
        offers
    )
    .execute(db)
    .await?;
    Ok(())
}

struct Head {
    offer_uid: Uuid,
    offer_type: String,
    seq: i64,
    head: Vec<u8>,
    codes: Vec<String>,
    principals: Vec<String>,
    operated: bool,
    oldest: Option<OffsetDateTime>,
    newest: Option<OffsetDateTime>,
}

impl TryFrom<Head> for Record {
    type Error = Error;

    fn try_from(row: Head) -> Result<Record, Error> {
        Ok(Record {
            chain: Chain {
                offer_uid: row.offer_uid,
                seq: row.seq,
                head: hash(&row.head)?,
            },
            offer_type: row.offer_type,
            codes: parse_all(&row.codes)?,
            principals: row.principals,
            operated: row.operated,
            oldest: row.oldest,
            newest: row.newest,
        })
    }
}
