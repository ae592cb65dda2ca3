//! Marketo: a token by client credentials, then the form is submitted over REST.

use std::time::Duration;

use http::{HeaderValue, header};
use marketplace_proto::offercatalog::v1::MarketoDestination;
use marketplace_runtime::outbound::{Call, Outbound};
use serde_json::{Value, json};
use url::Url;

use super::far_side::{FarSide, accepted, url};
use super::{Delivery, Lead};

/// An access token that is wrong, or has ended: until it ends everybody who asks is given the same one.
const STALE: [&str; 2] = ["601", "602"];

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
    let marketo = FarSide {
        outbound,
        name: "Marketo",
        check: "check the munchkin id, the client id and the client secret",
    };
    let submit = async || {
        let token = marketo.token(token(&host, to)).await?;
        let call = submission(host.clone(), token, form, lead)?;
        let answer = marketo.send_well(call).await?;
        Ok((marketo.read(&answer)?, accepted(&answer)))
    };
    let (mut said, mut delivery) = submit().await?;
    if codes(&said).iter().any(|code| STALE.contains(code)) {
        (said, delivery) = submit().await?;
    }
    if taken(&said) {
        Ok(delivery)
    } else {
        Err(why(&codes(&said)))
    }
}

fn token(host: &Url, to: &MarketoDestination) -> Call {
    let mut token = host.clone();
    token.set_path("/identity/oauth/token");
    token
        .query_pairs_mut()
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", &to.client_id)
        .append_pair("client_secret", &to.client_secret);
    Call {
        secret: true,
        ..Call::get(token)
    }
}

fn submission(mut host: Url, token: HeaderValue, form: u64, lead: &Lead) -> Result<Call, Delivery> {
    host.set_path("/rest/v1/leads/submitForm.json");
    let user = &lead.user_details;
    let body = json!({
        "formId": form,
        "input": [{ "leadFormFields": {
            "email": user.email, "firstName": user.first_name, "lastName": user.last_name, "company": user.company,
            "phone": user.phone, "title": user.title, "country": user.country, "leadSource": lead.lead_source,
        }}],
    });
    let mut call = Call::post_json(host, super::far_side::json(&body)?);
    call.headers.insert(header::AUTHORIZATION, token);
    Ok(call)
}

/// It says 200 to what it refuses as well: to a request by `success`, to a record by its `status`.
fn taken(said: &Value) -> bool {
    let skipped = |record: &Value| record["status"] == "skipped";
    let records = said["result"].as_array();
    said["success"] == true && !records.is_some_and(|records| records.iter().any(skipped))
}

/// What it refuses with, of the request and of its record. Codes are numbers; its words may quote the request.
fn codes(said: &Value) -> Vec<&str> {
    let all = [&said["errors"], &said["result"][0]["reasons"]];
    let all = all.into_iter().filter_map(Value::as_array).flatten();
    let number = |code: &&str| !code.is_empty() && code.bytes().all(|c| c.is_ascii_digit());
    all.filter_map(|error| error["code"].as_str())
        .filter(number)
        .take(5)
        .collect()
}

fn why(codes: &[&str]) -> Delivery {
    let (remedy, wait) = match codes.first().copied().unwrap_or_default() {
        "601" | "602" => ("check the client id and the client secret", 0),
        "603" => ("let the role of the client's user submit forms", 0),
        // 100 calls within 20 s; 10 at a time.
        "606" => ("it takes no more calls: raise its limits", 20),
        "615" => ("it takes no more calls: raise its limits", 1),
        "607" => ("its quota of the day is used up: raise it", 3600),
        "502" | "604" | "608" | "611" | "713" => ("it fails at the moment: see its status page", 0),
        _ => (
            "check that the form is approved and takes the fields of a lead",
            0,
        ),
    };
    Delivery::Refused {
        why: format!("Marketo refused the lead ({}): {remedy}", codes.join(", ")),
        wait: Duration::from_secs(wait),
    }
}
