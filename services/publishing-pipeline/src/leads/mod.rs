//! Delivering a lead to the destination that a publisher chose (LD-1 … LD-9), through the guarded client.
//!
//! A try never repeats itself: the caller decides about further tries. What identifies the lead at the far side is fixed
//! before the first, so destinations that can tell a repeat keep one lead.

mod customers;
mod dynamics;
mod https;
mod lead;
mod marketo;
mod salesforce;

mod table;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use marketplace_proto::offercatalog::v1::{OpenLeadSecretResponse, lead_destination::Destination};
use marketplace_runtime::outbound::{Answer, Call, Outbound, OutboundError};
use serde_json::Value;
use time::OffsetDateTime;
use url::Url;

pub use customers::{TOPIC, deliver_customers};
pub use lead::Lead;

/// What became of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The destination has acknowledged it; what to tell the publisher.
    Accepted(String),
    /// It answered otherwise, or not at all; worth another try.
    Refused(String),
    /// It can never work as it is configured.
    Impossible(String),
    /// It failed on our side.
    OurFault(String),
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

    /// One try to deliver a lead at `now`.
    pub async fn deliver(
        &self,
        opened: &OpenLeadSecretResponse,
        lead: &Lead,
        now: OffsetDateTime,
    ) -> Delivery {
        let destination = opened
            .destination
            .as_ref()
            .and_then(|destination| destination.destination.as_ref());
        let tried = match destination {
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
        };
        tried.unwrap_or_else(|failed| failed)
    }
}

/// One call; no answer is a delivery that failed, and so is one that a redirect made another call of.
async fn send(outbound: &Outbound, call: Call) -> Result<Answer, Delivery> {
    let method = call.method.clone();
    let answer = outbound.send(call).await.map_err(|error| failed(&error))?;
    if answer.method == method {
        return Ok(answer);
    }
    Err(Delivery::Refused(format!(
        "the lead destination redirected the lead so that it was not delivered ({method} became {}); use its final address",
        answer.method
    )))
}

/// The same, where only 2xx will do.
async fn send_well(outbound: &Outbound, call: Call) -> Result<Answer, Delivery> {
    let answer = send(outbound, call).await?;
    if answer.status.is_success() {
        Ok(answer)
    } else {
        Err(refused(&answer))
    }
}

fn failed(error: &OutboundError) -> Delivery {
    match error.is_refusal() {
        true => Delivery::Impossible(format!("the lead destination can't be called: {error}")),
        false => Delivery::Refused(format!("the lead destination failed: {error}")),
    }
}

fn refused(answer: &Answer) -> Delivery {
    Delivery::Refused(format!(
        "the lead destination answered {}",
        answer.status.as_u16()
    ))
}

fn accepted(answer: &Answer) -> Delivery {
    Delivery::Accepted(format!(
        "the lead was accepted ({})",
        answer.status.as_u16()
    ))
}

fn url(text: &str) -> Result<Url, Delivery> {
    Url::parse(text)
        .map_err(|_| Delivery::Impossible("the lead destination is not a URL".to_owned()))
}

fn json(body: &impl serde::Serialize) -> Result<Vec<u8>, Delivery> {
    serde_json::to_vec(body)
        .map_err(|error| Delivery::OurFault(format!("the lead can't be written: {error}")))
}

fn read(answer: &Answer) -> Result<Value, Delivery> {
    let unreadable =
        |_| Delivery::Refused("the lead destination's answer can't be read".to_owned());
    serde_json::from_slice(&answer.body).map_err(unreadable)
}

/// A POST of a form.
fn post_form(url: Url, fields: &[(&str, &str)]) -> Call {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, form)]);
    Call {
        method: Method::POST,
        url,
        headers,
        body: Bytes::from(body),
        secret: false,
    }
}

/// A bearer token of an OAuth2 answer, as a header.
fn bearer(answer: &Answer) -> Result<HeaderValue, Delivery> {
    let body = read(answer)?;
    let token = body
        .get("access_token")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let header = HeaderValue::try_from(format!("Bearer {token}"))
        .ok()
        .filter(|_| !token.is_empty());
    let mut header = header
        .ok_or_else(|| Delivery::Refused("the lead destination gave no access token".to_owned()))?;
    header.set_sensitive(true);
    Ok(header)
}
