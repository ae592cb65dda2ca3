//! `audience`: who hears of an offer's submissions. Owners always do.

use clap::{Args, Subcommand};
use marketplace_proto::notification::v1::{
    AddAudienceMemberRequest, ListAudienceRequest, ListAudienceResponse,
    RemoveAudienceMemberRequest,
};

use crate::api::request_id;
use crate::config::Session;
use crate::error::Error;
use crate::names;
use crate::output::{Output, table};

#[derive(Args)]
pub struct AudienceArgs {
    #[command(subcommand)]
    command: Command,
}

/// A MEMBER is an id or a resource name.
#[derive(Subcommand)]
enum Command {
    List { offer: String },
    Add { offer: String, member: String },
    Remove { offer: String, member: String },
}

pub async fn run(session: &Session, args: AudienceArgs, out: &mut Output) -> Result<(), Error> {
    let api = &session.api;
    match args.command {
        Command::List { offer } => {
            let offer = session.offer(&offer)?.name();
            let answer = api
                .list(ListAudienceRequest {
                    offer,
                    ..ListAudienceRequest::default()
                })
                .await?;
            out.answer(&answer, |out, answer| print(answer, out))
        }
        Command::Add { offer, member } => {
            let offer = session.offer(&offer)?;
            let member = offer.member(&member);
            let request = AddAudienceMemberRequest {
                offer: offer.name(),
                member: member.clone(),
                request_id: request_id(),
            };
            out.answer(&api.call(request).await?, |out, _| {
                out.say(format!("{member} hears of {}", offer.name()))
            })
        }
        Command::Remove { offer, member } => {
            let offer = session.offer(&offer)?;
            let member = offer.member(&member);
            let request = RemoveAudienceMemberRequest {
                offer: offer.name(),
                member: member.clone(),
                request_id: request_id(),
            };
            out.answer(&api.call(request).await?, |out, _| {
                out.say(format!("{member} no longer hears of {}", offer.name()))
            })
        }
    }
}

fn print(answer: &ListAudienceResponse, out: &mut Output) -> Result<(), Error> {
    let mut rows = table(["member", "name", "why", "e-mail"]);
    for entry in &answer.entries {
        let why = if entry.mandatory { "owner" } else { "added" };
        let mail = if entry.email_verified {
            "verified"
        } else {
            "not verified: Action Center only"
        };
        rows.add_row([names::id(&entry.member), &entry.display_name, why, mail]);
    }
    out.table(&rows)
}
