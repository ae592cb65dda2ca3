//! Offers that are published by one call.

use marketplace_runtime::telemetry::Trace;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::submission::Actor;

/// An offer to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchOrder {
    pub offer: String,
    pub etag: String,
    pub notes: String,
    pub confirm: bool,
    pub supersede: bool,
}

/// A batch to be.
#[derive(Debug, Clone)]
pub struct NewBatch {
    pub id: Uuid,
    pub publisher: String,
    pub made_by: Actor,
    pub trace: Trace,
    pub orders: Vec<BatchOrder>,
}

/// A batch, with how many of its items are where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub id: Uuid,
    pub publisher: String,
    pub made_by: Actor,
    pub create_time: OffsetDateTime,
    /// Set once nothing is pending.
    pub end_time: Option<OffsetDateTime>,
    pub pending: i64,
    pub submitted: i64,
    pub refused: i64,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemState {
    Pending,
    Submitted(Uuid),
    /// google.rpc.Status, encoded.
    Refused(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchItem {
    /// Its place in the request.
    pub item: i32,
    pub offer: String,
    pub state: ItemState,
}

/// An item whose turn it is.
#[derive(Debug, Clone)]
pub struct Turn {
    pub batch: Uuid,
    pub item: i32,
    pub attempts: i32,
    pub publisher: String,
    pub made_by: Actor,
    pub trace: Trace,
    /// When the first of its tries failed that were no refusals.
    pub failing_since: Option<OffsetDateTime>,
    /// How many of them failed by us.
    pub broken: i32,
    pub order: BatchOrder,
}

/// How a try failed that was not a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// What it needs is away, or somebody was faster.
    Passing,
    /// Something is wrong with us.
    Broken,
}

/// How long what passes by itself is waited for.
const PATIENCE: Duration = Duration::days(1);
/// How often something that is wrong with us is tried.
const TRIES: i32 = 6;
const LONGEST: Duration = Duration::minutes(1);

impl Turn {
    /// When it is tried again; `None`: its last answer stays.
    pub fn again(&self, failed: Failed, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let worth = match failed {
            Failed::Passing => self
                .failing_since
                .is_none_or(|since| now - since < PATIENCE),
            Failed::Broken => self.broken + 1 < TRIES,
        };
        let doubled = 1_i32 << self.attempts.clamp(0, 10);
        let pause = (Duration::milliseconds(250) * doubled).min(LONGEST);
        worth.then_some(now + pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ActorKind;

    #[test]
    fn what_passes_is_tried_for_a_day_and_what_is_broken_six_times() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let turn = |attempts, failing_since, broken| Turn {
            batch: Uuid::nil(),
            item: 0,
            attempts,
            publisher: "contoso".into(),
            made_by: Actor {
                kind: ActorKind::User,
                principal: "issuer|ada".into(),
            },
            trace: Trace::default(),
            failing_since,
            broken,
            order: BatchOrder {
                offer: "db".into(),
                etag: "1".into(),
                notes: String::new(),
                confirm: false,
                supersede: false,
            },
        };
        let soon = turn(1, None, 0).again(Failed::Passing, start);
        assert_eq!(soon, Some(start + Duration::milliseconds(500)));
        let tired = turn(900, Some(start), 0);
        let late = start + Duration::hours(23);
        assert_eq!(tired.again(Failed::Passing, late), Some(late + LONGEST));
        assert_eq!(tired.again(Failed::Passing, start + PATIENCE), None);
        assert!(tired.again(Failed::Broken, start + PATIENCE).is_some());
        assert!(
            turn(9, Some(start), 4)
                .again(Failed::Broken, start)
                .is_some()
        );
        assert_eq!(turn(9, Some(start), 5).again(Failed::Broken, start), None);
    }
}
