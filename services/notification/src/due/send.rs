//! Sends mails: takes them under a lease, sends them outside any transaction, notes what became of each. A process that
//! dies in between leaves a mail that may have been sent: the next sends the same bytes with the same id again.

use std::convert::Infallible;
use std::time::Duration;

use futures::future::join_all;
use marketplace_messaging::Database;
use marketplace_runtime::clock;
use marketplace_runtime::status::Chain;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::commands::MAILS;
use crate::domain::retry;
use crate::error::Error;
use crate::mail::{MailError, Post};
use crate::store::{self, DueMail};

/// Mails sent at the same time.
const BATCH: i64 = 16;
/// Renewed while a mail is being sent; who dies is replaced after it.
const LEASE: time::Duration = time::Duration::seconds(15);
/// How long the end of the process waits for a server's answer; who never hears it sends again.
const GRACE: Duration = Duration::from_secs(10);
/// After a failure of the database.
const AGAIN: Duration = Duration::from_millis(500);

/// Sends mails.
pub struct Sender {
    pub db: Database,
    pub post: Post,
    pub from: lettre::Address,
}

impl Sender {
    /// Sends what is due, until stopped; finishes what it has begun.
    pub async fn run(self, stop: CancellationToken) {
        let mut news = self.db.wake().on(MAILS);
        while !stop.is_cancelled() {
            let pause = match self.turn(&stop).await {
                Ok(full) if full => continue,
                Ok(_) => None,
                Err(error) => {
                    tracing::warn!(error = %Chain(&error), "mails can't be looked at now; is tried again");
                    Some(AGAIN)
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = async { match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => news.tick().await,
                } } => {}
            }
        }
    }

    /// One batch; true if there may be more.
    pub async fn turn(&self, stop: &CancellationToken) -> Result<bool, Error> {
        let now = clock::now();
        let until = now + LEASE;
        let mails = store::claim_mails(&mut *self.db.acquire().await?, now, until, BATCH).await?;
        let full = i64::try_from(mails.len()).is_ok_and(|n| n == BATCH);
        let given_up = async {
            stop.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            outcomes = join_all(mails.iter().map(|mail| self.send(mail))) => {
                outcomes.into_iter().collect::<Result<(), Error>>()?;
            }
            never = self.hold(&mails, until) => match never {},
            () = given_up => tracing::warn!("mails that the server has not answered are sent again"),
        }
        Ok(full)
    }

    /// Keeps others from sending what is still being sent.
    async fn hold(&self, mails: &[DueMail], mut held_until: OffsetDateTime) -> Infallible {
        let ids: Vec<_> = mails.iter().map(|mail| mail.id).collect();
        loop {
            tokio::time::sleep(LEASE.unsigned_abs() / 3).await;
            let until = clock::now() + LEASE;
            let held = async {
                let mut db = self.db.acquire().await?;
                store::hold_mails(&mut db, &ids, held_until, until).await
            };
            match held.await {
                Ok(()) => held_until = until,
                Err(error) => {
                    tracing::warn!(error = %Chain(&error), "mails that are being sent are not held")
                }
            }
        }
    }

    async fn send(&self, mail: &DueMail) -> Result<(), Error> {
        let delivered = self
            .post
            .deliver(mail.id, &self.from, &mail.address, &mail.message)
            .await;
        let now = clock::now();
        let mut db = self.db.acquire().await?;
        match delivered {
            Ok(()) => store::mail_sent(&mut db, mail.id, now).await,
            Err(error) => {
                let again = again(mail, &error).map(|pause| now + pause);
                log(mail, &error, again.is_some());
                let why = Chain(&error).to_string();
                store::mail_failed(&mut db, mail, &why, again, now).await
            }
        }
    }
}

/// The pause until the next try; `None`: given up.
fn again(mail: &DueMail, error: &MailError) -> Option<time::Duration> {
    if error.is_permanent() {
        None
    } else {
        retry::mail(mail.attempts)
    }
}

/// The address is no business of the log.
fn log(mail: &DueMail, error: &MailError, again: bool) {
    if again {
        tracing::warn!(mail.id = %mail.id, tries = mail.attempts, error = %Chain(error), "a mail could not be sent; is tried again");
    } else {
        tracing::error!(mail.id = %mail.id, tries = mail.attempts, error = %Chain(error), "a mail is given up");
    }
}
