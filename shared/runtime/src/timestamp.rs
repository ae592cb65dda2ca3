//! `google.protobuf.Timestamp` to and from [`OffsetDateTime`].

use prost_types::Timestamp;
use time::{Duration, OffsetDateTime};

use crate::status::Violation;

/// A time as protobuf carries it.
pub fn to_proto(at: OffsetDateTime) -> Timestamp {
    Timestamp {
        seconds: at.unix_timestamp(),
        nanos: at.nanosecond().cast_signed(),
    }
}

/// A duration as protobuf carries it.
pub fn duration_to_proto(span: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: span.whole_seconds(),
        nanos: span.subsec_nanoseconds(),
    }
}

/// A time from protobuf, cut to microseconds; `field` names it in the violation.
pub fn from_proto(at: &Timestamp, field: &str) -> Result<OffsetDateTime, Violation> {
    let wrong = || {
        Violation::new(field, "is not a time between the years 1 and 9999").because("BAD_TIMESTAMP")
    };
    let nanos = u32::try_from(at.nanos).map_err(|_| wrong())?;
    let whole = OffsetDateTime::from_unix_timestamp(at.seconds).map_err(|_| wrong())?;
    if whole.year() < 1 {
        return Err(wrong());
    }
    whole
        .replace_nanosecond(nanos / 1_000 * 1_000)
        .map_err(|_| wrong())
}

/// A time that must be there; `field` names it in the violation.
pub fn required(at: Option<&Timestamp>, field: &str) -> Result<OffsetDateTime, Violation> {
    at.ok_or_else(|| Violation::missing(field))
        .and_then(|at| from_proto(at, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_the_round_trip() {
        let now = crate::clock::now();
        assert_eq!(from_proto(&to_proto(now), "at").unwrap(), now);
    }

    #[test]
    fn what_is_no_time_is_a_violation_of_its_field() {
        for (seconds, nanos) in [
            (i64::MAX, 0),
            (0, -1),
            (0, 1_000_000_000),
            (-70_000_000_000, 0),
        ] {
            assert_eq!(
                from_proto(&Timestamp { seconds, nanos }, "from")
                    .unwrap_err()
                    .field,
                "from"
            );
        }
    }
}
