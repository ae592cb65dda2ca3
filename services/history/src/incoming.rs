//! The door that news comes through: what the catalog and publishing tell becomes the record, a batch at a time.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use marketplace_messaging::{Failure, Message, Receive, Subscription, Work, topology};
use marketplace_proto::offercatalog::v1::OfferCatalogEvent;
use marketplace_proto::publishing::v1::PublishingEvent;
use time::OffsetDateTime;

use crate::commands::{self, Told};
use crate::domain::Departure;
use crate::error::Error;
use crate::{store, wire};

/// What is subscribed to: everything that publishing tells, the catalog's facts about offers and plans (HI-9), and who left
/// (IB-3).
pub const SUBSCRIPTION: Subscription = topology::HISTORY;

/// Whoever waits for the record of a new offer is woken by this topic.
pub const NEW_OFFER: &str = "history:new";

/// Whoever watches an offer's record is woken by this topic.
pub fn topic(offer_uid: uuid::Uuid) -> String {
    format!("history:{offer_uid}")
}

/// Takes events. Remembers which partitions there are, so that the database is asked once a month.
#[derive(Default)]
pub struct Incoming {
    months: Mutex<BTreeSet<(i32, u8)>>,
}

impl Receive for Incoming {
    async fn receive(&self, work: &mut Work, message: &Message) -> Result<(), Failure> {
        self.receive_all(work, std::slice::from_ref(message)).await
    }

    /// Two statements for all of them, and two where members changed. Heads of chains are locked there, in the order of the offers' ids: nothing else
    /// writes them, so that [`Receive::lock`] has nothing to do.
    async fn receive_all(&self, work: &mut Work, messages: &[Message]) -> Result<(), Failure> {
        let (mut told, mut departures) = (Vec::new(), Vec::new());
        for message in messages {
            match read(message)? {
                News::Told(of_offer) => told.push(of_offer),
                News::Departure(departure) => departures.push(departure),
            }
        }
        if !departures.is_empty() {
            store::note_departures(work, &departures).await?;
        }
        let new = self.unprepared(&told);
        // A partition made by a transaction that is then rolled back is gone again: a month is remembered when it is
        // found made, and so by the second batch that has rows in it.
        if !new.is_empty() && store::prepare_months(work, &new).await? == 0 {
            self.remember(&new);
        }
        for offer in commands::record(work, told).await? {
            work.wake(topic(offer));
        }
        work.wake(NEW_OFFER);
        Ok(())
    }
}

impl Incoming {
    /// One time in each month that may have no partition yet.
    fn unprepared(&self, told: &[Told]) -> Vec<OffsetDateTime> {
        let known = self.months.lock().unwrap_or_else(PoisonError::into_inner);
        let times = told
            .iter()
            .flat_map(|told| &told.entries)
            .map(|entry| entry.at.occurred_at);
        let mut new = BTreeSet::new();
        times
            .filter(|at| !known.contains(&month(*at)) && new.insert(month(*at)))
            .collect()
    }

    fn remember(&self, times: &[OffsetDateTime]) {
        let mut known = self.months.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(times.iter().map(|at| month(*at)));
    }
}

fn month(at: OffsetDateTime) -> (i32, u8) {
    let at = at.to_offset(time::UtcOffset::UTC);
    (at.year(), at.month().into())
}

/// What a message is about.
enum News {
    Told(Told),
    /// Of a publisher, not of an offer.
    Departure(Departure),
}

/// Which context told it is in the type of the message.
fn read(message: &Message) -> Result<News, Failure> {
    if message.kind.starts_with("publishing.") {
        let told = wire::publishing(message.decode::<PublishingEvent>()?)?;
        return Ok(News::Told(told));
    }
    if message.kind.starts_with("offercatalog.") {
        let event = message.decode::<OfferCatalogEvent>()?;
        return Ok(match wire::departure(&event)? {
            Some(departure) => News::Departure(departure),
            None => News::Told(wire::catalog(event)?),
        });
    }
    Err(Error::UnknownEvent.into())
}
