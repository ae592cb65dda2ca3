//! The table service of Azure Storage: SharedKey, insert or replace, creation of tables.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use marketplace_runtime::clock;
use serde_json::{Value, json};
use sha2::Sha256;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::{State, keys};
use crate::{Answer, Received};

impl State {
    pub(super) fn azure(&mut self, call: &Received) -> Answer {
        if !signed(call) {
            return error(403, "AuthenticationFailed");
        }
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        match (call.method.as_str(), call.path.as_str()) {
            ("POST", "/Tables") if body != json!({ "TableName": "MarketplaceLeads" }) => {
                error(400, "InvalidInput")
            }
            ("POST", "/Tables") if self.table => error(409, "TableAlreadyExists"),
            ("POST", "/Tables") => {
                self.table = true;
                Answer::json(201, &body)
            }
            ("PUT", _) if !self.table => error(404, "TableNotFound"),
            ("PUT", path) => {
                let [partition, row] =
                    ["PartitionKey", "RowKey"].map(|key| body[key].as_str().unwrap_or_default());
                let address =
                    format!("/MarketplaceLeads(PartitionKey='{partition}',RowKey='{row}')");
                if path != address {
                    return error(400, "PropertiesNeedValue");
                }
                self.leads.insert(row.to_owned(), body.clone());
                Answer::status(204)
            }
            _ => error(405, "UnsupportedHttpVerb"),
        }
    }
}

/// The string to sign of the table service: verb, MD5, type, date, account and path as they arrived, a line each. The date
/// may be 15 minutes off; insert-or-replace is known since 2011-08-18.
fn signed(call: &Received) -> bool {
    let date = call.header("x-ms-date");
    let age = OffsetDateTime::parse(date, &Rfc2822).map(|date| (clock::now() - date).abs());
    let text = format!(
        "{}\n{}\n{}\n{date}\n/contoso{}",
        call.method,
        call.header("content-md5"),
        call.header("content-type"),
        call.path
    );
    let key = STANDARD.decode(keys::ACCOUNT).expect("base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length will do");
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    call.header("authorization") == format!("SharedKey contoso:{signature}")
        && age.is_ok_and(|age| age < time::Duration::minutes(15))
        && call.header("x-ms-version") >= "2011-08-18"
}

fn error(status: u16, code: &str) -> Answer {
    let error = json!({ "odata.error": { "code": code, "message": { "value": "…" } } });
    Answer::json(status, &error).with("x-ms-error-code", code)
}
