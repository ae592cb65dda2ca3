//! The offer catalogue: publishers and their members, offers as drafts, the snapshots taken of them, and the listings
//! that customers see.
//!
//! | module | what |
//! |---|---|
//! | [`grpc`] | the door that callers come through: publishers, offers, plans, assets, listings |
//! | [`incoming`] | the door that news of the publishing pipeline comes through |
//! | [`due`] | the door that time comes through: orders that need the content of assets, uploads that have expired, content that nothing names |
//! | [`commands`] | one function per write |
//! | [`domain`] | the rules, without any I/O |
//! | [`contents`] | the content of assets by its digest, and how orphans go |
//! | [`files`] | files on their way in: spooled, looked at, stored |
//! | [`pages`] | the pages of an offer: what each holds and when it is complete |
//! | [`store`] | every SQL statement |
//! | [`wire`] | protobuf to domain and back |
//! | [`outgoing`] | what is announced |

pub mod blobs;
pub mod commands;
pub mod config;
pub mod contents;
pub mod domain;
pub mod due;
pub mod error;
pub mod files;
pub mod grpc;
pub mod incoming;
pub mod keys;
pub mod outgoing;
pub mod pages;
pub mod store;
pub mod wire;

/// Proto package of this service, `domain` of its errors.
pub const DOMAIN: &str = "marketplace.offercatalog.v1";

use anyhow::Context;
use marketplace_messaging::{
    Broker, Database, DeadLetters, Events, consume, outbox, retention, wake,
};
use marketplace_proto::messaging::v1::dead_letter_service_server::DeadLetterServiceServer;
use marketplace_proto::messaging::v1::event_service_server::EventServiceServer;
use marketplace_proto::offercatalog::v1::asset_service_server::AssetServiceServer;
use marketplace_proto::offercatalog::v1::listing_service_server::ListingServiceServer;
use marketplace_proto::offercatalog::v1::offer_service_server::OfferServiceServer;
use marketplace_proto::offercatalog::v1::plan_service_server::PlanServiceServer;
use marketplace_proto::offercatalog::v1::publisher_service_server::PublisherServiceServer;
use marketplace_runtime::access::Access;
use marketplace_runtime::server::Server;
use marketplace_runtime::service::Service;
use marketplace_runtime::status::Chain;
use marketplace_runtime::tasks::Tasks;
use marketplace_runtime::{limits, postgres};
use object_store::aws::AmazonS3Builder;
use sqlx::migrate::Migrator;

use blobs::Blobs;
use config::Config;
use contents::Contents;
use incoming::{Incoming, SUBSCRIPTION};

/// Folder, queue and binary name.
pub const NAME: &str = "offer-catalog";

/// All migrations; applied by the subcommand `migrate`, as the owner role.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// What anybody may read without a token; of DownloadAsset, what a listing shows.
const ANONYMOUS: &[&str] = &[
    "/marketplace.offercatalog.v1.ListingService/SearchListings",
    "/marketplace.offercatalog.v1.ListingService/GetListing",
    "/marketplace.offercatalog.v1.ListingService/GetPreviewListing",
    "/marketplace.offercatalog.v1.AssetService/DownloadAsset",
];

/// Starts the service: answers when its port is open.
pub async fn start(config: Config) -> anyhow::Result<Service> {
    let pool = postgres::connect(&config.common.postgres).await?;
    postgres::check_migrations(&pool, &MIGRATIONS).await?;
    let db = Database::new(pool.clone(), NAME, DOMAIN);
    let broker = Broker::new(&config.common.amqp, NAME)?;
    let blobs = match &config.bucket {
        Some(bucket) => {
            Blobs::bucket(bucket, AmazonS3Builder::from_env()).context("BLOB_STORE and AWS_…")?
        }
        None => Blobs::folder(&config.blobs).context("BLOB_FOLDER")?,
    };
    let contents = Contents::new(db.clone(), blobs);
    match contents.check().await {
        // Content can wait, everything else need not: the collection looks again before it deletes anything.
        Err(error::Error::Blobs(away @ blobs::BlobError::Away(_))) => {
            tracing::warn!(error = %Chain(&away), "the storage of assets can't be reached now");
        }
        checked => checked.context("the storage of assets")?,
    }
    let intake = files::Intake::new(contents.clone(), config.blobs.join("spool"))?;
    let access = Access::local(DOMAIN);
    let incoming = std::sync::Arc::new(Incoming {
        keys: config.keys.clone(),
    });

    let mut tasks = Tasks::new();
    tasks.spawn_until("consumer", |stop| {
        consume(
            SUBSCRIPTION,
            db.clone(),
            broker.clone(),
            incoming.clone(),
            stop,
        )
    });
    tasks.spawn_until("orders", |stop| {
        due::carry_out(db.clone(), contents.clone(), stop)
    });
    tasks.spawn_until("blobs", |stop| {
        due::collect(db.clone(), contents.clone(), stop)
    });
    tasks.spawn_until("retention", |stop| retention::sweep(db.clone(), stop));
    tasks.spawn_last("wake", |stop| wake::share(db.clone(), stop));
    tasks.spawn_last("relay", |stop| {
        outbox::relay(db.clone(), broker.clone(), stop)
    });

    let catalog = grpc::Catalog {
        db: db.clone(),
        access: access.clone(),
        contents,
        intake,
        keys: config.keys.clone(),
        links: config.links.clone(),
    };
    let dead_letters = DeadLetters::new(db.clone(), access.clone(), incoming);
    Server::new(DOMAIN, &config.common)
        .database(&pool, &MIGRATIONS)
        .anonymous(ANONYMOUS)
        .service(limits!(PublisherServiceServer::new(grpc::Publishers(
            catalog.clone()
        ))))
        .service(limits!(OfferServiceServer::new(grpc::Offers(
            catalog.clone()
        ))))
        .service(limits!(PlanServiceServer::new(grpc::Plans(
            catalog.clone()
        ))))
        .service(limits!(AssetServiceServer::new(grpc::Assets(
            catalog.clone()
        ))))
        .service(limits!(ListingServiceServer::new(grpc::Listings(catalog))))
        .service(limits!(DeadLetterServiceServer::new(dead_letters)))
        .service(limits!(EventServiceServer::new(Events::new(
            db, broker, access
        ))))
        .start(tasks)
        .await
}
