//! Azure Table: the entity is inserted or replaced under keys of its own by a request signed with the account's key.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use marketplace_proto::offercatalog::v1::TableDestination;
use marketplace_runtime::outbound::{Call, Outbound};
use serde_json::{Value, json};
use sha2::Sha256;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::far_side::{FarSide, accepted, json as bytes, url};
use super::{Delivery, Lead};

/// The table that leads are written to; made where it is missing.
const TABLE: &str = "MarketplaceLeads";
const JSON: &str = "application/json";
/// As HTTP writes a date.
const HTTP_DATE: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// What a connection string says (LD-2).
struct Account {
    name: String,
    key: Vec<u8>,
    suffix: String,
}

pub(super) async fn deliver(
    outbound: &Outbound,
    to: &TableDestination,
    lead: &Lead,
    now: OffsetDateTime,
) -> Result<Delivery, Delivery> {
    let wrong =
        || Delivery::Impossible("the Azure Table connection string can't be read".to_owned());
    let account = Account::read(&to.connection_string).ok_or_else(wrong)?;
    let entity = format!(
        "/{TABLE}(PartitionKey='marketplace',RowKey='{}')",
        lead.id()
    );
    let storage = FarSide {
        outbound,
        name: "Azure Table",
        check: "check the account's name and key in the connection string, and that its firewall lets us in",
    };
    let put = || account.call(Method::PUT, &entity, &row(lead), now);
    let mut answer = storage.send(put()?).await?;
    if answer.status == StatusCode::NOT_FOUND {
        let table = json!({ "TableName": TABLE });
        let made = storage
            .send(account.call(Method::POST, "/Tables", &table, now)?)
            .await?;
        // Conflict: another lead has made it meanwhile.
        if !made.status.is_success() && made.status != StatusCode::CONFLICT {
            return Err(storage.refused(&made));
        }
        answer = storage.send(put()?).await?;
    }
    if answer.status.is_success() {
        Ok(accepted(&answer))
    } else {
        Err(storage.refused(&answer))
    }
}

fn row(lead: &Lead) -> Value {
    let user = &lead.user_details;
    json!({
        "PartitionKey": "marketplace", "RowKey": lead.id(), "ProductId": lead.offer_title,
        "LeadSource": lead.lead_source, "ActionCode": lead.action_code, "FirstName": user.first_name,
        "LastName": user.last_name, "Email": user.email, "Company": user.company, "Country": user.country,
        "Phone": user.phone, "Title": user.title,
    })
}

impl Account {
    fn read(text: &str) -> Option<Account> {
        let mut account = Account {
            name: String::new(),
            key: Vec::new(),
            suffix: "core.windows.net".to_owned(),
        };
        for part in text.split(';').filter(|part| !part.is_empty()) {
            // Keys are base64 and may end in "=".
            match part.split_once('=')? {
                ("AccountName", name) => account.name = name.to_owned(),
                ("AccountKey", key) => account.key = STANDARD.decode(key).ok()?,
                ("EndpointSuffix", suffix) => account.suffix = suffix.to_owned(),
                ("DefaultEndpointsProtocol", "https") => {}
                _ => return None,
            }
        }
        Some(account).filter(|account| !account.name.is_empty() && !account.key.is_empty())
    }

    /// A signed call (SharedKey).
    fn call(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        now: OffsetDateTime,
    ) -> Result<Call, Delivery> {
        let date = now.to_offset(time::UtcOffset::UTC).format(HTTP_DATE);
        let date =
            date.map_err(|error| Delivery::OurFault(format!("no date can be written: {error}")))?;
        let signature = self
            .sign(&method, path, &date)
            .ok_or_else(|| Delivery::OurFault("no signature".to_owned()))?;
        let mut authorization = value(&format!("SharedKey {}:{signature}", self.name))?;
        authorization.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (header::CONTENT_TYPE, HeaderValue::from_static(JSON)),
            (
                header::ACCEPT,
                HeaderValue::from_static("application/json;odata=nometadata"),
            ),
            (http::HeaderName::from_static("x-ms-date"), value(&date)?),
            (
                http::HeaderName::from_static("x-ms-version"),
                HeaderValue::from_static("2020-12-06"),
            ),
            (header::AUTHORIZATION, authorization),
        ]);
        let url = url(&format!(
            "https://{}.table.{}{path}",
            self.name, self.suffix
        ))?;
        Ok(Call {
            method,
            url,
            headers,
            body: bytes(body)?.into(),
            secret: false,
        })
    }

    /// Verb, empty MD5, content type, date and canonical resource, each a line.
    fn sign(&self, method: &Method, path: &str, date: &str) -> Option<String> {
        let text = format!("{method}\n\n{JSON}\n{date}\n/{}{path}", self.name);
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(text.as_bytes());
        Some(STANDARD.encode(mac.finalize().into_bytes()))
    }
}

fn value(text: &str) -> Result<HeaderValue, Delivery> {
    HeaderValue::try_from(text)
        .map_err(|_| Delivery::Impossible("the Azure Table account has a wrong name".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECTION: &str = "DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey=a2V5;EndpointSuffix=example.net";

    #[test]
    fn ld2_a_connection_string_is_read_and_others_are_not() {
        let account = Account::read(CONNECTION).unwrap();
        assert_eq!(
            (
                account.name.as_str(),
                account.key.as_slice(),
                account.suffix.as_str()
            ),
            ("contoso", &b"key"[..], "example.net")
        );
        assert_eq!(
            Account::read("AccountName=a;AccountKey=a2V5")
                .unwrap()
                .suffix,
            "core.windows.net"
        );
        for wrong in [
            "",
            "AccountName=a",
            "AccountName=a;AccountKey=%",
            "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5",
        ] {
            assert!(Account::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_call_is_signed_over_verb_type_date_and_resource() {
        let account = Account::read(CONNECTION).unwrap();
        let call = account
            .call(
                Method::PUT,
                "/T(PartitionKey='p',RowKey='r')",
                &json!({}),
                OffsetDateTime::UNIX_EPOCH,
            )
            .unwrap();
        assert_eq!(call.headers["x-ms-date"], "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(call.url.host_str(), Some("contoso.table.example.net"));
        let mut mac = Hmac::<Sha256>::new_from_slice(b"key").unwrap();
        mac.update(b"PUT\n\napplication/json\nThu, 01 Jan 1970 00:00:00 GMT\n/contoso/T(PartitionKey='p',RowKey='r')");
        let expected = format!(
            "SharedKey contoso:{}",
            STANDARD.encode(mac.finalize().into_bytes())
        );
        assert_eq!(call.headers[header::AUTHORIZATION], expected);
    }
}
