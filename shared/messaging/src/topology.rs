//! Exchanges, queues and bindings: one table, declared by every service before it publishes or consumes, so that no
//! message is published before its queues exist. Arguments are frozen: RabbitMQ refuses a declaration that differs, and
//! what is to be tuned is tuned by a broker policy.

use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, LongString},
};

use crate::Error;

/// Every event is published here; the routing key is package and event, "publishing.v1.publication_changed".
pub const EVENTS: &str = "marketplace.events";
/// Gets what no queue is bound for; an operator may bind a queue to look. Nothing is bound: the publish is returned.
pub const UNROUTED: &str = "marketplace.unrouted";
/// Gets what a queue gave up after 1,000 deliveries, by the name of the queue.
pub const DEAD: &str = "marketplace.dead";

/// A queue and the routing keys it is bound with: what one service listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    /// Folder name of the consuming service.
    pub queue: &'static str,
    /// Routing keys, no wildcards.
    pub keys: &'static [&'static str],
}

impl Subscription {
    /// Whether an event with these keys reaches the queue.
    pub fn takes<'k>(&self, mut keys: impl Iterator<Item = &'k str>) -> bool {
        keys.any(|key| self.keys.contains(&key))
    }
}

/// What the catalogue listens to.
pub const OFFER_CATALOG: Subscription = Subscription {
    queue: "offer-catalog",
    keys: &["publishing.v1.publication_changed"],
};

/// What certification listens to: its own orders.
pub const CERTIFICATION: Subscription = Subscription {
    queue: "certification",
    keys: &[
        "publishing.v1.publication_changed.validation_requested",
        "publishing.v1.publication_changed.certification_requested",
        "publishing.v1.publication_changed.submission_canceled",
    ],
};

/// What the pipeline listens to: answers to its orders.
pub const PUBLISHING_PIPELINE: Subscription = Subscription {
    queue: "publishing-pipeline",
    keys: &[
        "certification.v1.validation_completed",
        "certification.v1.certification_passed",
        "certification.v1.certification_failed",
        "certification.v1.certification_progressed",
        "certification.v1.order_impossible",
        "offercatalog.v1.preview_prepared",
        "offercatalog.v1.offer_activated",
        "offercatalog.v1.offer_removed",
        "offercatalog.v1.order_superseded",
        "offercatalog.v1.order_failed",
        "offercatalog.v1.lead_submitted",
    ],
};

/// What the history listens to.
pub const HISTORY: Subscription = Subscription {
    queue: "history",
    keys: &[
        "publishing.v1.publication_changed",
        "offercatalog.v1.offer_created",
        "offercatalog.v1.offer_deleted",
        "offercatalog.v1.plan_created",
        "offercatalog.v1.plan_deleted",
        "offercatalog.v1.private_audience_synced",
        "offercatalog.v1.member_changed",
    ],
};

/// What notification listens to.
pub const NOTIFICATION: Subscription = Subscription {
    queue: "notification",
    keys: &[
        "publishing.v1.publication_changed",
        "offercatalog.v1.offer_deleted",
        "offercatalog.v1.preview_served",
        "offercatalog.v1.member_changed",
        "offercatalog.v1.private_audience_synced",
    ],
};

/// The whole table.
pub const TOPOLOGY: [Subscription; 5] = [
    OFFER_CATALOG,
    CERTIFICATION,
    PUBLISHING_PIPELINE,
    HISTORY,
    NOTIFICATION,
];

/// The subscription of a queue.
pub fn of(queue: &str) -> Option<Subscription> {
    TOPOLOGY
        .into_iter()
        .find(|subscription| subscription.queue == queue)
}

/// The queue that keeps what `queue` gave up; its consumer writes it to `dead_letters`.
pub(crate) fn dead_queue(queue: &str) -> String {
    format!("{queue}.dead")
}

/// Declares everything. Repeating it changes nothing.
pub(crate) async fn declare(channel: &Channel) -> Result<(), Error> {
    let exchanges = [
        (UNROUTED, ExchangeKind::Fanout, FieldTable::default()),
        (DEAD, ExchangeKind::Direct, FieldTable::default()),
        (
            EVENTS,
            ExchangeKind::Topic,
            table([("alternate-exchange", text(UNROUTED))]),
        ),
    ];
    for (name, kind, arguments) in exchanges {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..Default::default()
        };
        channel
            .exchange_declare(name.into(), kind, options, arguments)
            .await?;
    }
    for subscription in TOPOLOGY {
        declare_queue(channel, &subscription).await?;
    }
    Ok(())
}

async fn declare_queue(channel: &Channel, subscription: &Subscription) -> Result<(), Error> {
    let queue = subscription.queue;
    let dead = dead_queue(queue);
    let durable = QueueDeclareOptions {
        durable: true,
        ..Default::default()
    };
    let kept = table([
        ("x-queue-type", text("quorum")),
        ("x-single-active-consumer", AMQPValue::Boolean(true)),
    ]);
    channel
        .queue_declare(dead.as_str().into(), durable, kept)
        .await?;
    bind(channel, &dead, DEAD, queue).await?;
    let arguments = table([
        ("x-queue-type", text("quorum")),
        ("x-single-active-consumer", AMQPValue::Boolean(true)),
        ("x-delivery-limit", AMQPValue::LongInt(1_000)),
        ("x-dead-letter-exchange", text(DEAD)),
        ("x-dead-letter-routing-key", text(queue)),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ]);
    channel
        .queue_declare(queue.into(), durable, arguments)
        .await?;
    for key in subscription.keys {
        bind(channel, queue, EVENTS, key).await?;
    }
    Ok(())
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), Error> {
    let options = QueueBindOptions::default();
    Ok(channel
        .queue_bind(
            queue.into(),
            exchange.into(),
            key.into(),
            options,
            FieldTable::default(),
        )
        .await?)
}

fn table<const N: usize>(entries: [(&str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert(name.into(), value);
    }
    table
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::*;

    /// An event that no queue is bound for would be returned for ever, and hold back its offer.
    #[test]
    fn every_event_of_every_context_reaches_a_queue() {
        let files = FileDescriptorSet::decode(marketplace_proto::DESCRIPTORS).unwrap();
        let mut events = Vec::new();
        for file in files
            .file
            .iter()
            .filter(|file| file.name().ends_with("/events.proto"))
        {
            let package = file.package().trim_start_matches("marketplace.");
            let heads = file
                .message_type
                .iter()
                .filter(|message| message.field.iter().any(|f| f.name() == "header"));
            for head in heads {
                let bodies = head
                    .field
                    .iter()
                    .filter(|field| field.oneof_index.is_some());
                events.extend(bodies.map(|field| format!("{package}.{}", field.name())));
            }
        }
        assert!(events.len() > 10, "{events:?}");
        for event in &events {
            assert!(
                TOPOLOGY
                    .iter()
                    .any(|s| s.takes([event.as_str()].into_iter())),
                "no queue is bound for {event}"
            );
        }
        for key in TOPOLOGY.iter().flat_map(|subscription| subscription.keys) {
            let known = |event: &String| key == event || key.starts_with(&format!("{event}."));
            assert!(events.iter().any(known), "nobody announces {key}");
        }
    }
}
