//! How long things may take: settings, so that tests can shorten them.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Every time span that a decision depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Tempo {
    /// An unanswered order is sent again after this time, then with doubled pauses.
    pub resend: Duration,
    /// The longest pause between two sendings of an order.
    pub resend_max: Duration,
    /// The same while a person is waited for.
    pub resend_waiting: Duration,
    /// A cancel is final after this time, whatever our running step does.
    pub cancel_wait: Duration,
    /// The first pause before a failed step is tried again; doubled each time.
    pub retry: Duration,
    pub retry_max: Duration,
    /// Failed tries of the platform from which it is an incident …
    pub incident_tries: u32,
    /// … or so long after the first failed try, or after the first sending of an order that nobody answers.
    pub incident_after: Duration,
    /// Failed tries of a publisher's endpoint that count as theirs …
    pub endpoint_tries: u32,
    /// … when they fall into this time.
    pub endpoint_window: Duration,
    /// A step that waits for no person fails by the platform after this time.
    pub hard_deadline: Duration,
    /// How long a process keeps its steps without renewing its lease.
    pub lease: Duration,
}

impl Default for Tempo {
    fn default() -> Self {
        Self {
            resend: Duration::seconds(5),
            resend_max: Duration::seconds(60),
            resend_waiting: Duration::minutes(5),
            cancel_wait: Duration::seconds(2),
            retry: Duration::milliseconds(500),
            retry_max: Duration::seconds(30),
            incident_tries: 3,
            incident_after: Duration::seconds(30),
            endpoint_tries: 3,
            endpoint_window: Duration::minutes(5),
            hard_deadline: Duration::hours(24),
            lease: Duration::seconds(3),
        }
    }
}

impl Tempo {
    /// The pause after the `n`th sending (from 1) of an order.
    pub fn resend_after(&self, sent: u32) -> Duration {
        doubled(self.resend, sent).min(self.resend_max)
    }

    /// The pause after the `n`th failed try (from 1).
    pub fn retry_after(&self, tries: u32) -> Duration {
        doubled(self.retry, tries).min(self.retry_max)
    }

    /// The same where a publisher's endpoint asks to be left alone for some time.
    pub fn endpoint_after(&self, tries: u32, wait: Duration) -> Duration {
        let longest = self.endpoint_window / self.endpoint_tries.max(1);
        self.retry_after(tries).max(wait.min(longest))
    }
}

fn doubled(first: Duration, nth: u32) -> Duration {
    first * 2_i32.pow(nth.saturating_sub(1).min(20))
}

/// When, and by which process, a move is made.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    pub at: OffsetDateTime,
    /// This process: local steps that start now are handed to it.
    pub runner: Uuid,
    pub tempo: &'a Tempo,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_limit() {
        let tempo = Tempo::default();
        let pauses: Vec<i64> = (1..=6)
            .map(|n| tempo.resend_after(n).whole_seconds())
            .collect();
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60]);
        assert_eq!(tempo.retry_after(1_000_000), tempo.retry_max);
    }
}
