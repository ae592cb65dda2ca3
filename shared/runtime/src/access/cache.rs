//! Answers of the catalog that led to a yes: fresh for 5 s, of use to reads for 60 s while the catalog is away.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::scope::Membership;

/// How long a positive answer is good for anything.
pub(super) const FRESH: Duration = Duration::from_secs(5);
/// How long it is good for reads while the catalog is away.
pub(super) const USABLE: Duration = Duration::from_secs(60);
/// The most answers kept.
const MAX_KEPT: usize = 10_000;

/// Membership by publisher and principal. Only answers that permitted something are put in: negative ones aren't
/// cached, so that a new member can work at once.
#[derive(Default)]
pub(super) struct Cache {
    kept: Mutex<HashMap<(String, String), (Membership, Instant)>>,
}

impl Cache {
    /// An answer not older than `age`.
    pub fn get(&self, publisher: &str, principal: &str, age: Duration) -> Option<Membership> {
        let key = (publisher.to_owned(), principal.to_owned());
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&key)
            .filter(|(_, at)| at.elapsed() <= age)
            .map(|(membership, _)| membership.clone())
    }

    pub fn put(&self, publisher: &str, principal: &str, membership: Membership) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.retain(|_, (_, at)| at.elapsed() <= USABLE);
        }
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(
            (publisher.to_owned(), principal.to_owned()),
            (membership, Instant::now()),
        );
    }

    /// Forgets an answer that a newer one took back.
    pub fn forget(&self, publisher: &str, principal: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&(publisher.to_owned(), principal.to_owned()));
    }
}
