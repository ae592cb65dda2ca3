//! The typed settings, read once from the environment.

use marketplace_runtime::config::{Common, Env, Neighbours};
use url::Url;

use crate::domain::Switches;

/// Settings of the certification service.
#[derive(Debug, Clone)]
pub struct Config {
    pub common: Common,
    /// `CATALOG_URL`
    pub catalog: Url,
    /// `CERTIFICATION_MANUAL_REVIEW`, `CERTIFICATION_AUTOMATIC_FAILURES`, `CERTIFICATION_PRIVATE_ONLY`,
    /// `CERTIFICATION_AGREEMENT_VERSION`
    pub switches: Switches,
}

impl Config {
    /// Reads all of them; every variable is read before the first refusal.
    pub fn read(env: &mut Env) -> Option<Config> {
        let common = Common::read(env, 7002);
        let catalog = common
            .as_ref()
            .and_then(|c| Neighbours::need(env, c.neighbours.catalog.as_ref(), "CATALOG_URL"));
        let manual_review = one_of(env, "CERTIFICATION_MANUAL_REVIEW", ["required", "off"]);
        let failures_final = one_of(env, "CERTIFICATION_AUTOMATIC_FAILURES", ["final", "review"]);
        let private_only_warns = one_of(env, "CERTIFICATION_PRIVATE_ONLY", ["warn", "fail"]);
        let agreement: Option<String> = env.or("CERTIFICATION_AGREEMENT_VERSION", String::new());
        let switches = Switches {
            agreement_version: agreement?,
            private_only_fails: !private_only_warns?,
            manual_review: manual_review?,
            review_failures: !failures_final?,
        };
        Some(Config {
            common: common?,
            catalog: catalog?,
            switches,
        })
    }
}

impl AsRef<Common> for Config {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

/// True for the first word, which is the default, false for the second; another is refused.
fn one_of(env: &mut Env, name: &str, [first, second]: [&str; 2]) -> Option<bool> {
    let word: String = env.or(name, first.to_owned())?;
    if word == first || word == second {
        return Some(word == first);
    }
    env.refuse(name, format!("is {word:?}: must be {first} or {second}"));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENOUGH: [(&str, &str); 5] = [
        (
            "DATABASE_URL",
            "postgres://certification_app@localhost/marketplace",
        ),
        ("AMQP_URL", "amqp://localhost"),
        ("AUTH_ISSUERS_FILE", "/dev/null"),
        ("SERVICE_TOKEN_FILE", "/dev/null"),
        ("CATALOG_URL", "http://localhost:7001"),
    ];

    #[test]
    fn a_person_reviews_and_automatic_failures_are_final_unless_set_otherwise() {
        let config = Env::from_pairs(ENOUGH).read(Config::read).unwrap();
        assert_eq!(config.switches, Switches::default());
        let set = [
            ("CERTIFICATION_MANUAL_REVIEW", "off"),
            ("CERTIFICATION_AUTOMATIC_FAILURES", "review"),
            ("CERTIFICATION_PRIVATE_ONLY", "fail"),
            ("CERTIFICATION_AGREEMENT_VERSION", "2026-01"),
        ];
        let switches = Env::from_pairs(ENOUGH.into_iter().chain(set))
            .read(Config::read)
            .unwrap()
            .switches;
        assert!(!switches.manual_review && switches.review_failures && switches.private_only_fails);
        assert_eq!(switches.agreement_version, "2026-01");
    }

    #[test]
    fn a_wrong_word_is_named() {
        let env = Env::from_pairs(
            ENOUGH
                .into_iter()
                .chain([("CERTIFICATION_MANUAL_REVIEW", "maybe")]),
        );
        let wrong = env.read(Config::read).unwrap_err().to_string();
        assert!(wrong.contains("CERTIFICATION_MANUAL_REVIEW"), "{wrong}");
    }
}
