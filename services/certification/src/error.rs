//! What can go wrong, and how a caller sees it: the last step of every RPC is this one match.

use marketplace_messaging::Failure;
use marketplace_runtime::status::{self, Violation};
use tonic::Status;

use crate::{
    DOMAIN,
    domain::{IllegalMove, NotYet},
};

/// Every way in which a command or a read of this service fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("messaging failed")]
    Messaging(#[from] marketplace_messaging::Error),
    #[error("there is no {kind} {name}")]
    NotFound { kind: &'static str, name: String },
    #[error("the request is malformed")]
    Invalid(Vec<Violation>),
    #[error(transparent)]
    NotYet(#[from] NotYet),
    #[error("damaged: {0}")]
    Corrupt(String),
}

impl From<IllegalMove> for Error {
    fn from(illegal: IllegalMove) -> Error {
        Error::NotYet(illegal.into())
    }
}

impl Error {
    /// No such thing, or none that the caller may know of.
    pub fn not_found(kind: &'static str, name: impl Into<String>) -> Error {
        Error::NotFound {
            kind,
            name: name.into(),
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Status {
        match error {
            Error::Database(error) => status::database(DOMAIN, &error),
            Error::Messaging(error) => error.into_status(DOMAIN),
            Error::NotFound { kind, name } => status::not_found(DOMAIN, kind, &name),
            Error::Invalid(violations) => status::invalid(DOMAIN, violations),
            Error::NotYet(why) => not_yet(why),
            Error::Corrupt(_) => status::internal(DOMAIN, &error),
        }
    }
}

fn not_yet(why: NotYet) -> Status {
    let message = why.to_string();
    match why {
        NotYet::Illegal(IllegalMove { from, wanted }) => {
            let allowed: Vec<&str> = from
                .moves()
                .iter()
                .map(|(legal, _)| legal.as_str())
                .collect();
            status::illegal_move(DOMAIN, from.as_str(), wanted.as_str(), &allowed)
        }
        NotYet::NotClaimed => status::failed_precondition(DOMAIN, "NOT_CLAIMED", &message, &[]),
        NotYet::ChecksOpen(checks) => status::failed_precondition(
            DOMAIN,
            "CHECKS_OPEN",
            &message,
            &[("checks", &checks.join(", "))],
        ),
        NotYet::NothingFailed => {
            status::failed_precondition(DOMAIN, "NOTHING_FAILED", &message, &[])
        }
        NotYet::NoteMissing => status::invalid(DOMAIN, [Violation::missing("note")]),
        NotYet::UnknownCheck(check) => status::invalid(
            DOMAIN,
            [
                Violation::new("check", format!("{check} is no check of this case"))
                    .because("UNKNOWN_CHECK"),
            ],
        ),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Database(error) => error.into(),
            Error::Messaging(error) => error.into(),
            Error::Corrupt(what) => Failure::dead(what),
            Error::Invalid(violations) => Failure::dead(
                violations
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("; "),
            ),
            other @ (Error::NotFound { .. } | Error::NotYet(_)) => Failure::failed(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::domain::{Move, State};

    #[test]
    fn every_error_has_its_code_and_reason() {
        let illegal = IllegalMove {
            from: State::Passed,
            wanted: Move::Claim,
        };
        let table: Vec<(Error, Code, &str)> = vec![
            (
                sqlx::Error::PoolTimedOut.into(),
                Code::Unavailable,
                "UNAVAILABLE",
            ),
            (sqlx::Error::RowNotFound.into(), Code::Internal, "INTERNAL"),
            (
                marketplace_messaging::Error::RequestReused.into(),
                Code::InvalidArgument,
                "REQUEST_ID_REUSED",
            ),
            (
                Error::not_found("Case", "cases/1"),
                Code::NotFound,
                "NOT_FOUND",
            ),
            (
                Error::Invalid(vec![Violation::missing("name")]),
                Code::InvalidArgument,
                "REQUIRED",
            ),
            (illegal.into(), Code::FailedPrecondition, "ILLEGAL_MOVE"),
            (
                NotYet::NotClaimed.into(),
                Code::FailedPrecondition,
                "NOT_CLAIMED",
            ),
            (
                NotYet::ChecksOpen(vec!["CV-15-M".into()]).into(),
                Code::FailedPrecondition,
                "CHECKS_OPEN",
            ),
            (
                NotYet::NothingFailed.into(),
                Code::FailedPrecondition,
                "NOTHING_FAILED",
            ),
            (
                NotYet::NoteMissing.into(),
                Code::InvalidArgument,
                "REQUIRED",
            ),
            (
                NotYet::UnknownCheck("CV-99".into()).into(),
                Code::InvalidArgument,
                "UNKNOWN_CHECK",
            ),
            (Error::Corrupt("x".into()), Code::Internal, "INTERNAL"),
        ];
        for (error, code, reason) in table {
            let text = format!("{error:?}");
            let status = Status::from(error);
            assert_eq!(
                (status.code(), status::reason(&status).as_str()),
                (code, reason),
                "{text}"
            );
        }
    }
}
