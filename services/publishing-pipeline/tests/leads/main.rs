//! Leads to a real HTTPS endpoint: what counts as delivered.

use marketplace_proto::offercatalog::v1::{
    HttpsDestination, LeadDestination, OpenLeadSecretResponse, lead_destination::Destination,
};
use marketplace_runtime::clock;
use marketplace_runtime::outbound::Outbound;
use publishing_pipeline::domain::StepId;
use publishing_pipeline::leads::{Delivery, Hosts, Lead, Leads};
use system_tests::{Answer, HttpsServer};
use uuid::Uuid;

fn opened(url: String) -> OpenLeadSecretResponse {
    let destination = Destination::HttpsEndpoint(HttpsDestination { url });
    OpenLeadSecretResponse {
        destination: Some(LeadDestination {
            destination: Some(destination),
            ..Default::default()
        }),
        ..Default::default()
    }
}

#[tokio::test]
async fn ld5_a_lead_that_a_redirect_takes_away_is_not_delivered() {
    let crm = HttpsServer::start().await.unwrap();
    let trusted = crm.trusted();
    let (_, ca) = trusted
        .iter()
        .find(|(name, _)| *name == "OUTBOUND_CA_FILE")
        .unwrap();
    let pem = std::fs::read(ca).unwrap();
    let allow = ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    let outbound = Outbound::new(&allow, Some(&pem)).unwrap();
    let nowhere = "https://localhost:1".parse::<url::Url>().unwrap();
    let hosts = Hosts {
        login: nowhere.clone(),
        salesforce: nowhere,
        marketo: "localhost".into(),
    };
    let leads = Leads::new(outbound, hosts);
    let opened = opened(format!("{}/leads", crm.url));
    let lead = Lead::test(Uuid::from_u128(1), StepId::LeadManagement, &opened);
    for (status, arrives) in [
        (301, false),
        (302, false),
        (303, false),
        (307, true),
        (308, true),
    ] {
        let mut moved = Answer::status(status);
        moved
            .headers
            .push(("location", format!("{}/login", crm.url)));
        crm.script([moved]);
        let delivery = leads.deliver(&opened, &lead, clock::now()).await;
        if arrives {
            assert!(matches!(delivery, Delivery::Accepted(_)), "{delivery:?}");
            let last = crm.received().pop().unwrap();
            assert!(!last.body.is_empty(), "{status} keeps the lead");
        } else {
            assert!(matches!(delivery, Delivery::Refused(_)), "{delivery:?}");
        }
    }
}
