//! Where the relay starts to read.
//!
//! Published rows leave dead index entries behind until the next vacuum; a read from the very beginning would walk over
//! all of them, several hundred times a second. But positions become visible in order of commit, not of number: a read
//! may start at a position only when no transaction can still commit one below. That is known by transaction ids: the
//! writing statement takes its id before it takes a position. So now and then the relay takes an id itself, after the
//! snapshot it reads with: whoever took a position below what that snapshot shows has a lower id, and when the xmin of a
//! later snapshot has reached the relay's, all of them have ended, and that later read shows what they wrote. (The xmax
//! of a snapshot won't do: it is the last id that ended, plus one, and ids above it may be at work.)

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Forgotten that often: should the reasoning above ever fail, an event is late and not lost.
const WHOLE_READ: Duration = Duration::from_secs(30);
/// A mark costs a transaction id.
const MARK: Duration = Duration::from_millis(100);

/// All rows up to here have been read, and are published or known to the relay.
#[derive(Default)]
pub(super) struct Floor {
    position: i64,
    since: Option<Instant>,
    /// (Id taken after a snapshot, highest position that had been seen with it), oldest first.
    marks: VecDeque<(u64, i64)>,
    marked_at: Option<Instant>,
    seen: i64,
}

/// What a read showed.
pub(super) struct Seen {
    /// All transactions with lower ids had ended when the read's snapshot was made.
    pub(super) xmin: u64,
    /// The id that the relay took after the snapshot, if it did.
    pub(super) mark: Option<u64>,
    /// The highest position that was read.
    pub(super) highest: Option<i64>,
    /// The lowest position known that isn't published yet.
    pub(super) unpublished: Option<i64>,
    /// The page was full: there may be more above the highest.
    pub(super) full: bool,
}

impl Floor {
    /// Read what is above.
    pub(super) fn position(&mut self) -> i64 {
        if self.since.is_none_or(|since| since.elapsed() > WHOLE_READ) {
            self.since = Some(Instant::now());
            self.position = 0;
        }
        self.position
    }

    /// Whether the next read is to take an id.
    pub(super) fn wants_mark(&mut self) -> bool {
        let news = self.marks.back().map_or(self.position, |(_, seen)| *seen) < self.seen;
        let due = news && self.marked_at.is_none_or(|at| at.elapsed() >= MARK);
        if due {
            self.marked_at = Some(Instant::now());
        }
        due
    }

    /// After a read from [`Floor::position`].
    pub(super) fn raise(&mut self, read: &Seen) {
        let mut ended = None;
        while let Some((_, seen)) = self.marks.pop_front_if(|(mark, _)| *mark <= read.xmin) {
            ended = Some(seen);
        }
        if let Some(seen) = ended {
            let shown = if read.full {
                read.highest.unwrap_or(self.position)
            } else {
                i64::MAX
            };
            let known = read.unpublished.map_or(i64::MAX, |lowest| lowest - 1);
            self.position = self.position.max(seen.min(shown).min(known));
        }
        self.seen = self.seen.max(read.highest.unwrap_or(0));
        if let Some(mark) = read.mark {
            self.marks.push_back((mark, self.seen));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a session has it after its first read, which showed positions up to `seen`.
    fn floor_at(seen: i64) -> Floor {
        let mut floor = Floor::default();
        assert_eq!(floor.position(), 0);
        floor.raise(&Seen {
            highest: Some(seen),
            ..nothing(0)
        });
        assert!(floor.wants_mark());
        floor
    }

    fn nothing(xmin: u64) -> Seen {
        Seen {
            xmin,
            mark: None,
            highest: None,
            unpublished: None,
            full: false,
        }
    }

    #[test]
    fn the_floor_waits_for_transactions_that_may_still_commit_below() {
        let mut floor = floor_at(9);
        // Transaction 104 has position 7 and is at work; 103, which has 9, is the last that ended.
        floor.raise(&Seen {
            mark: Some(105),
            ..nothing(104)
        });
        floor.raise(&nothing(104));
        assert_eq!(floor.position(), 0);
        // It has ended, and the read that knows it has shown its row.
        floor.raise(&Seen {
            highest: Some(7),
            unpublished: Some(7),
            ..nothing(105)
        });
        assert_eq!(floor.position(), 6);
    }

    #[test]
    fn the_floor_stays_below_what_is_not_published() {
        let mut floor = floor_at(20);
        floor.raise(&Seen {
            mark: Some(10),
            unpublished: Some(3),
            ..nothing(9)
        });
        floor.raise(&Seen {
            unpublished: Some(3),
            ..nothing(10)
        });
        assert_eq!(floor.position(), 2);
        floor.marked_at = None;
        assert!(floor.wants_mark());
        floor.raise(&Seen {
            mark: Some(11),
            ..nothing(11)
        });
        floor.raise(&nothing(11));
        assert_eq!(floor.position(), 20);
    }

    #[test]
    fn a_full_page_says_nothing_about_what_is_above_it() {
        let mut floor = floor_at(20);
        floor.raise(&Seen {
            mark: Some(10),
            ..nothing(9)
        });
        floor.raise(&Seen {
            highest: Some(15),
            full: true,
            ..nothing(10)
        });
        assert_eq!(floor.position(), 15);
    }
}
