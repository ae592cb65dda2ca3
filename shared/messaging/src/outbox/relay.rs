//! The relay: publishes what was told, in order per stream, and marks what the broker confirmed.

mod floor;
mod lanes;
mod ledger;

use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::{
    lanes::Lanes,
    ledger::{Ledger, Page},
};
use super::{
    Row,
    flight::{Flight, Judged},
};
use crate::{
    Broker, Database, Error,
    broker::Link,
    metrics,
    pause::Pause,
    topology,
    wake::{Listener, OUTBOX, TICK},
};

/// Events on their way at once.
const WINDOW: usize = 512;
/// Events read at once.
const PAGE: usize = 256;
/// With something on its way reads keep a distance, with that many a longer one, so that each finds several events.
const BUSY: usize = 8;
const GAP: Duration = Duration::from_millis(1);
const BUSY_GAP: Duration = Duration::from_millis(3);
/// Confirmed events are marked by the next read, or after this time; a crash in between sends them again, and the
/// inboxes know them.
const MARK_AFTER: Duration = Duration::from_millis(20);
/// A broker that confirms nothing for so long is as good as gone.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a stopping relay goes on to send.
const DRAIN: Duration = Duration::from_secs(5);

/// Publishes the outbox of this schema until stopped; then sends what is left, for up to 5 s. Of several replicas one
/// works at a time. Lost connections are built again.
pub async fn relay(database: Database, broker: Broker, stop: CancellationToken) {
    let mut pause = Pause::new("relay");
    while !stop.is_cancelled() {
        let session = Session::open(&database, &broker);
        let ended = match stop.run_until_cancelled(session).await {
            Some(Ok(mut session)) => {
                let ended = session.work(&mut pause, &stop).await;
                session.close().await;
                ended
            }
            Some(Err(error)) => Err(error),
            None => break,
        };
        if let Err(error) = ended {
            stop.run_until_cancelled(pause.after(&error)).await;
        }
    }
}

/// One connection to the broker and one to the database, and what is on its way between them.
struct Session {
    service: &'static str,
    link: Link,
    ledger: Ledger,
    woken: Listener,
    flight: Flight,
    lanes: Lanes,
    /// Confirmed, not yet marked.
    done: Vec<i64>,
    read_at: Instant,
    due: Instant,
    heard_at: Instant,
    leading: bool,
    /// The last page was full, or left out streams with an event on its way: there may be more.
    more: bool,
}

impl Session {
    async fn open(database: &Database, broker: &Broker) -> Result<Session, Error> {
        let ledger = Ledger::open(database).await?;
        let link = broker.link("relay").await?;
        let confirming = link.channel.confirm_select(ConfirmSelectOptions::default());
        link.while_there(confirming).await?;
        let now = Instant::now();
        Ok(Session {
            service: database.service(),
            link,
            ledger,
            woken: database.wake().on(OUTBOX),
            flight: Flight::default(),
            lanes: Lanes::default(),
            done: Vec::new(),
            read_at: now,
            due: now,
            heard_at: now,
            leading: false,
            more: false,
        })
    }

    async fn work(&mut self, pause: &mut Pause, stop: &CancellationToken) -> Result<(), Error> {
        let mut last = None;
        loop {
            self.link.check()?;
            if self.due <= Instant::now() {
                self.read().await?;
                pause.reset();
            }
            let drained = self.flight.len() == 0 && self.done.is_empty() && !self.more;
            if let Some(end) = last
                && ((drained && self.read_at >= end - DRAIN) || end <= Instant::now())
            {
                return Ok(());
            }
            tokio::select! {
                judged = self.flight.judged() => self.note(judged?).await?,
                () = self.woken.woken(), if self.leading => self.hurry(self.gap()),
                () = sleep_until(self.due) => {}
                () = stop.cancelled(), if last.is_none() => {
                    last = Some(Instant::now() + DRAIN);
                    self.due = Instant::now();
                }
            }
            if self.flight.len() > 0 && self.heard_at.elapsed() > SILENCE {
                return Err(Error::BrokerSilent("confirming"));
            }
        }
    }

    /// Marks what was confirmed, renews the lease, reads what is next and publishes it.
    async fn read(&mut self) -> Result<(), Error> {
        let room = WINDOW
            .saturating_sub(self.flight.len() + self.lanes.queued())
            .min(PAGE);
        let busy = self.lanes.busy();
        self.read_at = Instant::now();
        let Page {
            leading,
            wait,
            rows,
        } = self
            .ledger
            .turn(&self.done, &busy, self.lanes.lowest(), room)
            .await?;
        if !self.done.is_empty() {
            metrics::get().published(self.service, self.done.len() as u64);
        }
        self.done.clear();
        self.leading = leading;
        self.more = rows.len() == room || self.lanes.moving();
        self.due = self.read_at + if leading { TICK } else { wait };
        for row in rows {
            if let Some(row) = self.lanes.enter(row) {
                self.publish(row).await?;
            }
        }
        Ok(())
    }

    async fn publish(&mut self, row: Row) -> Result<(), Error> {
        if self.flight.len() == 0 {
            self.heard_at = Instant::now();
        }
        let Ok(payload) = row.payload() else {
            // Can't be: this crate wrote the row. Other offers go on all the same.
            self.hold(&row, false);
            return Ok(());
        };
        let properties = row.properties(self.service, false);
        let options = BasicPublishOptions {
            mandatory: true,
            ..Default::default()
        };
        let publish = self.link.channel.basic_publish(
            topology::EVENTS.into(),
            row.key.as_str().into(),
            options,
            &payload,
            properties,
        );
        let confirm = self.link.while_there(publish).await?;
        self.flight.add(row, confirm);
        Ok(())
    }

    async fn note(&mut self, judged: Vec<Judged>) -> Result<(), Error> {
        self.heard_at = Instant::now();
        for judged in judged {
            match judged {
                Judged::Published(row) => {
                    self.done.push(row.position);
                    if let Some(next) = self.lanes.leave(&row.stream) {
                        self.publish(next).await?;
                    }
                }
                Judged::Refused { row, returned } => self.hold(&row, returned),
            }
        }
        self.hurry(if self.more { self.gap() } else { MARK_AFTER });
        Ok(())
    }

    /// Holds back the stream, and nothing else, until the publish is tried again.
    fn hold(&mut self, row: &Row, returned: bool) {
        let wait = self.lanes.hold(row);
        metrics::get().refused(self.service, &row.key);
        tracing::error!(
            event.id = %row.event_id, key = row.key, stream = row.stream, returned, retry_in = ?wait,
            "the broker did not take an event; its offer is held back"
        );
    }

    /// Reads at the latest `after` the last read, or now if that has passed.
    fn hurry(&mut self, after: Duration) {
        self.due = self.due.min(self.read_at + after);
    }

    fn gap(&self) -> Duration {
        match self.flight.len() {
            0 => Duration::ZERO,
            1..BUSY => GAP,
            _ => BUSY_GAP,
        }
    }

    /// Lets another replica go on at once.
    async fn close(self) {
        if self.leading {
            self.ledger.release().await;
        }
        self.link.close().await;
    }
}
