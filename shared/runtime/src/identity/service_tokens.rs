//! The token that this process shows to its neighbours.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use tokio::time::Instant;

use crate::clock;
use crate::config::ServiceIdentity;

/// The issuer of tokens that services and developers mint with `LOCAL=1`.
pub const LOCAL_ISSUER: &str = "https://local.marketplace";
/// The audience of the same.
pub const LOCAL_AUDIENCE: &str = "marketplace";
/// The life of a minted token.
const LIFE: i64 = 600;
/// How long a token is used before a new one is minted or the file is read again.
const REUSE: Duration = Duration::from_secs(60);

/// Where the token of this process comes from. Cheap to clone.
#[derive(Clone)]
pub struct ServiceTokens {
    inner: Arc<Inner>,
}

struct Inner {
    source: Source,
    current: Mutex<Option<(HeaderValue, Instant)>>,
}

enum Source {
    File(PathBuf),
    Key {
        key: EncodingKey,
        kid: String,
        service: &'static str,
    },
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum ServiceTokenError {
    /// Neither a token nor a key is configured.
    #[error(
        "SERVICE_TOKEN_FILE is not set (nor, with LOCAL=1, SERVICE_KEY_FILE): this service calls others"
    )]
    Unset,
    /// The file can't be read.
    #[error("{name} {path} can't be read")]
    File {
        /// The variable that names it.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The key is no Ed25519 key.
    #[error("SERVICE_KEY_FILE is no Ed25519 key in PKCS #8 PEM")]
    Key(#[from] jsonwebtoken::errors::Error),
    /// The file holds no token.
    #[error("SERVICE_TOKEN_FILE holds no token")]
    Malformed,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    roles: [&'a str; 1],
}

impl ServiceTokens {
    /// Opens the source; `service` is the name by which neighbours know this one, `publishing-pipeline`.
    pub fn open(
        identity: &ServiceIdentity,
        service: &'static str,
    ) -> Result<Self, ServiceTokenError> {
        let source = match (&identity.token_file, &identity.key_file) {
            (Some(path), _) => Source::File(path.clone()),
            (None, Some(path)) => {
                let name = "SERVICE_KEY_FILE";
                let pem = std::fs::read(path).map_err(|source| ServiceTokenError::File {
                    name,
                    path: path.clone(),
                    source,
                })?;
                Source::Key {
                    key: EncodingKey::from_ed_pem(&pem)?,
                    kid: identity.key_id.clone(),
                    service,
                }
            }
            (None, None) => return Err(ServiceTokenError::Unset),
        };
        let tokens = Self {
            inner: Arc::new(Inner {
                source,
                current: Mutex::new(None),
            }),
        };
        tokens.header()?;
        Ok(tokens)
    }

    /// The value of the authorization header, now. Reads a small file or signs at most once a minute.
    pub fn header(&self) -> Result<HeaderValue, ServiceTokenError> {
        let mut current = self
            .inner
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((header, since)) = &*current
            && since.elapsed() < REUSE
        {
            return Ok(header.clone());
        }
        let token = self.inner.source.token(clock::unix())?;
        let mut header = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| ServiceTokenError::Malformed)?;
        header.set_sensitive(true);
        *current = Some((header.clone(), Instant::now()));
        Ok(header)
    }
}

impl Source {
    fn token(&self, now: i64) -> Result<String, ServiceTokenError> {
        match self {
            Self::File(path) => {
                let unreadable = |source| ServiceTokenError::File {
                    name: "SERVICE_TOKEN_FILE",
                    path: path.clone(),
                    source,
                };
                let token = std::fs::read_to_string(path)
                    .map_err(unreadable)?
                    .trim()
                    .to_owned();
                if token.is_empty() {
                    Err(ServiceTokenError::Malformed)
                } else {
                    Ok(token)
                }
            }
            Self::Key { key, kid, service } => {
                let header = Header {
                    kid: Some(kid.clone()),
                    ..Header::new(Algorithm::EdDSA)
                };
                let (iss, aud) = (LOCAL_ISSUER, LOCAL_AUDIENCE);
                let claims = Claims {
                    iss,
                    aud,
                    sub: service,
                    iat: now,
                    exp: now + LIFE,
                    roles: ["service"],
                };
                Ok(jsonwebtoken::encode(&header, &claims, key)?)
            }
        }
    }
}
