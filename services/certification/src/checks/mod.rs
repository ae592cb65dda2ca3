//! The checks: pure functions over a frozen offer, its decoded images and the publisher's facts (domain rules §5).
//!
//! One file per family, each with a table of [`Check`]s; [`CATALOGUE`] is all of them in the order of the levels. Every
//! check runs, whatever the others found (CE-2, fail late). A check that needs the network, a package run or an eye is a
//! manual item with its script: it never passes by itself.

mod conduct;
mod configuration;
mod description;
mod discovery;
mod eligibility;
mod graphics;
mod html;
pub mod image;
mod links;
mod manual;
mod money;
mod plans;
mod platform;
mod pricing;
mod subject;
mod support;
mod technical;
#[cfg(test)]
mod tests;
mod text;
mod title;
mod videos;

use crate::domain::{
    Blocks, CheckResult, Finding, Images, Level, Mode, Move, Outcome, PublisherFacts, Rules,
    Severity, Snapshot, offer_type,
};

use html::Html;
use subject::{Found, Subject};

/// A check: data, and what to do.
pub struct Check {
    /// "CV-3", "TV-F1"; manual halves of a rule end in "-M".
    pub id: &'static str,
    /// Raised whenever it may answer differently for the same input.
    pub version: u32,
    pub level: Level,
    pub policy: &'static str,
    pub title: &'static str,
    applies: fn(&Subject<'_>) -> bool,
    how: How,
}

/// How a check is carried out.
enum How {
    Automatic(fn(&Subject<'_>, &mut Found<'_>)),
    /// Why a person has to look, and the script to follow.
    Manual(fn(&Subject<'_>) -> String),
}

/// Every check, in the order in which reports show them.
static CATALOGUE: [&[Check]; 13] = [
    eligibility::CHECKS,
    title::CHECKS,
    description::CHECKS,
    discovery::CHECKS,
    graphics::CHECKS,
    videos::CHECKS,
    platform::CHECKS,
    pricing::CHECKS,
    plans::CHECKS,
    links::CHECKS,
    support::CHECKS,
    conduct::CHECKS,
    manual::CHECKS,
];

/// All checks, technical ones last.
fn catalogue() -> impl Iterator<Item = &'static Check> {
    CATALOGUE
        .iter()
        .flat_map(|family| family.iter())
        .chain(technical::CHECKS)
}

/// What a run is about, besides the rules.
pub struct Input<'a> {
    pub snapshot: &'a Snapshot,
    pub publisher: &'a PublisherFacts,
    pub images: &'a Images,
    pub notes: &'a str,
    pub transactable: bool,
    /// The offer's resource name as it was ordered.
    pub offer: &'a str,
}

/// Which checks are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Offer validation (S-3): automatic checks of content and technical configuration.
    Validation,
    /// Certification (S-4): all of them.
    Certification,
}

/// Everything, or the document alone: nothing else is at hand then, and what needs more is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Everything,
    Document,
}

/// A check that applies and was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub check: &'static str,
    pub title: &'static str,
    /// What it looks at besides the document.
    pub needs: &'static str,
}

/// What the checks say of a snapshot.
pub struct Seen {
    pub digest: String,
    /// The Entra application that it names, for BE-5.
    pub application: String,
    pub results: Vec<CheckResult>,
    pub left_out: Vec<LeftOut>,
    /// Where a case with these results goes.
    pub wanted: Move,
}

/// Runs the checks of that extent and answers one result for each, or that it was left out.
pub fn run(
    extent: Extent,
    reach: Reach,
    input: &Input<'_>,
    rules: &Rules,
) -> (Vec<CheckResult>, Vec<LeftOut>) {
    let subject = Subject {
        snapshot: input.snapshot,
        publisher: input.publisher,
        images: input.images,
        rules,
        notes: input.notes,
        transactable: input.transactable,
        offer: input.offer,
        description: Html::read(&input.snapshot.pages.offer_listing.description),
    };
    let wanted = |check: &&Check| match extent {
        Extent::Certification => true,
        Extent::Validation => {
            check.level != Level::BusinessEligibility && matches!(check.how, How::Automatic(_))
        }
    };
    let (mut results, mut left_out) = (Vec::new(), Vec::new());
    for check in catalogue().filter(wanted) {
        match check.besides().filter(|_| reach == Reach::Document) {
            None => results.push(check.result(&subject)),
            Some(needs) if (check.applies)(&subject) => left_out.push(LeftOut {
                check: check.id,
                title: check.title,
                needs,
            }),
            Some(_) => {}
        }
    }
    (results, left_out)
}

/// The policy of the check with this id, for findings of reviewers.
pub fn policy_of(id: &str) -> Option<&'static str> {
    catalogue()
        .find(|check| check.id == id)
        .map(|check| check.policy)
}

/// Resource name and Entra application of an offer, for BE-5.
pub fn application_of(snapshot: &Snapshot, transactable: bool) -> &str {
    let of_service = transactable
        && offer_type::find(&snapshot.offer.offer_type).is_some_and(|known| known.one_application);
    if of_service {
        &snapshot.pages.technical_configuration.application_id
    } else {
        ""
    }
}

/// Checks that look at pictures; besides the document, the others on levels 2 and 3 look at nothing.
const OF_PICTURES: [&str; 2] = ["CV-7", "CV-8"];

impl Check {
    /// What it looks at besides the document; manual ones are carried out by nobody here.
    fn besides(&self) -> Option<&'static str> {
        if matches!(self.how, How::Manual(_)) {
            None
        } else if self.level == Level::BusinessEligibility {
            Some("what the marketplace knows of the publisher")
        } else if OF_PICTURES.contains(&self.id) {
            Some("the pictures themselves")
        } else {
            None
        }
    }

    fn result(&self, subject: &Subject<'_>) -> CheckResult {
        let applies = (self.applies)(subject);
        let (mode, outcome, findings, instructions) = match self.how {
            How::Automatic(_) if !applies => (
                Mode::Automatic,
                Outcome::NotApplicable,
                Vec::new(),
                String::new(),
            ),
            How::Automatic(look) => {
                let findings = self.look(look, subject);
                (
                    Mode::Automatic,
                    outcome_of(&findings),
                    findings,
                    String::new(),
                )
            }
            How::Manual(_) if !applies => (
                Mode::Manual,
                Outcome::NotApplicable,
                Vec::new(),
                String::new(),
            ),
            How::Manual(script) if subject.rules.switches.manual_review => {
                (Mode::Manual, Outcome::Pending, Vec::new(), script(subject))
            }
            How::Manual(script) => {
                let why = "Not carried out: manual review is switched off (CERTIFICATION_MANUAL_REVIEW=off). ";
                (
                    Mode::Manual,
                    Outcome::NotApplicable,
                    Vec::new(),
                    why.to_owned() + &script(subject),
                )
            }
        };
        CheckResult {
            check: self.id.to_owned(),
            version: self.version,
            level: self.level,
            mode,
            outcome,
            policy: self.policy.to_owned(),
            title: self.title.to_owned(),
            instructions,
            findings,
            decided_by: None,
            overridden: None,
            note: String::new(),
            decided_at: None,
        }
    }

    fn look(&self, look: fn(&Subject<'_>, &mut Found<'_>), subject: &Subject<'_>) -> Vec<Finding> {
        let live = offer_type::find(&subject.snapshot.offer.offer_type)
            .is_none_or(|known| known.certified_live);
        let blocks = if live { Blocks::Live } else { Blocks::Preview };
        let rules = subject.rules;
        let (check, version, policy) = (self.id, self.version, self.policy);
        let mut found = Found {
            check,
            version,
            policy,
            blocks,
            rules,
            findings: Vec::new(),
        };
        look(subject, &mut found);
        found.findings
    }
}

fn outcome_of(findings: &[Finding]) -> Outcome {
    if findings.iter().any(|f| f.severity == Severity::Error) {
        Outcome::Fail
    } else if findings.iter().any(|f| f.severity == Severity::Warning) {
        Outcome::Warn
    } else {
        Outcome::Pass
    }
}

/// For checks of every offer.
fn always(_: &Subject<'_>) -> bool {
    true
}

/// An automatic check; the catalogue's tables are made of these.
const fn automatic(
    (id, version): (&'static str, u32),
    (level, policy): (Level, &'static str),
    title: &'static str,
    applies: fn(&Subject<'_>) -> bool,
    look: fn(&Subject<'_>, &mut Found<'_>),
) -> Check {
    Check {
        id,
        version,
        level,
        policy,
        title,
        applies,
        how: How::Automatic(look),
    }
}

/// A check that a person carries out by its script.
const fn manual(
    (id, version): (&'static str, u32),
    (level, policy): (Level, &'static str),
    title: &'static str,
    applies: fn(&Subject<'_>) -> bool,
    script: fn(&Subject<'_>) -> String,
) -> Check {
    Check {
        id,
        version,
        level,
        policy,
        title,
        applies,
        how: How::Manual(script),
    }
}
