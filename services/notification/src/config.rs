//! The settings of this service.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use marketplace_runtime::config::{Common, Env, Neighbours};
use url::Url;

use crate::domain::Portal;

/// Local port.
pub const PORT: u16 = 7005;

/// What this service reads from the environment.
#[derive(Clone)]
pub struct Config {
    /// What every service has.
    pub common: Common,
    /// `CATALOG_URL`: members, preview links, and who may.
    pub catalog: Url,
    /// `CERTIFICATION_URL`: failure reports.
    pub certification: Url,
    /// `SMTP_URL` or `MAIL_DIR`.
    pub mail: MailConfig,
    /// `MAIL_FROM`: "Marketplace <no-reply@market.example>".
    pub mail_from: Mailbox,
    /// `PORTAL_URL`, `OPERATOR_NAME`: where the links of mails and items lead, and the operator's brand (IB-2).
    pub portal: Portal,
    /// `REMINDER_AFTER`: how long a preview waits for its sign-off before it is told again (A39); 14d by default.
    pub reminder_after: Duration,
}

/// Where mails go.
#[derive(Clone)]
pub enum MailConfig {
    /// `SMTP_URL`: `smtps://user:password@host`.
    Smtp(String),
    /// `MAIL_DIR`: a folder, one .eml file each.
    Folder(PathBuf),
}

impl Config {
    /// Reads all of it.
    pub fn read(env: &mut Env) -> Option<Config> {
        let common = Common::read(env, PORT);
        let mail = MailConfig::read(env);
        let mail_from = mailbox(env);
        let portal = portal(env);
        let reminder_after = env.duration("REMINDER_AFTER", Duration::from_secs(14 * 24 * 3_600));
        let common = common?;
        let catalog = Neighbours::need(env, common.neighbours.catalog.as_ref(), "CATALOG_URL");
        let certification = Neighbours::need(
            env,
            common.neighbours.certification.as_ref(),
            "CERTIFICATION_URL",
        );
        Some(Config {
            catalog: catalog?,
            certification: certification?,
            mail: mail?,
            mail_from: mail_from?,
            portal: portal?,
            reminder_after: reminder_after?,
            common,
        })
    }
}

impl MailConfig {
    fn read(env: &mut Env) -> Option<MailConfig> {
        let smtp: Option<Option<String>> = env.optional_secret("SMTP_URL");
        let folder: Option<Option<PathBuf>> = env.optional("MAIL_DIR");
        match (smtp?, folder?) {
            (Some(url), _) => Some(MailConfig::Smtp(url)),
            (None, Some(folder)) => Some(MailConfig::Folder(folder)),
            (None, None) => {
                env.refuse(
                    "SMTP_URL",
                    "is not set, and neither is MAIL_DIR: one of them is needed",
                );
                None
            }
        }
    }
}

fn mailbox(env: &mut Env) -> Option<Mailbox> {
    env.or(
        "MAIL_FROM",
        Mailbox::new(
            Some("Marketplace".into()),
            lettre::Address::new("no-reply", "localhost").ok()?,
        ),
    )
}

fn portal(env: &mut Env) -> Option<Portal> {
    let url: Option<Option<Url>> = env.optional("PORTAL_URL");
    let brand = env.or("OPERATOR_NAME", "Marketplace".to_owned());
    let url = url?.map_or_else(|| "http://localhost:8080".to_owned(), String::from);
    Some(Portal {
        url: url.trim_end_matches('/').to_owned(),
        brand: brand?,
    })
}

impl AsRef<Common> for Config {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

#[cfg(test)]
mod tests {
    use marketplace_runtime::config::ConfigError;

    use super::*;

    fn read(extra: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let good = [
            ("DATABASE_URL", "postgres://notification_app@db/marketplace"),
            ("AMQP_URL", "amqp://broker/%2f"),
            ("AUTH_ISSUERS_FILE", "/issuers.json"),
            ("CATALOG_URL", "http://catalog:7001"),
            ("CERTIFICATION_URL", "http://certification:7002"),
        ];
        Env::from_pairs(good.into_iter().chain(extra.iter().copied())).read(Config::read)
    }

    #[test]
    fn mails_need_somewhere_to_go() {
        let ConfigError(wrong) = read(&[]).err().unwrap();
        assert!(
            wrong[0].starts_with("SMTP_URL") && wrong[0].contains("MAIL_DIR"),
            "{wrong:?}"
        );
        assert!(matches!(
            read(&[("MAIL_DIR", "/mails")]).unwrap().mail,
            MailConfig::Folder(_)
        ));
        let both = read(&[("MAIL_DIR", "/mails"), ("SMTP_URL", "smtp://mail")]).unwrap();
        assert!(matches!(both.mail, MailConfig::Smtp(_)));
    }

    #[test]
    fn links_lead_to_the_portal_without_a_double_slash() {
        let config = read(&[
            ("MAIL_DIR", "/mails"),
            ("PORTAL_URL", "https://portal.example/"),
        ])
        .unwrap();
        assert_eq!(config.portal.url, "https://portal.example");
        assert_eq!(
            config.mail_from.to_string(),
            "Marketplace <no-reply@localhost>"
        );
    }
}
