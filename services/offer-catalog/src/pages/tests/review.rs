//! What the rows of the Review and publish page say besides their issues: PG-6, PG-7, PG-10, E-6, CS-1.

use super::issues;
use crate::domain::completeness::{PageReview, PageStatus, Published, review};
use crate::domain::snapshot::Content;
use crate::domain::{Draft, samples};
use crate::pages::*;

fn row(draft: &Draft, published: &Published, page: PageId) -> PageReview {
    let rows = review(draft, published).pages;
    rows.into_iter().find(|row| row.page == page).unwrap()
}

fn live(content: Content) -> Published {
    Published {
        live: Some(content),
        ..Published::default()
    }
}

#[test]
fn pg_10_errors_and_warnings_are_counted_apart() {
    let mut draft = samples::saas();
    draft.pages.resell_through_csps = Some(ResellThroughCsps {
        state: Some(ResellerState::Some),
        ..ResellThroughCsps::default()
    });
    let found = row(&draft, &Published::default(), PageId::ResellThroughCsps);
    assert_eq!((found.errors, found.warnings), (1, 2));
}

#[test]
fn pg_6_another_secret_is_an_edit_of_offer_setup_alone() {
    let mut draft = samples::saas();
    let setup = draft.pages.offer_setup.as_mut().unwrap();
    let destination = setup.lead_destination.as_mut().unwrap();
    destination.destination = Some(Destination::Table(Table {}));
    draft.lead_secret = Some(1);
    let published = live(Content::of(&draft));
    draft.lead_secret = Some(2);
    for row in review(&draft, &published).pages {
        let expected = match row.page {
            PageId::OfferSetup => PageStatus::UnpublishedChanges,
            _ => PageStatus::Complete,
        };
        assert_eq!(row.status, expected, "{row:?}");
    }
}

#[test]
fn pg_6_the_preview_audience_is_never_an_unpublished_change() {
    let draft = samples::saas();
    let mut content = Content::of(&draft);
    content.pages.preview_audience = Some(PreviewAudience::default());
    let found = row(&draft, &live(content), PageId::PreviewAudience);
    assert_eq!(found.status, PageStatus::Complete);
}

#[test]
fn pg_7_plan_overview_is_begun_with_the_first_plan() {
    let overview = |draft: &Draft| row(draft, &Published::default(), PageId::PlanOverview).status;
    let mut draft = samples::saas();
    draft.plans[1].display_name = draft.plans[0].display_name.clone();
    assert_eq!(overview(&draft), PageStatus::Incomplete);
    draft.plans.clear();
    assert_eq!(overview(&draft), PageStatus::NotStarted);
}

#[test]
fn e_6_plans_have_a_subtype_where_the_type_has_some() {
    for (subtype, expected) in [
        ("managedApplication", None),
        ("solutionTemplate", None),
        ("", Some("UNKNOWN_VALUE")),
        ("virtualMachine", Some("UNKNOWN_VALUE")),
    ] {
        let mut draft = samples::container();
        draft.offer_type = offer_type::find("azureApplication").unwrap();
        draft.plans[0].subtype = subtype.into();
        let mut found = issues(&draft, &Published::default());
        found.retain(|issue| issue.contains("].subtype"));
        let expected = expected.map(|code| format!("plan_overview plans[base].subtype {code}"));
        assert_eq!(found, Vec::from_iter(expected), "{subtype}");
    }
}

#[test]
fn cs_1_machines_whose_licence_is_sold_are_not_resold_by_default() {
    let frozen = |model| {
        let mut draft = samples::container();
        draft.offer_type = offer_type::find("azureVirtualMachine").unwrap();
        let pricing = draft.plans[0].pages.plan_pricing.as_mut().unwrap();
        pricing.model = Some(model);
        let published = live(Content::of(&draft));
        draft.pages.resell_through_csps = Some(ResellThroughCsps {
            state: Some(ResellerState::None),
            ..ResellThroughCsps::default()
        });
        let found = issues(&draft, &published);
        found.contains(&"resell_through_csps state FROZEN_BY_PUBLISH".into())
    };
    assert!(frozen(PricingModel::Byol) && !frozen(PricingModel::PerCore));
}
