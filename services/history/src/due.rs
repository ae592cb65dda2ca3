//! The door that time comes through: partitions are made ahead of the months that need them.

use std::time::Duration;

use marketplace_messaging::Database;
use marketplace_runtime::clock;
use marketplace_runtime::status::Chain;

use crate::error::Error;
use crate::store;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(6 * 3_600);
/// After a failure.
const AGAIN: Duration = Duration::from_secs(30);
/// Days ahead that have a partition.
const AHEAD: [i64; 3] = [0, 31, 62];

/// Keeps partitions ahead of time, for ever.
pub async fn run(db: Database) {
    loop {
        let pause = match prepare(&db).await {
            Ok(made) => {
                if made > 0 {
                    tracing::info!(partitions = made, "partitions made ahead");
                }
                LOOK
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "partitions can't be made ahead now; is tried again");
                AGAIN
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn prepare(db: &Database) -> Result<i32, Error> {
    let now = clock::now();
    let times = AHEAD.map(|days| now + time::Duration::days(days));
    store::prepare_months(&mut *db.acquire().await?, &times).await
}
