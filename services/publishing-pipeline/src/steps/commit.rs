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
pub(super) async fn commit(
    database: Database,
    steps: Steps,
    mut outcomes: UnboundedReceiver<Outcome>,
    stop: CancellationToken,
) {
    let mut batch = Vec::with_capacity(BATCH);
    // What could not be committed for a reason that may not pass: our lease says that we still have it, so nobody else
    // will do it again.
    let mut kept = Vec::new();
    loop {
        let received = outcomes.recv_many(&mut batch, BATCH);
        let wait = if kept.is_empty() {
            Duration::MAX
        } else {
            AGAIN
        };
        if tokio::time::timeout(wait, received).await == Ok(0) {
            break;
        }
        batch.append(&mut kept);
        if let Err(error) = settle(&database, &steps, &batch, &stop).await {
            tracing::debug!(error = %Chain(&error), outcomes = batch.len(), "a batch of outcomes is done one by one");
            for outcome in &batch {
                let one = std::slice::from_ref(outcome);
                if let Err(error) = settle(&database, &steps, one, &stop).await {
                    tracing::error!(error = %Chain(&error), submission.id = %outcome.submission, "an outcome is not committed; is tried again");
                    kept.push(outcome.clone());
                }
            }
        }
        // Not before: the commit of the step before this one hands this one over, and must find that it was done.
        for outcome in batch.drain(..) {
            if let Some(step) = outcome.step
                && !kept
                    .iter()
                    .any(|kept| kept.submission == outcome.submission)
            {
                steps.ends(outcome.submission, step, outcome.attempt);
            }
        }
    }
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
