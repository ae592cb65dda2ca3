//! The vocabulary of the history, and its rules; pure.
//!
//! * [`Entry`]: something that happened to an offer, as told by the catalog or by publishing (HI-9).
//! * [`Row`]: an entry with its number and hash, once it is part of the offer's [`chain`].
//! * [`Code`]: H01 to H13 and HS, the type of a row, and with it its exact label.
//! * [`Page`]: a page that a submission changed, and the rules HF-7 and HF-8.
//! * [`Filter`]: the four filters of the page (HF-4).
//! * [`Shown`]: whom a row shows as its initiator, as of now (IB-1 to IB-5).

pub mod chain;
mod code;
mod entry;
mod filter;
mod initiator;
mod page;

pub use chain::{Chain, Hash, Verdict, Verifier};
pub use code::{Code, Completion, Leg, Unknown};
pub use entry::{Actor, ActorKind, Entry, Place, Row, Source, Step, Subject};
pub use filter::{DayError, Days, Filter, UserFilter, parse_day, parse_zone};
pub use initiator::{Brand, Departure, Person, Shown};
pub use page::{OfferType, Page};
