//! Traces over OTLP, seen by a receiver: a call that arrives with a `traceparent` is a child of it.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use std::time::{Duration, Instant};

use marketplace_runtime::config::{LogFormat, TelemetryConfig};
use marketplace_runtime::telemetry;
use tokio::sync::mpsc;

/// The fields of `ExportTraceServiceRequest` that the test looks at.
mod otlp {
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Request {
        #[prost(message, repeated, tag = "1")]
        pub resources: Vec<Resource>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Resource {
        #[prost(message, repeated, tag = "2")]
        pub scopes: Vec<Scope>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Scope {
        #[prost(message, repeated, tag = "2")]
        pub spans: Vec<Span>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Span {
        #[prost(bytes = "vec", tag = "1")]
        pub trace_id: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")]
        pub span_id: Vec<u8>,
        #[prost(bytes = "vec", tag = "4")]
        pub parent_span_id: Vec<u8>,
        #[prost(string, tag = "5")]
        pub name: String,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Response {}
}

#[derive(Clone)]
struct Receiver(mpsc::UnboundedSender<otlp::Span>);

impl tonic::server::NamedService for Receiver {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl tonic::server::UnaryService<otlp::Request> for Receiver {
    type Response = otlp::Response;
    type Future = std::future::Ready<Result<tonic::Response<otlp::Response>, tonic::Status>>;

    fn call(&mut self, request: tonic::Request<otlp::Request>) -> Self::Future {
        let scopes = request
            .into_inner()
            .resources
            .into_iter()
            .flat_map(|resource| resource.scopes);
        for span in scopes.flat_map(|scope| scope.spans) {
            let _ = self.0.send(span);
        }
        std::future::ready(Ok(tonic::Response::new(otlp::Response {})))
    }
}

impl tower::Service<http::Request<tonic::body::Body>> for Receiver {
    type Response = http::Response<tonic::body::Body>;
    type Error = std::convert::Infallible;
    type Future = futures::future::BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let codec = tonic_prost::ProstCodec::<otlp::Response, otlp::Request>::default();
            Ok(tonic::server::Grpc::new(codec)
                .unary(service, request)
                .await)
        })
    }
}

fn config(endpoint: &str) -> TelemetryConfig {
    TelemetryConfig {
        log: "info".into(),
        format: LogFormat::Json,
        otlp_endpoint: Some(endpoint.parse().unwrap()),
        sample: 1.0,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_span_is_exported_as_the_child_of_what_another_process_told() {
    let (sender, mut spans) = mpsc::unbounded_channel();
    let incoming =
        tonic::transport::server::TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", incoming.local_addr().unwrap());
    tokio::task::spawn(
        tonic::transport::Server::builder()
            .add_service(Receiver(sender))
            .serve_with_incoming(incoming),
    );
    let telemetry = telemetry::init("test", &config(&endpoint)).unwrap();

    let span = tracing::info_span!("consume");
    telemetry::adopt(
        &span,
        Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        None,
    );
    let told = span.in_scope(telemetry::inject_current);
    assert_eq!(
        span.in_scope(telemetry::trace_id),
        "4bf92f3577b34da6a3ce929d0e0e4736"
    );
    // Stored with work to be done later, it is the same.
    let stored = span.in_scope(telemetry::Trace::current);
    assert_eq!(stored.parent, told[0].1);
    let later = tracing::info_span!("later");
    stored.adopt(&later);
    assert_eq!(
        later.in_scope(telemetry::trace_id),
        "4bf92f3577b34da6a3ce929d0e0e4736"
    );
    drop(span);
    drop(later);
    tokio::task::block_in_place(|| telemetry.flush());

    let seen = tokio::time::timeout(Duration::from_secs(5), spans.recv())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (seen.name.as_str(), hex::encode(&seen.parent_span_id)),
        ("consume", "00f067aa0ba902b7".to_owned())
    );
    let expected = format!(
        "00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01",
        hex::encode(&seen.span_id)
    );
    assert_eq!(told, [("traceparent".to_owned(), expected)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_away_holds_nobody_up() {
    let telemetry = telemetry::init("test", &config("http://127.0.0.1:1")).unwrap();
    let begun = Instant::now();
    for _ in 0..10_000 {
        tracing::info_span!("work").in_scope(|| {});
    }
    assert!(begun.elapsed() < Duration::from_secs(2));
    tokio::task::block_in_place(|| telemetry.flush());
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "flush took {:?}",
        begun.elapsed()
    );
}
