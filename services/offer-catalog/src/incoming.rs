//! News of the publishing pipeline: every change of a publication, with the orders in it.

use marketplace_messaging::{Failure, Message, Receive, Subscription, Work, topology};
use marketplace_proto::publishing::v1::{PublishingEvent, publishing_event::Event};
use marketplace_runtime::clock;
use tracing::Span;

use crate::commands::publications;
use crate::domain::news::News;
use crate::error::Error;
use crate::keys::Keys;
use crate::wire;

/// What we listen to.
pub const SUBSCRIPTION: Subscription = topology::OFFER_CATALOG;

/// Applies what others announce.
pub struct Incoming {
    /// Seals the tokens of preview links.
    pub keys: Keys,
}

impl Receive for Incoming {
    async fn receive(&self, work: &mut Work, message: &Message) -> Result<(), Failure> {
        self.receive_all(work, std::slice::from_ref(message)).await
    }

    /// What is applied first locks all the offers, in the order of their ids: there is nothing to lock before.
    async fn receive_all(&self, work: &mut Work, messages: &[Message]) -> Result<(), Failure> {
        let news = messages.iter().map(read).collect::<Result<_, _>>()?;
        Ok(publications::apply(work, &self.keys, news, clock::now()).await?)
    }
}

fn read(message: &Message) -> Result<(News, Span), Failure> {
    match message.decode::<PublishingEvent>()?.event {
        Some(Event::PublicationChanged(changed)) => {
            let news = wire::publications::news(&changed)
                .map_err(|wrong| Failure::dead(wrong.to_string()))?;
            Ok((news, message.span().clone()))
        }
        None => Err(Failure::unknown_event()),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Database(error) => error.into(),
            Error::Messaging(error) => error.into(),
            // Nothing that is written down gets better by trying again.
            Error::Corrupt(what) => Failure::dead(what),
            Error::Damaged(error) => Failure::dead(error.to_string()),
            other => Failure::failed(other),
        }
    }
}
