//! Rows of uploads that come in by several streams, and of their pieces. The pieces' content is in the storage of blobs.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::pages::AssetKind;

/// A row, as callers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    pub offer_uid: Uuid,
    pub upload_id: String,
    pub asset_id: String,
    pub kind: AssetKind,
    pub file_name: String,
    pub digest: Option<String>,
    pub size_bytes: Option<i64>,
    pub committed_bytes: i64,
    pub create_time: OffsetDateTime,
    pub expire_time: OffsetDateTime,
}

struct Row {
    offer_uid: Uuid,
    upload_id: String,
    asset_id: String,
    kind: String,
    file_name: String,
    digest: Option<String>,
    size_bytes: Option<i64>,
    committed_bytes: i64,
    create_time: OffsetDateTime,
    expire_time: OffsetDateTime,
}

impl TryFrom<Row> for Upload {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Upload {
            kind: AssetKind::parse(&row.kind).ok_or_else(|| Error::corrupt(&row.kind))?,
            offer_uid: row.offer_uid,
            upload_id: row.upload_id,
            asset_id: row.asset_id,
            file_name: row.file_name,
            digest: row.digest,
            size_bytes: row.size_bytes,
            committed_bytes: row.committed_bytes,
            create_time: row.create_time,
            expire_time: row.expire_time,
        })
    }
}

/// An upload of an offer whose row is locked or was read with the caller's standing.
pub async fn of_offer(
    db: &mut PgConnection,
    offer: Uuid,
    upload: &str,
    now: OffsetDateTime,
) -> Result<Option<Upload>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT offer_uid, upload_id, asset_id, kind, file_name, digest, size_bytes, committed_bytes, create_time, expire_time
         FROM offer_catalog.uploads WHERE offer_uid = $1 AND upload_id = $2 AND expire_time > $3",
        offer,
        upload,
        now
    )
    .fetch_optional(db)
    .await?;
    row.map(Upload::try_from).transpose()
}

/// How many uploads a publisher has. Others of this publisher wait here until the transaction ends.
pub async fn count(db: &mut PgConnection, publisher: &str, now: OffsetDateTime) -> Result<i64> {
    sqlx::query!(
        "SELECT publisher_id FROM offer_catalog.publishers WHERE publisher_id = $1 FOR NO KEY UPDATE",
        publisher
    )
    .fetch_optional(&mut *db)
    .await?;
    // A statement of its own: it sees what was committed until the row was locked.
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM offer_catalog.uploads u JOIN offer_catalog.offers o USING (offer_uid)
           WHERE o.publisher_id = $1 AND u.expire_time > $2"#,
        publisher,
        now
    )
    .fetch_one(db)
    .await?;
    Ok(count)
}

/// A new upload, in the hands of a stream; one of this id that has expired goes.
pub async fn insert(db: &mut PgConnection, upload: &Upload, stream: Uuid) -> Result<()> {
    delete(db, upload.offer_uid, &upload.upload_id).await?;
    sqlx::query!(
        "INSERT INTO offer_catalog.uploads
           (offer_uid, upload_id, asset_id, kind, file_name, digest, size_bytes, stream, create_time, expire_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        upload.offer_uid,
        upload.upload_id,
        upload.asset_id,
        upload.kind.as_str(),
        upload.file_name,
        upload.digest,
        upload.size_bytes,
        stream,
        upload.create_time,
        upload.expire_time
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A stream takes an upload over where so much of it is committed. `false`: it is another number, or it is gone.
pub async fn take(
    db: &mut PgConnection,
    offer: Uuid,
    upload: &str,
    stream: Uuid,
    committed: i64,
) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE offer_catalog.uploads SET stream = $3
         WHERE offer_uid = $1 AND upload_id = $2 AND committed_bytes = $4",
        offer,
        upload,
        stream,
        committed
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Adds a piece whose content is held. `false`: the stream doesn't have the upload any more.
pub async fn commit(
    db: &mut PgConnection,
    offer: Uuid,
    upload: &str,
    stream: Uuid,
    bytes: i64,
    digest: &str,
) -> Result<bool> {
    let done = sqlx::query!(
        "WITH of AS (
           UPDATE offer_catalog.uploads SET committed_bytes = committed_bytes + $4
           WHERE offer_uid = $1 AND upload_id = $2 AND stream = $3
           RETURNING offer_uid, upload_id, committed_bytes - $4 AS start
         )
         INSERT INTO offer_catalog.upload_pieces (offer_uid, upload_id, start, digest)
         SELECT offer_uid, upload_id, start, $5 FROM of",
        offer,
        upload,
        stream,
        bytes,
        digest
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The digests of its pieces, as they follow each other. `None`: the stream doesn't have the upload any more.
pub async fn pieces(
    db: &mut PgConnection,
    offer: Uuid,
    upload: &str,
    stream: Uuid,
) -> Result<Option<Vec<String>>> {
    let pieces = sqlx::query_scalar!(
        r#"SELECT ARRAY(SELECT p.digest FROM offer_catalog.upload_pieces p
                        WHERE p.offer_uid = u.offer_uid AND p.upload_id = u.upload_id ORDER BY p.start) AS "pieces!"
           FROM offer_catalog.uploads u WHERE u.offer_uid = $1 AND u.upload_id = $2 AND u.stream = $3"#,
        offer,
        upload,
        stream
    )
    .fetch_optional(db)
    .await?;
    Ok(pieces)
}

/// Ends an upload by the stream that has it. `false`: it doesn't any more.
pub async fn end(db: &mut PgConnection, offer: Uuid, upload: &str, stream: Uuid) -> Result<bool> {
    let done = sqlx::query!(
        "DELETE FROM offer_catalog.uploads WHERE offer_uid = $1 AND upload_id = $2 AND stream = $3",
        offer,
        upload,
        stream
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes an upload, whoever has it.
pub async fn delete(db: &mut PgConnection, offer: Uuid, upload: &str) -> Result<()> {
    sqlx::query!(
        "DELETE FROM offer_catalog.uploads WHERE offer_uid = $1 AND upload_id = $2",
        offer,
        upload
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Drops uploads whose time is over; answers how many. One that somebody is at is dropped the next time.
pub async fn expire(db: &mut PgConnection, now: OffsetDateTime, most: i64) -> Result<u64> {
    let done = sqlx::query!(
        "DELETE FROM offer_catalog.uploads WHERE (offer_uid, upload_id) IN (
           SELECT offer_uid, upload_id FROM offer_catalog.uploads WHERE expire_time <= $1
           ORDER BY expire_time LIMIT $2 FOR UPDATE SKIP LOCKED)",
        now,
        most
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
