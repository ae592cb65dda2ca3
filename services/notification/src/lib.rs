//! Notification: tells the right people what happened to their offers and what is to be done, in the Action Center and
//! by mail; keeps their addresses, and who wants to be told.
//!
//! | module | what |
//! |---|---|
//! | [`incoming`] | the door that news comes through: events become notices |
//! | [`due`] | the door that time comes through: notices are told, mails are sent |
//! | [`grpc`] | the door that callers come through: Action Center, preferences, audiences |
//! | [`commands`] | one function per write |
//! | [`domain`] | codes, recipients, words; pure |
//! | [`mail`] | rendering and sending |
//! | [`store`] | every SQL statement |
//! | [`wire`] | protobuf to domain and back |
//! | [`neighbours`] | what the catalog and certification are asked |
//!
//! It announces nothing: there is no `outgoing`.

pub mod commands;
pub mod config;
pub mod domain;
pub mod due;
pub mod error;
pub mod grpc;
pub mod incoming;
pub mod mail;
pub mod neighbours;
pub mod store;
pub mod wire;

use std::sync::Arc;

use marketplace_messaging::{
    Broker, Database, DeadLetters, Events, consume, outbox, retention, wake,
};
use marketplace_proto::messaging::v1::dead_letter_service_server::DeadLetterServiceServer;
use marketplace_proto::messaging::v1::event_service_server::EventServiceServer;
use marketplace_proto::notification::v1::action_center_service_server::ActionCenterServiceServer;
use marketplace_proto::notification::v1::audience_service_server::AudienceServiceServer;
use marketplace_proto::notification::v1::preference_service_server::PreferenceServiceServer;
use marketplace_runtime::access::Access;
use marketplace_runtime::identity::ServiceTokens;
use marketplace_runtime::server::Server;
use marketplace_runtime::service::Service;
use marketplace_runtime::tasks::Tasks;
use marketplace_runtime::{limits, neighbour, postgres};
use sqlx::migrate::Migrator;

use config::{Config, MailConfig};
use due::{Sender, Teller};
use grpc::Grpc;
use incoming::Incoming;
use mail::{Letterhead, Post};
use neighbours::Neighbours;

/// Proto package of this service, `domain` of its errors.
pub const DOMAIN: &str = "marketplace.notification.v1";
/// Folder name of this service; what it is called by its neighbours.
pub const SERVICE: &str = "notification";
/// Applied by `notification migrate`, checked by `start`.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// Starts the service; answers when its port is open.
pub async fn start(config: Config) -> anyhow::Result<Service> {
    let common = &config.common;
    let post = match &config.mail {
        MailConfig::Smtp(url) => Post::smtp(url)?,
        MailConfig::Folder(folder) => Post::folder(folder)?,
    };
    let pool = postgres::connect(&common.postgres).await?;
    postgres::check_migrations(&pool, &MIGRATIONS).await?;
    let db = Database::new(pool.clone(), SERVICE, DOMAIN);
    let tokens = ServiceTokens::open(&common.service_identity, SERVICE)?;
    let catalog = neighbour::channel(&config.catalog, &tokens)?;
    let neighbours = Neighbours::new(
        catalog.clone(),
        neighbour::channel(&config.certification, &tokens)?,
    );
    let access = Access::remote(DOMAIN, catalog);
    let broker = Broker::new(&common.amqp, SERVICE)?;
    let head = Letterhead {
        from: config.mail_from.clone(),
        footer: config.portal.footer(),
    };
    let tasks = tasks(&config, &db, &broker, &neighbours, &head, post);

    let dead_letters = DeadLetters::new(db.clone(), access.clone(), Arc::new(Incoming));
    let events = Events::new(db.clone(), broker, access.clone());
    let grpc = Grpc {
        db,
        access,
        neighbours,
        head,
        portal: config.portal.clone(),
    };
    Server::new(DOMAIN, common)
        .database(&pool, &MIGRATIONS)
        .service(limits!(ActionCenterServiceServer::new(grpc.clone())))
        .service(limits!(PreferenceServiceServer::new(grpc.clone())))
        .service(limits!(AudienceServiceServer::new(grpc)))
        .service(limits!(DeadLetterServiceServer::new(dead_letters)))
        .service(limits!(EventServiceServer::new(events)))
        .start(tasks)
        .await
}

/// Everything that runs beside the calls.
fn tasks(
    config: &Config,
    db: &Database,
    broker: &Broker,
    ask: &Neighbours,
    head: &Letterhead,
    post: Post,
) -> Tasks {
    let (head, portal) = (head.clone(), config.portal.clone());
    let sender = Sender {
        db: db.with_own_pool(2),
        post,
        from: head.from.email.clone(),
    };
    let teller = Teller {
        db: db.with_own_pool(2),
        neighbours: ask.clone(),
        head,
        portal,
    };
    let mut tasks = Tasks::new();
    tasks.spawn("sweep", due::sweep(db.clone(), config.reminder_after));
    tasks.spawn_until("retention", |stop| retention::sweep(db.clone(), stop));
    tasks.spawn_until("wake", |stop| wake::share(db.clone(), stop));
    tasks.spawn_until("teller", |stop| teller.run(stop));
    tasks.spawn_until("sender", |stop| sender.run(stop));
    tasks.spawn_until("consumer", |stop| {
        consume(
            incoming::SUBSCRIPTION,
            db.clone(),
            broker.clone(),
            Arc::new(Incoming),
            stop,
        )
    });
    tasks.spawn_last("relay", |stop| {
        outbox::relay(db.clone(), broker.clone(), stop)
    });
    tasks
}
