//! Measures, in one run, what the machine's parts do alone (the floors) and what the whole system does over them, and
//! prints one Markdown table. Started by `deploy/local/load`, which builds optimised programs and gives private servers.
//!
//! | module | what |
//! |---|---|
//! | [`floor`] | bare tonic, tonic over one read or one small transaction, the broker alone |
//! | [`reads`] | GetOffer and saved pages against their floors |
//! | [`flows`] | whole publish flows, Draft to Live |
//! | [`latency`] | how long news takes to reach a watcher and the history |
//! | [`processes`] | start-up, memory and CPU seconds of every process |
//! | [`pace`] | closed loops and percentiles |

mod floor;
mod flows;
mod latency;
mod pace;
mod processes;
mod reads;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use system_tests::{Marketplace, Options};

use flows::Flows;
use processes::Processes;
use report::Report;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures everything.
    Run(Run),
    /// Serves the floors; started by `run` as a process of its own.
    Floor {
        #[arg(long)]
        database: String,
        #[arg(long)]
        port: u16,
    },
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Start-up and memory.
    Processes,
    /// Floors, reads and saved pages.
    Reads,
    /// Publish flows, and how long news of them takes.
    Flows,
}

#[derive(clap::Args)]
struct Run {
    /// Measures this only.
    #[arg(long)]
    only: Option<Part>,
    /// Publish flows measured at each number in flight.
    #[arg(long, default_value_t = 1_500)]
    flows: usize,
    /// Seconds of each closed loop of reads and writes.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// The postmaster in use.
    #[arg(long)]
    postgres_pid: i32,
    /// The RabbitMQ in use.
    #[arg(long)]
    rabbitmq_pid: i32,
    /// Where the statements that cost Postgres most during the flows are written.
    #[arg(long)]
    statements: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Floor { database, port } => floor::serve(&database, port).await,
        Command::Run(run) => Box::pin(measure(run)).await,
    }
}

/// Checks that return at once, and nobody to wait for: what is measured is the machinery.
fn options() -> Options {
    Options {
        environment: vec![
            ("CERTIFICATION_MANUAL_REVIEW", "off".into()),
            ("DATABASE_MAX_CONNECTIONS", "16".into()),
            ("LOG_FORMAT", "json".into()),
        ],
        ..Options::default()
    }
}

async fn measure(run: Run) -> anyhow::Result<()> {
    let mut report = Report::new();
    let mut market = Marketplace::start_with(options()).await?;
    let wanted = |part| run.only.is_none_or(|only| only == part);
    if wanted(Part::Processes) {
        processes::start(&mut report, &mut market).await?;
    }
    let processes = Processes::find(&market, run.postgres_pid, run.rabbitmq_pid)?;
    if wanted(Part::Processes) {
        processes::idle(&mut report, &processes).await?;
    }
    market.publisher("load").await?;
    if wanted(Part::Reads) {
        let pause = Duration::from_secs(run.seconds);
        let floors = floor::measure(&mut report, &market, pause).await?;
        Box::pin(reads::measure(&mut report, &market, &floors, pause)).await?;
    }
    if wanted(Part::Flows) {
        Box::pin(flows(&mut report, &market, &processes, &run)).await?;
        processes::loaded(&mut report, &processes)?;
    }

    report.print();
    market.stop().await
}

async fn flows(
    report: &mut Report,
    market: &Marketplace,
    processes: &Processes,
    run: &Run,
) -> anyhow::Result<()> {
    let mut flows = Flows::new(market, processes);
    flows.one_by_one(report, run.flows.min(200)).await?;
    let quickest = flows
        .side_by_side(report, 64, run.flows, run.statements.as_deref())
        .await?;
    flows.side_by_side(report, 256, run.flows, None).await?;
    latency::at_half_load(report, &mut flows, quickest / 2.0).await
}
