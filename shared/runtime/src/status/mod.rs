//! The one table of errors: every fact that an RPC can answer with, its code, reason and details.
//!
//! `domain` is the proto package of the service that answers. Services map their error enum to these functions in
//! error.rs and make no Status of their own.

mod details;
#[cfg(test)]
mod tests;
mod violation;

use std::error::Error;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{StatusExt, pb};

use details::Answer;
pub use details::{MAX_DETAILS, MAX_VIOLATIONS};
pub use violation::{Violation, Violations};

/// When to try again after UNAVAILABLE and ABORTED, where nobody knows better.
const SOON: Duration = Duration::from_millis(200);

/// A malformed or missing field: INVALID_ARGUMENT with every violation found, at most 20 in the Status.
pub fn invalid(domain: &str, violations: impl IntoIterator<Item = Violation>) -> Status {
    let all: Vec<Violation> = violations.into_iter().collect();
    let reason = match all.as_slice() {
        [
            Violation {
                reason: Some(reason),
                ..
            },
        ] => reason.clone(),
        _ => "INVALID_FIELDS".to_owned(),
    };
    let message = all.first().map_or_else(
        || "the request is malformed".to_owned(),
        ToString::to_string,
    );
    Answer::new(Code::InvalidArgument, domain, &reason, message)
        .violations(&all)
        .into_status()
}

/// The same request id with a different request: INVALID_ARGUMENT `REQUEST_ID_REUSED`.
pub fn request_id_reused(domain: &str) -> Status {
    let message = "request_id was used before with a different request; take a new one";
    let violation = Violation::new("request_id", "was used before with a different request")
        .because("REQUEST_ID_REUSED");
    Answer::new(Code::InvalidArgument, domain, "REQUEST_ID_REUSED", message)
        .violations(&[violation])
        .into_status()
}

/// No token: UNAUTHENTICATED `TOKEN_MISSING`.
pub fn token_missing(domain: &str) -> Status {
    let message = "no token: send `authorization: Bearer <token>`";
    Answer::new(Code::Unauthenticated, domain, "TOKEN_MISSING", message).into_status()
}

/// A token that proves nothing: UNAUTHENTICATED `TOKEN_INVALID`. `why` must not quote the token.
pub fn token_invalid(domain: &str, why: &str) -> Status {
    let message = format!("the token is not valid: {why}");
    Answer::new(Code::Unauthenticated, domain, "TOKEN_INVALID", message).into_status()
}

/// A token past its time: UNAUTHENTICATED `TOKEN_EXPIRED`.
pub fn token_expired(domain: &str) -> Status {
    Answer::new(
        Code::Unauthenticated,
        domain,
        "TOKEN_EXPIRED",
        "the token has expired; get a new one",
    )
    .into_status()
}

/// No such thing, or nothing that the caller may know of; both cases must call this with the same arguments, so that
/// the bytes are the same: NOT_FOUND `NOT_FOUND` with ResourceInfo.
pub fn not_found(domain: &str, kind: &str, name: &str) -> Status {
    let message = format!("there is no {kind} {name}");
    Answer::new(Code::NotFound, domain, "NOT_FOUND", message)
        .resource(kind, name)
        .into_status()
}

/// A member without the permission, a reviewer with an interest, an operator without grant: PERMISSION_DENIED with
/// `ROLE_REQUIRED`, `CONFLICT_OF_INTEREST` or `GRANT_REQUIRED`.
pub fn permission_denied(domain: &str, reason: &str, message: &str) -> Status {
    Answer::new(Code::PermissionDenied, domain, reason, message).into_status()
}

/// Already there with other content: ALREADY_EXISTS `ALREADY_EXISTS` with ResourceInfo.
pub fn already_exists(domain: &str, kind: &str, name: &str) -> Status {
    let message = format!("{kind} {name} exists already");
    Answer::new(Code::AlreadyExists, domain, "ALREADY_EXISTS", message)
        .resource(kind, name)
        .into_status()
}

/// An illegal move: FAILED_PRECONDITION `ILLEGAL_MOVE` with state, move and the moves that are allowed.
pub fn illegal_move(domain: &str, state: &str, wanted: &str, allowed: &[&str]) -> Status {
    let allowed = if allowed.is_empty() {
        "none".to_owned()
    } else {
        allowed.join(", ")
    };
    let message = format!("{wanted} is not possible in state {state}; possible: {allowed}");
    let violation = pb::precondition_failure::Violation {
        r#type: "STATE".into(),
        subject: state.into(),
        description: message.clone(),
    };
    Answer::new(Code::FailedPrecondition, domain, "ILLEGAL_MOVE", message)
        .metas([
            ("state", state.to_owned()),
            ("move", wanted.to_owned()),
            ("allowed", allowed),
        ])
        .detail(
            "google.rpc.PreconditionFailure",
            &pb::PreconditionFailure {
                violations: vec![violation],
            },
        )
        .into_status()
}

/// A submission is in flight: FAILED_PRECONDITION `SUBMISSION_IN_FLIGHT` naming it.
pub fn in_flight(domain: &str, submission: &str) -> Status {
    let message =
        format!("{submission} is in progress; wait for it, cancel it, or publish with SUPERSEDE");
    Answer::new(
        Code::FailedPrecondition,
        domain,
        "SUBMISSION_IN_FLIGHT",
        message,
    )
    .meta("submission", submission)
    .into_status()
}

/// A move that wants confirming: FAILED_PRECONDITION `CONFIRMATION_REQUIRED` naming the field to set and why.
pub fn confirmation_required(domain: &str, field: &str, why: &str) -> Status {
    Answer::new(
        Code::FailedPrecondition,
        domain,
        "CONFIRMATION_REQUIRED",
        format!("confirmation required ({field}): {why}"),
    )
    .metas([("field", field.to_owned()), ("why", why.to_owned())])
    .into_status()
}

/// Pages are incomplete: FAILED_PRECONDITION `PAGES_INCOMPLETE` with the first violations; ReviewOffer has the rest.
/// `total` counts all violations, `pages` names the pages that are incomplete.
pub fn pages_incomplete(
    domain: &str,
    total: usize,
    pages: &[&str],
    violations: &[Violation],
) -> Status {
    let message = format!(
        "{total} violations on {} pages; ReviewOffer lists all",
        pages.len()
    );
    Answer::new(
        Code::FailedPrecondition,
        domain,
        "PAGES_INCOMPLETE",
        message,
    )
    .meta("pages", pages.join(", "))
    .violations(violations)
    .meta("total", total.to_string())
    .meta(
        "more",
        total
            .saturating_sub(violations.len().min(MAX_VIOLATIONS))
            .to_string(),
    )
    .into_status()
}

/// Any other state that doesn't allow it: FAILED_PRECONDITION with a reason of its own (`LAST_OWNER`, `STILL_DEAD`).
pub fn failed_precondition(
    domain: &str,
    reason: &str,
    message: &str,
    metadata: &[(&str, &str)],
) -> Status {
    Answer::new(Code::FailedPrecondition, domain, reason, message)
        .metas(metadata.iter().map(|&(key, value)| (key, value.to_owned())))
        .into_status()
}

/// Somebody else was faster: ABORTED with `REQUEST_IN_PROGRESS`, `STATUS_BEHIND`, `CONCURRENT_CHANGE` and RetryInfo.
/// Without `retry` no RetryInfo is sent: the same request can't succeed.
pub fn aborted(
    domain: &str,
    reason: &str,
    message: &str,
    metadata: &[(&str, &str)],
    retry: Option<Duration>,
) -> Status {
    let answer = Answer::new(Code::Aborted, domain, reason, message)
        .metas(metadata.iter().map(|&(key, value)| (key, value.to_owned())));
    match retry {
        Some(after) => answer.retry(after).into_status(),
        None => answer.into_status(),
    }
}

/// An etag that is not the current one: ABORTED `STALE_ETAG` with the current one.
pub fn stale_etag(domain: &str, current: &str) -> Status {
    let message = "it was changed since you read it; read it again";
    aborted(domain, "STALE_ETAG", message, &[("current", current)], None)
}

/// A twin of this request is being worked on: ABORTED `REQUEST_IN_PROGRESS`.
pub fn request_in_progress(domain: &str) -> Status {
    aborted(
        domain,
        "REQUEST_IN_PROGRESS",
        "this request is being worked on; ask again",
        &[],
        Some(SOON),
    )
}

/// A quota or a limit: RESOURCE_EXHAUSTED with QuotaFailure and RetryInfo.
pub fn exhausted(
    domain: &str,
    reason: &str,
    subject: &str,
    description: &str,
    retry: Duration,
) -> Status {
    let violation = pb::quota_failure::Violation {
        subject: subject.into(),
        description: description.into(),
        ..Default::default()
    };
    Answer::new(
        Code::ResourceExhausted,
        domain,
        reason,
        format!("{subject}: {description}"),
    )
    .detail(
        "google.rpc.QuotaFailure",
        &pb::QuotaFailure {
            violations: vec![violation],
        },
    )
    .retry(retry)
    .into_status()
}

/// A page or resume token that is too old: OUT_OF_RANGE, `TOKEN_TOO_OLD`.
pub fn out_of_range(domain: &str, reason: &str) -> Status {
    Answer::new(
        Code::OutOfRange,
        domain,
        reason,
        "the token is too old; start again without one",
    )
    .into_status()
}

/// The call's time is over: DEADLINE_EXCEEDED `DEADLINE_EXCEEDED`.
pub fn deadline_exceeded(domain: &str) -> Status {
    let message = "the call took longer than its deadline; repeat it with the same request_id";
    Answer::new(Code::DeadlineExceeded, domain, "DEADLINE_EXCEEDED", message).into_status()
}

/// The database or a neighbour is away: UNAVAILABLE `UNAVAILABLE` with RetryInfo. `what` is for people: "the database".
pub fn unavailable(domain: &str, what: &str) -> Status {
    let message = format!("{what} is not available; try again");
    Answer::new(Code::Unavailable, domain, "UNAVAILABLE", message)
        .retry(SOON)
        .into_status()
}

/// A request whose bytes are no message of its type: INVALID_ARGUMENT `UNDECODABLE`.
pub fn undecodable(domain: &str, why: &str) -> Status {
    let message = format!("the request can't be decoded: {why}");
    Answer::new(Code::InvalidArgument, domain, "UNDECODABLE", message).into_status()
}

/// A message of more than 4 MiB: RESOURCE_EXHAUSTED `MESSAGE_TOO_LARGE` with QuotaFailure. Without RetryInfo: it won't
/// get smaller.
pub fn too_large(domain: &str) -> Status {
    let description = format!(
        "takes at most {} bytes, uncompressed",
        crate::server::MAX_MESSAGE
    );
    let message = format!("a message {description}");
    let violation = pb::quota_failure::Violation {
        subject: "message".into(),
        description,
        ..Default::default()
    };
    Answer::new(
        Code::ResourceExhausted,
        domain,
        "MESSAGE_TOO_LARGE",
        message,
    )
    .detail(
        "google.rpc.QuotaFailure",
        &pb::QuotaFailure {
            violations: vec![violation],
        },
    )
    .into_status()
}

/// The Status for one that was not made here, and so carries no ErrorInfo: code and message as they are, the code's name
/// as the reason.
pub(crate) fn bare(domain: &str, status: &Status) -> Status {
    let reason = code_name(status.code());
    Answer::new(status.code(), domain, reason, status.message()).into_status()
}

/// Code names as in the gRPC specification.
pub(crate) fn code_name(code: Code) -> &'static str {
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

/// Not served by this version: UNIMPLEMENTED `UNIMPLEMENTED`.
pub fn unimplemented(domain: &str, message: &str) -> Status {
    Answer::new(Code::Unimplemented, domain, "UNIMPLEMENTED", message).into_status()
}

/// Anything else: INTERNAL `INTERNAL`, opaque but for the trace id; the cause goes to the log, here and once.
pub fn internal(domain: &str, cause: &(dyn Error + 'static)) -> Status {
    let trace_id = crate::telemetry::trace_id();
    tracing::error!(error = %Chain(cause), trace.id = %trace_id, "internal error");
    let message = format!("internal error; trace {trace_id}");
    Answer::new(Code::Internal, domain, "INTERNAL", message)
        .meta("trace_id", trace_id)
        .into_status()
}

/// The Status for an error of the database: UNAVAILABLE when it is away, over-used or was asked too much at once
/// (SQLSTATE 08, 40, 53, 55P03, 57P0x, I/O, pool), DEADLINE_EXCEEDED when it cut the statement, INVALID_ARGUMENT
/// `BAD_VALUE` when it can't take a value (class 22), else INTERNAL.
pub fn database(domain: &str, error: &sqlx::Error) -> Status {
    match crate::postgres::fault(error) {
        crate::postgres::Fault::Away => {
            tracing::warn!(error = %Chain(error), "database not available");
            unavailable(domain, "the database")
        }
        crate::postgres::Fault::Cut => deadline_exceeded(domain),
        crate::postgres::Fault::Value => {
            // wire.rs should have refused it, naming the field.
            tracing::warn!(error = %Chain(error), "the database can't take a value");
            let why = "holds a text, number or time that can't be stored";
            invalid(
                domain,
                [Violation::new("request", why).because("BAD_VALUE")],
            )
        }
        crate::postgres::Fault::Wrong => internal(domain, error),
    }
}

/// The Status for an answer of a neighbour that its caller has nothing to say about: UNAVAILABLE and DEADLINE_EXCEEDED
/// stay what they are; everything else is our fault.
pub fn neighbour(domain: &str, name: &str, answer: &Status) -> Status {
    match answer.code() {
        Code::Unavailable | Code::ResourceExhausted | Code::Cancelled => {
            tracing::warn!(neighbour = name, error = %answer, "neighbour not available");
            unavailable(domain, name)
        }
        Code::DeadlineExceeded => deadline_exceeded(domain),
        _ => internal(domain, answer),
    }
}

/// The reason of a Status that was made here; empty for any other.
pub fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

/// An error with all its sources, for one line of log.
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
