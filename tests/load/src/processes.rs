//! The processes of the system: how they start, what memory they hold, what CPU time they have used.

use std::time::{Duration, Instant};

use anyhow::Context;
use procfs::process::Process;
use system_tests::Marketplace;

use crate::report::{Report, ms};

/// The five services, Postgres with its backends, RabbitMQ.
pub struct Processes {
    services: Vec<(&'static str, Process)>,
    postgres: Process,
    rabbitmq: Process,
}

/// CPU seconds used so far.
#[derive(Clone, Copy)]
pub struct Cpu {
    pub services: f64,
    pub postgres: f64,
    pub rabbitmq: f64,
}

impl Cpu {
    pub fn since(self, before: Cpu) -> Cpu {
        Cpu {
            services: self.services - before.services,
            postgres: self.postgres - before.postgres,
            rabbitmq: self.rabbitmq - before.rabbitmq,
        }
    }

    pub fn all(self) -> f64 {
        self.services + self.postgres + self.rabbitmq
    }
}

impl Processes {
    pub fn find(market: &Marketplace, postgres: i32, rabbitmq: i32) -> anyhow::Result<Self> {
        let mut services = Vec::new();
        for child in &market.children {
            let id = child.id().context("a service has ended")?;
            services.push((child.service, Process::new(id.try_into()?)?));
        }
        Ok(Self {
            services,
            postgres: Process::new(postgres)?,
            rabbitmq: Process::new(rabbitmq)?,
        })
    }

    /// What everything has used so far. The kernel accounts for backends that have ended with their postmaster.
    pub fn cpu(&self) -> anyhow::Result<Cpu> {
        let mut services = 0.0;
        for (_, process) in &self.services {
            services += own(process)?;
        }
        let mut postgres = with_waited_for(&self.postgres)?;
        for process in procfs::process::all_processes()?.flatten() {
            if process
                .stat()
                .is_ok_and(|stat| stat.ppid == self.postgres.pid)
            {
                // One that ended meanwhile is in its parent's sum next time.
                postgres += own(&process).unwrap_or(0.0);
            }
        }
        Ok(Cpu {
            services,
            postgres,
            rabbitmq: with_waited_for(&self.rabbitmq)?,
        })
    }

    fn memory(
        &self,
        of: impl Fn(&procfs::process::Status) -> Option<u64>,
    ) -> anyhow::Result<String> {
        let mut said = Vec::new();
        for (service, process) in &self.services {
            let kib = of(&process.status()?).context("no memory is told")?;
            said.push(format!("{service} {:.0} MiB", kib as f64 / 1024.0));
        }
        Ok(said.join(", "))
    }
}

fn own(process: &Process) -> anyhow::Result<f64> {
    let stat = process.stat()?;
    Ok((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
}

fn with_waited_for(process: &Process) -> anyhow::Result<f64> {
    let stat = process.stat()?;
    Ok(own(process)? + (stat.cutime + stat.cstime) as f64 / procfs::ticks_per_second() as f64)
}

/// Start-up: each service, once more.
pub async fn start(report: &mut Report, market: &mut Marketplace) -> anyhow::Result<()> {
    let mut said = Vec::new();
    for service in system_tests::SERVICES {
        let child = market.child(service);
        child.terminate().await?;
        let started = Instant::now();
        child.restart()?;
        child.until_serving().await?;
        said.push(format!("{service} {}", ms(started.elapsed())));
    }
    report.row(
        "start of a service until SERVING",
        &said.join(", "),
        "≤ 1 s",
    );
    Ok(())
}

/// Memory before there was any load.
pub async fn idle(report: &mut Report, processes: &Processes) -> anyhow::Result<()> {
    // Pools and consumers have settled by then.
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.row(
        "memory when idle (RSS)",
        &processes.memory(|status| status.vmrss)?,
        "≤ 40 MiB",
    );
    Ok(())
}

/// The most memory that each held.
pub fn loaded(report: &mut Report, processes: &Processes) -> anyhow::Result<()> {
    report.row(
        "memory under load (peak RSS)",
        &processes.memory(|status| status.vmhwm)?,
        "≤ 150 MiB",
    );
    Ok(())
}
