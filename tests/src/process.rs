//! A service as a process of its own, which can be stopped as an orchestrator would and killed as the kernel would.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};

/// One running service.
pub struct Child {
    /// Folder and binary, for example `history`.
    pub service: &'static str,
    /// Its gRPC port.
    pub port: u16,
    environment: BTreeMap<String, String>,
    log: PathBuf,
    process: tokio::process::Child,
}

impl Child {
    /// Starts the service and answers at once; see [`Child::until_serving`].
    pub fn start(
        service: &'static str,
        port: u16,
        environment: BTreeMap<String, String>,
        log: PathBuf,
    ) -> anyhow::Result<Self> {
        let process = spawn(service, &environment, &log)?;
        Ok(Self {
            service,
            port,
            environment,
            log,
            process,
        })
    }

    /// Waits until its health service says SERVING.
    pub async fn until_serving(&mut self) -> anyhow::Result<()> {
        let channel =
            tonic::transport::Endpoint::from_shared(format!("http://127.0.0.1:{}", self.port))?
                .connect_lazy();
        let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.process.try_wait()? {
                anyhow::bail!(
                    "{} ended while starting: {status}\n{}",
                    self.service,
                    self.log_tail()
                );
            }
            let asked = health
                .check(tonic_health::pb::HealthCheckRequest {
                    service: String::new(),
                })
                .await;
            if asked.is_ok_and(|answer| {
                answer.get_ref().status == tonic_health::ServingStatus::Serving as i32
            }) {
                return Ok(());
            }
            ensure!(
                tokio::time::Instant::now() < deadline,
                "{} does not serve after 30 s\n{}",
                self.service,
                self.log_tail()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// SIGKILL, and waits until it is gone.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.process.start_kill()?;
        self.process.wait().await?;
        Ok(())
    }

    /// SIGTERM, and waits for its end.
    pub async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        if let Some(status) = self.process.try_wait()? {
            return Ok(status);
        }
        let pid = self.process.id().context("the process is gone")?;
        std::process::Command::new("kill")
            .args(["-TERM", &pid.to_string()])
            .status()?;
        let ended = tokio::time::timeout(Duration::from_secs(30), self.process.wait()).await;
        ended
            .with_context(|| {
                format!(
                    "{} does not stop within 30 s\n{}",
                    self.service,
                    self.log_tail()
                )
            })?
            .map_err(Into::into)
    }

    /// Starts it again, with the same settings on the same port.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.process = spawn(self.service, &self.environment, &self.log)?;
        Ok(())
    }

    /// Process id.
    pub fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// The end of its log, for messages.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

fn spawn(
    service: &str,
    environment: &BTreeMap<String, String>,
    log: &PathBuf,
) -> anyhow::Result<tokio::process::Child> {
    let out = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)?;
    let child = tokio::process::Command::new(crate::binary(service)?)
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out)
        .kill_on_drop(true)
        .spawn()?;
    Ok(child)
}
