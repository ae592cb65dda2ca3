//! A server that serves, and how it stops serving.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Request, Response};
use http_body::Body as HttpBody;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::transport::server::{Router, TcpIncoming};
use tonic_health::server::HealthReporter;
use tower::{Layer, Service};

use super::health::{self, Watched};

/// How long the first look at the database may delay the start; health is NOT_SERVING meanwhile.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// The open ports of a service.
pub struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) health_address: Option<SocketAddr>,
    reporter: HealthReporter,
    names: Vec<&'static str>,
    serving: JoinSet<anyhow::Result<()>>,
    probes: JoinSet<anyhow::Result<()>>,
    watching: JoinSet<()>,
    stop: CancellationToken,
}

impl Running {
    pub(super) fn new(
        address: SocketAddr,
        reporter: HealthReporter,
        names: Vec<&'static str>,
    ) -> Self {
        Self {
            address,
            health_address: None,
            reporter,
            names,
            serving: JoinSet::new(),
            probes: JoinSet::new(),
            watching: JoinSet::new(),
            stop: CancellationToken::new(),
        }
    }

    pub(super) fn serve<L, B>(&mut self, router: Router<L>, incoming: TcpIncoming)
    where
        L: Layer<tonic::service::Routes> + Clone + Send + 'static,
        L::Service: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
        <L::Service as Service<Request<Body>>>::Future: Send,
        <L::Service as Service<Request<Body>>>::Error:
            Into<Box<dyn std::error::Error + Send + Sync>> + Send,
        B: HttpBody<Data = bytes::Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
            + Send
            + 'static,
    {
        let stop = self.stop.clone();
        self.serving.spawn(async move {
            Ok(router
                .serve_with_incoming_shutdown(incoming, stop.cancelled_owned())
                .await?)
        });
    }

    pub(super) fn serve_health(
        &mut self,
        router: Router,
        incoming: TcpIncoming,
        address: SocketAddr,
    ) {
        self.health_address = Some(address);
        self.probes
            .spawn(async move { Ok(router.serve_with_incoming(incoming).await?) });
    }

    /// Begins to look after the database; returns once it was found well, or after a second.
    pub(super) async fn watch(&mut self, watched: Watched) {
        let (reporter, names) = (self.reporter.clone(), self.names.clone());
        let seen = CancellationToken::new();
        let well = seen.clone();
        self.watching
            .spawn(async move { health::watch(watched, reporter, names, well).await });
        let _ = timeout(FIRST_LOOK, seen.cancelled()).await;
    }

    /// Waits until a part ends, which none should.
    pub(crate) async fn ended(&mut self) -> anyhow::Error {
        let (part, outcome) = tokio::select! {
            Some(end) = self.serving.join_next() => ("the server", end.map_err(Into::into).and_then(|outcome| outcome)),
            Some(end) = self.probes.join_next() => ("the health server", end.map_err(Into::into).and_then(|outcome| outcome)),
            Some(end) = self.watching.join_next() => ("the health check", end.map_err(Into::into)),
            else => std::future::pending().await,
        };
        let error = outcome
            .err()
            .unwrap_or_else(|| anyhow::anyhow!("it returned"));
        error.context(format!("{part} ended"))
    }

    /// Health NOT_SERVING, streams told to end, no new calls, calls in flight finished or cut at the deadline.
    pub(crate) async fn stop(
        mut self,
        stopping: &CancellationToken,
        deadline: Instant,
    ) -> Option<anyhow::Error> {
        self.watching.shutdown().await;
        health::report(&self.reporter, &self.names, false).await;
        stopping.cancel();
        self.stop.cancel();
        let finished = timeout_at(deadline, async {
            while self.serving.join_next().await.is_some() {}
        })
        .await;
        self.serving.shutdown().await;
        self.probes.shutdown().await;
        finished
            .err()
            .map(|_| anyhow::anyhow!("calls were cut: they did not end within the grace period"))
    }
}
