//! Reading settings from the environment, all violations at once.
//!
//! A service's config.rs reads every variable first and only then asks whether it is there, so that one start names
//! everything that is wrong:
//!
//! ```
//! # use marketplace_runtime::config::Env;
//! struct Config { lease: std::time::Duration, smtp: Option<url::Url> }
//!
//! fn read(env: &mut Env) -> Option<Config> {
//!     let lease = env.duration("REVIEW_LEASE", std::time::Duration::from_secs(1_800));
//!     let smtp = env.optional("SMTP_URL");
//!     Some(Config { lease: lease?, smtp: smtp? })
//! }
//!
//! let config = Env::from_pairs([("REVIEW_LEASE", "20m")]).read(read).expect("nothing is wrong");
//! assert_eq!(config.lease.as_secs(), 1_200);
//! ```

use std::collections::HashMap;
use std::fmt::{self, Display};
use std::str::FromStr;
use std::time::Duration;

/// The environment, and what was found wrong with it so far.
#[derive(Debug)]
pub struct Env {
    values: HashMap<String, String>,
    wrong: Vec<String>,
}

/// Everything that is wrong with the settings; each line names its variable.
#[derive(Debug, thiserror::Error)]
#[error("wrong settings:\n  {}", .0.join("\n  "))]
pub struct ConfigError(pub Vec<String>);

impl Env {
    /// The environment of this process. Variables that are no UTF-8 are as good as unset.
    pub fn from_process() -> Self {
        let utf8 = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            values: std::env::vars_os().filter_map(utf8).collect(),
            wrong: Vec::new(),
        }
    }

    /// An environment made of pairs, for tests.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let values = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Self {
            values,
            wrong: Vec::new(),
        }
    }

    /// What is set; an empty value counts as unset.
    fn get(&self, name: &str) -> Option<String> {
        self.values
            .get(name)
            .map(|v| v.trim().to_owned())
            .filter(|v| !v.is_empty())
    }

    /// Notes that `name` is wrong: for rules that span several variables.
    pub fn refuse(&mut self, name: &str, why: impl Display) {
        self.wrong.push(format!("{name} {why}"));
    }

    fn parse<T: FromStr<Err: Display>>(&mut self, name: &str, text: &str) -> Option<T> {
        text.parse()
            .map_err(|error| self.refuse(name, format!("is {text:?}: {error}")))
            .ok()
    }

    /// A variable that must be set. `None`: it is missing or wrong, and noted.
    pub fn required<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let Some(text) = self.get(name) else {
            self.refuse(name, "is not set");
            return None;
        };
        self.parse(name, &text)
    }

    /// A variable that may be set. `None`: it is wrong, and noted.
    pub fn optional<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<Option<T>> {
        match self.get(name) {
            Some(text) => self.parse(name, &text).map(Some),
            None => Some(None),
        }
    }

    /// A variable with a default. `None`: it is wrong, and noted.
    pub fn or<T: FromStr<Err: Display>>(&mut self, name: &str, default: T) -> Option<T> {
        self.optional(name).map(|value| value.unwrap_or(default))
    }

    /// A variable that must be set and is never shown, not even when it is wrong.
    pub fn secret<T: FromStr>(&mut self, name: &str) -> Option<T> {
        let Some(text) = self.get(name) else {
            self.refuse(name, "is not set");
            return None;
        };
        text.parse()
            .map_err(|_| self.refuse(name, "is malformed (its value is not shown)"))
            .ok()
    }

    /// The same for one that may be unset.
    pub fn optional_secret<T: FromStr>(&mut self, name: &str) -> Option<Option<T>> {
        if self.get(name).is_some() {
            self.secret(name).map(Some)
        } else {
            Some(None)
        }
    }

    /// `1`, `true`, `yes`, `on` or `0`, `false`, `no`, `off`.
    pub fn flag(&mut self, name: &str, default: bool) -> Option<bool> {
        match self.get(name).as_deref() {
            None => Some(default),
            Some("1" | "true" | "yes" | "on") => Some(true),
            Some("0" | "false" | "no" | "off") => Some(false),
            Some(other) => {
                self.refuse(name, format!("is {other:?}: must be true or false"));
                None
            }
        }
    }

    /// A time span: `250ms`, `30s`, `5m`, `24h`, `7d`.
    pub fn duration(&mut self, name: &str, default: Duration) -> Option<Duration> {
        self.or(name, Span(default)).map(|span| span.0)
    }

    /// A comma separated list; empty when unset.
    pub fn list<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<Vec<T>> {
        let text = self.get(name).unwrap_or_default();
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        // Every part is read, so that every wrong one is named.
        let read: Vec<Option<T>> = parts.map(|part| self.parse(name, part)).collect();
        read.into_iter().collect()
    }

    /// Reads a whole configuration, or says everything that is wrong with the environment.
    pub fn read<C>(mut self, read: impl FnOnce(&mut Env) -> Option<C>) -> Result<C, ConfigError> {
        let config = read(&mut self);
        self.finish(config)
    }

    /// `config` if nothing was wrong, else everything that was.
    pub fn finish<C>(self, config: Option<C>) -> Result<C, ConfigError> {
        match config {
            Some(config) if self.wrong.is_empty() => Ok(config),
            _ => Err(ConfigError(self.wrong)),
        }
    }
}

/// A time span as people write it.
struct Span(Duration);

/// Why a text is no time span.
struct NoSpan;

impl Display for NoSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a whole number with a unit: 250ms, 30s, 5m, 24h, 7d")
    }
}

impl FromStr for Span {
    type Err = NoSpan;

    fn from_str(text: &str) -> Result<Self, NoSpan> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or(NoSpan)?;
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| NoSpan)?;
        let millis = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(NoSpan),
        };
        number
            .checked_mul(millis)
            .map(|all| Span(Duration::from_millis(all)))
            .ok_or(NoSpan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_violation_is_named_at_once() {
        let env = Env::from_pairs([
            ("PORT", "x"),
            ("FLAG", "maybe"),
            ("WAIT", "5 weeks"),
            ("NETS", "10.0.0.0/8, y, z"),
            ("PASSWORD", "hush"),
        ]);
        let wrong = env.read(|env| {
            let missing = env.required::<u16>("MISSING");
            let port = env.or::<u16>("PORT", 1);
            let flag = env.flag("FLAG", true);
            let wait = env.duration("WAIT", Duration::ZERO);
            let nets = env.list::<ipnet::IpNet>("NETS");
            let secret = env.secret::<u64>("PASSWORD");
            Some((missing?, port?, flag?, wait?, nets?, secret?))
        });
        let ConfigError(lines) = wrong.unwrap_err();
        let names: Vec<&str> = lines
            .iter()
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "MISSING", "PORT", "FLAG", "WAIT", "NETS", "NETS", "PASSWORD"
            ]
        );
        assert!(
            !lines.join("").contains("hush"),
            "a secret is shown: {lines:?}"
        );
    }

    #[test]
    fn what_is_unset_or_empty_is_its_default() {
        let mut env = Env::from_pairs([("A", ""), ("B", " 7 ")]);
        assert_eq!(env.or("A", 3_u8), Some(3));
        assert_eq!(env.or("B", 3_u8), Some(7));
        assert_eq!(env.optional::<u8>("A"), Some(None));
        assert_eq!(env.list::<u8>("C"), Some(vec![]));
        assert_eq!(env.flag("C", false), Some(false));
    }

    #[test]
    fn time_spans_have_units() {
        let mut env = Env::from_pairs([("A", "250ms"), ("B", "30s"), ("C", "24h"), ("D", "7d")]);
        let read = ["A", "B", "C", "D"]
            .map(|name| env.duration(name, Duration::ZERO).unwrap().as_millis());
        assert_eq!(read, [250, 30_000, 86_400_000, 604_800_000]);
        for wrong in ["5", "s", "-1s", "99999999999999999d"] {
            assert!(
                Env::from_pairs([("A", wrong)])
                    .duration("A", Duration::ZERO)
                    .is_none(),
                "{wrong}"
            );
        }
    }
}
