//! `dead-letters`: messages that a service could not apply. Needs the role operator.

use clap::{Args, Subcommand, ValueEnum};
use marketplace_proto::messaging::v1::{
    DeadLetter, DeadLetterState, DiscardDeadLetterRequest, GetDeadLetterRequest,
    ListDeadLettersRequest, ListDeadLettersResponse, ReplayDeadLetterRequest,
};

use crate::api::{Service, request_id};
use crate::config::Session;
use crate::error::Error;
use crate::output::{Output, table, words};

#[derive(Args)]
pub struct DeadLettersArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List {
        service: Service,
        #[arg(long, value_enum, default_value_t)]
        state: State,
    },
    /// One message with its reason.
    Show { service: Service, id: String },
    /// Apply a message again, now; "all" for every one that waits, oldest first.
    Replay { service: Service, id: String },
    /// Give a message up for good.
    Discard {
        service: Service,
        id: String,
        /// Why; kept with it.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum State {
    #[default]
    Waiting,
    Replayed,
    Discarded,
}

pub async fn run(session: &Session, args: DeadLettersArgs, out: &mut Output) -> Result<(), Error> {
    match args.command {
        Command::List { service, state } => {
            let answer = list(session, service, state).await?;
            out.answer(&answer, |out, answer| print(answer, out))
        }
        Command::Show { service, id } => {
            let answer = session
                .api
                .call_at(service, GetDeadLetterRequest { id })
                .await?;
            out.answer(&answer, |out, answer| {
                answer
                    .dead_letter
                    .as_ref()
                    .map_or(Ok(()), |letter| print_one(letter, out))
            })
        }
        Command::Replay { service, id } if id == "all" => replay_all(session, service, out).await,
        Command::Replay { service, id } => {
            let answer = session.api.call_at(service, replay(&id)).await?;
            out.answer(&answer, |out, _| out.say(format!("{id} is applied")))
        }
        Command::Discard {
            service,
            id,
            reason,
        } => {
            let request = DiscardDeadLetterRequest {
                id: id.clone(),
                reason,
                request_id: request_id(),
            };
            let answer = session.api.call_at(service, request).await?;
            out.answer(&answer, |out, _| out.say(format!("{id} is given up")))
        }
    }
}

/// All of a state, page by page.
async fn list(
    session: &Session,
    service: Service,
    state: State,
) -> Result<ListDeadLettersResponse, Error> {
    let state = match state {
        State::Waiting => DeadLetterState::Waiting,
        State::Replayed => DeadLetterState::Replayed,
        State::Discarded => DeadLetterState::Discarded,
    };
    let mut all = ListDeadLettersResponse::default();
    let mut request = ListDeadLettersRequest {
        page_size: 1_000,
        page_token: String::new(),
        state: state.into(),
    };
    loop {
        let answer = session.api.call_at(service, request.clone()).await?;
        all.dead_letters.extend(answer.dead_letters);
        if answer.next_page_token.is_empty() {
            return Ok(all);
        }
        request.page_token = answer.next_page_token;
    }
}

fn replay(id: &str) -> ReplayDeadLetterRequest {
    ReplayDeadLetterRequest {
        id: id.to_owned(),
        request_id: request_id(),
    }
}

/// Oldest first: later messages of an offer may need what the earlier ones bring. Stops at the first that stays dead.
async fn replay_all(session: &Session, service: Service, out: &mut Output) -> Result<(), Error> {
    let waiting = list(session, service, State::Waiting).await?.dead_letters;
    for letter in waiting.iter().rev() {
        let answer = session.api.call_at(service, replay(&letter.id)).await?;
        out.answer(&answer, |out, _| {
            out.say(format!("{} is applied", letter.id))
        })?;
    }
    out.say(format!(
        "{} applied",
        words::count(waiting.len(), "message")
    ))
}

fn print(answer: &ListDeadLettersResponse, out: &mut Output) -> Result<(), Error> {
    let mut rows = table(["id", "received (UTC)", "type", "tries", "reason"]);
    for letter in &answer.dead_letters {
        let received = words::when(letter.received_at.as_ref());
        rows.add_row([
            &letter.id,
            &received,
            &letter.r#type,
            &letter.attempts.to_string(),
            &letter.reason,
        ]);
    }
    out.table(&rows)?;
    out.say(words::count(answer.dead_letters.len(), "dead letter"))
}

fn print_one(letter: &DeadLetter, out: &mut Output) -> Result<(), Error> {
    let state = words::label(letter.state().as_str_name(), "DEAD_LETTER_STATE_").to_lowercase();
    out.say(format!(
        "{} ({state}), event {}, {}",
        letter.id, letter.event_id, letter.r#type
    ))?;
    out.say(format!(
        "received {} UTC, tried {} times",
        words::when(letter.received_at.as_ref()),
        letter.attempts
    ))?;
    out.say(format!(
        "{}\n{} of payload (--output json shows them)",
        letter.reason,
        words::size(letter.payload.len() as u64)
    ))
}
