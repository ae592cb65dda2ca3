//! Who may do what: the first line of every handler.
//!
//! ```text
//! let (caller, request) = identity::open(request)?;
//! let name = OfferName::parse(&request.offer, "offer").map_err(|v| status::invalid(DOMAIN, [v]))?;
//! let target = Target::Resource { publisher: &name.publisher, kind: "Offer", name: &request.offer };
//! let scope = self.access.require(&caller, Permission::Publish, &target).await?;
//! ```
//!
//! Membership is the catalog's. Elsewhere it is asked with `CheckAccess`: positive answers live 5 s, negative ones
//! aren't kept; with the catalog away, reads may use a positive answer up to 60 s old and writes answer UNAVAILABLE.
//! In the catalog itself `require` runs no statement: the scope stays open until the resource's own statement has read
//! the caller's roles and the handler calls [`Scope::settle`] with them.

mod cache;
mod permission;
mod scope;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use marketplace_proto::offercatalog::v1::publisher_service_client::PublisherServiceClient;
use marketplace_proto::offercatalog::v1::{CheckAccessRequest, CheckAccessResponse};
use tonic::Status;

use crate::identity::Caller;
use crate::neighbour::NeighbourChannel;
use crate::status;
use cache::{Cache, FRESH, USABLE};
pub use permission::{PUBLISHING_ROLES, Permission, Role, Target, UnknownRole};
pub use scope::{ActorKind, Membership, Scope};

/// Decides who may do what. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    domain: &'static str,
    catalog: Option<Arc<Catalog>>,
}

struct Catalog {
    client: PublisherServiceClient<NeighbourChannel>,
    cache: Cache,
}

impl Access {
    /// For the four services that ask the catalog; `domain` is the proto package of the asking service.
    pub fn remote(domain: &'static str, catalog: NeighbourChannel) -> Self {
        let client = PublisherServiceClient::new(catalog);
        Self {
            domain,
            catalog: Some(Arc::new(Catalog {
                client,
                cache: Cache::default(),
            })),
        }
    }

    /// For the catalog: runs no statement.
    pub fn local(domain: &'static str) -> Self {
        Self {
            domain,
            catalog: None,
        }
    }

    /// The scope in which the caller may do it, or the refusal: NOT_FOUND to who is nothing to the publisher (the same
    /// bytes as for what doesn't exist), PERMISSION_DENIED to a member without the permission.
    pub async fn require(
        &self,
        caller: &Caller,
        permission: Permission,
        target: &Target<'_>,
    ) -> Result<Scope, Status> {
        let scope = Scope::asked(self.domain, caller, permission, target);
        let Some(publisher) = target.publisher().filter(|_| permission.is_about_members()) else {
            return scope.settle_platform(caller);
        };
        match &self.catalog {
            None => Ok(scope),
            Some(catalog) => catalog.settle(self.domain, scope, publisher).await,
        }
    }
}

impl Catalog {
    async fn settle(
        &self,
        domain: &'static str,
        scope: Scope,
        publisher: &str,
    ) -> Result<Scope, Status> {
        let principal = scope.principal().to_owned();
        if let Some(known) = self.cache.get(publisher, &principal, FRESH)
            && let Ok(settled) = scope.clone().settle(&known)
        {
            return Ok(settled);
        }
        let membership = match self.ask(publisher, &principal).await {
            Ok(membership) => membership,
            Err(error) => return self.settle_alone(domain, scope, publisher, &error),
        };
        match scope.settle(&membership) {
            Ok(settled) => {
                self.cache.put(publisher, &principal, membership);
                Ok(settled)
            }
            Err(refusal) => {
                self.cache.forget(publisher, &principal);
                Err(refusal)
            }
        }
    }

    /// The catalog doesn't answer: reads may go by what it said within the last minute.
    fn settle_alone(
        &self,
        domain: &'static str,
        scope: Scope,
        publisher: &str,
        error: &Status,
    ) -> Result<Scope, Status> {
        let known = self
            .cache
            .get(publisher, scope.principal(), USABLE)
            .filter(|_| scope.permission().is_read());
        match known.map(|membership| scope.settle(&membership)) {
            Some(Ok(settled)) => Ok(settled),
            _ => Err(status::neighbour(domain, "the offer catalog", error)),
        }
    }

    async fn ask(&self, publisher: &str, principal: &str) -> Result<Membership, Status> {
        let request = CheckAccessRequest {
            publisher: format!("publishers/{publisher}"),
            principal: principal.to_owned(),
        };
        let answer = self
            .client
            .clone()
            .check_access(request)
            .await?
            .into_inner();
        Ok(answer.into())
    }
}

impl From<CheckAccessResponse> for Membership {
    fn from(answer: CheckAccessResponse) -> Self {
        Self {
            roles: answer
                .roles
                .into_iter()
                .filter_map(Role::from_proto)
                .collect(),
            member: answer.member,
            operator_granted: answer.operator_granted,
            publisher_exists: answer.publisher_exists,
        }
    }
}
