//! How much a publisher may have at once, and in a day.

use time::{Duration, OffsetDateTime, Time};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// Submissions in flight.
    OpenSubmissions,
    /// Submissions made since midnight, UTC.
    SubmissionsPerDay,
    BatchesRunning,
    DryRunsRunning,
}

impl Quota {
    pub const ALL: [Quota; 4] = [
        Quota::OpenSubmissions,
        Quota::SubmissionsPerDay,
        Quota::BatchesRunning,
        Quota::DryRunsRunning,
    ];
    /// What a submission counts against.
    pub const OF_SUBMISSIONS: [Quota; 2] = [Quota::OpenSubmissions, Quota::SubmissionsPerDay];

    /// As callers read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Quota::OpenSubmissions => "open-submissions",
            Quota::SubmissionsPerDay => "submissions-per-day",
            Quota::BatchesRunning => "batches-running",
            Quota::DryRunsRunning => "dry-runs-running",
        }
    }

    /// When all of it is free again; `None`: as what is counted ends.
    pub fn free_at(self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        match self {
            Quota::SubmissionsPerDay => Some(now.replace_time(Time::MIDNIGHT) + Duration::days(1)),
            Quota::OpenSubmissions | Quota::BatchesRunning | Quota::DryRunsRunning => None,
        }
    }
}

/// What a publisher has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    pub open_submissions: i64,
    pub submissions_today: i64,
    pub batches_running: i64,
    pub dry_runs_running: i64,
}

impl Used {
    pub const fn of(&self, quota: Quota) -> i64 {
        match quota {
            Quota::OpenSubmissions => self.open_submissions,
            Quota::SubmissionsPerDay => self.submissions_today,
            Quota::BatchesRunning => self.batches_running,
            Quota::DryRunsRunning => self.dry_runs_running,
        }
    }
}

/// There would be more than the limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} of {publisher}: at most {limit}", quota.as_str())]
pub struct QuotaExceeded {
    pub publisher: String,
    pub quota: Quota,
    pub limit: i64,
    /// When it is worth another try.
    pub again: Duration,
}

/// The limits of every publisher; 0: none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    pub open_submissions: u32,
    pub submissions_per_day: u32,
    pub batches_running: u32,
    pub dry_runs_running: u32,
}

/// Where it isn't known when something is free.
const PAUSE: Duration = Duration::seconds(30);

impl Default for Quotas {
    fn default() -> Self {
        Self {
            open_submissions: 5_000,
            submissions_per_day: 100_000,
            batches_running: 20,
            dry_runs_running: 100,
        }
    }
}

impl Quotas {
    /// `None`: there is none.
    pub fn limit(&self, quota: Quota) -> Option<i64> {
        let limit = match quota {
            Quota::OpenSubmissions => self.open_submissions,
            Quota::SubmissionsPerDay => self.submissions_per_day,
            Quota::BatchesRunning => self.batches_running,
            Quota::DryRunsRunning => self.dry_runs_running,
        };
        (limit > 0).then_some(i64::from(limit))
    }

    /// Whether there may be one more where `used` are there.
    pub fn admit(
        &self,
        quota: Quota,
        used: i64,
        publisher: &str,
        now: OffsetDateTime,
    ) -> Result<(), QuotaExceeded> {
        match self.limit(quota) {
            Some(limit) if used >= limit => Err(QuotaExceeded {
                publisher: publisher.to_owned(),
                quota,
                limit,
                again: quota.free_at(now).map_or(PAUSE, |at| at - now),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_limit_is_the_last_that_fits_and_0_is_no_limit() {
        let quotas = Quotas {
            open_submissions: 2,
            submissions_per_day: 0,
            ..Quotas::default()
        };
        let now = datetime!(2026-03-01 23:59:00 UTC);
        let open = |used| quotas.admit(Quota::OpenSubmissions, used, "contoso", now);
        assert_eq!(open(1), Ok(()));
        assert_eq!(open(2).unwrap_err().again, PAUSE);
        assert_eq!(
            quotas.admit(Quota::SubmissionsPerDay, i64::MAX, "contoso", now),
            Ok(())
        );
    }

    #[test]
    fn a_day_ends_at_midnight() {
        let now = datetime!(2026-03-01 23:59:00 UTC);
        let quotas = Quotas {
            submissions_per_day: 1,
            ..Quotas::default()
        };
        let refused = quotas.admit(Quota::SubmissionsPerDay, 1, "contoso", now);
        assert_eq!(refused.unwrap_err().again, Duration::minutes(1));
        assert_eq!(
            Quota::SubmissionsPerDay.free_at(now),
            Some(datetime!(2026-03-02 00:00 UTC))
        );
    }
}
