//! An event on its way out: what a command tells, before it has a revision.

use marketplace_proto::messaging::v1::{Actor, ActorKind, EventHeader};
use marketplace_runtime::ids;
use prost::Message as _;
use time::OffsetDateTime;
use uuid::Uuid;

/// An event to be told with the transaction that caused it.
///
/// `body` is the context's event message (`PublishingEvent`, …) **without** its header: the header is field 1 of every
/// event message, and is put in front of the body when the event is published, since its revision is counted by the
/// statement that stores it.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub(crate) event_id: Uuid,
    pub(crate) key: &'static str,
    pub(crate) cc: Vec<String>,
    pub(crate) revision: Option<u64>,
    pub(crate) occurred_at: OffsetDateTime,
    pub(crate) head: EventHeader,
    pub(crate) body: Vec<u8>,
}

impl Outgoing {
    /// An event without an offer yet: `key` is the routing key ("publishing.v1.publication_changed"), `publisher` the
    /// resource name "publishers/{publisher}".
    pub fn new(
        key: &'static str,
        actor: Actor,
        publisher: impl Into<String>,
        occurred_at: OffsetDateTime,
        body: &impl prost::Message,
    ) -> Outgoing {
        let head = EventHeader {
            actor: Some(actor),
            publisher: publisher.into(),
            ..EventHeader::default()
        };
        let event_id = ids::new_id();
        Outgoing {
            event_id,
            key,
            cc: Vec::new(),
            revision: None,
            occurred_at,
            head,
            body: body.encode_to_vec(),
        }
    }

    /// Concerns this offer: its resource name and system id.
    #[must_use]
    pub fn about(mut self, offer: impl Into<String>, offer_uid: Uuid) -> Outgoing {
        self.head.offer = offer.into();
        self.head.offer_uid = offer_uid.to_string();
        self
    }

    /// Adds the routing key of an order to the `CC` header, so that only who carries it out gets a copy.
    #[must_use]
    pub fn order(mut self, key: impl Into<String>) -> Outgoing {
        let key = key.into();
        if !self.cc.contains(&key) {
            self.cc.push(key);
        }
        self
    }

    /// The event's revision is one that the caller counts itself, under a lock on the offer's row that it holds until
    /// the commit (the publication's revision). Then `occurred_at` must not run back either.
    #[must_use]
    pub fn at_revision(mut self, revision: u64) -> Outgoing {
        self.revision = Some(revision);
        self
    }

    /// Id of the event, fixed from the start.
    pub fn event_id(&self) -> Uuid {
        self.event_id
    }

    /// Within one stream events are published in order and revisions are counted.
    pub(crate) fn stream(&self) -> &str {
        if self.head.offer_uid.is_empty() {
            &self.head.publisher
        } else {
            &self.head.offer_uid
        }
    }
}

/// An actor for a process that no person started.
pub fn system() -> Actor {
    Actor {
        kind: ActorKind::System as i32,
        principal: String::new(),
    }
}

/// The bytes of an event message: the header as field 1, then the body.
pub(crate) fn payload(head: &EventHeader, body: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(head.encoded_len() + body.len() + 8);
    prost::encoding::message::encode(1, head, &mut payload);
    payload.extend_from_slice(body);
    payload
}
