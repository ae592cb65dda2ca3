//! Reading rows: the list, newest first; everything after a number, in the order of recording; everything, oldest first.

use sqlx::PgConnection;
use sqlx::types::Uuid;

use super::{Record, Stored};
use crate::domain::{Filter, OfferType, Place, Row};
use crate::error::Error;

/// A page of the list: rows that pass the filter, newest first, after (that is, older than) the key.
pub async fn list(
    db: &mut PgConnection,
    record: &Record,
    filter: &Filter,
    kind: &OfferType,
    older_than: Option<Place>,
    limit: i64,
) -> Result<Vec<Row>, Error> {
    let codes: Option<Vec<String>> = filter
        .wanted_codes()
        .map(|codes| texts(codes.iter().map(|code| code.as_str())));
    let pages = filter
        .wanted_pages(kind)
        .map(|pages| texts(pages.iter().map(|page| page.as_str())));
    let users = filter.users.as_ref();
    // The comparison of rows alone would not prune partitions: the plain one on the time does.
    let rows = sqlx::query_as!(
        Stored,
        "SELECT seq, event_id, place, source, revision, occurred_at, code, actor, principal, plan_id, plan_name,
           submission, leg, step, step_name, started_at, completed_at, completion, pages, reason, hash
         FROM history.rows
         WHERE offer_uid = $1
           AND ($2::timestamptz IS NULL
                OR (occurred_at <= $2 AND (occurred_at, source, revision, place) < ($2, $3, $4, $5)))
           AND ($6::timestamptz IS NULL OR occurred_at >= $6)
           AND ($7::timestamptz IS NULL OR occurred_at < $7)
           AND ($8::text[] IS NULL OR code = ANY($8))
           AND ($9::text[] IS NULL OR (actor = 'user' AND principal = ANY($9)) OR (actor = 'operator' AND $10))
           AND ($11::text[] IS NULL OR pages && $11)
         ORDER BY occurred_at DESC, source DESC, revision DESC, place DESC
         LIMIT $12",
        record.chain.offer_uid,
        older_than.map(|key| key.occurred_at),
        older_than.map(|key| key.source.as_str()),
        older_than.map(|key| key.revision),
        older_than.map(|key| key.place),
        filter.days.from,
        filter.days.until,
        codes.as_deref(),
        users.map(|users| users.principals.as_slice()),
        users.is_some_and(|users| users.operators),
        pages.as_deref(),
        limit
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::try_from).collect()
}

/// Rows after a number, in the order of recording: for watching and verifying.
pub async fn after(
    db: &mut PgConnection,
    offer_uid: Uuid,
    seq: i64,
    limit: i64,
) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as!(
        Stored,
        "SELECT seq, event_id, place, source, revision, occurred_at, code, actor, principal, plan_id, plan_name,
           submission, leg, step, step_name, started_at, completed_at, completion, pages, reason, hash
         FROM history.rows WHERE offer_uid = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        offer_uid,
        seq,
        limit
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::try_from).collect()
}

/// Where an export goes on.
pub type After = Option<Place>;

/// Rows newer than the key, oldest first: for the export.
pub async fn page(
    db: &mut PgConnection,
    offer_uid: Uuid,
    newer_than: After,
    limit: i64,
) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as!(
        Stored,
        "SELECT seq, event_id, place, source, revision, occurred_at, code, actor, principal, plan_id, plan_name,
           submission, leg, step, step_name, started_at, completed_at, completion, pages, reason, hash
         FROM history.rows
         WHERE offer_uid = $1
           AND ($2::timestamptz IS NULL
                OR (occurred_at >= $2 AND (occurred_at, source, revision, place) > ($2, $3, $4, $5)))
         ORDER BY occurred_at, source, revision, place
         LIMIT $6",
        offer_uid,
        newer_than.map(|key| key.occurred_at),
        newer_than.map(|key| key.source.as_str()),
        newer_than.map(|key| key.revision),
        newer_than.map(|key| key.place),
        limit
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::try_from).collect()
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    values.map(str::to_owned).collect()
}
