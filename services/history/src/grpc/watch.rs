//! Rows as they are recorded.

use std::collections::VecDeque;

use futures::stream::{self, BoxStream, StreamExt};
use marketplace_messaging::wake::Listener;
use marketplace_proto::history::v1::WatchHistoryResponse;
use marketplace_runtime::status;
use tonic::Status;

use super::{Grpc, Readable, Reader};
use crate::{DOMAIN, incoming, store, wire};

/// Rows read at once.
const BATCH: i64 = 100;

struct Watch {
    grpc: Grpc,
    reader: Reader,
    offer: Readable,
    news: Listener,
    /// Rows up to here were sent or stand in `ready`.
    seq: i64,
    ready: VecDeque<WatchHistoryResponse>,
}

/// Everything after `seq`, or from now on; then the first message carries the token of now.
pub(super) fn stream(
    grpc: Grpc,
    reader: Reader,
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
        reader,
        offer,
        news,
        seq: from,
        ready: VecDeque::new(),
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
            self.reader.check(&self.grpc, &self.offer.name).await?;
            self.read().await?;
            if self.ready.is_empty() {
                tokio::select! {
                    () = self.news.tick() => {}
                    () = self.grpc.stopping.cancelled() => return Ok(None),
                }
            }
        }
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
