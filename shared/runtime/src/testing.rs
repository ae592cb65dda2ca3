//! What the tests of this crate share: keys, issuers' files, settings, and a gRPC service that can be slow.

use std::path::PathBuf;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use marketplace_proto::messaging::v1 as pb;
use marketplace_proto::messaging::v1::dead_letter_service_server::DeadLetterService;
use serde_json::{Value, json};
use tonic::{Request, Response, Status};

use crate::clock;
use crate::config::{Common, Env, ServiceIdentity};
use crate::identity::{LOCAL_AUDIENCE, LOCAL_ISSUER, ServiceTokens};

/// Runs a far side for as long as the test.
#[expect(
    clippy::disallowed_methods,
    reason = "a test's far side is no task of a service"
)]
pub fn background<F: Future<Output: Send> + Send + 'static>(work: F) {
    tokio::spawn(work);
}

/// A folder of its own, removed at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("runtime-test-{}", crate::ids::new_id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A signing key with its public half.
pub struct Signer {
    pub pem: String,
    pub kid: String,
    algorithm: Algorithm,
    key: EncodingKey,
    jwk: Value,
}

impl Signer {
    pub fn new(algorithm: Algorithm, kid: &str) -> Self {
        let generate = |kind| rcgen::KeyPair::generate_for(kind).unwrap();
        let (pem, key, mut jwk) = match algorithm {
            Algorithm::EdDSA => {
                let pair = generate(&rcgen::PKCS_ED25519);
                let key = EncodingKey::from_ed_pem(pair.serialize_pem().as_bytes()).unwrap();
                let x = URL_SAFE_NO_PAD.encode(pair.public_key_raw());
                (
                    pair.serialize_pem(),
                    key,
                    json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": x}),
                )
            }
            Algorithm::ES256 => {
                let pem = generate(&rcgen::PKCS_ECDSA_P256_SHA256).serialize_pem();
                let key = EncodingKey::from_ec_pem(pem.as_bytes()).unwrap();
                let jwk = Jwk::from_encoding_key(&key, algorithm).unwrap();
                (pem, key, serde_json::to_value(jwk).unwrap())
            }
            _ => {
                let pem = include_str!("../testdata/rsa.pem").to_owned();
                let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
                let jwk = Jwk::from_encoding_key(&key, algorithm).unwrap();
                (pem, key, serde_json::to_value(jwk).unwrap())
            }
        };
        jwk["kid"] = json!(kid);
        Self {
            pem,
            kid: kid.into(),
            algorithm,
            key,
            jwk,
        }
    }

    pub fn jwk(&self) -> Value {
        self.jwk.clone()
    }

    /// A good token but for what `change` changes; a null takes a claim away.
    pub fn token(&self, change: &Value) -> String {
        self.token_with(
            &Header {
                kid: Some(self.kid.clone()),
                ..Header::new(self.algorithm)
            },
            change,
        )
    }

    pub fn token_with(&self, header: &Header, change: &Value) -> String {
        let now = clock::unix();
        let mut claims = json!({"iss": LOCAL_ISSUER, "aud": LOCAL_AUDIENCE, "sub": "ada@contoso", "iat": now, "exp": now + 600});
        for (name, value) in change.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        jsonwebtoken::encode(header, &claims, &self.key).unwrap()
    }
}

/// An issuers' file with one issuer, changed by `change`.
pub fn issuers(folder: &Folder, keys: &[&Signer], change: &Value) -> PathBuf {
    let jwks = json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()});
    folder.write("jwks.json", jwks.to_string());
    let mut issuer = json!({
        "issuer": LOCAL_ISSUER, "audience": LOCAL_AUDIENCE, "jwks_file": "jwks.json",
        "roles": ["operator", "reviewer", "service"],
    });
    for (name, value) in change.as_object().unwrap() {
        issuer[name] = value.clone();
    }
    folder.write("issuers.json", json!([issuer]).to_string())
}

/// Settings of a service on ports of the system's choice.
pub fn common(folder: &Folder, keys: &[&Signer]) -> Common {
    let issuers = issuers(folder, keys, &json!({}));
    let pairs = [
        ("LISTEN", "127.0.0.1:0"),
        ("HEALTH_LISTEN", "127.0.0.1:0"),
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"),
        ("AMQP_URL", "amqp://nobody@127.0.0.1:1"),
        ("AUTH_ISSUERS_FILE", issuers.to_str().unwrap()),
        ("LOCAL", "1"),
        ("SHUTDOWN_GRACE", "2s"),
        ("ANONYMOUS_RATE", "1"),
    ];
    Env::from_pairs(pairs)
        .read(|env| Common::read(env, 1))
        .unwrap()
}

/// Tokens of a service that mints with this key.
pub fn service_tokens(folder: &Folder, signer: &Signer, service: &'static str) -> ServiceTokens {
    let key_file = Some(folder.write("service.pem", &signer.pem));
    let identity = ServiceIdentity {
        key_file,
        key_id: signer.kid.clone(),
        ..ServiceIdentity::default()
    };
    ServiceTokens::open(&identity, service).unwrap()
}

/// A service whose GetDeadLetter does what its id says: `sleep-100`, `panic`, or anything else: what it saw.
#[derive(Clone)]
pub struct Slow;

#[tonic::async_trait]
impl DeadLetterService for Slow {
    async fn get_dead_letter(
        &self,
        request: Request<pb::GetDeadLetterRequest>,
    ) -> Result<Response<pb::GetDeadLetterResponse>, Status> {
        let timeout = request
            .metadata()
            .get("grpc-timeout")
            .map(|value| value.to_str().unwrap().to_owned());
        let principal =
            crate::identity::optional_caller(&request).map(|caller| caller.principal().to_owned());
        let id = request.into_inner().id;
        if let Some(millis) = id.strip_prefix("sleep-") {
            tokio::time::sleep(Duration::from_millis(millis.parse().unwrap())).await;
        }
        assert_ne!(id, "panic", "as asked");
        let letter = pb::DeadLetter {
            queue: principal.unwrap_or_default(),
            reason: timeout.unwrap_or_default(),
            attempts: crate::deadline::remaining()
                .map_or(0, |left| u32::try_from(left.as_millis()).unwrap()),
            ..Default::default()
        };
        Ok(Response::new(pb::GetDeadLetterResponse {
            dead_letter: Some(letter),
        }))
    }

    async fn list_dead_letters(
        &self,
        _: Request<pb::ListDeadLettersRequest>,
    ) -> Result<Response<pb::ListDeadLettersResponse>, Status> {
        Ok(Response::new(pb::ListDeadLettersResponse::default()))
    }

    async fn replay_dead_letter(
        &self,
        _: Request<pb::ReplayDeadLetterRequest>,
    ) -> Result<Response<pb::ReplayDeadLetterResponse>, Status> {
        Ok(Response::new(pb::ReplayDeadLetterResponse::default()))
    }

    async fn discard_dead_letter(
        &self,
        _: Request<pb::DiscardDeadLetterRequest>,
    ) -> Result<Response<pb::DiscardDeadLetterResponse>, Status> {
        Ok(Response::new(pb::DiscardDeadLetterResponse::default()))
    }
}
