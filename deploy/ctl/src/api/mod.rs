//! How an RPC is called: which service, with the token, with a deadline, and again where trying again is safe.

mod paged;
mod rpcs;

use std::path::Path;
use std::time::Duration;

use http::uri::PathAndQuery;
use prost::Message;
use tonic::client::Grpc;
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status, Streaming};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt;

use crate::cli::Endpoints;
use crate::error::{Error, is_of_the_line};

/// How long one try may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// Tries in all, while a service is away or asks to try again.
const TRIES: u32 = 6;
/// Pause before the second try; doubles. Six tries span about six seconds: a restart.
const PAUSE: Duration = Duration::from_millis(200);
/// The largest answer read. Services send up to 4 MiB.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// One of the five services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Service {
    #[value(name = "offer-catalog", alias = "catalog")]
    Catalog,
    Certification,
    #[value(name = "publishing-pipeline", alias = "publishing")]
    Publishing,
    History,
    Notification,
}

/// A message with a name in the .proto files.
pub trait Named {
    /// For example "marketplace.publishing.v1.PublishOfferResponse".
    const NAME: &'static str;
}

/// A request: it alone says which RPC is called.
pub trait Rpc: Message + Clone + 'static {
    type Answer: Message + Named + Default + 'static;
    /// Who serves it.
    const SERVICE: Service;
    /// "/package.Service/Method".
    const PATH: &'static str;

    /// "PublishOffer".
    fn method() -> &'static str {
        Self::PATH.rsplit('/').next().unwrap_or(Self::PATH)
    }
}

/// The five services as this run's caller.
pub struct Api {
    channels: [(String, Channel); 5],
    authorization: Option<MetadataValue<tonic::metadata::Ascii>>,
}

impl Api {
    /// Checks addresses and token; connects with the first call to each service.
    pub fn new(
        endpoints: &Endpoints,
        ca_file: Option<&Path>,
        token: Option<String>,
    ) -> Result<Self, Error> {
        let tls = match ca_file {
            Some(path) => {
                let pem = std::fs::read(path)
                    .map_err(|e| Error::io(format!("CA file {}", path.display()), e))?;
                ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem))
            }
            None => ClientTlsConfig::new(),
        };
        let authorization = token.map(|token| {
            let mut value = MetadataValue::try_from(format!("Bearer {}", token.trim()))
                .map_err(|_| Error::usage("the token has characters that no token has"))?;
            value.set_sensitive(true);
            Ok::<_, Error>(value)
        });
        let open = |url: &String| Ok::<_, Error>((url.clone(), channel(url, &tls)?));
        Ok(Self {
            channels: [
                open(&endpoints.endpoint_catalog)?,
                open(&endpoints.endpoint_certification)?,
                open(&endpoints.endpoint_publishing)?,
                open(&endpoints.endpoint_history)?,
                open(&endpoints.endpoint_notification)?,
            ],
            authorization: authorization.transpose()?,
        })
    }

    /// Calls the RPC of this request. A request that changes something must carry a request id: it may be sent twice.
    pub async fn call<R: Rpc>(&self, request: R) -> Result<R::Answer, Error> {
        self.call_at(R::SERVICE, request).await
    }

    /// The same for an RPC that every service serves.
    pub async fn call_at<R: Rpc>(&self, service: Service, request: R) -> Result<R::Answer, Error> {
        self.again::<R, _, _>(service, async |mut grpc| {
            let request = self.request(request.clone(), Some(DEADLINE));
            grpc.unary(request, PathAndQuery::from_static(R::PATH), codec::<R>())
                .await
                .map(tonic::Response::into_inner)
        })
        .await
    }

    /// Calls an RPC that answers a stream; only its beginning is tried again.
    pub async fn stream<R: Rpc>(&self, request: R) -> Result<Streaming<R::Answer>, Error> {
        self.again::<R, _, _>(R::SERVICE, async |mut grpc| {
            let request = self.request(request.clone(), None);
            let path = PathAndQuery::from_static(R::PATH);
            grpc.server_streaming(request, path, codec::<R>())
                .await
                .map(tonic::Response::into_inner)
        })
        .await
    }

    /// Calls an RPC that takes a stream, once: who sends one knows what of it need not be sent again.
    pub async fn upload<R: Rpc>(
        &self,
        parts: impl Iterator<Item = R> + Send + 'static,
    ) -> Result<R::Answer, Error> {
        let (url, channel) = &self.channels[R::SERVICE as usize];
        let mut grpc = Grpc::new(channel.clone()).max_decoding_message_size(MAX_ANSWER);
        let answer = match grpc.ready().await {
            Ok(()) => {
                // No deadline: how long it takes depends on the line.
                let request = self.request(tokio_stream::iter(parts), None);
                let path = PathAndQuery::from_static(R::PATH);
                grpc.client_streaming(request, path, codec::<R>()).await
            }
            Err(error) => Err(Status::from_error(error.into())),
        };
        answer
            .map(tonic::Response::into_inner)
            .map_err(|status| Error::status(R::method(), R::SERVICE, url, status))
    }

    async fn again<R: Rpc, A, F>(&self, service: Service, one_try: F) -> Result<A, Error>
    where
        F: AsyncFn(Grpc<Channel>) -> Result<A, Status>,
    {
        let (url, channel) = &self.channels[service as usize];
        for tried in 1.. {
            let mut grpc = Grpc::new(channel.clone()).max_decoding_message_size(MAX_ANSWER);
            let result = match grpc.ready().await {
                Ok(()) => one_try(grpc).await,
                Err(error) => Err(Status::from_error(error.into())),
            };
            match result {
                Ok(answer) => return Ok(answer),
                Err(status) if tried < TRIES && worth_another_try(&status) => {
                    tokio::time::sleep(pause(&status, tried)).await;
                }
                Err(status) => return Err(Error::status(R::method(), service, url, status)),
            }
        }
        unreachable!("the last try returns")
    }

    fn request<T>(&self, message: T, deadline: Option<Duration>) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(deadline) = deadline {
            request.set_timeout(deadline);
        }
        if let Some(authorization) = &self.authorization {
            request
                .metadata_mut()
                .insert("authorization", authorization.clone());
        }
        request
    }
}

fn channel(url: &str, tls: &ClientTlsConfig) -> Result<Channel, Error> {
    let wrong = |why: String| Error::usage(format!("endpoint {url}: {why}"));
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|e| wrong(e.to_string()))?;
    let endpoint = match endpoint.uri().scheme_str() {
        Some("http") => endpoint,
        Some("https") => endpoint
            .tls_config(tls.clone())
            .map_err(|e| wrong(e.to_string()))?,
        _ => return Err(wrong("write http://host:port or https://host:port".into())),
    };
    let alive = Duration::from_secs(15);
    Ok(endpoint
        .connect_timeout(Duration::from_secs(3))
        .http2_keep_alive_interval(alive)
        .connect_lazy())
}

fn codec<R: Rpc>() -> ProstCodec<R, R::Answer> {
    ProstCodec::default()
}

/// UNAVAILABLE and broken lines always; ABORTED where the service says when to come back (a stale etag doesn't get better).
fn worth_another_try(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable => true,
        _ if is_of_the_line(status) => true,
        Code::Aborted => status.get_details_retry_info().is_some(),
        _ => false,
    }
}

fn pause(status: &Status, tried: u32) -> Duration {
    let own = PAUSE * 2u32.pow(tried - 1);
    let asked = status
        .get_details_retry_info()
        .and_then(|info| info.retry_delay)
        .unwrap_or_default();
    own.max(asked).min(Duration::from_secs(10))
}

/// A fresh request id.
pub fn request_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn only_what_can_succeed_is_tried_again() {
        let wait = ErrorDetails::with_retry_info(Some(Duration::from_secs(2)));
        let told = Status::with_error_details(Code::Aborted, "REQUEST_IN_PROGRESS", wait);
        assert!(worth_another_try(&told));
        assert!(worth_another_try(&Status::unavailable("away")));
        assert!(worth_another_try(&Status::unknown("transport error")));
        for status in [
            Status::aborted("stale"),
            Status::not_found("x"),
            Status::failed_precondition("x"),
            Status::internal("x"),
        ] {
            assert!(!worth_another_try(&status), "{status}");
        }
        assert_eq!(pause(&told, 1), Duration::from_secs(2));
        assert_eq!(
            pause(&Status::unavailable("away"), 3),
            Duration::from_millis(800)
        );
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_before_anything_is_called() {
        for url in ["127.0.0.1:7001", "ftp://x", "http://", ""] {
            assert_eq!(
                channel(url, &ClientTlsConfig::new())
                    .err()
                    .unwrap()
                    .exit_code(),
                2,
                "{url}"
            );
        }
    }
}
