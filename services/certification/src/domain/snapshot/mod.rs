//! A snapshot as certification reads it: formats 1 and 2, every field of every page that a check looks at.
//!
//! A snapshot leaves out what is unset, so everything has a default. What it doesn't know it ignores, except enum
//! values: a value that this version can't tell apart must not pass as another.

mod plan;

use serde::Deserialize;

pub use plan::{
    Container, ContainerImage, CustomerMarkets, ImageVersion, Meter, Package, Plan, PlanAudience,
    PlanTechnical, Price, Pricing, PricingModel, Term, VirtualMachine,
};

/// The newest encoding that this version reads; those before have less in them.
pub const FORMAT: u32 = 2;

/// A frozen offer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    pub format: u32,
    pub offer: OfferHead,
    pub pages: Pages,
    pub plans: Vec<Plan>,
    pub assets: Vec<Asset>,
}

/// Why bytes are no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("the snapshot is no JSON of a known format: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("the snapshot has format {0}, which this version doesn't know")]
    UnknownFormat(u32),
}

impl Snapshot {
    /// From canonical bytes.
    pub fn read(bytes: &[u8]) -> Result<Snapshot, Unreadable> {
        let snapshot: Snapshot = serde_json::from_slice(bytes)?;
        if !(1..=FORMAT).contains(&snapshot.format) {
            return Err(Unreadable::UnknownFormat(snapshot.format));
        }
        Ok(snapshot)
    }

    /// Plans that are on sale: a stopped plan is in the snapshot so that the stop takes effect, and isn't certified.
    pub fn offered_plans(&self) -> impl Iterator<Item = &Plan> {
        self.plans.iter().filter(|plan| !plan.stopped)
    }

    /// The asset of this resource name.
    pub fn asset(&self, name: &str) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.name == name)
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct OfferHead {
    /// "publishers/{publisher}/offers/{offer}"
    pub name: String,
    pub uid: String,
    pub offer_type: String,
    pub alias: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Pages {
    pub offer_setup: OfferSetup,
    pub properties: Properties,
    pub offer_listing: Listing,
    pub technical_configuration: TechnicalConfiguration,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct OfferSetup {
    pub selling: Selling,
    pub call_to_action: CallToAction,
    pub call_to_action_url: String,
    pub client_links: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Selling {
    #[default]
    Unspecified,
    ListAndSell,
    ListingOnly,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CallToAction {
    #[default]
    Unspecified,
    Free,
    FreeTrial,
    ContactMe,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Properties {
    pub categories: Vec<Category>,
    pub legal: Legal,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Category {
    pub category: String,
    pub subcategories: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Legal {
    pub standard: Option<StandardContract>,
    pub custom: Option<CustomTerms>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct StandardContract {
    pub universal_amendment: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CustomTerms {
    pub text: String,
    pub url: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Listing {
    pub title: String,
    pub summary: String,
    pub short_description: String,
    pub description: String,
    pub getting_started: String,
    pub keywords: Vec<String>,
    pub privacy_policy_url: String,
    pub useful_links: Vec<Link>,
    pub support_contact: Contact,
    pub support_url: String,
    pub engineering_contact: Contact,
    pub csp_materials_url: String,
    pub language: String,
    pub large_logo: String,
    pub medium_logo: String,
    pub small_logo: String,
    pub wide_logo: String,
    pub hero_logo: String,
    pub screenshots: Vec<Captioned>,
    pub documents: Vec<Captioned>,
    pub videos: Vec<Video>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Link {
    pub title: String,
    pub url: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Contact {
    pub name: String,
    pub email: String,
    pub phone: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Captioned {
    pub asset: String,
    pub caption: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Video {
    pub name: String,
    pub url: String,
    pub thumbnail: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct TechnicalConfiguration {
    pub landing_page_url: String,
    pub webhook_url: String,
    pub tenant_id: String,
    pub application_id: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asset {
    pub name: String,
    /// "LOGO_LARGE", "SCREENSHOT", …
    pub kind: String,
    pub digest: String,
    pub size_bytes: i64,
    pub content_type: String,
    pub file_name: String,
}

impl Asset {
    /// One of the kinds that are looked at as pictures.
    pub fn is_image(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "LOGO_LARGE"
                | "LOGO_MEDIUM"
                | "LOGO_SMALL"
                | "LOGO_WIDE"
                | "LOGO_HERO"
                | "SCREENSHOT"
                | "VIDEO_THUMBNAIL"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default() {
        let snapshot =
            Snapshot::read(br#"{"format":1,"plans":[{"plan_id":"a","pages":{}}]}"#).unwrap();
        assert_eq!(snapshot.pages.offer_setup.selling, Selling::Unspecified);
        assert!(snapshot.plans[0].pages.plan_pricing.is_none());
    }

    #[test]
    fn the_set_member_of_a_oneof_is_its_key() {
        let json = br#"{"format":1,"pages":{"properties":{"legal":{"custom":{"url":"https://a.example/terms"}}},
            "offer_setup":{"selling":"LIST_AND_SELL"}},
            "plans":[{"pages":{"plan_technical_configuration":{"container":{"images":[{"tag":"1"}]}}}}]}"#;
        let snapshot = Snapshot::read(json).unwrap();
        assert_eq!(
            snapshot.pages.properties.legal.custom.unwrap().url,
            "https://a.example/terms"
        );
        assert_eq!(snapshot.pages.offer_setup.selling, Selling::ListAndSell);
        assert_eq!(
            snapshot.plans[0]
                .pages
                .plan_technical_configuration
                .container
                .as_ref()
                .unwrap()
                .images[0]
                .tag,
            "1"
        );
    }

    #[test]
    fn another_format_or_an_unknown_value_is_refused() {
        for format in [0, FORMAT + 1] {
            let json = format!(r#"{{"format":{format}}}"#);
            let refused = Snapshot::read(json.as_bytes()).unwrap_err();
            assert!(matches!(refused, Unreadable::UnknownFormat(found) if found == format));
        }
        assert!(Snapshot::read(br#"{"format":2}"#).is_ok());
        let unknown = br#"{"format":1,"pages":{"offer_setup":{"selling":"BARTER"}}}"#;
        assert!(matches!(
            Snapshot::read(unknown),
            Err(Unreadable::Malformed(_))
        ));
        assert!(matches!(
            Snapshot::read(b"<xml>"),
            Err(Unreadable::Malformed(_))
        ));
    }
}
