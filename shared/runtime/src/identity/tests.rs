//! Every kind of token, and what becomes of it.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::clock;
use crate::config::AuthConfig;
use crate::testing::{Folder, Signer, issuers, service_tokens};

async fn identity(folder: &Folder, keys: &[&Signer], change: &Value, local: bool) -> Identity {
    let issuers_file = issuers(folder, keys, change);
    Identity::load(&AuthConfig {
        issuers_file,
        local,
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_good_token_of_each_algorithm_is_its_caller() {
    let folder = Folder::new();
    for algorithm in [Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256] {
        let signer = Signer::new(algorithm, "key-1");
        let identity = identity(&folder, &[&signer], &json!({}), false).await;
        let token = signer.token(&json!({}));
        assert!(identity.remembered(&token).is_none());
        let caller = identity.verify(&token).await.unwrap();
        assert_eq!(
            caller.principal(),
            "https://local.marketplace|ada@contoso",
            "{algorithm:?}"
        );
        assert_eq!(caller.roles, PlatformRoles::default());
        assert_eq!(identity.remembered(&token).as_deref(), Some(&*caller));
    }
}

#[tokio::test]
async fn every_bad_token_is_refused_for_its_reason() {
    let folder = Folder::new();
    let signer = Signer::new(Algorithm::EdDSA, "key-1");
    let stranger = Signer::new(Algorithm::EdDSA, "key-1");
    let identity = identity(&folder, &[&signer], &json!({}), false).await;
    let now = clock::unix();
    let header = |kid: Option<&str>| Header {
        kid: kid.map(Into::into),
        ..Header::new(Algorithm::EdDSA)
    };
    let good = signer.token(&json!({}));
    let (body, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = body.split_once('.').unwrap();
    let other_body = signer.token(&json!({"sub": "eve"}));
    let swapped = format!(
        "{head}.{}.{signature}",
        other_body.split('.').nth(1).unwrap()
    );
    let unsigned = "eyJhbGciOiJub25lIiwia2lkIjoia2V5LTEifQ";
    let hmac_header = Header {
        kid: Some("key-1".into()),
        ..Header::new(Algorithm::HS256)
    };
    let hmac = jsonwebtoken::encode(
        &hmac_header,
        &json!({"iss": "https://local.marketplace"}),
        &EncodingKey::from_secret(b"x"),
    )
    .unwrap();
    let critical = Header {
        crit: Some(vec!["b64".into()]),
        ..header(Some("key-1"))
    };
    let table = [
        ("empty", String::new(), "no JSON Web Token"),
        ("two parts", body.to_owned(), "no JSON Web Token"),
        ("not base64", "a.b.c".to_owned(), "no JSON Web Token"),
        (
            "alg none",
            format!("{unsigned}.{}.", body.split_once('.').unwrap().1),
            "no JSON Web Token",
        ),
        ("alg of a shared secret", hmac, "algorithm"),
        ("body swapped", swapped, "signature"),
        (
            "another's key under our kid",
            stranger.token(&json!({})),
            "signature",
        ),
        (
            "no kid",
            signer.token_with(&header(None), &json!({})),
            "kid",
        ),
        (
            "unknown kid",
            signer.token_with(&header(Some("key-2")), &json!({})),
            "no such key",
        ),
        (
            "local kid",
            signer.token_with(&header(Some("local-1")), &json!({})),
            "LOCAL=1",
        ),
        (
            "critical extension",
            signer.token_with(&critical, &json!({})),
            "critical",
        ),
        ("no issuer", signer.token(&json!({"iss": null})), "issuer"),
        (
            "unknown issuer",
            signer.token(&json!({"iss": "https://evil.example"})),
            "issuer",
        ),
        ("no audience", signer.token(&json!({"aud": null})), "lacks"),
        (
            "another audience",
            signer.token(&json!({"aud": "billing"})),
            "somebody else",
        ),
        ("no subject", signer.token(&json!({"sub": null})), "lacks"),
        ("empty subject", signer.token(&json!({"sub": ""})), "sub"),
        (
            "long subject",
            signer.token(&json!({"sub": "x".repeat(256)})),
            "sub",
        ),
        ("no end", signer.token(&json!({"exp": null})), "lacks"),
        (
            "lives too long",
            signer.token(&json!({"exp": now + 3_700})),
            "longer than an hour",
        ),
        (
            "lives too long, no beginning",
            signer.token(&json!({"iat": null, "exp": now + 3_700})),
            "longer than an hour",
        ),
        (
            "issued long ago for long",
            signer.token(&json!({"iat": now - 3_000, "exp": now + 700})),
            "longer than an hour",
        ),
        (
            "not yet",
            signer.token(&json!({"nbf": now + 300})),
            "not come",
        ),
        (
            "issued in the future",
            signer.token(&json!({"iat": now + 300})),
            "not come",
        ),
        ("far too long", "x".repeat(20_000), "too long"),
    ];
    for (name, token, expected) in table {
        match identity.verify(&token).await {
            Err(Rejection::Invalid(why)) => assert!(why.contains(expected), "{name}: {why}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    for exp in [now, now - 1, now - 10_000] {
        let token = signer.token(&json!({"iat": exp - 60, "exp": exp}));
        assert_eq!(
            identity.verify(&token).await.unwrap_err(),
            Rejection::Expired
        );
    }
}

#[tokio::test]
async fn a_key_is_for_its_own_algorithm_only() {
    let folder = Folder::new();
    let (ed, ec) = (
        Signer::new(Algorithm::EdDSA, "ed"),
        Signer::new(Algorithm::ES256, "ec"),
    );
    let identity = identity(&folder, &[&ed, &ec], &json!({}), false).await;
    let header = Header {
        kid: Some("ed".into()),
        ..Header::new(Algorithm::ES256)
    };
    let confused = ec.token_with(&header, &json!({}));
    assert!(
        matches!(identity.verify(&confused).await, Err(Rejection::Invalid(why)) if why.contains("algorithm"))
    );
}

#[tokio::test]
async fn local_keys_count_with_local_only() {
    let folder = Folder::new();
    let signer = Signer::new(Algorithm::EdDSA, "local-1");
    let token = signer.token(&json!({}));
    assert!(
        identity(&folder, &[&signer], &json!({}), true)
            .await
            .verify(&token)
            .await
            .is_ok()
    );
    assert!(
        identity(&folder, &[&signer], &json!({}), false)
            .await
            .verify(&token)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn roles_count_as_far_as_the_issuer_may_grant_them() {
    let folder = Folder::new();
    let signer = Signer::new(Algorithm::EdDSA, "key-1");
    let all = json!({"roles": ["operator", "reviewer", "service", "emperor"], "sub": "publishing-pipeline"});
    let roles = |operator, reviewer, service| PlatformRoles {
        operator,
        reviewer,
        service,
    };
    for (may_grant, expected) in [
        (json!([]), roles(false, false, false)),
        (json!(["reviewer"]), roles(false, true, false)),
        (
            json!(["operator", "reviewer", "service"]),
            roles(true, true, true),
        ),
    ] {
        let identity = identity(&folder, &[&signer], &json!({"roles": may_grant}), false).await;
        let caller = identity.verify(&signer.token(&all)).await.unwrap();
        assert_eq!(caller.roles, expected, "{may_grant}");
        assert_eq!(
            caller.service.as_deref(),
            expected.service.then_some("publishing-pipeline")
        );
    }
}

#[tokio::test]
async fn a_service_account_is_the_service_it_is_named_after() {
    let folder = Folder::new();
    let signer = Signer::new(Algorithm::RS256, "k8s");
    let prefix = json!({"service_prefix": "system:serviceaccount:marketplace:"});
    let identity = identity(&folder, &[&signer], &prefix, false).await;
    for (subject, expected) in [
        ("system:serviceaccount:marketplace:history", Some("history")),
        ("system:serviceaccount:evil:history", None),
        ("history", None),
        ("system:serviceaccount:marketplace:", None),
    ] {
        // A role claim is not enough where service accounts are named by prefix.
        let token = signer.token(&json!({"sub": subject, "roles": ["service"]}));
        assert_eq!(
            identity.verify(&token).await.unwrap().service.as_deref(),
            expected,
            "{subject}"
        );
    }
}

#[tokio::test]
async fn customers_claims_count_where_the_issuer_entry_names_them() {
    let folder = Folder::new();
    let signer = Signer::new(Algorithm::EdDSA, "key-1");
    let claims = json!({"claims": {"tenant": "tid", "subscriptions": "subs"}});
    let identity = identity(&folder, &[&signer], &claims, false).await;
    let said = |verified: Value| json!({"email": "a@b.example", "email_verified": verified, "tid": "t1", "subs": ["s1", "s2"], "name": "Ada"});
    let caller = identity
        .verify(&signer.token(&said(json!(true))))
        .await
        .unwrap();
    assert_eq!(caller.email.as_deref(), Some("a@b.example"));
    assert_eq!(
        (caller.tenant.as_deref(), caller.subscriptions.len()),
        (Some("t1"), 2)
    );
    assert_eq!(
        identity
            .verify(&signer.token(&said(json!(false))))
            .await
            .unwrap()
            .email,
        None
    );
    assert_eq!(
        identity
            .verify(&signer.token(&said(Value::Null)))
            .await
            .unwrap()
            .email,
        None
    );
}

#[tokio::test]
async fn a_wrong_issuers_file_says_what_is_wrong() {
    let folder = Folder::new();
    let signer = Signer::new(Algorithm::EdDSA, "key-1");
    let table = [
        (json!({"issuer": "a|b"}), "|"),
        (json!({"audience": ""}), "audience"),
        (json!({"jwks_url": "https://issuer.example/jwks"}), "either"),
        (json!({"service_prefix": ""}), "service_prefix"),
        (json!({"service_prefix": "x:", "roles": []}), "service"),
        (json!({"jwks_file": "missing.json"}), "keys of"),
        (json!({"roles": ["emperor"]}), "malformed"),
        (json!({"colour": "red"}), "malformed"),
    ];
    for (change, expected) in table {
        let config = AuthConfig {
            issuers_file: issuers(&folder, &[&signer], &change),
            local: true,
        };
        let error = Identity::load(&config).await.err().unwrap().to_string();
        assert!(
            error.starts_with("AUTH_ISSUERS_FILE") && error.contains(expected),
            "{change}: {error}"
        );
    }
    let config = AuthConfig {
        issuers_file: folder.0.join("none.json"),
        local: true,
    };
    assert!(
        Identity::load(&config)
            .await
            .err()
            .unwrap()
            .to_string()
            .contains("can't be read")
    );
}

/// A key server that counts how often it is asked and answers what it is told.
async fn key_server(
    answers: tokio::sync::watch::Receiver<Option<String>>,
) -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = asked.clone();
    let serve = async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let mut seen = [0; 2_048];
            let _ = stream.read(&mut seen).await;
            let (code, body) = match &*answers.borrow() {
                Some(body) => ("200 OK", body.clone()),
                None => ("503 Away", String::new()),
            };
            let answer = format!(
                "HTTP/1.1 {code}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    };
    crate::testing::background(serve);
    (url, asked)
}

#[tokio::test]
async fn an_unknown_kid_is_asked_for_at_most_every_30_seconds() {
    let folder = Folder::new();
    let (old, new) = (
        Signer::new(Algorithm::EdDSA, "old"),
        Signer::new(Algorithm::EdDSA, "new"),
    );
    let set = |keys: &[&Signer]| {
        json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()}).to_string()
    };
    let (answer, answers) = tokio::sync::watch::channel(Some(set(&[&old])));
    let (url, asked) = key_server(answers).await;
    let identity = identity(
        &folder,
        &[&old],
        &json!({"jwks_file": null, "jwks_url": url}),
        false,
    )
    .await;
    let count = || asked.load(std::sync::atomic::Ordering::SeqCst);
    assert!(identity.verify(&old.token(&json!({}))).await.is_ok());
    assert_eq!(count(), 1);
    // A new key within 30 s: refused, and the issuer is not asked, however often somebody tries.
    answer.send(Some(set(&[&old, &new]))).unwrap();
    for _ in 0..50 {
        assert!(matches!(
            identity.verify(&new.token(&json!({}))).await,
            Err(Rejection::Invalid(_))
        ));
    }
    assert_eq!(count(), 1);
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    tokio::time::resume();
    assert!(identity.verify(&new.token(&json!({}))).await.is_ok());
    assert_eq!(count(), 2);
    // A key taken back ends when the set is read again.
    answer.send(Some(set(&[&new]))).unwrap();
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(301)).await;
    tokio::time::resume();
    assert!(matches!(
        identity.verify(&old.token(&json!({"sub": "again"}))).await,
        Err(Rejection::Invalid(_))
    ));
}

#[tokio::test]
async fn an_issuer_that_is_away_makes_tokens_unverifiable_not_wrong() {
    let folder = Folder::new();
    let signer = Signer::new(Algorithm::EdDSA, "key-1");
    let (_answer, answers) = tokio::sync::watch::channel(None);
    let (url, _) = key_server(answers).await;
    let identity = identity(
        &folder,
        &[&signer],
        &json!({"jwks_file": null, "jwks_url": url}),
        false,
    )
    .await;
    assert_eq!(
        identity
            .verify(&signer.token(&json!({})))
            .await
            .unwrap_err(),
        Rejection::Unavailable
    );
}

#[tokio::test]
async fn a_minted_service_token_is_the_service() {
    let folder = Folder::new();
    let signer = Signer::new(Algorithm::EdDSA, "local-1");
    let identity = identity(&folder, &[&signer], &json!({}), true).await;
    let header = service_tokens(&folder, &signer, "certification")
        .header()
        .unwrap();
    let token = header
        .to_str()
        .unwrap()
        .strip_prefix("Bearer ")
        .unwrap()
        .to_owned();
    let caller = identity.verify(&token).await.unwrap();
    assert_eq!(
        (caller.service.as_deref(), caller.roles.service),
        (Some("certification"), true)
    );
}

#[tokio::test(start_paused = true)]
async fn a_rotated_token_file_is_read_again() {
    let folder = Folder::new();
    let token_file = Some(folder.write("token", "first\n"));
    let identity = crate::config::ServiceIdentity {
        token_file,
        ..Default::default()
    };
    let tokens = ServiceTokens::open(&identity, "history").unwrap();
    assert_eq!(tokens.header().unwrap(), "Bearer first");
    folder.write("token", "second");
    assert_eq!(tokens.header().unwrap(), "Bearer first");
    tokio::time::advance(std::time::Duration::from_secs(61)).await;
    assert_eq!(tokens.header().unwrap(), "Bearer second");
    let none = ServiceTokens::open(&crate::config::ServiceIdentity::default(), "history");
    assert!(
        none.err()
            .unwrap()
            .to_string()
            .contains("SERVICE_TOKEN_FILE")
    );
}
