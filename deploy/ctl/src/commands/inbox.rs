//! `inbox`: your Action Center.

use clap::{Args, Subcommand};
use marketplace_proto::notification::v1::{
    ActionItem, ArchiveActionItemRequest, ItemKind, ListActionItemsRequest,
    ListActionItemsResponse, MarkActionItemReadRequest,
};

use crate::api::request_id;
use crate::config::Session;
use crate::error::Error;
use crate::names;
use crate::output::{Output, table, words};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct InboxArgs {
    #[command(subcommand)]
    command: Option<Command>,
    /// Only items of this offer.
    #[arg(long)]
    offer: Option<String>,
    /// Archived items too.
    #[arg(long)]
    all: bool,
    /// At most so many, newest first.
    #[arg(long, default_value_t = 50)]
    limit: i32,
}

#[derive(Subcommand)]
enum Command {
    /// Mark an item as read.
    Read { item: String },
    /// Put an item away.
    Archive { item: String },
}

pub async fn run(session: &Session, args: InboxArgs, out: &mut Output) -> Result<(), Error> {
    let api = &session.api;
    match args.command {
        Some(Command::Read { item }) => {
            let answer = api
                .call(MarkActionItemReadRequest {
                    name: name(&item),
                    request_id: request_id(),
                })
                .await?;
            out.answer(&answer, |out, answer| {
                answer
                    .item
                    .as_ref()
                    .map_or(Ok(()), |item| print_item(item, out))
            })
        }
        Some(Command::Archive { item }) => {
            let name = name(&item);
            let answer = api
                .call(ArchiveActionItemRequest {
                    name: name.clone(),
                    request_id: request_id(),
                })
                .await?;
            out.answer(&answer, |out, _| out.say(format!("archived {name}")))
        }
        None => {
            let offer = args
                .offer
                .as_deref()
                .map(|offer| session.offer(offer))
                .transpose()?;
            let request = ListActionItemsRequest {
                page_size: args.limit,
                offer: offer.map(|offer| offer.name()).unwrap_or_default(),
                include_archived: args.all,
                page_token: String::new(),
            };
            out.answer(&api.call(request).await?, |out, answer| print(answer, out))
        }
    }
}

fn name(item: &str) -> String {
    format!("actionItems/{}", names::id(item))
}

fn print(answer: &ListActionItemsResponse, out: &mut Output) -> Result<(), Error> {
    let mut rows = table(["", "when (UTC)", "kind", "what", "item"]);
    for item in &answer.items {
        let new = if item.read { "" } else { "new" };
        rows.add_row([
            new,
            &words::when(item.create_time.as_ref()),
            &kind(item),
            &item.title,
            names::id(&item.name),
        ]);
    }
    out.table(&rows)?;
    out.say(format!(
        "{}, {} unread",
        words::count(answer.items.len(), "item"),
        answer.unread
    ))
}

fn print_item(item: &ActionItem, out: &mut Output) -> Result<(), Error> {
    out.say(format!("{}\n\n{}\n", item.title, item.body))?;
    item.links
        .iter()
        .try_for_each(|link| out.say(format!("{}: {}", link.title, link.target)))
}

fn kind(item: &ActionItem) -> String {
    let done = if item.resolved && item.kind() != ItemKind::Status {
        " (done)"
    } else {
        ""
    };
    format!(
        "{}{done}",
        words::label(item.kind().as_str_name(), "ITEM_KIND_").to_lowercase()
    )
}
