//! The committer: outcomes of steps, as many as there are, in one transaction.

use std::time::Duration;

use marketplace_messaging::{Database, Work};
use marketplace_runtime::clock;
use marketplace_runtime::status::Chain;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use super::{Outcome, Steps};
use crate::commands;
use crate::error::Error;

/// The most outcomes in one transaction.
const BATCH: usize = 64;
const PAUSE: Duration = Duration::from_millis(200);
const AGAIN: Duration = Duration::from_secs(1);

/// Commits outcomes until their channel closes. While the database is away they are kept; told to stop meanwhile, they
/// are given up, and another process does the steps again.
pub async fn commit(
    database: Database,
    steps: Steps,
    mut outcomes: UnboundedReceiver<Outcome>,
    stop: CancellationToken,
) {
    // Begins with what could not be committed for a reason that may not pass: our lease says that we still have it, so
    // nobody else will do it again.
    let mut batch: Vec<Outcome> = Vec::with_capacity(BATCH);
    loop {
        let wait = if batch.is_empty() {
            Duration::MAX
        } else {
            AGAIN
        };
        let received = outcomes.recv_many(&mut batch, BATCH);
        if tokio::time::timeout(wait, received).await == Ok(0) {
            break;
        }
        batch = match settle(&database, &steps, &batch, &stop).await {
            Ok(()) => Vec::new(),
            Err(error) => {
                tracing::debug!(error = %Chain(&error), outcomes = batch.len(), "a batch of outcomes is done one by one");
                one_by_one(&database, &steps, &batch, &stop).await
            }
        };
    }
}

/// Answers what is to be tried again, in order.
async fn one_by_one(
    database: &Database,
    steps: &Steps,
    batch: &[Outcome],
    stop: &CancellationToken,
) -> Vec<Outcome> {
    let mut kept: Vec<Outcome> = Vec::new();
    for outcome in batch {
        // What follows a step that is not committed would be discarded as too early.
        if waits(&kept, outcome) {
            kept.push(outcome.clone());
            continue;
        }
        let one = std::slice::from_ref(outcome);
        if let Err(error) = settle(database, steps, one, stop).await {
            tracing::error!(error = %Chain(&error), submission.id = %outcome.submission, "an outcome is not committed; is tried again");
            kept.push(outcome.clone());
        }
    }
    kept
}

fn waits(kept: &[Outcome], outcome: &Outcome) -> bool {
    kept.iter()
        .any(|kept| kept.submission == outcome.submission)
}

/// Tries again while the database is away.
async fn settle(
    database: &Database,
    steps: &Steps,
    batch: &[Outcome],
    stop: &CancellationToken,
) -> Result<(), Error> {
    loop {
        match once(database, steps, batch).await {
            Err(error) if error.passes() && !stop.is_cancelled() => tokio::time::sleep(PAUSE).await,
            settled => return settled,
        }
    }
}

async fn once(database: &Database, steps: &Steps, batch: &[Outcome]) -> Result<(), Error> {
    let mut work = Work::begin(database).await?;
    commands::outcomes(&mut work, steps, batch, clock::now()).await?;
    Ok(work.commit().await?)
}
