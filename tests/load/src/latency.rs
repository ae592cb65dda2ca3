//! How long news takes, at half the load that the system was seen to bear: to a watcher, and into the history.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::ensure;
use uuid::Uuid;

use crate::flows::Flows;
use crate::pace::Times;
use crate::report::{Report, spread};

/// How long it is gone on for.
const DURATION: Duration = Duration::from_secs(15);

/// When which transition of which submission was seen by its watcher.
#[derive(Default)]
pub struct Sightings(Mutex<Vec<(Uuid, u64, SystemTime)>>);

impl Sightings {
    #[expect(
        clippy::disallowed_methods,
        reason = "compared with what Postgres' clock says"
    )]
    pub fn add(&self, submission: Uuid, transitions: impl Iterator<Item = u64>) {
        let now = SystemTime::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(transitions.map(|transition| (submission, transition, now)));
    }

    fn take(&self) -> Vec<(Uuid, u64, SystemTime)> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// When everything was committed is Postgres' to say (track_commit_timestamp), by the clock that the watchers have too.
const COMMITTED: &str = "
    SELECT submission, transition, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8
    FROM publishing.transitions WHERE submission = ANY ($1)";
const INTO_HISTORY: &str = "
    SELECT extract(epoch FROM pg_xact_commit_timestamp(r.xmin) - pg_xact_commit_timestamp(t.xmin))::float8
    FROM history.rows r
    JOIN publishing.transitions t ON t.submission = r.submission AND t.step = r.step AND t.step_state = 'complete'
    WHERE r.code = 'HS' AND r.submission = ANY ($1)";

/// `rate`: flows per second.
pub async fn at_half_load(
    report: &mut Report,
    flows: &mut Flows<'_>,
    rate: f64,
) -> anyhow::Result<()> {
    let pause = Duration::from_secs_f64(1.0 / rate);
    let count = (DURATION.as_secs_f64() * rate) as usize;
    flows.sightings.take();
    flows.at_a_pace(count, pause).await?;
    let seen = flows.sightings.take();
    let mut submissions: Vec<Uuid> = seen.iter().map(|(submission, ..)| *submission).collect();
    submissions.dedup();
    let mut db = flows.market.servers.database.superuser().await?;
    let committed: Vec<(Uuid, i64, f64)> = sqlx::query_as(COMMITTED)
        .bind(&submissions)
        .fetch_all(&mut db)
        .await?;
    let committed: HashMap<(Uuid, i64), f64> = committed
        .into_iter()
        .map(|(id, number, at)| ((id, number), at))
        .collect();
    let watched = seen.iter().filter_map(|(id, number, at)| {
        let committed = committed.get(&(*id, i64::try_from(*number).ok()?))?;
        let seen = at.duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
        Some(Duration::from_secs_f64((seen - committed).max(0.0)))
    });
    let watched = Times::new(watched.collect(), DURATION);
    let written: Vec<f64> = sqlx::query_scalar(INTO_HISTORY)
        .bind(&submissions)
        .fetch_all(&mut db)
        .await?;
    let written = written
        .into_iter()
        .map(|seconds| Duration::from_secs_f64(seconds.max(0.0)));
    let written = Times::new(written.collect(), DURATION);
    ensure!(
        watched.count() >= count && written.count() >= count,
        "too little was seen: {} and {}",
        watched.count(),
        written.count()
    );
    let load = format!("at {rate:.0} flows / s");
    report.row(
        "committed → seen by a watcher",
        &format!("{} {load}", spread(&watched)),
        "p99 ≤ 100 ms",
    );
    report.row(
        "committed → in history",
        &format!("{} {load}", spread(&written)),
        "p99 ≤ 100 ms",
    );
    Ok(())
}
