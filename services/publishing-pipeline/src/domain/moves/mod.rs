//! The moves of an offering, by what they are about.

mod advance;
mod answers;
mod cancel;
mod distribution;
mod faults;
mod go_live;
mod operate;
mod publish;
mod sweep;

pub use advance::Current;
pub use answers::Answer;
pub use distribution::{Alternative, Deprecate, StopOffer};
pub use faults::Trouble;
pub use publish::{Freeze, Publish};
