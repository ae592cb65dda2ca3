//! An event as stored, and as the broker gets it.

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldArray, FieldTable, LongString},
};
use marketplace_proto::messaging::v1::EventHeader;
use marketplace_runtime::timestamp;
use prost::Message as _;
use sqlx::{Row as _, postgres::PgRow};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::outgoing;

/// A row of `outbox` or `published`.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) position: i64,
    pub(crate) event_id: Uuid,
    pub(crate) stream: String,
    pub(crate) key: String,
    pub(crate) cc: String,
    revision: i64,
    epoch: i32,
    occurred_at: OffsetDateTime,
    head: Vec<u8>,
    body: Vec<u8>,
    traceparent: String,
    tracestate: String,
}

impl Row {
    /// Reads a row whose columns bear the names of the table's.
    pub(crate) fn read(row: &PgRow) -> Result<Row, sqlx::Error> {
        Ok(Row {
            position: row.try_get("position")?,
            event_id: row.try_get("event_id")?,
            stream: row.try_get("stream")?,
            key: row.try_get("key")?,
            cc: row.try_get("cc")?,
            revision: row.try_get("revision")?,
            epoch: row.try_get("epoch")?,
            occurred_at: row.try_get("occurred_at")?,
            head: row.try_get("head")?,
            body: row.try_get("body")?,
            traceparent: row.try_get("traceparent")?,
            tracestate: row.try_get("tracestate")?,
        })
    }

    /// The event message: equal bytes each time the event is sent.
    pub(crate) fn payload(&self) -> Result<Vec<u8>, prost::DecodeError> {
        let head = EventHeader {
            event_id: self.event_id.to_string(),
            occurred_at: Some(timestamp::to_proto(self.occurred_at)),
            revision: self.revision.cast_unsigned(),
            epoch: self.epoch.cast_unsigned(),
            ..EventHeader::decode(self.head.as_slice())?
        };
        Ok(outgoing::payload(&head, &self.body))
    }

    /// Properties of the publish. The orders' keys go into `CC` (sender-selected distribution) unless the message is
    /// `addressed` to one queue, where they would select other queues.
    pub(crate) fn properties(&self, service: &str, addressed: bool) -> BasicProperties {
        let mut headers = FieldTable::default();
        if !addressed && !self.cc.is_empty() {
            let keys = self.cc.split(' ').map(long_string).collect::<Vec<_>>();
            headers.insert("CC".into(), AMQPValue::FieldArray(FieldArray::from(keys)));
        }
        for (name, value) in [
            ("traceparent", &self.traceparent),
            ("tracestate", &self.tracestate),
        ] {
            if !value.is_empty() {
                headers.insert(name.into(), long_string(value));
            }
        }
        BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/protobuf".into())
            .with_message_id(self.event_id.to_string().into())
            .with_type(self.key.as_str().into())
            .with_app_id(service.into())
            .with_timestamp(self.occurred_at.unix_timestamp().cast_unsigned())
            .with_headers(headers)
    }
}

const PERSISTENT: u8 = 2;

fn long_string(text: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(text))
}
