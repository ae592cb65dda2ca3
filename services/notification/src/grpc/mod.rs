//! The door that callers come through: each person's own items and preferences, and the audiences of offers.

mod action_center;
mod audience;
mod preferences;

use marketplace_messaging::{Database, requests::Once};
use marketplace_runtime::access::{Access, Permission, Scope, Target};
use marketplace_runtime::identity::Caller;
use marketplace_runtime::ids::OfferName;
use tonic::Status;

use crate::DOMAIN;
use crate::domain::Portal;
use crate::mail::Letterhead;
use crate::neighbours::Neighbours;

/// Serves all three services. Cheap to clone.
#[derive(Clone)]
pub struct Grpc {
    pub db: Database,
    pub access: Access,
    pub neighbours: Neighbours,
    pub head: Letterhead,
    pub portal: Portal,
}

impl Grpc {
    /// Any valid token, for itself.
    async fn oneself(&self, caller: &Caller) -> Result<Scope, Status> {
        self.access
            .require(caller, Permission::Customer, &Target::Platform)
            .await
    }

    /// May they, on this offer?
    async fn permit(
        &self,
        caller: &Caller,
        permission: Permission,
        offer: &OfferName,
    ) -> Result<Scope, Status> {
        let name = offer.to_string();
        let target = Target::Resource {
            publisher: &offer.publisher,
            kind: "Offer",
            name: &name,
        };
        self.access.require(caller, permission, &target).await
    }
}

/// What makes two calls the same request.
fn once(
    caller: &Caller,
    rpc: &'static str,
    id: &str,
    request: &impl prost::Message,
) -> Result<Once, Status> {
    Once::new(DOMAIN, caller, rpc, id, request)
}
