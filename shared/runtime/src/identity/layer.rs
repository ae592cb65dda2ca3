//! The one layer that authenticates: a [`Caller`] in the extensions of every request, or UNAUTHENTICATED.

use std::collections::HashSet;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, Either, Ready, ready};
use http::header::AUTHORIZATION;
use http::{Request, Response};
use tonic::{Status, body::Body};
use tower::{Layer, Service};

use super::{Caller, Identity, Rejection};
use crate::server::rate::Rate;
use crate::status;

/// Served without a token on every server; reflection only where it is switched on.
const ALWAYS: [&str; 3] = [
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
];

/// Authenticates every call but those to health, reflection and the methods on the anonymous list.
#[derive(Clone)]
pub struct AuthLayer {
    rules: Arc<Rules>,
}

struct Rules {
    domain: &'static str,
    identity: Identity,
    anonymous: HashSet<String>,
    rate: Rate,
}

impl AuthLayer {
    /// `anonymous`: paths like `/marketplace.offercatalog.v1.ListingService/GetListing`, which `anonymous_rate` calls
    /// per second and address may use without a token.
    pub fn new(
        domain: &'static str,
        identity: Identity,
        anonymous: HashSet<String>,
        anonymous_rate: u32,
    ) -> Self {
        Self {
            rules: Arc::new(Rules {
                domain,
                identity,
                anonymous,
                rate: Rate::new(anonymous_rate),
            }),
        }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth {
            inner,
            rules: Arc::clone(&self.rules),
        }
    }
}

/// The service that [`AuthLayer`] makes.
#[derive(Clone)]
pub struct Auth<S> {
    inner: S,
    rules: Arc<Rules>,
}

/// What the headers of a request say at first sight.
enum Sight {
    Pass,
    Known(Arc<Caller>),
    Verify(String),
    Refuse(Status),
}

impl Rules {
    fn look(&self, request: &Request<Body>) -> Sight {
        let path = request.uri().path();
        let Some(header) = request.headers().get(AUTHORIZATION) else {
            return self.without_token(request, path);
        };
        if ALWAYS.iter().any(|open| path.starts_with(open)) {
            return Sight::Pass;
        }
        let token = header.to_str().ok().and_then(bearer);
        match token {
            None => Sight::Refuse(status::token_invalid(
                self.domain,
                "the authorization header is not `Bearer <token>`",
            )),
            Some(token) => match self.identity.remembered(token) {
                Some(caller) => Sight::Known(caller),
                None => Sight::Verify(token.to_owned()),
            },
        }
    }

    fn without_token(&self, request: &Request<Body>, path: &str) -> Sight {
        if ALWAYS.iter().any(|open| path.starts_with(open)) {
            return Sight::Pass;
        }
        if !self.anonymous.contains(path) {
            return Sight::Refuse(status::token_missing(self.domain));
        }
        match self.rate.take(crate::server::rate::peer(request)) {
            Ok(()) => Sight::Pass,
            Err(after) => {
                let why = "too many calls without a token from this address";
                Sight::Refuse(status::exhausted(
                    self.domain,
                    "RATE_LIMITED",
                    "anonymous calls",
                    why,
                    after,
                ))
            }
        }
    }

    fn refuse(&self, rejection: &Rejection) -> Status {
        match rejection {
            Rejection::Invalid(why) => status::token_invalid(self.domain, why),
            Rejection::Expired => status::token_expired(self.domain),
            Rejection::Unavailable => status::unavailable(self.domain, "the issuer of this token"),
        }
    }
}

/// The token of `Bearer <token>`; the scheme's case doesn't matter (RFC 9110).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl<S> Service<Request<Body>> for Auth<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<
        S::Future,
        Either<
            Ready<Result<Response<Body>, S::Error>>,
            BoxFuture<'static, Result<Response<Body>, S::Error>>,
        >,
    >;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match self.rules.look(&request) {
            Sight::Pass => Either::Left(self.inner.call(request)),
            Sight::Known(caller) => {
                request.extensions_mut().insert(caller);
                Either::Left(self.inner.call(request))
            }
            Sight::Refuse(status) => Either::Right(Either::Left(ready(Ok(status.into_http())))),
            Sight::Verify(token) => {
                // The service that was made ready is taken, its clone is left behind.
                let clone = self.inner.clone();
                let mut inner = std::mem::replace(&mut self.inner, clone);
                let rules = Arc::clone(&self.rules);
                Either::Right(Either::Right(Box::pin(async move {
                    match rules.identity.verify(&token).await {
                        Ok(caller) => request.extensions_mut().insert(caller),
                        Err(rejection) => return Ok(rules.refuse(&rejection).into_http()),
                    };
                    inner.call(request).await
                })))
            }
        }
    }
}
