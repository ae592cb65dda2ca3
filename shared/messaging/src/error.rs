//! What can go wrong in this crate, and how a caller of an RPC sees it.

use marketplace_runtime::status::{self, Violation};
use tonic::Status;

/// Failures of messaging itself; a refusal by a command is the service's own error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statement or the connection failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The broker or the connection to it failed.
    #[error("the broker failed")]
    Broker(#[from] lapin::Error),
    /// The broker did not answer in time.
    #[error("the broker did not answer in time: {0}")]
    BrokerSilent(&'static str),
    /// The AMQP URL can't be read.
    #[error("not an AMQP URL: {0}")]
    AmqpUrl(String),
    /// A subscription that differs from its row in the topology table.
    #[error("queue {0} is not in the topology table with these keys")]
    Topology(&'static str),
    /// The id was used for a different request.
    #[error("the request id was used for another request")]
    RequestReused,
    /// An equal request is still being carried out.
    #[error("an equal request is still being carried out")]
    RequestInProgress,
    /// The claim was taken over and completed by a twin.
    #[error("the claim of this request was completed by another")]
    ClaimLost,
    /// A field of the request is wrong.
    #[error("{}: {}", .0.field, .0.description)]
    Invalid(Violation),
    /// A stored answer can't be read.
    #[error("a stored answer is damaged")]
    Damaged(#[from] prost::DecodeError),
}

impl Error {
    /// The answer to the caller; `domain` is the proto package of the service.
    pub fn into_status(self, domain: &str) -> Status {
        match self {
            Error::Database(error) => status::database(domain, &error),
            Error::Broker(_) | Error::BrokerSilent(_) => {
                status::unavailable(domain, "the message broker")
            }
            Error::RequestReused => status::request_id_reused(domain),
            Error::RequestInProgress | Error::ClaimLost => status::request_in_progress(domain),
            Error::Invalid(violation) => status::invalid(domain, [violation]),
            Error::AmqpUrl(_) | Error::Topology(_) | Error::Damaged(_) => {
                status::internal(domain, &self)
            }
        }
    }

    /// Whether a unique key of this name was violated.
    pub(crate) fn violates(&self, constraint: &str) -> bool {
        match self {
            Error::Database(sqlx::Error::Database(error)) => error.constraint() == Some(constraint),
            _ => false,
        }
    }
}
