//! Rows as they are recorded.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use marketplace_messaging::wake::Listener;
use marketplace_proto::history::v1::WatchHistoryResponse;
use marketplace_runtime::identity::Caller;
use marketplace_runtime::{clock, status};
use tokio::time::Instant;
use tonic::Status;

use super::{Grpc, Readable};
use crate::{DOMAIN, incoming, store, wire};

/// How often access is checked again.
const RECHECK: Duration = Duration::from_secs(30);
/// Rows read at once.
const BATCH: i64 = 100;

struct Watch {
    grpc: Grpc,
    caller: Arc<Caller>,
    offer: Readable,
    news: Listener,
    /// Rows up to here were sent or stand in `ready`.
    seq: i64,
    ready: VecDeque<WatchHistoryResponse>,
    checked: Instant,
}

/// Everything after `seq`, or from now on; then the first message carries the token of now.
pub(super) fn stream(
    grpc: Grpc,
    caller: Arc<Caller>,
    offer: Readable,
    seq: Option<i64>,
) -> BoxStream<'static, Result<WatchHistoryResponse, Status>> {
    let news = grpc
        .db
        .wake()
        .on(incoming::topic(offer.record.chain.offer_uid));
    let from = seq.unwrap_or(offer.record.chain.seq);
    let mut watch = Watch {
        grpc,
        caller,
        offer,
        news,
        seq: from,
        ready: VecDeque::new(),
        checked: Instant::now(),
    };
    if seq.is_none() {
        watch.ready.push_back(WatchHistoryResponse {
            event: None,
            resume_token: watch.token(from),
        });
    }
    let steps = stream::try_unfold(watch, |mut watch| async move {
        let next = watch.next().await?;
        Ok(next.map(|message| (message, watch)))
    });
    steps.boxed()
}

impl Watch {
    /// The next message; `None` when the service stops.
    async fn next(&mut self) -> Result<Option<WatchHistoryResponse>, Status> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Ok(Some(message));
            }
            if self.grpc.stopping.is_cancelled() {
                return Ok(None);
            }
            self.check().await?;
            self.read().await?;
            if self.ready.is_empty() {
                tokio::select! {
                    () = self.news.tick() => {}
                    () = self.grpc.stopping.cancelled() => return Ok(None),
                }
            }
        }
    }

    /// The token is still good, and from time to time: the caller may still read.
    async fn check(&mut self) -> Result<(), Status> {
        if clock::now() >= self.caller.expires_at {
            return Err(status::token_expired(DOMAIN));
        }
        if self.checked.elapsed() >= RECHECK {
            self.grpc.permit(&self.caller, &self.offer.name).await?;
            self.checked = Instant::now();
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<(), Status> {
        let uid = self.offer.record.chain.offer_uid;
        let mut db = self
            .grpc
            .db
            .acquire()
            .await
            .map_err(|error| status::database(DOMAIN, &error))?;
        let rows = store::after(&mut db, uid, self.seq, BATCH).await?;
        drop(db);
        let Some(last) = rows.last() else {
            return Ok(());
        };
        let newest = last.seq;
        let events = self.grpc.show(&self.offer, &rows).await?;
        for (row, event) in rows.iter().zip(events) {
            let resume_token = self.token(row.seq);
            self.ready.push_back(WatchHistoryResponse {
                event: Some(event),
                resume_token,
            });
        }
        self.seq = newest;
        Ok(())
    }

    fn token(&self, seq: i64) -> String {
        wire::resume_token(
            &self.offer.name.to_string(),
            self.offer.record.chain.offer_uid,
            seq,
        )
    }
}
