//! The one client for addresses that publishers choose: webhooks, lead endpoints, links.
//!
//! https only, no userinfo; addresses are vetted by the resolver that the connector uses; at most 3 redirects, each
//! vetted, credentials dropped on change of host; no proxy; 30 s; 1 MiB decoded. `OUTBOUND_ALLOW` is the only exception.

mod error;
mod resolve;
#[cfg(test)]
mod tests;
mod vet;

use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, LOCATION,
    PROXY_AUTHORIZATION,
};
use http::{HeaderMap, Method, StatusCode};
use ipnet::IpNet;
use reqwest::redirect::Policy;
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use crate::config::OutboundConfig;
pub use error::{OutboundConfigError, OutboundError};
pub use resolve::Lookup;
use resolve::{NotPublic, System, Vetting};

/// The most redirects that are followed.
pub const MAX_REDIRECTS: usize = 3;
/// The longest that one call takes, redirects and body included.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of an answer, decoded.
pub const MAX_BODY: usize = 1024 * 1024;

/// The guarded client. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    client: reqwest::Client,
    allow: Arc<[IpNet]>,
}

/// A call to make.
#[derive(Debug, Clone)]
pub struct Call {
    /// GET, POST, HEAD.
    pub method: Method,
    /// Where to; https.
    pub url: Url,
    /// What to say besides. Authorization, cookies and whatever begins with `x-` are credentials: dropped when a redirect
    /// leads to another host.
    pub headers: HeaderMap,
    /// What to send.
    pub body: Bytes,
    /// True where address or body are credentials themselves, as of a call for a token: no other host is asked, whatever
    /// a redirect says.
    pub secret: bool,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status of the last answer.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, decoded.
    pub body: Bytes,
    /// How it was asked for: 301, 302 and 303 make a GET without a body of a POST.
    pub method: Method,
    /// Where it came from, after redirects.
    pub url: Url,
}

impl Outbound {
    /// A client with the exceptions of the settings.
    pub fn open(config: &OutboundConfig) -> Result<Self, OutboundConfigError> {
        let pem = match &config.ca_file {
            Some(path) => {
                Some(
                    std::fs::read(path).map_err(|source| OutboundConfigError::File {
                        path: path.clone(),
                        source,
                    })?,
                )
            }
            None => None,
        };
        Self::new(&config.allow, pem.as_deref())
    }

    /// A client; `extra_roots` are PEM certificates trusted besides the public ones.
    pub fn new(allow: &[IpNet], extra_roots: Option<&[u8]>) -> Result<Self, OutboundConfigError> {
        Self::with(Arc::new(System), allow, extra_roots)
    }

    /// The same with another way to look names up, whose addresses are vetted as those of the system's resolver are.
    pub fn with(
        lookup: Arc<dyn Lookup>,
        allow: &[IpNet],
        extra_roots: Option<&[u8]>,
    ) -> Result<Self, OutboundConfigError> {
        crate::crypto::install();
        let allow: Arc<[IpNet]> = allow.into();
        let mut client = reqwest::Client::builder()
            .dns_resolver(Vetting {
                lookup,
                allow: Arc::clone(&allow),
            })
            .https_only(true)
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(Duration::from_secs(10))
            // A pooled connection was vetted when it was dialled, not now: few and short-lived ones.
            .pool_idle_timeout(Duration::from_secs(5))
            .user_agent(concat!("marketplace/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = extra_roots {
            client = client.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
        }
        Ok(Self {
            client: client.build()?,
            allow,
        })
    }

    /// True if the address may be called as far as it can be told without asking: for checks of what a publisher enters.
    pub fn check(&self, url: &Url) -> Result<(), OutboundError> {
        if url.scheme() != "https" {
            return Err(OutboundError::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::UserInfo);
        }
        // The connector asks no resolver for an address that is written out.
        let literal = match url.host() {
            Some(Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
            Some(Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
            Some(Host::Domain(_)) => None,
            None => return Err(OutboundError::NotHttps),
        };
        match literal {
            Some(address) if !vet::permitted(address, &self.allow) => {
                Err(OutboundError::NotPublic(address.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// Makes a call and follows its redirects.
    pub async fn send(&self, call: Call) -> Result<Answer, OutboundError> {
        let deadline = Instant::now() + TIMEOUT;
        timeout_at(deadline, self.follow(call))
            .await
            .unwrap_or(Err(OutboundError::Timeout))
    }

    async fn follow(&self, mut call: Call) -> Result<Answer, OutboundError> {
        for _ in 0..=MAX_REDIRECTS {
            let response = self.once(&call).await?;
            if !is_redirect(response.status()) {
                return read(response, call).await;
            }
            let location = response
                .headers()
                .get(LOCATION)
                .and_then(|value| value.to_str().ok());
            let next = location
                .and_then(|location| call.url.join(location).ok())
                .ok_or(OutboundError::BadRedirect)?;
            if call.secret && !same_host(&call.url, &next) {
                return Err(OutboundError::Elsewhere);
            }
            call.redirect(response.status(), next);
        }
        Err(OutboundError::TooManyRedirects)
    }

    async fn once(&self, call: &Call) -> Result<reqwest::Response, OutboundError> {
        self.check(&call.url)?;
        let request = self.client.request(call.method.clone(), call.url.clone());
        let request = request
            .headers(call.headers.clone())
            .body(call.body.clone());
        request.send().await.map_err(unreachable)
    }
}

impl Call {
    /// A GET.
    pub fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            secret: false,
        }
    }

    /// A POST of JSON.
    pub fn post_json(url: Url, body: impl Into<Bytes>) -> Self {
        let headers = HeaderMap::from_iter([(
            CONTENT_TYPE,
            http::HeaderValue::from_static("application/json"),
        )]);
        Self {
            method: Method::POST,
            url,
            headers,
            body: body.into(),
            secret: false,
        }
    }

    /// Turns to where a redirect leads, as browsers do: 303 always and 301, 302 for POST become GET without a body.
    fn redirect(&mut self, status: StatusCode, next: Url) {
        let becomes_get = match status {
            StatusCode::SEE_OTHER => self.method != Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == Method::POST,
            _ => false,
        };
        if becomes_get {
            self.method = Method::GET;
            self.body = Bytes::new();
            for header in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING] {
                self.headers.remove(header);
            }
        }
        if !same_host(&self.url, &next) {
            let is_credential = |name: &http::HeaderName| {
                [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, HOST].contains(name)
                    || name.as_str().starts_with("x-")
            };
            let dropped: Vec<_> = self
                .headers
                .keys()
                .filter(|name| is_credential(name))
                .cloned()
                .collect();
            for name in dropped {
                self.headers.remove(name);
            }
        }
        self.url = next;
    }
}

fn same_host(one: &Url, other: &Url) -> bool {
    one.host() == other.host() && one.port_or_known_default() == other.port_or_known_default()
}

fn is_redirect(status: StatusCode) -> bool {
    [301, 302, 303, 307, 308].contains(&status.as_u16())
}

async fn read(mut response: reqwest::Response, call: Call) -> Result<Answer, OutboundError> {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = BytesMut::new();
    // Chunks are decoded: a small answer that unpacks to a large one is cut, too.
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(OutboundError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status,
        headers,
        body: body.freeze(),
        method: call.method,
        url: call.url,
    })
}

/// The refusal of our own resolver is buried in the connector's errors.
fn unreachable(error: reqwest::Error) -> OutboundError {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(NotPublic(name)) = cause.downcast_ref::<NotPublic>() {
            return OutboundError::NotPublic(name.clone());
        }
        source = cause.source();
    }
    if error.is_timeout() {
        OutboundError::Timeout
    } else {
        OutboundError::Unreachable(error)
    }
}
