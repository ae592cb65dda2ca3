//! Streams with an event on its way: the next event of a stream is published when the one before is confirmed, so that
//! a refused one can't be overtaken.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use super::Row;

const FIRST_HOLD: Duration = Duration::from_secs(1);
const LONGEST_HOLD: Duration = Duration::from_secs(30);

/// The state of every stream that isn't idle.
#[derive(Default)]
pub(super) struct Lanes {
    /// Position of the event on its way; those that were read behind it.
    moving: HashMap<String, (i64, VecDeque<Row>)>,
    /// Refused: tried again at a time.
    held: HashMap<String, Held>,
}

struct Held {
    position: i64,
    until: Instant,
    /// How long to wait if it is refused again.
    next: Duration,
}

impl Lanes {
    /// Takes a row that was read: answered if it may be published now, else kept behind its predecessor.
    pub(super) fn enter(&mut self, row: Row) -> Option<Row> {
        if let Some((_, behind)) = self.moving.get_mut(&row.stream) {
            behind.push_back(row);
            return None;
        }
        self.moving
            .insert(row.stream.clone(), (row.position, VecDeque::new()));
        Some(row)
    }

    /// The event on its way was confirmed: the next of the stream, if one was read.
    pub(super) fn leave(&mut self, stream: &str) -> Option<Row> {
        self.held.remove(stream);
        let (position, behind) = self.moving.get_mut(stream)?;
        if let Some(next) = behind.pop_front() {
            *position = next.position;
            return Some(next);
        }
        self.moving.remove(stream);
        None
    }

    /// The event on its way was refused: the stream waits. Those behind it are read again.
    pub(super) fn hold(&mut self, row: &Row) -> Duration {
        self.moving.remove(&row.stream);
        let wait = self
            .held
            .get(&row.stream)
            .map_or(FIRST_HOLD, |held| held.next);
        let held = Held {
            position: row.position,
            until: Instant::now() + wait,
            next: (wait * 2).min(LONGEST_HOLD),
        };
        self.held.insert(row.stream.clone(), held);
        wait
    }

    /// The lowest position that was read and isn't published.
    pub(super) fn lowest(&self) -> Option<i64> {
        let moving = self.moving.values().map(|(position, _)| *position);
        moving
            .chain(self.held.values().map(|held| held.position))
            .min()
    }

    /// Streams that nothing is to be read of now.
    pub(super) fn busy(&self) -> Vec<String> {
        let now = Instant::now();
        let held = self
            .held
            .iter()
            .filter(|(_, held)| held.until > now)
            .map(|(stream, _)| stream);
        self.moving
            .keys()
            .chain(held.filter(|stream| !self.moving.contains_key(*stream)))
            .cloned()
            .collect()
    }

    /// Whether streams with an event on its way are left out of a read now.
    pub(super) fn moving(&self) -> bool {
        !self.moving.is_empty()
    }

    /// Events read and waiting for their predecessor.
    pub(super) fn queued(&self) -> usize {
        self.moving.values().map(|(_, behind)| behind.len()).sum()
    }
}
