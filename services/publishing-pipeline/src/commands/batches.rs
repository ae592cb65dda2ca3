//! A batch is written whole; its items are published later, by the path of every publish.

use marketplace_messaging::Work;
use time::OffsetDateTime;

use crate::domain::{Batch, NewBatch, Quota, Quotas};
use crate::error::Error;
use crate::store;

/// Topic that wakes who publishes items.
pub const BATCHES: &str = "batches";

/// Writes a batch, unless as many of its publisher run as may.
pub async fn create_batch(
    work: &mut Work,
    quotas: &Quotas,
    batch: NewBatch,
    at: OffsetDateTime,
) -> Result<Batch, Error> {
    let running = store::lock_batches(work, &batch.publisher).await?;
    quotas.admit(Quota::BatchesRunning, running, &batch.publisher, at)?;
    store::insert_batch(work, &batch, at).await?;
    work.wake(BATCHES);
    Ok(Batch {
        id: batch.id,
        pending: i64::try_from(batch.orders.len()).unwrap_or(i64::MAX),
        publisher: batch.publisher,
        made_by: batch.made_by,
        create_time: at,
        end_time: None,
        submitted: 0,
        refused: 0,
    })
}
