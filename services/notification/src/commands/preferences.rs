//! A person's address and language, and the proof of the address (NO-8, NO-9).

use std::time::Duration;

use marketplace_messaging::Work;
use marketplace_runtime::ids;
use time::OffsetDateTime;

use super::MAILS;
use crate::domain::{
    self, CODE_LIFE, CODES_PER_HOUR, Code, Person, Portal, Preferences, unverified, verification,
};
use crate::error::Error;
use crate::mail::{self, Letterhead};
use crate::store::{self, Item, Mail};

/// Sets address and language. Another address is unproved, and the person is asked to prove it.
pub async fn update_preferences(
    db: &mut Work,
    principal: &str,
    wanted: Preferences,
    portal: &Portal,
    now: OffsetDateTime,
) -> Result<Person, Error> {
    let person = store::lock(db, principal)
        .await?
        .unwrap_or_else(|| Person::unknown(principal));
    if wanted.etag.is_some_and(|etag| etag != person.revision) {
        return Err(Error::StaleEtag(person.revision));
    }
    let before = person.email.clone();
    let person = person.changed(wanted.email, wanted.language);
    if store::save(db, &person).await? == 0 {
        return Err(Error::StaleEtag(person.revision));
    }
    if person.email != before {
        store::forget_codes(db, principal, now).await?;
        if person.email.is_empty() {
            store::resolve_unverified(db, principal, now).await?;
        } else {
            let item = Item::new(
                ids::new_id(),
                principal,
                Code::EmailUnverified,
                &unverified(portal),
                now,
            );
            store::raise_unverified(db, item).await?;
        }
    }
    Ok(person)
}

/// A fresh code in plain, which is mailed and not kept.
pub struct NewCode(pub String);

/// Mails a code to the address that is set; at most five an hour.
pub async fn send_verification(
    db: &mut Work,
    principal: &str,
    code: NewCode,
    head: &Letterhead,
    portal: &Portal,
    now: OffsetDateTime,
) -> Result<(), Error> {
    // The lock makes the count exact: two requests at once are one after the other.
    let person = store::lock(db, principal)
        .await?
        .filter(|person| !person.email.is_empty())
        .ok_or(Error::NoAddress)?;
    if person.verified_at.is_some() {
        return Err(Error::AlreadyVerified);
    }
    let (made, oldest) = store::codes_since(db, principal, now - time::Duration::HOUR).await?;
    if made >= CODES_PER_HOUR {
        let free = oldest.unwrap_or(now) + time::Duration::HOUR - now;
        return Err(Error::TooManyCodes(
            Duration::try_from(free).unwrap_or(Duration::from_secs(60)),
        ));
    }
    store::put_code(db, &domain::hash(&code.0), &person, now, now + CODE_LIFE).await?;
    let id = ids::new_id();
    let message = mail::render(
        head,
        &person.email,
        id,
        now,
        &verification(&code.0, portal),
        false,
    )?;
    let (principal, address) = (person.principal, person.email);
    store::put_mails(
        db,
        &[Mail {
            id,
            notice: None,
            principal,
            address,
            message,
            secret: true,
            created_at: now,
        }],
    )
    .await?;
    db.wake(MAILS);
    Ok(())
}

/// Proves the address by a code that was mailed to it.
pub async fn verify_email(
    db: &mut Work,
    principal: &str,
    code: &str,
    now: OffsetDateTime,
) -> Result<Person, Error> {
    let person = store::lock(db, principal)
        .await?
        .ok_or(Error::CodeInvalid)?;
    let found = store::code(db, principal, &domain::hash(code))
        .await?
        .ok_or(Error::CodeInvalid)?;
    if found.used_at.is_some() || found.email != person.email {
        return Err(Error::CodeInvalid);
    }
    if found.expires_at <= now {
        return Err(Error::CodeExpired);
    }
    store::use_code(db, &found.hash, now).await?;
    store::verified(db, principal, now).await?;
    store::resolve_unverified(db, principal, now).await?;
    Ok(Person {
        verified_at: Some(now),
        revision: person.revision + 1,
        ..person
    })
}
