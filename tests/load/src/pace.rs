//! Closed loops, and what their times say.

use std::time::{Duration, Instant};

use futures::future::try_join_all;

/// How long each of some operations took, and how long all of them together.
pub struct Times {
    sorted: Vec<Duration>,
    whole: Duration,
}

impl Times {
    pub fn new(mut times: Vec<Duration>, whole: Duration) -> Self {
        times.sort_unstable();
        Self {
            sorted: times,
            whole,
        }
    }

    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    /// Operations per second.
    pub fn rate(&self) -> f64 {
        self.count() as f64 / self.whole.as_secs_f64()
    }

    /// The time that this part of the operations did not pass.
    pub fn percentile(&self, part: f64) -> Duration {
        let last = self.sorted.len().saturating_sub(1);
        let index = (last as f64 * part).round() as usize;
        self.sorted.get(index).copied().unwrap_or_default()
    }
}

/// For a while every one of `callers` calls again as soon as it has its answer. The first tenth of the time warms up.
pub async fn closed_loop<C: Clone>(
    callers: usize,
    pause: Duration,
    call: impl AsyncFn(C, usize) -> anyhow::Result<()>,
    clients: &[C],
) -> anyhow::Result<Times> {
    let begin = Instant::now() + pause / 10;
    let end = begin + pause;
    let loops = (0..callers).map(|caller| {
        let client = clients[caller % clients.len()].clone();
        let call = &call;
        async move {
            let mut times = Vec::new();
            loop {
                let started = Instant::now();
                if started >= end {
                    return anyhow::Ok(times);
                }
                call(client.clone(), caller).await?;
                if started >= begin {
                    times.push(started.elapsed());
                }
            }
        }
    });
    let times = try_join_all(loops).await?;
    Ok(Times::new(times.into_iter().flatten().collect(), pause))
}
