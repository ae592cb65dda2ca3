//! The door that callers come through. Each file implements one tonic service: unwrap, permit, call, wrap.
//!
//! Access in the catalogue runs no statement of its own: `require` answers a scope that is open, the resource's own
//! statement reads what the caller is to the publisher, and [`Scope::settle`](marketplace_runtime::access::Scope) decides.

mod assets;
mod audiences;
mod compare;
mod leads;
mod listings;
mod offers;
mod once;
mod pages;
mod parts;
mod plans;
mod publishers;
mod snapshots;
mod uploads;

use marketplace_messaging::Database;
use marketplace_runtime::access::{Access, Permission, Scope, Target};
use marketplace_runtime::identity::Caller;
use marketplace_runtime::ids::{OfferName, PublisherName};
use marketplace_runtime::status::Violation;
use time::OffsetDateTime;
use tonic::Status;

use crate::contents::Contents;
use crate::files::Intake;
use crate::keys::Keys;
use crate::{DOMAIN, config::Links};

pub use assets::Assets;
pub use listings::Listings;
pub use offers::Offers;
pub use plans::Plans;
pub use publishers::Publishers;

/// What a streaming RPC answers.
pub type Answers<T> = std::pin::Pin<Box<dyn futures::Stream<Item = Result<T, Status>> + Send>>;

/// The one service that moves publications.
const PIPELINE: &[&str] = &["publishing-pipeline"];
/// Services that may read what others must not see.
const NEIGHBOURS: &[&str] = &[
    "publishing-pipeline",
    "certification",
    "history",
    "notification",
];

/// What every service implementation works with. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    pub db: Database,
    pub access: Access,
    pub contents: Contents,
    pub intake: Intake,
    pub keys: Keys,
    pub links: Links,
}

impl Catalog {
    /// A caller before an offer, or before anything that belongs to one. `name` is the resource that NOT_FOUND names.
    async fn before_offer(
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

    /// A caller before a publisher.
    async fn before_publisher(
        &self,
        caller: &Caller,
        permission: Permission,
        publisher: &PublisherName,
    ) -> Result<Scope, Status> {
        self.access
            .require(caller, permission, &Target::Publisher(&publisher.publisher))
            .await
    }

    /// Another service of this system.
    async fn before_neighbours(
        &self,
        caller: &Caller,
        names: &'static [&'static str],
    ) -> Result<Scope, Status> {
        self.access
            .require(caller, Permission::Service(names), &Target::Platform)
            .await
    }
}

/// A fault of the request's form.
fn invalid(violation: impl Into<crate::error::Error>) -> Status {
    Status::from(violation.into())
}

/// The time of this call: doors read the clock once and pass it down.
fn now() -> OffsetDateTime {
    marketplace_runtime::clock::now()
}

/// For `requests::Once::new`: the package is always ours.
fn once(
    caller: &Caller,
    rpc: &'static str,
    request_id: &str,
    request: &impl prost::Message,
) -> Result<marketplace_messaging::requests::Once, Status> {
    marketplace_messaging::requests::Once::new(DOMAIN, caller, rpc, request_id, request)
}

/// A time of a page token, as nanoseconds since 1970. A token can be made up: what no row has, the database may not even be
/// able to read.
fn token_time(nanos: i128) -> Result<OffsetDateTime, Violation> {
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .filter(|at| at.year() >= 1970)
        .ok_or_else(|| {
            let why = "is not a token this list has answered";
            Violation::new("page_token", why).because("BAD_PAGE_TOKEN")
        })
}

/// Cuts what was read beyond the page and answers the token of the next one; empty: there is none.
fn next_page<T>(found: &mut Vec<T>, size: i64, token: impl FnOnce(&T) -> String) -> String {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if found.len() <= size {
        return String::new();
    }
    found.truncate(size);
    found.last().map(token).unwrap_or_default()
}
