//! A fresh database for a test: roles and migrations as everywhere else.

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
        let database = TestDatabase::migrated("certification", &certification::MIGRATIONS)
            .await
            .unwrap();
        let pool = database.pool("certification_app", 8).unwrap();
        Fresh { database, pool }
    }

    /// A connection as the app role.
    pub async fn app(&self) -> PgConnection {
        self.database.connect("certification_app").await.unwrap()
    }

    /// Gone.
    pub async fn drop(self) {
        self.pool.close().await;
        self.database.drop_it().await.unwrap();
    }
}
