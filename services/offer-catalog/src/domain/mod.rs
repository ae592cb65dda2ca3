//! The rules of the catalogue, without any I/O and without a clock.
//!
//! A [`Draft`] is everything that was saved of an offer; [`review`] says what it lacks; [`Content`] is what a snapshot
//! fixes of it; [`Profile`] is what the pipeline needs to know of a content. What each page holds is in [`crate::pages`].

pub mod acquisition;
pub mod audience;
pub mod completeness;
pub mod deprecation;
pub mod difference;
pub mod draft;
pub mod freeze;
pub mod indexed;
pub mod lead;
pub mod listing;
pub mod news;
pub mod offer;
pub mod order;
pub mod plan;
pub mod plan_overview;
pub mod price_change;
pub mod profile;
pub mod publisher;
pub mod purchase;
pub mod refusal;
#[cfg(test)]
pub mod samples;
pub mod snapshot;
pub mod token;

pub use crate::pages::{Issue, OfferType, Page, PageId, offer_type};
pub use completeness::{PageReview, PageStatus, Published, Review, review};
pub use draft::{Draft, DraftPlan, OfferHead, OfferPages, PlanPages};
pub use profile::{Profile, ProfilePlan};
pub use snapshot::{Content, ContentPlan, Snapshot};
