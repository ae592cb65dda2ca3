//! Wake-ups: whoever waits for a commit needn't poll.
//!
//! A commit wakes the listeners of its topics in this process at once, and those of other replicas by NOTIFY from one
//! task ([`share`]), after the commit, at most every 5 ms and only while other replicas run. A wake-up may be lost
//! (a process killed between commit and NOTIFY): whoever waits looks for itself once a second as well.

mod share;

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Notify, watch};

pub use share::share;

/// The topic of the relay: something was told.
pub const OUTBOX: &str = "outbox";

/// How long anybody waits without looking for itself.
pub const TICK: Duration = Duration::from_secs(1);

/// Listeners by topic, and the topics that other replicas haven't heard of yet.
#[derive(Clone, Default)]
pub struct Wake(Arc<Inner>);

#[derive(Default)]
struct Inner {
    listeners: Mutex<HashMap<Cow<'static, str>, watch::Sender<()>>>,
    unshared: Mutex<BTreeSet<Cow<'static, str>>>,
    unshared_grew: Notify,
}

/// Listens to one topic. The last one of a topic takes the topic with it: topics name requests and submissions, of which
/// there is no end.
pub struct Listener {
    topic: Cow<'static, str>,
    wake: Wake,
    /// `None` only while it is dropped.
    heard: Option<watch::Receiver<()>>,
}

impl Wake {
    pub(crate) fn new() -> Wake {
        Wake::default()
    }

    /// Wakes the listeners of a topic here and on other replicas. Call it after the commit ([`crate::Work::wake`] does).
    pub fn notify(&self, topic: impl Into<Cow<'static, str>>) {
        let topic = topic.into();
        self.here(&topic);
        if lock(&self.0.unshared).insert(topic) {
            self.0.unshared_grew.notify_one();
        }
    }

    /// Listens to a topic from now on. Listen first, then look, then wait: what commits in between wakes.
    pub fn on(&self, topic: impl Into<Cow<'static, str>>) -> Listener {
        let topic = topic.into();
        let mut listeners = lock(&self.0.listeners);
        let heard = listeners
            .entry(topic.clone())
            .or_insert_with(|| watch::Sender::new(()))
            .subscribe();
        Listener {
            topic,
            wake: self.clone(),
            heard: Some(heard),
        }
    }

    /// Wakes the listeners of this process.
    fn here(&self, topic: &str) {
        if let Some(sender) = lock(&self.0.listeners).get(topic) {
            sender.send_replace(());
        }
    }

    /// Wakes everybody in this process: news may have been missed.
    fn all_here(&self) {
        for sender in lock(&self.0.listeners).values() {
            sender.send_replace(());
        }
    }

    /// Waits until there is something to tell other replicas.
    async fn something_to_share(&self) {
        while lock(&self.0.unshared).is_empty() {
            self.0.unshared_grew.notified().await;
        }
    }

    fn take_unshared(&self) -> BTreeSet<Cow<'static, str>> {
        std::mem::take(&mut *lock(&self.0.unshared))
    }
}

impl Listener {
    /// Waits until the topic is notified or the time has passed; true if notified. Cancel safe.
    pub async fn within(&mut self, wait: Duration) -> bool {
        tokio::time::timeout(wait, self.woken()).await.is_ok()
    }

    /// Waits until the topic is notified or a second has passed.
    pub async fn tick(&mut self) {
        self.within(TICK).await;
    }

    /// Waits until the topic is notified. Cancel safe. A wake-up may be lost: prefer [`Listener::tick`].
    pub async fn woken(&mut self) {
        let Some(heard) = &mut self.heard else { return };
        if heard.changed().await.is_err() {
            // Can't be: the topic is there while this listens. The caller's timer backs it.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut listeners = lock(&self.wake.0.listeners);
        // Under the lock: of two that are dropped at once, the second must see that it is the last.
        self.heard = None;
        if listeners
            .get(&self.topic)
            .is_some_and(|sender| sender.receiver_count() == 0)
        {
            listeners.remove(&self.topic);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_hears_its_topic_and_no_other() {
        let wake = Wake::new();
        let (mut due, mut other) = (wake.on("due"), wake.on("other"));
        wake.notify("due");
        assert!(due.within(Duration::from_secs(5)).await);
        assert!(!due.within(Duration::from_millis(1)).await);
        assert!(!other.within(Duration::from_millis(1)).await);
    }

    #[tokio::test]
    async fn topics_nobody_listens_to_are_forgotten() {
        let wake = Wake::new();
        let (first, mut second) = (wake.on("request:1"), wake.on("request:1"));
        drop(first);
        wake.notify("request:1");
        assert!(second.within(Duration::from_secs(5)).await);
        drop(second);
        assert!(lock(&wake.0.listeners).is_empty());
    }
}
