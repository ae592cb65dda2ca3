//! A publisher permits the marketplace's operators to act for it, and takes that back (RO-7).

use marketplace_messaging::Work;
use marketplace_runtime::access::{ActorKind, Scope};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::publisher::Grant;
use crate::error::{Error, Result};
use crate::store;

async fn permit(db: &mut Work, scope: &Scope, publisher: &str, now: OffsetDateTime) -> Result<()> {
    let standing = store::publishers::standing(db, scope, publisher, now).await?;
    let scope = scope.clone().settle(&standing)?;
    match scope.acts_as() {
        // An operator can't prolong its own permission.
        ActorKind::Operator => Err(Error::RoleRequired(
            "grants are made and revoked by the publisher's members",
        )),
        ActorKind::User | ActorKind::System => Ok(()),
    }
}

/// Permits operators until the grant ends.
pub async fn grant_operator(db: &mut Work, scope: &Scope, grant: &Grant) -> Result<()> {
    permit(db, scope, &grant.publisher, grant.create_time).await?;
    store::grants::insert(db, grant).await
}

/// Ends a grant. One that has ended stays as it is.
pub async fn revoke_operator(
    db: &mut Work,
    scope: &Scope,
    publisher: &str,
    id: Uuid,
    now: OffsetDateTime,
) -> Result<Grant> {
    permit(db, scope, publisher, now).await?;
    let revoked = store::grants::revoke(db, publisher, id, now).await?;
    revoked.ok_or_else(|| {
        Error::not_found(
            "OperatorGrant",
            format!("publishers/{publisher}/grants/{id}"),
        )
    })
}
