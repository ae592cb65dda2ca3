//! The door that news comes through: events become notices, in the transaction that notes them; whom they are told to,
//! and in which words, is found out afterwards ([`crate::due`]).

use marketplace_messaging::{Failure, Message, Receive, Subscription, Work, topology};
use marketplace_proto::offercatalog::v1::OfferCatalogEvent;
use marketplace_proto::publishing::v1::PublishingEvent;

use crate::commands;
use crate::domain::News;
use crate::error::Error;
use crate::wire;

/// What is subscribed to.
pub const SUBSCRIPTION: Subscription = topology::NOTIFICATION;

/// Takes events.
pub struct Incoming;

impl Receive for Incoming {
    async fn receive(&self, work: &mut Work, message: &Message) -> Result<(), Failure> {
        self.receive_all(work, std::slice::from_ref(message)).await
    }

    /// A batch is a handful of statements, however many events it has.
    async fn receive_all(&self, work: &mut Work, messages: &[Message]) -> Result<(), Failure> {
        let mut news = Vec::new();
        for message in messages {
            news.extend(read(message)?);
        }
        Ok(commands::hear(work, news).await?)
    }
}

/// Which context told it is in the type of the message.
fn read(message: &Message) -> Result<Vec<News>, Failure> {
    if message.kind.starts_with("publishing.") {
        return Ok(wire::publishing(message.decode::<PublishingEvent>()?)?);
    }
    if message.kind.starts_with("offercatalog.") {
        return Ok(wire::catalog(message.decode::<OfferCatalogEvent>()?)?);
    }
    Err(Error::UnknownEvent.into())
}
