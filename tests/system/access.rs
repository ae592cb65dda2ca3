//! Every RPC of every service × every kind of caller. The list of RPCs comes from reflection: an RPC without a row in
//! [`rows`] fails the test, and so does a row without an RPC.

mod rows;
mod stage;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use system_tests::{Marketplace, SERVICES, Signer, raw, reflection};
use tonic::Code;

use rows::ROWS;
use stage::Stage;

/// Kinds of callers, in the order of a row's letters. All targets belong to the publisher contoso.
const CALLERS: [&str; 13] = [
    "no token",
    "expired",
    "wrong issuer",
    "other publisher",
    "marketer",
    "developer",
    "manager",
    "owner",
    "reviewer",
    "reviewer with an interest",
    "operator",
    "service",
    "customer",
];

/// RO-1 … RO-8: the same answer for what one may not know of and for what isn't there.
#[tokio::test]
async fn every_rpc_lets_in_whom_it_should() -> anyhow::Result<()> {
    let market = Marketplace::start().await?;
    let stage = Stage::set(&market).await?;
    let mut wrong = Vec::new();
    let mut served = BTreeSet::new();
    for (service, port) in SERVICES.into_iter().zip(market.ports) {
        for method in reflection::methods(port).await? {
            // Dead letters and replay are served by all five and are the same code: one service stands for all.
            let shared = method.full_name().starts_with("marketplace.messaging.");
            let name = format!("{}/{}", method.parent_service().name(), method.name());
            let Some(row) = ROWS.iter().find(|row| row.rpc == name) else {
                wrong.push(format!("{service} serves {name}, which has no row"));
                continue;
            };
            if !served.insert(name.clone()) && shared {
                continue;
            }
            let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
            for (caller, wanted) in CALLERS.into_iter().zip(row.letters.chars()) {
                let text = stage.request(row.request, wanted == '+').await?;
                let message = reflection::request(&method, &text)?;
                let subject = row.service.unwrap_or("publishing-pipeline");
                let token = token(&market, caller, subject)?;
                let call = raw::call(port, &path, message, token.as_deref());
                // A stream that has nothing to say yet has let its caller in.
                let answer = tokio::time::timeout(Duration::from_secs(3), call)
                    .await
                    .unwrap_or(Ok(bytes::Bytes::new()));
                let got = letter(&answer.as_ref().map(|_| ()));
                if got != wanted {
                    wrong.push(format!(
                        "{name}: {caller} gets {got} instead of {wanted}: {answer:?}\n    {text}"
                    ));
                }
            }
        }
    }
    for row in ROWS.iter().filter(|row| !served.contains(row.rpc)) {
        wrong.push(format!("{} has a row and is served by nobody", row.rpc));
    }
    assert!(
        wrong.is_empty(),
        "{} cells are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    market.stop().await
}

fn letter(answer: &Result<(), &tonic::Status>) -> char {
    match answer.map_err(tonic::Status::code) {
        Ok(()) => '+',
        Err(Code::Unauthenticated) => 'U',
        Err(Code::NotFound) => 'N',
        Err(Code::PermissionDenied) => 'D',
        Err(_) => '?',
    }
}

fn token(market: &Marketplace, caller: &str, service: &str) -> anyhow::Result<Option<String>> {
    let signer = &market.signer;
    let now = marketplace_runtime::clock::now().unix_timestamp();
    Ok(Some(match caller {
        "no token" => return Ok(None),
        "expired" => signer.token("ada", &json!({"iat": now - 4_000, "exp": now - 400})),
        "wrong issuer" => Signer::new()?.token("ada", &json!({"iss": "https://elsewhere.example"})),
        "other publisher" => signer.token("olga", &json!({})),
        "marketer" => signer.token("max", &json!({})),
        "developer" => signer.token("dev", &json!({})),
        "manager" => signer.token("mia", &json!({})),
        "owner" => signer.token("ada", &json!({})),
        "reviewer" => signer.token("rita", &json!({"roles": ["reviewer"]})),
        "reviewer with an interest" => signer.token("ivan", &json!({"roles": ["reviewer"]})),
        "operator" => signer.token("oscar", &json!({"roles": ["operator"]})),
        "service" => signer.token(service, &json!({"roles": ["service"]})),
        _ => signer.token(
            "carl",
            &json!({"email": "carl@customer.example", "email_verified": true}),
        ),
    }))
}
