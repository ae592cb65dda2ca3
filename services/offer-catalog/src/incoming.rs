//! News of the publishing pipeline: every change of a publication, with the orders in it.

use marketplace_messaging::{Failure, Message, Receive, Subscription, Work, topology};
use marketplace_proto::publishing::v1::{PublishingEvent, publishing_event::Event};
use marketplace_runtime::clock;
use uuid::Uuid;

use crate::commands::publications;
use crate::error::Error;
use crate::keys::Keys;
use crate::{store, wire};

/// What we listen to.
pub const SUBSCRIPTION: Subscription = topology::OFFER_CATALOG;

/// Applies what others announce.
pub struct Incoming {
    /// Seals the tokens of preview links.
    pub keys: Keys,
}

impl Receive for Incoming {
    async fn lock(&self, work: &mut Work, offers: &[Uuid]) -> Result<(), Failure> {
        Ok(store::offers::lock_all(work, offers).await?)
    }

    async fn receive(&self, work: &mut Work, message: &Message) -> Result<(), Failure> {
        match message.decode::<PublishingEvent>()?.event {
            Some(Event::PublicationChanged(changed)) => {
                let news = wire::publications::news(&changed)
                    .map_err(|wrong| Failure::dead(wrong.to_string()))?;
                Ok(publications::apply(work, &self.keys, news, clock::now()).await?)
            }
            None => Err(Failure::unknown_event()),
        }
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
