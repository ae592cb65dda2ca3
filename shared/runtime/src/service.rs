//! A running service, and how it stops.

use std::net::SocketAddr;
use std::time::Duration;

use sqlx::PgPool;
use tokio::time::Instant;

use crate::server::Running;
use crate::tasks::Tasks;

/// A service that serves; answered by each crate's `start`.
pub struct Service {
    pub(crate) running: Running,
    pub(crate) tasks: Tasks,
    pub(crate) pools: Vec<PgPool>,
    pub(crate) grace: Duration,
}

impl Service {
    /// Where gRPC is served; tells the port where 0 was configured.
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// Where health is served for probes.
    pub fn health_address(&self) -> Option<SocketAddr> {
        self.running.health_address
    }

    /// Serves until `signal` ends, or until any task ends: that is a fault, and the answer is its error.
    pub async fn run_until(mut self, signal: impl Future<Output = ()>) -> anyhow::Result<()> {
        let fault = tokio::select! {
            () = signal => None,
            error = self.tasks.ended() => Some(error),
            error = self.running.ended() => Some(error),
        };
        if let Some(error) = &fault {
            tracing::error!(
                error = format!("{error:#}"),
                "stopping: a part of the service ended"
            );
        }
        let stopped = self.stop().await;
        fault.map_or(stopped, Err)
    }

    /// Stops in order: health NOT_SERVING, no new RPCs, intake, tracked work, relay, pools. An error says what did not
    /// end within the grace period; nothing accepted is lost by it, only unfinished.
    pub async fn stop(self) -> anyhow::Result<()> {
        let begun = Instant::now();
        let deadline = begun + self.grace;
        let stopping = self.tasks.stopping();
        // A stream that doesn't end must not take the time that messages in flight need.
        let mut wrong: Vec<anyhow::Error> = self
            .running
            .stop(&stopping, begun + self.grace * 3 / 4)
            .await
            .into_iter()
            .collect();
        wrong.extend(self.tasks.stop(deadline).await);
        for pool in self.pools {
            // A connection still in use would make it wait for ever.
            let _ = tokio::time::timeout(Duration::from_secs(2), pool.close()).await;
        }
        for error in &wrong {
            tracing::error!(error = format!("{error:#}"), "unclean stop");
        }
        wrong.into_iter().next().map_or(Ok(()), Err)
    }
}

/// Ends at SIGTERM or SIGINT.
pub async fn shutdown_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let wait = |kind: SignalKind| async move {
        match signal(kind) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            // Without a handler the default action ends the process, which is what was asked for.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::interrupt()) => {}
    }
}
