//! `DeadLetterService`: the same in every service, for its own queue. Callers: platform role `operator`.

use std::sync::Arc;

use marketplace_proto::messaging::v1::{
    self as pb, DeadLetterState, dead_letter_service_server::DeadLetterService,
};
use marketplace_runtime::{
    access::{Access, Permission, Target},
    clock, identity, ids,
    paging::{self, Fingerprint},
    status::{self, Violation},
    timestamp,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::store::{self, Letter};
use crate::{
    Database, Error, Failure, Receive, Work,
    inbox::{Message, apply_one},
};

/// Serves the dead letters of one service; replays them with its receiver.
pub struct DeadLetters<R> {
    database: Database,
    access: Access,
    receiver: Arc<R>,
}

impl<R: Receive> DeadLetters<R> {
    /// For `DeadLetterServiceServer::new`.
    pub fn new(database: Database, access: Access, receiver: Arc<R>) -> DeadLetters<R> {
        DeadLetters {
            database,
            access,
            receiver,
        }
    }

    /// The operator who calls, or the refusal.
    async fn operator<T>(&self, request: Request<T>) -> Result<(String, T), Status> {
        let (caller, request) = identity::open(request)?;
        self.access
            .require(&caller, Permission::Operate, &Target::Platform)
            .await?;
        Ok((caller.principal().to_owned(), request))
    }

    fn failed(&self, error: impl Into<Error>) -> Status {
        error.into().into_status(self.database.domain())
    }

    fn invalid(&self, violation: Violation) -> Status {
        status::invalid(self.database.domain(), [violation])
    }

    fn id(&self, text: &str) -> Result<Uuid, Status> {
        ids::uuid(text, "id").map_err(|violation| self.invalid(violation))
    }

    fn not_found(&self, id: Uuid) -> Status {
        status::not_found(self.database.domain(), "DeadLetter", &id.to_string())
    }

    async fn letter(&self, id: Uuid) -> Result<Letter, Status> {
        let found = store::get(self.database.pool(), id)
            .await
            .map_err(|error| self.failed(error))?;
        found.ok_or_else(|| self.not_found(id))
    }

    /// Locks a letter that waits; one that is settled is refused.
    async fn lock(&self, work: &mut Work, id: Uuid) -> Result<Letter, Status> {
        let found = store::lock(work, id)
            .await
            .map_err(|error| self.failed(error))?;
        let letter = found.ok_or_else(|| self.not_found(id))?;
        match letter.state.as_str() {
            "waiting" => Ok(letter),
            state => Err(status::illegal_move(
                self.database.domain(),
                state,
                "settle",
                &[],
            )),
        }
    }

    async fn begin(&self) -> Result<Work, Status> {
        Work::begin(&self.database)
            .await
            .map_err(|error| self.failed(error))
    }

    /// Applies the message and settles its letter, in one transaction.
    async fn replay(&self, id: Uuid, by: &str) -> Result<(), Status> {
        let mut work = self.begin().await?;
        let letter = self.lock(&mut work, id).await?;
        let message = letter.message();
        match self.apply(work, &letter, &message, by).await {
            Ok(()) => Ok(()),
            Err(Failure::Retry(_)) => Err(status::unavailable(
                self.database.domain(),
                "what the message needs",
            )),
            Err(failure) => {
                let reason = failure.reason();
                let noted = store::failed_again(self.database.pool(), id, &reason).await;
                noted.map_err(|error| self.failed(error))?;
                let shown: String = reason.chars().take(500).collect();
                Err(status::failed_precondition(
                    self.database.domain(),
                    "STILL_DEAD",
                    &shown,
                    &[("dead_letter", &id.to_string())],
                ))
            }
        }
    }

    async fn apply(
        &self,
        mut work: Work,
        letter: &Letter,
        message: &Message,
        by: &str,
    ) -> Result<(), Failure> {
        apply_one(&mut work, &*self.receiver, message).await?;
        store::settle(&mut work, letter.id, "replayed", by, "", clock::now()).await?;
        Ok(work.commit().await?)
    }
}

#[tonic::async_trait]
impl<R: Receive> DeadLetterService for DeadLetters<R> {
    async fn list_dead_letters(
        &self,
        request: Request<pb::ListDeadLettersRequest>,
    ) -> Result<Response<pb::ListDeadLettersResponse>, Status> {
        let (_, request) = self.operator(request).await?;
        let state = state_text(request.state())
            .ok_or_else(|| self.invalid(Violation::new("state", "is unknown")))?;
        let limit =
            paging::page_size(request.page_size).map_err(|violation| self.invalid(violation))?;
        let filters = Fingerprint::of("ListDeadLetters", &state);
        let after = paging::decode(&request.page_token, filters)
            .map_err(|violation| self.invalid(violation))?;
        let found = store::list(self.database.pool(), state, after, limit + 1).await;
        let mut letters = found.map_err(|error| self.failed(error))?;
        let more = letters.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        letters.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let last = letters.last().filter(|_| more);
        let next_page_token = last
            .map(|l| paging::encode(&(l.received_at, l.id), filters))
            .unwrap_or_default();
        let dead_letters = letters.into_iter().map(Into::into).collect();
        Ok(Response::new(pb::ListDeadLettersResponse {
            dead_letters,
            next_page_token,
        }))
    }

    async fn get_dead_letter(
        &self,
        request: Request<pb::GetDeadLetterRequest>,
    ) -> Result<Response<pb::GetDeadLetterResponse>, Status> {
        let (_, request) = self.operator(request).await?;
        let letter = self.letter(self.id(&request.id)?).await?;
        Ok(Response::new(pb::GetDeadLetterResponse {
            dead_letter: Some(letter.into()),
        }))
    }

    async fn replay_dead_letter(
        &self,
        request: Request<pb::ReplayDeadLetterRequest>,
    ) -> Result<Response<pb::ReplayDeadLetterResponse>, Status> {
        let (operator, request) = self.operator(request).await?;
        let id = self.id(&request.id)?;
        self.replay(id, &operator).await?;
        let letter = self.letter(id).await?;
        Ok(Response::new(pb::ReplayDeadLetterResponse {
            dead_letter: Some(letter.into()),
        }))
    }

    async fn discard_dead_letter(
        &self,
        request: Request<pb::DiscardDeadLetterRequest>,
    ) -> Result<Response<pb::DiscardDeadLetterResponse>, Status> {
        let (operator, request) = self.operator(request).await?;
        let id = self.id(&request.id)?;
        if request.reason.trim().is_empty() {
            return Err(self.invalid(Violation::missing("reason")));
        }
        let mut work = self.begin().await?;
        self.lock(&mut work, id).await?;
        let settled = store::settle(
            &mut work,
            id,
            "discarded",
            &operator,
            &request.reason,
            clock::now(),
        )
        .await;
        settled.map_err(|error| self.failed(error))?;
        work.commit().await.map_err(|error| self.failed(error))?;
        let letter = self.letter(id).await?;
        Ok(Response::new(pb::DiscardDeadLetterResponse {
            dead_letter: Some(letter.into()),
        }))
    }
}

/// As stored; unset asks for those that wait.
fn state_text(state: DeadLetterState) -> Option<&'static str> {
    match state {
        DeadLetterState::Unspecified | DeadLetterState::Waiting => Some("waiting"),
        DeadLetterState::Replayed => Some("replayed"),
        DeadLetterState::Discarded => Some("discarded"),
    }
}

impl From<Letter> for pb::DeadLetter {
    fn from(letter: Letter) -> pb::DeadLetter {
        let state = match letter.state.as_str() {
            "replayed" => DeadLetterState::Replayed,
            "discarded" => DeadLetterState::Discarded,
            _ => DeadLetterState::Waiting,
        };
        pb::DeadLetter {
            id: letter.id.to_string(),
            queue: letter.queue,
            event_id: letter.event_id.to_string(),
            r#type: letter.kind,
            reason: letter.reason,
            received_at: Some(timestamp::to_proto(letter.received_at)),
            payload: letter.payload,
            state: state as i32,
            attempts: letter.attempts.cast_unsigned(),
        }
    }
}
