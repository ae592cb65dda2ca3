//! CheckSnapshot: what the checks say of a snapshot, for a dry run. Nothing is kept.

use std::pin::Pin;

use futures::Stream;
use marketplace_proto::certification::v1 as pb;
use marketplace_runtime::{access::Permission, status};
use tonic::{Code, Status};

use super::Grpc;
use crate::{DOMAIN, error::Error, neighbours::Unusable, wire};

/// The service that makes dry runs.
pub const LOOKERS: Permission = Permission::Service(&["publishing-pipeline"]);

pub type Looking = Pin<Box<dyn Stream<Item = Result<pb::CheckSnapshotResponse, Status>> + Send>>;

impl Grpc {
    /// Everything is checked before the first message: what fails, fails as a whole.
    pub(super) async fn look(&self, request: pb::CheckSnapshotRequest) -> Result<Looking, Status> {
        let snapshot = request.snapshot.clone();
        let (matter, reach) = wire::look(request)?;
        let seen = self.checker.look(&self.db, matter, reach).await;
        let seen = seen.map_err(|error| refused(error, &snapshot))?;
        let parts = wire::seen(&seen, &self.book.policies());
        Ok(Box::pin(futures::stream::iter(parts.into_iter().map(Ok))))
    }
}

/// What kept the checks from being run, for the service that asked.
fn refused(error: anyhow::Error, snapshot: &str) -> Status {
    let error = match error.downcast::<Unusable>() {
        Ok(unusable) => return unusable_snapshot(&unusable, snapshot),
        Err(other) => other,
    };
    match error.downcast::<sqlx::Error>() {
        Ok(error) => Error::from(error).into(),
        Err(error) => status::internal(DOMAIN, error.as_ref()),
    }
}

fn unusable_snapshot(unusable: &Unusable, snapshot: &str) -> Status {
    if let Some(what) = unusable.tampered() {
        return status::failed_precondition(DOMAIN, "DIGEST_MISMATCH", &what, &[]);
    }
    match unusable {
        Unusable::Status(answer) if answer.code() == Code::NotFound => {
            status::not_found(DOMAIN, "Snapshot", snapshot)
        }
        Unusable::Status(answer) => status::neighbour(DOMAIN, "the offer catalog", answer),
        other => status::internal(DOMAIN, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use marketplace_runtime::status::reason;

    #[test]
    fn what_keeps_checks_from_being_run_has_a_code_and_a_reason() {
        let of = |status: Status| Unusable::Status(Box::new(status));
        let changed = Unusable::OtherSnapshot {
            wanted: "00".into(),
            found: "01".into(),
        };
        let gone = of(status::not_found("catalog", "Snapshot", "s"));
        let away = of(Status::unavailable("away"));
        let rows: [(anyhow::Error, Code, &str); 5] = [
            (changed.into(), Code::FailedPrecondition, "DIGEST_MISMATCH"),
            (gone.into(), Code::NotFound, "NOT_FOUND"),
            (away.into(), Code::Unavailable, "UNAVAILABLE"),
            (
                sqlx::Error::PoolTimedOut.into(),
                Code::Unavailable,
                "UNAVAILABLE",
            ),
            (anyhow::anyhow!("broken"), Code::Internal, "INTERNAL"),
        ];
        for (error, code, why) in rows {
            let status = refused(error, "s");
            assert_eq!((status.code(), reason(&status).as_str()), (code, why));
        }
    }
}
