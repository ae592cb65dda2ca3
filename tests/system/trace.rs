//! One trace from the caller's RPC through the broker to certification, back, and into the history.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use system_tests::{Marketplace, Options, drafts, until};
use tonic::{Request, Response, Status};

/// Service and name of each span by id, and its parent.
type Spans = HashMap<Vec<u8>, Span>;

#[derive(Clone)]
struct Span {
    trace: Vec<u8>,
    parent: Vec<u8>,
    service: String,
    name: String,
}

#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Spans>>);

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut spans = self.0.lock().expect("no panic holds it");
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.unwrap_or_default().attributes;
            let service = attributes
                .into_iter()
                .find(|a| a.key == "service.name")
                .and_then(|a| a.value)
                .unwrap_or_default();
            let service = format!("{service:?}");
            let service = SERVICES
                .iter()
                .find(|name| service.contains(**name))
                .map_or(service.clone(), |name| (*name).to_owned());
            for span in resource
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans)
            {
                let seen = Span {
                    trace: span.trace_id,
                    parent: span.parent_span_id,
                    service: service.clone(),
                    name: span.name,
                };
                spans.insert(span.span_id, seen);
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Receiver {
    async fn export(
        &self,
        _: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

use system_tests::SERVICES;

#[tokio::test]
async fn one_trace_spans_publish_certification_and_history() -> anyhow::Result<()> {
    let receiver = Receiver::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(receiver.clone()))
        .add_service(MetricsServiceServer::new(receiver.clone()))
        .serve_with_incoming(tokio_stream::wrappers::TcpListenerStream::new(listener));
    let told = async {
        let environment = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)];
        let market = Marketplace::start_with(Options {
            environment,
            ..Options::default()
        })
        .await?;
        market.publisher("contoso").await?;
        // Of a type that is validated before its preview: nobody needs to act for the answer.
        let offer = market
            .draft("contoso", "forge", drafts::saas_free_trial())
            .await?;
        let submission = market.publish(&offer).await?;
        let edges = until("the trace has every edge", async || Ok(edges(&receiver))).await?;
        let chain = [
            "publishing-pipeline",
            "certification",
            "publishing-pipeline",
            "history",
        ]
        .map(str::to_owned);
        let goes_on = until(
            "what follows certification's answer is in the trace",
            async || Ok(chains(&receiver).contains(&chain[..]).then_some(())),
        );
        goes_on
            .await
            .with_context(|| format!("{:?}", chains(&receiver)))?;
        for edge in &edges {
            println!("{edge:?}");
        }
        market.finish(&submission).await?;
        market.stop().await
    };
    tokio::select! {
        told = told => told,
        ended = server => anyhow::bail!("the receiver ended: {ended:?}"),
    }
}

/// The services that follow one another in the trace of PublishOffer, once all that must are there.
fn edges(receiver: &Receiver) -> Option<BTreeSet<(String, String)>> {
    let spans = receiver.0.lock().expect("no panic holds it").clone();
    let publish = spans
        .values()
        .find(|span| span.service == "publishing-pipeline" && span.name.contains("PublishOffer"))?;
    let of_trace = spans.values().filter(|span| span.trace == publish.trace);
    let edges: BTreeSet<_> = of_trace
        .filter_map(|span| {
            Some((
                spans.get(&span.parent)?.service.clone(),
                span.service.clone(),
            ))
        })
        .filter(|(from, to)| from != to)
        .collect();
    let wanted = [
        ("publishing-pipeline", "offer-catalog"),
        ("publishing-pipeline", "certification"),
        ("publishing-pipeline", "history"),
        ("publishing-pipeline", "notification"),
    ];
    wanted
        .iter()
        .all(|(from, to)| edges.contains(&((*from).to_owned(), (*to).to_owned())))
        .then_some(edges)
}

/// The services that follow one another on the way from PublishOffer to each span of its trace.
fn chains(receiver: &Receiver) -> BTreeSet<Vec<String>> {
    let spans = receiver.0.lock().expect("no panic holds it").clone();
    spans
        .values()
        .filter_map(|span| chain(&spans, span))
        .collect()
}

fn chain<'a>(spans: &'a Spans, mut span: &'a Span) -> Option<Vec<String>> {
    let mut chain = vec![span.service.clone()];
    while !span.name.contains("PublishOffer") {
        span = spans.get(&span.parent)?;
        if chain.last() != Some(&span.service) {
            chain.push(span.service.clone());
        }
    }
    chain.reverse();
    Some(chain)
}
