//! The one write: what was told becomes part of the record.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::{ActorKind, Entry, Subject};
use crate::error::Error;
use crate::store::{self, Growth, Locked};

/// What one event says of one offer.
#[derive(Debug, Clone)]
pub struct Told {
    pub subject: Subject,
    pub entries: Vec<Entry>,
    /// The offer is gone.
    pub deleted: bool,
}

/// Appends the entries of a batch to the records of their offers, in the order told: two statements, however many
/// events and offers there are. Answers which offers' records grew.
pub async fn record(db: &mut PgConnection, told: Vec<Told>) -> Result<Vec<Uuid>, Error> {
    let mut by_offer: BTreeMap<Uuid, (Subject, Vec<Entry>)> = BTreeMap::new();
    let mut deleted = Vec::new();
    for Told {
        subject,
        entries,
        deleted: gone,
    } in told
    {
        if gone {
            deleted.push(subject.uid);
        }
        let (known, all) = by_offer
            .entry(subject.uid)
            .or_insert_with(|| (subject.clone(), Vec::new()));
        if !subject.offer_type.is_empty() {
            known.offer_type = subject.offer_type;
        }
        all.extend(entries);
    }
    by_offer.retain(|uid, (_, entries)| !entries.is_empty() || deleted.contains(uid));
    let subjects: Vec<&Subject> = by_offer.values().map(|(subject, _)| subject).collect();
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    let heads = store::lock(db, &subjects).await?;
    let grown: Vec<Growth> = heads
        .into_iter()
        .filter_map(|head| grow(head, &mut by_offer))
        .collect();
    if !grown.is_empty() {
        store::append(db, &grown).await?;
    }
    if !deleted.is_empty() {
        store::mark_deleted(db, &deleted).await?;
    }
    Ok(grown
        .iter()
        .map(|growth| growth.record.chain.offer_uid)
        .collect())
}

/// The record after its entries; `None` where there are none.
fn grow(
    mut record: Locked,
    by_offer: &mut BTreeMap<Uuid, (Subject, Vec<Entry>)>,
) -> Option<Growth> {
    let (subject, entries) = by_offer.remove(&record.chain.offer_uid)?;
    if entries.is_empty() {
        return None;
    }
    if !subject.offer_type.is_empty() {
        record.offer_type = subject.offer_type;
    }
    for entry in &entries {
        note(&mut record, entry);
    }
    let rows = entries
        .into_iter()
        .map(|entry| record.chain.append(entry))
        .collect();
    Some(Growth { record, rows })
}

/// Keeps what the filters of the page can take.
fn note(record: &mut Locked, entry: &Entry) {
    if !record.codes.contains(&entry.code) {
        record.codes.push(entry.code);
        record.codes.sort_unstable();
    }
    match entry.actor.kind {
        ActorKind::User if !record.principals.contains(&entry.actor.principal) => {
            record.principals.push(entry.actor.principal.clone());
        }
        ActorKind::Operator => record.operated = true,
        ActorKind::User | ActorKind::System => {}
    }
    let at = entry.at.occurred_at;
    record.oldest = Some(record.oldest.map_or(at, |oldest| oldest.min(at)));
    record.newest = Some(record.newest.map_or(at, |newest| newest.max(at)));
}
