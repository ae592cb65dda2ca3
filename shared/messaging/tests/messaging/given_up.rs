//! What the broker gave up, beside what it delivers; and how to send what no relay sends.

use std::sync::Arc;

use futures::future::join_all;
use lapin::BasicProperties;
use uuid::Uuid;

use crate::setup::{CHANGED, DEAD, DOUBLED, EFFECTS, Effects, Setup, WAITING, changed};

/// A message that no relay sends.
pub struct Raw {
    payload: Vec<u8>,
    id: Option<Uuid>,
    kind: &'static str,
}

impl Raw {
    pub fn of(payload: &[u8]) -> Raw {
        Raw {
            payload: payload.to_vec(),
            id: Some(Uuid::now_v7()),
            kind: CHANGED,
        }
    }

    pub fn kind(self, kind: &'static str) -> Raw {
        Raw { kind, ..self }
    }

    pub fn without_id(self) -> Raw {
        Raw { id: None, ..self }
    }
}

/// Sends them to the queue of history, in order.
pub async fn send_raw(setup: &Setup, exchange: &str, messages: impl IntoIterator<Item = Raw>) {
    let (_connection, channel) = setup.channel().await;
    channel.confirm_select(Default::default()).await.unwrap();
    let mut confirms = Vec::new();
    for raw in messages {
        let mut properties = BasicProperties::default().with_type(raw.kind.into());
        if let Some(id) = raw.id {
            properties = properties.with_message_id(id.to_string().into());
        }
        let publish = channel.basic_publish(
            exchange.into(),
            "history".into(),
            Default::default(),
            &raw.payload,
            properties,
        );
        confirms.push(publish.await.unwrap());
    }
    for confirm in join_all(confirms).await {
        assert!(confirm.unwrap().is_ack());
    }
}

#[tokio::test]
async fn what_the_broker_gave_up_becomes_a_dead_letter() {
    let setup = Setup::new().await;
    let consumer = setup.consume(&Arc::new(Effects));
    let relay = setup.relay(&setup.publishing);
    setup.tell([changed(Uuid::now_v7())]).await;
    setup.until(EFFECTS, 1).await;
    send_raw(
        &setup,
        "marketplace.dead",
        [Raw::of(b"delivered too often")],
    )
    .await;
    setup.until(DEAD, 1).await;
    relay.stop().await;
    consumer.stop().await;
    setup.end().await;
}

/// Each is acknowledged by itself: what is settled of one queue says nothing of the other's.
#[tokio::test]
async fn with_both_queues_full_nothing_of_either_is_lost() {
    let setup = Setup::new().await;
    let relay = setup.relay(&setup.publishing);
    // More than is taken ahead of either.
    setup.tell((0..300).map(|_| changed(Uuid::now_v7()))).await;
    setup.until(WAITING, 0).await;
    let given_up = (0..300).map(|_| Raw::of(b"delivered too often"));
    send_raw(&setup, "marketplace.dead", given_up).await;

    let consumer = setup.consume(&Arc::new(Effects));
    setup.until(EFFECTS, 300).await;
    setup.until(DEAD, 300).await;
    assert_eq!(setup.count(DOUBLED).await, 0);
    // What was not acknowledged would come again.
    consumer.stop().await;
    let (_connection, channel) = setup.channel().await;
    for queue in ["history", "history.dead"] {
        let declared = channel
            .queue_declare(
                queue.into(),
                lapin::options::QueueDeclareOptions {
                    passive: true,
                    ..Default::default()
                },
                Default::default(),
            )
            .await
            .unwrap();
        assert_eq!(declared.message_count(), 0, "{queue}");
    }
    relay.stop().await;
    setup.end().await;
}
