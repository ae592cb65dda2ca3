//! What a service does with a message.

use std::future::Future;

use tracing::Instrument as _;
use uuid::Uuid;

use super::{Failure, Message};
use crate::Work;

/// The other door in: implemented once by each service, in `incoming.rs`.
///
/// Messages come in batches of up to 64, each batch in one transaction: [`Receive::lock`] once, then every message in
/// order. When one fails, the transaction is rolled back and the messages are applied one by one, so everything that a
/// message does must go through `work`.
pub trait Receive: Send + Sync + 'static {
    /// Makes and locks, in one statement and in the order of their ids, this service's rows of the offers that a batch
    /// names (sorted, each once). Without it two batches, or a batch and a command, could deadlock. Services whose
    /// messages touch no row of an offer that others touch need none.
    fn lock(
        &self,
        work: &mut Work,
        offers: &[Uuid],
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        let _ = (work, offers);
        async { Ok(()) }
    }

    /// Applies one message. Never called twice for an id that was applied.
    fn receive(
        &self,
        work: &mut Work,
        message: &Message,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Applies the messages of a batch, in order. Override it to write the rows of all in one statement.
    fn receive_all(
        &self,
        work: &mut Work,
        messages: &[Message],
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        async move {
            for message in messages {
                self.receive(work, message)
                    .instrument(message.span().clone())
                    .await?;
            }
            Ok(())
        }
    }
}
