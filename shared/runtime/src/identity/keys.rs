//! The keys of one issuer: parsed once, read again when a kid is unknown or the set is old.
//!
//! Whoever sends tokens with made-up kids can't make us ask the issuer more often than every [`RETRY`].

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use tokio::time::Instant;

use super::issuers::Issuer;

/// The least time between two tries to read the keys of an issuer.
pub(super) const RETRY: Duration = Duration::from_secs(30);
/// After this time keys are read again even if all kids are known, so that a key taken back ends.
const STALE: Duration = Duration::from_secs(300);
/// How long one try may take; a caller waits for it.
const PATIENCE: Duration = Duration::from_secs(3);
/// Key sets are small; more is no key set.
const MAX_BYTES: usize = 256 * 1024;

/// A key and the one algorithm that it is for.
pub(super) struct Key {
    pub algorithm: Algorithm,
    pub key: DecodingKey,
}

/// Why no keys could be read.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file can't be read.
    #[error("{0} can't be read")]
    File(PathBuf, #[source] std::io::Error),
    /// The address doesn't answer, or with an error.
    #[error("the key server doesn't answer")]
    Http(#[from] reqwest::Error),
    /// What was answered is no key set.
    #[error("not a JSON Web Key Set")]
    Malformed(#[from] serde_json::Error),
    /// The answer is too large, or has no key of use.
    #[error("{0}")]
    Useless(&'static str),
}

/// The keys of one issuer.
pub(super) struct Keys {
    source: Source,
    known: RwLock<Arc<HashMap<String, Arc<Key>>>>,
    /// Held while reading, so that one caller reads and the others wait for what it finds.
    tries: tokio::sync::Mutex<Tries>,
}

enum Source {
    File(PathBuf),
    Url {
        url: url::Url,
        client: reqwest::Client,
        token_file: Option<PathBuf>,
    },
}

#[derive(Default)]
struct Tries {
    last: Option<Instant>,
    failed: bool,
}

/// What is known about a kid.
pub(super) enum Found {
    Key(Arc<Key>),
    /// The issuer has no such key.
    Unknown,
    /// The issuer couldn't be asked.
    Unreachable,
}

impl Keys {
    /// The keys of an issuer. A file is read now, so that a wrong one is seen at start; an address when first needed.
    pub async fn open(issuer: &Issuer) -> Result<Self, KeysError> {
        let source = match (&issuer.jwks_file, &issuer.jwks_url) {
            (Some(path), _) => Source::File(path.clone()),
            (None, Some(url)) => {
                let client = client(issuer.jwks_ca_file.as_ref())?;
                Source::Url {
                    url: url.clone(),
                    client,
                    token_file: issuer.jwks_token_file.clone(),
                }
            }
            (None, None) => return Err(KeysError::Useless("neither jwks_file nor jwks_url")),
        };
        let keys = Self {
            source,
            known: RwLock::default(),
            tries: tokio::sync::Mutex::default(),
        };
        if matches!(keys.source, Source::File(_)) {
            keys.store(parse(&keys.source.read().await?)?);
        }
        Ok(keys)
    }

    fn get(&self, kid: &str) -> Option<Arc<Key>> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(kid)
            .cloned()
    }

    fn store(&self, keys: HashMap<String, Arc<Key>>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// The key of that id; reads the set again when it is unknown or old, at most every [`RETRY`].
    pub async fn find(&self, kid: &str) -> Found {
        let mut tries = self.tries.lock().await;
        let due_after = if self.get(kid).is_some() {
            STALE
        } else {
            RETRY
        };
        if tries.last.is_none_or(|last| last.elapsed() >= due_after) {
            tries.last = Some(Instant::now());
            match self.read_again().await {
                Ok(()) => tries.failed = false,
                Err(error) => {
                    tries.failed = true;
                    tracing::warn!(error = %crate::status::Chain(&error), "keys of an issuer can't be read");
                }
            }
        }
        match self.get(kid) {
            Some(key) => Found::Key(key),
            None if tries.failed => Found::Unreachable,
            None => Found::Unknown,
        }
    }

    async fn read_again(&self) -> Result<(), KeysError> {
        self.store(parse(&self.source.read().await?)?);
        Ok(())
    }
}

impl Source {
    async fn read(&self) -> Result<Vec<u8>, KeysError> {
        match self {
            Self::File(path) => tokio::fs::read(path)
                .await
                .map_err(|error| KeysError::File(path.clone(), error)),
            Self::Url {
                url,
                client,
                token_file,
            } => {
                let mut request = client.get(url.clone());
                if let Some(path) = token_file {
                    let token = tokio::fs::read_to_string(path)
                        .await
                        .map_err(|e| KeysError::File(path.clone(), e))?;
                    request = request.bearer_auth(token.trim());
                }
                let mut response = request.send().await?.error_for_status()?;
                let mut body = Vec::new();
                while let Some(chunk) = response.chunk().await? {
                    body.extend_from_slice(&chunk);
                    if body.len() > MAX_BYTES {
                        return Err(KeysError::Useless("the key set is larger than 256 KiB"));
                    }
                }
                Ok(body)
            }
        }
    }
}

/// The issuer's address is the operator's choice, not a publisher's: it is not vetted.
fn client(ca_file: Option<&PathBuf>) -> Result<reqwest::Client, KeysError> {
    crate::crypto::install();
    let mut client = reqwest::Client::builder().timeout(PATIENCE).no_proxy();
    if let Some(path) = ca_file {
        let pem = std::fs::read(path).map_err(|error| KeysError::File(path.clone(), error))?;
        client = client.tls_certs_merge(reqwest::Certificate::from_pem_bundle(&pem)?);
    }
    Ok(client.build()?)
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

/// Keys of use by kid. Keys of other kinds and without a kid are passed over: sets hold what others need, too.
fn parse(bytes: &[u8]) -> Result<HashMap<String, Arc<Key>>, KeysError> {
    let set: Set = serde_json::from_slice(bytes)?;
    let keys: HashMap<_, _> = set.keys.into_iter().filter_map(key).collect();
    if keys.is_empty() {
        Err(KeysError::Useless(
            "the key set has no EdDSA, ES256 or RS256 key with a kid",
        ))
    } else {
        Ok(keys)
    }
}

fn key(value: serde_json::Value) -> Option<(String, Arc<Key>)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let kid = jwk.common.key_id.clone()?;
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        _ => return None,
    };
    let says = |named: KeyAlgorithm| named.to_string() == format!("{algorithm:?}");
    if jwk.common.key_algorithm.is_some_and(|named| !says(named)) {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    Some((kid, Arc::new(Key { algorithm, key })))
}
