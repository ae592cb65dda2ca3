//! A request id claimed before anything is done, for the command that asks a neighbour in between.

use std::time::Duration as Wait;

use marketplace_runtime::ids;
use prost::Message;
use time::Duration;
use uuid::Uuid;

use super::{Once, store};
use crate::{Database, Error, Work};

const LEASE: Duration = Duration::seconds(10);
/// Longer than a lease: a twin goes on when the first is gone.
const PATIENCE: Wait = Wait::from_secs(15);
const POLL: Wait = Wait::from_millis(500);

/// Who carries a request out.
#[derive(Debug)]
pub enum Claim {
    /// This call does.
    Mine(Mine),
    /// It is done: the encoded answer.
    Done(Vec<u8>),
}

/// A claim in hand. Complete or release it; forgotten, it ends with its lease.
#[derive(Debug)]
pub struct Mine {
    once: Once,
    id: Uuid,
    holder: Uuid,
}

/// Claims the request id for work under `id`, in a transaction of its own. While a twin has it, waits for its end
/// without holding a connection; after 15 s: [`Error::RequestInProgress`].
pub async fn claim(database: &Database, once: &Once, id: Uuid) -> Result<Claim, Error> {
    let mine = Mine {
        once: once.clone(),
        id,
        holder: ids::new_id(),
    };
    let Some(key) = once.key() else {
        return Ok(Claim::Mine(mine));
    };
    let topic = topic(&key);
    let mut ended = database.wake().on(topic);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(id) = store::claim(database.pool(), once, key, id, mine.holder, LEASE).await? {
            return Ok(Claim::Mine(Mine { id, ..mine }));
        }
        let Some(found) = store::find(database.pool(), key).await? else {
            continue;
        };
        if found.fingerprint != once.fingerprint() {
            return Err(Error::RequestReused);
        }
        if let Some(answer) = found.answer {
            return Ok(Claim::Done(answer));
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(Error::RequestInProgress);
        }
        let left = Wait::try_from(found.lease_left).unwrap_or_default();
        ended.within(left.clamp(Wait::from_millis(5), POLL)).await;
    }
}

impl Mine {
    /// The id to work under: that of the first try.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Commits the work with the answer. [`Error::ClaimLost`] (and nothing is committed) where a twin that took the claim
    /// over completed it.
    pub async fn complete(&self, mut work: Work, answer: &impl Message) -> Result<(), Error> {
        let mut settlement = self.once.answered(answer);
        if let Some(settlement) = &mut settlement {
            settlement.claim = Some(self.id);
            work.wake(topic(&settlement.key));
        }
        work.settle(settlement).await
    }

    /// Gives the id free after a refusal, so that a twin needn't wait for the lease. A failure is only logged: the lease
    /// ends by itself.
    pub async fn release(&self, database: &Database) {
        let Some(key) = self.once.key() else { return };
        match store::release(database.pool(), key, self.holder).await {
            Ok(()) => database.wake().notify(topic(&key)),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a claim ends by its lease"
            ),
        }
    }
}

/// Sixteen hex digits of the key: a collision wakes somebody for nothing.
fn topic(key: &[u8; 32]) -> String {
    key[..8]
        .iter()
        .fold(String::from("request:"), |text, byte| {
            text + &format!("{byte:02x}")
        })
}
