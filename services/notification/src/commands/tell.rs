//! Notices become items of Action Centers, and mails.

use std::collections::{HashMap, HashSet};

use marketplace_messaging::Work;
use marketplace_runtime::ids;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{Code, Member, Message, Person, Portal, recipients, unverified};
use crate::error::Error;
use crate::mail::{self, Letterhead};
use crate::store::{self, Claimed, Item, Mail};

/// Whoever sends mail is woken by this topic.
pub const MAILS: &str = "mails";

/// A claimed notice with its words, and the members that could hear of it.
#[derive(Debug, Clone)]
pub struct Ready<'a> {
    pub claimed: Claimed,
    pub message: Message,
    pub members: &'a [Member],
}

/// Tells everybody who is to be told, once (NO-11): an item each, and a mail to who has proved an address. Who has not
/// is asked to, and gets no mail of it later (A26).
pub async fn tell(
    db: &mut Work,
    ready: &[Ready<'_>],
    head: &Letterhead,
    portal: &Portal,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let claims: Vec<Claimed> = ready.iter().map(|one| one.claimed.clone()).collect();
    let mine: HashMap<Uuid, Option<OffsetDateTime>> =
        store::confirm(db, &claims).await?.into_iter().collect();
    let mut offers: Vec<Uuid> = ready
        .iter()
        .map(|one| one.claimed.notice.about.offer_uid)
        .collect();
    offers.sort_unstable();
    offers.dedup();
    let lists = store::listed_in(db, &offers).await?;
    let nobody = HashSet::new();
    let mut told: Vec<(&Ready<'_>, &Member)> = Vec::new();
    for one in ready
        .iter()
        .filter(|one| mine.contains_key(&one.claimed.notice.id))
    {
        let list = lists
            .get(&one.claimed.notice.about.offer_uid)
            .unwrap_or(&nobody);
        told.extend(
            recipients(one.members, list)
                .into_iter()
                .map(|member| (one, member)),
        );
    }
    let people = addresses(db, &told).await?;
    let (mut items, mut mails, mut unproved) = (Vec::new(), Vec::new(), HashSet::new());
    for (one, member) in told {
        let notice = &one.claimed.notice;
        let resolved_at = mine.get(&notice.id).copied().flatten();
        items.push(item(one, member, resolved_at, now));
        // Nobody is asked for what is done already.
        if !notice.code.by_mail() || !member.person || resolved_at.is_some() {
            continue;
        }
        match people.get(&member.principal).and_then(Person::mail_address) {
            Some(address) => mails.push(letter(one, member, address, head, now)?),
            None if unproved.insert(member.principal.as_str()) => {
                items.push(ask_to_verify(&member.principal, portal, now))
            }
            None => {}
        }
    }
    store::deliver(db, &items).await?;
    if !mails.is_empty() {
        store::put_mails(db, &mails).await?;
        db.wake(MAILS);
    }
    Ok(())
}

async fn addresses(
    db: &mut Work,
    told: &[(&Ready<'_>, &Member)],
) -> Result<HashMap<String, Person>, Error> {
    let mut principals: Vec<String> = told
        .iter()
        .map(|(_, member)| member.principal.clone())
        .collect();
    principals.sort_unstable();
    principals.dedup();
    let people = store::people(db, &principals).await?;
    Ok(people
        .into_iter()
        .map(|person| (person.principal.clone(), person))
        .collect())
}

fn item(
    one: &Ready<'_>,
    member: &Member,
    resolved_at: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Item {
    let notice = &one.claimed.notice;
    let item = Item::new(
        ids::new_id(),
        &member.principal,
        notice.code,
        &one.message,
        now,
    );
    Item {
        notice: Some(notice.id),
        publisher: notice.about.publisher.clone(),
        offer: notice.about.offer.clone(),
        submission: notice.about.submission.clone(),
        resolved_at,
        ..item
    }
}

fn letter(
    one: &Ready<'_>,
    member: &Member,
    address: &str,
    head: &Letterhead,
    now: OffsetDateTime,
) -> Result<Mail, Error> {
    let notice = &one.claimed.notice;
    let id = ids::new_id();
    let message = mail::render(head, address, id, now, &one.message, notice.code.critical())?;
    let (principal, address) = (member.principal.clone(), address.to_owned());
    Ok(Mail {
        id,
        notice: Some(notice.id),
        principal,
        address,
        message,
        secret: !one.message.previews.is_empty(),
        created_at: now,
    })
}

/// N13; at most one stands.
fn ask_to_verify(principal: &str, portal: &Portal, now: OffsetDateTime) -> Item {
    Item::new(
        ids::new_id(),
        principal,
        Code::EmailUnverified,
        &unverified(portal),
        now,
    )
}
