//! A fresh database for a test: roles and migrations as everywhere else.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, PgPool};
use uuid::Uuid;

/// One at a time makes roles: they belong to the whole server.
const ROLES_LOCK: i64 = 0x006d_6172_6b65_7401;
const SCHEMA: &str = "certification";

pub struct Fresh {
    superuser: PgConnectOptions,
    name: String,
    /// As the app role.
    pub pool: PgPool,
}

impl Fresh {
    /// Made, with every migration applied.
    pub async fn new() -> Fresh {
        marketplace_runtime::crypto::install();
        #[expect(clippy::disallowed_methods, reason = "a test has no config.rs")]
        let url = std::env::var("TEST_POSTGRES_URL")
            .expect("TEST_POSTGRES_URL: a superuser of a server for tests");
        let server = PgConnectOptions::from_str(&url).unwrap();
        let name = format!("test_{SCHEMA}_{}", Uuid::now_v7().simple());
        let mut admin = server.connect().await.unwrap();
        admin
            .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .await
            .unwrap();
        let superuser = server.clone().database(&name);
        admin
            .execute(AssertSqlSafe(format!(
                "SELECT pg_advisory_lock({ROLES_LOCK})"
            )))
            .await
            .unwrap();
        let roles = include_str!("../../../../deploy/postgres/roles.sql");
        superuser
            .connect()
            .await
            .unwrap()
            .execute(sqlx::raw_sql(roles))
            .await
            .unwrap();
        admin.close().await.unwrap();
        let migrator = PgPoolOptions::new()
            .connect_with(acting(&superuser, "owner"))
            .await
            .unwrap();
        certification::MIGRATIONS.run(&migrator).await.unwrap();
        migrator.close().await;
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .connect_lazy_with(acting(&superuser, "app"));
        Fresh {
            superuser,
            name,
            pool,
        }
    }

    /// A connection as the app role.
    pub async fn app(&self) -> PgConnection {
        acting(&self.superuser, "app").connect().await.unwrap()
    }

    /// Gone.
    pub async fn drop(self) {
        self.pool.close().await;
        let mut admin = self
            .superuser
            .clone()
            .database("postgres")
            .connect()
            .await
            .unwrap();
        admin
            .execute(AssertSqlSafe(format!(
                "DROP DATABASE {} WITH (FORCE)",
                self.name
            )))
            .await
            .unwrap();
    }
}

/// Connections of the superuser that have no more than the role's rights.
fn acting(superuser: &PgConnectOptions, role: &str) -> PgConnectOptions {
    let role = format!("{SCHEMA}_{role}");
    superuser.clone().options([
        ("role", role.as_str()),
        ("search_path", SCHEMA),
        ("plan_cache_mode", "force_custom_plan"),
    ])
}
