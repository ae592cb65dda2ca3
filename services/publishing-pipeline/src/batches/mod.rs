//! Publishes the items of batches: takes them in turn of their publishers, under a lease, and publishes each as PublishOffer
//! does, outside any transaction of its own.
//!
//! Of one publisher only one is between publish and preview at a time (more by `BATCH_SHARE`), so that what others submit finds
//! every queue behind it short, however long a batch is. Which these are is in the rows; a process that dies leaves items
//! whose lease ends, and the next try of an item goes on where the last was cut off.

use std::time::Duration;

use marketplace_messaging::Database;
use marketplace_runtime::clock;
use marketplace_runtime::ids::SubmissionName;
use marketplace_runtime::status::Chain;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use tracing::Instrument;
use uuid::Uuid;

use crate::commands::{self, BATCHES};
use crate::domain::{Failed, SubmissionState, Turn};
use crate::error::Error;
use crate::grpc::Grpc;
use crate::{store, wire};

/// Items published at the same time, of all publishers.
const AT_ONCE: usize = 8;
/// As long as a claim of a request id: nobody could go on with it earlier.
const LEASE: time::Duration = time::Duration::seconds(10);
/// How long a submission is followed in memory; longer ones are found by their rows, once a second.
const FOLLOWED: Duration = Duration::from_secs(60);

/// What there is to do for as long as nobody stops it.
struct Batches {
    grpc: Grpc,
    /// Of one publisher, between publish and preview.
    share: i64,
    /// Being published.
    running: JoinSet<Option<Uuid>>,
    /// Submitted: each ends when its submission is through what is automatic, so that the next one needn't wait for the
    /// next look.
    followed: JoinSet<()>,
}

/// Publishes items until stopped; finishes what it has begun.
pub async fn publish(grpc: Grpc, share: u32, stop: CancellationToken) -> Result<(), JoinError> {
    let db = grpc.db.with_own_pool(4);
    let mut news = db.wake().on(BATCHES);
    let mut batches = Batches {
        grpc: Grpc { db, ..grpc },
        share: if share == 0 { i64::MAX } else { share.into() },
        running: JoinSet::new(),
        followed: JoinSet::new(),
    };
    while !stop.is_cancelled() {
        if let Err(error) = batches.look().await {
            tracing::warn!(error = %Chain(&error), "batches can't be looked at now; is tried again");
        }
        tokio::select! {
            Some(submitted) = batches.running.join_next() => batches.follow(submitted?),
            Some(ended) = batches.followed.join_next() => ended?,
            () = news.tick() => {}
            () = stop.cancelled() => {}
        }
    }
    while let Some(ended) = batches.running.join_next().await {
        ended?;
    }
    Ok(())
}

impl Batches {
    /// Takes as many items as there is room for.
    async fn look(&mut self) -> Result<(), Error> {
        let db = &self.grpc.db;
        let running = store::settle_batches(db.pool(), clock::now()).await?;
        let room = AT_ONCE.saturating_sub(self.running.len());
        if !running || room == 0 {
            return Ok(());
        }
        let now = clock::now();
        let mut tx = db.pool().begin().await?;
        let limit = i64::try_from(room).unwrap_or(i64::MAX);
        let turns = store::take_turns(&mut tx, now, now + LEASE, self.share, limit).await?;
        tx.commit().await?;
        for turn in turns {
            let span = tracing::info_span!("batch", batch.id = %turn.batch, batch.item = turn.item);
            turn.trace.adopt(&span);
            let grpc = self.grpc.clone();
            let done = async move { carry_out(&grpc, &turn).await }.instrument(span);
            self.running.spawn(done);
        }
        Ok(())
    }

    fn follow(&mut self, submitted: Option<Uuid>) {
        if let Some(submission) = submitted {
            let through = through(self.grpc.db.clone(), submission);
            self.followed.spawn(through);
        }
    }
}

/// Publishes an item and notes what became of it; answers its submission. What can't be noted is done again when the lease
/// ends, to the same effect.
async fn carry_out(grpc: &Grpc, turn: &Turn) -> Option<Uuid> {
    let answer = grpc.publish_item(turn).await;
    let noted = match answer {
        Ok(submission) => submitted(&grpc.db, turn, &submission.name).await.map(Some),
        Err(status) => refused(&grpc.db, turn, &status).await.map(|()| None),
    };
    noted.unwrap_or_else(|error| {
        tracing::warn!(error = %Chain(&error), "what became of an item of a batch can't be noted now");
        None
    })
}

async fn submitted(db: &Database, turn: &Turn, name: &str) -> Result<Uuid, Error> {
    let submission = SubmissionName::parse(name, "submission")?.id("submission")?;
    let mut db = db.acquire().await?;
    store::item_submitted(&mut db, turn, submission).await?;
    Ok(submission)
}

async fn refused(db: &Database, turn: &Turn, status: &Status) -> Result<(), Error> {
    let now = clock::now();
    let again = failure(status).and_then(|failed| Some((failed, turn.again(failed, now)?)));
    let mut db = db.acquire().await?;
    match again {
        Some((failed, again)) => {
            let (code, tries) = (status.code(), turn.attempts);
            tracing::info!(?code, tries, "an item of a batch is tried again");
            store::item_delayed(&mut db, turn, failed, now, again).await
        }
        None => store::item_refused(&mut db, turn, &wire::refusal(status)).await,
    }
}

/// Whether it is no refusal, and another try may succeed.
fn failure(status: &Status) -> Option<Failed> {
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => Some(Failed::Passing),
        Code::Aborted if status.get_details_retry_info().is_some() => Some(Failed::Passing),
        Code::Internal | Code::Unknown => Some(Failed::Broken),
        _ => None,
    }
}

/// Ends when a submission may have left its automatic part.
async fn through(db: Database, submission: Uuid) {
    let mut moved = db.wake().on(commands::watched(submission));
    let watching = async {
        while is_underway(&db, submission).await {
            moved.tick().await;
        }
    };
    // Whoever takes longer waits for something else than us.
    let _ = tokio::time::timeout(FOLLOWED, watching).await;
}

async fn is_underway(db: &Database, submission: Uuid) -> bool {
    let newest = async {
        let mut db = db.acquire().await?;
        store::newest(&mut db, submission).await
    };
    match newest.await {
        Ok(Some((_, state))) => {
            matches!(state, SubmissionState::Queued | SubmissionState::PreviewLeg)
        }
        Ok(None) => false,
        Err(error) => {
            tracing::debug!(error = %Chain(&error), "a submission can't be looked at now");
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DOMAIN;
    use marketplace_runtime::status;

    #[test]
    fn what_passes_is_no_refusal() {
        let passing = [
            status::unavailable(DOMAIN, "the database"),
            status::deadline_exceeded(DOMAIN),
            status::request_in_progress(DOMAIN),
        ];
        for status in passing {
            assert_eq!(failure(&status), Some(Failed::Passing), "{status:?}");
        }
        let quota = status::exhausted(DOMAIN, "QUOTA_EXCEEDED", "s", "d", Duration::from_secs(1));
        let refusals = [
            status::stale_etag(DOMAIN, "7"),
            status::in_flight(DOMAIN, "s"),
            status::not_found(DOMAIN, "Offer", "o"),
            status::permission_denied(DOMAIN, "ROLE_REQUIRED", "no"),
            quota,
        ];
        for status in refusals {
            assert_eq!(failure(&status), None, "{status:?}");
        }
        assert_eq!(failure(&Status::internal("?")), Some(Failed::Broken));
    }
}
