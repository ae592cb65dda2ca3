//! Who calls: what a verified token says, and nothing it doesn't prove.

use std::sync::Arc;

use time::OffsetDateTime;
use tonic::{Request, Status};

use crate::status;

/// The caller of an RPC. Names are never used for decisions, so they aren't here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The issuer that vouches for the subject.
    pub issuer: String,
    /// Who it is, in the issuer's words.
    pub subject: String,
    /// Platform roles, as far as the issuer may grant them.
    pub roles: PlatformRoles,
    /// The service that calls, where `roles.service` holds: `publishing-pipeline`.
    pub service: Option<String>,
    /// Their address, if the issuer has verified it. Says whether a customer is in an audience, nothing else.
    pub email: Option<String>,
    /// The customer's tenant. Says whether a customer is in an audience, nothing else.
    pub tenant: Option<String>,
    /// The customer's subscriptions. Say whether a customer is in an audience, nothing else.
    pub subscriptions: Vec<String>,
    /// When the token ends; streams end with it.
    pub expires_at: OffsetDateTime,
    principal: String,
}

/// Roles on the platform, as opposed to roles in a publisher.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlatformRoles {
    /// Staff of the marketplace.
    pub operator: bool,
    /// Certifies offers.
    pub reviewer: bool,
    /// One of the services.
    pub service: bool,
}

impl Caller {
    /// A caller with no roles; the identity layer makes them of tokens, tests of nothing.
    pub fn new(
        issuer: impl Into<String>,
        subject: impl Into<String>,
        expires_at: OffsetDateTime,
    ) -> Self {
        let (issuer, subject) = (issuer.into(), subject.into());
        let principal = format!("{issuer}|{subject}");
        Self {
            issuer,
            subject,
            roles: PlatformRoles::default(),
            service: None,
            email: None,
            tenant: None,
            subscriptions: Vec::new(),
            expires_at,
            principal,
        }
    }

    /// `{issuer}|{subject}`: what members, actors and request rows are known by.
    pub fn principal(&self) -> &str {
        &self.principal
    }
}

/// The caller of a request.
pub fn caller<T>(request: &Request<T>) -> Result<Arc<Caller>, Status> {
    // Missing only where the method is on the anonymous list, whose handlers ask for the optional caller.
    optional_caller(request).ok_or_else(|| status::token_missing("marketplace"))
}

/// The caller of a request to a method that needs no token.
pub fn optional_caller<T>(request: &Request<T>) -> Option<Arc<Caller>> {
    request.extensions().get::<Arc<Caller>>().cloned()
}

/// Caller and message: the first line of every handler.
pub fn open<T>(request: Request<T>) -> Result<(Arc<Caller>, T), Status> {
    let caller = caller(&request)?;
    Ok((caller, request.into_inner()))
}
