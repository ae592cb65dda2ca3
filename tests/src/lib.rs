//! The harness of the system tests: real Postgres, real RabbitMQ, the five real services, and a language to tell
//! stories in. See [`Marketplace`].

mod bucket;
mod clients;
mod crm;
mod database;
mod https;
mod mailbox;
mod marketctl;
mod marketplace;
mod moves;
mod private;
mod process;
mod proxy;
mod reads;
mod servers;
mod tokens;
mod unruly;

pub mod raw;
pub mod reflection;

pub mod drafts;

pub use bucket::Bucket;
pub use clients::Clients;
pub use crm::{Call, Crm, keys};
pub use database::TestDatabase;
pub use https::{Answer, HttpsServer, Received};
pub use mailbox::Mailbox;
pub use marketctl::Said;
pub use marketplace::{Marketplace, Options, patiently, until};
pub use private::PrivateServers;
pub use process::Child;
pub use proxy::Proxy;
pub use reads::Records;
pub use servers::{Addresses, Servers};
pub use tokens::{AUDIENCE, ISSUER, Signer};
pub use unruly::{Chances, Unruly};

use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::Digest;

/// The five services, by folder and binary.
pub const SERVICES: [&str; 5] = [
    "offer-catalog",
    "certification",
    "publishing-pipeline",
    "history",
    "notification",
];

/// What the script that starts the tests tells them.
#[expect(
    clippy::disallowed_methods,
    reason = "the harness is configured by the script that starts it"
)]
pub(crate) fn setting(name: &str) -> anyhow::Result<String> {
    std::env::var(name)
        .with_context(|| format!("{name} is not set: run the tests by deploy/local/test"))
}

/// The checkout.
pub fn repository() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// SHA-256, lower-case hex.
pub fn hash(bytes: &[u8]) -> String {
    hex::encode(sha2::Sha256::digest(bytes))
}

/// A fresh folder beside the programs.
pub(crate) fn scratch(prefix: &str) -> anyhow::Result<PathBuf> {
    let folder = binary("history")?
        .with_file_name("system-tests")
        .join(format!("{prefix}_{}", uuid::Uuid::now_v7().simple()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The mails in a folder, in the order of their names.
pub(crate) fn eml_files(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "eml") {
            files.push(path);
        }
    }
    files.sort();
    files
        .into_iter()
        .map(|path| Ok(std::fs::read_to_string(path)?))
        .collect()
}

/// The Postgres schema of a service, which its roles are named after.
pub fn schema(service: &str) -> String {
    match service {
        "publishing-pipeline" => "publishing".to_owned(),
        other => other.replace('-', "_"),
    }
}

/// A program of the workspace, built before the tests by `deploy/local/test`.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    // Tests lie in deps/, beside the programs; the benchmark is one of them.
    let folder = own.parent().unwrap_or(&own);
    let folder = match folder.file_name() {
        Some(name) if name == "deps" => folder.parent().unwrap_or(folder),
        _ => folder,
    };
    let program = folder.join(name);
    anyhow::ensure!(
        program.exists(),
        "{} is missing: run the tests by deploy/local/test",
        program.display()
    );
    Ok(program)
}
