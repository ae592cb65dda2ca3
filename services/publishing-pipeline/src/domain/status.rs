//! The seven statuses of an offer, derived and never stored (ST-1 … ST-9).

/// What the Status column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Draft,
    PublishInProgress,
    AttentionNeeded,
    Preview,
    Live,
    PendingStopDistribution,
    NotAvailable,
}

/// What the status is derived from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// A submission is queued, running or being canceled.
    pub in_flight: bool,
    /// A stop of the whole offer is requested and not complete.
    pub offer_stop_pending: bool,
    /// The newest attempt failed and was neither superseded nor discarded.
    pub failed: bool,
    /// Distribution is stopped.
    pub stopped: bool,
    /// A preview awaits sign-off.
    pub awaiting_sign_off: bool,
    /// At least one plan has a stop that is requested and not yet in force.
    pub plan_stop_pending: bool,
    /// A live submission exists.
    pub live: bool,
}

/// ST-9: top-down, the first hit wins.
pub const fn status(facts: Facts) -> Status {
    if facts.in_flight {
        Status::PublishInProgress
    } else if facts.offer_stop_pending {
        Status::PendingStopDistribution
    } else if facts.failed {
        Status::AttentionNeeded
    } else if facts.stopped && !facts.awaiting_sign_off {
        Status::NotAvailable
    } else if facts.awaiting_sign_off {
        Status::Preview
    } else if facts.plan_stop_pending {
        Status::PendingStopDistribution
    } else if facts.live {
        Status::Live
    } else {
        Status::Draft
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ST-9 as a table: one row per line, a question mark is "either".
    const ROWS: [(&str, Status); 8] = [
        // in flight, offer stop, failed, stopped, awaiting, plan stop, live
        ("1??????", Status::PublishInProgress),
        ("01?????", Status::PendingStopDistribution),
        ("001????", Status::AttentionNeeded),
        ("00010??", Status::NotAvailable),
        ("000?1??", Status::Preview),
        ("000001?", Status::PendingStopDistribution),
        ("0000001", Status::Live),
        ("0000000", Status::Draft),
    ];

    fn facts(bits: u8) -> Facts {
        let bit = |n: u8| bits & (1 << (6 - n)) != 0;
        Facts {
            in_flight: bit(0),
            offer_stop_pending: bit(1),
            failed: bit(2),
            stopped: bit(3),
            awaiting_sign_off: bit(4),
            plan_stop_pending: bit(5),
            live: bit(6),
        }
    }

    #[test]
    fn st9_every_combination_of_facts_has_the_status_of_its_row() {
        for bits in 0..128_u8 {
            let text = format!("{bits:07b}");
            let hits = |row: &str| {
                row.chars()
                    .zip(text.chars())
                    .all(|(want, is)| want == '?' || want == is)
            };
            let expected: Vec<Status> = ROWS
                .iter()
                .filter(|(row, _)| hits(row))
                .map(|&(_, status)| status)
                .collect();
            assert_eq!(expected.len(), 1, "{text} must hit exactly one row");
            assert_eq!(status(facts(bits)), expected[0], "{text}");
        }
    }
}
