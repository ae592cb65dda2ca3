//! When something that failed is tried again.

use time::Duration;

/// A mail is tried for a day; then whoever runs the system is told (NO-11).
const MAIL: [Duration; 9] = [
    Duration::seconds(5),
    Duration::seconds(30),
    Duration::minutes(2),
    Duration::minutes(10),
    Duration::minutes(30),
    Duration::hours(1),
    Duration::hours(3),
    Duration::hours(6),
    Duration::hours(13),
];

/// The pause after the `tries`-th try of a mail; `None`: given up.
pub fn mail(tries: i32) -> Option<Duration> {
    usize::try_from(tries - 1)
        .ok()
        .and_then(|n| MAIL.get(n))
        .copied()
}

/// The pause before a notice is told, when what it needs is away: it is never given up.
pub fn notice(tries: i32) -> Duration {
    let seconds = 1_i64 << tries.clamp(1, 6);
    Duration::seconds(seconds.min(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_11_a_mail_is_tried_ten_times_within_a_day() {
        let pauses: Vec<Duration> = (1..).map_while(mail).collect();
        assert_eq!(pauses.len(), 9);
        assert!(pauses.is_sorted());
        let all: Duration = pauses.iter().sum();
        assert!(
            all > Duration::hours(23) && all < Duration::hours(25),
            "{all}"
        );
    }

    #[test]
    fn a_notice_is_tried_for_ever_at_least_once_a_minute() {
        assert_eq!(notice(1), Duration::seconds(2));
        assert_eq!(notice(1_000), Duration::seconds(60));
    }
}
