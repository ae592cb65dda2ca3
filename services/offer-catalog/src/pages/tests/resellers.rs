//! CS-1, SU-1: which resellers stay in, and who says where the offer runs.

use super::{GUID, issues};
use crate::domain::completeness::{Published, review_page};
use crate::domain::samples;
use crate::domain::snapshot::Content;
use crate::pages::*;

#[test]
fn cs_1_partners_that_were_let_in_stay_in_unless_all_are() {
    use ResellerState as May;
    const OTHER: &str = "44444444-4444-4444-4444-444444444444";
    let page = |state, partners: &[&str]| ResellThroughCsps {
        state: Some(state),
        partner_tenant_ids: partners.iter().map(|&id| id.into()).collect(),
    };
    for (before, now, frozen) in [
        (
            page(May::Some, &[GUID, OTHER]),
            page(May::Some, &[GUID]),
            true,
        ),
        (page(May::Some, &[GUID]), page(May::Some, &[OTHER]), true),
        (
            page(May::Some, &[GUID]),
            page(May::Some, &[OTHER, GUID]),
            false,
        ),
        (page(May::Some, &[GUID]), page(May::All, &[]), false),
        (page(May::None, &[GUID]), page(May::Some, &[OTHER]), false),
        (page(May::All, &[]), page(May::Some, &[GUID]), true),
        (page(May::None, &[]), page(May::None, &[]), false),
    ] {
        let mut draft = samples::saas();
        draft.pages.resell_through_csps = Some(before);
        let published = Published {
            live: Some(Content::of(&draft)),
            ..Published::default()
        };
        draft.pages.resell_through_csps = Some(now);
        let found = issues(&draft, &published);
        let code = "resell_through_csps state FROZEN_BY_PUBLISH".to_owned();
        assert_eq!(found.contains(&code), frozen, "{draft:?}");
    }
}

#[test]
fn su_1_hosting_is_asked_of_services_that_are_sold() {
    let asked = |draft: &crate::domain::Draft| {
        let page = PageId::SupplementalContent;
        let found = review_page(draft, &Published::default(), page, None);
        found.into_iter().any(|issue| issue.field == "hosting")
    };
    let mut sold = samples::saas();
    sold.pages.supplemental_content = None;
    assert!(asked(&sold) && !asked(&samples::listed()) && !asked(&samples::container()));
}

#[test]
fn li_12_resellers_who_are_let_in_unasked_want_somebody_to_ask_too() {
    let advised = |mut draft: crate::domain::Draft, state| {
        let listing = draft.pages.offer_listing.as_mut().unwrap();
        listing.csp_contact = None;
        listing.csp_materials_url.clear();
        draft.pages.resell_through_csps = state;
        let page = PageId::ResellThroughCsps;
        let found = review_page(&draft, &Published::default(), page, None);
        let codes = found.iter().map(|issue| issue.code);
        codes.filter(|code| *code == "RECOMMENDED").count()
    };
    let says = |state| {
        Some(ResellThroughCsps {
            state: Some(state),
            ..ResellThroughCsps::default()
        })
    };
    assert_eq!(advised(samples::container(), None), 2);
    assert_eq!(
        advised(samples::container(), says(ResellerState::None)),
        0,
        "not if they are kept out"
    );
    assert_eq!(advised(samples::saas(), None), 0);
    assert_eq!(advised(samples::saas(), says(ResellerState::All)), 2);
}

#[test]
fn tc_2_one_application_is_for_offers_that_it_fulfils() {
    let refused = |draft: &crate::domain::Draft| {
        let published = Published {
            other_applications: [(GUID.into(), "publishers/contoso/offers/other".into())].into(),
            foreign_application_id: true,
            ..Published::default()
        };
        let page = PageId::TechnicalConfiguration;
        let found = review_page(draft, &published, page, None);
        let mut codes: Vec<_> = found.iter().map(|issue| issue.code).collect();
        codes.retain(|code| code.ends_with("_APPLICATION"));
        codes
    };
    let mut draft = samples::saas();
    assert_eq!(
        refused(&draft),
        ["FOREIGN_APPLICATION", "OTHER_APPLICATION"]
    );
    draft.offer_type = offer_type::find("azureApplication").unwrap();
    assert!(refused(&draft).is_empty());
}
