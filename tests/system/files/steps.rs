//! What the stories about files have in common.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use system_tests::{Marketplace, Options, repository};

/// Who she is.
pub const ADA: [&str; 2] = ["--as", "ada@contoso"];

/// A marketplace with a publisher that may sell everything.
pub async fn contoso(options: Options) -> anyhow::Result<Marketplace> {
    let market = Marketplace::start_with(options).await?;
    let words = "--as oscar@marketplace --role operator publisher create contoso --display-name Contoso \
        --owner ada@contoso --owner-name Ada --enrolled --agreement-version 2026-01 --membership-active \
        --vetting-authorized --tax-profile-valid --payout-profile-valid --virtual-machine-billing \
        --competency cloud-platform=gold --competency data-platform=gold";
    let words: Vec<&str> = words.split_whitespace().collect();
    market.marketctl_json(&words).await?;
    Ok(market)
}

/// Applies a file, a folder or a folder of folders; answers what was done to each offer.
pub async fn apply(market: &Marketplace, path: &Path) -> anyhow::Result<Vec<Value>> {
    let path = path.display().to_string();
    market
        .marketctl_json(&[&ADA[..], &["apply", "-f", &path]].concat())
        .await
}

/// Exports an offer; answers what was written.
pub async fn export(
    market: &Marketplace,
    offer: &str,
    more: &[&str],
    to: &Path,
) -> anyhow::Result<Vec<Value>> {
    let to = to.display().to_string();
    let words = [&ADA[..], &["export", offer, "-d", &to], more].concat();
    market.marketctl_json(&words).await
}

/// The samples of the repository.
pub fn samples() -> PathBuf {
    repository().join("deploy/local/samples")
}

/// What apply did.
pub fn changes(answer: &Value) -> &Vec<Value> {
    answer["changes"].as_array().expect("a list")
}

/// The digests of the files that an offer's file names, by their paths.
pub fn contents(folder: &Path) -> anyhow::Result<BTreeMap<PathBuf, String>> {
    let mut found = BTreeMap::new();
    for kind in ["images", "documents", "packages", "audiences"] {
        let files = folder.join(kind);
        if files.is_dir() {
            for file in std::fs::read_dir(files)? {
                let file = file?.path();
                let path = file.strip_prefix(folder)?.to_owned();
                found.insert(path, system_tests::hash(&std::fs::read(&file)?));
            }
        }
    }
    Ok(found)
}

/// The lines that a README shows being typed into a shell, without what is said about them.
pub fn typed(readme: &str) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(repository().join(readme))?;
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("$ marketctl "));
    let command = |line: &str| line.split(" #").next().unwrap_or(line).trim().to_owned();
    Ok(lines.map(command).collect())
}

/// Samples whose leads arrive.
pub fn copied(from: &Path, to: &Path, leads: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let copy = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copied(&entry.path(), &copy, leads)?;
        } else if entry.file_name() == "offer.yaml" {
            let text = std::fs::read_to_string(entry.path())?;
            std::fs::write(
                copy,
                text.replace("https://leads.contoso.com/marketplace", leads),
            )?;
        } else {
            std::fs::copy(entry.path(), copy)?;
        }
    }
    Ok(())
}

/// A file whose path has this in it, in a folder or below it.
pub fn find(folder: &Path, name: &str) -> anyhow::Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if let Some(found) = find(&entry.path(), name)? {
                return Ok(Some(found));
            }
        } else if entry.path().display().to_string().contains(name) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}
