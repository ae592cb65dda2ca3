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

/// A row of the table.
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
    /// Naming no supported Microsoft product fails it (CV-9).
    pub names_platform: bool,
    /// Certification runs after sign-off, in the live leg.
    pub certified_live: bool,
}

const fn row(
    id: &'static str,
    artifact: Artifact,
    flags: [bool; 4],
    plans: Option<bool>,
) -> OfferType {
    let [needs_notes, priced, names_platform, certified_live] = flags;
    OfferType {
        id,
        artifact,
        needs_notes,
        plans,
        priced,
        names_platform,
        certified_live,
    }
}

const T: bool = true;
const F: bool = false;

/// Every type that is known; flags: notes, priced, names a platform, certified in the live leg.
const TYPES: &[OfferType] = &[
    row("softwareAsAService", Artifact::Service, [T, T, T, T], None),
    row(
        "azureVirtualMachine",
        Artifact::VirtualMachine,
        [T, T, T, F],
        Some(true),
    ),
    row(
        "azureApplication",
        Artifact::AzureApplication,
        [T, T, T, T],
        Some(true),
    ),
    row(
        "azureContainer",
        Artifact::Container,
        [T, T, T, F],
        Some(true),
    ),
    row(
        "iotEdgeModule",
        Artifact::Container,
        [T, F, T, F],
        Some(true),
    ),
    row("managedService", Artifact::None, [F, F, T, F], Some(true)),
    row(
        "consultingService",
        Artifact::None,
        [F, F, F, F],
        Some(false),
    ),
    row(
        "dynamics365ForOperations",
        Artifact::Package,
        [T, F, F, F],
        Some(false),
    ),
    row(
        "dynamics365BusinessCentral",
        Artifact::Package,
        [T, F, F, F],
        Some(false),
    ),
    row(
        "dynamics365ForCustomerEngagement",
        Artifact::Package,
        [T, T, F, F],
        None,
    ),
    row("powerBiApp", Artifact::Package, [T, F, F, F], Some(false)),
    row("powerBiVisual", Artifact::Package, [T, T, F, F], None),
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
}
