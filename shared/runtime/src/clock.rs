//! The only place that reads the clock. Doors call [`now`] once per message and pass the time down.

use time::OffsetDateTime;

/// The current time in UTC, cut to microseconds, as Postgres stores it.
///
/// A time that was not cut would differ from itself after a round trip through the database.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that reads the clock"
)]
pub fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    let micros = now.microsecond() * 1_000;
    now.replace_nanosecond(micros).unwrap_or(now)
}

/// Seconds since 1970, for comparing with the claims of a token.
pub(crate) fn unix() -> i64 {
    now().unix_timestamp()
}

#[cfg(test)]
mod tests {
    #[test]
    fn time_has_no_more_than_microseconds() {
        assert_eq!(super::now().nanosecond() % 1_000, 0);
    }
}
