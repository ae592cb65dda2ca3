//! Who works for a publisher, as what. The publisher's row is locked first, so that two changes at once can't both
//! leave one owner (RO-4).

use marketplace_messaging::Work;
use marketplace_runtime::access::{Role, Scope};
use time::OffsetDateTime;

use crate::domain::publisher::Member;
use crate::domain::refusal::Refusal;
use crate::error::{Error, Result};
use crate::{outgoing, store};

async fn hold(db: &mut Work, scope: &Scope, publisher: &str, now: OffsetDateTime) -> Result<Scope> {
    store::publishers::lock(db, publisher).await?;
    let standing = store::publishers::standing(db, scope, publisher, now).await?;
    Ok(scope.clone().settle(&standing)?)
}

fn owners_only(scope: &Scope) -> Result<()> {
    if scope.role() == Some(Role::Owner) {
        Ok(())
    } else {
        Err(Error::RoleRequired("owners are made and unmade by owners"))
    }
}

/// Adds a member (RO-3).
pub async fn create(db: &mut Work, scope: &Scope, member: &Member) -> Result<()> {
    let scope = hold(db, scope, &member.publisher, member.create_time).await?;
    if member.is_owner() {
        owners_only(&scope)?;
    }
    if !store::members::insert(db, member).await? {
        return Err(Error::AlreadyExists {
            kind: "Member",
            name: name(member),
        });
    }
    db.tell(outgoing::member_changed(
        &scope,
        member,
        false,
        member.create_time,
    ));
    Ok(())
}

/// What is to become of a member.
pub struct Change<'a> {
    pub publisher: &'a str,
    pub id: &'a str,
    pub display_name: String,
    pub roles: Vec<Role>,
    pub etag: Option<i64>,
}

/// Replaces display name and roles. The last owner stays one.
pub async fn update(
    db: &mut Work,
    scope: &Scope,
    change: Change<'_>,
    now: OffsetDateTime,
) -> Result<Member> {
    let scope = hold(db, scope, change.publisher, now).await?;
    let mut member = load(db, change.publisher, change.id).await?;
    if change.etag.is_some_and(|etag| etag != member.revision) {
        return Err(Error::StaleEtag {
            current: member.revision.to_string(),
        });
    }
    let was_owner = member.is_owner();
    member.display_name = change.display_name;
    member.roles = change.roles;
    member.revision += 1;
    if was_owner != member.is_owner() {
        owners_only(&scope)?;
    }
    if was_owner && !member.is_owner() {
        another_owner(db, &member).await?;
    }
    store::members::save(db, &member).await?;
    db.tell(outgoing::member_changed(&scope, &member, false, now));
    Ok(member)
}

/// Removes a member. The last owner stays.
pub async fn delete(
    db: &mut Work,
    scope: &Scope,
    publisher: &str,
    id: &str,
    now: OffsetDateTime,
) -> Result<()> {
    let scope = hold(db, scope, publisher, now).await?;
    let member = load(db, publisher, id).await?;
    if member.is_owner() {
        owners_only(&scope)?;
        another_owner(db, &member).await?;
    }
    store::members::delete(db, publisher, id).await?;
    db.tell(outgoing::member_changed(&scope, &member, true, now));
    Ok(())
}

async fn load(db: &mut Work, publisher: &str, id: &str) -> Result<Member> {
    let found = store::members::get(db, publisher, id).await?;
    found.ok_or_else(|| Error::not_found("Member", format!("publishers/{publisher}/members/{id}")))
}

async fn another_owner(db: &mut Work, member: &Member) -> Result<()> {
    match store::members::other_owners(db, &member.publisher, &member.id).await? {
        0 => Err(Refusal::LastOwner.into()),
        _ => Ok(()),
    }
}

fn name(member: &Member) -> String {
    format!("publishers/{}/members/{}", member.publisher, member.id)
}
