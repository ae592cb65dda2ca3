//! `DeadLetterService`: the same in every service, for its own queue. Callers: platform role `operator`.

use std::sync::Arc;

use marketplace_proto::messaging::v1::{
    self as pb, DeadLetterState, dead_letter_service_server::DeadLetterService,
};
use marketplace_runtime::{
    access::{Access, Permission, Target},
    clock,
    identity::{self, Caller},
    ids,
    paging::{self, Fingerprint},
    status::{self, Violation},
    text, timestamp,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::store::{self, Letter};
use crate::{
    Database, Error, Failure, Receive, Work,
    inbox::apply_one,
    requests::{self, Once},
};

/// Characters of why a message is discarded.
const LONGEST_REASON: usize = 1_000;

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
    async fn operator<T>(&self, request: Request<T>) -> Result<(Arc<Caller>, T), Status> {
        let (caller, request) = identity::open(request)?;
        self.access
            .require(&caller, Permission::Operate, &Target::Platform)
            .await?;
        Ok((caller, request))
    }

    fn once(
        &self,
        caller: &Caller,
        rpc: &'static str,
        request_id: &str,
        request: &impl prost::Message,
    ) -> Result<Once, Status> {
        Once::new(self.database.domain(), caller, rpc, request_id, request)
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

    /// Applies the message and settles its letter, in one transaction that the caller commits.
    async fn replay(&self, mut work: Work, id: Uuid, by: &str) -> Result<(Work, Letter), Status> {
        let letter = self.lock(&mut work, id).await?;
        match self.apply(&mut work, &letter, by).await {
            Ok(()) => Ok((work, letter.settled("replayed"))),
            Err(failure) => {
                // Rolled back and given back first: noting the failure takes the row, and a connection.
                drop(work);
                Err(self.still_dead(id, failure).await)
            }
        }
    }

    async fn apply(&self, work: &mut Work, letter: &Letter, by: &str) -> Result<(), Failure> {
        let message = letter.message();
        apply_one(work, &*self.receiver, &message).await?;
        store::settle(work, letter.id, "replayed", by, "", clock::now()).await?;
        Ok(())
    }

    /// Notes another try that failed, unless something else was in the way.
    async fn still_dead(&self, id: Uuid, failure: Failure) -> Status {
        let domain = self.database.domain();
        if let Failure::Retry(_) = failure {
            return status::unavailable(domain, "what the message needs");
        }
        let reason = failure.reason();
        if let Err(error) = store::failed_again(self.database.pool(), id, &reason).await {
            return self.failed(error);
        }
        let shown: String = reason.chars().take(500).collect();
        let letter = id.to_string();
        status::failed_precondition(domain, "STILL_DEAD", &shown, &[("dead_letter", &letter)])
    }

    async fn discard(
        &self,
        mut work: Work,
        id: Uuid,
        by: &str,
        reason: &str,
    ) -> Result<(Work, Letter), Status> {
        let letter = self.lock(&mut work, id).await?;
        store::settle(&mut work, id, "discarded", by, reason, clock::now())
            .await
            .map_err(|error| self.failed(error))?;
        Ok((work, letter.settled("discarded")))
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
        let once = self.once(&operator, "ReplayDeadLetter", &request.request_id, &request)?;
        requests::run(&self.database, once, async move |work| {
            let (work, letter) = self.replay(work, id, operator.principal()).await?;
            let dead_letter = Some(letter.into());
            Ok((work, pb::ReplayDeadLetterResponse { dead_letter }))
        })
        .await
    }

    async fn discard_dead_letter(
        &self,
        request: Request<pb::DiscardDeadLetterRequest>,
    ) -> Result<Response<pb::DiscardDeadLetterResponse>, Status> {
        let (operator, request) = self.operator(request).await?;
        let id = self.id(&request.id)?;
        let reason = text::lines(request.reason.trim(), "reason", LONGEST_REASON);
        let reason = reason.map_err(|violation| self.invalid(violation))?;
        if reason.is_empty() {
            return Err(self.invalid(Violation::missing("reason")));
        }
        let once = self.once(
            &operator,
            "DiscardDeadLetter",
            &request.request_id,
            &request,
        )?;
        requests::run(&self.database, once, async move |work| {
            let by = operator.principal();
            let (work, letter) = self.discard(work, id, by, &reason).await?;
            let dead_letter = Some(letter.into());
            Ok((work, pb::DiscardDeadLetterResponse { dead_letter }))
        })
        .await
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
