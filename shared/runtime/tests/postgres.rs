//! Against a real Postgres (`TEST_POSTGRES_URL`): migrations as the owner, the check at start, deadlines in statements,
//! and health that follows the database.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::borrow::Cow;
use std::time::Duration;

use marketplace_runtime::config::{Common, Env, PostgresConfig};
use marketplace_runtime::postgres::{self, Fault, MigrationsError};
use marketplace_runtime::server::Server;
use marketplace_runtime::tasks::Tasks;
use marketplace_runtime::{deadline, ids, status};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlStr};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// A database of its own, dropped at the end.
struct Database {
    admin: String,
    name: String,
    url: String,
}

impl Database {
    async fn new() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests are told by it where Postgres is"
        )]
        let admin = std::env::var("TEST_POSTGRES_URL")
            .expect("TEST_POSTGRES_URL is the superuser URL of a Postgres server");
        let name = format!("runtime_{}", ids::new_id().simple());
        let mut url: url::Url = admin.parse().unwrap();
        url.set_path(&name);
        let database = Self {
            admin,
            name,
            url: url.into(),
        };
        database
            .admin(&format!("CREATE DATABASE {}", database.name))
            .await;
        database
    }

    async fn admin(&self, sql: &str) {
        let mut admin = PgConnection::connect(&self.admin).await.unwrap();
        admin.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    }

    async fn drop(self) {
        self.admin(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
            .await;
    }

    fn config(&self) -> PostgresConfig {
        PostgresConfig {
            url: self.url.clone(),
            max_connections: 2,
        }
    }
}

/// The migrations of a binary of some age; they live as long as the process, as a binary's do.
fn migrations(texts: &'static [&'static str]) -> &'static Migrator {
    let one = |(i, text): (usize, &&'static str)| {
        let (version, kind) = (i64::try_from(i).unwrap() + 1, MigrationType::Simple);
        Migration::new(
            version,
            Cow::Borrowed("step"),
            kind,
            SqlStr::from_static(text),
            false,
        )
    };
    let all: Vec<Migration> = texts.iter().enumerate().map(one).collect();
    Box::leak(Box::new(Migrator {
        migrations: Cow::Owned(all),
        table_name: "_migrations".into(),
        ..Migrator::DEFAULT
    }))
}

const OLD: &[&str] = &["CREATE TABLE a (id int)"];
const NEW: &[&str] = &["CREATE TABLE a (id int)", "CREATE TABLE b (id int)"];
const EDITED: &[&str] = &["CREATE TABLE a (id bigint)"];

#[tokio::test]
async fn a_start_wants_every_migration_it_knows_and_minds_no_newer_ones() {
    let database = Database::new().await;
    let db = postgres::connect(&database.config()).await.unwrap();
    let refused = postgres::check_migrations(&db, migrations(OLD))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, MigrationsError::Unmigrated(_)),
        "{refused:?}"
    );
    postgres::migrate(&database.url, migrations(OLD))
        .await
        .unwrap();
    postgres::check_migrations(&db, migrations(OLD))
        .await
        .unwrap();
    let refused = postgres::check_migrations(&db, migrations(NEW))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, MigrationsError::Missing { version: 2, .. }),
        "{refused:?}"
    );
    postgres::migrate(&database.url, migrations(NEW))
        .await
        .unwrap();
    // The binary before this one still starts, and its migrate job changes nothing.
    postgres::check_migrations(&db, migrations(OLD))
        .await
        .unwrap();
    postgres::migrate(&database.url, migrations(OLD))
        .await
        .unwrap();
    postgres::check_migrations(&db, migrations(NEW))
        .await
        .unwrap();
    let refused = postgres::check_migrations(&db, migrations(EDITED))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, MigrationsError::Changed { version: 1, .. }),
        "{refused:?}"
    );
    db.close().await;
    database.drop().await;
}

#[tokio::test]
async fn what_is_left_of_a_call_is_its_statement_timeout() {
    let database = Database::new().await;
    let db = postgres::connect(&database.config()).await.unwrap();
    let shown = async {
        let mut tx = postgres::begin(&db).await.unwrap();
        sqlx::query_scalar::<_, String>("SHOW statement_timeout")
            .fetch_one(&mut *tx)
            .await
            .unwrap()
    };
    assert_eq!(shown.await, "0");
    let at = tokio::time::Instant::now() + Duration::from_millis(300);
    let error = deadline::within(at, async {
        let mut tx = postgres::begin(&db).await.unwrap();
        tx.execute("SELECT pg_sleep(5)").await.unwrap_err()
    });
    assert_eq!(postgres::fault(&error.await), Fault::Cut);
    // Also of what only reads, which takes a transaction for it, and can't write.
    let error = deadline::within(at + Duration::from_millis(300), async {
        let mut db = postgres::read(&db).await.unwrap();
        db.execute("SELECT pg_sleep(5)").await.unwrap_err()
    });
    assert_eq!(postgres::fault(&error.await), Fault::Cut);
    let far = deadline::within(at + Duration::from_secs(60), postgres::read(&db)).await;
    assert!(matches!(far, Ok(postgres::Reader::Plain(_))), "{far:?}");
    drop(far);
    // It ends with its transaction.
    let after = sqlx::query_scalar::<_, String>("SHOW statement_timeout")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(after, "0");
    db.close().await;
    database.drop().await;
}

/// A restart of the database ends every connection of a pool; none of them may fail a call once it is back.
#[tokio::test]
async fn connections_that_were_lost_are_replaced_before_they_are_used() {
    let database = Database::new().await;
    let db = postgres::connect(&database.config()).await.unwrap();
    let pid = "SELECT pg_backend_pid()";
    let (mut one, mut two) = (db.acquire().await.unwrap(), db.acquire().await.unwrap());
    let before: [i32; 2] = [
        sqlx::query_scalar(pid).fetch_one(&mut *one).await.unwrap(),
        sqlx::query_scalar(pid).fetch_one(&mut *two).await.unwrap(),
    ];
    drop((one, two));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let kill = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
        database.name
    );
    database.admin(&kill).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    for _ in 0..2 {
        let after: i32 = sqlx::query_scalar(pid).fetch_one(&db).await.unwrap();
        assert!(!before.contains(&after));
    }
    db.begin().await.unwrap().commit().await.unwrap();
    db.close().await;
    database.drop().await;
}

#[tokio::test]
async fn a_value_that_cannot_be_stored_is_its_senders_mistake() {
    let database = Database::new().await;
    let db = postgres::connect(&database.config()).await.unwrap();
    let nul = sqlx::query_scalar::<_, String>("SELECT $1::text")
        .bind("a\0b")
        .fetch_one(&db);
    let early = time::macros::datetime!(-9999-01-01 00:00 UTC);
    let early = sqlx::query_scalar::<_, String>("SELECT $1::timestamptz::text")
        .bind(early)
        .fetch_one(&db);
    for error in [nul.await.unwrap_err(), early.await.unwrap_err()] {
        assert_eq!(postgres::fault(&error), Fault::Value, "{error:?}");
        let status = status::database("marketplace.test.v1", &error);
        assert_eq!(
            (status.code(), status::reason(&status).as_str()),
            (tonic::Code::InvalidArgument, "BAD_VALUE")
        );
    }
    db.close().await;
    database.drop().await;
}

#[tokio::test]
async fn health_follows_the_database() {
    let database = Database::new().await;
    postgres::migrate(&database.url, migrations(OLD))
        .await
        .unwrap();
    let folder = std::env::temp_dir().join(format!("runtime-health-{}", ids::new_id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("jwks.json"), r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#).unwrap();
    let issuers = folder.join("issuers.json");
    std::fs::write(
        &issuers,
        r#"[{"issuer": "https://i", "audience": "a", "jwks_file": "jwks.json"}]"#,
    )
    .unwrap();
    let pairs = [
        ("LISTEN", "127.0.0.1:0"),
        ("DATABASE_URL", &database.url),
        ("AMQP_URL", "amqp://nobody"),
        ("AUTH_ISSUERS_FILE", issuers.to_str().unwrap()),
    ];
    let common = Env::from_pairs(pairs)
        .read(|env| Common::read(env, 1))
        .unwrap();
    let db = postgres::connect(&common.postgres).await.unwrap();
    let server = Server::new("marketplace.test.v1", &common).database(&db, migrations(OLD));
    let service = server.start(Tasks::new()).await.unwrap();
    let channel =
        tonic::transport::Channel::from_shared(format!("http://{}", service.address())).unwrap();
    let mut health = HealthClient::new(channel.connect().await.unwrap());
    let mut state = async || {
        let request = HealthCheckRequest {
            service: String::new(),
        };
        health.check(request).await.unwrap().into_inner().status
    };
    // At once: start waits for the first look.
    assert_eq!(state().await, ServingStatus::Serving as i32);
    let mut until = async |wanted: ServingStatus| {
        let begun = std::time::Instant::now();
        while state().await != wanted as i32 {
            assert!(begun.elapsed() < Duration::from_secs(5), "never {wanted:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    database
        .admin(&format!(
            "ALTER DATABASE {} ALLOW_CONNECTIONS false",
            database.name
        ))
        .await;
    let kill = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
        database.name
    );
    database.admin(&kill).await;
    until(ServingStatus::NotServing).await;
    database
        .admin(&format!(
            "ALTER DATABASE {} ALLOW_CONNECTIONS true",
            database.name
        ))
        .await;
    until(ServingStatus::Serving).await;
    service.stop().await.unwrap();
    database.drop().await;
    std::fs::remove_dir_all(folder).unwrap();
}
