//! `marketctl`: the public RPCs of the marketplace from a shell. It has no powers of its own: what it may do is what
//! its token may do.
//!
//! - [`cli`] what can be typed, [`config`] where the services are and with which token
//! - [`api`] how an RPC is called: retries, request ids, errors
//! - [`apply`] offers as files, and [`export`] the way back; [`commands`] everything else, one file per noun
//! - [`output`] tables for people, JSON for programs

mod api;
mod apply;
mod cli;
mod commands;
mod config;
mod error;
mod export;
mod names;
mod output;
mod token;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use error::Error;
use output::Output;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let format = cli.globals.output;
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads us has read enough: `marketctl history … | head`.
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            error.print(format, &mut std::io::stderr().lock());
            ExitCode::from(error.exit_code())
        }
    }
}

async fn run(cli: Cli) -> Result<(), Error> {
    let mut out = Output::stdout(cli.globals.output);
    if let Command::Token = cli.command {
        return commands::token::run(&cli.globals, &mut out);
    }
    if let Command::Health(args) = cli.command {
        return commands::health::run(&cli.globals.endpoints, args, &mut out).await;
    }
    if let Command::Schema = cli.command {
        return apply::schema::run(&mut out);
    }
    let session = config::Session::open(&cli.globals)?;
    match cli.command {
        Command::Apply(args) => apply::run(&session, args, &mut out).await,
        Command::Export(args) => export::run(&session, args, &mut out).await,
        Command::Publish(args) => commands::publish::publish(&session, args, &mut out).await,
        Command::Batch(args) => commands::batch::run(&session, args, &mut out).await,
        Command::Quota(args) => commands::quota::run(&session, args, &mut out).await,
        Command::DryRun(args) => commands::dry_run::run(&session, args, &mut out).await,
        Command::Watch(args) => commands::watch::run(&session, args, &mut out).await,
        Command::GoLive(args) => commands::publish::go_live(&session, args, &mut out).await,
        Command::Cancel(args) => commands::publish::cancel(&session, args, &mut out).await,
        Command::Status(args) => commands::status::run(&session, args, &mut out).await,
        Command::Report(args) => commands::report::run(&session, args, &mut out).await,
        Command::History(args) => commands::history::run(&session, args, &mut out).await,
        Command::Listing(args) => commands::listing::show(&session, args, &mut out).await,
        Command::Search(args) => commands::listing::search(&session, args, &mut out).await,
        Command::Review(args) => commands::review::run(&session, args, &mut out).await,
        Command::Publisher(args) => commands::publisher::run(&session, args, &mut out).await,
        Command::Members(args) => commands::members::run(&session, args, &mut out).await,
        Command::Audience(args) => commands::audience::run(&session, args, &mut out).await,
        Command::Preferences(args) => commands::preferences::run(&session, args, &mut out).await,
        Command::Inbox(args) => commands::inbox::run(&session, args, &mut out).await,
        Command::DeadLetters(args) => commands::dead_letters::run(&session, args, &mut out).await,
        Command::Token | Command::Schema | Command::Health(_) => Ok(()),
    }
}
