//! From a bearer token to a [`Caller`], or to the reason why not.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::{Validation, decode, decode_header, errors::ErrorKind};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::issuers::{self, Issuer, IssuersError, PlatformRole};
use super::keys::{Found, Keys};
use super::{Caller, PlatformRoles};
use crate::clock;
use crate::config::AuthConfig;

/// The longest life of a token.
const MAX_LIFE: i64 = 3_600;
/// How far an issuer's clock may be ahead of ours.
const SKEW: i64 = 30;
/// How long a verified token is believed before its key is looked up again, so that a key taken back ends.
const BELIEVED: i64 = 300;
/// The most verified tokens kept.
const MAX_KEPT: usize = 10_000;
/// The longest token looked at: hashing is all that an unverified one costs.
const MAX_TOKEN: usize = 16 * 1024;

/// Why a token doesn't count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It proves nothing; says why without quoting it.
    #[error("{0}")]
    Invalid(&'static str),
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// The issuer's keys can't be read.
    #[error("the issuer's keys can't be read")]
    Unavailable,
}

/// Verifies tokens; shared by all connections of a server.
#[derive(Clone)]
pub struct Identity {
    inner: Arc<Inner>,
}

struct Inner {
    issuers: HashMap<String, (Issuer, Keys)>,
    local: bool,
    kept: RwLock<Kept>,
}

/// Verified tokens by their SHA-256, with the Unix time until which they are believed.
type Kept = HashMap<[u8; 32], (Arc<Caller>, i64)>;

impl Identity {
    /// Reads the issuers file and the keys that are in files.
    pub async fn load(config: &AuthConfig) -> Result<Self, IssuersError> {
        let mut issuers = HashMap::new();
        for issuer in issuers::read(&config.issuers_file)? {
            let wrong = |source| IssuersError::Keys {
                issuer: issuer.issuer.clone(),
                source,
            };
            let keys = Keys::open(&issuer).await.map_err(wrong)?;
            issuers.insert(issuer.issuer.clone(), (issuer, keys));
        }
        Ok(Self {
            inner: Arc::new(Inner {
                issuers,
                local: config.local,
                kept: RwLock::default(),
            }),
        })
    }

    /// The caller of a token that was verified a moment ago: no cryptography.
    pub fn remembered(&self, token: &str) -> Option<Arc<Caller>> {
        let kept = self
            .inner
            .kept
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let (caller, until) = kept.get(&hash(token))?;
        (clock::unix() < *until).then(|| Arc::clone(caller))
    }

    /// The caller of a token.
    pub async fn verify(&self, token: &str) -> Result<Arc<Caller>, Rejection> {
        if token.len() > MAX_TOKEN {
            return Err(Rejection::Invalid("it is too long"));
        }
        let caller = Arc::new(self.inner.verify(token).await?);
        self.remember(token, &caller);
        Ok(caller)
    }

    fn remember(&self, token: &str, caller: &Arc<Caller>) {
        let now = clock::unix();
        let until = caller.expires_at.unix_timestamp().min(now + BELIEVED);
        let mut kept = self
            .inner
            .kept
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.retain(|_, (_, until)| now < *until);
        }
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(hash(token), (Arc::clone(caller), until));
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

impl Inner {
    async fn verify(&self, token: &str) -> Result<Caller, Rejection> {
        let malformed = |_| Rejection::Invalid("it is no JSON Web Token that this service reads");
        let header = decode_header(token).map_err(malformed)?;
        let kid = header
            .kid
            .as_deref()
            .ok_or(Rejection::Invalid("it names no key (kid)"))?;
        if header.crit.is_some() {
            return Err(Rejection::Invalid(
                "it has critical extensions that are not known",
            ));
        }
        if kid.starts_with("local-") && !self.local {
            return Err(Rejection::Invalid(
                "its key is a local one, which counts with LOCAL=1 only",
            ));
        }
        // Not verified yet: only to find out whose keys to verify with.
        let claimed: Map<String, Value> = insecure_decode_claims(token).map_err(malformed)?;
        let issuer = claimed
            .get("iss")
            .and_then(Value::as_str)
            .and_then(|iss| self.issuers.get(iss));
        let (issuer, keys) = issuer.ok_or(Rejection::Invalid("its issuer is not trusted here"))?;
        let key = match keys.find(kid).await {
            Found::Key(key) => key,
            Found::Unknown => return Err(Rejection::Invalid("its issuer has no such key")),
            Found::Unreachable => return Err(Rejection::Unavailable),
        };
        let mut wanted = Validation::new(key.algorithm);
        wanted.set_issuer(&[&issuer.issuer]);
        wanted.set_audience(&[&issuer.audience]);
        wanted.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Times are compared below, by our clock and without leeway for the end.
        wanted.validate_exp = false;
        let claims = decode::<Map<String, Value>>(token, &key.key, &wanted)
            .map_err(|error| rejection(error.kind()))?
            .claims;
        let expires_at = times(&claims, clock::unix())?;
        caller(issuer, &claims, expires_at)
    }
}

fn rejection(kind: &ErrorKind) -> Rejection {
    Rejection::Invalid(match kind {
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::InvalidAlgorithm => "its algorithm is not the key's",
        ErrorKind::InvalidAudience => "it is meant for somebody else (aud)",
        ErrorKind::MissingRequiredClaim(_) => "it lacks exp, iss, aud or sub",
        _ => "it is malformed",
    })
}

/// Checks `exp`, `nbf` and `iat`; answers the end.
fn times(claims: &Map<String, Value>, now: i64) -> Result<OffsetDateTime, Rejection> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the fraction of a second is meant to go; floats saturate"
    )]
    let second = |name: &str| {
        claims
            .get(name)
            .and_then(|v| v.as_i64().or_else(|| v.as_f64().map(|f| f as i64)))
    };
    let exp = second("exp").ok_or(Rejection::Invalid("its exp is no number"))?;
    if exp <= now {
        return Err(Rejection::Expired);
    }
    let iat = second("iat");
    if exp > now + MAX_LIFE + SKEW || iat.is_some_and(|iat| exp - iat > MAX_LIFE) {
        return Err(Rejection::Invalid("it lives longer than an hour"));
    }
    if iat.is_some_and(|iat| iat > now + SKEW) || second("nbf").is_some_and(|nbf| nbf > now + SKEW)
    {
        return Err(Rejection::Invalid("its time has not come (nbf, iat)"));
    }
    OffsetDateTime::from_unix_timestamp(exp).map_err(|_| Rejection::Invalid("its exp is no time"))
}

fn caller(
    issuer: &Issuer,
    claims: &Map<String, Value>,
    expires_at: OffsetDateTime,
) -> Result<Caller, Rejection> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    let subject = text("sub").filter(|sub| (1..=255).contains(&sub.len()));
    let subject = subject.ok_or(Rejection::Invalid(
        "its sub is not a text of 1 to 255 bytes",
    ))?;
    let mut caller = Caller::new(&issuer.issuer, subject, expires_at);
    caller.service = service(issuer, claims, &caller.subject);
    caller.roles = PlatformRoles {
        operator: grants(issuer, claims, PlatformRole::Operator, "operator"),
        reviewer: grants(issuer, claims, PlatformRole::Reviewer, "reviewer"),
        service: caller.service.is_some(),
    };
    let verified = claims
        .get("email_verified")
        .is_some_and(|v| *v == Value::Bool(true) || v.as_str() == Some("true"));
    caller.email = text("email").filter(|_| verified);
    caller.tenant = issuer.claims.tenant.as_deref().and_then(text);
    caller.subscriptions = issuer
        .claims
        .subscriptions
        .as_deref()
        .map(|name| texts(claims, name))
        .unwrap_or_default();
    Ok(caller)
}

fn texts(claims: &Map<String, Value>, name: &str) -> Vec<String> {
    let list = claims.get(name).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// True if the token claims the role and its issuer may grant it.
fn grants(issuer: &Issuer, claims: &Map<String, Value>, role: PlatformRole, name: &str) -> bool {
    issuer.roles.contains(&role)
        && texts(claims, &issuer.claims.roles)
            .iter()
            .any(|claimed| claimed == name)
}

/// The service that a subject is: by the prefix of the issuer's service accounts, or by the role it claims.
fn service(issuer: &Issuer, claims: &Map<String, Value>, subject: &str) -> Option<String> {
    if let Some(prefix) = &issuer.service_prefix {
        return subject
            .strip_prefix(prefix.as_str())
            .filter(|name| !name.is_empty())
            .map(str::to_owned);
    }
    grants(issuer, claims, PlatformRole::Service, "service").then(|| subject.to_owned())
}
