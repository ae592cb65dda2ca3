//! The vocabulary of notification, and its rules; pure.
//!
//! * [`Notice`]: something to tell, made of an event; [`Code`] says which of N01 to N14.
//! * [`recipients()`]: who hears of it (NO-1 to NO-6).
//! * [`Person`]: an address, whether it was proved, a language (NO-8, NO-9).
//! * [`Message`]: the words, for the Action Center and for mail.
//! * [`retry`]: when a mail that failed is tried again (NO-11).

mod code;
mod letters;
mod message;
mod notice;
mod person;
mod portal;
mod recipients;
pub mod retry;
mod words;

pub use code::{Code, Kind, Unknown};
pub use letters::{membership, unverified, verification};
pub use message::{Block, Finding, Link, Message};
pub use notice::{
    About, By, Closed, Facts, Leg, News, Notice, Of, PreviewSide, Product, Resolve, Variant,
};
pub use person::{
    CODE_BYTES, CODE_LIFE, CODES_PER_HOUR, Person, Preferences, hash, is_address, is_language,
};
pub use portal::Portal;
pub use recipients::{Member, is_listed, recipients};
pub use words::{Report, Told, words};
