//! The issuers file: whose tokens count, with which keys, and what each may say.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::Url;

/// One trusted issuer, as written in `AUTH_ISSUERS_FILE` (a JSON list of these).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The `iss` claim of its tokens.
    pub issuer: String,
    /// The `aud` claim that its tokens must have.
    pub audience: String,
    /// Its keys, in a file; read again when a kid is unknown.
    #[serde(default)]
    pub jwks_file: Option<PathBuf>,
    /// Its keys, at an address.
    #[serde(default)]
    pub jwks_url: Option<Url>,
    /// PEM certificates to trust at that address besides the public ones.
    #[serde(default)]
    pub jwks_ca_file: Option<PathBuf>,
    /// A token to show at that address (Kubernetes answers nobody else).
    #[serde(default)]
    pub jwks_token_file: Option<PathBuf>,
    /// Platform roles that it may grant: `operator`, `reviewer`, `service`. Other roles in its tokens count for nothing.
    #[serde(default)]
    pub roles: Vec<PlatformRole>,
    /// What its subjects that are services begin with: `system:serviceaccount:marketplace:`. Such a subject has the role
    /// `service` without a claim and is known by the rest of its name. Needs `service` in `roles`.
    #[serde(default)]
    pub service_prefix: Option<String>,
    /// Which claims carry what.
    #[serde(default)]
    pub claims: Claims,
}

/// A platform role that an issuer may grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlatformRole {
    /// Staff of the marketplace.
    Operator,
    /// Certifies offers.
    Reviewer,
    /// One of the services.
    Service,
}

/// Names of the claims of an issuer.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Claims {
    /// Carries platform roles (a list of texts).
    pub roles: String,
    /// Carries the customer's tenant (a text); unset: none does.
    pub tenant: Option<String>,
    /// Carries the customer's subscriptions (a list of texts); unset: none does.
    pub subscriptions: Option<String>,
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            roles: "roles".into(),
            tenant: None,
            subscriptions: None,
        }
    }
}

/// Why the issuers file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum IssuersError {
    /// It can't be read.
    #[error("AUTH_ISSUERS_FILE {path} can't be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no JSON list of issuers.
    #[error("AUTH_ISSUERS_FILE {path} is malformed")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// It says something that can't be.
    #[error("AUTH_ISSUERS_FILE: {0}")]
    Wrong(String),
    /// The keys of an issuer are of no use.
    #[error("AUTH_ISSUERS_FILE: keys of {issuer}")]
    Keys {
        /// Whose.
        issuer: String,
        /// Why.
        source: super::keys::KeysError,
    },
}

/// Reads and checks the file. Relative paths in it are relative to its folder.
pub(super) fn read(path: &Path) -> Result<Vec<Issuer>, IssuersError> {
    let text = std::fs::read(path).map_err(|source| IssuersError::Unreadable {
        path: path.into(),
        source,
    })?;
    let mut issuers: Vec<Issuer> =
        serde_json::from_slice(&text).map_err(|source| IssuersError::Malformed {
            path: path.into(),
            source,
        })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for issuer in &mut issuers {
        for file in [
            &mut issuer.jwks_file,
            &mut issuer.jwks_ca_file,
            &mut issuer.jwks_token_file,
        ]
        .into_iter()
        .flatten()
        {
            *file = folder.join(&*file);
        }
    }
    check(&issuers).map_err(IssuersError::Wrong)?;
    Ok(issuers)
}

fn check(issuers: &[Issuer]) -> Result<(), String> {
    if issuers.is_empty() {
        return Err("the list is empty: nobody could call".into());
    }
    for (i, issuer) in issuers.iter().enumerate() {
        let name = &issuer.issuer;
        if name.is_empty() || name.contains('|') {
            return Err(format!(
                "issuer {name:?} must not be empty or contain `|`, which ends it in a principal"
            ));
        }
        if issuers[..i].iter().any(|other| other.issuer == *name) {
            return Err(format!("{name} is listed twice"));
        }
        if issuer.audience.is_empty() {
            return Err(format!(
                "{name} has no audience: tokens meant for others would count"
            ));
        }
        if issuer.jwks_file.is_some() == issuer.jwks_url.is_some() {
            return Err(format!("{name} needs either jwks_file or jwks_url"));
        }
        if issuer.service_prefix.as_deref() == Some("") {
            return Err(format!(
                "{name} has an empty service_prefix: every subject would be a service"
            ));
        }
        if issuer.service_prefix.is_some() && !issuer.roles.contains(&PlatformRole::Service) {
            return Err(format!(
                "{name} has a service_prefix but may not grant the role service"
            ));
        }
    }
    Ok(())
}
