//! Dynamics 365: a token by client credentials, then the lead is upserted over the Web API under an id of its own, so
//! that a repeat changes nothing.

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use marketplace_proto::offercatalog::v1::{
    DynamicsDestination, EntraAuthentication, dynamics_destination::Authentication,
};
use marketplace_runtime::outbound::{Answer, Call, Outbound};
use serde_json::{Value, json};
use url::Url;

use super::far_side::{FarSide, accepted, post_form, url};
use super::lead::{cut, whole};
use super::{Delivery, Lead};

/// What every request to the Web API carries.
const ODATA: [(HeaderName, HeaderValue); 3] = [
    (
        HeaderName::from_static("odata-version"),
        HeaderValue::from_static("4.0"),
    ),
    (
        HeaderName::from_static("odata-maxversion"),
        HeaderValue::from_static("4.0"),
    ),
    (header::ACCEPT, HeaderValue::from_static("application/json")),
];

pub(super) async fn deliver(
    outbound: &Outbound,
    login: &Url,
    to: &DynamicsDestination,
    lead: &Lead,
) -> Result<Delivery, Delivery> {
    let Some(Authentication::Entra(entra)) = &to.authentication else {
        let why = "Dynamics 365 no longer takes user names and passwords; use an Entra application";
        return Err(Delivery::Impossible(why.to_owned()));
    };
    let instance = url(&to.instance_url)?;
    let directory = FarSide {
        outbound,
        name: "Microsoft Entra",
        check: "check the directory id, the application id and the application key",
    };
    let dynamics = FarSide {
        outbound,
        name: "Dynamics 365",
        check: "check the instance's address, and that the application is a user there who may write leads",
    };
    let upsert = async || {
        let token = directory.token(grant(login, &instance, entra)).await?;
        dynamics.send(upsert(instance.clone(), token, lead)?).await
    };
    let mut answer: Answer = upsert().await?;
    if answer.status == StatusCode::UNAUTHORIZED {
        answer = upsert().await?;
    }
    if answer.status.is_success() {
        Ok(accepted(&answer))
    } else {
        Err(dynamics.refused(&answer))
    }
}

fn grant(login: &Url, instance: &Url, entra: &EntraAuthentication) -> Call {
    let mut token = login.clone();
    token.set_path(&format!("/{}/oauth2/v2.0/token", entra.directory_id));
    let scope = format!("{}/.default", instance.origin().ascii_serialization());
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", &entra.application_id),
        ("client_secret", &entra.application_key),
        ("scope", &scope),
    ];
    Call {
        secret: true,
        ..post_form(token, &fields)
    }
}

fn upsert(mut instance: Url, token: HeaderValue, lead: &Lead) -> Result<Call, Delivery> {
    instance.set_path(&format!("/api/data/v9.2/leads({})", lead.uuid()));
    let mut call = Call {
        method: Method::PATCH,
        ..Call::post_json(instance, super::far_side::json(&row(lead))?)
    };
    call.headers.extend(ODATA);
    call.headers.insert(header::AUTHORIZATION, token);
    Ok(call)
}

/// Its columns have lengths, and a row with one value too long is refused whole.
fn row(lead: &Lead) -> Value {
    let user = &lead.user_details;
    json!({
        "subject": cut(&lead.lead_source, 300), "firstname": cut(&user.first_name, 50),
        "lastname": cut(&user.last_name, 50), "emailaddress1": whole(&user.email, 100),
        "companyname": cut(&user.company, 100), "telephone1": whole(&user.phone, 50),
        "jobtitle": cut(&user.title, 100), "address1_country": cut(&user.country, 80),
        "description": cut(&lead.offer_title, 2000),
    })
}
