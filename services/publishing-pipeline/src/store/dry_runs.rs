//! Dry runs: kept as they are found out, taken by whoever has room, held by a lease that is renewed.

use marketplace_runtime::access::Scope;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::offerings::json;
use crate::domain::DryRun;
use crate::error::Error;

/// Whoever takes dry runs takes turns: how many a publisher has at work is counted under it.
const TURN: i64 = 0x6472_7972_756e;

/// Holds back who makes one of the same publisher, until the transaction ends; answers how many haven't ended.
pub async fn lock_dry_runs(db: &mut PgConnection, publisher: &str) -> Result<i64, Error> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended('dry runs of ' || $1::text, 0))",
        publisher
    )
    .execute(&mut *db)
    .await?;
    let running = sqlx::query_scalar!(
        r#"SELECT count(*) AS "running!" FROM publishing.dry_runs WHERE publisher = $1 AND state = 'running'"#,
        publisher
    )
    .fetch_one(db)
    .await?;
    Ok(running)
}

pub async fn insert_dry_run(db: &mut PgConnection, run: &DryRun) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO publishing.dry_runs
         SELECT n.* FROM json_populate_record(NULL::publishing.dry_runs, $1::text::json) n",
        json(run)?
    )
    .execute(db)
    .await?;
    Ok(())
}

/// One of an offer of the scope's publisher.
pub async fn find_dry_run(
    db: &mut PgConnection,
    scope: &Scope,
    offer: &str,
    id: Uuid,
) -> Result<Option<DryRun>, Error> {
    let row = sqlx::query_scalar!(
        r#"SELECT to_json(d) AS "run!: Json<DryRun>" FROM publishing.dry_runs d
           WHERE d.id = $1 AND d.publisher = $2 AND d.offer = $3"#,
        id,
        scope.publisher(),
        offer
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| row.0))
}

/// The same, locked until the transaction ends.
pub async fn lock_dry_run(
    db: &mut PgConnection,
    scope: &Scope,
    offer: &str,
    id: Uuid,
) -> Result<Option<DryRun>, Error> {
    let row = sqlx::query_scalar!(
        r#"SELECT to_json(d) AS "run!: Json<DryRun>" FROM publishing.dry_runs d
           WHERE d.id = $1 AND d.publisher = $2 AND d.offer = $3 FOR UPDATE"#,
        id,
        scope.publisher(),
        offer
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| row.0))
}

/// How far one has come, by its revision.
pub async fn dry_run_revision(db: &mut PgConnection, id: Uuid) -> Result<Option<u64>, Error> {
    let revision =
        sqlx::query_scalar!("SELECT revision FROM publishing.dry_runs WHERE id = $1", id)
            .fetch_optional(db)
            .await?;
    Ok(revision.map(|revision| u64::try_from(revision).unwrap_or_default()))
}

/// Takes dry runs that nobody is at, oldest first, so that no publisher has more than `each` at work.
pub async fn claim_dry_runs(
    db: &mut PgConnection,
    now: OffsetDateTime,
    lease: Duration,
    each: i64,
    limit: i64,
) -> Result<Vec<DryRun>, Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", TURN)
        .execute(&mut *db)
        .await?;
    let rows = sqlx::query_scalar!(
        r#"UPDATE publishing.dry_runs d
           SET lease_until = now() + make_interval(secs => $2), attempt = d.attempt + 1, start_time = coalesce(d.start_time, $1)
           WHERE d.id IN (
             SELECT w.id FROM publishing.dry_runs w
             WHERE w.state = 'running' AND (w.lease_until IS NULL OR w.lease_until <= now())
               AND (SELECT count(*) FROM publishing.dry_runs o
                    WHERE o.publisher = w.publisher AND o.state = 'running'
                      AND (o.lease_until > now() OR (o.create_time, o.id) < (w.create_time, w.id))) < $3
             ORDER BY w.create_time, w.id LIMIT $4 FOR UPDATE SKIP LOCKED)
           RETURNING to_json(d) AS "run!: Json<DryRun>""#,
        now,
        lease.as_seconds_f64(),
        each,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Says that somebody is still at it. `false`: it is theirs no more.
pub async fn keep_dry_run(db: &PgPool, run: &DryRun, lease: Duration) -> Result<bool, Error> {
    let kept = sqlx::query!(
        "UPDATE publishing.dry_runs SET lease_until = now() + make_interval(secs => $3)
         WHERE id = $1 AND attempt = $2 AND state = 'running'",
        run.id,
        i32::try_from(run.attempt).unwrap_or(i32::MAX),
        lease.as_seconds_f64()
    )
    .execute(db)
    .await?;
    Ok(kept.rows_affected() == 1)
}

/// Gives it up: somebody else goes on at once.
pub async fn release_dry_run(db: &PgPool, run: &DryRun) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE publishing.dry_runs SET lease_until = NULL WHERE id = $1 AND attempt = $2",
        run.id,
        i32::try_from(run.attempt).unwrap_or(i32::MAX)
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Writes what is new of it. `false`: it was canceled, or somebody else has it.
pub async fn save_dry_run(db: &mut PgConnection, run: &DryRun) -> Result<bool, Error> {
    let saved = sqlx::query!(
        "UPDATE publishing.dry_runs d
         SET state = n.state, record = n.record, revision = n.revision, end_time = n.end_time,
             lease_until = CASE WHEN n.state = 'running' THEN d.lease_until END
         FROM json_populate_record(NULL::publishing.dry_runs, $1::text::json) n
         WHERE d.id = n.id AND d.attempt = n.attempt AND d.state = 'running'",
        json(run)?
    )
    .execute(db)
    .await?;
    Ok(saved.rows_affected() == 1)
}

/// Deletes those that ended before `before`.
pub async fn forget_dry_runs(db: &PgPool, before: OffsetDateTime) -> Result<(), Error> {
    loop {
        let deleted = sqlx::query!(
            "DELETE FROM publishing.dry_runs WHERE id IN (
               SELECT id FROM publishing.dry_runs WHERE state <> 'running' AND end_time < $1
               ORDER BY end_time LIMIT 100 FOR UPDATE SKIP LOCKED)",
            before
        )
        .execute(db)
        .await?;
        if deleted.rows_affected() == 0 {
            return Ok(());
        }
    }
}
