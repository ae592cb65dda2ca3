//! Applies messages in one transaction.

use std::{any::Any, collections::BTreeSet, panic::AssertUnwindSafe};

use futures::FutureExt as _;
use uuid::Uuid;

use super::{Failure, Message, Receive, store};
use crate::{Database, Work};

/// Applies those messages that weren't applied yet, in order, all or none.
pub(crate) async fn apply<R: Receive>(
    database: &Database,
    receiver: &R,
    messages: &[Message],
) -> Result<(), Failure> {
    // Whatever is wrong with a connection is not wrong with the message.
    let mut work = Work::begin(database)
        .await
        .map_err(|error| Failure::Retry(error.into()))?;
    let ids: Vec<Uuid> = messages.iter().map(|message| message.event_id).collect();
    let mut fresh = store::take(&mut work, &ids).await?;
    // The same event twice in one batch is applied once: `remove` answers true only the first time.
    let news: Vec<Message> = messages
        .iter()
        .filter(|message| fresh.remove(&message.event_id))
        .cloned()
        .collect();
    if !news.is_empty() {
        receive(receiver, &mut work, &news).await?;
    }
    Ok(work.commit().await?)
}

/// As [`apply`], for one message, within a transaction that the caller commits.
pub(crate) async fn apply_one<R: Receive>(
    work: &mut Work,
    receiver: &R,
    message: &Message,
) -> Result<(), Failure> {
    if store::take(work, &[message.event_id]).await?.is_empty() {
        return Ok(());
    }
    receive(receiver, work, std::slice::from_ref(message)).await
}

/// A panic is caught and is the message's failed try; the transaction it left half done is rolled back by its drop.
async fn receive<R: Receive>(
    receiver: &R,
    work: &mut Work,
    news: &[Message],
) -> Result<(), Failure> {
    let offers: BTreeSet<Uuid> = news.iter().filter_map(Message::offer_uid).collect();
    let offers: Vec<Uuid> = offers.into_iter().collect();
    let handled = async {
        if !offers.is_empty() {
            receiver.lock(work, &offers).await?;
        }
        receiver.receive_all(work, news).await
    };
    match AssertUnwindSafe(handled).catch_unwind().await {
        Ok(outcome) => outcome,
        Err(panic) => Err(Failure::failed(format!("panicked: {}", words(&*panic)))),
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let words = panic.downcast_ref::<&'static str>().copied();
    words
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without words")
}
