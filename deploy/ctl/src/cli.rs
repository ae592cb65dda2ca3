//! What can be typed. Arguments of a command live with the command.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::apply::ApplyArgs;
use crate::commands::audience::AudienceArgs;
use crate::commands::batch::BatchArgs;
use crate::commands::dead_letters::DeadLettersArgs;
use crate::commands::dry_run::DryRunArgs;
use crate::commands::health::HealthArgs;
use crate::commands::history::HistoryArgs;
use crate::commands::inbox::InboxArgs;
use crate::commands::listing::{ListingArgs, SearchArgs};
use crate::commands::members::MembersArgs;
use crate::commands::preferences::PreferencesArgs;
use crate::commands::publish::{CancelArgs, GoLiveArgs, PublishArgs};
use crate::commands::publisher::PublisherArgs;
use crate::commands::quota::QuotaArgs;
use crate::commands::report::ReportArgs;
use crate::commands::review::ReviewArgs;
use crate::commands::status::StatusArgs;
use crate::commands::watch::WatchArgs;
use crate::export::ExportArgs;

/// Publish offers to the marketplace, and follow them, from a shell.
///
/// Offers are named PUBLISHER/OFFER ("contoso/grafana") or by resource name; with --publisher the offer's id is enough.
/// Exit codes: 0 done; 1 refused by a service; 2 wrong arguments or files, or an apply with refusals; 3 a service can't
/// be reached; 4 the submission that was watched failed or was canceled, or a dry run says that one would; 5 it took longer than --timeout.
#[derive(Parser)]
#[command(name = "marketctl", version, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Make the drafts of offers what files say.
    Apply(ApplyArgs),
    /// Write the files that apply reads, of a draft or a snapshot.
    Export(ExportArgs),
    /// Print the JSON Schema of offers' files, for editors.
    Schema,
    /// Submit an offer's draft, or those of many.
    Publish(PublishArgs),
    /// What became of the offers that were submitted together.
    Batch(BatchArgs),
    /// How much a publisher may have, and has.
    Quota(QuotaArgs),
    /// Say what a publish of an offer's draft would meet, and change nothing.
    DryRun(DryRunArgs),
    /// Follow a submission, one line per step, until it waits for a person or ends.
    Watch(WatchArgs),
    /// Sign a preview off and publish it.
    GoLive(GoLiveArgs),
    /// Stop a submission that has not reached sign-off.
    Cancel(CancelArgs),
    /// The offer overview: status, steps, what can be done, links.
    Status(StatusArgs),
    /// What validation or certification found.
    Report(ReportArgs),
    /// What happened to an offer.
    History(HistoryArgs),
    /// An offer as a customer reads it.
    Listing(ListingArgs),
    /// Live offers, as a customer finds them.
    Search(SearchArgs),
    /// The reviewers' queue (role reviewer).
    Review(ReviewArgs),
    /// Publishers and what the marketplace knows of them (role operator).
    Publisher(PublisherArgs),
    /// Who works for a publisher.
    Members(MembersArgs),
    /// Who hears of an offer's submissions.
    Audience(AudienceArgs),
    /// Your address and language for notifications.
    Preferences(PreferencesArgs),
    /// Your Action Center.
    Inbox(InboxArgs),
    /// Messages that a service could not apply (role operator).
    DeadLetters(DeadLettersArgs),
    /// Whether the five services serve.
    Health(HealthArgs),
    /// Print a token minted with the local key, for --as.
    Token,
}

/// Options of every command.
#[derive(Args)]
pub struct Globals {
    /// How answers are printed.
    #[arg(
        long,
        short,
        global = true,
        value_enum,
        default_value_t,
        env = "MARKETCTL_OUTPUT"
    )]
    pub output: Format,
    /// Publisher of offers that are named by their id alone, and of files that name none.
    #[arg(long, global = true, env = "MARKETCTL_PUBLISHER")]
    pub publisher: Option<String>,
    /// The bearer token to show.
    #[arg(
        long,
        global = true,
        env = "MARKETCTL_TOKEN",
        hide_env_values = true,
        conflicts_with = "as_subject"
    )]
    pub token: Option<String>,
    /// Mint a token for this subject with the local key ("ada@contoso"). For a local system only.
    #[arg(long = "as", global = true, value_name = "NAME", env = "MARKETCTL_AS")]
    pub as_subject: Option<String>,
    /// Platform role in the minted token; may be repeated.
    #[arg(long = "as-role", visible_alias = "role", global = true, value_enum, action = ArgAction::Append)]
    pub as_roles: Vec<PlatformRole>,
    /// Verified e-mail address in the minted token.
    #[arg(long, global = true)]
    pub email: Option<String>,
    /// The Ed25519 key (PKCS #8 PEM) to mint with.
    #[arg(long, global = true, env = "MARKETCTL_KEY_FILE")]
    pub key_file: Option<PathBuf>,
    /// The id (kid) of that key.
    #[arg(
        long,
        global = true,
        env = "MARKETCTL_KEY_ID",
        default_value = "local-1"
    )]
    pub key_id: String,
    /// PEM certificates that https endpoints are trusted by.
    #[arg(long, global = true, env = "MARKETCTL_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub endpoints: Endpoints,
}

/// Where the services are.
#[derive(Args)]
pub struct Endpoints {
    /// Address of offer-catalog.
    #[arg(
        long,
        global = true,
        env = "MARKETCTL_CATALOG",
        default_value = "http://127.0.0.1:7001",
        value_name = "URL"
    )]
    pub endpoint_catalog: String,
    /// Address of certification.
    #[arg(
        long,
        global = true,
        env = "MARKETCTL_CERTIFICATION",
        default_value = "http://127.0.0.1:7002",
        value_name = "URL"
    )]
    pub endpoint_certification: String,
    /// Address of publishing-pipeline.
    #[arg(
        long,
        global = true,
        env = "MARKETCTL_PUBLISHING",
        default_value = "http://127.0.0.1:7003",
        value_name = "URL"
    )]
    pub endpoint_publishing: String,
    /// Address of history.
    #[arg(
        long,
        global = true,
        env = "MARKETCTL_HISTORY",
        default_value = "http://127.0.0.1:7004",
        value_name = "URL"
    )]
    pub endpoint_history: String,
    /// Address of notification.
    #[arg(
        long,
        global = true,
        env = "MARKETCTL_NOTIFICATION",
        default_value = "http://127.0.0.1:7005",
        value_name = "URL"
    )]
    pub endpoint_notification: String,
}

/// How answers are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs: the answer as protobuf's JSON, with the field names of the .proto files.
    Json,
}

/// A platform role that a local token can claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlatformRole {
    Operator,
    Reviewer,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_lines_of_the_readme_parse() {
        for line in [
            "apply -f samples/grafana --dry-run",
            "export contoso/grafana --version live -d samples/grafana --force",
            "schema",
            "publish contoso/grafana --notes hello --confirm --wait",
            "dry-run contoso/grafana --target live --depth full --probe-endpoints",
            "dry-run contoso/grafana --target preview -f samples/grafana",
            "watch publishers/contoso/offers/grafana/submissions/0190",
            "go-live contoso/grafana --acknowledge-warnings",
            "cancel contoso/grafana",
            "status contoso/grafana -o json",
            "history contoso/grafana --type step --from 2026-01-01",
            "listing contoso/grafana",
            "report contoso/grafana --kind failure",
            "search dashboards",
            "review approve contoso/grafana --pass-pending",
            "review reject 0190 --notes no --finding page=offer_listing;remedy=shorten",
            "token --as rita --role reviewer --email rita@example.org",
            "members add contoso bo@contoso --member-role developer",
            "publisher create contoso --display-name Contoso --owner ada@contoso --enrolled",
            "preferences set-email ada@example.org",
            "inbox",
            "audience add contoso/grafana bo",
            "dead-letters replay history 0190",
        ] {
            let words = std::iter::once("marketctl").chain(line.split(' '));
            assert!(
                Cli::try_parse_from(words.clone()).is_ok(),
                "{line}: {}",
                Cli::try_parse_from(words).err().unwrap()
            );
        }
    }

    #[test]
    fn a_token_and_a_name_to_mint_one_for_are_not_both_taken() {
        assert!(
            Cli::try_parse_from(["marketctl", "--token", "x", "--as", "ada", "inbox"]).is_err()
        );
    }
}
