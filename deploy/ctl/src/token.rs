//! Tokens for a local system, minted with its key. Services take them with LOCAL=1 only.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use time::{Duration, OffsetDateTime};

use crate::cli::{Globals, PlatformRole};
use crate::error::Error;

/// The issuer of tokens that are minted here.
pub const ISSUER: &str = "https://local.marketplace";
const AUDIENCE: &str = "marketplace";
/// The longest life that services accept.
const LIFE: Duration = Duration::hours(1);

/// A token and when it ends.
pub struct Minted {
    pub token: String,
    pub expires: OffsetDateTime,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    roles: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

/// A token for `--as`, with the roles and the address of the options.
pub fn mint(globals: &Globals, now: OffsetDateTime) -> Result<Minted, Error> {
    let subject = globals.as_subject.as_deref();
    let subject = subject
        .ok_or_else(|| Error::usage("whose token? give --as NAME, for example --as ada@contoso"))?;
    let file = globals.key_file.as_deref();
    let file = file.ok_or_else(|| {
        Error::usage("--as needs the local signing key: give --key-file or MARKETCTL_KEY_FILE")
    })?;
    let pem = std::fs::read(file)
        .map_err(|source| Error::io(format!("key file {}", file.display()), source))?;
    let key = EncodingKey::from_ed_pem(&pem).map_err(|_| {
        Error::usage(format!(
            "{} is no Ed25519 key in PKCS #8 PEM",
            file.display()
        ))
    })?;
    let expires = now + LIFE;
    let claims = Claims {
        iss: ISSUER,
        aud: AUDIENCE,
        sub: subject,
        iat: now.unix_timestamp(),
        exp: expires.unix_timestamp(),
        roles: globals
            .as_roles
            .iter()
            .map(|role| role_name(*role))
            .collect(),
        email: globals.email.as_deref(),
        email_verified: globals.email.as_ref().map(|_| true),
    };
    let header = Header {
        kid: Some(globals.key_id.clone()),
        ..Header::new(Algorithm::EdDSA)
    };
    let token = jsonwebtoken::encode(&header, &claims, &key)
        .map_err(|e| Error::usage(format!("can't sign: {e}")))?;
    Ok(Minted { token, expires })
}

fn role_name(role: PlatformRole) -> &'static str {
    match role {
        PlatformRole::Operator => "operator",
        PlatformRole::Reviewer => "reviewer",
    }
}

/// "{issuer}|{subject}" of somebody who signs in with a local token; a text with a `|` is one already.
pub fn principal(text: &str) -> String {
    if text.contains('|') {
        text.to_owned()
    } else {
        format!("{ISSUER}|{text}")
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use clap::Parser;
    use serde_json::Value;

    use super::*;
    use crate::cli::Cli;

    /// PKCS #8 around any 32 bytes is an Ed25519 key.
    fn pem() -> String {
        let der = [
            hex::decode("302e020100300506032b657004220420").unwrap(),
            vec![7; 32],
        ]
        .concat();
        format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            BASE64_STANDARD.encode(der)
        )
    }

    fn globals(words: &[&str]) -> Globals {
        let words = ["marketctl"].iter().chain(words).chain(&["token"]);
        Cli::try_parse_from(words).unwrap().globals
    }

    #[test]
    fn the_claims_are_those_that_services_read() {
        let path = std::env::temp_dir().join(format!("marketctl-key-{}.pem", std::process::id()));
        std::fs::write(&path, pem()).unwrap();
        let file = path.to_str().unwrap();
        let words = [
            "--as",
            "rita@contoso",
            "--role",
            "reviewer",
            "--email",
            "rita@example.org",
            "--key-file",
            file,
        ];
        let now = OffsetDateTime::from_unix_timestamp(1_900_000_000).unwrap();
        let minted = mint(&globals(&words), now).unwrap();
        std::fs::remove_file(&path).unwrap();

        assert_eq!(minted.expires, now + Duration::hours(1));
        assert_eq!(
            jsonwebtoken::decode_header(&minted.token)
                .unwrap()
                .kid
                .as_deref(),
            Some("local-1")
        );
        let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(&minted.token).unwrap();
        let wanted = serde_json::json!({
            "iss": "https://local.marketplace", "aud": "marketplace", "sub": "rita@contoso", "iat": 1_900_000_000,
            "exp": 1_900_003_600, "roles": ["reviewer"], "email": "rita@example.org", "email_verified": true,
        });
        assert_eq!(claims, wanted);
    }

    #[test]
    fn what_is_missing_is_named() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let error = mint(&globals(&[]), now).err().unwrap().to_string();
        assert!(error.contains("--as"), "{error}");
        let error = mint(
            &globals(&["--as", "ada", "--key-file", "/nonexistent.pem"]),
            now,
        )
        .err()
        .unwrap()
        .to_string();
        assert!(error.contains("/nonexistent.pem"), "{error}");
    }

    #[test]
    fn a_principal_is_the_local_issuers_unless_it_names_its_own() {
        assert_eq!(
            principal("ada@contoso"),
            "https://local.marketplace|ada@contoso"
        );
        assert_eq!(principal("https://id.example|7"), "https://id.example|7");
    }
}
