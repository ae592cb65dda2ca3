//! How many calls one address may make without a token.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::Request;
use tokio::time::Instant;
use tonic::transport::server::TcpConnectInfo;

/// The most addresses remembered.
const MAX_KEPT: usize = 10_000;

/// A token bucket per address: `rate` a second, twice as many at once.
pub(crate) struct Rate {
    rate: f64,
    buckets: Mutex<HashMap<Option<IpAddr>, (f64, Instant)>>,
}

impl Rate {
    pub fn new(rate: u32) -> Self {
        Self {
            rate: f64::from(rate.max(1)),
            buckets: Mutex::default(),
        }
    }

    fn burst(&self) -> f64 {
        self.rate * 2.0
    }

    /// One call of that address, or when to try again.
    pub fn take(&self, peer: Option<IpAddr>) -> Result<(), Duration> {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_KEPT {
            // A bucket that is full again by now says as much as none.
            let full_after = Duration::from_secs(2);
            buckets.retain(|_, (_, since)| now.duration_since(*since) < full_after);
        }
        let (tokens, since) = buckets.entry(peer).or_insert((self.burst(), now));
        *tokens =
            (*tokens + now.duration_since(*since).as_secs_f64() * self.rate).min(self.burst());
        *since = now;
        if *tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - *tokens) / self.rate));
        }
        *tokens -= 1.0;
        Ok(())
    }
}

/// The address that a request came from.
pub(crate) fn peer<B>(request: &Request<B>) -> Option<IpAddr> {
    request
        .extensions()
        .get::<TcpConnectInfo>()?
        .remote_addr()
        .map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_calls_too_often_waits_and_nobody_else_does() {
        let rate = Rate::new(10);
        let (one, other) = (
            Some(IpAddr::from([192, 0, 2, 1])),
            Some(IpAddr::from([192, 0, 2, 2])),
        );
        assert!((0..20).all(|_| rate.take(one).is_ok()));
        let after = rate.take(one).unwrap_err();
        assert!(after <= Duration::from_millis(100));
        assert!(rate.take(other).is_ok());
        tokio::time::advance(after).await;
        assert!(rate.take(one).is_ok());
    }
}
