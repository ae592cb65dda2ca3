//! WatchSubmission: the whole state after each commit, with the transitions that led there. A place in the stream is
//! (submission, transition number), so a token is valid on every replica.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use marketplace_messaging::wake::Listener;
use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::access::{Permission, Scope};
use marketplace_runtime::identity::Caller;
use marketplace_runtime::ids::SubmissionName;
use marketplace_runtime::{clock, status};
use tokio::time::Instant;
use tonic::Status;
use uuid::Uuid;

use super::Grpc;
use crate::error::Error;
use crate::{DOMAIN, commands, store, wire};

pub type Watching = Pin<Box<dyn Stream<Item = Result<pb::WatchSubmissionResponse, Status>> + Send>>;

/// How often access is asked for again.
const RECHECK: Duration = Duration::from_secs(30);
/// The most transitions in one message.
const MOST: i64 = 500;

/// One watcher.
struct Watch {
    grpc: Grpc,
    caller: Arc<Caller>,
    scope: Scope,
    name: SubmissionName,
    id: Uuid,
    /// The newest transition that was sent; 0: nothing yet.
    seen: u64,
    listener: Listener,
    checked: Instant,
    over: bool,
}

impl Grpc {
    /// From transition `seen` on; 0: the whole state first. What can be refused is refused before the stream begins.
    pub(super) async fn watch(
        &self,
        caller: Arc<Caller>,
        scope: Scope,
        name: SubmissionName,
        id: Uuid,
        seen: u64,
    ) -> Result<Watching, Status> {
        // Listen first, then look: what commits in between wakes.
        let listener = self.db.wake().on(commands::watched(id));
        let checked = Instant::now();
        let mut watch = Watch {
            grpc: self.clone(),
            caller,
            scope,
            name,
            id,
            seen,
            listener,
            checked,
            over: false,
        };
        let first = watch.look().await?;
        let rest = futures::stream::unfold(watch, |mut watch| async move {
            let next = watch.next().await;
            next.map(|next| (next, watch))
        });
        let first = futures::stream::iter(first.map(Ok));
        Ok(Box::pin(futures::StreamExt::chain(first, rest)))
    }
}

impl Watch {
    /// The next message; `None` ends the stream cleanly.
    async fn next(&mut self) -> Option<Result<pb::WatchSubmissionResponse, Status>> {
        loop {
            if self.over || !self.wait().await {
                return None;
            }
            let looked = match self.recheck().await {
                Ok(()) => self.look().await,
                Err(refused) => Err(refused),
            };
            match looked {
                Ok(None) => {}
                Ok(Some(message)) => return Some(Ok(message)),
                Err(refused) => {
                    self.over = true;
                    return Some(Err(refused));
                }
            }
        }
    }

    /// Waits for a commit, or a second. False: the service stops, or the caller's token has ended.
    async fn wait(&mut self) -> bool {
        let left = Duration::try_from(self.caller.expires_at - clock::now()).unwrap_or_default();
        if left.is_zero() {
            return false;
        }
        tokio::select! {
            () = self.grpc.stopping.cancelled() => false,
            () = tokio::time::sleep(left) => false,
            () = self.listener.tick() => true,
        }
    }

    async fn recheck(&mut self) -> Result<(), Status> {
        if self.checked.elapsed() < RECHECK {
            return Ok(());
        }
        self.scope = self
            .grpc
            .permit_submission(&self.caller, Permission::ReadOffer, &self.name)
            .await?;
        self.checked = Instant::now();
        Ok(())
    }

    /// What came after the last message, if anything.
    async fn look(&mut self) -> Result<Option<pb::WatchSubmissionResponse>, Status> {
        let mut db = self.grpc.db.acquire().await.map_err(Error::from)?;
        let (offer, seen) = (&self.name.offer, self.seen);
        let found = store::unseen(&mut db, &self.scope, offer, self.id, seen, MOST).await?;
        let missing = || Error::NotFound {
            kind: "Submission",
            name: self.name.to_string(),
        };
        let found = found.ok_or_else(missing)?;
        let Some((publication, submission, transitions)) = found.news else {
            // Resumed where it ended: there is nothing to wait for.
            self.over = found.state.moves().is_empty();
            return Ok(None);
        };
        let next = transitions.first().map(|first| first.number);
        if seen > 0 && next != Some(seen + 1) {
            return Err(status::out_of_range(DOMAIN, "TOKEN_TOO_OLD"));
        }
        self.seen = transitions
            .last()
            .map_or(submission.transition, |last| last.number);
        self.over = submission.state.moves().is_empty() && self.seen == submission.transition;
        let now = clock::now();
        Ok(Some(pb::WatchSubmissionResponse {
            submission: Some(wire::submission(
                &publication,
                &submission,
                &self.grpc.medians(),
                now,
            )),
            transitions: transitions.iter().map(wire::transition).collect(),
            resume_token: format!("{}.{}", self.id.simple(), self.seen),
        }))
    }
}
