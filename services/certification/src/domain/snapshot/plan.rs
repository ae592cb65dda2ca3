//! Plans in a snapshot: listing, prices, technical configuration.

use serde::Deserialize;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Plan {
    pub plan_id: String,
    pub display_name: String,
    pub subtype: String,
    pub stopped: bool,
    pub pages: PlanPages,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PlanPages {
    pub plan_listing: PlanListing,
    pub plan_pricing: Option<Pricing>,
    pub plan_technical_configuration: PlanTechnical,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PlanListing {
    pub summary: String,
    pub description: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Pricing {
    pub markets: Vec<String>,
    pub customer_markets: CustomerMarkets,
    pub model: PricingModel,
    pub prices: Vec<Price>,
    pub audience: PlanAudience,
    pub hidden: bool,
    pub free_trial: bool,
    pub meters: Vec<Meter>,
}

/// Markets by what they have in common (PN-14); unspecified: those that are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CustomerMarkets {
    #[default]
    Unspecified,
    All,
    AllTaxRemitted,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PricingModel {
    #[default]
    Unspecified,
    FlatRate,
    PerUser,
    Free,
    Byol,
    PerCore,
    PerCoreSize,
    PerMarketAndCoreSize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PlanAudience {
    #[default]
    Unspecified,
    Public,
    Private,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Term {
    #[default]
    Unspecified,
    OneMonth,
    OneYear,
    TwoYears,
    ThreeYears,
    Hour,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Price {
    pub term: Term,
    pub paid_every: Term,
    pub market: String,
    pub currency: String,
    pub amount: String,
    pub min_users: i32,
    pub max_users: i32,
    pub cores: i32,
}

impl Price {
    /// Unset: once per term.
    pub fn paid_every(&self) -> Term {
        match self.paid_every {
            Term::Unspecified => self.term,
            every => every,
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Meter {
    pub id: String,
    pub display_name: String,
    pub unit: String,
    pub price_per_unit: String,
    pub included_quantity: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PlanTechnical {
    pub container: Option<Container>,
    pub package: Option<Package>,
    pub virtual_machine: Option<VirtualMachine>,
    pub reuses_plan: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Container {
    pub images: Vec<ContainerImage>,
    pub bundle_reference: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ContainerImage {
    pub repository: String,
    pub tag: String,
    pub digest: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Package {
    pub version: String,
    pub package: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct VirtualMachine {
    pub os_family: String,
    pub os_vendor: String,
    pub recommended_sizes: Vec<String>,
    pub image_versions: Vec<ImageVersion>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ImageVersion {
    pub version: String,
    pub os_disk: String,
    pub data_disks: Vec<String>,
    pub active: bool,
}
