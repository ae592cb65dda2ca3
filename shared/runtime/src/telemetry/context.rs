//! Trace context between processes: W3C `traceparent` and `tracestate`, over gRPC and over the broker.

use std::str::FromStr;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// What to tell the next process about the trace that `context` belongs to: header names with their values; nothing when
/// nothing is traced.
pub fn inject(context: &Context) -> Vec<(String, String)> {
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return Vec::new();
    }
    let parent = format!(
        "00-{}-{}-{:02x}",
        span.trace_id(),
        span.span_id(),
        span.trace_flags().to_u8()
    );
    let mut told = vec![("traceparent".to_owned(), parent)];
    let state = span.trace_state().header();
    if !state.is_empty() {
        told.push(("tracestate".to_owned(), state));
    }
    told
}

/// The same for the current span.
pub fn inject_current() -> Vec<(String, String)> {
    inject(&tracing::Span::current().context())
}

/// Where in a trace something was asked for, as it is stored with what is to be done later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// W3C `traceparent`; empty where nothing was traced.
    pub parent: String,
    /// W3C `tracestate`.
    pub state: String,
}

impl Trace {
    /// That of the current span.
    pub fn current() -> Trace {
        let mut trace = Trace::default();
        for (name, value) in inject_current() {
            match name.as_str() {
                "traceparent" => trace.parent = value,
                "tracestate" => trace.state = value,
                _ => {}
            }
        }
        trace
    }

    /// Makes `span` a child of it.
    pub fn adopt(&self, span: &tracing::Span) {
        adopt(span, Some(&self.parent), Some(&self.state));
    }
}

/// The context that another process has told; an empty one for what is no traceparent.
pub fn extract(traceparent: &str, tracestate: &str) -> Context {
    remote(traceparent, tracestate).map_or_else(Context::new, |span| {
        Context::new().with_remote_span_context(span)
    })
}

fn remote(traceparent: &str, tracestate: &str) -> Option<SpanContext> {
    let mut parts = traceparent.trim().split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let sizes_fit = version.len() == 2 && trace.len() == 32 && span.len() == 16 && flags.len() == 2;
    // A later version may add parts; version 00 may not.
    if !sizes_fit || version == "ff" || version == "00" && parts.next().is_some() {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let state = TraceState::from_str(tracestate).unwrap_or_default();
    let span = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        flags,
        true,
        state,
    );
    span.is_valid().then_some(span)
}

/// Makes `span` a child of what another process has told.
pub fn adopt(span: &tracing::Span, traceparent: Option<&str>, tracestate: Option<&str>) {
    if let Some(told) =
        traceparent.and_then(|parent| remote(parent, tracestate.unwrap_or_default()))
    {
        // Err: the span is filtered out or nothing is traced.
        let _ = span.set_parent(Context::new().with_remote_span_context(told));
    }
}

/// The id of the current trace, to show to people; a random one where nothing is traced, so that an answer can still be
/// found in the log.
pub fn trace_id() -> String {
    let context = tracing::Span::current().context();
    let id = context.span().span_context().trace_id();
    if id == TraceId::INVALID {
        hex::encode(rand::random::<[u8; 16]>())
    } else {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read() {
        let context = extract(PARENT, "vendor=1");
        let span = context.span().span_context().clone();
        assert_eq!(
            span.trace_id().to_string(),
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
        assert!(span.is_sampled() && span.is_remote());
        let told = [
            ("traceparent".into(), PARENT.into()),
            ("tracestate".into(), "vendor=1".into()),
        ];
        assert_eq!(inject(&context), told);
    }

    #[test]
    fn what_is_no_traceparent_is_passed_over() {
        let zero = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        for wrong in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            zero,
            &format!("{PARENT}-x"),
            "00-xyz-1-1",
        ] {
            assert!(!extract(wrong, "").has_active_span(), "{wrong}");
        }
    }

    #[test]
    fn without_a_trace_there_is_still_an_id() {
        assert_eq!(trace_id().len(), 32);
        assert_eq!(inject_current(), []);
    }
}
