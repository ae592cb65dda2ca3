//! One page of a list: how many rows, and after which.

use marketplace_runtime::{
    paging::{self, Fingerprint},
    status::Violation,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::error::Error;

/// A page that was asked for; `K` is the sort key.
pub struct Page<K> {
    pub size: i64,
    pub after: Option<K>,
    filters: Fingerprint,
}

impl<K: DeserializeOwned + Serialize> Page<K> {
    pub fn read(
        list: &str,
        filters: &impl Serialize,
        size: i32,
        token: &str,
    ) -> Result<Page<K>, Error> {
        let wrong = |violation: Violation| Error::Invalid(vec![violation]);
        let filters = Fingerprint::of(list, filters);
        let after = paging::decode(token, filters).map_err(wrong)?;
        Ok(Page {
            size: paging::page_size(size).map_err(wrong)?,
            after,
            filters,
        })
    }

    /// How many rows to read: one more than the page has says whether there is another.
    pub fn limit(&self) -> i64 {
        self.size + 1
    }

    /// Cuts that row off; the token goes on after the last one that is left.
    pub fn cut<T>(&self, rows: &mut Vec<T>, key: impl Fn(&T) -> K) -> String {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        if rows.len() <= size {
            return String::new();
        }
        rows.truncate(size);
        rows.last()
            .map(|last| paging::encode(&key(last), self.filters))
            .unwrap_or_default()
    }
}
