//! The outbox: events stored by the transaction that caused them, published afterwards by one leased relay per schema.

mod flight;
mod relay;
mod replay;
mod row;
mod write;

pub use relay::relay;
pub use replay::Events;
pub(crate) use row::Row;
pub(crate) use write::{Told, write};
