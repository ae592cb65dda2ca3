//! Every RPC of every service × every kind of caller. The list of RPCs comes from reflection: an RPC without a row in
//! [`rows`] fails the test, and so does a row without an RPC.

mod fresh;
mod rows;
mod stage;
mod strangers;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use prost_reflect::MethodDescriptor;
use serde_json::json;
use system_tests::{HttpsServer, Marketplace, Options, SERVICES, Signer, raw, reflection};
use tonic::{Code, Status};

use rows::{ROWS, Row};
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

/// An RPC, and where it is served.
struct Rpc {
    ports: Vec<u16>,
    method: MethodDescriptor,
}

/// RO-1 … RO-8: the same answer for what one may not know of and for what isn't there.
#[tokio::test]
async fn every_rpc_lets_in_whom_it_should() -> anyhow::Result<()> {
    let crm = HttpsServer::start().await?;
    let mut environment = crm.trusted();
    environment.push(("ORDER_RESEND", "300ms".into()));
    environment.push(("INCIDENT_AFTER", "1s".into()));
    let market = Marketplace::start_with(Options {
        environment,
        ..Options::default()
    })
    .await?;
    let stage = Box::pin(Stage::set(&market, &crm.url)).await?;
    let served = served(&market).await?;
    let mut wrong = Vec::new();
    for name in served.keys() {
        if !ROWS.iter().any(|row| row.rpc == name) {
            wrong.push(format!("{name} is served and has no row"));
        }
    }
    for row in ROWS {
        match served.get(row.rpc) {
            Some(rpc) => Box::pin(cells(&market, &stage, rpc, row, &mut wrong)).await?,
            None => wrong.push(format!("{} has a row and is served by nobody", row.rpc)),
        }
    }
    Box::pin(strangers::learn_nothing(
        &market, &stage, &served, &mut wrong,
    ))
    .await?;
    assert!(
        wrong.is_empty(),
        "{} cells are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    stage.forget_dead_letters().await?;
    market.stop().await
}

/// What reflection says is served, by `Service/Method`. Dead letters and replay are served by all five, and asked of all.
async fn served(market: &Marketplace) -> anyhow::Result<BTreeMap<String, Rpc>> {
    let mut served = BTreeMap::new();
    for (service, port) in SERVICES.into_iter().zip(market.ports) {
        for method in reflection::methods(port).await? {
            let shared = method.full_name().starts_with("marketplace.messaging.");
            let name = format!("{}/{}", method.parent_service().name(), method.name());
            let rpc = served.entry(name.clone()).or_insert(Rpc {
                ports: Vec::new(),
                method,
            });
            rpc.ports.push(port);
            anyhow::ensure!(
                shared || rpc.ports.len() == 1,
                "{service} serves {name} as well"
            );
        }
    }
    Ok(served)
}

async fn cells(
    market: &Marketplace,
    stage: &Stage<'_>,
    rpc: &Rpc,
    row: &Row,
    wrong: &mut Vec<String>,
) -> anyhow::Result<()> {
    for (caller, wanted) in CALLERS.into_iter().zip(row.letters.chars()) {
        let service = row.service.unwrap_or("publishing-pipeline");
        let text = stage
            .request(row.request, wanted == '+', subject(caller, service))
            .await?;
        let token = token(market, caller, service)?;
        // What only one service has is asked of that one: of the last.
        let one = wanted == '+' && row.request.contains("{fresh_");
        let skipped = if one { rpc.ports.len() - 1 } else { 0 };
        for port in &rpc.ports[skipped..] {
            let answer = rpc.call(*port, &text, token.as_deref()).await?;
            let got = letter(&answer);
            if got != wanted {
                wrong.push(format!(
                    "{}: {caller} gets {got} instead of {wanted}: {answer:?}\n    {text}",
                    row.rpc
                ));
            }
        }
    }
    Ok(())
}

impl Rpc {
    async fn call(
        &self,
        port: u16,
        text: &str,
        token: Option<&str>,
    ) -> anyhow::Result<Result<Bytes, Status>> {
        let service = self.method.parent_service();
        let path = format!("/{}/{}", service.full_name(), self.method.name());
        let messages = reflection::requests(&self.method, text)?;
        if !self.method.is_server_streaming() {
            return Ok(raw::call(port, &path, messages, token).await);
        }
        let open = raw::open_on(raw::channel(port)?, &path, messages, token);
        let mut answers = match tokio::time::timeout(Duration::from_secs(30), open).await? {
            Ok(answers) => answers,
            refused => return Ok(refused.map(|_| Bytes::new())),
        };
        // Its caller is let in; it may have nothing to say yet.
        let first = tokio::time::timeout(Duration::from_secs(1), answers.message()).await;
        Ok(first.unwrap_or(Ok(None)).map(Option::unwrap_or_default))
    }
}

fn letter(answer: &Result<Bytes, Status>) -> char {
    match answer.as_ref().map_err(Status::code) {
        Ok(_) => '+',
        Err(Code::Unauthenticated) => 'U',
        Err(Code::NotFound) => 'N',
        Err(Code::PermissionDenied) => 'D',
        Err(_) => '?',
    }
}

fn token(market: &Marketplace, caller: &str, service: &str) -> anyhow::Result<Option<String>> {
    let signer = &market.signer;
    let subject = subject(caller, service);
    let now = marketplace_runtime::clock::now().unix_timestamp();
    Ok(Some(match caller {
        "no token" => return Ok(None),
        "expired" => signer.token(subject, &json!({"iat": now - 4_000, "exp": now - 400})),
        "wrong issuer" => {
            Signer::new()?.token(subject, &json!({"iss": "https://elsewhere.example"}))
        }
        "reviewer" | "reviewer with an interest" => {
            signer.token(subject, &json!({"roles": ["reviewer"]}))
        }
        "operator" => signer.token(subject, &json!({"roles": ["operator"]})),
        "service" => signer.token(subject, &json!({"roles": ["service"]})),
        "customer" => signer.token(
            subject,
            &json!({"email": "carl@customer.example", "email_verified": true}),
        ),
        _ => signer.token(subject, &json!({})),
    }))
}

/// Who that is.
fn subject<'a>(caller: &str, service: &'a str) -> &'a str {
    match caller {
        "other publisher" => "olga",
        "marketer" => "max",
        "developer" => "dev",
        "manager" => "mia",
        "reviewer" => "rita",
        "reviewer with an interest" => "ivan",
        "operator" => "oscar",
        "service" => service,
        "customer" => "carl",
        _ => "ada",
    }
}
