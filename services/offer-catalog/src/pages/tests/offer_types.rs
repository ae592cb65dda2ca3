//! OT-1, §1.1 and §4.2: what the data says of each type.

use super::issues;
use crate::domain::completeness::Published;
use crate::domain::snapshot::Content;
use crate::domain::{Profile, samples};
use crate::pages::PageId;
use crate::pages::offer_type::*;

fn named(id: &str) -> &'static OfferType {
    find(id).unwrap()
}

#[test]
fn ot_1_every_file_is_read_and_no_id_is_there_twice() {
    let mut ids: Vec<&str> = all().iter().map(|t| t.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all().len());
    for offer_type in all() {
        assert!(
            offer_type
                .unsold_subtypes
                .iter()
                .all(|unsold| offer_type.plan_subtypes.contains(unsold)),
            "{}",
            offer_type.id
        );
        assert!(!offer_type.storefronts.is_empty(), "{}", offer_type.id);
        assert_eq!(
            offer_type.preview_audience.is_some(),
            offer_type.has(PageId::PreviewAudience),
            "{}",
            offer_type.id
        );
        assert_eq!(
            offer_type.plans != Applies::Never,
            offer_type.has(PageId::PlanOverview),
            "{}",
            offer_type.id
        );
        let deploys = offer_type.plan_technical_configuration.is_some();
        assert_eq!(
            deploys,
            offer_type.has(PageId::PlanTechnicalConfiguration),
            "{}",
            offer_type.id
        );
    }
}

#[test]
fn s_4_2_pages_follow_from_type_and_option() {
    use PageId::*;
    let saas = named("softwareAsAService");
    let listed: Vec<PageId> = saas.pages(false).collect();
    assert_eq!(listed, [OfferSetup, Properties, OfferListing, CoSell]);
    let sold: Vec<PageId> = saas.pages(true).collect();
    let all_but_plan_configuration: Vec<PageId> = PageId::ALL
        .into_iter()
        .filter(|&page| page != PlanTechnicalConfiguration)
        .collect();
    assert_eq!(sold, all_but_plan_configuration);
    let container: Vec<PageId> = named("azureContainer").pages(true).collect();
    let expected = [
        OfferSetup,
        Properties,
        OfferListing,
        PreviewAudience,
        PlanOverview,
        ResellThroughCsps,
        CoSell,
        PlanListing,
        PlanPricing,
        PlanTechnicalConfiguration,
    ];
    assert_eq!(container, expected);
    let consulting: Vec<PageId> = named("consultingService").pages(false).collect();
    assert_eq!(consulting, [OfferSetup, Properties, OfferListing, CoSell]);
}

#[test]
fn s_1_1_legs_and_notes() {
    assert_eq!(
        named("softwareAsAService").certification_leg,
        CertificationLeg::Live
    );
    assert_eq!(
        named("softwareAsAService").extra_steps,
        ["offer-validation"]
    );
    assert_eq!(
        named("azureContainer").certification_leg,
        CertificationLeg::Preview
    );
    assert_eq!(
        named("azureApplication").certification_leg,
        CertificationLeg::Live
    );
    assert!(named("azureContainer").requires_testing_notes);
    assert!(!named("consultingService").requires_testing_notes);
    assert_eq!(named("azureVirtualMachine").stop_notice_days, 90);
    assert!(
        named("azureContainer").preview_for_audience_only
            && !named("softwareAsAService").preview_for_audience_only
    );
    let of_portal: Vec<&str> = all()
        .iter()
        .filter(|offer_type| offer_type.preview_for_audience_only)
        .map(|offer_type| offer_type.id.as_str())
        .collect();
    assert_eq!(
        of_portal,
        ["azureApplication", "azureContainer", "azureVirtualMachine"],
        "PV-3"
    );
}

/// `offer_types/thirteenth.json` beside this file is all that there is of this type.
#[test]
fn ot_1_another_type_is_a_file_and_nothing_else() {
    let mut draft = of_thirteenth();
    assert_eq!(issues(&draft, &Published::default()), Vec::<String>::new());
    draft.plans.clear();
    assert_eq!(
        issues(&draft, &Published::default()),
        ["plan_overview plans REQUIRED"]
    );
    let profile = Profile::of(&Content::of(&of_thirteenth()), None, false).unwrap();
    assert!(profile.transactable);
    assert_eq!(profile.storefronts, [Storefront::AppSource]);
    assert_eq!(profile.offer_type.extra_steps, ["offer-validation"]);
    assert_eq!(profile.offer_type.certification_leg, CertificationLeg::Live);
}

fn of_thirteenth() -> crate::domain::Draft {
    let mut draft = samples::saas();
    draft.offer.offer_type = "thirteenth".into();
    draft.offer_type = named("thirteenth");
    draft
}
