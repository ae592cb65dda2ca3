//! Streams of what is watched: it is looked at after each commit that concerns it, for as long as its caller may see it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use marketplace_messaging::wake::Listener;
use marketplace_runtime::clock;
use marketplace_runtime::identity::Caller;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;

pub type Watching<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// How often access is asked for again.
const RECHECK: Duration = Duration::from_secs(30);

/// What can be watched.
pub(super) trait Watched: Send + 'static {
    type News: Send + 'static;

    /// Asks again whether the caller may see it.
    fn recheck(&mut self, caller: &Caller) -> impl Future<Output = Result<(), Status>> + Send;

    /// What has come since the last look, if anything.
    fn look(&mut self) -> impl Future<Output = Result<Option<Self::News>, Status>> + Send;

    /// Nothing more will come.
    fn over(&self) -> bool;
}

/// One watcher.
struct Watcher<W> {
    watched: W,
    caller: Arc<Caller>,
    listener: Listener,
    stopping: CancellationToken,
    checked: Instant,
    refused: bool,
}

/// What can be refused is refused before the stream begins. Listen first, then call this: what commits in between wakes.
pub(super) async fn watch<W: Watched>(
    mut watched: W,
    caller: Arc<Caller>,
    listener: Listener,
    stopping: CancellationToken,
) -> Result<Watching<W::News>, Status> {
    let checked = Instant::now();
    let first = watched.look().await?;
    let watcher = Watcher {
        watched,
        caller,
        listener,
        stopping,
        checked,
        refused: false,
    };
    let rest = stream::unfold(watcher, |mut watcher| async move {
        let next = watcher.next().await;
        next.map(|next| (next, watcher))
    });
    Ok(Box::pin(stream::iter(first.map(Ok)).chain(rest)))
}

impl<W: Watched> Watcher<W> {
    /// The next message; `None` ends the stream cleanly.
    async fn next(&mut self) -> Option<Result<W::News, Status>> {
        while !self.watched.over() && !self.refused && self.wait().await {
            let looked = match self.recheck().await {
                Ok(()) => self.watched.look().await,
                Err(refused) => Err(refused),
            };
            self.refused = looked.is_err();
            if let Some(next) = looked.transpose() {
                return Some(next);
            }
        }
        None
    }

    /// Waits for a commit, or a second. False: the service stops, or the caller's token has ended.
    async fn wait(&mut self) -> bool {
        let left = Duration::try_from(self.caller.expires_at - clock::now()).unwrap_or_default();
        if left.is_zero() {
            return false;
        }
        tokio::select! {
            () = self.stopping.cancelled() => false,
            () = tokio::time::sleep(left) => false,
            () = self.listener.tick() => true,
        }
    }

    async fn recheck(&mut self) -> Result<(), Status> {
        if self.checked.elapsed() < RECHECK {
            return Ok(());
        }
        self.watched.recheck(&self.caller).await?;
        self.checked = Instant::now();
        Ok(())
    }
}
