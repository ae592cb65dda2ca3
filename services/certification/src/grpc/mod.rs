//! One door in, the tonic impl: who, may they, what; then the work; then the answer.

mod certification;
mod looks;
mod page;
mod review;

use marketplace_messaging::Database;
use marketplace_runtime::{
    access::{Access, Permission, Scope, Target},
    identity::Caller,
};
use tonic::Status;
use uuid::Uuid;

use crate::{
    due::{Checker, RuleBook},
    error::Error,
    store, wire,
};

/// Serves `CertificationService` and `ReviewService`. Cheap to clone.
#[derive(Clone)]
pub struct Grpc {
    pub db: Database,
    pub access: Access,
    pub book: RuleBook,
    pub checker: Checker,
}

impl Grpc {
    /// The scope of a reviewer for a case: the platform role first, then no interest in its publisher. Only then may
    /// they learn whether the case exists.
    async fn reviewer_of(&self, caller: &Caller, name: &str) -> Result<(Scope, Uuid), Status> {
        self.access
            .require(caller, Permission::Review, &Target::Platform)
            .await?;
        let id = wire::case_id(name)?;
        let publisher = self.publisher_of(id, name).await?;
        let target = Target::Resource {
            publisher: &publisher,
            kind: "Case",
            name,
        };
        Ok((
            self.access
                .require(caller, Permission::Review, &target)
                .await?,
            id,
        ))
    }

    /// The scope of whoever may read a case: reviewers without an interest, members of its publisher, operators.
    async fn reader_of(&self, caller: &Caller, name: &str) -> Result<(Scope, Uuid), Status> {
        let id = wire::case_id(name)?;
        let publisher = self.publisher_of(id, name).await?;
        let target = Target::Resource {
            publisher: &publisher,
            kind: "Case",
            name,
        };
        Ok((
            self.access
                .require(caller, reading(caller), &target)
                .await?,
            id,
        ))
    }

    async fn publisher_of(&self, id: Uuid, name: &str) -> Result<String, Status> {
        let mut db = self.db.acquire().await.map_err(Error::from)?;
        let publisher = store::publisher_of(&mut db, id)
            .await
            .map_err(Error::from)?;
        Ok(publisher.ok_or_else(|| Error::not_found("Case", name))?)
    }
}

/// A reviewer reads as a reviewer, so that an interest counts against them; everybody else as who they are.
fn reading(caller: &Caller) -> Permission {
    if caller.roles.reviewer {
        Permission::Review
    } else {
        Permission::ReadOffer
    }
}
