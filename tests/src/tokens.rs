//! Tokens of everybody in a story: members, reviewers, operators, services, customers.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// The issuer of people, and of the services, in tests; as on a developer's machine.
pub const ISSUER: &str = "https://local.marketplace";
/// What tokens are for.
pub const AUDIENCE: &str = "marketplace";

/// The key that signs every token of a test, as `deploy/local/up` makes one.
pub struct Signer {
    key: EncodingKey,
    /// PKCS #8 PEM.
    pub pem: String,
    /// The issuers' file's keys.
    pub jwks: Value,
}

impl Signer {
    /// A fresh Ed25519 key.
    pub fn new() -> anyhow::Result<Self> {
        use base64::Engine as _;
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519)?;
        let pem = pair.serialize_pem();
        let x = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(pair.public_key_raw());
        let jwks = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "local-1", "x": x}]});
        Ok(Self {
            key: EncodingKey::from_ed_pem(pem.as_bytes())?,
            pem,
            jwks,
        })
    }

    /// A token with these claims on top of the usual ones (which may be overwritten).
    pub fn token(&self, subject: &str, extra: &Value) -> String {
        let now = marketplace_runtime::clock::now().unix_timestamp();
        let mut claims =
            json!({"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 3_000});
        for (name, value) in extra.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        let header = Header {
            kid: Some("local-1".into()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, &claims, &self.key)
            .expect("claims are JSON and the key is a key")
    }
}
