//! What comes round by itself: expired claims go back to the queue, policies are read anew.

use std::time::Duration;

use marketplace_messaging::{Database, Work};
use marketplace_runtime::{access::Scope, clock};

use super::RuleBook;
use crate::{commands, error::Error, store};

/// How often expired claims are looked for. A claim is over when its time is, swept or not.
const EVERY: Duration = Duration::from_secs(5);
/// Claims of one sweep.
const AT_ONCE: i64 = 100;

/// Sweeps for ever.
pub async fn sweep(db: Database, book: RuleBook) {
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = expire(&db).await {
            tracing::warn!(%error, "expired claims can't be swept");
        }
        if let Err(error) = book.refresh(&db).await {
            tracing::warn!(%error, "policies can't be read");
        }
    }
}

async fn expire(db: &Database) -> Result<(), Error> {
    let now = clock::now();
    let expired = store::expired_claims(&mut *db.acquire().await?, now, AT_ONCE).await?;
    for (case, publisher) in expired {
        let mut work = Work::begin(db).await?;
        commands::expire_claim(&mut work, &Scope::system(publisher), case, now).await?;
        work.commit().await?;
        tracing::info!(case.id = %case, "a claim has expired");
    }
    Ok(())
}
