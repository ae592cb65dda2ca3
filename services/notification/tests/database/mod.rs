//! A fresh database for a test: roles and migrations as everywhere else.

use marketplace_messaging::{Database, Work};
use notification::{DOMAIN, MIGRATIONS, SERVICE};
use system_tests::TestDatabase;

pub struct Fresh {
    database: TestDatabase,
    /// As the app role.
    pub db: Database,
}

impl Fresh {
    /// Made, with every migration applied.
    pub async fn new() -> Fresh {
        let database = TestDatabase::migrated("notification", &MIGRATIONS)
            .await
            .unwrap();
        let pool = database.pool("notification_app", 8).unwrap();
        Fresh {
            database,
            db: Database::new(pool, SERVICE, DOMAIN),
        }
    }

    /// A transaction as the app role.
    pub async fn work(&self) -> Work {
        Work::begin(&self.db).await.unwrap()
    }

    /// Gone.
    pub async fn drop(self) {
        self.db.pool().close().await;
        self.database.drop_it().await.unwrap();
    }
}
