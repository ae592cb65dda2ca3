//! The inbox: each message is applied once, in the transaction that notes its id.

mod batch;
mod consume;
mod failure;
mod message;
mod receive;
mod store;

pub(crate) use batch::{apply, apply_one};
pub use consume::consume;
pub use failure::Failure;
pub use message::Message;
pub use receive::Receive;
pub(crate) use store::forget;
