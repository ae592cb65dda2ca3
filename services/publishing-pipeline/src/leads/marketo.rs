//! Marketo: a token by client credentials, then the form is submitted over REST.

use marketplace_proto::offercatalog::v1::MarketoDestination;
use marketplace_runtime::outbound::{Call, Outbound};
use serde_json::{Value, json};
use url::Url;

use super::{Delivery, Lead, accepted, bearer, read, send_well, url};

pub(super) async fn deliver(
    outbound: &Outbound,
    domain: &str,
    to: &MarketoDestination,
    lead: &Lead,
) -> Result<Delivery, Delivery> {
    let host = url(&format!("https://{}.{domain}", to.munchkin_id))?;
    if to.client_id.is_empty() || to.client_secret.is_empty() {
        let why =
            "Marketo takes leads with a client id and secret only; a server id alone is not enough";
        return Err(Delivery::Impossible(why.to_owned()));
    }
    let form: u64 = to
        .form_id
        .parse()
        .map_err(|_| Delivery::Impossible("the Marketo form id is no number".to_owned()))?;
    let token = bearer(&send_well(outbound, Call::get(token_url(&host, to))).await?)?;
    let mut submit = host;
    submit.set_path("/rest/v1/leads/submitForm.json");
    let mut call = Call::post_json(submit, super::json(&body(form, lead))?);
    call.headers.insert(http::header::AUTHORIZATION, token);
    let answer = send_well(outbound, call).await?;
    let said = read(&answer)?;
    if said.get("success").and_then(Value::as_bool) == Some(true) {
        Ok(accepted(&answer))
    } else {
        Err(why(&said))
    }
}

fn token_url(host: &Url, to: &MarketoDestination) -> Url {
    let mut token = host.clone();
    token.set_path("/identity/oauth/token");
    token
        .query_pairs_mut()
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", &to.client_id)
        .append_pair("client_secret", &to.client_secret);
    token
}

fn body(form: u64, lead: &Lead) -> Value {
    let user = &lead.user_details;
    json!({
        "formId": form,
        "input": [{ "leadFormFields": {
            "email": user.email, "firstName": user.first_name, "lastName": user.last_name, "company": user.company,
            "phone": user.phone, "title": user.title, "country": user.country, "leadSource": lead.lead_source,
        }}],
    })
}

/// Marketo says 200 to what it refuses as well; its codes, which are numbers: its words may quote the request.
fn why(said: &Value) -> Delivery {
    let errors = said
        .get("errors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let number = |code: &&str| !code.is_empty() && code.bytes().all(|c| c.is_ascii_digit());
    let codes: Vec<&str> = errors
        .filter_map(|error| error.get("code").and_then(Value::as_str))
        .filter(number)
        .take(5)
        .collect();
    Delivery::Refused(format!("Marketo refused the lead ({})", codes.join(", ")))
}
