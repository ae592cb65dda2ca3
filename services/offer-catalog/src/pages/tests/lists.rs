//! LI-5, CV-10, OT-3: languages, currencies and storefronts that are chosen from lists.

use super::issues;
use crate::domain::completeness::Published;
use crate::domain::samples;
use crate::pages::{Storefront, taxonomy};

#[test]
fn li_5_a_description_that_is_missing_is_asked_for_in_no_language() {
    let mut draft = samples::saas();
    let listing = draft.pages.offer_listing.as_mut().unwrap();
    (listing.language, listing.description) = ("de".into(), String::new());
    let found = issues(&draft, &Published::default());
    assert_eq!(found, ["offer_listing description REQUIRED"]);
}

#[test]
fn cv_10_currencies_are_those_that_people_pay_with() {
    for (currency, known) in [
        ("USD", true),
        ("EUR", true),
        ("VES", true),
        ("XAU", false),
        ("XXX", false),
        ("usd", false),
        ("", false),
    ] {
        assert_eq!(taxonomy::is_currency(currency), known, "{currency}");
    }
    assert!(taxonomy::is_paid_in("VE", "VES") && !taxonomy::is_paid_in("DE", "VES"));
    assert!(taxonomy::is_paid_in("NA", "NAD") && !taxonomy::is_paid_in("DE", "NAD"));
}

#[test]
fn ot_3_storefronts_are_read_as_they_were_stored() {
    for (front, stored) in [
        (Storefront::AppSource, "APP_SOURCE"),
        (Storefront::AzureMarketplace, "AZURE_MARKETPLACE"),
    ] {
        assert_eq!(front.as_str(), stored);
        assert_eq!(Storefront::parse(stored), Some(front));
    }
    assert_eq!(Storefront::parse("AppSource"), None);
}
