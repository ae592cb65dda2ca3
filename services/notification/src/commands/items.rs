//! A person's own items.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::Kind;
use crate::error::Error;
use crate::store::{self, Item};

/// Notes that an item was read; the first time counts.
pub async fn mark_action_item_read(
    db: &mut PgConnection,
    principal: &str,
    id: Uuid,
    at: OffsetDateTime,
) -> Result<Item, Error> {
    let mut item = find(db, principal, id).await?;
    if item.read_at.is_none() {
        item.read_at = Some(at);
        store::read(db, &item).await?;
    }
    Ok(item)
}

/// Puts an item away; a mandatory action not before it was taken (NO-8, NO-10).
pub async fn archive_action_item(
    db: &mut PgConnection,
    principal: &str,
    id: Uuid,
    at: OffsetDateTime,
) -> Result<Item, Error> {
    let mut item = find(db, principal, id).await?;
    if item.kind == Kind::MandatoryAction && item.resolved_at.is_none() {
        return Err(Error::MandatoryItem);
    }
    if item.archived_at.is_none() {
        item.archived_at = Some(at);
        store::archive(db, &item).await?;
    }
    Ok(item)
}

async fn find(db: &mut PgConnection, principal: &str, id: Uuid) -> Result<Item, Error> {
    let found = store::get(db, principal, id).await?;
    found.ok_or_else(|| Error::NotFound("ActionItem", format!("actionItems/{id}")))
}
