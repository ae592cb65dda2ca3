//! The pause before something that failed is tried again.

use std::{error::Error, time::Duration};

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

/// Doubles from 0.1 to 2 seconds while failures follow each other; logs the first of a row, and then one a minute.
pub(crate) struct Pause {
    what: &'static str,
    next: Duration,
    quiet_until: Option<tokio::time::Instant>,
}

impl Pause {
    pub(crate) fn new(what: &'static str) -> Pause {
        Pause {
            what,
            next: SHORTEST,
            quiet_until: None,
        }
    }

    /// It works again.
    pub(crate) fn reset(&mut self) {
        if self.quiet_until.take().is_some() {
            tracing::info!(what = self.what, "works again");
        }
        self.next = SHORTEST;
    }

    /// It failed: logs; the answer is the wait.
    pub(crate) fn after(&mut self, error: &(dyn Error + 'static)) -> tokio::time::Sleep {
        let now = tokio::time::Instant::now();
        if self.quiet_until.is_none_or(|until| until <= now) {
            tracing::warn!(what = self.what, error, "failed; is tried again");
            self.quiet_until = Some(now + Duration::from_secs(60));
        }
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        tokio::time::sleep(wait)
    }
}
