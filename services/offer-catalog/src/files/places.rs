//! How many files come in at once: an upload holds disk for as long as its sender takes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What uploads may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Uploads at once, of everybody.
    pub uploads: usize,
    /// Of one publisher, so that none takes all places.
    pub uploads_of_one: usize,
    /// The longest wait for the next message.
    pub idle: Duration,
    /// The longest that an upload takes: the largest package at 5 Mbit/s.
    pub total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            uploads: 32,
            uploads_of_one: 8,
            idle: Duration::from_secs(30),
            total: Duration::from_secs(30 * 60),
        }
    }
}

/// There is no place for another upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no place for another upload of {0}")]
pub struct NoPlace(pub &'static str);

/// The places for uploads. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// A place for an upload, until it is dropped.
#[derive(Debug)]
pub struct Place {
    of: Places,
    publisher: String,
}

impl Places {
    pub(super) fn take(&self, publisher: &str, limits: &Limits) -> Result<Place, NoPlace> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= limits.uploads {
            return Err(NoPlace("all publishers"));
        }
        let own = taken.entry(publisher.to_owned()).or_default();
        if *own >= limits.uploads_of_one {
            return Err(NoPlace("this publisher"));
        }
        *own += 1;
        Ok(Place {
            of: self.clone(),
            publisher: publisher.to_owned(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.of.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.publisher) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.publisher);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publisher_takes_its_places_and_all_together_theirs() {
        let limits = Limits {
            uploads: 3,
            uploads_of_one: 2,
            ..Limits::default()
        };
        let places = Places::default();
        let take = |publisher| places.take(publisher, &limits);
        let (first, second) = (take("contoso").unwrap(), take("contoso").unwrap());
        assert_eq!(take("contoso").unwrap_err(), NoPlace("this publisher"));
        let third = take("fabrikam").unwrap();
        assert_eq!(take("fabrikam").unwrap_err(), NoPlace("all publishers"));
        drop(second);
        let again = take("contoso").unwrap();
        drop((first, third, again));
        assert!(places.taken.lock().unwrap().is_empty(), "nothing is left");
    }
}
