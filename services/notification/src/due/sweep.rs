//! Once an hour: reminds of previews that wait for their sign-off (A39), and deletes what is past its age.

use std::time::Duration;

use marketplace_messaging::Database;
use marketplace_runtime::status::Chain;
use marketplace_runtime::{clock, ids};

use crate::commands::NOTICES;
use crate::error::Error;
use crate::store;

const HOUR: Duration = Duration::from_secs(3_600);
/// Reminders in one statement.
const BATCH: usize = 100;

/// Sweeps, for ever.
pub async fn run(db: Database, reminder_after: Duration) {
    loop {
        if let Err(error) = once(&db, reminder_after).await {
            tracing::warn!(error = %Chain(&error), "the sweep failed; is tried again in an hour");
        }
        tokio::time::sleep(HOUR).await;
    }
}

async fn once(db: &Database, reminder_after: Duration) -> Result<(), Error> {
    let now = clock::now();
    let mut connection = db.acquire().await?;
    let fresh: Vec<_> = (0..BATCH).map(|_| ids::new_id()).collect();
    if store::remind(&mut connection, now - reminder_after, now, &fresh).await? > 0 {
        db.wake().notify(NOTICES);
    }
    while store::sweep(&mut connection, now).await? > 0 {}
    Ok(())
}
