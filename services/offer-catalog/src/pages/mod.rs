//! The pages of an offer and of its plans: one file per page, its typed fields and its rules (domain rules §4.3–§4.9).
//!
//! The JSON of a page is what the database and snapshots hold: snake_case names of the page's message, enums by value
//! name without prefix, a oneof as the member that is set, nothing that is unset or empty. Snapshots are made of
//! it, so no name here ever changes and no field is added without a new format.

use serde::{Deserialize, Serialize};

pub mod asset;
pub mod audience_file;
pub mod check;
mod co_sell;
mod contact;
mod container;
mod disk;
pub mod html;
mod issue;
mod lead_destination;
mod legal;
mod markets;
mod offer_listing;
mod offer_setup;
pub mod offer_type;
mod package;
mod plan_listing;
mod plan_pricing;
mod plan_technical_configuration;
mod preview_audience;
mod price;
mod properties;
mod published_pricing;
mod resell_through_csps;
mod supplemental_content;
pub mod taxonomy;
mod technical_configuration;
#[cfg(test)]
mod tests;
mod virtual_machine;

pub use asset::{Asset, AssetContent, AssetKind, AssetState};
pub use check::Context;
pub use co_sell::CoSell;
pub use contact::{CaptionedAsset, Contact, Link, Video};
pub use container::{ContainerConfiguration, ContainerImage};
pub use issue::{Issue, Issues, MOST_ISSUES, Severity};
pub use lead_destination::{
    Destination, Dynamics, DynamicsAuthentication, Entra, HttpsEndpoint, LeadDestination, Marketo,
    Office365, SECRET_MASK, Salesforce, Table, secret_fault,
};
pub use legal::{CustomAmendment, CustomTerms, LegalTerms, StandardContract, TermsSource};
pub use markets::CustomerMarkets;
pub use offer_listing::OfferListing;
pub use offer_setup::{CallToAction, OfferSetup, Selling, TestDrive};
pub use offer_type::{Applies, CertificationLeg, HelpLink, OfferType, Storefront};
pub use package::PackageConfiguration;
pub use plan_listing::PlanListing;
pub use plan_pricing::{CheckedAudience, PlanAudience, PlanPricing};
pub use plan_technical_configuration::{PlanConfiguration, PlanTechnicalConfiguration};
pub use preview_audience::{AudienceIdKind, AudienceMember, PreviewAudience};
pub use price::{BillingTerm, CustomMeter, Price, PricingModel};
pub use properties::{CategoryChoice, IndustryChoice, Properties};
pub use resell_through_csps::{ResellThroughCsps, ResellerState};
pub use supplemental_content::{Hosting, SupplementalContent};
pub use technical_configuration::TechnicalConfiguration;
pub use virtual_machine::{ImageVersion, VirtualMachineConfiguration};

/// Which page. The order is that of the Review and publish page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PageId {
    /// Selling, call to action, lead destination.
    OfferSetup,
    /// Categories, industries, legal terms.
    Properties,
    /// What customers read.
    OfferListing,
    /// Who may test before it is live.
    PreviewAudience,
    /// Landing page and webhook.
    TechnicalConfiguration,
    /// All plans at a glance; aggregates their pages and is never saved itself (PG-7).
    PlanOverview,
    /// Resellers.
    ResellThroughCsps,
    /// Co-selling.
    CoSell,
    /// Hosting, evidence.
    SupplementalContent,
    /// What customers read of a plan.
    PlanListing,
    /// Markets, prices, audience of a plan.
    PlanPricing,
    /// What a plan deploys.
    PlanTechnicalConfiguration,
}

impl PageId {
    /// Every page.
    pub const ALL: [PageId; 12] = [
        Self::OfferSetup,
        Self::Properties,
        Self::OfferListing,
        Self::PreviewAudience,
        Self::TechnicalConfiguration,
        Self::PlanOverview,
        Self::ResellThroughCsps,
        Self::CoSell,
        Self::SupplementalContent,
        Self::PlanListing,
        Self::PlanPricing,
        Self::PlanTechnicalConfiguration,
    ];

    /// As rows and snapshots name it: the field name of the page's message.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OfferSetup => "offer_setup",
            Self::Properties => "properties",
            Self::OfferListing => "offer_listing",
            Self::PreviewAudience => "preview_audience",
            Self::TechnicalConfiguration => "technical_configuration",
            Self::PlanOverview => "plan_overview",
            Self::ResellThroughCsps => "resell_through_csps",
            Self::CoSell => "co_sell",
            Self::SupplementalContent => "supplemental_content",
            Self::PlanListing => "plan_listing",
            Self::PlanPricing => "plan_pricing",
            Self::PlanTechnicalConfiguration => "plan_technical_configuration",
        }
    }

    /// As people read it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::OfferSetup => "Offer setup",
            Self::Properties => "Properties",
            Self::OfferListing => "Offer listing",
            Self::PreviewAudience => "Preview audience",
            Self::TechnicalConfiguration => "Technical configuration",
            Self::PlanOverview => "Plan overview",
            Self::ResellThroughCsps => "Resell through CSPs",
            Self::CoSell => "Co-sell with Microsoft",
            Self::SupplementalContent => "Supplemental content",
            Self::PlanListing => "Plan listing",
            Self::PlanPricing => "Pricing and availability",
            Self::PlanTechnicalConfiguration => "Technical configuration of the plan",
        }
    }

    /// The page that rows call `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.as_str() == name)
    }

    /// Whether each plan has one.
    pub const fn is_of_plan(self) -> bool {
        matches!(
            self,
            Self::PlanListing | Self::PlanPricing | Self::PlanTechnicalConfiguration
        )
    }
}

/// One page, whole.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a page is read, saved and gone; there are never many"
)]
pub enum Page {
    /// Offer setup.
    OfferSetup(OfferSetup),
    /// Properties.
    Properties(Properties),
    /// Offer listing.
    OfferListing(OfferListing),
    /// Preview audience.
    PreviewAudience(PreviewAudience),
    /// Technical configuration.
    TechnicalConfiguration(TechnicalConfiguration),
    /// Resell through CSPs.
    ResellThroughCsps(ResellThroughCsps),
    /// Co-sell.
    CoSell(CoSell),
    /// Supplemental content.
    SupplementalContent(SupplementalContent),
    /// Plan listing.
    PlanListing(PlanListing),
    /// Pricing and availability.
    PlanPricing(PlanPricing),
    /// Technical configuration of a plan.
    PlanTechnicalConfiguration(PlanTechnicalConfiguration),
}

impl Page {
    /// Which page it is.
    pub const fn id(&self) -> PageId {
        match self {
            Self::OfferSetup(_) => PageId::OfferSetup,
            Self::Properties(_) => PageId::Properties,
            Self::OfferListing(_) => PageId::OfferListing,
            Self::PreviewAudience(_) => PageId::PreviewAudience,
            Self::TechnicalConfiguration(_) => PageId::TechnicalConfiguration,
            Self::ResellThroughCsps(_) => PageId::ResellThroughCsps,
            Self::CoSell(_) => PageId::CoSell,
            Self::SupplementalContent(_) => PageId::SupplementalContent,
            Self::PlanListing(_) => PageId::PlanListing,
            Self::PlanPricing(_) => PageId::PlanPricing,
            Self::PlanTechnicalConfiguration(_) => PageId::PlanTechnicalConfiguration,
        }
    }

    /// One that was never saved; Plan overview never is.
    pub fn empty(id: PageId) -> Option<Self> {
        Self::from_json(id, serde_json::Value::Object(serde_json::Map::new())).ok()
    }

    /// Its JSON, as rows and snapshots hold it.
    pub fn to_json(&self) -> Result<serde_json::Value, serde_json::Error> {
        match self {
            Self::OfferSetup(page) => serde_json::to_value(page),
            Self::Properties(page) => serde_json::to_value(page),
            Self::OfferListing(page) => serde_json::to_value(page),
            Self::PreviewAudience(page) => serde_json::to_value(page),
            Self::TechnicalConfiguration(page) => serde_json::to_value(page),
            Self::ResellThroughCsps(page) => serde_json::to_value(page),
            Self::CoSell(page) => serde_json::to_value(page),
            Self::SupplementalContent(page) => serde_json::to_value(page),
            Self::PlanListing(page) => serde_json::to_value(page),
            Self::PlanPricing(page) => serde_json::to_value(page),
            Self::PlanTechnicalConfiguration(page) => serde_json::to_value(page),
        }
    }

    /// The page that `json` holds. Plan overview holds nothing: asking for it is an error.
    pub fn from_json(id: PageId, json: serde_json::Value) -> Result<Self, serde_json::Error> {
        use serde_json::from_value;
        Ok(match id {
            PageId::OfferSetup => Self::OfferSetup(from_value(json)?),
            PageId::Properties => Self::Properties(from_value(json)?),
            PageId::OfferListing => Self::OfferListing(from_value(json)?),
            PageId::PreviewAudience => Self::PreviewAudience(from_value(json)?),
            PageId::TechnicalConfiguration => Self::TechnicalConfiguration(from_value(json)?),
            PageId::ResellThroughCsps => Self::ResellThroughCsps(from_value(json)?),
            PageId::CoSell => Self::CoSell(from_value(json)?),
            PageId::SupplementalContent => Self::SupplementalContent(from_value(json)?),
            PageId::PlanListing => Self::PlanListing(from_value(json)?),
            PageId::PlanPricing => Self::PlanPricing(from_value(json)?),
            PageId::PlanTechnicalConfiguration => {
                Self::PlanTechnicalConfiguration(from_value(json)?)
            }
            PageId::PlanOverview => {
                return Err(serde::de::Error::custom("plan overview is never saved"));
            }
        })
    }
}
