//! WatchSubmission: the whole state after each commit, with the transitions that led there. A place in the stream is
//! (submission, transition number), so a token is valid on every replica.

use std::sync::Arc;

use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::access::{Permission, Scope};
use marketplace_runtime::identity::Caller;
use marketplace_runtime::ids::SubmissionName;
use marketplace_runtime::{clock, status};
use tonic::Status;
use uuid::Uuid;

use super::Grpc;
use super::watching::{self, Watched, Watching};
use crate::error::Error;
use crate::{DOMAIN, commands, store, wire};

/// The most transitions in one message.
const MOST: i64 = 500;

struct Watch {
    grpc: Grpc,
    scope: Scope,
    name: SubmissionName,
    id: Uuid,
    /// The newest transition that was sent; 0: nothing yet.
    seen: u64,
    over: bool,
}

impl Grpc {
    /// From transition `seen` on; 0: the whole state first.
    pub(super) async fn watch(
        &self,
        caller: Arc<Caller>,
        scope: Scope,
        name: SubmissionName,
        id: Uuid,
        seen: u64,
    ) -> Result<Watching<pb::WatchSubmissionResponse>, Status> {
        let listener = self.db.wake().on(commands::watched(id));
        let watch = Watch {
            grpc: self.clone(),
            scope,
            name,
            id,
            seen,
            over: false,
        };
        watching::watch(watch, caller, listener, self.stopping.clone()).await
    }
}

impl Watched for Watch {
    type News = pb::WatchSubmissionResponse;

    fn over(&self) -> bool {
        self.over
    }

    async fn recheck(&mut self, caller: &Caller) -> Result<(), Status> {
        let read = Permission::ReadOffer;
        self.scope = self
            .grpc
            .permit_submission(caller, read, &self.name)
            .await?;
        Ok(())
    }

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
