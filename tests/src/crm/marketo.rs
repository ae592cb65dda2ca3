//! Marketo: the identity service, which answers 401, and the REST API, which answers 200 whatever happens.

use serde_json::{Value, json};

use super::{State, keys};
use crate::{Answer, Received};

/// The fields that the form takes.
const FIELDS: [&str; 8] = [
    "email",
    "firstName",
    "lastName",
    "company",
    "phone",
    "title",
    "country",
    "leadSource",
];

impl State {
    /// Until a token ends, everybody who asks is given the same one.
    pub(super) fn marketo_identity(&mut self, call: &Received) -> Answer {
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let query = Received::form(query.as_bytes());
        let field = |name: &str| query.get(name).map_or("", String::as_str);
        if path != "/identity/oauth/token" || field("grant_type") != "client_credentials" {
            return Answer::status(400);
        }
        if (field("client_id"), field("client_secret")) != (keys::CLIENT, keys::CLIENT_SECRET) {
            let words = format!("Bad client credentials: {}", field("client_secret"));
            let error = json!({ "error": "unauthorized", "error_description": words });
            return Answer::json(401, &error);
        }
        let token = self.marketo_token();
        let answer = json!({ "access_token": token, "token_type": "bearer", "expires_in": 3599 });
        Answer::json(200, &answer)
    }

    pub(super) fn marketo(&mut self, call: &Received) -> Answer {
        if call.header("authorization") != format!("Bearer {}", self.marketo_token()) {
            return refused("601", "Access token invalid");
        }
        if (call.method.as_str(), call.path.as_str()) != ("POST", "/rest/v1/leads/submitForm.json")
        {
            return refused("610", "Requested resource not found");
        }
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        if body["formId"].as_u64() != keys::FORM.parse().ok() {
            return refused("702", "Form not found");
        }
        let fields = &body["input"][0]["leadFormFields"];
        let known = |(name, value): (&String, &Value)| {
            FIELDS.contains(&name.as_str()) && value.as_str().is_some_and(|text| text.len() <= 255)
        };
        if !fields
            .as_object()
            .is_some_and(|fields| fields.iter().all(known))
        {
            return skipped("1006", "Field not found");
        }
        // Who is known by the address already is brought up to date.
        let email = fields["email"].as_str().unwrap_or_default().to_owned();
        let status = match self.leads.insert(email, fields.clone()) {
            Some(_) => "updated",
            None => "created",
        };
        let result = json!([{ "id": 1, "status": status }]);
        Answer::json(
            200,
            &json!({ "requestId": "a#1", "success": true, "result": result }),
        )
    }

    fn marketo_token(&self) -> String {
        format!("bearer-of-marketo-{}:int", self.issued)
    }
}

/// The request is refused.
fn refused(code: &str, message: &str) -> Answer {
    let errors = json!([{ "code": code, "message": message }]);
    Answer::json(
        200,
        &json!({ "requestId": "a#1", "success": false, "errors": errors }),
    )
}

/// The request is taken, its record is not.
fn skipped(code: &str, message: &str) -> Answer {
    let reasons = json!([{ "code": code, "message": message }]);
    let result = json!([{ "status": "skipped", "reasons": reasons }]);
    Answer::json(
        200,
        &json!({ "requestId": "a#1", "success": true, "result": result }),
    )
}
