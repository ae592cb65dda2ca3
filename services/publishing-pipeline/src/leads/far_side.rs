//! One call to a far side, and what its answer means: for the next try, and for the publisher, who is told what to do.
//!
//! Nothing here repeats an answer's words or an address, which may hold a secret.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use marketplace_runtime::clock;
use marketplace_runtime::outbound::{Answer, Call, Outbound, OutboundError};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use url::Url;

use super::Delivery;

/// Who is called.
pub(super) struct FarSide<'a> {
    pub outbound: &'a Outbound,
    /// As its owner knows it.
    pub name: &'static str,
    /// What its owner looks at if it refuses a call.
    pub check: &'static str,
}

impl FarSide<'_> {
    /// One call; no answer is a delivery that failed, and so is one that a redirect made another call of.
    pub async fn send(&self, call: Call) -> Result<Answer, Delivery> {
        // What the address itself forbids never works; what its name or a redirect leads to may change.
        let checked = self.outbound.check(&call.url);
        checked.map_err(|error| {
            Delivery::Impossible(format!("{} can't be called: {error}", self.name))
        })?;
        let method = call.method.clone();
        let answer = self.outbound.send(call).await;
        let answer = answer.map_err(|error| self.failed(&error))?;
        if answer.method == method {
            return Ok(answer);
        }
        Err(Delivery::refused(format!(
            "{} redirected the lead so that it was not delivered ({method} became {}); use its final address",
            self.name, answer.method
        )))
    }

    /// The same, where only 2xx will do.
    pub async fn send_well(&self, call: Call) -> Result<Answer, Delivery> {
        let answer = self.send(call).await?;
        if answer.status.is_success() {
            Ok(answer)
        } else {
            Err(self.refused(&answer))
        }
    }

    fn failed(&self, error: &OutboundError) -> Delivery {
        let remedy = match error {
            OutboundError::Timeout => "make it answer sooner",
            OutboundError::Unreachable(_) => "check its address, its certificate and that it is up",
            OutboundError::TooLarge => "make it answer shortly",
            OutboundError::NotPublic(_) => "give it a public address",
            _ => "use its final address",
        };
        Delivery::refused(format!("{} failed: {error}; {remedy}", self.name))
    }

    /// It answered, but not well.
    pub fn refused(&self, answer: &Answer) -> Delivery {
        let remedy = match answer.status {
            StatusCode::TOO_MANY_REQUESTS => "it takes no more calls: raise its limits",
            StatusCode::REQUEST_TIMEOUT => "make it answer sooner",
            status if status.is_server_error() => "see why it fails",
            _ => self.check,
        };
        Delivery::Refused {
            why: format!(
                "{} answered {}: {remedy}",
                self.name,
                answer.status.as_u16()
            ),
            wait: wait(&answer.headers, clock::now()),
        }
    }

    pub fn read(&self, answer: &Answer) -> Result<Value, Delivery> {
        serde_json::from_slice(&answer.body).map_err(|_| {
            let why = format!("{} answered what can't be read: {}", self.name, self.check);
            Delivery::refused(why)
        })
    }

    /// A bearer token of an OAuth2 answer, as a header.
    pub async fn token(&self, call: Call) -> Result<HeaderValue, Delivery> {
        let body = self.read(&self.send_well(call).await?)?;
        let token = body.get("access_token").and_then(Value::as_str);
        let token = token.filter(|token| !token.is_empty());
        let header = token.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok());
        let none = || {
            let why = format!("{} gave no access token: {}", self.name, self.check);
            Delivery::refused(why)
        };
        let mut header = header.ok_or_else(none)?;
        header.set_sensitive(true);
        Ok(header)
    }
}

/// How long it asks us to leave it alone: seconds or a date (RFC 9110, 10.2.3).
fn wait(headers: &HeaderMap, now: OffsetDateTime) -> Duration {
    let said = headers.get(header::RETRY_AFTER);
    let said = said
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match said.trim().parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => OffsetDateTime::parse(said.trim(), &Rfc2822)
            .ok()
            .and_then(|date| Duration::try_from(date - now).ok())
            .unwrap_or_default(),
    }
}

pub(super) fn accepted(answer: &Answer) -> Delivery {
    Delivery::Accepted(format!(
        "the lead was accepted ({})",
        answer.status.as_u16()
    ))
}

pub(super) fn url(text: &str) -> Result<Url, Delivery> {
    Url::parse(text)
        .map_err(|_| Delivery::Impossible("the lead destination is not a URL".to_owned()))
}

pub(super) fn json(body: &impl serde::Serialize) -> Result<Vec<u8>, Delivery> {
    serde_json::to_vec(body)
        .map_err(|error| Delivery::OurFault(format!("the lead can't be written: {error}")))
}

/// A POST of a form.
pub(super) fn post_form(url: Url, fields: &[(&str, &str)]) -> Call {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, form)]);
    Call {
        method: Method::POST,
        headers,
        body: Bytes::from(body),
        ..Call::get(url)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_anything_else_is_no_wish() {
        let now = datetime!(2026-01-02 03:04:05 UTC);
        for (said, seconds) in [
            ("0", 0),
            (" 120 ", 120),
            ("Fri, 02 Jan 2026 03:04:35 GMT", 30),
            ("Fri, 02 Jan 2026 03:04:00 GMT", 0),
            ("-5", 0),
            ("soon", 0),
            ("99999999999999999999999", 0),
        ] {
            let said_so = HeaderValue::from_static(said);
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, said_so)]);
            assert_eq!(wait(&headers, now), Duration::from_secs(seconds), "{said}");
        }
        assert_eq!(wait(&HeaderMap::new(), now), Duration::ZERO);
    }
}
