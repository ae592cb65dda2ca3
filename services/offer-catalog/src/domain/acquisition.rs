//! What a customer acquires: made, resolved and canceled. There is no billing; the record says what would be charged.

use time::OffsetDateTime;
use uuid::Uuid;

/// Where an acquisition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Created,
    Resolved,
    Canceled,
}

impl State {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Created => "created",
            State::Resolved => "resolved",
            State::Canceled => "canceled",
        }
    }

    /// Where it can go from here.
    pub const fn next(self) -> &'static [State] {
        match self {
            State::Created => &[State::Resolved, State::Canceled],
            State::Resolved => &[State::Canceled],
            State::Canceled => &[],
        }
    }
}

/// A record of what a customer acquired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acquisition {
    pub id: Uuid,
    pub offer_uid: Uuid,
    pub submission: Uuid,
    pub plan_id: String,
    pub principal: String,
    pub preview: bool,
    pub no_charge: bool,
    pub ticket_reference: String,
    pub market: String,
    pub charge: String,
    pub create_time: OffsetDateTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acquisition_is_resolved_once_and_canceled_once() {
        use State::*;
        for (state, stored, next) in [
            (Created, "created", &[Resolved, Canceled][..]),
            (Resolved, "resolved", &[Canceled]),
            (Canceled, "canceled", &[]),
        ] {
            assert_eq!((state.as_str(), state.next()), (stored, next));
        }
    }
}
