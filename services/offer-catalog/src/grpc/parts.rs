//! The messages of an upload as they come in.

use std::time::Duration;

use marketplace_runtime::status;
use tokio::time::{Instant, timeout_at};
use tonic::{Status, Streaming};

use crate::DOMAIN;
use crate::files::Limits;

/// Who sends none for a while, or takes too long for all of them, is given up: what came so far takes room.
pub struct Parts<M> {
    parts: Streaming<M>,
    idle: Duration,
    until: Instant,
}

impl<M> Parts<M> {
    pub fn of(parts: Streaming<M>, limits: Limits) -> Self {
        Self {
            parts,
            idle: limits.idle,
            until: Instant::now() + limits.total,
        }
    }

    /// The next one; `None`: that was all.
    pub async fn next(&mut self) -> Result<Option<M>, Status> {
        let patience = (Instant::now() + self.idle).min(self.until);
        timeout_at(patience, self.parts.message())
            .await
            .unwrap_or_else(|_| Err(status::deadline_exceeded(DOMAIN)))
    }
}
