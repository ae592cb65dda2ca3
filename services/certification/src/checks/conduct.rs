//! Lawful and appropriate text (CV-14): a blocklist, and nobody's credentials.

use std::sync::LazyLock;

use regex::Regex;

use super::{Check, Found, Subject, always, automatic, text};
use crate::domain::Level;

pub const CHECKS: &[Check] = &[automatic(
    ("CV-14", 1),
    (Level::Content, "100.10"),
    "Text is lawful and shares no credentials",
    always,
    conduct,
)];

/// Phrases that no listing may hold.
static BLOCKLIST: &str = include_str!("data/blocklist.txt");

/// What looks like a secret: what it is, and how it looks. The evidence never repeats one.
static SECRETS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let patterns = [
        (
            "a password",
            r#"(?i)\b(?:password|passwd|pwd|passphrase)\s*[:=]\s*["']?[^\s"',;]*[0-9!@#$%^&*?][^\s"',;]*"#,
        ),
        (
            "a password",
            r#"(?i)\b(?:password|passwd|pwd|passphrase)\s+is\s+["']?(?:[a-z]+[0-9!@#$%^&*]|[0-9!@#$%^&*]+[a-z])[^\s"',;]*"#,
        ),
        (
            "an access key",
            r#"(?i)\b(?:api[_ -]?key|secret[_ -]?key|client[_ -]?secret|access[_ -]?token|auth[_ -]?token)\s*(?:is|[:=])\s*["']?[A-Za-z0-9_\-./+=]{8,}"#,
        ),
        (
            "a storage account key",
            r"(?i)\bAccountKey=[A-Za-z0-9+/=]{20,}",
        ),
        ("a shared access signature", r"[?&]sig=[A-Za-z0-9%+/=]{16,}"),
        ("a private key", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
        ("an AWS access key id", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
        ("a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{20,}\b"),
        (
            "a JSON web token",
            r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
        ),
        (
            "credentials in a URL",
            r"(?i)\bhttps?://[^\s/:@]+:[^\s/@]+@",
        ),
    ];
    patterns
        .into_iter()
        .filter_map(|(what, pattern)| Some((what, Regex::new(pattern).ok()?)))
        .collect()
});

fn conduct(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (place, text) in subject.public_texts() {
        for phrase in text::lines(BLOCKLIST).filter(|phrase| text::mentions(&text, phrase, false)) {
            let remedy = "Take the phrase out of the text.";
            found.fail(
                "BLOCKED_PHRASE",
                place.clone(),
                format!("{phrase:?} occurs"),
                remedy,
            );
        }
        for (what, pattern) in SECRETS.iter() {
            if let Some(hit) = pattern.find(&text) {
                let evidence = format!(
                    "{what}, at character {}",
                    text[..hit.start()].chars().count() + 1
                );
                let remedy = "Take the credentials out, and change them: whoever read the draft has them. Accounts for reviewers belong into the notes for certification.";
                found.fail_under(
                    "100.11",
                    "CREDENTIALS_IN_TEXT",
                    place.clone(),
                    evidence,
                    remedy,
                );
            }
        }
    }
}
