//! The destinations of one publisher, at a server that behaves as the services behind them do.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use marketplace_proto::offercatalog::v1::{
    DynamicsDestination, EntraAuthentication, HttpsDestination, LeadDestination,
    MarketoDestination, OpenLeadSecretResponse, SalesforceDestination, TableDestination,
    dynamics_destination::Authentication, lead_destination::Destination,
};
use marketplace_runtime::clock;
use marketplace_runtime::outbound::{Lookup, Outbound};
use publishing_pipeline::domain::StepId;
use publishing_pipeline::leads::{Delivery, Hosts, Lead, Leads};
use system_tests::{Crm, keys};
use uuid::Uuid;

/// What no text may hold that is shown or logged.
const SECRETS: [&str; 7] = [
    keys::ACCOUNT,
    keys::APPLICATION_KEY,
    keys::CLIENT_SECRET,
    "bearer-of",
    "SharedKey",
    "hook=secret",
    "AADSTS",
];
/// Where the server is; everything else on loopback is as private as any other address.
pub const HOME: &str = "127.0.0.1";
/// Where nobody may call.
pub const PRIVATE: &str = "127.0.0.2";

/// A kind of destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Https,
    Table,
    Dynamics,
    Marketo,
    Salesforce,
}

impl Kind {
    pub const ALL: [Kind; 5] = [
        Kind::Https,
        Kind::Table,
        Kind::Dynamics,
        Kind::Marketo,
        Kind::Salesforce,
    ];
    /// Those that want a token first.
    pub const WITH_TOKEN: [Kind; 2] = [Kind::Dynamics, Kind::Marketo];

    /// The host that leads go to.
    pub fn host(self) -> &'static str {
        match self {
            Kind::Https => "hooks.crm.test",
            Kind::Table => "contoso.table.crm.test",
            Kind::Dynamics => "contoso.crm.test",
            Kind::Marketo => "123-abc-456.crm.test",
            Kind::Salesforce => "webto.crm.test",
        }
    }
}

/// Names and the addresses that they have, one a look-up; the last one stays. Others are at home.
#[derive(Default)]
struct Names(Mutex<HashMap<String, Vec<&'static str>>>);

impl Lookup for Names {
    fn lookup(&self, name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let mut names = self.0.lock().unwrap();
        let address = match names.get_mut(&name) {
            Some(addresses) if addresses.len() > 1 => addresses.remove(0),
            Some(addresses) => addresses[0],
            None => HOME,
        };
        Box::pin(async move { Ok(vec![address.parse().unwrap()]) })
    }
}

pub struct World {
    pub crm: Crm,
    names: Arc<Names>,
    leads: Leads,
}

impl World {
    pub async fn start() -> World {
        let names = Arc::new(Names::default());
        let crm = Crm::start(&["*.crm.test", "contoso.table.crm.test"])
            .await
            .unwrap();
        let pem = crm.server.certificate().unwrap();
        let home = format!("{HOME}/32").parse().unwrap();
        let outbound = Outbound::with(names.clone(), &[home], Some(&pem)).unwrap();
        let at = |host: &str| {
            format!("https://{host}:{}", crm.server.port)
                .parse()
                .unwrap()
        };
        let hosts = Hosts {
            login: at("login.crm.test"),
            salesforce: at("webto.crm.test"),
            marketo: format!("crm.test:{}", crm.server.port),
        };
        let leads = Leads::new(outbound, hosts);
        World { crm, names, leads }
    }

    /// The address of a host of the server's.
    pub fn at(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.crm.server.port)
    }

    /// A name has these addresses from now on, one a look-up.
    pub fn name(&self, name: &str, addresses: &[&'static str]) {
        let mut names = self.names.0.lock().unwrap();
        names.insert(name.to_owned(), addresses.to_vec());
    }

    /// What a publisher has set up well.
    pub fn destination(&self, kind: Kind) -> Destination {
        match kind {
            Kind::Https => Destination::HttpsEndpoint(HttpsDestination {
                url: self.at(kind.host(), "/leads?hook=secret"),
            }),
            Kind::Table => Destination::Table(TableDestination {
                connection_string: format!(
                    "DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey={};EndpointSuffix=crm.test:{}",
                    keys::ACCOUNT,
                    self.crm.server.port
                ),
            }),
            Kind::Dynamics => Destination::Dynamics(DynamicsDestination {
                instance_url: self.at(kind.host(), ""),
                authentication: Some(Authentication::Entra(EntraAuthentication {
                    application_id: keys::APPLICATION.into(),
                    application_key: keys::APPLICATION_KEY.into(),
                    directory_id: keys::DIRECTORY.into(),
                })),
            }),
            Kind::Marketo => Destination::Marketo(MarketoDestination {
                munchkin_id: keys::MUNCHKIN.into(),
                form_id: keys::FORM.into(),
                client_id: keys::CLIENT.into(),
                client_secret: keys::CLIENT_SECRET.into(),
                ..Default::default()
            }),
            Kind::Salesforce => Destination::Salesforce(SalesforceDestination {
                object_identifier: keys::ORGANISATION.into(),
            }),
        }
    }

    /// One try of the longest test lead there is.
    pub async fn deliver(&self, kind: Kind) -> Delivery {
        self.deliver_to(self.destination(kind)).await
    }

    /// The same to another destination; whatever is said of it holds no secret.
    pub async fn deliver_to(&self, destination: Destination) -> Delivery {
        let opened = OpenLeadSecretResponse {
            destination: Some(LeadDestination {
                destination: Some(destination),
                ..Default::default()
            }),
            publisher_id: "contoso".into(),
            offer_id: "db".into(),
            ..Default::default()
        };
        let lead = Lead::test(Uuid::from_u128(1), StepId::LeadManagementLive, &opened);
        let delivery = self.leads.deliver(&opened, &lead, clock::now()).await;
        let said = format!("{delivery:?}");
        for secret in SECRETS {
            assert!(!said.contains(secret), "{said}");
        }
        delivery
    }

    /// Asserts that it was refused with these words; answers how long it is to be left alone, in seconds.
    #[track_caller]
    pub fn refused(kind: Kind, delivery: Delivery, words: &[&str]) -> u64 {
        let Delivery::Refused { why, wait } = delivery else {
            panic!("{kind:?}: {delivery:?}");
        };
        for words in words {
            assert!(why.contains(words), "{kind:?}: {why}");
        }
        wait.as_secs()
    }
}
