//! Messages that could not be applied: kept with their reason until an operator replays or discards them.

mod service;
mod store;

pub use service::DeadLetters;
pub(crate) use store::{bury, forget};
