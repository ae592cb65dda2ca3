//! The rules of pages and plans as tables: a complete draft, one change, and the issues that it makes. Every row names its
//! rule.

mod assets;
mod audiences;
mod contents;
mod leads;
mod listing;
mod lists;
mod offer;
mod offer_types;
mod plans;
mod prices;
mod published;
mod resellers;
mod review;

use crate::domain::completeness::{Published, review};
use crate::domain::{Draft, samples};
use crate::pages::PageId;

/// A change and the issues it makes: "page field CODE", with the plan's id before the field where it is a plan's page.
type Row = (&'static str, fn(&mut Draft), &'static [&'static str]);

fn check_all(sample: fn() -> Draft, rows: &[Row]) {
    check_against(sample, &Published::default(), rows);
}

fn check_against(sample: fn() -> Draft, published: &Published, rows: &[Row]) {
    assert_eq!(
        issues(&sample(), published),
        Vec::<String>::new(),
        "the sample is complete"
    );
    for (rule, change, expected) in rows {
        let mut draft = sample();
        change(&mut draft);
        assert_eq!(issues(&draft, published), *expected, "{rule}");
    }
}

fn issues(draft: &Draft, published: &Published) -> Vec<String> {
    let review = review(draft, published);
    for issue in &review.issues {
        assert!(
            !issue.remedy.is_empty() && !issue.message.is_empty(),
            "{issue:?}"
        );
    }
    let name = |issue: &crate::pages::Issue| {
        let plan = issue
            .plan_id
            .as_ref()
            .map(|plan| format!("{plan} "))
            .unwrap_or_default();
        format!(
            "{} {plan}{} {}",
            issue.page.as_str(),
            issue.field,
            issue.code
        )
    };
    review.issues.iter().map(name).collect()
}

const GUID: &str = "33333333-3333-3333-3333-333333333333";

#[test]
fn the_samples_are_complete() {
    for sample in [samples::saas(), samples::listed(), samples::container()] {
        assert_eq!(issues(&sample, &Published::default()), Vec::<String>::new());
        assert!(review(&sample, &Published::default()).complete);
    }
}

#[test]
fn pg_1_every_page_is_read_as_it_was_stored_and_has_a_title_of_its_own() {
    let mut titles = std::collections::BTreeSet::new();
    for page in PageId::ALL {
        assert_eq!(PageId::parse(page.as_str()), Some(page));
        assert!(!page.title().is_empty() && titles.insert(page.title()));
    }
    assert_eq!(PageId::parse("OFFER_SETUP"), None);
}
