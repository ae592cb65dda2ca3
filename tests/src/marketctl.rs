//! `marketctl` as people use it: the program, with the addresses and the key of a test.

use std::process::Stdio;

use anyhow::{Context, ensure};

use crate::{Marketplace, binary};

/// What a run of it left behind.
pub struct Said {
    /// What it ended with.
    pub code: Option<i32>,
    /// Its answers.
    pub out: String,
    /// Its complaints.
    pub err: String,
}

impl Marketplace {
    /// The variables by which marketctl finds services and key.
    pub fn marketctl_environment(&self) -> Vec<(String, String)> {
        let names = [
            "CATALOG",
            "CERTIFICATION",
            "PUBLISHING",
            "HISTORY",
            "NOTIFICATION",
        ];
        let address = |(name, port)| {
            (
                format!("MARKETCTL_{name}"),
                format!("http://127.0.0.1:{port}"),
            )
        };
        let mut variables: Vec<_> = names.into_iter().zip(self.ports).map(address).collect();
        let key = self.folder.join("key.pem").display().to_string();
        variables.push(("MARKETCTL_KEY_FILE".to_owned(), key));
        variables
    }

    /// Runs it with these words and waits for its end.
    pub async fn marketctl(&self, words: &[&str]) -> anyhow::Result<Said> {
        let done = tokio::process::Command::new(binary("marketctl")?)
            .args(words)
            .envs(self.marketctl_environment())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await?;
        Ok(Said {
            code: done.status.code(),
            out: String::from_utf8_lossy(&done.stdout).into_owned(),
            err: String::from_utf8_lossy(&done.stderr).into_owned(),
        })
    }

    /// The same where it must succeed; its answers as JSON, one for each offer.
    pub async fn marketctl_json(&self, words: &[&str]) -> anyhow::Result<Vec<serde_json::Value>> {
        let said = self
            .marketctl(&[&["--output", "json"], words].concat())
            .await?;
        ensure!(said.code == Some(0), "{words:?}: {}{}", said.out, said.err);
        let answers = serde_json::Deserializer::from_str(&said.out).into_iter();
        answers
            .collect::<Result<_, _>>()
            .with_context(|| format!("{words:?} said {}", said.out))
    }
}
