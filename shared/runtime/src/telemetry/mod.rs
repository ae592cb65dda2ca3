//! Logs, traces and metrics: structured lines on stderr; traces and metrics over OTLP where an endpoint is configured.

mod context;
mod init;

pub use context::{Trace, adopt, extract, inject, inject_current, trace_id};
pub use init::{Telemetry, TelemetryError, init};
