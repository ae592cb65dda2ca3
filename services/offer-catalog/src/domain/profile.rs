//! What the publishing pipeline needs to know of a content, so that it never reads a page.

use std::collections::BTreeSet;

use super::snapshot::{Content, ContentPlan, SnapshotError};
use crate::pages::{Applies, OfferType, PageId, Storefront, taxonomy};

/// Facts of one content, and how it differs from the one before.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The offer's type.
    pub offer_type: &'static OfferType,
    /// The title, for mails.
    pub offer_title: String,
    /// Pages that differ from the previous submission's, in order (HF-7 … HF-9).
    pub pages_changed: Vec<PageId>,
    /// Anything differs at all (A30).
    pub changed: bool,
    /// Effectively transactable (OT-2).
    pub transactable: bool,
    /// Kind of the lead destination; `None`: there is none.
    pub lead_destination_kind: Option<&'static str>,
    /// Where customers meet it (OT-3, PN-7).
    pub storefronts: Vec<Storefront>,
    /// Its plans, by id.
    pub plans: Vec<ProfilePlan>,
}

/// Facts of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfilePlan {
    /// Its id.
    pub plan_id: String,
    /// Shown to customers.
    pub name: String,
    /// Only its private audience may buy it.
    pub private: bool,
    /// No longer sold once this content is live.
    pub stopped: bool,
    /// Plan whose technical configuration it reuses (TC-7).
    pub technical_parent: Option<String>,
}

impl Profile {
    /// The facts of `content`. Audiences are outside of it: whether the preview audience differs from what the previous
    /// submission saw is said by whoever knows.
    pub fn of(
        content: &Content,
        previous: Option<&Content>,
        preview_audience_changed: bool,
    ) -> Result<Self, SnapshotError> {
        let offer_type = content.offer_type()?;
        let pages = &content.pages;
        Ok(Self {
            offer_type,
            offer_title: pages
                .offer_listing
                .as_ref()
                .map(|listing| listing.title.clone())
                .unwrap_or_default(),
            pages_changed: pages_changed(content, previous, offer_type, preview_audience_changed),
            changed: preview_audience_changed || previous != Some(content),
            transactable: content.transactable(),
            lead_destination_kind: pages
                .offer_setup
                .as_ref()
                .and_then(|setup| setup.lead_destination.as_ref()?.kind()),
            storefronts: storefronts(content, offer_type),
            plans: content.plans.iter().map(ProfilePlan::of).collect(),
        })
    }
}

impl ProfilePlan {
    fn of(plan: &ContentPlan) -> Self {
        Self {
            plan_id: plan.plan_id.clone(),
            name: plan.display_name.clone(),
            private: plan
                .pages
                .plan_pricing
                .as_ref()
                .is_some_and(|pricing| pricing.is_private()),
            stopped: plan.stopped,
            technical_parent: plan
                .pages
                .plan_technical_configuration
                .as_ref()
                .and_then(|page| page.parent().map(str::to_owned)),
        }
    }
}

/// HF-9; Offer setup (HF-7) and, for types with plans, Plan overview (HF-8) count as changed always.
fn pages_changed(
    content: &Content,
    previous: Option<&Content>,
    offer_type: &OfferType,
    audience: bool,
) -> Vec<PageId> {
    let mut changed = BTreeSet::from([PageId::OfferSetup]);
    if offer_type.plans != Applies::Never {
        changed.insert(PageId::PlanOverview);
    }
    if audience && offer_type.has(PageId::PreviewAudience) {
        changed.insert(PageId::PreviewAudience);
    }
    changed.extend(
        PageId::ALL
            .into_iter()
            .filter(|&id| content.page(id, None) != previous.and_then(|p| p.page(id, None))),
    );
    let plan_ids: BTreeSet<&str> = [Some(content), previous]
        .into_iter()
        .flatten()
        .flat_map(|c| &c.plans)
        .map(|p| p.plan_id.as_str())
        .collect();
    for plan_id in plan_ids {
        let differs = |&id: &PageId| {
            content.page(id, Some(plan_id)) != previous.and_then(|p| p.page(id, Some(plan_id)))
        };
        changed.extend(PageId::ALL.into_iter().filter(differs));
    }
    changed.into_iter().collect()
}

/// Of the type's storefronts those whose customers browse the chosen categories (OT-3). Long terms are not for AppSource
/// (PN-7). There is always one.
pub fn storefronts(content: &Content, offer_type: &OfferType) -> Vec<Storefront> {
    let chosen = content
        .pages
        .properties
        .iter()
        .flat_map(|page| &page.categories);
    let browsed: BTreeSet<Storefront> = chosen
        .filter_map(|choice| taxonomy::category(&choice.category))
        .flat_map(|group| &group.storefronts)
        .copied()
        .collect();
    let long = content
        .plans
        .iter()
        .filter_map(|plan| plan.pages.plan_pricing.as_ref())
        .any(|pricing| pricing.has_long_terms());
    let all = offer_type.storefronts.iter().copied();
    let fronts: Vec<Storefront> = all
        .clone()
        .filter(|front| browsed.is_empty() || browsed.contains(front))
        .filter(|front| !(long && *front == Storefront::AppSource))
        .collect();
    match fronts.is_empty() {
        // A category of AppSource only, with long terms: sold where long terms are.
        true => all
            .filter(|front| !long || *front == Storefront::AzureMarketplace)
            .collect(),
        false => fronts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Draft, samples};
    use crate::pages::{BillingTerm, CategoryChoice};

    fn profile(draft: &Draft, previous: Option<&Draft>) -> Profile {
        let previous = previous.map(Content::of);
        Profile::of(&Content::of(draft), previous.as_ref(), false).unwrap()
    }

    #[test]
    fn the_facts_of_a_content() {
        let facts = profile(&samples::saas(), None);
        assert_eq!(facts.offer_title, "Contoso Notes™");
        assert_eq!(
            (facts.transactable, facts.lead_destination_kind),
            (true, Some("https_endpoint"))
        );
        let plans: Vec<(&str, bool, bool)> = facts
            .plans
            .iter()
            .map(|p| (p.plan_id.as_str(), p.private, p.stopped))
            .collect();
        assert_eq!(plans, [("gold", false, false), ("team", true, false)]);
        assert!(!profile(&samples::listed(), None).transactable);
        assert_eq!(
            profile(&samples::container(), None).lead_destination_kind,
            None
        );
    }

    #[test]
    fn hf_9_a_first_submission_has_changed_every_saved_page() {
        use PageId::*;
        let first = profile(&samples::saas(), None).pages_changed;
        assert_eq!(
            first,
            [
                OfferSetup,
                Properties,
                OfferListing,
                TechnicalConfiguration,
                PlanOverview,
                SupplementalContent,
                PlanListing,
                PlanPricing
            ]
        );
        let listed = profile(&samples::listed(), None).pages_changed;
        assert_eq!(listed, [OfferSetup, Properties, OfferListing, PlanOverview]);
    }

    #[test]
    fn hf_7_hf_8_setup_and_overview_have_always_changed() {
        use PageId::*;
        let draft = samples::saas();
        let same = profile(&draft, Some(&draft));
        assert_eq!(
            (same.pages_changed, same.changed),
            (vec![OfferSetup, PlanOverview], false),
            "A30"
        );
        let mut edited = samples::saas();
        edited.pages.offer_listing.as_mut().unwrap().title = "Other".into();
        edited.plans[1]
            .pages
            .plan_listing
            .as_mut()
            .unwrap()
            .description = "Other".into();
        let other = profile(&edited, Some(&draft));
        assert_eq!(
            (other.pages_changed, other.changed),
            (
                vec![OfferSetup, OfferListing, PlanOverview, PlanListing],
                true
            )
        );
        let mut consulting = samples::listed();
        consulting.offer_type = crate::pages::offer_type::find("consultingService").unwrap();
        consulting.offer.offer_type = "consultingService".into();
        assert_eq!(
            profile(&consulting, Some(&consulting)).pages_changed,
            [OfferSetup],
            "HF-8: a type without plans"
        );
    }

    #[test]
    fn hf_9_a_changed_preview_audience_is_told_from_outside() {
        let content = Content::of(&samples::saas());
        let told = Profile::of(&content, Some(&content), true).unwrap();
        assert_eq!(
            told.pages_changed,
            [
                PageId::OfferSetup,
                PageId::PreviewAudience,
                PageId::PlanOverview
            ]
        );
        assert!(told.changed);
    }

    #[test]
    fn ot_3_pn_7_storefronts_follow_categories_and_terms() {
        use Storefront::*;
        fn with(
            categories: &[&str],
            term: BillingTerm,
            paid_every: Option<BillingTerm>,
        ) -> Vec<Storefront> {
            let mut draft = samples::saas();
            let choice = |id: &&str| CategoryChoice {
                category: (*id).to_owned(),
                subcategories: Vec::new(),
            };
            draft.pages.properties.as_mut().unwrap().categories =
                categories.iter().map(choice).collect();
            let price = &mut draft.plans[1].pages.plan_pricing.as_mut().unwrap().prices[0];
            (price.term, price.paid_every) = (Some(term), paid_every);
            profile(&draft, None).storefronts
        }
        assert_eq!(
            with(&["sales"], BillingTerm::OneMonth, None),
            [AppSource],
            "AS-092"
        );
        assert_eq!(
            with(&["databases"], BillingTerm::OneMonth, None),
            [AzureMarketplace],
            "AS-092"
        );
        assert_eq!(
            with(&["sales", "databases"], BillingTerm::OneYear, None),
            [AppSource, AzureMarketplace],
            "AS-092"
        );
        assert_eq!(
            with(&["analytics"], BillingTerm::TwoYears, None),
            [AzureMarketplace],
            "PN-7"
        );
        assert_eq!(
            with(
                &["sales"],
                BillingTerm::OneYear,
                Some(BillingTerm::OneMonth)
            ),
            [AzureMarketplace],
            "PN-7"
        );
    }
}
