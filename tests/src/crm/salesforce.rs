//! Salesforce's Web-to-Lead: 200 whatever happens, and a header that says what did.

use serde_json::Value;

use super::{State, keys};
use crate::{Answer, Received};

/// The fields of the form, and how many characters they take.
const FIELDS: [(&str, usize); 10] = [
    ("oid", 15),
    ("first_name", 40),
    ("last_name", 80),
    ("email", 80),
    ("company", 255),
    ("phone", 40),
    ("title", 128),
    ("country", 80),
    ("lead_source", 255),
    ("description", 32_000),
];

impl State {
    pub(super) fn salesforce(&mut self, call: &Received) -> Answer {
        let form = Received::form(&call.body);
        let fits = |(name, value): (&String, &String)| {
            let most = FIELDS.iter().find(|(field, _)| field == name);
            most.is_some_and(|(_, most)| value.encode_utf16().count() <= *most)
        };
        let well = call.method == "POST"
            && call.path == "/servlet/servlet.WebToLead?encoding=UTF-8"
            && call.header("content-type") == "application/x-www-form-urlencoded"
            && form.get("oid").is_some_and(|oid| oid == keys::ORGANISATION)
            && form.get("last_name").is_some_and(|name| !name.is_empty())
            && form.iter().all(fits);
        if !well {
            let exception = "false Exception:common.exception.SalesforceGenericException";
            return Answer::status(200).with("is-processed", exception);
        }
        self.keep(
            form.into_iter()
                .map(|(name, value)| (name, Value::String(value)))
                .collect(),
        );
        Answer::status(200).with("is-processed", "true")
    }
}
