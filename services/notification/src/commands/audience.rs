//! The submission notification audience of an offer (NO-2 to NO-6).

use marketplace_runtime::access::Scope;
use marketplace_runtime::ids;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::{Code, Member, Portal, Product, membership};
use crate::error::Error;
use crate::store::{self, Item};

/// Puts a member on the list. Owners hear anyway: for them nothing is kept (A35).
pub async fn add_audience_member(
    db: &mut PgConnection,
    scope: &Scope,
    offer: &Product,
    member: &Member,
    portal: &Portal,
    now: OffsetDateTime,
) -> Result<(), Error> {
    if member.owner {
        return Ok(());
    }
    if !member.may_join {
        return Err(Error::RoleNotEligible);
    }
    if store::add(db, scope, offer.uid, member, now).await? {
        tell(db, scope, offer, &member.principal, true, portal, now).await?;
    }
    Ok(())
}

/// Takes a member off the list; `owner`: the member is one.
pub async fn remove_audience_member(
    db: &mut PgConnection,
    scope: &Scope,
    offer: &Product,
    member: &str,
    owner: bool,
    portal: &Portal,
    now: OffsetDateTime,
) -> Result<(), Error> {
    if owner {
        return Err(Error::OwnerAlwaysNotified);
    }
    let gone = store::remove(db, scope, offer.uid, member).await?;
    let principal = gone.ok_or_else(|| Error::NotFound("AudienceEntry", member.to_owned()))?;
    tell(db, scope, offer, &principal, false, portal, now).await
}

/// N14.
async fn tell(
    db: &mut PgConnection,
    scope: &Scope,
    offer: &Product,
    principal: &str,
    added: bool,
    portal: &Portal,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let message = membership(&offer.name, added, portal);
    let item = Item::new(
        ids::new_id(),
        principal,
        Code::AudienceMembership,
        &message,
        now,
    );
    let publisher = scope.publisher().unwrap_or_default().to_owned();
    store::deliver(
        db,
        &[Item {
            publisher,
            offer: offer.name.clone(),
            ..item
        }],
    )
    .await
}
