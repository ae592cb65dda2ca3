//! Testability and what only a person can say of source and value (CV-15).

use super::{Check, Found, Subject, always, automatic, manual, subject::Place};
use crate::domain::Level;

pub const CHECKS: &[Check] = &[
    automatic(
        ("CV-15", 2),
        (Level::Content, "100.14"),
        "Notes for certification are given",
        needs_notes,
        notes,
    ),
    manual(
        ("CV-15-M", 1),
        (Level::Content, "100.8"),
        "Accurate source, significant value, testable",
        always,
        |s| {
            let notes = if s.notes.trim().is_empty() {
                "There are no notes for certification.".to_owned()
            } else {
                format!("Notes for certification: {}", s.notes)
            };
            format!(
                "Needs judgement. (1) The publisher made what is offered, or may sell it (100.7). (2) It is worth having beyond its listing (100.8). (3) It can be tested with what the notes give (100.14). {notes}"
            )
        },
    ),
];

fn needs_notes(subject: &Subject<'_>) -> bool {
    subject.of_type().is_some_and(|known| known.needs_notes)
}

fn notes(subject: &Subject<'_>, found: &mut Found<'_>) {
    let at = || Place::from(("submission", "notes"));
    let length = subject.notes.chars().count();
    if subject.notes.trim().is_empty() {
        let remedy =
            "Publish again with notes: how to reach the offer, a test account, what to try.";
        found.fail(
            "NOTES_MISSING",
            at(),
            "there are no notes for certification",
            remedy,
        );
    } else if length > 5_000 {
        found.fail(
            "NOTES_TOO_LONG",
            at(),
            format!("{length} characters"),
            "Shorten the notes to 5,000 characters.",
        );
    }
}
