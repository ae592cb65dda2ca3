//! BE-1 … BE-7.

use super::{Extent, Outcome, Row, each_is_found, each_passes, offer::Offer};
use crate::domain::{Criterion, snapshot::Category};

fn criterion(offer_type: &str, area: &str, competency: &str, min_level: &str) -> Criterion {
    Criterion {
        offer_type: offer_type.into(),
        area: area.into(),
        competency: competency.into(),
        min_level: min_level.into(),
        policy: "700.4".into(),
    }
}

fn managed_service(offer: &mut Offer) {
    offer.snapshot.offer.offer_type = "managedService".into();
    offer.transactable = false;
    offer.rules.criteria = vec![criterion("managedService", "", "cloud-platform", "silver")];
}

#[test]
fn a_publisher_that_may_not_submit_is_told_why() {
    let rows: &[Row] = &[
        ("BE-1", "NOT_ENROLLED", |o| o.publisher.enrolled = false),
        ("BE-1", "AGREEMENT_OUTDATED", |o| {
            o.rules.switches.agreement_version = "2026-07".into()
        }),
        // AS-055
        ("BE-2", "MEMBERSHIP_INACTIVE", |o| {
            o.publisher.membership_active = false
        }),
        ("BE-2", "NOT_VETTED", |o| {
            o.publisher.vetting_authorized = false
        }),
        ("BE-3", "TAX_PROFILE_INVALID", |o| {
            o.publisher.tax_profile_valid = false
        }),
        ("BE-3", "PAYOUT_PROFILE_INVALID", |o| {
            o.publisher.payout_profile_valid = false
        }),
        // AS-054
        ("BE-4", "COMPETENCY_MISSING", managed_service),
        ("BE-4", "COMPETENCY_MISSING", |o| {
            managed_service(o);
            o.publisher.competencies = vec![("cloud-platform".into(), String::new())];
        }),
        ("BE-5", "FOREIGN_OFFER", |o| {
            o.snapshot.offer.name = "publishers/fabrikam/offers/backup".into()
        }),
        ("BE-5", "FOREIGN_OFFER", |o| {
            o.publisher.name = "publishers/fabrikam".into()
        }),
        ("BE-5", "FOREIGN_APPLICATION", |o| {
            o.publisher.application_owner = Some("fabrikam".into())
        }),
        ("BE-5", "SECOND_APPLICATION", |o| {
            o.publisher.other_application = Some("other".into())
        }),
        ("BE-6", "VM_BILLING_NOT_APPROVED", |o| {
            o.snapshot.offer.offer_type = "azureVirtualMachine".into()
        }),
        ("BE-7", "PUBLISHER_SUSPENDED", |o| {
            o.publisher.suspended = true
        }),
    ];
    each_is_found(rows);
}

#[test]
fn a_publisher_that_meets_the_rules_passes() {
    each_passes(&[
        ("BE-1", |o| {
            o.rules.switches.agreement_version = "2026-01".into()
        }),
        ("BE-3", |o| {
            o.transactable = false;
            o.publisher.payout_profile_valid = false;
        }),
        ("BE-4", |o| {
            managed_service(o);
            o.publisher.competencies = vec![("cloud-platform".into(), "gold".into())];
        }),
        ("BE-6", |o| {
            o.snapshot.offer.offer_type = "azureVirtualMachine".into();
            o.publisher.virtual_machine_billing = true;
        }),
    ]);
}

#[test]
fn the_criteria_of_an_area_count_for_offers_in_it_as_056() {
    let mut offer = Offer::good();
    offer.snapshot.offer.offer_type = "consultingService".into();
    offer.rules.criteria = vec![
        criterion("consultingService", "azure", "devops", ""),
        criterion("consultingService", "power-bi", "showcase-partner", ""),
    ];
    offer.publisher.competencies = vec![("devops".into(), String::new())];
    let outcome = |offer: &Offer| {
        offer
            .run(Extent::Certification)
            .into_iter()
            .find(|r| r.check == "BE-4")
            .unwrap()
            .outcome
    };
    assert_eq!(
        outcome(&offer),
        Outcome::Pass,
        "no area chosen: any of the type's"
    );
    offer.snapshot.pages.properties.categories = vec![Category {
        category: "power-bi".into(),
        subcategories: vec![],
    }];
    assert_eq!(outcome(&offer), Outcome::Fail);
    offer.rules.criteria.pop();
    assert_eq!(
        outcome(&offer),
        Outcome::Pass,
        "edited criteria count for the next run"
    );
}
