//! What can go wrong, and how a person or a program reads it.

use std::io::Write;

use serde_json::{Map, Value, json};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::api::Service;
use crate::cli::Format;

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A service said no.
    #[error("{rpc}: {}", .status.message())]
    Refused {
        rpc: &'static str,
        status: Box<Status>,
    },
    /// A service could not be asked.
    #[error("{} at {url} can't be reached: {}", service_name(*.service), .status.message())]
    Unreachable {
        service: Service,
        url: String,
        status: Box<Status>,
    },
    /// Arguments that make no sense.
    #[error("{0}")]
    Usage(String),
    /// Files with mistakes; all that were found.
    #[error("{} mistakes in files", .0.len())]
    Files(Vec<Problem>),
    /// A file that can't be read, or a terminal that can't be written.
    #[error("{what}: {source}")]
    Io {
        what: String,
        source: std::io::Error,
    },
    /// A submission that was watched did not get where it was going.
    #[error("{0}")]
    Ended(String),
    /// `--timeout` is over.
    #[error("{0}")]
    Late(String),
}

/// A mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    /// From 1; 0: the file as a whole.
    pub line: usize,
    pub text: String,
}

impl Problem {
    pub fn json(&self) -> Value {
        json!({"file": self.file, "line": self.line, "message": self.text})
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.text),
            line => write!(f, "{}:{line}: {}", self.file, self.text),
        }
    }
}

impl Error {
    pub fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    pub fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io {
            what: what.into(),
            source,
        }
    }

    /// A refusal, or news that nobody was there to refuse.
    pub fn status(rpc: &'static str, service: Service, url: &str, status: Status) -> Self {
        if is_of_the_line(&status) {
            return Self::Unreachable {
                service,
                url: url.to_owned(),
                status: Box::new(status),
            };
        }
        Self::Refused {
            rpc,
            status: Box::new(status),
        }
    }

    /// The Status, where a service refused.
    pub fn refusal(&self) -> Option<&Status> {
        match self {
            Self::Refused { status, .. } => Some(status),
            _ => None,
        }
    }

    /// True if what was asked for does not exist.
    pub fn is_not_found(&self) -> bool {
        self.refusal()
            .is_some_and(|status| status.code() == Code::NotFound)
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { .. } => 1,
            Self::Usage(_) | Self::Files(_) | Self::Io { .. } => 2,
            Self::Unreachable { .. } => 3,
            Self::Ended(_) => 4,
            Self::Late(_) => 5,
        }
    }

    /// Writes it as a text or as JSON. There is nobody left to tell if that fails.
    pub fn print(&self, format: Format, to: &mut impl Write) {
        let text = match format {
            Format::Table => self.text(),
            Format::Json => format!("{:#}\n", self.json()),
        };
        let _ = to.write_all(text.as_bytes());
    }

    fn text(&self) -> String {
        match self {
            Self::Refused { rpc, status } => refusal_text(rpc, status),
            Self::Files(problems) => {
                let lines: String = problems
                    .iter()
                    .map(|problem| format!("{problem}\n"))
                    .collect();
                format!("{lines}error: {self}\n")
            }
            other => format!("error: {other}\n"),
        }
    }

    fn json(&self) -> Value {
        let mut error = Map::new();
        error.insert("message".into(), self.to_string().into());
        match self {
            Self::Refused { rpc, status } => refusal_json(&mut error, rpc, status),
            Self::Files(problems) => {
                let all = problems.iter().map(Problem::json).collect();
                error.insert("problems".into(), Value::Array(all));
            }
            _ => {}
        }
        json!({"error": error})
    }
}

/// Whether nobody has answered: a service that is there says why in the details, a line that is dead or broke has none.
pub fn is_of_the_line(status: &Status) -> bool {
    let code = matches!(
        status.code(),
        Code::Unavailable | Code::Unknown | Code::Cancelled
    );
    code && status.get_details_error_info().is_none()
}

/// "FAILED_PRECONDITION".
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

fn service_name(service: Service) -> &'static str {
    match service {
        Service::Catalog => "offer-catalog",
        Service::Certification => "certification",
        Service::Publishing => "publishing-pipeline",
        Service::History => "history",
        Service::Notification => "notification",
    }
}

/// Every violation that a Status carries, as (field, description, reason).
pub fn violations(details: &ErrorDetails) -> Vec<(String, String, String)> {
    let fields = details
        .bad_request()
        .into_iter()
        .flat_map(|bad| &bad.field_violations);
    let fields = fields.map(|v| (v.field.clone(), v.description.clone(), v.reason.clone()));
    let quota = details
        .quota_failure()
        .into_iter()
        .flat_map(|failure| &failure.violations);
    let quota = quota.map(|v| (v.subject.clone(), v.description.clone(), String::new()));
    fields.chain(quota).collect()
}

/// Metadata as sorted pairs, without the counts that the text says already.
fn metadata(details: &ErrorDetails) -> Vec<(&str, &str)> {
    let all = details
        .error_info()
        .into_iter()
        .flat_map(|info| &info.metadata);
    let mut pairs: Vec<(&str, &str)> = all
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    pairs.retain(|(key, _)| !matches!(*key, "total" | "more"));
    pairs.sort_unstable();
    pairs
}

fn refusal_text(rpc: &str, status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info();
    let reason = info
        .map(|info| format!(" {}", info.reason))
        .unwrap_or_default();
    let mut text = format!(
        "error: {rpc} was refused: {}{reason}\n  {}\n",
        code_name(status.code()),
        status.message()
    );
    for (field, description, reason) in violations(&details) {
        let reason = if reason.is_empty() {
            reason
        } else {
            format!(" ({reason})")
        };
        text += &format!("  - {field}: {description}{reason}\n");
    }
    if let Some(more) = info
        .and_then(|info| info.metadata.get("more"))
        .filter(|more| *more != "0")
    {
        text += &format!("  … and {more} more\n");
    }
    for (key, value) in metadata(&details) {
        text += &format!("  {key}: {value}\n");
    }
    if let Some(hint) = info.and_then(|info| hint(&info.reason)) {
        text += &format!("  hint: {hint}\n");
    }
    text
}

fn refusal_json(error: &mut Map<String, Value>, rpc: &str, status: &Status) {
    let details = status.get_error_details();
    error.insert("rpc".into(), rpc.into());
    error.insert("code".into(), code_name(status.code()).into());
    if let Some(info) = details.error_info() {
        error.insert("reason".into(), info.reason.clone().into());
        error.insert("domain".into(), info.domain.clone().into());
        error.insert("metadata".into(), json!(info.metadata));
    }
    let all = violations(&details).into_iter();
    let all = all
        .map(|(field, text, reason)| json!({"field": field, "description": text, "reason": reason}))
        .collect();
    error.insert("violations".into(), Value::Array(all));
}

/// What to type next, where that is clear.
fn hint(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "TOKEN_MISSING" => {
            "set MARKETCTL_TOKEN, or give --as NAME and --key-file on a local system"
        }
        "TOKEN_EXPIRED" => "tokens live an hour; mint or fetch a new one",
        "CONFIRMATION_REQUIRED" => "publish takes --confirm, go-live takes --acknowledge-warnings",
        "NOTES_REQUIRED" => {
            "publish takes --notes TEXT, or -f with the offer's file that has `notes`"
        }
        "SUBMISSION_IN_FLIGHT" => "`marketctl watch` shows it, `marketctl cancel` stops it",
        "STALE_ETAG" => "somebody else saved meanwhile; look at their change and run it again",
        "PAGES_INCOMPLETE" => "`marketctl apply -f …` lists everything, with its line in the file",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn incomplete() -> Error {
        let mut details = ErrorDetails::new();
        let pages = ("pages".to_owned(), "Offer listing, Properties".to_owned());
        let counts = [
            ("total".to_owned(), "22".to_owned()),
            ("more".to_owned(), "20".to_owned()),
        ];
        let metadata: HashMap<_, _> = counts.into_iter().chain([pages]).collect();
        details.set_error_info("PAGES_INCOMPLETE", "marketplace.publishing.v1", metadata);
        details.add_bad_request_violation("offer_listing.title", "is required");
        details.add_bad_request_violation("properties.categories", "needs 1 to 2 entries");
        let status = Status::with_error_details(
            Code::FailedPrecondition,
            "22 violations on 2 pages",
            details,
        );
        Error::status("PublishOffer", Service::Publishing, "http://x", status)
    }

    fn printed(error: &Error, format: Format) -> String {
        let mut bytes = Vec::new();
        error.print(format, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_refusal_prints_code_reason_and_every_violation() {
        let wanted = "\
error: PublishOffer was refused: FAILED_PRECONDITION PAGES_INCOMPLETE
  22 violations on 2 pages
  - offer_listing.title: is required
  - properties.categories: needs 1 to 2 entries
  … and 20 more
  pages: Offer listing, Properties
  hint: `marketctl apply -f …` lists everything, with its line in the file
";
        assert_eq!(printed(&incomplete(), Format::Table), wanted);
        assert_eq!(incomplete().exit_code(), 1);
    }

    #[test]
    fn the_same_as_json_keeps_everything() {
        let value: Value = serde_json::from_str(&printed(&incomplete(), Format::Json)).unwrap();
        let error = &value["error"];
        assert_eq!(error["code"], "FAILED_PRECONDITION");
        assert_eq!(error["reason"], "PAGES_INCOMPLETE");
        assert_eq!(error["metadata"]["more"], "20");
        assert_eq!(error["violations"][1]["field"], "properties.categories");
    }

    #[test]
    fn a_dead_line_is_not_a_refusal() {
        let error = Error::status(
            "GetOffer",
            Service::Catalog,
            "http://127.0.0.1:7001",
            Status::unavailable("connection refused"),
        );
        assert_eq!(error.exit_code(), 3);
        let wanted =
            "error: offer-catalog at http://127.0.0.1:7001 can't be reached: connection refused\n";
        assert_eq!(printed(&error, Format::Table), wanted);
        let mut details = ErrorDetails::new();
        details.set_error_info("UNAVAILABLE", "marketplace.offercatalog.v1", HashMap::new());
        let status =
            Status::with_error_details(Code::Unavailable, "the database is not available", details);
        assert_eq!(
            Error::status("GetOffer", Service::Catalog, "http://x", status).exit_code(),
            1
        );
    }

    #[test]
    fn mistakes_in_files_come_with_their_lines() {
        let problem = |line, text: &str| Problem {
            file: "offer.yaml".into(),
            line,
            text: text.into(),
        };
        let error = Error::Files(vec![problem(3, "no field titel"), problem(0, "is empty")]);
        let wanted =
            "offer.yaml:3: no field titel\noffer.yaml: is empty\nerror: 2 mistakes in files\n";
        assert_eq!(printed(&error, Format::Table), wanted);
        assert_eq!(error.exit_code(), 2);
    }
}
