//! Delivers customers' leads (PV-9): takes them under a lease, delivers them outside any transaction, notes what became of
//! each. A process that dies in between leaves one that may have been delivered: the next sends it again as it was.

use std::time::Duration;

use marketplace_messaging::Database;
use marketplace_runtime::clock;
use marketplace_runtime::status::{self, Chain};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{Delivery, Lead, Leads};
use crate::error::{Error, span};
use crate::neighbours::Catalog;
use crate::store::{self, DueLead};

/// Woken by commits that bring leads.
pub const TOPIC: &str = "leads";
/// Leads delivered at the same time.
const AT_ONCE: usize = 16;
/// Longer than a lead may take: the catalogue to tell it, the destination to answer, the database to note it.
const LEASE: time::Duration = time::Duration::minutes(2);
/// After a failure of the database.
const AGAIN: Duration = Duration::from_secs(1);
/// Pauses after each try but the last: about a day in all.
const PAUSES: [time::Duration; 9] = [
    time::Duration::seconds(5),
    time::Duration::seconds(30),
    time::Duration::minutes(2),
    time::Duration::minutes(10),
    time::Duration::minutes(30),
    time::Duration::hours(1),
    time::Duration::hours(3),
    time::Duration::hours(6),
    time::Duration::hours(12),
];
/// A destination that asks for more time gets no more than this: ten tries are over within about a day, whatever it asks.
const LONGEST_WAIT: time::Duration = time::Duration::HOUR;

/// Delivers what is due, until stopped; finishes what it has begun. Each lead is a task of its own: one whose destination
/// is slow keeps no other waiting, nor a connection while this waits for one.
pub async fn deliver_customers(
    db: Database,
    catalog: Catalog,
    leads: Leads,
    stop: CancellationToken,
) -> Result<(), JoinError> {
    let db = db.with_own_pool(2);
    let mut news = db.wake().on(TOPIC);
    let mut under_way = JoinSet::new();
    while !stop.is_cancelled() {
        match claim(&db, AT_ONCE - under_way.len()).await {
            Ok(due) => {
                for one in due {
                    under_way.spawn(deliver(db.clone(), catalog.clone(), leads.clone(), one));
                }
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "leads can't be looked at now; is tried again");
                stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await;
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = news.tick(), if under_way.len() < AT_ONCE => {}
            Some(ended) = under_way.join_next() => ended?,
        }
    }
    while let Some(ended) = under_way.join_next().await {
        ended?;
    }
    Ok(())
}

async fn claim(db: &Database, room: usize) -> Result<Vec<DueLead>, Error> {
    let now = clock::now();
    let mut connection = db.acquire().await?;
    let room = i64::try_from(room).unwrap_or_default();
    store::claim_leads(&mut connection, now, now + LEASE, room).await
}

async fn deliver(db: Database, catalog: Catalog, leads: Leads, due: DueLead) {
    let delivery = attempt(&catalog, &leads, &due).await;
    if let Err(error) = note(&db, &due, delivery).await {
        // It stays ours until its lease ends; whoever takes it then sends it again as it was.
        tracing::warn!(lead.id = %due.lead, error = %Chain(&error), "what became of a lead is not noted");
    }
}

async fn note(db: &Database, due: &DueLead, delivery: Delivery) -> Result<(), Error> {
    let now = clock::now();
    let mut db = db.acquire().await?;
    let (why, again) = match delivery {
        Delivery::Accepted(_) => return store::lead_delivered(&mut db, due.lead, now).await,
        Delivery::Refused { why, wait } => (why, pause(due.attempts, span(wait))),
        Delivery::OurFault(why) => (why, pause(due.attempts, time::Duration::ZERO)),
        Delivery::Impossible(why) => (why, None),
    };
    match again {
        Some(_) => {
            tracing::warn!(lead.id = %due.lead, tries = due.attempts, error = why, "a lead could not be delivered; is tried again")
        }
        None => {
            tracing::error!(lead.id = %due.lead, tries = due.attempts, error = why, "a lead is given up")
        }
    }
    let again = again.map(|pause| now + pause);
    store::lead_failed(&mut db, due, &why, again, now).await
}

async fn attempt(catalog: &Catalog, leads: &Leads, due: &DueLead) -> Delivery {
    let opened = match catalog.open_lead(due.lead).await {
        Ok(opened) => opened,
        Err(error) => {
            let why = format!("the catalogue: {}", error.message());
            // No further try finds what is gone, or mends a snapshot that is damaged.
            let lost = error.code() == tonic::Code::NotFound
                || status::reason(&error) == "DIGEST_MISMATCH";
            return if lost {
                Delivery::Impossible(why)
            } else {
                Delivery::OurFault(why)
            };
        }
    };
    let (Some(destination), Some(lead)) = (&opened.destination, Lead::customers(due.lead, &opened))
    else {
        return Delivery::OurFault("the catalogue told no lead".to_owned());
    };
    leads.deliver(destination, &lead, clock::now()).await
}

/// The pause before the next try, where the destination asks to `wait`; `None`: that was the last.
fn pause(attempts: i32, wait: time::Duration) -> Option<time::Duration> {
    let tried = usize::try_from(attempts).unwrap_or(usize::MAX);
    let usual = PAUSES.get(tried.saturating_sub(1)).copied()?;
    Some(usual.max(wait.min(LONGEST_WAIT)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_is_tried_ten_times_within_about_a_day_whatever_the_destination_asks_for() {
        for wait in [time::Duration::ZERO, time::Duration::WEEK] {
            let pauses: Vec<_> = (1..).map_while(|tries| pause(tries, wait)).collect();
            let all: time::Duration = pauses.iter().sum();
            assert_eq!(pauses.len(), 9);
            assert!(
                all > time::Duration::hours(20) && all < time::Duration::hours(28),
                "{all}"
            );
        }
    }

    #[test]
    fn a_destination_is_left_alone_for_as_long_as_it_asks() {
        let pause = |asked| pause(1, time::Duration::seconds(asked)).unwrap();
        assert_eq!(pause(0), PAUSES[0]);
        assert_eq!(pause(90), time::Duration::seconds(90));
        assert_eq!(pause(86_400), LONGEST_WAIT);
    }
}
