//! The history: the append-only record of what happened to every offer, its filters, and the proof that nobody changed
//! it.
//!
//! | module | what |
//! |---|---|
//! | [`incoming`] | the door that news comes through: events of the catalog and of publishing |
//! | [`grpc`] | the door that callers come through: list, facets, watch, verify, export |
//! | [`due`] | the door that time comes through: partitions ahead of their months |
//! | [`commands`] | the one write: what was told is appended |
//! | [`domain`] | labels, filters, initiators, hash chain; pure |
//! | [`store`] | every SQL statement |
//! | [`wire`] | protobuf to domain and back |
//! | [`neighbours`] | what the catalog is asked: names of members, facts of offer types |
//!
//! It announces nothing: there is no `outgoing`.

pub mod commands;
pub mod config;
pub mod domain;
pub mod due;
pub mod error;
pub mod grpc;
pub mod incoming;
pub mod neighbours;
pub mod store;
pub mod wire;

use std::sync::Arc;

use marketplace_messaging::{
    Broker, Database, DeadLetters, Events, consume, outbox, retention, wake,
};
use marketplace_proto::history::v1::history_service_server::HistoryServiceServer;
use marketplace_proto::messaging::v1::dead_letter_service_server::DeadLetterServiceServer;
use marketplace_proto::messaging::v1::event_service_server::EventServiceServer;
use marketplace_runtime::access::Access;
use marketplace_runtime::identity::ServiceTokens;
use marketplace_runtime::server::Server;
use marketplace_runtime::service::Service;
use marketplace_runtime::tasks::Tasks;
use marketplace_runtime::{limits, neighbour, postgres};
use sqlx::migrate::Migrator;

use config::Config;
use grpc::Grpc;
use incoming::Incoming;
use neighbours::Catalog;

/// Proto package of this service, `domain` of its errors.
pub const DOMAIN: &str = "marketplace.history.v1";
/// Folder name of this service; what it is called by its neighbours.
pub const SERVICE: &str = "history";
/// Applied by `history migrate`, checked by `start`.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// Starts the service; answers when its port is open.
pub async fn start(config: Config) -> anyhow::Result<Service> {
    let common = &config.common;
    let pool = postgres::connect(&common.postgres).await?;
    postgres::check_migrations(&pool, &MIGRATIONS).await?;
    let db = Database::new(pool.clone(), SERVICE, DOMAIN);
    let tokens = ServiceTokens::open(&common.service_identity, SERVICE)?;
    let catalog = neighbour::channel(&config.catalog, &tokens)?;
    let access = Access::remote(DOMAIN, catalog.clone());
    let broker = Broker::new(&common.amqp, SERVICE)?;
    let incoming = Arc::new(Incoming::default());

    let mut tasks = Tasks::new();
    tasks.spawn("partitions", due::run(db.clone()));
    tasks.spawn_until("retention", |stop| retention::sweep(db.clone(), stop));
    tasks.spawn_until("wake", |stop| wake::share(db.clone(), stop));
    tasks.spawn_until("consumer", |stop| {
        consume(
            incoming::SUBSCRIPTION,
            db.clone(),
            broker.clone(),
            Arc::clone(&incoming),
            stop,
        )
    });
    tasks.spawn_last("relay", |stop| {
        outbox::relay(db.clone(), broker.clone(), stop)
    });

    let dead_letters = DeadLetters::new(db.clone(), access.clone(), incoming);
    let events = Events::new(db.clone(), broker, access.clone());
    let stopping = tasks.stopping();
    let grpc = Grpc {
        db,
        access,
        catalog: Catalog::new(catalog),
        brand: config.brand.clone(),
        stopping,
    };
    Server::new(DOMAIN, common)
        .database(&pool, &MIGRATIONS)
        .service(limits!(HistoryServiceServer::new(grpc)))
        .service(limits!(DeadLetterServiceServer::new(dead_letters)))
        .service(limits!(EventServiceServer::new(events)))
        .start(tasks)
        .await
}
