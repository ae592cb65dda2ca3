//! The hash chain of an offer's record: each row's SHA-256 covers the row and the hash before it, so that no row can be
//! changed, left out or put in without every later hash and the head disagreeing.

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Entry, Row};

/// SHA-256.
pub type Hash = [u8; 32];

/// Raised when the bytes below are laid out differently; rows keep the layout they were hashed with.
const FORMAT: u8 = 1;

/// The end of an offer's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    pub offer_uid: Uuid,
    /// Rows so far.
    pub seq: i64,
    /// Hash of the newest; zeros before the first.
    pub head: Hash,
}

impl Chain {
    /// Before the first row.
    pub fn new(offer_uid: Uuid) -> Chain {
        Chain {
            offer_uid,
            seq: 0,
            head: [0; 32],
        }
    }

    /// Adds an entry to the end.
    pub fn append(&mut self, entry: Entry) -> Row {
        self.seq += 1;
        self.head = hash(self.offer_uid, self.seq, &self.head, &entry);
        Row {
            entry,
            seq: self.seq,
            hash: self.head,
        }
    }
}

/// The hash of a row: every field, each with its length, so that no two rows have the same bytes.
fn hash(offer_uid: Uuid, seq: i64, before: &Hash, entry: &Entry) -> Hash {
    let mut bytes = Fields(Sha256::new());
    bytes.field(&[FORMAT]);
    bytes.field(before);
    bytes.field(offer_uid.as_bytes());
    bytes.field(&seq.to_be_bytes());
    bytes.field(entry.event_id.as_bytes());
    bytes.field(&entry.at.place.to_be_bytes());
    bytes.text(entry.at.source.as_str());
    bytes.field(&entry.at.revision.to_be_bytes());
    bytes.time(Some(entry.at.occurred_at));
    bytes.text(entry.code.as_str());
    bytes.text(entry.actor.kind.as_str());
    bytes.text(&entry.actor.principal);
    bytes.text(&entry.plan_id);
    bytes.text(&entry.plan_name);
    bytes.field(
        entry
            .submission
            .as_ref()
            .map_or(&[][..], |id| id.as_bytes()),
    );
    bytes.text(entry.leg.map_or("", |leg| leg.as_str()));
    let step = entry.step.as_ref();
    bytes.text(step.map_or("", |step| &step.id));
    bytes.text(step.map_or("", |step| &step.name));
    bytes.time(step.and_then(|step| step.started_at));
    bytes.time(step.map(|step| step.completed_at));
    bytes.text(step.map_or("", |step| step.completion.as_str()));
    bytes.field(&(entry.pages.len() as u64).to_be_bytes());
    for page in &entry.pages {
        bytes.text(page.as_str());
    }
    bytes.text(&entry.reason);
    bytes.0.finalize().into()
}

struct Fields(Sha256);

impl Fields {
    fn field(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.field(text.as_bytes());
    }

    fn time(&mut self, at: Option<OffsetDateTime>) {
        match at {
            // Microseconds: what the database keeps.
            Some(at) => self.field(&(at.unix_timestamp_nanos() / 1_000).to_be_bytes()),
            None => self.field(&[]),
        }
    }
}

/// What recomputing a chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub rows: i64,
    /// The first row that is missing or doesn't fit what came before it.
    pub first_broken: Option<i64>,
    /// The hash that the head row claims.
    pub head: Hash,
}

/// Recomputes a chain row by row, in the order of `seq`.
#[derive(Debug)]
pub struct Verifier {
    chain: Chain,
    rows: i64,
    first_broken: Option<i64>,
}

impl Verifier {
    /// Of this offer, before its first row.
    pub fn new(offer_uid: Uuid) -> Verifier {
        Verifier {
            chain: Chain::new(offer_uid),
            rows: 0,
            first_broken: None,
        }
    }

    /// Takes the next row.
    pub fn take(&mut self, row: Row) {
        self.rows += 1;
        let (seq, claimed) = (row.seq, row.hash);
        let expected = self.chain.append(row.entry);
        if (expected.seq, expected.hash) != (seq, claimed) {
            self.first_broken.get_or_insert(expected.seq.min(seq));
        }
        // Later rows are judged against what this one claims: one change is reported once, at its place.
        self.chain = Chain {
            offer_uid: self.chain.offer_uid,
            seq,
            head: claimed,
        };
    }

    /// Compares the end with the head of the chain as it is kept.
    pub fn finish(mut self, kept: &Chain) -> Verdict {
        if (self.chain.seq, self.chain.head) != (kept.seq, kept.head) {
            self.first_broken.get_or_insert(
                self.chain.seq.min(kept.seq) + i64::from(self.chain.seq != kept.seq),
            );
        }
        Verdict {
            rows: self.rows,
            first_broken: self.first_broken,
            head: kept.head,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Actor, Code, Place, Source};
    use super::*;

    fn rows(chain: &mut Chain, n: i32) -> Vec<Row> {
        let at = |place| Place {
            occurred_at: OffsetDateTime::UNIX_EPOCH,
            source: Source::Publishing,
            revision: 1,
            place,
        };
        (0..n)
            .map(|n| {
                chain.append(Entry::new(
                    Uuid::nil(),
                    at(n),
                    Code::SubmittedToPreview,
                    Actor::system(),
                ))
            })
            .collect()
    }

    fn verify(rows: Vec<Row>, kept: &Chain) -> Verdict {
        let mut verifier = Verifier::new(kept.offer_uid);
        rows.into_iter().for_each(|row| verifier.take(row));
        verifier.finish(kept)
    }

    #[test]
    fn an_untouched_chain_is_intact() {
        let mut chain = Chain::new(Uuid::nil());
        let rows = rows(&mut chain, 5);
        assert_eq!(
            verify(rows, &chain),
            Verdict {
                rows: 5,
                first_broken: None,
                head: chain.head
            }
        );
        assert_eq!(verify(vec![], &Chain::new(Uuid::nil())).first_broken, None);
    }

    #[test]
    fn every_change_is_found_at_its_place() {
        let mut chain = Chain::new(Uuid::nil());
        let good = rows(&mut chain, 5);
        let mut changed = good.clone();
        changed[2].entry.reason = "nothing happened".into();
        assert_eq!(verify(changed, &chain).first_broken, Some(3));
        let mut missing = good.clone();
        missing.remove(1);
        assert_eq!(verify(missing, &chain).first_broken, Some(2));
        let mut cut = good.clone();
        cut.pop();
        assert_eq!(verify(cut, &chain).first_broken, Some(5));
        let mut swapped = good.clone();
        swapped.swap(0, 1);
        assert_eq!(verify(swapped, &chain).first_broken, Some(1));
        let mut moved = good;
        moved[0].entry.at.occurred_at += time::Duration::MICROSECOND;
        assert_eq!(verify(moved, &chain).first_broken, Some(1));
    }

    #[test]
    fn text_that_moves_between_fields_changes_the_hash() {
        let mut chain = Chain::new(Uuid::nil());
        let mut entry = rows(&mut chain, 1).remove(0).entry;
        (entry.plan_id, entry.plan_name) = ("ab".into(), "c".into());
        let one = Chain::new(Uuid::nil()).append(entry.clone());
        (entry.plan_id, entry.plan_name) = ("a".into(), "bc".into());
        assert_ne!(one.hash, Chain::new(Uuid::nil()).append(entry).hash);
    }
}
