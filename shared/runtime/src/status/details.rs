//! The details of a Status, kept small enough for every HTTP/2 client.
//!
//! Clients drop a response whose headers are too large: hyper's default is 16 KiB, grpc-java's and the soft limit of
//! the C core (Python) 8 KiB. Details travel as base64 in one header, the message percent-encoded in another; with these
//! limits both fit into 8 KiB.

use std::collections::HashMap;
use std::time::Duration;

use prost::Message;
use prost_types::Any;
use tonic::{Code, Status};
use tonic_types::pb;

use super::Violation;

/// The most violations that one Status carries.
pub const MAX_VIOLATIONS: usize = 20;
/// The most bytes that the details of one Status have.
pub const MAX_DETAILS: usize = 4_608;
/// The longest text of one part of a detail; longer ones are cut.
const MAX_TEXT: usize = 512;
/// The longest message, percent-encoded.
const MAX_MESSAGE: usize = 1_024;

/// A Status under construction.
pub(super) struct Answer {
    code: Code,
    message: String,
    info: pb::ErrorInfo,
    details: Vec<Any>,
}

impl Answer {
    /// Every Status has an ErrorInfo: the proto package as its domain and a reason.
    pub fn new(code: Code, domain: &str, reason: &str, message: impl Into<String>) -> Self {
        let info = pb::ErrorInfo {
            reason: reason.into(),
            domain: domain.into(),
            metadata: HashMap::new(),
        };
        Self {
            code,
            message: message.into(),
            info,
            details: Vec::new(),
        }
    }

    pub fn meta(mut self, key: &str, value: impl Into<String>) -> Self {
        self.info
            .metadata
            .insert(key.to_owned(), cut(value.into(), MAX_TEXT));
        self
    }

    pub fn metas<'a>(self, pairs: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        pairs
            .into_iter()
            .fold(self, |answer, (key, value)| answer.meta(key, value))
    }

    pub fn retry(self, after: Duration) -> Self {
        let delay = prost_types::Duration::try_from(after).ok();
        self.detail(
            "google.rpc.RetryInfo",
            &pb::RetryInfo { retry_delay: delay },
        )
    }

    pub fn resource(self, kind: &str, name: &str) -> Self {
        let resource = pb::ResourceInfo {
            resource_type: kind.into(),
            resource_name: cut(name.into(), MAX_TEXT),
            ..pb::ResourceInfo::default()
        };
        self.detail("google.rpc.ResourceInfo", &resource)
    }

    pub fn detail(mut self, kind: &str, detail: &impl Message) -> Self {
        self.details.push(Any {
            type_url: format!("type.googleapis.com/{kind}"),
            value: detail.encode_to_vec(),
        });
        self
    }

    /// The violations as BadRequest, as many as fit; says in message and metadata how many there are and how many more.
    pub fn violations(mut self, all: &[Violation]) -> Self {
        let mut room = MAX_DETAILS.saturating_sub(self.size()).saturating_sub(256);
        let mut bad = pb::BadRequest::default();
        for violation in all.iter().take(MAX_VIOLATIONS) {
            let one = field_violation(violation);
            // 4: tag and length around each violation.
            let Some(left) = room.checked_sub(one.encoded_len() + 4) else {
                break;
            };
            room = left;
            bad.field_violations.push(one);
        }
        let more = all.len() - bad.field_violations.len();
        if more > 0 {
            self.message.push_str(&format!("; and {more} more"));
        }
        self.meta("total", all.len().to_string())
            .meta("more", more.to_string())
            .detail("google.rpc.BadRequest", &bad)
    }

    fn size(&self) -> usize {
        let details: usize = self.details.iter().map(|d| d.encoded_len() + 4).sum();
        details + self.info.encoded_len() + 64 + self.message.len().min(MAX_MESSAGE)
    }

    /// The Status. Were it too large all the same, details are given up from the last; the ErrorInfo stays.
    pub fn into_status(mut self) -> Status {
        let message = cut_encoded(std::mem::take(&mut self.message), MAX_MESSAGE);
        let value = self.info.encode_to_vec();
        let mut details = vec![Any {
            type_url: "type.googleapis.com/google.rpc.ErrorInfo".into(),
            value,
        }];
        details.append(&mut self.details);
        let mut all = pb::Status {
            code: self.code as i32,
            message: message.clone(),
            details,
        };
        while all.encoded_len() > MAX_DETAILS && all.details.len() > 1 {
            all.details.pop();
        }
        Status::with_details(self.code, message, all.encode_to_vec().into())
    }
}

fn field_violation(violation: &Violation) -> pb::bad_request::FieldViolation {
    pb::bad_request::FieldViolation {
        field: cut(violation.field.clone(), MAX_TEXT),
        description: cut(violation.description.clone(), MAX_TEXT),
        reason: violation.reason.clone().unwrap_or_default(),
        ..Default::default()
    }
}

/// `text`, cut to at most `max` bytes at a character.
fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max - '…'.len_utf8()));
        text.push('…');
    }
    text
}

/// `text`, cut so that it is percent-encoded into at most `max` bytes.
fn cut_encoded(text: String, max: usize) -> String {
    let mut size = 0;
    let end = text.char_indices().find(|(_, c)| {
        // Space and some punctuation are encoded, too; letters, digits and the commonest punctuation aren't.
        let plain = c.is_ascii_alphanumeric()
            || matches!(c, '.' | ',' | '-' | '_' | '/' | ':' | ';' | '=' | '(' | ')');
        size += if plain { 1 } else { 3 * c.len_utf8() };
        size > max - 3 * '…'.len_utf8()
    });
    match end {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
