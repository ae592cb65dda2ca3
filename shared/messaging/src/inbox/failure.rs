//! Why a message could not be applied, and what that means for it.

use std::error::Error as StdError;

use marketplace_runtime::postgres;

use crate::Error;

type Cause = Box<dyn StdError + Send + Sync>;

/// A message was not applied. Services convert their own error into it: `From<Error> for Failure`.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something else is down or in the way: the same message is tried again in place until it works.
    #[error("something the message needs is away")]
    Retry(#[source] Cause),
    /// No further try can help (undecodable, an event this version doesn't know, a broken invariant): a dead letter at once.
    #[error("{0}")]
    Dead(String),
    /// Anything else: a dead letter after five tries.
    #[error("the message could not be applied")]
    Failed(#[source] Cause),
}

impl Failure {
    /// A broken invariant: no further try can help.
    pub fn dead(reason: impl Into<String>) -> Failure {
        Failure::Dead(reason.into())
    }

    /// An event that this version doesn't know; replayed after the upgrade.
    pub fn unknown_event() -> Failure {
        Failure::dead("an event that this version doesn't know")
    }

    /// Anything that five tries are worth.
    pub fn failed(cause: impl Into<Cause>) -> Failure {
        Failure::Failed(cause.into())
    }

    /// The whole chain of causes, for `dead_letters.reason` and the log.
    pub fn reason(&self) -> String {
        let mut reason = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !reason.ends_with(&text) {
                reason.push_str(": ");
                reason.push_str(&text);
            }
            cause = error.source();
        }
        reason
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Failure {
        if passes(&error) {
            Failure::Retry(error.into())
        } else {
            Failure::Failed(error.into())
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Database(error) => error.into(),
            other => Failure::Failed(other.into()),
        }
    }
}

impl From<prost::DecodeError> for Failure {
    fn from(error: prost::DecodeError) -> Failure {
        Failure::Dead(format!("undecodable: {error}"))
    }
}

/// Whether the same statement may succeed later: the way to the database, its resources, or another transaction failed,
/// not the statement.
fn passes(error: &sqlx::Error) -> bool {
    postgres::fault(error) == postgres::Fault::Away
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_network_did_is_tried_again_and_what_the_message_did_is_counted() {
        let io = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert!(matches!(
            Failure::from(sqlx::Error::Io(io())),
            Failure::Retry(_)
        ));
        assert!(matches!(
            Failure::from(sqlx::Error::PoolTimedOut),
            Failure::Retry(_)
        ));
        assert!(matches!(
            Failure::from(sqlx::Error::RowNotFound),
            Failure::Failed(_)
        ));
    }

    #[test]
    fn the_reason_names_every_cause_once() {
        let failure = Failure::from(sqlx::Error::RowNotFound);
        assert_eq!(failure.reason().matches("no rows").count(), 1);
    }
}
