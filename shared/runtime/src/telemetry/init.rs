//! Setting telemetry up and taking it down.

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, filter::ParseError};

use crate::config::{LogFormat, TelemetryConfig};

/// What others log that says nothing more than our own lines do; `LOG=lapin=debug` shows it all the same.
const QUIET: &str = "lapin=off,sqlx::postgres::notice=warn";

/// What has to be flushed before the process ends.
#[derive(Default)]
pub struct Telemetry {
    tracer: Option<SdkTracerProvider>,
    meter: Option<SdkMeterProvider>,
}

/// Why telemetry can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter directives are malformed.
    #[error("LOG is malformed")]
    Log(#[from] ParseError),
    /// The exporter can't be made.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT is of no use")]
    Exporter(#[from] ExporterBuildError),
}

/// Sets up logs, and traces and metrics where configured; must be called within the tokio runtime.
///
/// Where a subscriber stands already (several services in one test process) that one is kept.
pub fn init(service: &'static str, config: &TelemetryConfig) -> Result<Telemetry, TelemetryError> {
    crate::crypto::install();
    let telemetry = Telemetry::open(service, config)?;
    let filter = EnvFilter::try_new(format!("{QUIET},{}", config.log))?;
    let lines = lines(config.format).with_filter(filter);
    let spans = telemetry.tracer.as_ref().map(|provider| {
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer(service));
        // Names of files and threads cost more than they tell.
        let layer = layer
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false);
        layer.with_filter(EnvFilter::new(
            "info,h2=off,hyper=off,tonic=off,tower=off,lapin=off,sqlx=off",
        ))
    });
    // Err: a subscriber stands already.
    let _ = tracing_subscriber::registry()
        .with(lines)
        .with(spans)
        .try_init();
    Ok(telemetry)
}

fn lines(format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .boxed(),
        LogFormat::Pretty => lines.with_ansi(false).boxed(),
    }
}

impl Telemetry {
    fn open(service: &'static str, config: &TelemetryConfig) -> Result<Self, TelemetryError> {
        let Some(endpoint) = &config.otlp_endpoint else {
            return Ok(Self::default());
        };
        let resource = Resource::builder().with_service_name(service).build();
        let spans = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint.as_str())
            .build()?;
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample)));
        let tracer = SdkTracerProvider::builder()
            .with_batch_exporter(spans)
            .with_sampler(sampler)
            .with_resource(resource.clone())
            .build();
        let metrics = MetricExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint.as_str())
            .build()?;
        let meter = SdkMeterProvider::builder()
            .with_periodic_exporter(metrics)
            .with_resource(resource)
            .build();
        opentelemetry::global::set_tracer_provider(tracer.clone());
        opentelemetry::global::set_meter_provider(meter.clone());
        Ok(Self {
            tracer: Some(tracer),
            meter: Some(meter),
        })
    }

    /// Sends what hasn't been sent. Blocks for at most some seconds; call it last.
    pub fn flush(&self) {
        let spans = self
            .tracer
            .as_ref()
            .map_or(Ok(()), SdkTracerProvider::force_flush);
        let metrics = self
            .meter
            .as_ref()
            .map_or(Ok(()), SdkMeterProvider::force_flush);
        for error in [spans, metrics].into_iter().filter_map(Result::err) {
            tracing::warn!(%error, "telemetry was not sent");
        }
    }
}
