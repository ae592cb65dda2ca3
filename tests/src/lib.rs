//! The harness of the system tests: real Postgres, real RabbitMQ, the five real services, and a language to tell
//! stories in. See [`Marketplace`].

mod clients;
mod https;
mod marketplace;
mod process;
mod proxy;
mod servers;
mod tokens;

pub mod raw;
pub mod reflection;

pub mod drafts;

pub use clients::Clients;
pub use https::{Answer, HttpsServer, Received};
pub use marketplace::{Marketplace, Options, until};
pub use process::Child;
pub use proxy::Proxy;
pub use servers::Servers;
pub use tokens::{AUDIENCE, ISSUER, Signer};

use std::path::PathBuf;

use sha2::Digest;

/// The five services, by folder and binary.
pub const SERVICES: [&str; 5] = [
    "offer-catalog",
    "certification",
    "publishing-pipeline",
    "history",
    "notification",
];

/// The checkout.
pub fn repository() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// SHA-256, lower-case hex.
pub fn hash(bytes: &[u8]) -> String {
    hex::encode(sha2::Sha256::digest(bytes))
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
    let test = std::env::current_exe()?;
    let folder = test.ancestors().nth(2).unwrap_or(&test);
    let program = folder.join(name);
    anyhow::ensure!(
        program.exists(),
        "{} is missing: run the tests by deploy/local/test",
        program.display()
    );
    Ok(program)
}
