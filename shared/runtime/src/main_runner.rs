//! What every `main.rs` does: settings, telemetry, start, wait, flush; and the subcommand `migrate`.

use std::process::ExitCode;

use sqlx::migrate::Migrator;

use crate::config::{Common, Env, PostgresConfig, TelemetryConfig};
use crate::service::{Service, shutdown_signal};
use crate::{crypto, postgres, telemetry};

/// Runs a service: `start` (the default) or `migrate`, which applies the migrations with `DATABASE_OWNER_URL` and ends.
///
/// Wrong settings are all printed, each with its variable, and the process ends with 2 before anything is bound; any
/// other fault ends it with 1.
pub fn run<C, F>(
    name: &'static str,
    migrations: &'static Migrator,
    read: impl FnOnce(&mut Env) -> Option<C>,
    start: impl FnOnce(C) -> F,
) -> ExitCode
where
    C: AsRef<Common>,
    F: Future<Output = anyhow::Result<Service>>,
{
    let command = std::env::args().nth(1);
    match command.as_deref() {
        None | Some("start") => match Env::from_process().read(read) {
            Ok(config) => on_runtime(name, serve(name, config, start)),
            Err(error) => refuse(name, &error),
        },
        Some("migrate") => {
            let settings = |env: &mut Env| {
                let (telemetry, owner) = (
                    TelemetryConfig::read(env),
                    PostgresConfig::read(env, "DATABASE_OWNER_URL"),
                );
                Some((telemetry?, owner?))
            };
            match Env::from_process().read(settings) {
                Ok((telemetry, owner)) => {
                    on_runtime(name, migrate(name, telemetry, owner, migrations))
                }
                Err(error) => refuse(name, &error),
            }
        }
        Some(other) => refuse(
            name,
            &format!("unknown subcommand {other:?}; there are start (the default) and migrate"),
        ),
    }
}

fn refuse(name: &str, why: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{name}: {why}");
    ExitCode::from(2)
}

/// Runs the work on a runtime of its own; `main.rs` needs neither tokio nor a macro.
pub fn on_runtime(name: &str, work: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    crypto::install();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return refuse(name, &error),
    };
    let outcome = runtime.block_on(work);
    // Blocking work that hangs (a DNS look-up) must not hold the exit.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve<C, F>(
    name: &'static str,
    config: C,
    start: impl FnOnce(C) -> F,
) -> anyhow::Result<()>
where
    C: AsRef<Common>,
    F: Future<Output = anyhow::Result<Service>>,
{
    let telemetry = telemetry::init(name, &config.as_ref().telemetry)?;
    let outcome = async {
        let service = start(config).await?;
        tracing::info!(address = %service.address(), "serving");
        service.run_until(shutdown_signal()).await
    }
    .await;
    if outcome.is_ok() {
        tracing::info!("stopped");
    }
    // It blocks, and the exporter needs this thread's runtime to go on meanwhile.
    tokio::task::block_in_place(|| telemetry.flush());
    outcome
}

async fn migrate(
    name: &'static str,
    telemetry: TelemetryConfig,
    owner: PostgresConfig,
    migrations: &'static Migrator,
) -> anyhow::Result<()> {
    let telemetry = telemetry::init(name, &telemetry)?;
    postgres::migrate(&owner.url, migrations).await?;
    tracing::info!(migrations = migrations.iter().count(), "migrated");
    tokio::task::block_in_place(|| telemetry.flush());
    Ok(())
}
