//! Request ids: the same id and the same request from the same caller have one effect and one answer.
//!
//! [`run`] is for a command that this database alone decides: the row of the request is written by the statement that
//! writes the outbox rows, at the end. [`run_claimed`] is for PublishOffer, which asks a neighbour first: the id is
//! claimed before anything is done. Only successes are stored; whatever else happened, the id is looked up before a
//! refusal is answered, since a twin may have been faster. Check access before: it is checked on repeats too.

mod claim;
mod once;
mod store;
mod turns;

use std::future::Future;

use prost::Message;
use tonic::{Response, Status};
use uuid::Uuid;

pub use claim::{Claim, claim};
pub use once::Once;
pub(crate) use store::{Settlement, forget};
pub(crate) use turns::Turns;

use crate::{Database, Error, Work};

/// Runs a command once per request id and answers with what its first success answered.
///
/// `command` gets an open transaction and gives it back with the answer; this function commits it. Twins in this
/// process wait for each other without holding a connection; twins of other replicas meet at the row.
pub async fn run<A, F, Fut>(
    database: &Database,
    once: Once,
    command: F,
) -> Result<Response<A>, Status>
where
    A: Message + Default,
    F: FnOnce(Work) -> Fut,
    Fut: Future<Output = Result<(Work, A), Status>>,
{
    let turn = match once.key() {
        Some(key) => Some(database.turns().take(key).await),
        None => None,
    };
    if turn.as_ref().is_some_and(|turn| turn.waited)
        && let Some(answer) = replay(database, &once).await?
    {
        return Ok(Response::new(answer));
    }
    let refused = match attempt(database, &once, command).await {
        Ok(answer) => return Ok(Response::new(answer)),
        Err(refused) => refused,
    };
    match replay(database, &once).await {
        Ok(Some(answer)) => Ok(Response::new(answer)),
        Err(reused) if reused.code() == tonic::Code::InvalidArgument => Err(reused),
        Ok(None) | Err(_) => Err(refused),
    }
}

async fn attempt<A, F, Fut>(database: &Database, once: &Once, command: F) -> Result<A, Status>
where
    A: Message,
    F: FnOnce(Work) -> Fut,
    Fut: Future<Output = Result<(Work, A), Status>>,
{
    let failed = |error: Error| error.into_status(database.domain());
    let work = Work::begin(database)
        .await
        .map_err(|error| failed(error.into()))?;
    let (work, answer) = command(work).await?;
    match work.settle(once.answered(&answer)).await {
        // A twin of another replica was faster: its answer is looked up.
        Err(error) if error.violates("requests_pkey") => Err(failed(Error::RequestInProgress)),
        other => other.map(|()| answer).map_err(failed),
    }
}

/// The stored answer of an equal request; `None` where there is none (yet). INVALID_ARGUMENT `REQUEST_ID_REUSED` where
/// the id was used for another request.
pub async fn replay<A: Message + Default>(
    database: &Database,
    once: &Once,
) -> Result<Option<A>, Status> {
    let failed = |error: Error| error.into_status(database.domain());
    let Some(key) = once.key() else {
        return Ok(None);
    };
    let found = store::find(database.pool(), key)
        .await
        .map_err(|error| failed(error.into()))?;
    let Some(found) = found else { return Ok(None) };
    if found.fingerprint != once.fingerprint() {
        return Err(failed(Error::RequestReused));
    }
    let answer = found.answer.map(|bytes| A::decode(bytes.as_slice()));
    answer.transpose().map_err(|error| failed(error.into()))
}

/// Runs a command that asks neighbours before it writes: claims the request id under `id`, runs, commits, answers.
///
/// `command` gets the id to work under, which is that of the first try when a claim is taken over; it opens its own
/// [`Work`] and gives it back with the answer. A refusal releases the claim. Cut off in between, the claim ends by itself
/// after its lease (10 s), and a twin goes on under the same id: what the command writes must be unique by it.
pub async fn run_claimed<A, F, Fut>(
    database: &Database,
    once: Once,
    id: Uuid,
    command: F,
) -> Result<Response<A>, Status>
where
    A: Message + Default,
    F: FnOnce(Uuid) -> Fut,
    Fut: Future<Output = Result<(Work, A), Status>>,
{
    let failed = |error: Error| error.into_status(database.domain());
    let claim = match claim(database, &once, id).await.map_err(failed)? {
        Claim::Mine(mine) => mine,
        Claim::Done(answer) => {
            return A::decode(answer.as_slice())
                .map(Response::new)
                .map_err(|e| failed(e.into()));
        }
    };
    let refused = match command(claim.id()).await {
        Ok((work, answer)) => match claim.complete(work, &answer).await {
            Ok(()) => return Ok(Response::new(answer)),
            Err(error) => failed(error),
        },
        Err(refused) => refused,
    };
    claim.release(database).await;
    match replay(database, &once).await {
        Ok(Some(answer)) => Ok(Response::new(answer)),
        Ok(None) | Err(_) => Err(refused),
    }
}
