//! A fresh database for a test: roles and migrations as everywhere else.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, PgPool};
use uuid::Uuid;

/// One at a time makes roles: they belong to the whole server.
const ROLES_LOCK: i64 = 0x006d_6172_6b65_7401;
const SCHEMA: &str = "history";

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
        history::MIGRATIONS.run(&migrator).await.unwrap();
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

    /// A connection as the owner, who may do anything with the schema.
    pub async fn owner(&self) -> PgConnection {
        acting(&self.superuser, "owner").connect().await.unwrap()
    }

    /// Blocks of tables and indexes of the schema that were looked at so far.
    pub async fn blocks(&self) -> i64 {
        let mut db = self.superuser.connect().await.unwrap();
        sqlx::query_scalar(
            "SELECT coalesce(sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0)), 0)::bigint
             FROM pg_statio_user_tables WHERE schemaname = 'history'",
        )
        .fetch_one(&mut db)
        .await
        .unwrap()
    }

    /// The same, once every connection that was closed has told: their numbers arrive a moment later.
    pub async fn settled_blocks(&self) -> i64 {
        let mut last = -1;
        loop {
            let now = self.blocks().await;
            if now == last {
                return now;
            }
            last = now;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
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
