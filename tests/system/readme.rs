//! The README's commands, word for word: the lines between `<!-- executed: … -->` and the end of their block.

use std::process::Stdio;

use system_tests::{Marketplace, SERVICES, binary, repository};

/// Every service is listed, described and called by the real grpcurl.
#[tokio::test]
async fn the_lines_of_the_readme_do_what_they_say() -> anyhow::Result<()> {
    let market = Marketplace::start().await?;
    // What `deploy/local/up` has done by then.
    let setup = "marketctl --as oscar@marketplace --role operator publisher create contoso --display-name Contoso \
        --owner ada@contoso --owner-name 'Ada Larsen' --enrolled --agreement-version 2026-01 --membership-active \
        --vetting-authorized --tax-profile-valid --payout-profile-valid\n\
        marketctl --as ada@contoso apply -f ../deploy/local/samples\n\
        marketctl --as ada@contoso publish contoso/grafana-hosted --file ../deploy/local/samples/grafana-hosted/offer.yaml --wait\n\
        marketctl --as ada@contoso go-live contoso/grafana-hosted --acknowledge-warnings\n\
        marketctl --as ada@contoso watch contoso/grafana-hosted\n\
        marketctl --as rita@marketplace --role reviewer review approve contoso/grafana-hosted --claim --pass-pending\n\
        marketctl --as ada@contoso watch contoso/grafana-hosted\n";
    run(&market, setup).await?;
    let said = run(&market, &block("reads")?).await?;
    for wanted in [
        "marketplace.offercatalog.v1.OfferService",
        "OFFER_STATUS_LIVE",
        "Hosted Grafana dashboards and alerting",
    ] {
        assert!(said.contains(wanted), "{wanted} is not in:\n{said}");
    }
    let said = run(&market, &block("dry run")?).await?;
    for wanted in [
        "nothing was found that would keep it from being published",
        "DRY_RUN_STATE_RUNNING",
    ] {
        assert!(said.contains(wanted), "{wanted} is not in:\n{said}");
    }
    let said = run(&market, &block("publish")?).await?;
    for wanted in [
        "Valkey key-value store for Azure Kubernetes Service",
        "Sign-off to go live",
        "Final publish",
    ] {
        assert!(said.contains(wanted), "{wanted} is not in:\n{said}");
    }
    for (service, port) in SERVICES.into_iter().zip(market.ports) {
        let describe = format!(
            "for s in $(grpcurl -plaintext localhost:{port} list); do grpcurl -plaintext localhost:{port} describe $s; done\n\
             grpcurl -plaintext localhost:{port} grpc.health.v1.Health/Check\n"
        );
        let said = run(&market, &describe).await?;
        let (method, request, answer) = call(service);
        let token = "-H \"authorization: Bearer $(marketctl token --as ada@contoso)\"";
        let line = format!("grpcurl -plaintext {token} -d '{request}' localhost:{port} {method}\n");
        let said = said + &run(&market, &line).await?;
        for wanted in [
            "DeadLetterService is a service",
            "EventService is a service",
            "SERVING",
            answer,
        ] {
            assert!(
                said.contains(wanted),
                "{service}: {wanted} is not in:\n{said}"
            );
        }
    }
    market.stop().await
}

/// A call to a service, and something of its answer.
fn call(service: &str) -> (&'static str, &'static str, &'static str) {
    match service {
        "offer-catalog" => (
            "marketplace.offercatalog.v1.OfferService/ListOfferTypes",
            "{}",
            "softwareAsAService",
        ),
        "certification" => (
            "marketplace.certification.v1.CertificationService/ListPolicies",
            "{}",
            "policies/100.1.3",
        ),
        "publishing-pipeline" => (
            "marketplace.publishing.v1.PublishingService/GetPublication",
            r#"{"offer": "publishers/contoso/offers/valkey-container"}"#,
            "OFFER_STATUS_LIVE",
        ),
        "history" => (
            "marketplace.history.v1.HistoryService/ListFacets",
            r#"{"parent": "publishers/contoso/offers/valkey-container"}"#,
            "Ada Larsen",
        ),
        _ => (
            "marketplace.notification.v1.ActionCenterService/ListActionItems",
            "{}",
            "NOTIFICATION_CODE_OFFER_LIVE",
        ),
    }
}

/// The shell block that follows the mark.
fn block(name: &str) -> anyhow::Result<String> {
    let readme = std::fs::read_to_string(repository().join("README.md"))?;
    let marked = readme
        .split_once(&format!("<!-- executed: {name} -->\n```sh\n"))
        .map(|(_, rest)| rest);
    let lines = marked
        .and_then(|rest| rest.split_once("\n```"))
        .map(|(lines, _)| lines.to_owned());
    lines.ok_or_else(|| anyhow::anyhow!("the README has no block {name}"))
}

/// Runs lines as they are, but for the addresses, which are those of this test.
async fn run(market: &Marketplace, lines: &str) -> anyhow::Result<String> {
    let mut text = lines.replace(". .local/env\n", "");
    for (i, port) in market.ports.into_iter().enumerate() {
        text = text.replace(
            &format!("localhost:{}", 7001 + i),
            &format!("localhost:{port}"),
        );
    }
    let programs = binary("marketctl")?;
    let path = std::env::var("PATH")?;
    let mut shell = tokio::process::Command::new("bash");
    shell
        .args(["-euo", "pipefail", "-c", &text])
        .env(
            "PATH",
            format!(
                "{}:{path}",
                programs.parent().unwrap_or(&programs).display()
            ),
        )
        .envs(market.marketctl_environment())
        .stdin(Stdio::null());
    let done = shell.output().await?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    anyhow::ensure!(
        done.status.success(),
        "{text}\n{said}\n{}",
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(said)
}
