//! Health: SERVING ⇔ the own database is reachable and migrated. A broker or neighbour away is no reason.

use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::postgres::{self, MigrationsError};

/// How often the database is asked, and how long it may take to answer.
const EVERY: Duration = Duration::from_secs(1);

/// The database whose state is this service's health.
#[derive(Clone)]
pub(crate) struct Watched {
    pub options: PgConnectOptions,
    pub migrations: &'static Migrator,
}

/// Reports until dropped; cancels `well` when it has first reported SERVING. Has a connection of its own: a busy pool
/// is no sick database.
pub(crate) async fn watch(
    watched: Watched,
    reporter: HealthReporter,
    names: Vec<&'static str>,
    well: CancellationToken,
) {
    let mut connection: Option<PgConnection> = None;
    let mut healthy: Option<bool> = None;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let outcome = timeout(EVERY, look(&watched, &mut connection)).await;
        let now = matches!(outcome, Ok(Ok(())));
        if !now {
            connection = None;
        }
        if healthy != Some(now) {
            report(&reporter, &names, now).await;
            match outcome {
                Ok(Ok(())) => {
                    well.cancel();
                    tracing::info!("healthy: the database is reachable and migrated");
                }
                Ok(Err(error)) => {
                    tracing::error!(error = %crate::status::Chain(&error), "not healthy")
                }
                Err(_) => tracing::error!("not healthy: the database does not answer"),
            }
            healthy = Some(now);
        }
    }
}

async fn look(
    watched: &Watched,
    connection: &mut Option<PgConnection>,
) -> Result<(), MigrationsError> {
    if connection.is_none() {
        *connection = Some(watched.options.connect().await?);
    }
    match connection {
        Some(connection) => postgres::check_applied(connection, watched.migrations).await,
        None => Ok(()),
    }
}

/// Sets the state of the server (the empty name) and of each of its services.
pub(crate) async fn report(reporter: &HealthReporter, names: &[&'static str], serving: bool) {
    let status = if serving {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    };
    for name in std::iter::once(&"").chain(names) {
        reporter.set_service_status(*name, status).await;
    }
}
