//! The one layer that makes the span, the metrics and the error log of every RPC, so that handlers have none.
//!
//! Every error leaves with an ErrorInfo, also those that tonic answers by itself (bytes that are no message, too
//! many of them, no such method). It also turns a panic of a handler into INTERNAL: one request must not be able to end
//! the process for all others.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, UpDownCounter};
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::{Instrument, Span};

use super::methods::Methods;
use crate::{
    status::{self, code_name},
    telemetry,
};

/// Observes calls.
#[derive(Clone)]
pub(crate) struct RpcLayer {
    rules: Arc<Rules>,
}

struct Rules {
    domain: &'static str,
    methods: Arc<Methods>,
    duration: Histogram<f64>,
    active: UpDownCounter<i64>,
}

impl RpcLayer {
    pub fn new(domain: &'static str, methods: Arc<Methods>) -> Self {
        let meter = opentelemetry::global::meter("marketplace_runtime");
        let duration = meter
            .f64_histogram("rpc.server.call.duration")
            .with_unit("s")
            .with_boundaries(boundaries())
            .build();
        let active = meter.i64_up_down_counter("rpc.server.active_calls").build();
        Self {
            rules: Arc::new(Rules {
                domain,
                methods,
                duration,
                active,
            }),
        }
    }
}

fn boundaries() -> Vec<f64> {
    vec![
        0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ]
}

impl<S> Layer<S> for RpcLayer {
    type Service = Rpc<S>;

    fn layer(&self, inner: S) -> Rpc<S> {
        Rpc {
            inner,
            rules: Arc::clone(&self.rules),
        }
    }
}

/// The service that [`RpcLayer`] makes.
#[derive(Clone)]
pub(crate) struct Rpc<S> {
    inner: S,
    rules: Arc<Rules>,
}

/// One call under observation; told when it is dropped, which is when its last byte is written or its caller gone.
struct Call {
    rules: Arc<Rules>,
    method: &'static str,
    span: Span,
    begun: Instant,
    code: Option<Code>,
    message: String,
}

impl Call {
    fn begin(rules: &Arc<Rules>, request: &Request<Body>) -> Self {
        let method = rules.methods.name(request.uri().path());
        let span = tracing::info_span!(
            "rpc",
            otel.name = method,
            otel.kind = "server",
            rpc.method = method
        );
        let text = |name| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        telemetry::adopt(&span, text("traceparent"), text("tracestate"));
        rules.active.add(1, &[]);
        Self {
            rules: Arc::clone(rules),
            method,
            span,
            begun: Instant::now(),
            code: None,
            message: String::new(),
        }
    }

    /// Reads grpc-status from headers or trailers.
    fn see(&mut self, headers: &HeaderMap) {
        if let Some(status) = Status::from_header_map(headers) {
            self.code = Some(status.code());
            self.message = status.message().to_owned();
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // No status: the caller went away before the end.
        let code = self.code.unwrap_or(Code::Cancelled);
        let taken = self.begun.elapsed();
        self.rules.active.add(-1, &[]);
        let labels = [
            KeyValue::new("rpc.method", self.method),
            KeyValue::new("rpc.response.status_code", code_name(code)),
        ];
        self.rules.duration.record(taken.as_secs_f64(), &labels);
        if code == Code::Ok && !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let _entered = self.span.enter();
        let (duration_ms, code, message) = (
            taken.as_secs_f64() * 1_000.0,
            code_name(code),
            self.message.as_str(),
        );
        match self.code {
            // The cause of INTERNAL is logged where it arose; UNKNOWN and DATA_LOSS are never meant.
            Some(Code::Unknown | Code::DataLoss) => {
                tracing::error!(code, duration_ms, message, "call failed")
            }
            Some(Code::Internal | Code::Unavailable | Code::DeadlineExceeded) => {
                tracing::warn!(code, duration_ms, message, "call failed");
            }
            Some(Code::Ok) => tracing::debug!(code, duration_ms, "call"),
            _ => tracing::info!(code, duration_ms, message, "call refused"),
        }
    }
}

/// A Status that tonic made before the handler was reached, or after it: the same table of errors holds for it.
fn explain(domain: &str, headers: &mut HeaderMap, before: bool) {
    let Some(bare) = Status::from_header_map(headers) else {
        return;
    };
    if bare.code() == Code::Ok || !bare.details().is_empty() {
        return;
    }
    let explained = match bare.code() {
        // What INTERNAL of ours there is carries details: these bytes can't be read.
        Code::Internal if before => status::undecodable(domain, bare.message()),
        Code::OutOfRange | Code::ResourceExhausted if before => status::too_large(domain),
        Code::Unimplemented if bare.message().is_empty() => {
            status::unimplemented(domain, "there is no such method")
        }
        _ => status::bare(domain, &bare),
    };
    // Err: a message that is no header value, which percent-encoding rules out.
    let _ = explained.add_header(headers);
}

#[derive(Debug, thiserror::Error)]
#[error("the handler of {0} panicked")]
struct Panicked(&'static str);

impl<S> Service<Request<Body>> for Rpc<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Observed>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Observed>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut call = Call::begin(&self.rules, &request);
        let span = call.span.clone();
        // tonic's generated services do their work when polled: nothing of the handler runs in this line.
        let work = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        let work = async move {
            let mut response = match work.await {
                Ok(outcome) => outcome?,
                Err(_) => status::internal(call.rules.domain, &Panicked(call.method)).into_http(),
            };
            explain(call.rules.domain, response.headers_mut(), true);
            call.see(response.headers());
            Ok(response.map(|body| Observed {
                body,
                call: Some(call),
            }))
        };
        Box::pin(work.instrument(span))
    }
}

/// A response body that reads the status out of its trailers and ends the observation.
pub(crate) struct Observed {
    body: Body,
    call: Option<Call>,
}

impl HttpBody for Observed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        let entered = this.call.as_ref().map(|call| call.span.enter());
        let mut polled = Pin::new(&mut this.body).poll_frame(cx);
        drop(entered);
        match &mut polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(trailers), Some(call)) = (frame.trailers_mut(), &mut this.call) {
                    explain(call.rules.domain, trailers, false);
                    call.see(trailers);
                    this.call = None;
                }
            }
            Poll::Ready(Some(Err(_)) | None) => this.call = None,
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
