//! The import rules between the modules of a service: who may know whom.

use std::path::{Path, PathBuf};

use system_tests::{SERVICES, repository};

/// Module, and what its files may not name.
const RULES: [(&str, &[&str]); 8] = [
    (
        "domain",
        &[
            "sqlx",
            "tonic",
            "prost",
            "lapin",
            "tokio",
            "marketplace_proto",
            "marketplace_messaging",
            "crate::store",
            "crate::wire",
            "crate::commands",
            "crate::grpc",
        ],
    ),
    (
        "store",
        &[
            "tonic",
            "prost",
            "lapin",
            "marketplace_proto",
            "crate::grpc",
            "crate::wire",
            "crate::commands",
        ],
    ),
    (
        "commands",
        &[
            "tonic",
            "sqlx::query",
            "crate::wire",
            "crate::grpc",
            "crate::neighbours",
        ],
    ),
    ("wire", &["sqlx", "crate::grpc"]),
    ("grpc", &["sqlx::query", "lapin"]),
    ("incoming", &["tonic", "sqlx::query", "crate::grpc"]),
    ("due", &["sqlx::query", "crate::grpc"]),
    (
        "outgoing",
        &[
            "tonic",
            "sqlx",
            "crate::commands",
            "crate::store",
            "crate::grpc",
        ],
    ),
];

#[test]
fn modules_know_only_whom_they_may() {
    let mut broken = Vec::new();
    for service in SERVICES {
        let source = repository().join("services").join(service).join("src");
        for (module, forbidden) in RULES {
            for file in files(&source, module) {
                let text = std::fs::read_to_string(&file).unwrap();
                for (number, line) in text
                    .lines()
                    .enumerate()
                    .filter(|(_, line)| !line.trim_start().starts_with("//"))
                {
                    for name in forbidden.iter().filter(|name| names(line, name)) {
                        broken.push(format!(
                            "{}:{}: {module} names {name}",
                            file.display(),
                            number + 1
                        ));
                    }
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// `module.rs` and everything below `module/`.
fn files(source: &Path, module: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let single = source.join(format!("{module}.rs"));
    if single.exists() {
        found.push(single);
    }
    collect(&source.join(module), &mut found);
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Whether the line names the crate or module as a path, not as a part of another word.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + name.len()..].chars().next();
        let word = |c: char| c.is_alphanumeric() || c == '_';
        !before.is_some_and(|c| word(c) || c == ':')
            && !after.is_some_and(word)
            && (name.contains(':') || line[at + name.len()..].starts_with("::"))
    })
}
