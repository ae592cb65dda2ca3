//! The other door in: the whole inbound contract, readable as a list.

use marketplace_messaging::{Failure, Message, Receive, Subscription, Work, topology};
use marketplace_proto::publishing::v1::{PublishingEvent, publishing_event::Event};
use marketplace_runtime::clock;

use crate::{commands, wire};

/// What we subscribe to: orders to us, and submissions that were called off.
pub const SUBSCRIPTION: Subscription = topology::CERTIFICATION;

/// Applies what the pipeline announces.
pub struct Incoming;

impl Receive for Incoming {
    async fn receive(&self, work: &mut Work, message: &Message) -> Result<(), Failure> {
        let now = clock::now();
        match message.decode::<PublishingEvent>()?.event {
            Some(Event::PublicationChanged(changed)) => {
                let mut ours = false;
                for order in changed.orders {
                    let read = wire::Ordered::read(order, &message.header)?;
                    ours |= read != wire::Ordered::ForOthers;
                    match read {
                        wire::Ordered::Work(order) => commands::order(work, *order, now).await?,
                        wire::Ordered::Cancel {
                            publisher,
                            submission,
                            at_revision,
                        } => {
                            commands::withdraw(work, &publisher, &submission, at_revision, now)
                                .await?;
                        }
                        // An order to the catalog that travels in the same event.
                        wire::Ordered::ForOthers => {}
                    }
                }
                // It came by a key of ours: an order that only a newer version knows.
                if ours {
                    Ok(())
                } else {
                    Err(Failure::unknown_event())
                }
            }
            // A newer publisher: kept in dead_letters, replayed after our upgrade.
            None => Err(Failure::unknown_event()),
        }
    }
}
