//! Deadlines: min(grpc-timeout, the method's maximum) → DEADLINE_EXCEEDED, passed on to neighbours and statements.
//!
//! tonic's own layer answers CANCELLED; this one stands inside it, has the same time and is asked first. What must not
//! be cut runs in a tracked task ([`crate::tasks::Tracked`]) that the call only waits for.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use tokio::time::Instant;
use tonic::body::Body;
use tower::{Layer, Service};

use crate::server::methods::Methods;
use crate::status;

/// The header that carries a deadline.
pub(crate) const GRPC_TIMEOUT: &str = "grpc-timeout";
/// The app roles' own `statement_timeout`; a deadline beyond it needs no other.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(15);

tokio::task_local! {
    static DEADLINE: Instant;
}

/// When the current call ends; `None` outside calls and in calls without an end (streams).
pub fn current() -> Option<Instant> {
    DEADLINE.try_with(|at| *at).ok()
}

/// What is left of the current call.
pub fn remaining() -> Option<Duration> {
    current().map(|at| at.saturating_duration_since(Instant::now()))
}

/// The `statement_timeout` of the current call, where it is less than the role's.
pub fn statement_timeout() -> Option<Duration> {
    remaining().filter(|left| *left < STATEMENT_TIMEOUT - Duration::from_secs(1))
}

/// Runs a future as if it were a call that ends at `at`: for doors that aren't RPCs.
pub async fn within<F: Future>(at: Instant, work: F) -> F::Output {
    DEADLINE.scope(at, work).await
}

/// Reads `grpc-timeout`: at most eight digits and a unit. What is malformed counts as none, as everywhere in gRPC.
pub(crate) fn requested(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(GRPC_TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// `left` as a header value, rounded down so that the neighbour gives up first.
pub(crate) fn header(left: Duration) -> String {
    match left.as_micros() {
        micros @ 0..=99_999_999 => format!("{micros}u"),
        micros => format!("{}m", (micros / 1_000).min(99_999_999)),
    }
}

/// Ends calls at their deadline.
#[derive(Clone)]
pub struct DeadlineLayer {
    rules: Arc<Rules>,
}

struct Rules {
    domain: &'static str,
    methods: Arc<Methods>,
}

impl DeadlineLayer {
    pub(crate) fn new(domain: &'static str, methods: Arc<Methods>) -> Self {
        Self {
            rules: Arc::new(Rules { domain, methods }),
        }
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline {
            inner,
            rules: Arc::clone(&self.rules),
        }
    }
}

/// The service that [`DeadlineLayer`] makes.
#[derive(Clone)]
pub struct Deadline<S> {
    inner: S,
    rules: Arc<Rules>,
}

impl<S> Service<Request<Body>> for Deadline<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let maximum = self.rules.methods.maximum(request.uri().path());
        let limit = requested(request.headers())
            .into_iter()
            .chain(maximum)
            .min();
        let Some(limit) = limit else {
            return Box::pin(self.inner.call(request));
        };
        // Made before the inner future, so that it never ends after tonic's own timer.
        let at = Instant::now() + limit;
        let rules = Arc::clone(&self.rules);
        let work = DEADLINE.scope(at, self.inner.call(request));
        Box::pin(async move {
            match tokio::time::timeout_at(at, work).await {
                Ok(outcome) => outcome,
                Err(_) => Ok(status::deadline_exceeded(rules.domain).into_http()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(GRPC_TIMEOUT, text.parse().unwrap());
        requested(&headers)
    }

    #[test]
    fn every_unit_is_read() {
        let table = [
            ("1H", 3_600_000),
            ("2M", 120_000),
            ("3S", 3_000),
            ("4m", 4),
            ("5000u", 5),
            ("6000000n", 6),
        ];
        for (text, millis) in table {
            assert_eq!(read(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for wrong in ["", "S", "1", "123456789S", "-1S", "1.5S", "1x", "+1S"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_passed_on_is_never_more_than_what_is_left() {
        for left in [
            Duration::ZERO,
            Duration::from_micros(1_500),
            Duration::from_secs(99),
            Duration::from_secs(7_200),
        ] {
            let passed = read(&header(left)).unwrap();
            assert!(
                passed <= left && left - passed < Duration::from_millis(1),
                "{left:?} {passed:?}"
            );
        }
    }

    #[tokio::test]
    async fn statements_are_cut_only_by_deadlines_nearer_than_the_roles_own() {
        assert_eq!(statement_timeout(), None);
        let far = Instant::now() + Duration::from_secs(60);
        assert!(within(far, async { statement_timeout() }).await.is_none());
        let near = Instant::now() + Duration::from_secs(2);
        assert!(
            within(near, async { statement_timeout() }).await.unwrap() <= Duration::from_secs(2)
        );
    }
}
