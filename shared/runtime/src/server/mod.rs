//! The gRPC server that every service has: health, reflection, identity, deadlines, telemetry and limits.

pub(crate) mod health;
pub(crate) mod methods;
pub(crate) mod rate;
mod rpc;
mod running;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use http::{Request, Response};
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tower::ServiceBuilder;

use crate::config::Common;
use crate::deadline::DeadlineLayer;
use crate::identity::{AuthLayer, Identity};
use crate::service::Service;
use crate::tasks::Tasks;
use health::Watched;
pub use methods::DEFAULT_MAXIMUM;
use methods::Methods;
use rpc::RpcLayer;
pub use running::Running;

/// The largest message taken.
pub const MAX_MESSAGE: usize = 4 * 1024 * 1024;
/// Streams that one connection may have open: tonic alone sets no limit.
const MAX_STREAMS: u32 = 1_000;
/// After this time a connection is asked to end, so that clients spread over new replicas.
const MAX_CONNECTION_AGE: Duration = Duration::from_secs(300);

/// Gives a generated server the limits of this system: 4 MiB messages, gzip accepted.
///
/// `limits!(CertificationServiceServer::new(grpc))`
#[macro_export]
macro_rules! limits {
    ($server:expr) => {
        $server
            .max_decoding_message_size($crate::server::MAX_MESSAGE)
            .accept_compressed($crate::server::GZIP)
    };
}
/// The compression that `limits!` accepts.
pub const GZIP: tonic::codec::CompressionEncoding = tonic::codec::CompressionEncoding::Gzip;

/// A server under construction.
pub struct Server<'a> {
    domain: &'static str,
    common: &'a Common,
    routes: Routes,
    names: Vec<&'static str>,
    anonymous: HashSet<String>,
    maxima: Vec<(&'static str, Duration)>,
    database: Option<(PgPool, &'static Migrator)>,
    pools: Vec<PgPool>,
}

impl<'a> Server<'a> {
    /// `domain` is the proto package of the service, `marketplace.certification.v1`.
    pub fn new(domain: &'static str, common: &'a Common) -> Self {
        Self {
            domain,
            common,
            routes: Routes::default(),
            names: Vec::new(),
            anonymous: HashSet::new(),
            maxima: Vec::new(),
            database: None,
            pools: Vec::new(),
        }
    }

    /// Adds a service; wrap it in [`limits!`](crate::limits).
    #[must_use]
    pub fn service<S>(mut self, service: S) -> Self
    where
        S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: NamedService + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME);
        self.routes = self.routes.add_service(service);
        self
    }

    /// The database: health follows it, and its pool is closed last.
    #[must_use]
    pub fn database(mut self, db: &PgPool, migrations: &'static Migrator) -> Self {
        self.database = Some((db.clone(), migrations));
        self.pools.push(db.clone());
        self
    }

    /// Another pool to close when the service stops.
    #[must_use]
    pub fn pool(mut self, db: &PgPool) -> Self {
        self.pools.push(db.clone());
        self
    }

    /// Methods that need no token: `/marketplace.offercatalog.v1.ListingService/GetListing`.
    #[must_use]
    pub fn anonymous(mut self, paths: &[&str]) -> Self {
        self.anonymous
            .extend(paths.iter().map(|path| (*path).to_owned()));
        self
    }

    /// The longest that calls of a method may take, where it isn't [`DEFAULT_MAXIMUM`].
    #[must_use]
    pub fn maximum(mut self, path: &'static str, maximum: Duration) -> Self {
        self.maxima.push((path, maximum));
        self
    }

    /// Opens the ports and serves. Everything that can be wrong is found before a port is open.
    pub async fn start(self, tasks: Tasks) -> anyhow::Result<Service> {
        let identity = Identity::load(&self.common.auth).await?;
        let methods = Arc::new(Methods::read(marketplace_proto::DESCRIPTORS, &self.maxima)?);
        for path in self
            .anonymous
            .iter()
            .map(String::as_str)
            .chain(self.maxima.iter().map(|(path, _)| *path))
        {
            anyhow::ensure!(methods.has(path), "{path} is no method of this system");
        }
        let (reporter, health) = tonic_health::server::health_reporter();
        health::report(&reporter, &self.names, self.database.is_none()).await;
        let mut routes = self.routes.add_service(health.clone());
        if self.common.reflection {
            routes = reflect(routes, &self.names)?;
        }
        // Outermost first: what telemetry sees includes refusals; a deadline includes the look-up of a key.
        let layers = ServiceBuilder::new()
            .layer(RpcLayer::new(self.domain, Arc::clone(&methods)))
            .layer(DeadlineLayer::new(self.domain, methods))
            .layer(AuthLayer::new(
                self.domain,
                identity,
                self.anonymous,
                self.common.anonymous_rate,
            ))
            .into_inner();
        let options = |db: &PgPool| (*db.connect_options()).clone();
        let watched = self.database.as_ref().map(|(db, migrations)| Watched {
            options: options(db),
            migrations,
        });
        let (incoming, address) = bind(self.common.listen, "LISTEN")?;
        let mut running = Running::new(address, reporter, self.names);
        running.serve(
            transport().layer(layers).add_routes(routes.prepare()),
            incoming,
        );
        if let Some(listen) = self.common.health_listen {
            let (incoming, address) = bind(listen, "HEALTH_LISTEN")?;
            running.serve_health(transport().add_service(health), incoming, address);
        }
        if let Some(watched) = watched {
            running.watch(watched).await;
        }
        Ok(Service {
            running,
            tasks,
            pools: self.pools,
            grace: self.common.shutdown_grace,
        })
    }
}

/// A port, open; the error names the setting.
fn bind(listen: SocketAddr, name: &str) -> anyhow::Result<(TcpIncoming, SocketAddr)> {
    let incoming =
        TcpIncoming::bind(listen).with_context(|| format!("{name} {listen} can't be opened"))?;
    let address = incoming.local_addr()?;
    let keepalive = Some(Duration::from_secs(30));
    Ok((
        incoming.with_nodelay(Some(true)).with_keepalive(keepalive),
        address,
    ))
}

fn transport() -> tonic::transport::Server {
    tonic::transport::Server::builder()
        .max_concurrent_streams(MAX_STREAMS)
        .max_connection_age(MAX_CONNECTION_AGE)
        .http2_keepalive_interval(Some(Duration::from_secs(20)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        // The defaults of 64 KiB would make a 4 MiB message wait for 64 window updates.
        .initial_stream_window_size(1024 * 1024)
        .initial_connection_window_size(4 * 1024 * 1024)
}

/// Reflection of what this server serves, in both versions: grpcurl asks for v1, older tools for v1alpha.
fn reflect(routes: Routes, names: &[&'static str]) -> anyhow::Result<Routes> {
    let configure = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(marketplace_proto::DESCRIPTORS)
            // grpcurl looks the types of error details up.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        let health = "grpc.health.v1.Health";
        names
            .iter()
            .copied()
            .chain([health])
            .fold(builder, |builder, name| builder.with_service_name(name))
    };
    Ok(routes
        .add_service(configure().build_v1()?)
        .add_service(configure().build_v1alpha()?))
}
