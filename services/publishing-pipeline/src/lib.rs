//! publishing-pipeline: submissions, their steps, and the publication of an offer, which alone decides what may happen to
//! it.
//!
//! | module | answers for |
//! |---|---|
//! | [`domain`] | what may happen and what follows: pure |
//! | `commands` | one function per write: lock, decide, save, tell |
//! | `store` | every SQL statement |
//! | `grpc`, `incoming`, `due` | the three doors: calls, answers of neighbours, what is due |
//! | `steps`, `leads` | our own steps, carried out outside any transaction |
//! | `batches` | offers that were asked for by one call, published one by one |
//! | `dry_runs` | what a publish would meet, looked at outside any transaction |
//! | `neighbours` | what we ask of the catalogue and of certification |
//! | `wire`, `outgoing` | proto ↔ domain |

mod batches;
pub mod commands;
pub mod config;
pub mod domain;
mod dry_runs;
pub mod due;
pub mod error;
mod grpc;
mod incoming;
pub mod leads;
mod neighbours;
mod outgoing;
pub mod steps;
pub mod store;
mod wire;

use std::sync::Arc;

use marketplace_messaging::{
    Broker, Database, DeadLetters, Events, consume, outbox, retention, wake,
};
use marketplace_proto::messaging::v1::dead_letter_service_server::DeadLetterServiceServer;
use marketplace_proto::messaging::v1::event_service_server::EventServiceServer;
use marketplace_proto::publishing::v1::operator_service_server::OperatorServiceServer;
use marketplace_proto::publishing::v1::publishing_service_server::PublishingServiceServer;
use marketplace_runtime::access::Access;
use marketplace_runtime::identity::ServiceTokens;
use marketplace_runtime::outbound::Outbound;
use marketplace_runtime::server::Server;
use marketplace_runtime::service::Service;
use marketplace_runtime::tasks::Tasks;
use marketplace_runtime::{ids, limits, neighbour, postgres};
use sqlx::migrate::Migrator;
use tokio_util::sync::CancellationToken;

pub use config::Config;
use dry_runs::DryRuns;
use due::SharedMedians;
use grpc::Grpc;
use incoming::{Incoming, SUBSCRIPTION};
use leads::Leads;
use neighbours::{Catalog, Certification};
use steps::{Executor, Steps};

/// Name of the service, of its folder and of its queue.
pub const NAME: &str = "publishing-pipeline";
/// The proto package, and the domain of its errors.
pub const DOMAIN: &str = "marketplace.publishing.v1";
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// Starts the service; answers when its port is open.
pub async fn start(config: Config) -> anyhow::Result<Service> {
    let common = &config.common;
    let pool = postgres::connect(&common.postgres).await?;
    postgres::check_migrations(&pool, &MIGRATIONS).await?;
    let db = Database::new(pool, NAME, DOMAIN);
    let broker = Broker::new(&common.amqp, NAME)?;
    let tokens = ServiceTokens::open(&common.service_identity, NAME)?;
    let channel = neighbour::channel(&config.catalog, &tokens)?;
    let (catalog, access) = (Catalog::new(&channel), Access::remote(DOMAIN, channel));
    let leads = Leads::new(Outbound::open(&common.outbound)?, config.lead_hosts.clone());
    let executor = Executor::new(catalog.clone(), leads.clone());
    let dry_runs = DryRuns {
        catalog: catalog.clone(),
        certification: Certification::new(&neighbour::channel(&config.certification, &tokens)?),
        executor: executor.clone(),
        tempo: config.tempo.clone(),
        quotas: config.quotas,
        longest: config.dry_run_deadline,
    };
    let (steps, handed) = Steps::new(ids::new_id(), config.tempo.clone());
    let incoming = Arc::new(Incoming::new(steps.clone()));
    let medians = SharedMedians::default();

    // Before anything is held: a step whose holder has no lease is taken over at once.
    store::keep_lease(db.pool(), steps.id(), config.tempo.lease).await?;
    let mut tasks = Tasks::new();
    // The lease outlives the steps: given up earlier, others would do again what is still being committed.
    let carried_out = CancellationToken::new();
    tasks.spawn_until("lease", |_| {
        due::keep_lease(db.clone(), steps.clone(), carried_out.clone())
    });
    tasks.spawn_until("steps", |stop| {
        let work = steps::carry_out(steps.clone(), handed, executor, db.with_own_pool(4), stop);
        let ends = carried_out.drop_guard();
        async move {
            let ended = work.await;
            drop(ends);
            ended
        }
    });
    tasks.spawn("handed", due::hand_on(db.clone(), steps.clone()));
    tasks.spawn(
        "due",
        due::sweep(db.clone(), steps.clone(), catalog.clone()),
    );
    tasks.spawn_until("leads", |stop| {
        leads::deliver_customers(db.clone(), catalog.clone(), leads, stop)
    });
    tasks.spawn_until("dry runs", |stop| {
        dry_runs::carry_out(db.clone(), dry_runs, stop)
    });
    tasks.spawn(
        "housekeeping",
        due::housekeeping(db.clone(), medians.clone()),
    );
    tasks.spawn_until("wake", |stop| wake::share(db.clone(), stop));
    tasks.spawn_until("retention", |stop| retention::sweep(db.clone(), stop));
    tasks.spawn_until("consumer", |stop| {
        consume(
            SUBSCRIPTION,
            db.clone(),
            broker.clone(),
            incoming.clone(),
            stop,
        )
    });
    tasks.spawn_last("relay", |stop| {
        outbox::relay(db.clone(), broker.clone(), stop)
    });

    let dead_letters = DeadLetters::new(db.clone(), access.clone(), incoming);
    let events = Events::new(db.clone(), broker, access.clone());
    let (stopping, tracked) = (tasks.stopping(), tasks.tracked());
    let grpc = Grpc {
        db: db.clone(),
        access,
        steps,
        catalog,
        medians,
        quotas: config.quotas,
        stopping,
        tracked,
    };
    tasks.spawn_until("batches", |stop| {
        batches::publish(grpc.clone(), config.batch_share, stop)
    });
    Server::new(DOMAIN, common)
        .database(db.pool(), &MIGRATIONS)
        .service(limits!(PublishingServiceServer::new(grpc.clone())))
        .service(limits!(OperatorServiceServer::new(grpc)))
        .service(limits!(DeadLetterServiceServer::new(dead_letters)))
        .service(limits!(EventServiceServer::new(events)))
        .start(tasks)
        .await
}
