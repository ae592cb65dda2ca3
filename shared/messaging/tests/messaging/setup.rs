//! A publishing service and a consuming one over a database and a vhost of their own.

use std::{
    env,
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
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool, postgres::PgPoolOptions};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const CHANGED: &str = "publishing.v1.publication_changed";
const MIGRATION: &str = include_str!("../../../../services/history/migrations/0001_messaging.sql");
const ROLES: &str = include_str!("../../../../deploy/postgres/roles.sql");

pub struct Setup {
    name: String,
    postgres: String,
    pub amqp: String,
    management: String,
    http: reqwest::Client,
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
        let name = format!("messaging_{}", Uuid::new_v4().simple());
        let postgres = env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL");
        let management =
            env::var("TEST_RABBITMQ_MANAGEMENT_URL").expect("TEST_RABBITMQ_MANAGEMENT_URL");
        let amqp = env::var("TEST_AMQP_URL").expect("TEST_AMQP_URL");
        let (server, _) = amqp.rsplit_once('/').expect("an AMQP URL with a vhost");
        let amqp = format!("{server}/{name}");
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let http = reqwest::Client::new();
        let (admin, ()) = tokio::join!(database(&postgres, &name), async {
            let vhost = http
                .put(format!("{management}/api/vhosts/{name}"))
                .send()
                .await
                .unwrap();
            assert!(vhost.status().is_success(), "vhost: {}", vhost.status());
        });
        let publishing = service(
            &admin,
            "publishing",
            "publishing-pipeline",
            "marketplace.publishing.v1",
        );
        let history = service(&admin, "history", "history", "marketplace.history.v1");
        Setup {
            name,
            postgres,
            amqp,
            management,
            http,
            admin,
            publishing,
            history,
        }
    }

    /// Another replica of the publishing service.
    pub fn publishing_replica(&self) -> Database {
        service(
            &self.admin,
            "publishing",
            "publishing-pipeline",
            "marketplace.publishing.v1",
        )
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
        let list = format!("{}/api/vhosts/{}/connections", self.management, self.name);
        let connections: Vec<serde_json::Value> = self
            .http
            .get(list)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        for connection in &connections {
            let mut url = reqwest::Url::parse(&self.management).unwrap();
            let name = connection["name"].as_str().unwrap();
            url.path_segments_mut()
                .unwrap()
                .extend(["api", "connections", name]);
            self.http.delete(url).send().await.unwrap();
        }
        connections.len()
    }

    /// Removes database and vhost.
    pub async fn end(self) {
        for database in [&self.publishing, &self.history] {
            database.pool().close().await;
        }
        self.admin.close().await;
        let mut db = PgConnection::connect(&self.postgres).await.unwrap();
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        db.execute(sqlx::AssertSqlSafe(drop)).await.unwrap();
        self.http
            .delete(format!("{}/api/vhosts/{}", self.management, self.name))
            .send()
            .await
            .unwrap();
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

async fn database(server: &str, name: &str) -> PgPool {
    let mut db = PgConnection::connect(server).await.unwrap();
    db.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .await
        .unwrap();
    let options = server
        .parse::<sqlx::postgres::PgConnectOptions>()
        .unwrap()
        .database(name);
    let admin = PgPoolOptions::new()
        .max_connections(3)
        .connect_with(options)
        .await
        .unwrap();
    // Roles belong to the whole server: tests that make them at the same time would get in each other's way.
    let mut made = false;
    for _ in 0..20 {
        db.execute("SELECT pg_advisory_lock(7001)").await.unwrap();
        made = admin.execute(ROLES).await.is_ok();
        db.execute("SELECT pg_advisory_unlock(7001)").await.unwrap();
        if made {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(made, "roles.sql failed");
    for schema in ["publishing", "history"] {
        let sql = format!(
            "BEGIN; SET LOCAL ROLE {schema}_owner; SET LOCAL search_path = {schema}; {MIGRATION} COMMIT;"
        );
        admin.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    }
    let effects = "CREATE TABLE history.effects (event_id uuid NOT NULL, offer uuid, revision bigint CHECK (revision <> 999),
                       nth bigint GENERATED ALWAYS AS IDENTITY);
                   GRANT SELECT, INSERT ON history.effects TO history_app";
    admin.execute(effects).await.unwrap();
    admin
}

/// As the service's own role, over few connections.
fn service(admin: &PgPool, schema: &str, folder: &'static str, domain: &'static str) -> Database {
    let options = (*admin.connect_options())
        .clone()
        .username(&format!("{schema}_app"))
        .password("");
    let pool = PgPoolOptions::new()
        .max_connections(6)
        .connect_lazy_with(options);
    Database::new(pool, folder, domain)
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
