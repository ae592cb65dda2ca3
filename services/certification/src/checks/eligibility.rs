//! Level 1: may this publisher submit this type (BE-1 … BE-7)?

use super::{Check, Found, Subject, always, automatic, subject::facts};
use crate::domain::{Criterion, Level};

const LEVEL: (Level, &str) = (Level::BusinessEligibility, "100.13");

pub const CHECKS: &[Check] = &[
    automatic(
        ("BE-1", 1),
        LEVEL,
        "Enrolled in the commercial marketplace programme",
        always,
        enrolled,
    ),
    automatic(
        ("BE-2", 1),
        LEVEL,
        "Partner programme membership is active and vetted",
        always,
        membership,
    ),
    automatic(
        ("BE-3", 1),
        LEVEL,
        "Payout account and tax profile are valid",
        |s| s.transactable,
        payout,
    ),
    automatic(
        ("BE-4", 1),
        (Level::BusinessEligibility, "700.4"),
        "Required competency is held",
        has_criteria,
        competency,
    ),
    automatic(
        ("BE-5", 1),
        LEVEL,
        "Publisher, offer and application belong together",
        always,
        belongs,
    ),
    automatic(
        ("BE-6", 1),
        (Level::BusinessEligibility, "200.2"),
        "Approved for virtual machine billing",
        is_vm,
        vm_billing,
    ),
    automatic(("BE-7", 1), LEVEL, "Not suspended", always, suspended),
];

fn is_vm(subject: &Subject<'_>) -> bool {
    subject.type_has(|known| known.approved_billing)
}

fn enrolled(subject: &Subject<'_>, found: &mut Found<'_>) {
    let publisher = subject.publisher;
    if !publisher.enrolled {
        let remedy =
            "Enrol in the commercial marketplace programme and accept the publisher agreement.";
        found.fail(
            "NOT_ENROLLED",
            facts("programme.enrolled"),
            "the publisher is not enrolled",
            remedy,
        );
        return;
    }
    let wanted = &subject.rules.switches.agreement_version;
    if !wanted.is_empty() && publisher.agreement_version != *wanted {
        let evidence = format!(
            "accepted {:?}, in force is {wanted:?}",
            publisher.agreement_version
        );
        let remedy = format!("Accept version {wanted} of the publisher agreement.");
        found.fail(
            "AGREEMENT_OUTDATED",
            facts("programme.agreement_version"),
            evidence,
            remedy,
        );
    }
}

fn membership(subject: &Subject<'_>, found: &mut Found<'_>) {
    if !subject.publisher.membership_active {
        let remedy = "Renew the membership in the partner programme.";
        found.fail(
            "MEMBERSHIP_INACTIVE",
            facts("programme.membership"),
            "the membership is not active",
            remedy,
        );
    }
    if !subject.publisher.vetting_authorized {
        let remedy = "Complete the vetting of the account; answer what the vetting team asks.";
        found.fail(
            "NOT_VETTED",
            facts("programme.vetting_authorized"),
            "vetting is not authorized",
            remedy,
        );
    }
}

fn payout(subject: &Subject<'_>, found: &mut Found<'_>) {
    if !subject.publisher.tax_profile_valid {
        let remedy =
            "Complete the tax profile: offers that are sold through the marketplace need one.";
        found.fail(
            "TAX_PROFILE_INVALID",
            facts("programme.tax_profile_valid"),
            "there is no valid tax profile",
            remedy,
        );
    }
    if !subject.publisher.payout_profile_valid {
        let remedy =
            "Complete the payout account: offers that are sold through the marketplace need one.";
        found.fail(
            "PAYOUT_PROFILE_INVALID",
            facts("programme.payout_profile_valid"),
            "there is no valid payout account",
            remedy,
        );
    }
}

/// The criteria that this offer meets by its type and, where criteria have an area, by its categories.
fn criteria<'a>(subject: &Subject<'a>) -> Vec<&'a Criterion> {
    let of_type = subject
        .rules
        .criteria
        .iter()
        .filter(|c| subject.is_type(&c.offer_type));
    let of_type: Vec<&Criterion> = of_type.collect();
    let categories = &subject.snapshot.pages.properties.categories;
    let in_area = |c: &&Criterion| {
        c.area.is_empty() || categories.iter().any(|chosen| chosen.category == c.area)
    };
    let in_area: Vec<&Criterion> = of_type.iter().copied().filter(in_area).collect();
    if in_area.is_empty() { of_type } else { in_area }
}

fn has_criteria(subject: &Subject<'_>) -> bool {
    !criteria(subject).is_empty()
}

fn competency(subject: &Subject<'_>, found: &mut Found<'_>) {
    let wanted = criteria(subject);
    let weight = |level: &str| match level {
        "gold" => 2,
        "silver" => 1,
        _ => 0,
    };
    let held = |c: &&&Criterion| {
        let mut all = subject.publisher.competencies.iter();
        all.any(|(id, level)| *id == c.competency && weight(level) >= weight(&c.min_level))
    };
    if wanted.iter().any(|c| held(&c)) {
        return;
    }
    let names: Vec<String> = wanted
        .iter()
        .map(|c| {
            format!("{} {}", c.competency, c.min_level)
                .trim()
                .to_owned()
        })
        .collect();
    let has: Vec<String> = subject
        .publisher
        .competencies
        .iter()
        .map(|(id, level)| format!("{id} {level}"))
        .collect();
    let has = if has.is_empty() {
        "none".to_owned()
    } else {
        has.join(", ")
    };
    let policy = wanted.first().map_or("700.4", |c| c.policy.as_str());
    let remedy = format!("Earn one of: {}.", names.join(", "));
    found.fail_under(
        policy,
        "COMPETENCY_MISSING",
        facts("programme.competencies"),
        format!("held: {has}"),
        remedy,
    );
}

fn belongs(subject: &Subject<'_>, found: &mut Found<'_>) {
    let frozen = &subject.snapshot.offer.name;
    let prefix = format!("{}/offers/", subject.publisher.name);
    if frozen != subject.offer || !frozen.starts_with(&prefix) {
        let evidence = format!(
            "{frozen} was submitted as {} of {}",
            subject.offer, subject.publisher.name
        );
        found.fail(
            "FOREIGN_OFFER",
            facts("offer.name"),
            evidence,
            "Submit the offer under the publisher that owns it.",
        );
    }
    let application = ("technical_configuration", "application_id");
    if subject.publisher.application_owner.is_some() {
        let remedy = "Register an Entra application of your own and name it here.";
        let evidence = "another publisher's certified offers use this application";
        found.fail("FOREIGN_APPLICATION", application, evidence, remedy);
    }
    if let Some(other) = &subject.publisher.other_application {
        let remedy = "Use one Entra application for all SaaS offers of the account, or change the others as well.";
        found.warn(
            "SECOND_APPLICATION",
            application,
            format!("your other certified offers use {other}"),
            remedy,
        );
    }
}

fn vm_billing(subject: &Subject<'_>, found: &mut Found<'_>) {
    if !subject.publisher.virtual_machine_billing {
        let remedy = "Ask for approval of the virtual machine billing plan.";
        found.fail(
            "VM_BILLING_NOT_APPROVED",
            facts("programme.virtual_machine_billing"),
            "not approved",
            remedy,
        );
    }
}

fn suspended(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.publisher.suspended {
        let remedy = "Resolve the policy violations that led to the suspension with the marketplace's support.";
        found.fail(
            "PUBLISHER_SUSPENDED",
            facts("programme.suspended"),
            "the publisher is suspended",
            remedy,
        );
    }
}
