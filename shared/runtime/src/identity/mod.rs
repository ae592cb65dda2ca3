//! Who calls: JWT bearer tokens of trusted issuers, one layer, one [`Caller`] per request.
//!
//! Authorisation is not here but in [`crate::access`].

mod caller;
mod issuers;
mod keys;
mod layer;
mod service_tokens;
#[cfg(test)]
mod tests;
mod verify;

pub use caller::{Caller, PlatformRoles, caller, open, optional_caller};
pub use issuers::{Claims, Issuer, IssuersError, PlatformRole};
pub use keys::KeysError;
pub use layer::{Auth, AuthLayer};
pub use service_tokens::{LOCAL_AUDIENCE, LOCAL_ISSUER, ServiceTokenError, ServiceTokens};
pub use verify::{Identity, Rejection};
