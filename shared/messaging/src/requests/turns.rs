//! Twins of one process wait for each other in memory, not on a row with a connection in hand.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Mutex as Turnstile, OwnedMutexGuard};

type Key = [u8; 32];
type Running = Arc<Mutex<HashMap<Key, Arc<Turnstile<()>>>>>;

/// The requests that run in this process now.
#[derive(Default)]
pub(crate) struct Turns(Running);

/// Held while a request runs.
pub(crate) struct Turn {
    /// A twin ran before: its answer may be stored by now.
    pub(crate) waited: bool,
    key: Key,
    running: Running,
    held: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits until no equal request runs in this process.
    pub(crate) async fn take(&self, key: Key) -> Turn {
        let turnstile = {
            let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(running.entry(key).or_default())
        };
        // Made before the wait, so that a caller who hangs up while waiting cleans up as well.
        let mut turn = Turn {
            waited: false,
            key,
            running: Arc::clone(&self.0),
            held: None,
        };
        turn.held = Some(match Arc::clone(&turnstile).try_lock_owned() {
            Ok(held) => held,
            Err(_) => {
                turn.waited = true;
                turnstile.lock_owned().await
            }
        });
        turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        self.held = None;
        // Twins clone the turnstile under this lock: one owner left means that nobody waits.
        if running
            .get(&self.key)
            .is_some_and(|turnstile| Arc::strong_count(turnstile) == 1)
        {
            running.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn twins_take_turns_and_leave_nothing_behind() {
        let turns = Turns::default();
        let first = turns.take([1; 32]).await;
        assert!(!first.waited);
        assert!(!turns.take([2; 32]).await.waited);
        let (second, ()) = tokio::join!(turns.take([1; 32]), async {
            tokio::task::yield_now().await;
            drop(first);
        });
        assert!(second.waited);
        drop(second);
        assert!(turns.0.lock().unwrap().is_empty());
    }
}
