//! A message as received.

use bytes::Bytes;
use lapin::{message::Delivery, types::AMQPValue};
use marketplace_proto::messaging::v1::EventHeader;
use marketplace_runtime::telemetry;
use sha2::{Digest as _, Sha256};
use tracing::Span;
use uuid::Uuid;

use super::Failure;

/// An event of another context. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Message {
    /// Id of the event; the same each time it is sent.
    pub event_id: Uuid,
    /// The AMQP type: package and event, "publishing.v1.publication_changed".
    pub kind: String,
    /// Header of the event; empty where the payload can't be decoded.
    pub header: EventHeader,
    /// The event message.
    pub payload: Bytes,
    pub(crate) traceparent: String,
    pub(crate) tracestate: String,
    span: Span,
}

/// Every event message as far as this crate knows it.
#[derive(Clone, PartialEq, prost::Message)]
struct Headed {
    #[prost(message, optional, tag = "1")]
    header: Option<EventHeader>,
}

impl Message {
    /// From its parts. A message without an id of its own gets one made of its content, so that it has the same each time.
    pub(crate) fn new(
        id: Option<Uuid>,
        kind: String,
        payload: Bytes,
        traceparent: String,
        tracestate: String,
    ) -> Message {
        let headed = <Headed as prost::Message>::decode(payload.as_ref()).unwrap_or_default();
        let header = headed.header.unwrap_or_default();
        let event_id = id.unwrap_or_else(|| made_of(&kind, &payload));
        let span = tracing::info_span!(
            "receive",
            otel.name = %format_args!("receive {kind}"),
            otel.kind = "consumer",
            event.id = %event_id,
            offer.id = header.offer,
        );
        telemetry::adopt(
            &span,
            Some(&traceparent)
                .filter(|t| !t.is_empty())
                .map(String::as_str),
            Some(&tracestate),
        );
        Message {
            event_id,
            kind,
            header,
            payload,
            traceparent,
            tracestate,
            span,
        }
    }

    pub(crate) fn of(delivery: &mut Delivery) -> Message {
        let payload = Bytes::from(std::mem::take(&mut delivery.data));
        let properties = &delivery.properties;
        let id = properties
            .message_id()
            .as_ref()
            .and_then(|id| Uuid::try_parse(id.as_str()).ok());
        let kind = properties
            .kind()
            .as_ref()
            .map_or_else(|| delivery.routing_key.to_string(), ToString::to_string);
        let header = |name| text(delivery, name);
        Message::new(
            id,
            kind,
            payload,
            header("traceparent"),
            header("tracestate"),
        )
    }

    /// The event message of its context. A payload that can't be decoded, or isn't the event that the id says, makes a
    /// dead letter.
    pub fn decode<M: prost::Message + Default>(&self) -> Result<M, Failure> {
        if self.header.event_id != self.event_id.to_string() {
            return Err(Failure::Dead(format!(
                "undecodable: no event {} in it",
                self.event_id
            )));
        }
        Ok(M::decode(self.payload.clone())?)
    }

    /// The offer it concerns.
    pub fn offer_uid(&self) -> Option<Uuid> {
        Uuid::try_parse(&self.header.offer_uid).ok()
    }

    /// The span in which it is handled; its parent is the span that told the event.
    pub fn span(&self) -> &Span {
        &self.span
    }
}

/// A UUID (version 8) made of the content.
fn made_of(kind: &str, payload: &[u8]) -> Uuid {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(kind)
        .chain_update([0])
        .chain_update(payload)
        .finalize()
        .into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn text(delivery: &Delivery, name: &str) -> String {
    let headers = delivery.properties.headers().as_ref();
    match headers.and_then(|headers| headers.inner().get(name)) {
        Some(AMQPValue::LongString(value)) => {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        }
        Some(AMQPValue::ShortString(value)) => value.to_string(),
        _ => String::new(),
    }
}
