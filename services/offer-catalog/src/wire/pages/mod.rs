//! Pages on the wire. Text may have any content here: whether a page is complete is said by its rules, not by its form.
//! Of wrong form are values that no page could hold: unknown enum values, names of files of another offer, negative
//! numbers, NUL characters, a secret that can't be looked at again later, and lists and texts far beyond every rule.

mod answers;
mod audience;
mod lead_destination;
mod legal;
mod limits;
mod offer_listing;
mod offer_pages;
mod offer_setup;
mod plan_pages;
mod pricing;
mod reading;
#[cfg(test)]
mod tests;
mod tree;

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::page::Page as Wire;
use marketplace_runtime::ids::{OfferName, PlanName};
use marketplace_runtime::status::Violation;

pub use answers::{issue, page_review, severity, status};
pub use audience::write as members;
pub use lead_destination::open_destination;
pub use reading::Reading;
pub use tree::{Part, content_tree, draft_tree, no_such_page, page, review, saved, standing, tree};

use crate::commands::pages::{NewSecret, SavePage};
use crate::pages::{Page, PageId};

/// Where pages are: an offer, or one of its plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    pub offer: OfferName,
    pub plan: Option<String>,
}

/// The offer or plan of pages, by its resource name.
pub fn parent(name: &str, field: &str) -> Result<Parent, Violation> {
    if name.contains("/plans/") {
        let plan = PlanName::parse(name, field)?;
        return Ok(Parent {
            offer: plan.parent(),
            plan: Some(plan.plan),
        });
    }
    Ok(Parent {
        offer: OfferName::parse(name, field)?,
        plan: None,
    })
}

/// Which page, as it is answered.
pub fn page_id(page: PageId) -> pb::PageId {
    match page {
        PageId::OfferSetup => pb::PageId::OfferSetup,
        PageId::Properties => pb::PageId::Properties,
        PageId::OfferListing => pb::PageId::OfferListing,
        PageId::PreviewAudience => pb::PageId::PreviewAudience,
        PageId::TechnicalConfiguration => pb::PageId::TechnicalConfiguration,
        PageId::PlanOverview => pb::PageId::PlanOverview,
        PageId::ResellThroughCsps => pb::PageId::ResellThroughCsps,
        PageId::CoSell => pb::PageId::CoSell,
        PageId::SupplementalContent => pb::PageId::SupplementalContent,
        PageId::PlanListing => pb::PageId::PlanListing,
        PageId::PlanPricing => pb::PageId::PlanPricingAndAvailability,
        PageId::PlanTechnicalConfiguration => pb::PageId::PlanTechnicalConfiguration,
    }
}

/// Which page was asked for; it must be one that is saved.
pub fn read_page_id(value: i32, field: &str) -> Result<PageId, Violation> {
    let known = pb::PageId::try_from(value)
        .ok()
        .and_then(|wire| PageId::ALL.into_iter().find(|page| page_id(*page) == wire));
    match known {
        Some(PageId::PlanOverview) => Err(Violation::new(
            field,
            "aggregates other pages and is never saved; see ReviewOffer",
        )
        .because("NOT_A_PAGE")),
        Some(page) => Ok(page),
        None if value == 0 => Err(Violation::missing(field)),
        None => Err(Violation::new(field, "is no known page").because("UNKNOWN_VALUE")),
    }
}

/// A page to be saved, or everything that is wrong with its form.
pub fn save(request: pb::UpdatePageRequest) -> Result<SavePage, Vec<Violation>> {
    let Some(wire) = request.page else {
        return Err(vec![Violation::missing("page")]);
    };
    let mut reading = Reading::default();
    let parent = reading.faults.take(parent(&wire.parent, "page.parent"));
    let etag = reading.faults.take(super::etag(&request.etag, "etag"));
    let Some(sent) = wire.page else {
        reading.faults.add(Violation::missing("page.page"));
        return Err(reading.faults.into_iter().collect());
    };
    let prefix = format!("page.{}", field_name(&sent));
    reading.offer = parent.as_ref().map(|parent| parent.offer.clone());
    let secret = secret(&sent);
    let page = read(&sent, &mut reading);
    if let Some(parent) = &parent
        && page.id().is_of_plan() != parent.plan.is_some()
    {
        let what = if page.id().is_of_plan() {
            "a plan"
        } else {
            "an offer"
        };
        reading.faults.add(
            Violation::new("page.parent", format!("this page belongs to {what}"))
                .because("WRONG_PARENT"),
        );
    }
    let content = reading.content(&page);
    reading.check_secret(&page, &secret);
    reading.finish(&prefix, || {
        let Parent { offer, plan } = parent?;
        Some(SavePage {
            offer,
            plan,
            page,
            content: content?,
            secret,
            etag: etag?.unwrap_or(0),
        })
    })
}

fn field_name(page: &Wire) -> &'static str {
    match page {
        Wire::OfferSetup(_) => "offer_setup",
        Wire::Properties(_) => "properties",
        Wire::OfferListing(_) => "offer_listing",
        Wire::PreviewAudience(_) => "preview_audience",
        Wire::TechnicalConfiguration(_) => "technical_configuration",
        Wire::ResellThroughCsps(_) => "resell_through_csps",
        Wire::CoSell(_) => "co_sell",
        Wire::SupplementalContent(_) => "supplemental_content",
        Wire::PlanListing(_) => "plan_listing",
        Wire::PlanPricing(_) => "plan_pricing",
        Wire::PlanTechnicalConfiguration(_) => "plan_technical_configuration",
    }
}

fn secret(page: &Wire) -> NewSecret {
    match page {
        Wire::OfferSetup(setup) => lead_destination::secret(setup.lead_destination.as_ref()),
        _ => NewSecret::None,
    }
}

fn read(page: &Wire, reading: &mut Reading) -> Page {
    match page {
        Wire::OfferSetup(page) => Page::OfferSetup(offer_setup::read(page, reading)),
        Wire::Properties(page) => Page::Properties(offer_pages::read_properties(page, reading)),
        Wire::OfferListing(page) => Page::OfferListing(offer_listing::read(page, reading)),
        Wire::PreviewAudience(page) => Page::PreviewAudience(audience::read_page(page, reading)),
        Wire::TechnicalConfiguration(page) => {
            Page::TechnicalConfiguration(offer_pages::read_technical(page))
        }
        Wire::ResellThroughCsps(page) => {
            Page::ResellThroughCsps(offer_pages::read_resell(page, reading))
        }
        Wire::CoSell(page) => Page::CoSell(offer_pages::read_co_sell(page, reading)),
        Wire::SupplementalContent(page) => {
            Page::SupplementalContent(offer_pages::read_supplemental(page, reading))
        }
        Wire::PlanListing(page) => Page::PlanListing(plan_pages::read_listing(page)),
        Wire::PlanPricing(page) => Page::PlanPricing(pricing::read(page, reading)),
        Wire::PlanTechnicalConfiguration(page) => {
            Page::PlanTechnicalConfiguration(plan_pages::read_technical(page, reading))
        }
    }
}

/// A page as it is answered; `secret`: one is stored, and is shown as a mask.
pub fn write(page: &Page, secret: bool) -> Wire {
    match page {
        Page::OfferSetup(page) => Wire::OfferSetup(offer_setup::write(page, secret)),
        Page::Properties(page) => Wire::Properties(offer_pages::write_properties(page)),
        Page::OfferListing(page) => Wire::OfferListing(offer_listing::write(page)),
        Page::PreviewAudience(page) => Wire::PreviewAudience(audience::write_page(page)),
        Page::TechnicalConfiguration(page) => {
            Wire::TechnicalConfiguration(offer_pages::write_technical(page))
        }
        Page::ResellThroughCsps(page) => Wire::ResellThroughCsps(offer_pages::write_resell(page)),
        Page::CoSell(page) => Wire::CoSell(offer_pages::write_co_sell(page)),
        Page::SupplementalContent(page) => {
            Wire::SupplementalContent(offer_pages::write_supplemental(page))
        }
        Page::PlanListing(page) => Wire::PlanListing(plan_pages::write_listing(page)),
        Page::PlanPricing(page) => Wire::PlanPricing(pricing::write(page)),
        Page::PlanTechnicalConfiguration(page) => {
            Wire::PlanTechnicalConfiguration(plan_pages::write_technical(page))
        }
    }
}
