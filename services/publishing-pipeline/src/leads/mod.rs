//! Delivering a lead to the destination that a publisher chose (LD-1 … LD-9), through the guarded client.
//!
//! A try never repeats itself, but for a token that ended between its issue and its use: the caller decides about further
//! tries. What identifies the lead at the far side is fixed before the first, so destinations that can tell a repeat keep
//! one lead.

mod customers;
mod dynamics;
mod far_side;
mod https;
mod lead;
mod marketo;
mod salesforce;
mod table;

use std::time::Duration;

use marketplace_proto::offercatalog::v1::{OpenLeadSecretResponse, lead_destination::Destination};
use marketplace_runtime::outbound::{Outbound, TIMEOUT};
use time::OffsetDateTime;
use url::Url;

pub use customers::{TOPIC, deliver_customers};
pub use lead::Lead;

/// What became of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The destination has acknowledged it; what to tell the publisher.
    Accepted(String),
    /// It answered otherwise, or not at all; worth another try, once it was left alone for as long as it asks for.
    Refused { why: String, wait: Duration },
    /// It can never work as it is configured.
    Impossible(String),
    /// It failed on our side.
    OurFault(String),
}

impl Delivery {
    fn refused(why: impl Into<String>) -> Self {
        Self::Refused {
            why: why.into(),
            wait: Duration::ZERO,
        }
    }
}

/// Hosts of the services behind some destinations; other clouds and tests have others.
#[derive(Debug, Clone)]
pub struct Hosts {
    /// `LEADS_LOGIN_URL`: where Dynamics 365 tokens come from.
    pub login: Url,
    /// `LEADS_SALESFORCE_URL`: where Web-to-Lead forms go.
    pub salesforce: Url,
    /// `LEADS_MARKETO_DOMAIN`: the munchkin id is its subdomain.
    pub marketo: String,
}

/// Delivers leads. Cheap to clone.
#[derive(Clone)]
pub struct Leads {
    outbound: Outbound,
    hosts: Hosts,
}

impl Leads {
    pub fn new(outbound: Outbound, hosts: Hosts) -> Self {
        Self { outbound, hosts }
    }

    /// One try to deliver a lead at `now`: all of its calls have as long together as one may take, so that three tries
    /// always tell whose fault it is.
    pub async fn deliver(
        &self,
        opened: &OpenLeadSecretResponse,
        lead: &Lead,
        now: OffsetDateTime,
    ) -> Delivery {
        let tried = tokio::time::timeout(TIMEOUT, self.call(opened, lead, now)).await;
        let slow = |_| {
            let why = "the lead destination failed: no answer within 30 s; make it answer sooner";
            Err(Delivery::refused(why))
        };
        tried.unwrap_or_else(slow).unwrap_or_else(|failed| failed)
    }

    async fn call(
        &self,
        opened: &OpenLeadSecretResponse,
        lead: &Lead,
        now: OffsetDateTime,
    ) -> Result<Delivery, Delivery> {
        let destination = opened
            .destination
            .as_ref()
            .and_then(|destination| destination.destination.as_ref());
        match destination {
            Some(Destination::HttpsEndpoint(https)) => {
                https::deliver(&self.outbound, https, lead).await
            }
            Some(Destination::Table(table)) => {
                table::deliver(&self.outbound, table, lead, now).await
            }
            Some(Destination::Dynamics(to)) => {
                dynamics::deliver(&self.outbound, &self.hosts.login, to, lead).await
            }
            Some(Destination::Marketo(to)) => {
                marketo::deliver(&self.outbound, &self.hosts.marketo, to, lead).await
            }
            Some(Destination::Salesforce(to)) => {
                salesforce::deliver(&self.outbound, &self.hosts.salesforce, to, lead).await
            }
            None => Err(Delivery::OurFault(
                "the snapshot names no lead destination".to_owned(),
            )),
        }
    }
}
