//! What can go wrong, and the one place where it becomes a Status or a failed message.

use marketplace_messaging::Failure;
use marketplace_runtime::postgres;
use marketplace_runtime::status::{self, Violation};
use time::Duration;
use tonic::Status;

use crate::DOMAIN;
use crate::domain::{DryRunEnded, IllegalMove, QuotaExceeded, Refusal, UnknownState, UnknownStep};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("messaging failed")]
    Messaging(#[from] marketplace_messaging::Error),
    /// The offer's state doesn't allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The request is malformed.
    #[error("the request is malformed")]
    Invalid(Vec<Violation>),
    #[error("there is no {kind} {name}")]
    NotFound { kind: &'static str, name: String },
    /// A submission of this offer is in flight, named.
    #[error("{0} is in flight")]
    InFlight(String),
    /// Stops, restores or the newest submission kept changing while the content was frozen.
    #[error("the offer kept changing")]
    ConcurrentChange,
    #[error(transparent)]
    Quota(#[from] QuotaExceeded),
    #[error(transparent)]
    DryRunEnded(#[from] DryRunEnded),
    /// Tax or payout profile (RO-9).
    #[error("the tax or payout profile is not valid")]
    PayoutProfile,
    /// A neighbour refused, and its words are the caller's.
    #[error("a neighbour refused")]
    Told(#[source] Box<Status>),
    /// A neighbour failed.
    #[error("{0} failed")]
    Neighbour(&'static str, #[source] Box<Status>),
    /// Rows that can't be.
    #[error("corrupt: {0}")]
    Corrupt(&'static str),
    /// Rows that can't be written as JSON.
    #[error("a row can't be written")]
    Unwritable(#[source] serde_json::Error),
    #[error("a stored state can't be read")]
    State(#[from] UnknownState),
    #[error("a stored step can't be read")]
    Step(#[from] UnknownStep),
    #[error("the work panicked")]
    Panicked(#[from] marketplace_runtime::tasks::Panicked),
}

impl Error {
    /// Whether the same may succeed later: the database is away, or another transaction was in the way.
    pub fn passes(&self) -> bool {
        let database = match self {
            Error::Database(error)
            | Error::Messaging(marketplace_messaging::Error::Database(error)) => error,
            _ => return false,
        };
        postgres::fault(database) == postgres::Fault::Away
    }
}

impl From<IllegalMove> for Error {
    fn from(illegal: IllegalMove) -> Self {
        Error::Refused(illegal.into())
    }
}

impl From<Vec<Violation>> for Error {
    fn from(violations: Vec<Violation>) -> Self {
        Error::Invalid(violations)
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Error::Invalid(vec![violation])
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Status {
        match error {
            Error::Database(error) => status::database(DOMAIN, &error),
            Error::Messaging(error) => error.into_status(DOMAIN),
            Error::Refused(refusal) => refused(&refusal),
            Error::Invalid(violations) => status::invalid(DOMAIN, violations),
            Error::NotFound { kind, name } => status::not_found(DOMAIN, kind, &name),
            Error::InFlight(submission) => status::in_flight(DOMAIN, &submission),
            Error::ConcurrentChange => {
                let why = "stops, restores or the newest submission changed while the content was frozen; try again";
                let soon = std::time::Duration::from_millis(200);
                status::aborted(DOMAIN, "CONCURRENT_CHANGE", why, &[], Some(soon))
            }
            Error::Quota(exceeded) => quota_exceeded(&exceeded),
            Error::DryRunEnded(DryRunEnded(state)) => {
                status::illegal_move(DOMAIN, state.as_str(), "CANCEL_DRY_RUN", &[])
            }
            Error::PayoutProfile => {
                let why = "offers sold through the marketplace need a valid tax and payout profile (RO-9)";
                status::failed_precondition(DOMAIN, "PAYOUT_PROFILE_INVALID", why, &[])
            }
            Error::Told(status) => *status,
            Error::Neighbour(name, answer) => status::neighbour(DOMAIN, name, &answer),
            Error::Corrupt(_)
            | Error::Unwritable(_)
            | Error::State(_)
            | Error::Step(_)
            | Error::Panicked(_) => status::internal(DOMAIN, &error),
        }
    }
}

fn quota_exceeded(exceeded: &QuotaExceeded) -> Status {
    let subject = format!(
        "publishers/{}/quotas/{}",
        exceeded.publisher,
        exceeded.quota.as_str()
    );
    let why = format!("at most {}", exceeded.limit);
    let again = std::time::Duration::try_from(exceeded.again).unwrap_or_default();
    status::exhausted(DOMAIN, "QUOTA_EXCEEDED", &subject, &why, again)
}

fn refused(refusal: &Refusal) -> Status {
    let why = refusal.to_string();
    match refusal {
        Refusal::IllegalMove {
            situation,
            wanted,
            allowed,
        } => {
            let allowed: Vec<&str> = allowed.iter().map(|one| one.as_str()).collect();
            status::illegal_move(DOMAIN, situation.as_str(), wanted.as_str(), &allowed)
        }
        Refusal::OtherSubmission(id, state) => {
            let id = id.to_string();
            status::failed_precondition(
                DOMAIN,
                "ILLEGAL_MOVE",
                &why,
                &[("submission", &id), ("state", state)],
            )
        }
        // Doors that know the offer's name answer Error::InFlight; this is the same with less.
        Refusal::InFlight(id) => status::in_flight(DOMAIN, &id.to_string()),
        Refusal::ConfirmationRequired { field, why } => {
            status::confirmation_required(DOMAIN, field, why)
        }
        Refusal::NotesRequired => {
            status::failed_precondition(DOMAIN, "NOTES_REQUIRED", &why, &[("field", "notes")])
        }
        Refusal::NotAllowed(reason, _) => status::failed_precondition(DOMAIN, reason, &why, &[]),
        Refusal::FreezeOutdated => Error::ConcurrentChange.into(),
        Refusal::UnknownPlan { plan, .. } => status::not_found(DOMAIN, "Plan", plan),
        Refusal::Broken(_) | Refusal::Missing(_) => status::internal(DOMAIN, refusal),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Database(error) => error.into(),
            Error::Messaging(error) => error.into(),
            Error::Invalid(violations) => {
                let words: Vec<String> = violations.iter().map(ToString::to_string).collect();
                Failure::dead(words.join("; "))
            }
            Error::Refused(refusal) => Failure::dead(refusal.to_string()),
            Error::Corrupt(_) | Error::State(_) | Error::Step(_) => {
                Failure::dead(error.to_string())
            }
            other => Failure::failed(other),
        }
    }
}

/// A setting as the standard library has it.
pub(crate) fn span(duration: std::time::Duration) -> Duration {
    Duration::try_from(duration).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DryRunState, Move, Quota, Quotas, Situation};
    use marketplace_runtime::status::reason;
    use tonic::Code;
    use uuid::Uuid;

    #[test]
    fn every_refusal_has_its_code_and_reason() {
        let id = Uuid::from_u128(1);
        let illegal = Refusal::IllegalMove {
            situation: Situation::Live,
            wanted: Move::GoLive,
            allowed: vec![Move::Publish, Move::StopOffer],
        };
        let confirm = Refusal::ConfirmationRequired {
            field: "confirm",
            why: "x".into(),
        };
        let away = Box::new(Status::unavailable("away"));
        let quotas = Quotas::default();
        let now = time::OffsetDateTime::UNIX_EPOCH;
        let exceeded = quotas.admit(Quota::OpenSubmissions, i64::MAX, "contoso", now);
        let table: [(Error, Code, &str); 16] = [
            (illegal.into(), Code::FailedPrecondition, "ILLEGAL_MOVE"),
            (
                Refusal::OtherSubmission(id, "live").into(),
                Code::FailedPrecondition,
                "ILLEGAL_MOVE",
            ),
            (
                Error::InFlight("s".into()),
                Code::FailedPrecondition,
                "SUBMISSION_IN_FLIGHT",
            ),
            (
                Refusal::InFlight(id).into(),
                Code::FailedPrecondition,
                "SUBMISSION_IN_FLIGHT",
            ),
            (
                confirm.into(),
                Code::FailedPrecondition,
                "CONFIRMATION_REQUIRED",
            ),
            (
                Refusal::NotesRequired.into(),
                Code::FailedPrecondition,
                "NOTES_REQUIRED",
            ),
            (
                Refusal::NotAllowed("LAST_PLAN", "x".into()).into(),
                Code::FailedPrecondition,
                "LAST_PLAN",
            ),
            (
                Refusal::FreezeOutdated.into(),
                Code::Aborted,
                "CONCURRENT_CHANGE",
            ),
            (
                Refusal::UnknownPlan {
                    plan: "x".into(),
                    otherwise: Refusal::NotesRequired.into(),
                }
                .into(),
                Code::NotFound,
                "NOT_FOUND",
            ),
            (Refusal::Missing(id).into(), Code::Internal, "INTERNAL"),
            (
                exceeded.unwrap_err().into(),
                Code::ResourceExhausted,
                "QUOTA_EXCEEDED",
            ),
            (
                DryRunEnded(DryRunState::Done).into(),
                Code::FailedPrecondition,
                "ILLEGAL_MOVE",
            ),
            (
                Error::PayoutProfile,
                Code::FailedPrecondition,
                "PAYOUT_PROFILE_INVALID",
            ),
            (
                Error::Neighbour("the catalogue", away),
                Code::Unavailable,
                "UNAVAILABLE",
            ),
            (
                Violation::missing("etag").into(),
                Code::InvalidArgument,
                "REQUIRED",
            ),
            (Error::Corrupt("x"), Code::Internal, "INTERNAL"),
        ];
        for (error, code, why) in table {
            let name = format!("{error:?}");
            let status = Status::from(error);
            assert_eq!(
                (status.code(), reason(&status).as_str()),
                (code, why),
                "{name}"
            );
        }
    }

    #[test]
    fn a_message_that_can_never_be_applied_is_dead_and_an_absent_database_is_waited_for() {
        assert!(matches!(
            Failure::from(Error::Corrupt("x")),
            Failure::Dead(_)
        ));
        let away = || Error::Database(sqlx::Error::PoolTimedOut);
        assert!(away().passes() && matches!(Failure::from(away()), Failure::Retry(_)));
        assert!(!Error::Corrupt("x").passes());
    }
}
