//! The resolver of the guarded client: hands the connector vetted addresses only, so that what was checked is what is
//! dialled. A name that resolves to something else the second time is vetted the second time.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::vet;

/// How names become addresses; the system's resolver but in tests.
pub trait Lookup: Send + Sync + 'static {
    /// The addresses that a name has now.
    fn lookup(&self, name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>>;
}

/// getaddrinfo, as everybody else on this machine.
pub(super) struct System;

impl Lookup for System {
    fn lookup(&self, name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A name that leads nowhere it may.
#[derive(Debug, thiserror::Error)]
#[error("{0} has no public address")]
pub(super) struct NotPublic(pub String);

/// Looks up and vets.
pub(super) struct Vetting {
    pub lookup: Arc<dyn Lookup>,
    pub allow: Arc<[IpNet]>,
}

impl Resolve for Vetting {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let (found, allow) = (self.lookup.lookup(name.clone()), Arc::clone(&self.allow));
        Box::pin(async move {
            let vetted: Vec<SocketAddr> = found
                .await?
                .into_iter()
                .filter(|address| vet::permitted(*address, &allow))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if vetted.is_empty() {
                return Err(NotPublic(name).into());
            }
            Ok(Box::new(vetted.into_iter()) as Addrs)
        })
    }
}
