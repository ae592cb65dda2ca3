//! Protobuf to domain and back: events on their way in, requests, answers. All validation of input is here.

mod answers;
mod events;
mod export;
mod requests;

pub use answers::{event, facets, initiator};
pub use events::{catalog, departure, publishing};
pub use export::line;
pub use requests::{
    List, List as ListRequest, Users, list, offer, page_key, resume_seq, resume_token,
};

use marketplace_proto::offercatalog::v1::PageId;

use crate::domain::Page;

/// A page as it is told; `None` for none and for pages of a newer version.
pub fn page_of(id: i32) -> Option<Page> {
    Some(match PageId::try_from(id).ok()? {
        PageId::Unspecified => return None,
        PageId::OfferSetup => Page::OfferSetup,
        PageId::Properties => Page::Properties,
        PageId::OfferListing => Page::OfferListing,
        PageId::PreviewAudience => Page::PreviewAudience,
        PageId::TechnicalConfiguration => Page::TechnicalConfiguration,
        PageId::PlanOverview => Page::PlanOverview,
        PageId::ResellThroughCsps => Page::ResellThroughCsps,
        PageId::CoSell => Page::CoSell,
        PageId::SupplementalContent => Page::SupplementalContent,
        PageId::PlanListing => Page::PlanListing,
        PageId::PlanPricingAndAvailability => Page::PlanPricingAndAvailability,
        PageId::PlanTechnicalConfiguration => Page::PlanTechnicalConfiguration,
    })
}

/// A page as it is answered.
pub fn page_id(page: Page) -> PageId {
    match page {
        Page::OfferSetup => PageId::OfferSetup,
        Page::Properties => PageId::Properties,
        Page::OfferListing => PageId::OfferListing,
        Page::PreviewAudience => PageId::PreviewAudience,
        Page::TechnicalConfiguration => PageId::TechnicalConfiguration,
        Page::PlanOverview => PageId::PlanOverview,
        Page::ResellThroughCsps => PageId::ResellThroughCsps,
        Page::CoSell => PageId::CoSell,
        Page::SupplementalContent => PageId::SupplementalContent,
        Page::PlanListing => PageId::PlanListing,
        Page::PlanPricingAndAvailability => PageId::PlanPricingAndAvailability,
        Page::PlanTechnicalConfiguration => PageId::PlanTechnicalConfiguration,
    }
}
