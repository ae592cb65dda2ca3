//! A real SMTP server that keeps what it is given.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::repository;

/// aiosmtpd on a loopback port; dropping it stops it and removes what it kept.
pub struct Mailbox {
    folder: PathBuf,
    port: u16,
    _process: tokio::process::Child,
}

impl Mailbox {
    /// Starts it; it answers `250` that long after it has kept a mail.
    pub async fn start(hold: Duration) -> anyhow::Result<Self> {
        let folder = crate::scratch("mailbox")?;
        let mut process = tokio::process::Command::new("python3")
            .arg(repository().join("tests/src/mailbox.py"))
            .arg(&folder)
            .arg(hold.as_secs_f64().to_string())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let out = process.stdout.take().context("it has an output")?;
        let line = BufReader::new(out).lines().next_line().await?;
        Ok(Self {
            folder,
            port: line.context("mailbox.py has ended")?.parse()?,
            _process: process,
        })
    }

    /// For `SMTP_URL`.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Every mail so far, in order, repeats included.
    pub fn mails(&self) -> anyhow::Result<Vec<String>> {
        crate::eml_files(&self.folder)
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
