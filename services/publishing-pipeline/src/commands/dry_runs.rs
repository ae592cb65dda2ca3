//! Dry runs: made, canceled, and written as they are found out. Nothing is told: nothing of the offer has changed.

use marketplace_messaging::Work;
use marketplace_runtime::access::Scope;
use marketplace_runtime::ids::DryRunName;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{DryRun, Quota, Quotas};
use crate::error::Error;
use crate::store;

/// Topic that wakes who takes dry runs.
pub const DRY_RUNS: &str = "dry-runs";

/// Topic that wakes the watchers of a dry run, and who is at it.
pub fn dry_run_watched(id: Uuid) -> String {
    format!("dry-run:{id}")
}

/// Writes one, unless as many of its publisher run or wait as may.
pub async fn create_dry_run(
    work: &mut Work,
    quotas: &Quotas,
    run: DryRun,
) -> Result<DryRun, Error> {
    let running = store::lock_dry_runs(work, &run.publisher).await?;
    quotas.admit(
        Quota::DryRunsRunning,
        running,
        &run.publisher,
        run.create_time,
    )?;
    store::insert_dry_run(work, &run).await?;
    work.wake(DRY_RUNS);
    Ok(run)
}

pub async fn cancel_dry_run(
    work: &mut Work,
    scope: &Scope,
    name: &DryRunName,
    at: OffsetDateTime,
) -> Result<DryRun, Error> {
    let found = store::lock_dry_run(work, scope, &name.offer, name.id("name")?).await?;
    let missing = || Error::NotFound {
        kind: "DryRun",
        name: name.to_string(),
    };
    let mut run = found.ok_or_else(missing)?;
    run.cancel(at)?;
    match write_dry_run(work, &mut run).await? {
        true => Ok(run),
        false => Err(Error::Corrupt("a locked dry run is gone")),
    }
}

/// Writes what is new of it. `false`: it was canceled meanwhile, or another process has it.
pub async fn write_dry_run(work: &mut Work, run: &mut DryRun) -> Result<bool, Error> {
    run.revision += 1;
    let written = store::save_dry_run(work, run).await?;
    if written {
        work.wake(dry_run_watched(run.id));
        if run.has_ended() {
            // Another of this publisher may have its turn.
            work.wake(DRY_RUNS);
        }
    }
    Ok(written)
}
