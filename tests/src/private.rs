//! Postgres and RabbitMQ of one test alone, which it may stop and start: run by the functions of `deploy/local/lib.sh`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::{Addresses, Servers, TestDatabase, repository};

/// Both servers, under a folder of their own; dropping it stops them and removes what they kept.
pub struct PrivateServers {
    folder: PathBuf,
    addresses: Addresses,
}

impl PrivateServers {
    /// Starts both.
    pub fn start() -> anyhow::Result<Self> {
        let folder = crate::scratch("servers")?;
        std::fs::create_dir(folder.join("log"))?;
        let mut made = Self {
            folder,
            addresses: Addresses::default(),
        };
        let said = made.run(
            "start_postgres; start_rabbitmq
             echo postgres://postgres:$postgres_password@127.0.0.1:$postgres_port/postgres
             echo amqp://marketplace:$rabbitmq_password@127.0.0.1:$amqp_port/%2f
             echo $rabbitmq_management",
        )?;
        let [postgres, amqp, management] = said
            .lines()
            .collect::<Vec<_>>()
            .try_into()
            .map_err(|_| anyhow::anyhow!("unexpected: {said}"))?;
        made.addresses = Addresses {
            postgres: postgres.to_owned(),
            amqp: amqp.to_owned(),
            management: management.to_owned(),
        };
        Ok(made)
    }

    /// A database and a vhost there.
    pub async fn servers(&self) -> anyhow::Result<Servers> {
        let database = TestDatabase::whole(&self.addresses).await?;
        Servers::with(database, &self.addresses).await
    }

    /// Stops the broker; what is durable stays.
    pub fn stop_broker(&self) -> anyhow::Result<()> {
        self.run("stop_rabbitmq").map(drop)
    }

    /// Starts it again.
    pub fn start_broker(&self) -> anyhow::Result<()> {
        self.run("start_rabbitmq").map(drop)
    }

    /// Aborts every process of Postgres, as a crash does, and starts it again: it recovers from its log.
    pub fn crash_postgres(&self) -> anyhow::Result<()> {
        self.run(
            r#"as_postgres "$(postgres_bin)/pg_ctl" -D "$(postgres_folder)/data" -m immediate -w stop >/dev/null
               start_postgres"#,
        )
        .map(drop)
    }

    fn run(&self, functions: &str) -> anyhow::Result<String> {
        let script = format!("set -euo pipefail; . deploy/local/lib.sh; {functions}");
        let done = Command::new("bash")
            .args(["-c", &script])
            .env("state", &self.folder)
            .current_dir(repository())
            .stdin(Stdio::null())
            .output()
            .context("bash")?;
        ensure!(
            done.status.success(),
            "{functions}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        Ok(String::from_utf8(done.stdout)?)
    }
}

impl Drop for PrivateServers {
    fn drop(&mut self) {
        let gone = self.run(r#"stop_rabbitmq; stop_postgres; rm -rf "$(postgres_folder)""#);
        if let Err(error) = gone.and_then(|_| Ok(std::fs::remove_dir_all(&self.folder)?)) {
            eprintln!("the private servers were left behind: {error:#}");
        }
    }
}
