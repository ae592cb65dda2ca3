//! The types of offers, as data (OT-1): `data/offer_types/*.json`, one file each. Pages, limits, steps and the leg that
//! certification runs in follow from them; nothing in the code asks for a type by name.

use std::sync::LazyLock;

use include_dir::{Dir, File, include_dir};
use serde::Deserialize;

use super::{AudienceIdKind, BillingTerm, PageId, PricingModel};

/// A type of offer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferType {
    /// For example `softwareAsAService`.
    pub id: String,
    /// As people read it.
    pub display_name: String,
    /// Whether it can be sold through the marketplace.
    pub transactable: Transactable,
    /// Whether it has plans.
    pub plans: Applies,
    /// Whether plans may be private.
    pub private_plans: bool,
    /// What a plan may be priced by; empty: plans have no price.
    pub pricing_models: Vec<PricingModel>,
    /// Terms of a flat or per-user price.
    pub billing_terms: Vec<BillingTerm>,
    /// Plans may have custom meters and free trials.
    pub meters_and_trials: bool,
    /// Kinds of ids in private audiences.
    pub private_audience_kinds: Vec<AudienceIdKind>,
    /// Who may be in the preview audience.
    pub preview_audience: Option<PreviewAudienceRule>,
    /// The preview is shown to its audience only (PV-3).
    pub preview_for_audience_only: bool,
    /// When a lead destination is needed (OS-3).
    pub lead_destination: LeadsNeeded,
    /// In which leg certification runs.
    pub certification_leg: CertificationLeg,
    /// Where customers can meet it (OT-3).
    pub storefronts: Vec<Storefront>,
    /// Certification wants notes (PG-8).
    pub requires_testing_notes: bool,
    /// Steps besides those that every submission has.
    pub extra_steps: Vec<String>,
    /// Days between the request to stop and its effect; 0: at once (UP-7).
    pub stop_notice_days: u32,
    /// Days before the end of a month from which a changed price counts as published in the next one (UP-10). The longest
    /// that is documented where none is for the type.
    pub price_cutoff_days: u8,
    /// Its pages, each with when it applies.
    pub pages: Vec<PageRule>,
    /// What the listing needs.
    pub listing: ListingRule,
    /// What a plan deploys, if anything.
    pub plan_technical_configuration: Option<Deploys>,
    /// Subtypes that a plan must have one of.
    pub plan_subtypes: Vec<String>,
    /// Those of them whose plans are never sold through the marketplace (§1.1, PL-9).
    pub unsold_subtypes: Vec<String>,
    /// Resellers are in unless the publisher says otherwise (CS-1).
    pub resellers_by_default: bool,
    /// The same, where a plan is bring-your-own-licence.
    pub byol_resold_by_default: bool,
    /// An offer that was published as listing-only may be sold later (UP-9).
    pub listed_may_be_sold: bool,
    /// When the marketplace has to reach the publisher's application (TC-1, §4.2).
    pub fulfilment: Fulfilment,
    /// An offer that is sold says where it runs (SU-1).
    pub declares_hosting: bool,
    /// The first publish needs evidence that it works, or a call (SU-2).
    pub first_publish_evidence: bool,
    /// Plans have a summary (PN-3).
    pub plan_summary: bool,
    /// Documentation shown beside pages and steps.
    pub help_links: Vec<HelpLink>,
}

/// Whether something can be sold through the marketplace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Transactable {
    /// It always is.
    Always,
    /// The publisher decides.
    Optional,
    /// It never is.
    Never,
}

impl Transactable {
    /// Whether it can be.
    pub const fn allows(self) -> bool {
        !matches!(self, Self::Never)
    }
}

/// When something applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Applies {
    /// To every offer of the type.
    Always,
    /// Where the offer is sold through the marketplace (OT-2).
    WhenTransactable,
    /// To none.
    Never,
}

impl Applies {
    /// Whether it applies to an offer that is, or isn't, sold through the marketplace.
    pub const fn to(self, transactable: bool) -> bool {
        match self {
            Self::Always => true,
            Self::WhenTransactable => transactable,
            Self::Never => false,
        }
    }
}

/// When the application behind an offer has to be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Fulfilment {
    /// Landing page, webhook and application, where the offer is sold.
    Required,
    /// The application, where a plan has meters.
    WhenMetered,
    /// Never.
    Optional,
}

/// When a lead destination is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LeadsNeeded {
    /// Always.
    Always,
    /// Sold through the marketplace, or "Contact me".
    WhenTransactableOrContactMe,
    /// "Contact me".
    WhenContactMe,
    /// With a test drive.
    WhenTestDrive,
}

/// The leg that certification runs in (PH-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CertificationLeg {
    /// Before the preview is made.
    Preview,
    /// After Go live.
    Live,
}

/// Where customers meet offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Storefront {
    /// For business users.
    AppSource,
    /// For technical users.
    AzureMarketplace,
}

impl Storefront {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AppSource => "APP_SOURCE",
            Self::AzureMarketplace => "AZURE_MARKETPLACE",
        }
    }

    /// As it is stored.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::AppSource, Self::AzureMarketplace]
            .into_iter()
            .find(|front| front.as_str() == text)
    }
}

/// A page of a type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageRule {
    /// Which.
    pub page: PageId,
    /// When it applies.
    pub applies: Applies,
}

/// Who may be in the preview audience (PA-1, PA-2).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewAudienceRule {
    /// Kinds of ids.
    pub kinds: Vec<AudienceIdKind>,
    /// The fewest.
    pub min: usize,
    /// The most.
    pub max: usize,
}

/// What the listing of a type needs (LI-3, LI-6, LI-8, LI-15, LI-16, LI-18).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListingRule {
    /// A short description is needed.
    pub short_description: bool,
    /// When getting started instructions are needed.
    pub getting_started: Applies,
    /// A privacy policy is needed.
    pub privacy_policy: bool,
    /// The fewest screenshots; the most are 5.
    pub min_screenshots: usize,
    /// The most videos.
    pub max_videos: usize,
    /// The Azure portal shows it with a wide logo and a hero, where it has them (LI-18).
    pub wide_logos: bool,
}

/// What a plan deploys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Deploys {
    /// Container images (TC-6).
    Container,
    /// A package (TC-5).
    Package,
    /// Virtual machine images (TC-3).
    VirtualMachine,
}

/// A pointer to documentation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HelpLink {
    /// Its text.
    pub title: String,
    /// Where it leads.
    pub url: String,
    /// Where it is shown: `review-and-publish`, `overview`, …
    pub context: String,
}

impl OfferType {
    /// Whether a page applies to an offer that is, or isn't, sold through the marketplace.
    pub fn applies(&self, page: PageId, transactable: bool) -> bool {
        self.pages
            .iter()
            .any(|rule| rule.page == page && rule.applies.to(transactable))
    }

    /// Whether any offer of this type has the page.
    pub fn has(&self, page: PageId) -> bool {
        self.pages
            .iter()
            .any(|rule| rule.page == page && rule.applies != Applies::Never)
    }

    /// Whether plans of this subtype are sold where the offer is.
    pub fn sells(&self, subtype: &str) -> bool {
        !self.unsold_subtypes.iter().any(|unsold| unsold == subtype)
    }

    /// Whether an offer with plans of these subtypes is sold at all: one of them is, or there is none yet.
    pub fn sells_any<'a>(&self, subtypes: impl IntoIterator<Item = &'a str>) -> bool {
        let mut subtypes = subtypes.into_iter().peekable();
        subtypes.peek().is_none() || subtypes.any(|subtype| self.sells(subtype))
    }

    /// The pages of an offer that is, or isn't, sold through the marketplace, in order.
    pub fn pages(&self, transactable: bool) -> impl Iterator<Item = PageId> + '_ {
        PageId::ALL
            .into_iter()
            .filter(move |&page| self.applies(page, transactable))
    }
}

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/data/offer_types");
/// A type that exists for tests alone: what it takes to add one is this file.
#[cfg(test)]
static OF_TESTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/pages/tests/offer_types");

static TYPES: LazyLock<Vec<OfferType>> = LazyLock::new(|| {
    let files = FILES.files();
    #[cfg(test)]
    let files = files.chain(OF_TESTS.files());
    let mut types: Vec<OfferType> = files.filter_map(File::contents_utf8).map(read).collect();
    types.sort_by(|a, b| a.display_name.cmp(&b.display_name));
    types
});

/// A file that is compiled in: a wrong one is a mistake that the tests below show.
fn read(file: &str) -> OfferType {
    serde_json::from_str(file).expect("a data file of this program is well formed")
}

/// Every type, in the order in which people are shown them.
pub fn all() -> &'static [OfferType] {
    &TYPES
}

/// The type of this id.
pub fn find(id: &str) -> Option<&'static OfferType> {
    TYPES.iter().find(|offer_type| offer_type.id == id)
}
