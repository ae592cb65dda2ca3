//! Dynamics 365: a token by client credentials, then the lead is upserted over the Web API under an id of its own, so
//! that a repeat changes nothing.

use http::Method;
use marketplace_proto::offercatalog::v1::{
    DynamicsDestination, dynamics_destination::Authentication,
};
use marketplace_runtime::outbound::{Call, Outbound};
use serde_json::json;
use url::Url;

use super::{Delivery, Lead, accepted, bearer, post_form, send_well, url};

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
    let mut instance = url(&to.instance_url)?;
    let scope = format!("{}/.default", instance.origin().ascii_serialization());
    let mut token = login.clone();
    token.set_path(&format!("/{}/oauth2/v2.0/token", entra.directory_id));
    let grant = [
        ("grant_type", "client_credentials"),
        ("client_id", &entra.application_id),
        ("client_secret", &entra.application_key),
        ("scope", &scope),
    ];
    let token = bearer(&send_well(outbound, post_form(token, &grant)).await?)?;
    instance.set_path(&format!("/api/data/v9.2/leads({})", lead.uuid()));
    let user = &lead.user_details;
    let body = json!({
        "subject": lead.lead_source, "firstname": user.first_name, "lastname": user.last_name,
        "emailaddress1": user.email, "companyname": user.company, "telephone1": user.phone, "jobtitle": user.title,
        "address1_country": user.country, "description": lead.offer_title,
    });
    let mut call = Call {
        method: Method::PATCH,
        ..Call::post_json(instance, super::json(&body)?)
    };
    call.headers.insert(http::header::AUTHORIZATION, token);
    Ok(accepted(&send_well(outbound, call).await?))
}
