//! The door that time comes through: notices that are to be told, mails that are to be sent, and what is done once in a
//! while.

mod send;
mod sweep;
mod tell;

pub use send::Sender;
pub use sweep::run as sweep;
pub use tell::Teller;
