//! Items of people's Action Centers.

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::{JsonValue, Uuid};
use time::OffsetDateTime;

use crate::domain::{Code, Kind, Link, Message};
use crate::error::Error;

/// An item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub id: Uuid,
    pub notice: Option<Uuid>,
    pub principal: String,
    pub code: Code,
    pub kind: Kind,
    pub publisher: String,
    pub offer: String,
    pub submission: String,
    pub title: String,
    pub body: String,
    pub links: Vec<Link>,
    pub created_at: OffsetDateTime,
    pub read_at: Option<OffsetDateTime>,
    pub archived_at: Option<OffsetDateTime>,
    pub resolved_at: Option<OffsetDateTime>,
}

impl Item {
    /// Of a message, for one person; about no offer.
    pub fn new(
        id: Uuid,
        principal: &str,
        code: Code,
        message: &Message,
        created_at: OffsetDateTime,
    ) -> Item {
        Item {
            id,
            notice: None,
            principal: principal.to_owned(),
            code,
            kind: code.kind(),
            publisher: String::new(),
            offer: String::new(),
            submission: String::new(),
            title: message.title.clone(),
            body: message.body(),
            links: message.links.clone(),
            created_at,
            read_at: None,
            archived_at: None,
            resolved_at: None,
        }
    }
}

/// Sort key of the list.
pub type ItemKey = (OffsetDateTime, Uuid);

/// A link as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredLink {
    title: String,
    target: String,
}

struct Stored {
    id: Uuid,
    notice: Option<Uuid>,
    principal: String,
    code: String,
    kind: String,
    publisher: String,
    offer: String,
    submission: String,
    title: String,
    body: String,
    links: JsonValue,
    created_at: OffsetDateTime,
    read_at: Option<OffsetDateTime>,
    archived_at: Option<OffsetDateTime>,
    resolved_at: Option<OffsetDateTime>,
}

impl TryFrom<Stored> for Item {
    type Error = Error;

    fn try_from(row: Stored) -> Result<Item, Error> {
        let links: Vec<StoredLink> = serde_json::from_value(row.links)?;
        Ok(Item {
            id: row.id,
            notice: row.notice,
            principal: row.principal,
            code: row.code.parse()?,
            kind: row.kind.parse()?,
            publisher: row.publisher,
            offer: row.offer,
            submission: row.submission,
            title: row.title,
            body: row.body,
            links: links
                .into_iter()
                .map(|link| Link {
                    title: link.title,
                    target: link.target,
                })
                .collect(),
            created_at: row.created_at,
            read_at: row.read_at,
            archived_at: row.archived_at,
            resolved_at: row.resolved_at,
        })
    }
}

/// Puts items into Action Centers; one that is there already (same notice and person, or a standing N13) stays.
pub async fn deliver(db: &mut PgConnection, items: &[Item]) -> Result<(), Error> {
    if items.is_empty() {
        return Ok(());
    }
    let column = |of: fn(&Item) -> &str| -> Vec<String> {
        items.iter().map(|item| of(item).to_owned()).collect()
    };
    let ids: Vec<Uuid> = items.iter().map(|item| item.id).collect();
    let notices: Vec<Option<Uuid>> = items.iter().map(|item| item.notice).collect();
    let links = items
        .iter()
        .map(stored_links)
        .collect::<Result<Vec<JsonValue>, _>>()?;
    let created: Vec<OffsetDateTime> = items.iter().map(|item| item.created_at).collect();
    let resolved: Vec<Option<OffsetDateTime>> = items.iter().map(|item| item.resolved_at).collect();
    sqlx::query!(
        "INSERT INTO notification.items
           (id, notice, principal, code, kind, publisher, offer, submission, title, body, links, created_at, resolved_at)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                              $8::text[], $9::text[], $10::text[], $11::jsonb[], $12::timestamptz[], $13::timestamptz[])
         ON CONFLICT DO NOTHING",
        &ids,
        &notices as &[Option<Uuid>],
        &column(|item| &item.principal),
        &column(|item| item.code.as_str()),
        &column(|item| item.kind.as_str()),
        &column(|item| &item.publisher),
        &column(|item| &item.offer),
        &column(|item| &item.submission),
        &column(|item| &item.title),
        &column(|item| &item.body),
        &links,
        &created,
        &resolved as &[Option<OffsetDateTime>]
    )
    .execute(db)
    .await?;
    Ok(())
}

fn stored_links(item: &Item) -> Result<JsonValue, serde_json::Error> {
    let links: Vec<StoredLink> = item
        .links
        .iter()
        .map(|link| StoredLink {
            title: link.title.clone(),
            target: link.target.clone(),
        })
        .collect();
    serde_json::to_value(links)
}

/// Asks a person to verify their address, unless that stands already (N13).
pub async fn raise_unverified(db: &mut PgConnection, item: Item) -> Result<(), Error> {
    deliver(db, &[item]).await
}

/// The address is verified: nothing is left to do.
pub async fn resolve_unverified(
    db: &mut PgConnection,
    principal: &str,
    at: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE notification.items SET resolved_at = $2 WHERE principal = $1 AND code = 'N13' AND resolved_at IS NULL",
        principal,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A page of a person's items, newest first.
pub async fn list(
    db: &mut PgConnection,
    principal: &str,
    offer: Option<&str>,
    archived: bool,
    older_than: Option<ItemKey>,
    limit: i64,
) -> Result<Vec<Item>, Error> {
    let rows = sqlx::query_as!(
        Stored,
        "SELECT id, notice, principal, code, kind, publisher, offer, submission, title, body, links, created_at, read_at,
           archived_at, resolved_at
         FROM notification.items
         WHERE principal = $1 AND ($2::text IS NULL OR offer = $2) AND ($3 OR archived_at IS NULL)
           AND ($4::timestamptz IS NULL OR (created_at, id) < ($4, $5))
         ORDER BY created_at DESC, id DESC LIMIT $6",
        principal,
        offer,
        archived,
        older_than.map(|(at, _)| at),
        older_than.map(|(_, id)| id),
        limit
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Item::try_from).collect()
}

/// A person's items that are neither read nor archived.
pub async fn standing_unread(db: &mut PgConnection, principal: &str) -> Result<i64, Error> {
    let unread = sqlx::query_scalar!(
        r#"SELECT count(*) AS "unread!" FROM notification.items
           WHERE principal = $1 AND read_at IS NULL AND archived_at IS NULL"#,
        principal
    )
    .fetch_one(db)
    .await?;
    Ok(unread)
}

/// One of a person's items, locked.
pub async fn get(db: &mut PgConnection, principal: &str, id: Uuid) -> Result<Option<Item>, Error> {
    let row = sqlx::query_as!(
        Stored,
        "SELECT id, notice, principal, code, kind, publisher, offer, submission, title, body, links, created_at, read_at,
           archived_at, resolved_at
         FROM notification.items WHERE principal = $1 AND id = $2 FOR UPDATE",
        principal,
        id
    )
    .fetch_optional(db)
    .await?;
    row.map(Item::try_from).transpose()
}

/// It was read.
pub async fn read(db: &mut PgConnection, item: &Item) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE notification.items SET read_at = $2 WHERE id = $1",
        item.id,
        item.read_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// It was put away.
pub async fn archive(db: &mut PgConnection, item: &Item) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE notification.items SET archived_at = $2 WHERE id = $1",
        item.id,
        item.archived_at
    )
    .execute(db)
    .await?;
    Ok(())
}
