//! Tables of what passes and what doesn't, by rule id. Every case starts from an offer that every check passes.

mod content;
mod eligibility;
mod graphics;
mod listing;
mod offer;
mod plans;
mod technical;

use std::collections::BTreeSet;

use offer::Offer;

use super::{Extent, Reach, catalogue};
use crate::domain::{Level, Mode, Outcome, Severity};

/// A change to a good offer, and what the check then says.
type Row = (&'static str, &'static str, fn(&mut Offer));

/// Every row: the check named says the code, with a remedy, a known policy and its link.
fn each_is_found(rows: &[Row]) {
    for (check, code, change) in rows {
        let mut offer = Offer::good();
        change(&mut offer);
        let results = offer.run(Extent::Certification);
        let result = results.iter().find(|r| r.check == *check).unwrap();
        let found = result.findings.iter().find(|f| f.code == *code);
        let codes: Vec<&str> = result.findings.iter().map(|f| f.code.as_str()).collect();
        let found = found
            .unwrap_or_else(|| panic!("{check} says {codes:?} ({:?}), not {code}", result.outcome));
        assert!(!found.remedy.is_empty(), "{code} has no remedy");
        assert!(
            found.policy_url.starts_with("https://"),
            "{code}: policy {} has no link (AS-062)",
            found.policy
        );
        let fails = result
            .findings
            .iter()
            .any(|f| f.severity == Severity::Error);
        assert_eq!(
            result.outcome,
            if fails { Outcome::Fail } else { Outcome::Warn },
            "{check} {code}"
        );
    }
}

/// A change to a good offer that the check still passes.
type Fine = (&'static str, fn(&mut Offer));

/// Every row: the check named says nothing.
fn each_passes(rows: &[Fine]) {
    for (n, (check, change)) in rows.iter().enumerate() {
        let mut offer = Offer::good();
        change(&mut offer);
        let results = offer.run(Extent::Certification);
        let result = results.iter().find(|r| r.check == *check).unwrap();
        assert_eq!(result.findings, [], "row {n}: {check}");
    }
}

#[test]
fn a_good_offer_has_no_finding_and_waits_for_its_manual_items() {
    let results = Offer::good().run(Extent::Certification);
    for result in &results {
        assert_eq!(result.findings, [], "{}", result.check);
        match result.mode {
            Mode::Automatic => assert!(
                matches!(result.outcome, Outcome::Pass | Outcome::NotApplicable),
                "{}",
                result.check
            ),
            Mode::Manual => assert!(
                matches!(result.outcome, Outcome::Pending | Outcome::NotApplicable),
                "{}",
                result.check
            ),
        }
    }
    let pending: Vec<&str> = results
        .iter()
        .filter(|r| r.outcome == Outcome::Pending)
        .map(|r| r.check.as_str())
        .collect();
    assert_eq!(
        pending,
        [
            "CV-1-M", "CV-3-M", "CV-7-M", "CV-12-M", "CV-15-M", "TV-P1-M", "TV-F1-M", "TV-F3-M",
            "TV-X1-M"
        ],
        "a sold service is tried out by a person"
    );
    assert!(
        results
            .iter()
            .filter(|r| r.outcome == Outcome::Pending)
            .all(|r| r.instructions.starts_with("Needs "))
    );
}

#[test]
fn offer_validation_runs_the_automatic_checks_of_content_and_technical_configuration_s3_1() {
    let results = Offer::good().run(Extent::Validation);
    assert!(
        results
            .iter()
            .all(|r| r.mode == Mode::Automatic && r.level != Level::BusinessEligibility)
    );
    assert!(
        results
            .iter()
            .any(|r| r.check == "TV-P1" && r.outcome == Outcome::Pass)
    );
}

/// What is said of the document is the same whatever is known besides.
#[test]
fn checks_of_the_document_alone_look_at_nothing_else() {
    let mut offer = Offer::good();
    content::video(&mut offer, "https://vimeo.com/12345");
    offer.snapshot.pages.offer_listing.summary.clear();
    let (with, left_out) = offer.run_within(Extent::Certification, Reach::Document);
    offer.images.clear();
    offer.publisher = Default::default();
    offer.rules.criteria.clear();
    let (without, _) = offer.run_within(Extent::Certification, Reach::Document);
    assert_eq!(with, without);
    let left_out: Vec<&str> = left_out.iter().map(|one| one.check).collect();
    let expected = ["BE-1", "BE-2", "BE-3", "BE-5", "BE-7", "CV-7", "CV-8"];
    assert_eq!(left_out, expected);
    // Together they are all that certification runs of this offer, and nothing is said twice.
    let all = offer.run(Extent::Certification).into_iter();
    let applied: Vec<String> = all
        .filter(|r| !left_out.contains(&r.check.as_str()) && !r.check.starts_with("BE-"))
        .map(|r| r.check)
        .collect();
    let run: Vec<String> = with.into_iter().map(|r| r.check).collect();
    assert_eq!(run, applied);
}

#[test]
fn manual_review_switched_off_is_never_a_pass() {
    let mut offer = Offer::good();
    offer.rules.switches.manual_review = false;
    let results = offer.run(Extent::Certification);
    for result in results.iter().filter(|r| r.mode == Mode::Manual) {
        assert_eq!(result.outcome, Outcome::NotApplicable, "{}", result.check);
    }
    let reason = &results
        .iter()
        .find(|r| r.check == "CV-15-M")
        .unwrap()
        .instructions;
    assert!(
        reason.starts_with("Not carried out: manual review is switched off"),
        "{reason}"
    );
}

#[test]
fn every_check_has_an_id_of_its_own_and_a_seeded_policy() {
    let seeded = offer::policies();
    let mut ids = BTreeSet::new();
    for check in catalogue() {
        assert!(ids.insert(check.id), "{} twice", check.id);
        assert!(
            seeded.contains_key(check.policy),
            "{}: policy {} is not seeded",
            check.id,
            check.policy
        );
    }
    for n in 1..=7 {
        assert!(ids.contains(format!("BE-{n}").as_str()), "BE-{n}");
    }
    for n in 1..=17 {
        assert!(ids.contains(format!("CV-{n}").as_str()), "CV-{n}");
    }
}

#[test]
fn the_three_levels_are_run_whatever_fails_ce_2() {
    let mut offer = Offer::good();
    offer.publisher.enrolled = false;
    offer.snapshot.pages.offer_listing.summary.clear();
    offer
        .snapshot
        .pages
        .technical_configuration
        .webhook_url
        .clear();
    let failed: BTreeSet<Level> = offer
        .run(Extent::Certification)
        .iter()
        .filter(|r| r.outcome == Outcome::Fail)
        .map(|r| r.level)
        .collect();
    assert_eq!(failed, BTreeSet::from(Level::ALL));
}
