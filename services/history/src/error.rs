//! What can go wrong, and how a caller or the inbox sees it.

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
    /// An offer that has no history: there is none of that name, or the caller may not know of it.
    #[error("there is no offer {0}")]
    NoOffer(String),
    /// A resume token of an offer that is gone.
    #[error("the token is too old")]
    TokenTooOld,
    /// An event that says what no event of its kind can say.
    #[error("the event is malformed: {0}")]
    Event(#[source] Violation),
    /// An event of a kind that this version doesn't know.
    #[error("an event that this version doesn't know")]
    UnknownEvent,
    /// A stored value that means nothing.
    #[error("a stored row is damaged")]
    Corrupt(#[from] Unknown),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The catalog did not answer.
    #[error("the offer catalog failed")]
    Catalog(#[source] Box<Status>),
}

impl From<Vec<Violation>> for Error {
    fn from(violations: Vec<Violation>) -> Error {
        Error::Invalid(violations)
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Status {
        match error {
            Error::Invalid(violations) => status::invalid(DOMAIN, violations),
            Error::NoOffer(name) => status::not_found(DOMAIN, "Offer", &name),
            Error::TokenTooOld => status::out_of_range(DOMAIN, "TOKEN_TOO_OLD"),
            Error::Database(error) => status::database(DOMAIN, &error),
            Error::Catalog(answer) => status::neighbour(DOMAIN, "the offer catalog", &answer),
            Error::Corrupt(_) | Error::Event(_) | Error::UnknownEvent => {
                status::internal(DOMAIN, &error)
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Database(error) => error.into(),
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
        let table = [
            (
                Error::Invalid(vec![Violation::missing("parent")]),
                Code::InvalidArgument,
                "REQUIRED",
            ),
            (
                Error::NoOffer("publishers/a/offers/b".into()),
                Code::NotFound,
                "NOT_FOUND",
            ),
            (Error::TokenTooOld, Code::OutOfRange, "TOKEN_TOO_OLD"),
            (
                Error::Event(Violation::missing("x")),
                Code::Internal,
                "INTERNAL",
            ),
            (Error::UnknownEvent, Code::Internal, "INTERNAL"),
            (
                Error::Corrupt(Unknown("x".into(), "code")),
                Code::Internal,
                "INTERNAL",
            ),
            (
                Error::Database(sqlx::Error::PoolTimedOut),
                Code::Unavailable,
                "UNAVAILABLE",
            ),
            (
                Error::Database(sqlx::Error::RowNotFound),
                Code::Internal,
                "INTERNAL",
            ),
            (
                Error::Catalog(Box::new(Status::unavailable(""))),
                Code::Unavailable,
                "UNAVAILABLE",
            ),
            (
                Error::Catalog(Box::new(Status::deadline_exceeded(""))),
                Code::DeadlineExceeded,
                "DEADLINE_EXCEEDED",
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

    #[test]
    fn what_no_try_can_mend_is_a_dead_letter_at_once() {
        assert!(matches!(
            Failure::from(Error::UnknownEvent),
            Failure::Dead(_)
        ));
        assert!(matches!(
            Failure::from(Error::Event(Violation::missing("x"))),
            Failure::Dead(_)
        ));
        assert!(matches!(
            Failure::from(Error::Database(sqlx::Error::PoolTimedOut)),
            Failure::Retry(_)
        ));
    }
}
