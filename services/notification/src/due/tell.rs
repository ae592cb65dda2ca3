//! Tells people: takes notices under a lease, asks the neighbours outside any transaction, then writes items and mails
//! in one. A process that dies in between leaves the notice to the next, when the lease has ended.

use std::collections::HashMap;
use std::time::Duration;

use futures::future::{join, join_all};
use marketplace_messaging::{Database, Work};
use marketplace_runtime::clock;
use marketplace_runtime::status::Chain;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::commands::{self, NOTICES, Ready};
use crate::domain::{By, Code, Member, Message, Notice, Portal, Told, retry, words};
use crate::error::Error;
use crate::mail::Letterhead;
use crate::neighbours::Neighbours;
use crate::store::{self, Claimed};

/// Notices in one transaction.
const BATCH: i64 = 64;
/// Longer than the neighbours may take, one after the other ([`crate::neighbours::PATIENCE`]); who dies is replaced after it.
const LEASE: time::Duration = time::Duration::seconds(5);
/// After a failure of the database.
const AGAIN: Duration = Duration::from_millis(500);

/// Tells people.
pub struct Teller {
    pub db: Database,
    pub neighbours: Neighbours,
    pub head: Letterhead,
    pub portal: Portal,
}

type Members = HashMap<String, Result<Vec<Member>, Error>>;

impl Teller {
    /// Tells what is due, until stopped; finishes what it has begun.
    pub async fn run(self, stop: CancellationToken) {
        let mut news = self.db.wake().on(NOTICES);
        while !stop.is_cancelled() {
            let pause = match self.turn().await {
                Ok(full) if full => continue,
                Ok(_) => None,
                Err(error) => {
                    tracing::warn!(error = %Chain(&error), "people can't be told now; is tried again");
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
    async fn turn(&self) -> Result<bool, Error> {
        let now = clock::now();
        let claimed =
            store::claim_notices(&mut *self.db.acquire().await?, now, now + LEASE, BATCH).await?;
        if claimed.is_empty() {
            return Ok(false);
        }
        let full = i64::try_from(claimed.len()).is_ok_and(|n| n == BATCH);
        let members = self.members(&claimed).await;
        let worded = join_all(claimed.iter().map(|claimed| self.word(claimed, &members))).await;
        let mut ready = Vec::new();
        for (claimed, worded) in claimed.into_iter().zip(worded) {
            match worded {
                Ok((message, members)) => ready.push(Ready {
                    claimed,
                    message,
                    members,
                }),
                Err(why) => self.postpone(&claimed, &why, now).await?,
            }
        }
        self.tell(&ready).await?;
        Ok(full)
    }

    async fn tell(&self, ready: &[Ready<'_>]) -> Result<(), Error> {
        if ready.is_empty() {
            return Ok(());
        }
        let mut work = Work::begin(&self.db).await?;
        commands::tell(&mut work, ready, &self.head, &self.portal, clock::now()).await?;
        Ok(work.commit().await?)
    }

    /// Members of every publisher that the batch is about, asked once each and at the same time.
    async fn members(&self, claimed: &[Claimed]) -> Members {
        let mut publishers: Vec<&str> = claimed
            .iter()
            .map(|c| c.notice.about.publisher.as_str())
            .collect();
        publishers.sort_unstable();
        publishers.dedup();
        let asked = publishers.into_iter().map(|publisher| async move {
            (
                publisher.to_owned(),
                self.neighbours.members(publisher).await,
            )
        });
        join_all(asked).await.into_iter().collect()
    }

    async fn word<'m>(
        &self,
        claimed: &Claimed,
        members: &'m Members,
    ) -> Result<(Message, &'m [Member]), String> {
        let notice = &claimed.notice;
        let members = match members.get(&notice.about.publisher) {
            Some(Ok(members)) => members.as_slice(),
            Some(Err(error)) => return Err(Chain(error).to_string()),
            None => &[],
        };
        let told = self
            .find_out(notice, members)
            .await
            .map_err(|error| Chain(&error).to_string())?;
        Ok((words(notice, &told, &self.portal), members))
    }

    /// What the words need beside the facts of the event.
    async fn find_out(&self, notice: &Notice, members: &[Member]) -> Result<Told, Error> {
        let about = &notice.about;
        let report = async {
            match notice.code {
                Code::CertificationFailed => {
                    self.neighbours.failure_report(&about.submission).await
                }
                _ => Ok(None),
            }
        };
        let previews = async {
            match notice.code {
                Code::PreviewReady => {
                    self.neighbours
                        .preview_links(&about.offer, &about.submission)
                        .await
                }
                _ => Ok(Vec::new()),
            }
        };
        let (report, previews) = join(report, previews).await;
        let who = match &notice.facts.by {
            By::User(principal) => members.iter().find(|member| member.principal == *principal),
            By::Operator | By::System => None,
        };
        Ok(Told {
            who: who.map(|member| member.display_name.clone()),
            report: report?,
            previews: previews?,
        })
    }

    async fn postpone(
        &self,
        claimed: &Claimed,
        why: &str,
        now: OffsetDateTime,
    ) -> Result<(), Error> {
        let pause = retry::notice(claimed.attempts);
        tracing::warn!(notice.id = %claimed.notice.id, why, "people are told later");
        store::postpone(&mut *self.db.acquire().await?, claimed, now + pause).await
    }
}
