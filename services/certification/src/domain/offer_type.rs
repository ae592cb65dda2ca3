//! What certification has to know of an offer type: data, one row each (domain rules §1.1, OT-1, A13).

/// What a type's technical level looks at (domain rules §5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Artifact {
    /// A service at the publisher's: endpoints.
    Service,
    VirtualMachine,
    AzureApplication,
    Container,
    /// A package of another product.
    Package,
    /// Nothing that runs.
    None,
}

/// A row of the table. What the catalog's data says as well is compared with it by the test below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfferType {
    pub id: &'static str,
    pub artifact: Artifact,
    /// The type wants notes for certification.
    pub needs_notes: bool,
    /// An offer of it has plans; `None`: only where it is sold through the marketplace.
    pub plans: Option<bool>,
    /// Its plans have prices where it is sold through the marketplace.
    pub priced: bool,
    /// Its plans name the markets where they are available.
    pub markets: bool,
    /// Plans of these subtypes are never sold.
    pub unsold_subtypes: &'static [&'static str],
    /// All plans have the same pricing model (PN-5).
    pub one_pricing_model: bool,
    /// Naming no supported Microsoft product fails it (CV-9).
    pub names_platform: bool,
    /// Certification runs after sign-off, in the live leg.
    pub certified_live: bool,
    /// The publisher's billing has to be approved (BE-6).
    pub approved_billing: bool,
    /// Its title says what is done in which time (CV-17).
    pub titled_by_engagement: bool,
    /// A listed offer says what its customers do (CV-16).
    pub call_to_action: bool,
    /// It has a privacy policy (LI-8).
    pub privacy_policy: bool,
    /// The fewest screenshots (LI-15).
    pub min_screenshots: usize,
    /// The most videos (LI-16).
    pub max_videos: usize,
    /// Its application is the publisher's one and only (TC-2).
    pub one_application: bool,
}

/// What most types have in common.
const MOST: OfferType = OfferType {
    id: "",
    artifact: Artifact::None,
    needs_notes: true,
    plans: Some(false),
    priced: false,
    markets: true,
    unsold_subtypes: &[],
    one_pricing_model: false,
    names_platform: false,
    certified_live: false,
    approved_billing: false,
    titled_by_engagement: false,
    call_to_action: false,
    privacy_policy: true,
    min_screenshots: 0,
    max_videos: 4,
    one_application: false,
};

/// What Azure types have in common.
const AZURE: OfferType = OfferType {
    plans: Some(true),
    priced: true,
    names_platform: true,
    ..MOST
};

/// What packages of other products have in common.
const PACKAGE: OfferType = OfferType {
    artifact: Artifact::Package,
    ..MOST
};

/// Every type that is known.
const TYPES: &[OfferType] = &[
    OfferType {
        id: "softwareAsAService",
        artifact: Artifact::Service,
        plans: None,
        one_pricing_model: true,
        certified_live: true,
        call_to_action: true,
        min_screenshots: 1,
        one_application: true,
        ..AZURE
    },
    OfferType {
        id: "azureVirtualMachine",
        artifact: Artifact::VirtualMachine,
        approved_billing: true,
        ..AZURE
    },
    OfferType {
        id: "azureApplication",
        artifact: Artifact::AzureApplication,
        unsold_subtypes: &["solutionTemplate"],
        certified_live: true,
        max_videos: 5,
        ..AZURE
    },
    OfferType {
        id: "azureContainer",
        artifact: Artifact::Container,
        ..AZURE
    },
    OfferType {
        id: "iotEdgeModule",
        artifact: Artifact::Container,
        needs_notes: false,
        priced: false,
        markets: false,
        ..AZURE
    },
    OfferType {
        id: "managedService",
        needs_notes: false,
        priced: false,
        max_videos: 5,
        ..AZURE
    },
    OfferType {
        id: "consultingService",
        needs_notes: false,
        titled_by_engagement: true,
        privacy_policy: false,
        ..MOST
    },
    OfferType {
        id: "dynamics365ForOperations",
        ..PACKAGE
    },
    OfferType {
        id: "dynamics365BusinessCentral",
        ..PACKAGE
    },
    OfferType {
        id: "dynamics365ForCustomerEngagement",
        plans: None,
        priced: true,
        ..PACKAGE
    },
    OfferType {
        id: "powerBiApp",
        ..PACKAGE
    },
    OfferType {
        id: "powerBiVisual",
        plans: None,
        priced: true,
        ..PACKAGE
    },
];

/// The row of a type; `None`: this version doesn't know it.
pub fn find(id: &str) -> Option<&'static OfferType> {
    TYPES.iter().find(|known| known.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_the_domain_rules_say() {
        let saas = find("softwareAsAService").unwrap();
        assert!(saas.needs_notes && saas.certified_live && saas.plans.is_none());
        assert!(
            !find("azureContainer").unwrap().certified_live,
            "A6: containers are certified before the preview"
        );
        assert!(!find("consultingService").unwrap().needs_notes, "AS-028");
        assert_eq!(find("unheardOf"), None);
    }

    /// §1.1, OT-1: one fact, two tables. Certification is told an offer's type by name alone, so they must agree.
    #[test]
    fn the_table_says_what_the_catalog_s_data_says() {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../offer-catalog/data/offer_types"
        );
        let mut ids = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let data: serde_json::Value = serde_json::from_str(&text).unwrap();
            let id = data["id"].as_str().unwrap().to_owned();
            let row = find(&id).unwrap_or_else(|| panic!("{id} has no row"));
            let plans = match data["plans"].as_str().unwrap() {
                "ALWAYS" => Some(true),
                "NEVER" => Some(false),
                _ => None,
            };
            let sold = data["transactable"] != "NEVER";
            let listing = &data["listing"];
            assert_eq!(data["requires_testing_notes"], row.needs_notes, "{id}");
            assert_eq!(plans, row.plans, "{id}");
            assert_eq!(sold, row.priced, "{id}");
            assert_eq!(
                data["unsold_subtypes"],
                serde_json::json!(row.unsold_subtypes),
                "{id}"
            );
            assert_eq!(
                data["certification_leg"] == "LIVE",
                row.certified_live,
                "{id}"
            );
            assert_eq!(listing["privacy_policy"], row.privacy_policy, "{id}");
            assert_eq!(listing["min_screenshots"], row.min_screenshots, "{id}");
            assert_eq!(listing["max_videos"], row.max_videos, "{id}");
            ids.push(id);
        }
        assert_eq!(ids.len(), TYPES.len(), "{ids:?}");
    }
}
