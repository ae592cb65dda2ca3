//! What the pipeline tells of a publication.

use uuid::Uuid;

use super::deprecation::Deprecation;
use super::offer::Publication;
use super::order::Order;

/// One transaction on a publication, as far as the catalogue goes by it.
#[derive(Debug, Clone)]
pub struct News {
    pub offer_uid: Uuid,
    /// State: applied if newer.
    pub copy: Publication,
    /// State: the live offer is about to leave (UP-7).
    pub deprecation: Option<Deprecation>,
    /// Submissions that go on: in flight, awaiting sign-off, served as preview.
    pub open: Vec<Uuid>,
    /// Facts: to be carried out, each once.
    pub orders: Vec<Order>,
    /// Facts: submissions that were canceled.
    pub canceled: Vec<Uuid>,
}
