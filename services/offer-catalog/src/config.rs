//! The settings of this service, read once from the environment; tests make them in code.

use std::path::PathBuf;
use std::str::FromStr;

use marketplace_runtime::config::{Common, Env};
use marketplace_runtime::ids::OfferName;
use url::Url;

use crate::keys::Keys;
use crate::pages::Storefront;

/// The port for local use.
pub const PORT: u16 = 7001;

/// All settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Those that every service has.
    pub common: Common,
    /// `BLOB_FOLDER`: uploads are spooled below it, and without a bucket the content of assets is kept in it.
    pub blobs: PathBuf,
    /// `BLOB_STORE`: the bucket that content is kept in. Region, endpoint and credentials are `AWS_…` variables.
    pub bucket: Option<Bucket>,
    /// `SECRET_KEYS`: `name:base64 of 32 bytes`, comma separated, newest first. Secrets and preview tokens are sealed by it.
    pub keys: Keys,
    /// Where previews are shown.
    pub links: Links,
}

/// A part of a bucket: `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// What the names of our objects begin with; empty: the bucket is ours alone.
    pub prefix: String,
}

impl FromStr for Bucket {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("s3://").ok_or("must begin with s3://")?;
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let good = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if name.is_empty() || !name.chars().all(good) {
            return Err("must name a bucket: s3://bucket or s3://bucket/prefix");
        }
        if !prefix.chars().all(|c| good(c) || c == '/') {
            return Err("may have letters, digits and - . _ / in its prefix, and nothing after it");
        }
        Ok(Self {
            name: name.to_owned(),
            prefix: prefix.trim_end_matches('/').to_owned(),
        })
    }
}

/// Addresses of the storefronts, for links to previews.
#[derive(Debug, Clone)]
pub struct Links {
    /// `APP_SOURCE_URL`
    pub app_source: Url,
    /// `AZURE_MARKETPLACE_URL`
    pub azure_marketplace: Url,
}

impl AsRef<Common> for Config {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

impl Config {
    /// Reads all of them; `None`: something is wrong, and noted.
    pub fn read(env: &mut Env) -> Option<Self> {
        let common = Common::read(env, PORT);
        let blobs = env.required("BLOB_FOLDER");
        let bucket = env.optional("BLOB_STORE");
        let keys = env.secret("SECRET_KEYS");
        let links = Links::read(env);
        Some(Self {
            common: common?,
            blobs: blobs?,
            bucket: bucket?,
            keys: keys?,
            links: links?,
        })
    }
}

impl Links {
    fn read(env: &mut Env) -> Option<Self> {
        let app_source: Option<Option<Url>> = env.optional("APP_SOURCE_URL");
        let azure_marketplace: Option<Option<Url>> = env.optional("AZURE_MARKETPLACE_URL");
        let local = Self::local();
        Some(Self {
            app_source: app_source?.unwrap_or(local.app_source),
            azure_marketplace: azure_marketplace?.unwrap_or(local.azure_marketplace),
        })
    }

    /// Addresses that lead nowhere but on this machine.
    pub fn local() -> Self {
        let local = |text: &str| Url::parse(text).expect("a constant of this program is a URL");
        Self {
            app_source: local("https://appsource.localhost/"),
            azure_marketplace: local("https://azuremarketplace.localhost/"),
        }
    }

    /// A link to a preview: whoever holds it may see it (PV-1).
    pub fn preview(&self, storefront: Storefront, token: &str) -> String {
        format!("{}/preview/{token}", self.base(storefront))
    }

    /// Where customers meet a live offer (OT-3).
    pub fn live(&self, storefront: Storefront, offer: &OfferName) -> String {
        let OfferName { publisher, offer } = offer;
        format!("{}/product/{publisher}.{offer}", self.base(storefront))
    }

    fn base(&self, storefront: Storefront) -> &str {
        let base = match storefront {
            Storefront::AppSource => &self.app_source,
            Storefront::AzureMarketplace => &self.azure_marketplace,
        };
        base.as_str().trim_end_matches('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 5] = [
        (
            "DATABASE_URL",
            "postgres://offer_catalog_app@db/marketplace",
        ),
        ("AMQP_URL", "amqp://guest@broker/%2f"),
        ("AUTH_ISSUERS_FILE", "/etc/marketplace/issuers.json"),
        ("BLOB_FOLDER", "/var/lib/marketplace/blobs"),
        (
            "SECRET_KEYS",
            "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
    ];

    #[test]
    fn five_variables_are_enough() {
        let config = Env::from_pairs(GOOD).read(Config::read).unwrap();
        assert_eq!(config.common.listen.port(), PORT);
        let link = config.links.preview(Storefront::AppSource, "00ff");
        assert_eq!(link, "https://appsource.localhost/preview/00ff");
        assert_eq!(config.bucket, None);
    }

    #[test]
    fn a_bucket_has_a_name_and_maybe_a_prefix() {
        let bucket = |name: &str, prefix: &str| {
            Ok(Bucket {
                name: name.into(),
                prefix: prefix.into(),
            })
        };
        let read = |text: &str| text.parse::<Bucket>().map_err(drop);
        assert_eq!(read("s3://assets"), bucket("assets", ""));
        assert_eq!(read("s3://assets/"), bucket("assets", ""));
        assert_eq!(read("s3://my.assets/a/b/"), bucket("my.assets", "a/b"));
        for wrong in [
            "assets",
            "s3:assets",
            "s3://",
            "s3:///prefix",
            "https://assets.s3.amazonaws.com",
            "s3://key:secret@assets",
            "s3://assets/a?region=b",
        ] {
            assert_eq!(read(wrong), Err(()), "{wrong}");
            let pairs = GOOD.into_iter().chain([("BLOB_STORE", wrong)]);
            let refused = Env::from_pairs(pairs).read(Config::read).unwrap_err();
            assert!(refused.to_string().contains("BLOB_STORE"));
        }
    }

    #[test]
    fn every_missing_one_is_named_and_no_key_is_shown() {
        let wrong = Env::from_pairs([("SECRET_KEYS", "a:hush")])
            .read(Config::read)
            .unwrap_err()
            .to_string();
        for name in [
            "DATABASE_URL",
            "AMQP_URL",
            "AUTH_ISSUERS_FILE",
            "BLOB_FOLDER",
            "SECRET_KEYS",
        ] {
            assert!(wrong.contains(name), "{name} is not in {wrong}");
        }
        assert!(!wrong.contains("hush"));
    }
}
