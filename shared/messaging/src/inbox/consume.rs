//! The consumer of a queue: takes deliveries in batches, has them applied, acknowledges what was settled.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt as _, StreamExt as _};
use lapin::{
    Channel, Consumer,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use marketplace_runtime::clock;
use tokio_util::sync::CancellationToken;

use super::{Failure, Message, Receive, apply};
use crate::{
    Broker, Database, Error, broker::Link, dead_letters, metrics, pause::Pause, topology,
    topology::Subscription,
};

/// Deliveries in one transaction.
const BATCH: usize = 64;
/// Two batches: the next is here when one is done.
const PREFETCH: u16 = 128;
/// Tries of a message that fails for no known reason.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// Consumes the queue until stopped. Lost connections are built again; what was taken and not acknowledged comes again,
/// and what was applied is recognised. Fails at once if the subscription differs from the topology table.
///
/// Runs over a pool of its own, so that it doesn't wait for the RPCs, nor they for it.
pub async fn consume<R: Receive>(
    subscription: Subscription,
    database: Database,
    broker: Broker,
    receiver: Arc<R>,
    stop: CancellationToken,
) -> Result<(), Error> {
    if topology::of(subscription.queue) != Some(subscription) {
        return Err(Error::Topology(subscription.queue));
    }
    let database = database.with_own_pool(2);
    let inbox = Inbox {
        queue: subscription.queue,
        database,
        receiver,
        stop,
    };
    let mut pause = Pause::new("consumer");
    while !inbox.stop.is_cancelled() {
        let ended = match inbox.or_stop(broker.link("consumer")).await {
            Some(Ok(link)) => inbox.work(link, &mut pause).await,
            Some(Err(error)) => Err(error),
            None => break,
        };
        if let Err(error) = ended {
            inbox.or_stop(pause.after(&error)).await;
        }
    }
    Ok(())
}

struct Inbox<R> {
    queue: &'static str,
    database: Database,
    receiver: Arc<R>,
    stop: CancellationToken,
}

/// What deliveries come from; the link is dropped first (see there). Each queue has a channel of its own: delivery tags
/// count per channel, and everything up to a tag is acknowledged at once.
struct Intake {
    link: Link,
    live: Consumer,
    dead: Consumer,
}

impl<R: Receive> Inbox<R> {
    /// Takes batches until stopped or the connection fails.
    async fn work(&self, link: Link, pause: &mut Pause) -> Result<(), Error> {
        let opened = async {
            let live = open(&link.channel, self.queue).await?;
            let dead = open(&link.another().await?, &topology::dead_queue(self.queue)).await?;
            Ok::<_, Error>((live, dead))
        };
        let (live, dead) = link.while_there(opened).await?;
        let mut intake = Intake { link, live, dead };
        pause.reset();
        let taking = self.take(&mut intake.live, &mut intake.dead);
        let ended = intake.link.while_there(taking).await;
        intake.link.close().await;
        ended
    }

    async fn take(&self, live: &mut Consumer, dead: &mut Consumer) -> Result<(), Error> {
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                given_up = dead.next() => self.keep_given_up(taken(given_up)?).await?,
                first = live.next() => {
                    let mut batch = vec![taken(first)?];
                    while batch.len() < BATCH && let Some(next) = live.next().now_or_never() {
                        batch.push(taken(next)?);
                    }
                    self.settle(batch).await?;
                }
            }
        }
    }

    /// Applies a batch in one transaction; where that fails, one by one.
    async fn settle(&self, mut batch: Vec<Delivery>) -> Result<(), Error> {
        let messages: Vec<Message> = batch.iter_mut().map(Message::of).collect();
        let failure = match apply(&self.database, &*self.receiver, &messages).await {
            Ok(()) => return acknowledge(batch.last()).await,
            Err(failure) => failure,
        };
        tracing::debug!(queue = self.queue, messages = messages.len(), %failure, "a batch is redone one by one");
        for (delivery, message) in batch.iter().zip(&messages) {
            if !self.redo(message).await {
                return Ok(());
            }
            acknowledge(Some(delivery)).await?;
        }
        Ok(())
    }

    /// Tries one message until it is applied or a dead letter. False: told to stop before; the message comes again.
    async fn redo(&self, message: &Message) -> bool {
        let mut tried = 0;
        let mut pause = Pause::new("message");
        let mut short = FIRST_PAUSE;
        loop {
            let failure = match apply(
                &self.database,
                &*self.receiver,
                std::slice::from_ref(message),
            )
            .await
            {
                Ok(()) => return true,
                Err(failure) => failure,
            };
            tried += 1;
            match &failure {
                Failure::Retry(_) => {
                    tried -= 1;
                    if self.or_stop(pause.after(&failure)).await.is_none() {
                        return false;
                    }
                }
                Failure::Failed(_) if tried < TRIES => {
                    tokio::time::sleep(short).await;
                    short *= 2;
                }
                Failure::Dead(_) | Failure::Failed(_) => {
                    return self.bury(message, &failure.reason(), tried).await;
                }
            }
        }
    }

    /// Writes the dead letter, however long the database takes. False: told to stop before.
    async fn bury(&self, message: &Message, reason: &str, tries: u32) -> bool {
        let mut pause = Pause::new("dead letter");
        loop {
            match dead_letters::bury(
                &self.database,
                self.queue,
                message,
                reason,
                tries,
                clock::now(),
            )
            .await
            {
                Ok(()) => break,
                Err(error) => {
                    if self.or_stop(pause.after(&error)).await.is_none() {
                        return false;
                    }
                }
            }
        }
        metrics::get().dead_lettered(self.queue, &message.kind);
        tracing::error!(queue = self.queue, event.id = %message.event_id, kind = message.kind, reason, "a dead letter");
        true
    }

    /// The broker gave a delivery up after 1,000 times (a process that dies of it each time): it becomes a dead letter.
    async fn keep_given_up(&self, mut delivery: Delivery) -> Result<(), Error> {
        let message = Message::of(&mut delivery);
        if self
            .bury(
                &message,
                "given up by the broker: delivered 1,000 times and never settled",
                1,
            )
            .await
        {
            acknowledge(Some(&delivery)).await?;
        }
        Ok(())
    }

    /// Waits for something unless told to stop.
    async fn or_stop<T>(&self, waited_for: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            value = waited_for => Some(value),
        }
    }
}

async fn open(channel: &Channel, queue: &str) -> Result<Consumer, Error> {
    let qos = BasicQosOptions::default();
    channel.basic_qos(PREFETCH, qos).await?;
    let options = BasicConsumeOptions::default();
    Ok(channel
        .basic_consume(queue.into(), "".into(), options, FieldTable::default())
        .await?)
}

/// `None` is a consumer that the broker canceled (its queue was deleted): as an error, so that all is built again.
fn taken(next: Option<lapin::Result<Delivery>>) -> Result<Delivery, Error> {
    Ok(next.ok_or(Error::BrokerSilent("the consumer was canceled"))??)
}

/// Everything up to this delivery of its channel was settled, in the order it came.
async fn acknowledge(last: Option<&Delivery>) -> Result<(), Error> {
    if let Some(delivery) = last {
        delivery
            .acker
            .ack(BasicAckOptions { multiple: true })
            .await?;
    }
    Ok(())
}
