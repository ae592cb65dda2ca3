//! A fresh database for a test: roles and migrations as everywhere else.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use system_tests::TestDatabase;

pub struct Fresh {
    database: TestDatabase,
    /// As the app role.
    pub pool: PgPool,
}

impl Fresh {
    /// Made, with every migration applied.
    pub async fn new() -> Fresh {
        let database = TestDatabase::migrated("history", &history::MIGRATIONS)
            .await
            .unwrap();
        let pool = database.pool("history_app", 8).unwrap();
        Fresh { database, pool }
    }

    /// A connection as the app role.
    pub async fn app(&self) -> PgConnection {
        self.database.connect("history_app").await.unwrap()
    }

    /// A connection as the owner, who may do anything with the schema.
    pub async fn owner(&self) -> PgConnection {
        self.database.connect("history_owner").await.unwrap()
    }

    /// Blocks of tables and indexes of the schema that were looked at so far.
    pub async fn blocks(&self) -> i64 {
        let mut db = self.database.superuser().await.unwrap();
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
        self.database.drop_it().await.unwrap();
    }
}
