//! The draft of an offer as the rules look at it: everything read at once, nothing of it published.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::pages::{
    Asset, CheckedAudience, CoSell, OfferListing, OfferSetup, OfferType, Page, PageId, PlanListing,
    PlanPricing, PlanTechnicalConfiguration, PreviewAudience, Properties, ResellThroughCsps,
    Selling, SupplementalContent, TechnicalConfiguration,
};

/// An offer's own fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferHead {
    /// `publishers/{publisher}/offers/{offer}`
    pub name: String,
    /// System id.
    pub uid: Uuid,
    /// Id of its type.
    pub offer_type: String,
    /// Never shown to customers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub alias: String,
}

/// The saved pages of an offer; `None`: never saved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OfferPages {
    /// Offer setup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer_setup: Option<OfferSetup>,
    /// Properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<Properties>,
    /// Offer listing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer_listing: Option<OfferListing>,
    /// Preview audience; never part of a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview_audience: Option<PreviewAudience>,
    /// Technical configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technical_configuration: Option<TechnicalConfiguration>,
    /// Resell through CSPs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resell_through_csps: Option<ResellThroughCsps>,
    /// Co-sell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub co_sell: Option<CoSell>,
    /// Supplemental content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplemental_content: Option<SupplementalContent>,
}

/// The saved pages of a plan; `None`: never saved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanPages {
    /// Plan listing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_listing: Option<PlanListing>,
    /// Pricing and availability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_pricing: Option<PlanPricing>,
    /// Technical configuration of the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_technical_configuration: Option<PlanTechnicalConfiguration>,
}

/// A plan of a draft.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DraftPlan {
    /// Its id.
    pub plan_id: String,
    /// Shown to customers.
    pub display_name: String,
    /// `managedApplication` or `solutionTemplate` for Azure applications, else empty.
    pub subtype: String,
    /// What was saved of its pages.
    pub pages: PlanPages,
    /// What there is to say of its private audience, where its members aren't in its page.
    pub audience: Option<CheckedAudience>,
}

/// The whole draft of an offer.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The offer's own fields.
    pub offer: OfferHead,
    /// Its type.
    pub offer_type: &'static OfferType,
    /// The draft's revision: the offer's etag.
    pub revision: i64,
    /// What was saved of the offer's pages.
    pub pages: OfferPages,
    /// Every plan, by id.
    pub plans: Vec<DraftPlan>,
    /// Every asset, by resource name.
    pub assets: BTreeMap<String, Asset>,
    /// Version of the lead destination's secret; `None`: it has none.
    pub lead_secret: Option<i64>,
}

impl Draft {
    /// Effectively transactable (OT-2): the type allows it, Offer setup says so, and there is a plan to be sold.
    pub fn transactable(&self) -> bool {
        let subtypes = self.plans.iter().map(|plan| plan.subtype.as_str());
        self.offer_type.transactable.allows()
            && self.selling() == Some(Selling::ListAndSell)
            && self.offer_type.sells_any(subtypes)
    }

    /// Some plan has meters.
    pub fn metered(&self) -> bool {
        let pages = self.plans.iter().map(|plan| &plan.pages);
        pages
            .filter_map(|pages| pages.plan_pricing.as_ref())
            .any(|pricing| !pricing.meters.is_empty())
    }

    /// What Offer setup says about selling, if anything.
    pub fn selling(&self) -> Option<Selling> {
        self.pages
            .offer_setup
            .as_ref()
            .and_then(|setup| setup.selling)
    }
}

impl OfferPages {
    /// Puts a saved page in its place; a page of a plan has none here: its id is answered.
    pub fn put(&mut self, page: Page) -> Result<(), PageId> {
        match page {
            Page::OfferSetup(page) => self.offer_setup = Some(page),
            Page::Properties(page) => self.properties = Some(page),
            Page::OfferListing(page) => self.offer_listing = Some(page),
            Page::PreviewAudience(page) => self.preview_audience = Some(page),
            Page::TechnicalConfiguration(page) => self.technical_configuration = Some(page),
            Page::ResellThroughCsps(page) => self.resell_through_csps = Some(page),
            Page::CoSell(page) => self.co_sell = Some(page),
            Page::SupplementalContent(page) => self.supplemental_content = Some(page),
            other => return Err(other.id()),
        }
        Ok(())
    }

    /// A saved page.
    pub fn get(&self, id: PageId) -> Option<Page> {
        match id {
            PageId::OfferSetup => self.offer_setup.clone().map(Page::OfferSetup),
            PageId::Properties => self.properties.clone().map(Page::Properties),
            PageId::OfferListing => self.offer_listing.clone().map(Page::OfferListing),
            PageId::PreviewAudience => self.preview_audience.clone().map(Page::PreviewAudience),
            PageId::TechnicalConfiguration => self
                .technical_configuration
                .clone()
                .map(Page::TechnicalConfiguration),
            PageId::ResellThroughCsps => self
                .resell_through_csps
                .clone()
                .map(Page::ResellThroughCsps),
            PageId::CoSell => self.co_sell.clone().map(Page::CoSell),
            PageId::SupplementalContent => self
                .supplemental_content
                .clone()
                .map(Page::SupplementalContent),
            PageId::PlanOverview
            | PageId::PlanListing
            | PageId::PlanPricing
            | PageId::PlanTechnicalConfiguration => None,
        }
    }

    /// Every saved page, in order.
    pub fn iter(&self) -> impl Iterator<Item = Page> + '_ {
        PageId::ALL.into_iter().filter_map(|id| self.get(id))
    }
}

impl PlanPages {
    /// Puts a saved page in its place; a page of the offer has none here: its id is answered.
    pub fn put(&mut self, page: Page) -> Result<(), PageId> {
        match page {
            Page::PlanListing(page) => self.plan_listing = Some(page),
            Page::PlanPricing(page) => self.plan_pricing = Some(page),
            Page::PlanTechnicalConfiguration(page) => {
                self.plan_technical_configuration = Some(page)
            }
            other => return Err(other.id()),
        }
        Ok(())
    }

    /// A saved page.
    pub fn get(&self, id: PageId) -> Option<Page> {
        match id {
            PageId::PlanListing => self.plan_listing.clone().map(Page::PlanListing),
            PageId::PlanPricing => self.plan_pricing.clone().map(Page::PlanPricing),
            PageId::PlanTechnicalConfiguration => self
                .plan_technical_configuration
                .clone()
                .map(Page::PlanTechnicalConfiguration),
            _ => None,
        }
    }

    /// Every saved page, in order.
    pub fn iter(&self) -> impl Iterator<Item = Page> + '_ {
        PageId::ALL.into_iter().filter_map(|id| self.get(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_9_a_page_is_put_where_it_is_looked_for_and_nowhere_else() {
        for id in PageId::ALL {
            let Some(page) = Page::empty(id) else {
                continue; // Plan overview is never saved
            };
            let (mut offer, mut plan) = (OfferPages::default(), PlanPages::default());
            let (of_offer, of_plan) = (offer.put(page.clone()), plan.put(page.clone()));
            let (here, there) = if id.is_of_plan() {
                assert_eq!((of_offer, of_plan), (Err(id), Ok(())));
                (plan.get(id), offer.get(id))
            } else {
                assert_eq!((of_offer, of_plan), (Ok(()), Err(id)));
                (offer.get(id), plan.get(id))
            };
            assert_eq!((here, there), (Some(page.clone()), None), "{id:?}");
            let all: Vec<Page> = offer.iter().chain(plan.iter()).collect();
            assert_eq!(all, [page]);
        }
    }
}
