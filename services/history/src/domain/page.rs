//! Pages that a submission changed (HF-6 to HF-9).

use std::str::FromStr;

use super::code::{Unknown, stored};

stored! {
    /// A page of an offer or of its plans, by its name in snake case.
    Page("page") {
        OfferSetup = "offer_setup",
        Properties = "properties",
        OfferListing = "offer_listing",
        PreviewAudience = "preview_audience",
        TechnicalConfiguration = "technical_configuration",
        PlanOverview = "plan_overview",
        ResellThroughCsps = "resell_through_csps",
        CoSell = "co_sell",
        SupplementalContent = "supplemental_content",
        PlanListing = "plan_listing",
        PlanPricingAndAvailability = "plan_pricing_and_availability",
        PlanTechnicalConfiguration = "plan_technical_configuration",
    }
}

/// What the history needs to know of an offer's type; the catalog's data (OT-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferType {
    /// Whether offers of it can have plans.
    pub supports_plans: bool,
    /// Pages of its offers.
    pub pages: Vec<Page>,
}

impl OfferType {
    /// Pages that every submission of this type changes: Offer setup (HF-7), and Plan overview where there are plans
    /// (HF-8).
    pub fn always_changed(&self) -> &'static [Page] {
        if self.supports_plans {
            &[Page::OfferSetup, Page::PlanOverview]
        } else {
            &[Page::OfferSetup]
        }
    }

    /// What a submission changed, with what counts as changed in every one.
    pub fn changed(&self, differing: &[Page]) -> Vec<Page> {
        let mut pages = [self.always_changed(), differing].concat();
        pages.sort_unstable();
        pages.dedup();
        pages
    }

    /// Pages to offer as filter: those of the type only (AS-124, AS-126), what always counts included.
    pub fn filterable(&self) -> Vec<Page> {
        let mut pages = self.changed(&self.pages);
        pages.retain(|page| self.supports_plans || *page != Page::PlanOverview);
        pages
    }

    /// Whether a filter by these pages takes every submission.
    pub fn takes_every_submission(&self, wanted: &[Page]) -> bool {
        wanted
            .iter()
            .any(|page| self.always_changed().contains(page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_plans() -> OfferType {
        OfferType {
            supports_plans: true,
            pages: vec![Page::OfferSetup, Page::OfferListing, Page::PlanOverview],
        }
    }

    fn without_plans() -> OfferType {
        OfferType {
            supports_plans: false,
            pages: vec![Page::OfferSetup, Page::OfferListing],
        }
    }

    #[test]
    fn hf_7_offer_setup_counts_as_changed_in_every_submission() {
        for kind in [with_plans(), without_plans()] {
            assert!(kind.changed(&[]).contains(&Page::OfferSetup));
            assert!(kind.takes_every_submission(&[Page::OfferSetup]));
        }
    }

    #[test]
    fn hf_8_plan_overview_does_so_where_the_type_has_plans() {
        assert_eq!(
            with_plans().changed(&[]),
            [Page::OfferSetup, Page::PlanOverview]
        );
        assert_eq!(without_plans().changed(&[]), [Page::OfferSetup]);
        assert!(with_plans().takes_every_submission(&[Page::PlanOverview]));
        assert!(!without_plans().takes_every_submission(&[Page::PlanOverview]));
        assert!(!with_plans().takes_every_submission(&[Page::OfferListing]));
    }

    #[test]
    fn as_124_and_126_only_pages_of_the_type_are_offered() {
        assert_eq!(
            with_plans().filterable(),
            [Page::OfferSetup, Page::OfferListing, Page::PlanOverview]
        );
        assert_eq!(
            without_plans().filterable(),
            [Page::OfferSetup, Page::OfferListing]
        );
    }

    #[test]
    fn hf_9_what_differs_is_named_once_and_in_the_order_of_the_portal() {
        let changed =
            with_plans().changed(&[Page::OfferListing, Page::OfferSetup, Page::Properties]);
        assert_eq!(
            changed,
            [
                Page::OfferSetup,
                Page::Properties,
                Page::OfferListing,
                Page::PlanOverview
            ]
        );
    }
}
