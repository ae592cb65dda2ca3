//! Microsoft Entra, which gives tokens for an instance of Dynamics 365, and the instance's Web API.

use serde_json::{Value, json};

use super::{State, keys};
use crate::{Answer, Received};

/// The columns of a lead that are written here, and how many characters they take.
const COLUMNS: [(&str, usize); 9] = [
    ("subject", 300),
    ("firstname", 50),
    ("lastname", 50),
    ("emailaddress1", 100),
    ("companyname", 100),
    ("telephone1", 50),
    ("jobtitle", 100),
    ("address1_country", 80),
    ("description", 2000),
];

impl State {
    pub(super) fn entra(&mut self, call: &Received) -> Answer {
        let form = Received::form(&call.body);
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let scope = field("scope").strip_suffix("/.default");
        let refused = |status, error: &str, code: u32| {
            let words = format!("AADSTS{code}: {} was refused", field("client_secret"));
            Answer::json(
                status,
                &json!({ "error": error, "error_description": words }),
            )
        };
        if call.path != format!("/{}/oauth2/v2.0/token", keys::DIRECTORY) {
            refused(400, "invalid_request", 90002)
        } else if field("grant_type") != "client_credentials" {
            refused(400, "unsupported_grant_type", 70003)
        } else if field("client_id") != keys::APPLICATION {
            refused(400, "unauthorized_client", 700_016)
        } else if field("client_secret") != keys::APPLICATION_KEY {
            refused(401, "invalid_client", 7_000_215)
        } else if let Some(instance) = scope {
            self.issued += 1;
            let token = format!("bearer-of-entra-{}", self.issued);
            self.tokens.insert((token.clone(), instance.to_owned()));
            let answer =
                json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": token });
            Answer::json(200, &answer)
        } else {
            refused(400, "invalid_scope", 70011)
        }
    }

    pub(super) fn dynamics(&mut self, call: &Received) -> Answer {
        let token = call.header("authorization").strip_prefix("Bearer ");
        let token = token.unwrap_or_default().to_owned();
        let instance = format!("https://{}", call.header("host"));
        if !self.tokens.contains(&(token, instance)) {
            return Answer::status(401).with("www-authenticate", "Bearer error=invalid_token");
        }
        let id = call.path.strip_prefix("/api/data/v9.2/leads(");
        let id = id.and_then(|id| id.strip_suffix(')')?.parse::<uuid::Uuid>().ok());
        let (Some(id), "PATCH") = (id, call.method.as_str()) else {
            return refused(404, "0x8006088a", "Resource not found for the segment");
        };
        let spoken = ["odata-version", "odata-maxversion"].map(|name| call.header(name));
        if spoken != ["4.0", "4.0"] || call.header("content-type") != "application/json" {
            return refused(400, "0x80060888", "Headers of OData 4.0 are missing");
        }
        let lead: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        for (name, value) in lead.as_object().into_iter().flatten() {
            let most = COLUMNS.iter().find(|(column, _)| column == name);
            let length = value.as_str().map(|text| text.encode_utf16().count());
            if !matches!((most, length), (Some((_, most)), Some(length)) if length <= *most) {
                return refused(400, "0x80044331", &format!("validation of {name}: {value}"));
            }
        }
        self.leads.insert(id.to_string(), lead);
        Answer::status(204).with("odata-version", "4.0")
    }
}

fn refused(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({ "error": { "code": code, "message": message } }),
    )
}
