//! Certification: cases, checks, findings, human review, and the reports made of them.
//!
//! | module | answers for |
//! |---|---|
//! | [`domain`] | the case and its state machine, findings, reports, the decoded snapshot: pure |
//! | `checks` | every check of domain rules §5, one file per family: pure |
//! | [`commands`] | every write: load, decide, save, tell |
//! | [`store`] | every SQL statement |
//! | `grpc` | `CertificationService` and `ReviewService` |
//! | `incoming` | orders of the publishing pipeline |
//! | `due` | orders worked off under a lease, expired claims |
//! | `neighbours` | what is asked of the offer catalog |
//! | `wire`, `outgoing` | proto ↔ domain, domain → events |
//!
//! An order arrives and becomes a job and, for a certification, a case. A worker claims the job, fetches snapshot, images
//! and publisher, runs the checks and commits results and answer together. A case that needs a person waits in the review
//! queue; its decision is the answer. A repeated order starts nothing and is answered with the same.

mod checks;
pub mod commands;
mod config;
pub mod domain;
mod due;
mod error;
mod grpc;
mod incoming;
mod neighbours;
mod outgoing;
pub mod store;
mod wire;

use std::sync::Arc;

use marketplace_messaging::{
    Broker, Database, DeadLetters, Events, consume, outbox, retention, wake,
};
use marketplace_proto::{
    certification::v1::{
        certification_service_server::CertificationServiceServer,
        review_service_server::ReviewServiceServer,
    },
    messaging::v1::{
        dead_letter_service_server::DeadLetterServiceServer,
        event_service_server::EventServiceServer,
    },
};
use marketplace_runtime::{
    access::Access, identity::ServiceTokens, limits, neighbour, postgres, server::Server,
    service::Service, tasks::Tasks,
};
use sqlx::migrate::Migrator;

pub use config::Config;
use due::{Checker, RuleBook};
pub use error::Error;
use grpc::Grpc;
use incoming::Incoming;

/// The proto package: `domain` of every error.
pub const DOMAIN: &str = "marketplace.certification.v1";
/// The folder name: the queue, and how neighbours know this service.
const SERVICE: &str = "certification";

/// The schema; `certification migrate` applies it as the owner.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// Wires the parts and serves. Answers when the port is open.
pub async fn start(config: Config) -> anyhow::Result<Service> {
    let common = &config.common;
    let pool = postgres::connect(&common.postgres).await?;
    postgres::check_migrations(&pool, &MIGRATIONS).await?;
    let db = Database::new(pool, SERVICE, DOMAIN);
    let tokens = ServiceTokens::open(&common.service_identity, SERVICE)?;
    let catalog = neighbour::channel(&config.catalog, &tokens)?;
    let access = Access::remote(DOMAIN, catalog.clone());
    let broker = Broker::new(&common.amqp, SERVICE)?;
    let incoming = Arc::new(Incoming);
    let book = RuleBook::default();
    book.refresh(&db).await?;
    let checker = Checker::new(
        neighbours::Catalog::new(catalog),
        book.clone(),
        config.switches.clone(),
    );

    let mut tasks = Tasks::new();
    tasks.spawn("sweep", due::sweep(db.clone(), book.clone()));
    tasks.spawn_until("wake", |stop| wake::share(db.clone(), stop));
    tasks.spawn_until("retention", |stop| retention::sweep(db.clone(), stop));
    tasks.spawn_until("jobs", |stop| {
        due::run(db.clone(), checker.clone(), config.switches.clone(), stop)
    });
    tasks.spawn_until("consumer", |stop| {
        consume(
            incoming::SUBSCRIPTION,
            db.clone(),
            broker.clone(),
            incoming.clone(),
            stop,
        )
    });
    tasks.spawn_last("relay", |stop| {
        outbox::relay(db.clone(), broker.clone(), stop)
    });

    let grpc = Grpc {
        db: db.clone(),
        access: access.clone(),
        book,
        checker,
    };
    let dead_letters = DeadLetters::new(db.clone(), access.clone(), incoming);
    Server::new(DOMAIN, common)
        .database(db.pool(), &MIGRATIONS)
        .service(limits!(CertificationServiceServer::new(grpc.clone())))
        .service(limits!(ReviewServiceServer::new(grpc)))
        .service(limits!(DeadLetterServiceServer::new(dead_letters)))
        .service(limits!(EventServiceServer::new(Events::new(
            db.clone(),
            broker,
            access
        ))))
        .start(tasks)
        .await
}
