//! What can go wrong, and how a caller or the inbox sees it.

use std::time::Duration;

use marketplace_messaging::Failure;
use marketplace_runtime::status::{self, Violation};
use tonic::Status;

use crate::DOMAIN;
use crate::domain::Unknown;

/// The one error of this service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Malformed or missing fields of a request.
    #[error("the request is malformed")]
    Invalid(Vec<Violation>),
    /// No such thing, or none that is the caller's.
    #[error("there is no {0} {1}")]
    NotFound(&'static str, String),
    /// The preferences were changed since they were read.
    #[error("the etag is stale")]
    StaleEtag(i64),
    /// A mandatory action stands until it is taken (NO-8).
    #[error("a mandatory action can't be archived while it stands")]
    MandatoryItem,
    /// Owners are always told (NO-2).
    #[error("an owner is always notified")]
    OwnerAlwaysNotified,
    /// Neither manager nor developer (NO-6).
    #[error("not a manager or developer of this publisher")]
    RoleNotEligible,
    /// There is no address to verify.
    #[error("no e-mail address is set")]
    NoAddress,
    /// The address is verified already.
    #[error("the address is verified already")]
    AlreadyVerified,
    /// Too many codes within the hour (NO-9).
    #[error("too many codes were asked for")]
    TooManyCodes(Duration),
    /// No code of this person's current address, or one that was used.
    #[error("the code is not valid")]
    CodeInvalid,
    /// Older than a day (NO-9).
    #[error("the code has expired")]
    CodeExpired,
    /// An event that says what no event of its kind can say.
    #[error("the event is malformed: {0}")]
    Event(#[source] Violation),
    #[error("an event that this version doesn't know")]
    UnknownEvent,
    /// A neighbour has answered what no version of it answers.
    #[error("a neighbour's answer is malformed: {0}")]
    Answer(#[source] Violation),
    /// A stored value that means nothing.
    #[error("a stored row is damaged")]
    Corrupt(#[from] Unknown),
    #[error("stored facts are damaged")]
    Facts(#[from] serde_json::Error),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("{0} failed")]
    Neighbour(&'static str, #[source] Box<Status>),
    /// The transaction could not be committed.
    #[error("messaging failed")]
    Messaging(#[from] marketplace_messaging::Error),
    /// A mail could not be put together.
    #[error("the mail can't be rendered")]
    Mail(#[from] crate::mail::MailError),
}

impl From<Vec<Violation>> for Error {
    fn from(violations: Vec<Violation>) -> Error {
        Error::Invalid(violations)
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Error {
        Error::Invalid(vec![violation])
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Status {
        let words = error.to_string();
        match error {
            Error::Invalid(violations) => status::invalid(DOMAIN, violations),
            Error::NotFound(kind, name) => status::not_found(DOMAIN, kind, &name),
            Error::StaleEtag(current) => status::stale_etag(DOMAIN, &current.to_string()),
            Error::MandatoryItem => {
                status::failed_precondition(DOMAIN, "MANDATORY_ITEM", &words, &[])
            }
            Error::OwnerAlwaysNotified => {
                status::failed_precondition(DOMAIN, "OWNER_ALWAYS_NOTIFIED", &words, &[])
            }
            Error::RoleNotEligible => {
                let violation = Violation::new(
                    "member",
                    "is neither manager nor developer of this publisher",
                );
                status::invalid(DOMAIN, [violation.because("ROLE_NOT_ELIGIBLE")])
            }
            Error::NoAddress => status::failed_precondition(
                DOMAIN,
                "NO_ADDRESS",
                "set an e-mail address first",
                &[],
            ),
            Error::AlreadyVerified => {
                status::failed_precondition(DOMAIN, "ALREADY_VERIFIED", &words, &[])
            }
            Error::TooManyCodes(retry) => status::exhausted(
                DOMAIN,
                "TOO_MANY_CODES",
                "verification codes",
                "at most 5 an hour",
                retry,
            ),
            Error::CodeInvalid => {
                let violation = Violation::new(
                    "code",
                    "is not a code that is good for your current address",
                );
                status::invalid(DOMAIN, [violation.because("CODE_INVALID")])
            }
            Error::CodeExpired => status::failed_precondition(
                DOMAIN,
                "CODE_EXPIRED",
                "the code has expired; ask for a new one",
                &[],
            ),
            Error::Database(error) => status::database(DOMAIN, &error),
            Error::Neighbour(name, answer) => status::neighbour(DOMAIN, name, &answer),
            Error::Messaging(error) => error.into_status(DOMAIN),
            Error::Event(_)
            | Error::UnknownEvent
            | Error::Answer(_)
            | Error::Corrupt(_)
            | Error::Facts(_)
            | Error::Mail(_) => status::internal(DOMAIN, &error),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Database(error) => error.into(),
            Error::Messaging(error) => error.into(),
            Error::UnknownEvent => Failure::unknown_event(),
            Error::Event(violation) => Failure::dead(format!("malformed: {violation}")),
            other => Failure::failed(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[test]
    fn every_error_has_its_code_and_reason() {
        let broken = || serde_json::from_str::<u8>("x").unwrap_err();
        let table = [
            (
                Error::Invalid(vec![Violation::missing("offer")]),
                Code::InvalidArgument,
                "REQUIRED",
            ),
            (
                Error::NotFound("ActionItem", "actionItems/x".into()),
                Code::NotFound,
                "NOT_FOUND",
            ),
            (Error::StaleEtag(3), Code::Aborted, "STALE_ETAG"),
            (
                Error::MandatoryItem,
                Code::FailedPrecondition,
                "MANDATORY_ITEM",
            ),
            (
                Error::OwnerAlwaysNotified,
                Code::FailedPrecondition,
                "OWNER_ALWAYS_NOTIFIED",
            ),
            (
                Error::RoleNotEligible,
                Code::InvalidArgument,
                "ROLE_NOT_ELIGIBLE",
            ),
            (Error::NoAddress, Code::FailedPrecondition, "NO_ADDRESS"),
            (
                Error::AlreadyVerified,
                Code::FailedPrecondition,
                "ALREADY_VERIFIED",
            ),
            (
                Error::TooManyCodes(Duration::from_secs(60)),
                Code::ResourceExhausted,
                "TOO_MANY_CODES",
            ),
            (Error::CodeInvalid, Code::InvalidArgument, "CODE_INVALID"),
            (Error::CodeExpired, Code::FailedPrecondition, "CODE_EXPIRED"),
            (
                Error::Event(Violation::missing("x")),
                Code::Internal,
                "INTERNAL",
            ),
            (Error::UnknownEvent, Code::Internal, "INTERNAL"),
            (
                Error::Answer(Violation::missing("x")),
                Code::Internal,
                "INTERNAL",
            ),
            (
                Error::Corrupt(Unknown("x".into(), "code")),
                Code::Internal,
                "INTERNAL",
            ),
            (Error::Facts(broken()), Code::Internal, "INTERNAL"),
            (
                Error::Database(sqlx::Error::PoolTimedOut),
                Code::Unavailable,
                "UNAVAILABLE",
            ),
            (
                Error::Neighbour("the offer catalog", Box::new(Status::unavailable(""))),
                Code::Unavailable,
                "UNAVAILABLE",
            ),
            (
                Error::Messaging(sqlx::Error::PoolTimedOut.into()),
                Code::Unavailable,
                "UNAVAILABLE",
            ),
            (
                Error::Mail(crate::mail::MailError::Settings("x".into())),
                Code::Internal,
                "INTERNAL",
            ),
        ];
        for (error, code, reason) in table {
            let text = error.to_string();
            let answer = Status::from(error);
            assert_eq!(
                (answer.code(), status::reason(&answer).as_str()),
                (code, reason),
                "{text}"
            );
        }
    }
}
