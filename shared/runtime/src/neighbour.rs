//! Channels to the other services: balanced over all their addresses, with our token, deadline and trace.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;
use tonic::transport::channel::Change;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, body::Body};
use tower::Service;
use url::Url;

use crate::identity::ServiceTokens;
use crate::{deadline, status, telemetry};

/// How often a name is resolved again: replicas come and go.
const RESOLVE: Duration = Duration::from_secs(3);
/// The time of a call that has no deadline of its own or of the call that it serves.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a call is handed to a connection that turns out to be closed, or can't be made.
const TRIES: u32 = 4;
/// The domain of errors that arise on this side.
const DOMAIN: &str = "marketplace.runtime";

/// A channel for generated clients: `PublisherServiceClient::new(channel.clone())`. Cheap to clone.
#[derive(Clone)]
pub struct NeighbourChannel {
    inner: Channel,
    name: Arc<str>,
    tokens: ServiceTokens,
    addresses: Arc<AtomicU8>,
}

/// What is known of a neighbour's name.
const UNRESOLVED: u8 = 0;
const FOUND: u8 = 1;
const GONE: u8 = 2;

/// Why there can be no channel.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not http://host:port")]
pub struct NoNeighbour(Url);

/// A channel that connects when it is first used and follows the name's addresses until it is dropped.
pub fn channel(url: &Url, tokens: &ServiceTokens) -> Result<NeighbourChannel, NoNeighbour> {
    let wrong = || NoNeighbour(url.clone());
    let host = url
        .host_str()
        .filter(|_| url.scheme() == "http")
        .ok_or_else(wrong)?
        .to_owned();
    let port = url.port_or_known_default().ok_or_else(wrong)?;
    let (inner, changes) = Channel::balance_channel(64);
    let addresses = Arc::new(AtomicU8::new(UNRESOLVED));
    spawn_resolver(Resolver {
        host: host.clone(),
        port,
        changes,
        addresses: Arc::clone(&addresses),
        known: HashSet::new(),
    });
    Ok(NeighbourChannel {
        inner,
        name: host.into(),
        tokens: tokens.clone(),
        addresses,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "it ends with the channel, whose clones it can't outlive, and has nothing to finish"
)]
fn spawn_resolver(resolver: Resolver) {
    tokio::spawn(resolver.run());
}

struct Resolver {
    host: String,
    port: u16,
    changes: Sender<Change<SocketAddr, Endpoint>>,
    addresses: Arc<AtomicU8>,
    known: HashSet<SocketAddr>,
}

impl Resolver {
    async fn run(mut self) {
        // Brackets belong to the URL, not to the address.
        let name = self.host.trim_matches(['[', ']']).to_owned();
        loop {
            match tokio::net::lookup_host((name.as_str(), self.port)).await {
                Ok(found) => self.apply(found.collect()).await,
                // The last known addresses are a better guess than none.
                Err(error) => tracing::warn!(%error, neighbour = name, "name can't be resolved"),
            }
            let state = if self.known.is_empty() { GONE } else { FOUND };
            self.addresses.store(state, Ordering::Relaxed);
            tokio::select! {
                () = tokio::time::sleep(RESOLVE) => {}
                () = self.changes.closed() => return,
            }
        }
    }

    async fn apply(&mut self, found: HashSet<SocketAddr>) {
        let gone: Vec<SocketAddr> = self.known.difference(&found).copied().collect();
        let new: Vec<SocketAddr> = found.difference(&self.known).copied().collect();
        for address in new {
            if let Ok(endpoint) = endpoint(address, &self.host, self.port) {
                // Err: the channel is gone, which the loop sees next.
                let _ = self.changes.send(Change::Insert(address, endpoint)).await;
            }
        }
        for address in gone {
            let _ = self.changes.send(Change::Remove(address)).await;
        }
        self.known = found;
    }
}

fn endpoint(address: SocketAddr, host: &str, port: u16) -> Result<Endpoint, Error> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?
        .origin(format!("http://{host}:{port}").parse()?)
        .connect_timeout(Duration::from_secs(1))
        .tcp_nodelay(true)
        .tcp_keepalive(Some(Duration::from_secs(30)))
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(5))
        .keep_alive_while_idle(true);
    Ok(endpoint)
}

impl NeighbourChannel {
    /// Puts token, deadline and trace into the headers; answers when the call ends.
    fn prepare(&self, request: &mut Request<Body>) -> Result<Instant, Status> {
        if self.addresses.load(Ordering::Relaxed) == GONE {
            return Err(status::unavailable(DOMAIN, &self.name));
        }
        let headers = request.headers_mut();
        let token = self
            .tokens
            .header()
            .map_err(|error| status::internal(DOMAIN, &error))?;
        headers.insert(AUTHORIZATION, token);
        let wanted = deadline::requested(headers);
        let left = deadline::remaining()
            .into_iter()
            .chain(wanted)
            .min()
            .unwrap_or(DEFAULT_TIMEOUT);
        if let Ok(value) = HeaderValue::try_from(deadline::header(left)) {
            headers.insert(deadline::GRPC_TIMEOUT, value);
        }
        for (name, value) in telemetry::inject_current() {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                headers.insert(name, value);
            }
        }
        Ok(Instant::now() + left)
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

impl Service<Request<Body>> for NeighbourChannel {
    type Response = Response<Body>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response<Body>, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // The channel is asked within the call: there the deadline covers the wait as well.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let ends = match self.prepare(&mut request) {
            Ok(ends) => ends,
            Err(status) => return Box::pin(std::future::ready(Err(status.into()))),
        };
        let mut channel = self.inner.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            // Calls between services have one message each.
            let body = body.collect().await?.to_bytes();
            let work = async {
                let mut tries = 1;
                loop {
                    std::future::poll_fn(|cx| channel.poll_ready(cx)).await?;
                    let body = Body::new(Full::new(body.clone()));
                    match channel.call(Request::from_parts(head.clone(), body)).await {
                        Err(error) if tries < TRIES && was_not_sent(&error) => tries += 1,
                        outcome => return outcome,
                    }
                }
            };
            match tokio::time::timeout_at(ends, work).await {
                // tonic's own timer has the same time, and its error would be shown as CANCELLED.
                Err(_) => Err(status::deadline_exceeded(DOMAIN).into()),
                Ok(Err(error)) if is_timeout(&error) => {
                    Err(status::deadline_exceeded(DOMAIN).into())
                }
                Ok(outcome) => Ok(outcome?),
            }
        })
    }
}

fn is_timeout(error: &tonic::transport::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<tonic::TimeoutExpired>())
}

/// The connection was closed before the call was written to it, as one is that has reached its age, or was never made: the
/// next may be another replica's.
fn was_not_sent(error: &tonic::transport::Error) -> bool {
    let mut causes =
        std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.any(|cause| {
        cause.is::<tonic::ConnectError>()
            || cause
                .downcast_ref::<hyper::Error>()
                .is_some_and(hyper::Error::is_canceled)
    })
}
