//! A real S3 server with a bucket, whose objects are files of a folder.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;

const NAME: &str = "assets";
const KEY: &str = "test";
const SECRET: &str = "testsecret";

/// `rclone serve s3` on a loopback port; dropping it stops it and removes what it kept.
pub struct Bucket {
    folder: PathBuf,
    endpoint: String,
    process: tokio::process::Child,
}

impl Bucket {
    /// Starts it with an empty bucket.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = crate::scratch("bucket")?;
        let root = folder.join("root");
        std::fs::create_dir_all(root.join(NAME))?;
        let log = folder.join("log");
        let process = tokio::process::Command::new("rclone")
            .args(["serve", "s3", "--addr", "127.0.0.1:0", "--config", ""])
            .arg("--no-cleanup")
            .args(["--auth-key", &format!("{KEY},{SECRET}")])
            .arg(&root)
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(&log)?)
            .kill_on_drop(true)
            .spawn()
            .context("rclone")?;
        Ok(Self {
            folder,
            endpoint: address(&log).await?,
            process,
        })
    }

    /// For `BLOB_STORE`.
    pub fn url(&self) -> String {
        format!("s3://{NAME}/below/this")
    }

    /// Where the bucket is and who may use it, as variables of the environment.
    pub fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT", self.endpoint.clone()),
            ("AWS_ALLOW_HTTP", "true".into()),
            ("AWS_REGION", "us-east-1".into()),
            ("AWS_ACCESS_KEY_ID", KEY.into()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.into()),
        ]
    }

    /// The objects below [`Bucket::url`], as files.
    pub fn files(&self) -> PathBuf {
        self.folder.join("root").join(NAME).join("below/this")
    }

    /// Ends the server; what it kept stays until the bucket is dropped.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Where it listens, once it says so.
async fn address(log: &Path) -> anyhow::Result<String> {
    crate::until("rclone listens", async || {
        let said = std::fs::read_to_string(log)?;
        let address = said
            .split_once("[http://")
            .and_then(|(_, rest)| rest.split_once("/]"));
        Ok(address.map(|(address, _)| format!("http://{address}")))
    })
    .await
}
