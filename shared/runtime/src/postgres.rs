//! Postgres: pools, migrations, and what its errors mean.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool, Postgres, Transaction,
};
use tracing::log::LevelFilter;

use crate::config::PostgresConfig;
use crate::deadline;

/// How long a call waits for a connection of the pool.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long a start waits for a database that isn't up yet.
const PATIENCE: Duration = Duration::from_secs(20);
/// A connection that was idle for so long is asked whether it still lives; shorter than any restart of Postgres.
const UNTESTED: Duration = Duration::from_millis(250);

/// A pool as the service's app role; waits up to 20 s for a database that isn't up yet.
pub async fn connect(config: &PostgresConfig) -> Result<PgPool, sqlx::Error> {
    pool(config, config.max_connections).await
}

/// A pool of its own for a role that must not wait for the others: relay, inbox, step runner.
pub async fn connect_small(
    config: &PostgresConfig,
    connections: u32,
) -> Result<PgPool, sqlx::Error> {
    pool(config, connections).await
}

async fn pool(config: &PostgresConfig, connections: u32) -> Result<PgPool, sqlx::Error> {
    let options = options(&config.url)?;
    let begun = tokio::time::Instant::now();
    loop {
        let pool = pool_options(connections)
            .connect_with(options.clone())
            .await;
        match pool {
            Err(error) if fault(&error) == Fault::Away && begun.elapsed() < PATIENCE => {
                tracing::warn!(error = %crate::status::Chain(&error), "waiting for the database");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            outcome => return outcome,
        }
    }
}

/// How every pool behaves.
///
/// After a restart of the database every connection in a pool is dead. sqlx's own test before each use would cost every
/// call a round trip; only what has been idle for a while is tested, which a pool under load never is: at most four
/// round trips a second and connection, none of them while there is anything else for it to do. What is found dead is
/// replaced, and the caller waits for that (up to 5 s) instead of failing.
pub fn pool_options(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(Duration::from_secs(300))
        .max_lifetime(Duration::from_secs(3_600))
        .test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                if known.idle_for >= UNTESTED
                    && let Err(error) = connection.ping().await
                {
                    tracing::info!(%error, "an idle connection was lost");
                    return Err(error);
                }
                Ok(true)
            })
        })
}

/// Connection options of a URL, with TCP keepalive and quiet statement logs.
///
/// Every statement of ours goes by a key. A plan that was made while its table had a few rows, or without statistics, would
/// read the whole table, and be kept while it grows: plans read tables as a whole only where there is no index at all, and
/// join by looking up one row after the other.
/// None of them runs long enough to be worth compiling.
pub fn options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    crate::crypto::install();
    let options = PgConnectOptions::from_str(url)?
        .application_name("marketplace")
        .statement_cache_capacity(256);
    // sqlx has no socket option for it; the server's side notices a dead client by these.
    let options = options.options([
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("jit", "off"),
    ]);
    Ok(options
        .log_statements(LevelFilter::Off)
        .log_slow_statements(LevelFilter::Warn, Duration::from_secs(1)))
}

/// Begins a transaction; what is left of the call's deadline is its `statement_timeout`, in the same round trip.
pub async fn begin(db: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    match deadline::statement_timeout() {
        None => db.begin().await,
        Some(left) => db.begin_with(begin_timed("BEGIN", left)).await,
    }
}

/// Something to read with: derefs to [`PgConnection`]. Can't write.
#[derive(Debug)]
pub enum Reader {
    /// Nothing ends its statements earlier than the role's own `statement_timeout`.
    Plain(PoolConnection<Postgres>),
    /// The call's deadline does.
    Timed(Transaction<'static, Postgres>),
}

/// A connection for the one or two statements of a call that reads. Only where the call's deadline is nearer than the role's
/// `statement_timeout` does it take a transaction, which costs a round trip: so that Postgres doesn't go on for seconds
/// with an answer that nobody waits for.
pub async fn read(db: &PgPool) -> Result<Reader, sqlx::Error> {
    match deadline::statement_timeout() {
        None => Ok(Reader::Plain(db.acquire().await?)),
        Some(left) => {
            let sql = begin_timed("BEGIN READ ONLY", left);
            Ok(Reader::Timed(db.begin_with(sql).await?))
        }
    }
}

/// A number is all that is put into the text.
fn begin_timed(begin: &str, left: Duration) -> AssertSqlSafe<String> {
    let millis = left.as_millis().max(1);
    AssertSqlSafe(format!("{begin}; SET LOCAL statement_timeout = {millis}"))
}

impl Deref for Reader {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Reader::Plain(connection) => connection,
            Reader::Timed(transaction) => transaction,
        }
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Reader::Plain(connection) => connection,
            Reader::Timed(transaction) => transaction,
        }
    }
}

/// What is wrong with the schema of a service that is about to start.
#[derive(Debug, thiserror::Error)]
pub enum MigrationsError {
    /// The database can't be asked.
    #[error("the applied migrations can't be read")]
    Unreadable(#[from] sqlx::Error),
    /// The table of migrations can't be read.
    #[error("the applied migrations can't be read; has `migrate` run?")]
    Unmigrated(#[from] MigrateError),
    /// Some aren't applied.
    #[error("migration {version} ({description}) is not applied; run `migrate` first")]
    Missing {
        /// Its number.
        version: i64,
        /// Its name.
        description: Cow<'static, str>,
    },
    /// One was changed after it was applied.
    #[error("migration {version} ({description}) was applied with another text")]
    Changed {
        /// Its number.
        version: i64,
        /// Its name.
        description: Cow<'static, str>,
    },
}

/// Checks that every migration that this binary knows is applied. Migrations of a newer binary are fine: two versions
/// run side by side while one is rolled out.
pub async fn check_migrations(
    db: &PgPool,
    migrations: &'static Migrator,
) -> Result<(), MigrationsError> {
    let mut connection = db.acquire().await?;
    check_applied(&mut connection, migrations).await
}

/// The same on a connection.
pub async fn check_applied(
    db: &mut PgConnection,
    migrations: &'static Migrator,
) -> Result<(), MigrationsError> {
    let applied = db.list_applied_migrations(&migrations.table_name).await?;
    let applied: HashMap<i64, _> = applied
        .into_iter()
        .map(|one| (one.version, one.checksum))
        .collect();
    for known in migrations
        .iter()
        .filter(|known| !known.migration_type.is_down_migration())
    {
        let (version, description) = (known.version, known.description.clone());
        match applied.get(&version) {
            None => {
                return Err(MigrationsError::Missing {
                    version,
                    description,
                });
            }
            Some(checksum) if *checksum != known.checksum => {
                return Err(MigrationsError::Changed {
                    version,
                    description,
                });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Applies what isn't applied yet, as the owner role. A schema newer than this binary is left as it is.
pub async fn migrate(owner_url: &str, migrations: &'static Migrator) -> Result<(), MigrateError> {
    let mut connection = options(owner_url)?.connect().await?;
    let forgiving = Migrator {
        migrations: Cow::Borrowed(&migrations.migrations),
        ignore_missing: true,
        locking: migrations.locking,
        no_tx: migrations.no_tx,
        table_name: migrations.table_name.clone(),
        create_schemas: migrations.create_schemas.clone(),
    };
    forgiving.run(&mut connection).await?;
    Ok(connection.close().await?)
}

/// What an error of the database means to who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is away, over-used, or another transaction was in the way: the same may succeed later.
    Away,
    /// The statement took too long.
    Cut,
    /// A value that Postgres can't take: NUL in a text, a time or number out of range (class 22). Input that should have
    /// been refused before.
    Value,
    /// We asked something wrong.
    Wrong,
}

/// Sorts an error: SQLSTATE classes 08, 40, 53, 58, codes 25006, 55P03 and 57P0x, and everything below SQL are
/// [`Fault::Away`].
pub fn fault(error: &sqlx::Error) -> Fault {
    use sqlx::Error;
    match error {
        Error::Database(database) => database.code().map_or(Fault::Wrong, |code| sqlstate(&code)),
        Error::Io(_)
        | Error::Tls(_)
        // What breaks off in the middle of a message, or answers something that is no message.
        | Error::Protocol(_)
        | Error::PoolTimedOut
        | Error::PoolClosed
        | Error::WorkerCrashed
        | Error::BeginFailed => Fault::Away,
        _ => Fault::Wrong,
    }
}

fn sqlstate(code: &str) -> Fault {
    match code {
        "57014" => Fault::Cut,
        _ if code.starts_with("22") => Fault::Value,
        // 25006: a primary that has just become a standby; 58: the server's own I/O.
        "55P03" | "25006" => Fault::Away,
        _ if ["08", "40", "53", "57P0", "58"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            Fault::Away
        }
        _ => Fault::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlstate_says_whether_to_try_again() {
        for away in [
            "08006", "40001", "40P01", "53300", "55P03", "57P01", "57P03",
        ] {
            assert_eq!(sqlstate(away), Fault::Away, "{away}");
        }
        assert_eq!(sqlstate("57014"), Fault::Cut);
        for value in ["22001", "22008", "22021", "22P05"] {
            assert_eq!(sqlstate(value), Fault::Value, "{value}");
        }
        for wrong in ["23505", "42P01", "42501"] {
            assert_eq!(sqlstate(wrong), Fault::Wrong, "{wrong}");
        }
        assert_eq!(fault(&sqlx::Error::PoolTimedOut), Fault::Away);
        assert_eq!(fault(&sqlx::Error::RowNotFound), Fault::Wrong);
    }
}
