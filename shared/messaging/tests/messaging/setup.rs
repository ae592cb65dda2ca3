//! A publishing service and a consuming one over a database and a vhost of their own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use marketplace_messaging::{
    Broker, Database, Failure, Message, Outgoing, Receive, Work, consume, outbox, system, topology,
};
use marketplace_proto::publishing::v1::{
    PublicationChanged, PublishingEvent, publishing_event::Event,
};
use marketplace_runtime::{clock, identity::Caller};
use sqlx::{Executor as _, PgPool};
use system_tests::{Addresses, Servers, TestDatabase};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const CHANGED: &str = "publishing.v1.publication_changed";
const MIGRATION: &str = include_str!("../../../../services/history/migrations/0001_messaging.sql");

pub struct Setup {
    servers: Servers,
    pub amqp: String,
    pub admin: PgPool,
    /// The publishing side.
    pub publishing: Database,
    /// The consuming side.
    pub history: Database,
}

impl Setup {
    pub async fn new() -> Setup {
        let log = tracing_subscriber::fmt()
            .with_test_writer()
            .with_env_filter("marketplace_messaging=debug,lapin=warn");
        log.try_init().ok();
        marketplace_runtime::crypto::install();
        let database = TestDatabase::empty("messaging").await.unwrap();
        let given = Addresses::given().unwrap();
        let servers = Servers::with(database, &given).await.unwrap();
        let admin = tables(&servers.database).await;
        Setup {
            amqp: servers.amqp.clone(),
            admin,
            publishing: publishing(&servers.database),
            history: history(&servers.database),
            servers,
        }
    }

    /// Another replica of the publishing service.
    pub fn publishing_replica(&self) -> Database {
        publishing(&self.servers.database)
    }

    pub fn broker(&self) -> Broker {
        Broker::new(&self.amqp, "test").unwrap()
    }

    /// Starts a relay; aborting the handle is a crash.
    pub fn relay(&self, database: &Database) -> Running {
        let stop = CancellationToken::new();
        Running(
            stop.clone(),
            tokio::spawn(outbox::relay(database.clone(), self.broker(), stop)),
        )
    }

    pub fn consume<R: Receive>(&self, receiver: &Arc<R>) -> Running {
        let stop = CancellationToken::new();
        let consumer = consume(
            topology::HISTORY,
            self.history.clone(),
            self.broker(),
            Arc::clone(receiver),
            stop.clone(),
        );
        Running(stop, tokio::spawn(async { consumer.await.unwrap() }))
    }

    /// A channel for what no service would do.
    pub async fn channel(&self) -> (lapin::Connection, lapin::Channel) {
        let connection = lapin::Connection::connect(&self.amqp, Default::default())
            .await
            .unwrap();
        let channel = connection.create_channel().await.unwrap();
        (connection, channel)
    }

    /// Tells events in one transaction of the publishing side.
    pub async fn tell(&self, events: impl IntoIterator<Item = Outgoing>) {
        let mut work = Work::begin(&self.publishing).await.unwrap();
        for event in events {
            work.tell(event);
        }
        work.commit().await.unwrap();
    }

    /// A number from the database.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(&self.admin)
            .await
            .unwrap()
    }

    /// Waits until a count is what it should be.
    pub async fn until(&self, sql: &'static str, wanted: i64) {
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            let found = self.count(sql).await;
            if found == wanted {
                return;
            }
            assert!(Instant::now() < deadline, "{sql}: {found}, not {wanted}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Cuts every connection of this vhost; answers how many there were.
    pub async fn cut_connections(&self) -> usize {
        self.servers.cut_broker_connections().await.unwrap()
    }

    /// Removes database and vhost.
    pub async fn end(self) {
        for database in [&self.publishing, &self.history] {
            database.pool().close().await;
        }
        self.admin.close().await;
        self.servers.drop_all().await.unwrap();
    }
}

/// A task of a service.
pub struct Running(CancellationToken, JoinHandle<()>);

impl Running {
    /// As by SIGKILL.
    pub async fn crash(self) {
        self.1.abort();
        self.1.await.ok();
    }

    pub async fn stop(self) {
        self.0.cancel();
        tokio::time::timeout(Duration::from_secs(10), self.1)
            .await
            .expect("stops in time")
            .unwrap();
    }
}

/// The tables of messaging in two schemas, and one for effects; as a superuser, over few connections.
async fn tables(database: &TestDatabase) -> PgPool {
    let mut db = database.superuser().await.unwrap();
    for schema in ["publishing", "history"] {
        let sql = format!(
            "BEGIN; SET LOCAL ROLE {schema}_owner; SET LOCAL search_path = {schema}; {MIGRATION} COMMIT;"
        );
        db.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    }
    let effects = "CREATE TABLE history.effects (event_id uuid NOT NULL, offer uuid, revision bigint CHECK (revision <> 999),
                       nth bigint GENERATED ALWAYS AS IDENTITY);
                   GRANT SELECT, INSERT ON history.effects TO history_app";
    db.execute(effects).await.unwrap();
    database.superusers(3).unwrap()
}

/// As the service's own role, over few connections.
fn publishing(database: &TestDatabase) -> Database {
    let pool = database.pool("publishing_app", 6).unwrap();
    Database::new(pool, "publishing-pipeline", "marketplace.publishing.v1")
}

fn history(database: &TestDatabase) -> Database {
    let pool = database.pool("history_app", 6).unwrap();
    Database::new(pool, "history", "marketplace.history.v1")
}

/// An event about an offer.
pub fn changed(offer: Uuid) -> Outgoing {
    event(CHANGED, offer)
}

pub fn event(key: &'static str, offer: Uuid) -> Outgoing {
    let body = PublishingEvent {
        header: None,
        event: Some(Event::PublicationChanged(PublicationChanged::default())),
    };
    Outgoing::new(key, system(), "publishers/contoso", clock::now(), &body).about(
        format!("publishers/contoso/offers/{}", offer.simple()),
        offer,
    )
}

pub fn caller(subject: &str) -> Caller {
    Caller::new(
        "https://issuer.test",
        subject,
        clock::now() + time::Duration::hours(1),
    )
}

/// Writes a row per message; two rows for one event would be a doubled effect.
pub struct Effects;

impl Effects {
    pub async fn write(work: &mut Work, message: &Message) -> Result<(), Failure> {
        sqlx::query("INSERT INTO effects (event_id, offer, revision) VALUES ($1, $2, $3)")
            .bind(message.event_id)
            .bind(message.offer_uid())
            .bind(message.header.revision.cast_signed())
            .execute(&mut **work)
            .await?;
        Ok(())
    }
}

impl Receive for Effects {
    async fn receive(&self, work: &mut Work, message: &Message) -> Result<(), Failure> {
        match message.decode::<PublishingEvent>()?.event {
            Some(Event::PublicationChanged(_)) => Effects::write(work, message).await,
            None => Err(Failure::unknown_event()),
        }
    }
}

pub const EFFECTS: &str = "SELECT count(*) FROM history.effects";
pub const DOUBLED: &str = "SELECT count(*) - count(DISTINCT event_id) FROM history.effects";
/// Pairs of one offer that were applied against the order of their revisions.
pub const DISORDERED: &str =
    "SELECT count(*) FROM history.effects a JOIN history.effects b USING (offer)
                              WHERE a.nth < b.nth AND a.revision > b.revision";
pub const WAITING: &str = "SELECT count(*) FROM publishing.outbox";
pub const DEAD: &str = "SELECT count(*) FROM history.dead_letters WHERE state = 'waiting'";
