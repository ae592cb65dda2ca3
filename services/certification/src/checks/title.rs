//! Title and summary (CV-1, CV-2), and the form of consulting titles (CV-17).

use std::sync::LazyLock;

use regex::Regex;

use super::{Check, Found, Subject, always, automatic, html::Html, manual, subject::listing, text};
use crate::domain::Level;

pub const CHECKS: &[Check] = &[
    automatic(
        ("CV-1", 1),
        (Level::Content, "100.1.1"),
        "Title describes the offer",
        always,
        title,
    ),
    manual(
        ("CV-1-M", 1),
        (Level::Content, "100.1.1"),
        "Title matches the product's own site",
        always,
        |s| {
            format!(
                "Needs a look at the publisher's site. Open it, from {} or the useful links, and compare: the product is called {:?} there as well, and the title promises nothing that it isn't.",
                s.listing().support_url,
                s.listing().title
            )
        },
    ),
    automatic(
        ("CV-2", 1),
        (Level::Content, "100.1.2"),
        "Summary is concise",
        always,
        summary,
    ),
    automatic(
        ("CV-17", 1),
        (Level::Content, "800.1"),
        "Consulting title is `Name: Duration Type`",
        is_consulting,
        consulting,
    ),
];

/// Titles that somebody forgot to change.
const PLACEHOLDERS: &[&str] = &[
    "test",
    "test offer",
    "testoffer",
    "my offer",
    "offer",
    "untitled",
    "title",
    "sample",
    "sample offer",
    "demo",
    "todo",
    "tbd",
    "xxx",
    "asdf",
];
/// Less than this share of a title's words in the description is "unrelated".
const MIN_SHARE: f32 = 0.34;

/// A version at the end of a title, with or without a word like "beta" after it.
static VERSION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:\bv\d+(?:\.\d+)*|\b\d+\.\d+\.\d+(?:\.\d+)*)\s*[-(]?\s*(?:alpha|beta|rc\s?\d*|final|new|latest|updated)?\s*\W*$").ok()
});
/// "Cloud readiness: 2-wk Assessment"
static CONSULTING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)^[^:]+: \d+[- ](?:hours?|hrs?|days?|wks?|weeks?|mos?|months?) (?:assessment|briefing|implementation|proof of concept|poc|workshop)$").ok()
});

fn is_consulting(subject: &Subject<'_>) -> bool {
    subject.type_has(|known| known.titled_by_engagement)
}

fn title(subject: &Subject<'_>, found: &mut Found<'_>) {
    let title = subject.listing().title.trim();
    let at = || listing("title");
    let length = title.chars().count();
    if length == 0 {
        found.fail(
            "TITLE_MISSING",
            at(),
            "there is no title",
            "Give the offer a title.",
        );
        return;
    }
    if length > 200 {
        found.fail(
            "TITLE_TOO_LONG",
            at(),
            format!("{length} characters"),
            "Shorten the title to 200 characters.",
        );
    }
    let emoji = text::emoji(title);
    if !emoji.is_empty() {
        found.fail(
            "TITLE_EMOJI",
            at(),
            emoji,
            "Take emoji out of the title; only ™, © and ® may stay.",
        );
    }
    if Html::read(title).has_tags {
        found.fail(
            "TITLE_MARKUP",
            at(),
            title,
            "Take the markup out of the title.",
        );
    }
    if PLACEHOLDERS
        .iter()
        .any(|placeholder| text::same(title, placeholder))
    {
        found.fail(
            "TITLE_PLACEHOLDER",
            at(),
            title,
            "Replace the placeholder by the product's name.",
        );
    } else if title.eq_ignore_ascii_case(subject.snapshot.offer.alias.trim()) {
        found.fail(
            "TITLE_IS_ALIAS",
            at(),
            title,
            "The title is the internal alias; use the name that customers know.",
        );
    }
    if text::same(title, &subject.listing().summary) {
        found.fail(
            "TITLE_IS_SUMMARY",
            at(),
            title,
            "Let the summary say more than the title.",
        );
    }
    if VERSION
        .as_ref()
        .is_some_and(|version| version.is_match(title))
    {
        found.fail(
            "TITLE_VERSION",
            at(),
            title,
            "Take the version out of the title; it belongs to App version.",
        );
    }
    related(subject, title, found);
}

fn related(subject: &Subject<'_>, title: &str, found: &mut Found<'_>) {
    let description = subject.description.visible();
    let share = text::share_found(&text::tokens(title), &text::tokens(&description));
    if !description.is_empty() && share < MIN_SHARE {
        let evidence = format!(
            "{:.0} % of the words of {title:?} occur in the description",
            share * 100.0
        );
        let remedy = "Use the product's name in the description, or give it a title that says what is described.";
        found.warn("TITLE_UNRELATED", listing("title"), evidence, remedy);
    }
}

fn summary(subject: &Subject<'_>, found: &mut Found<'_>) {
    let summary = &subject.listing().summary;
    let at = || listing("summary");
    let length = summary.trim().chars().count();
    if length == 0 {
        found.fail(
            "SUMMARY_MISSING",
            at(),
            "there is no summary",
            "Say in one line what the offer does.",
        );
        return;
    }
    if length > 100 {
        found.fail(
            "SUMMARY_TOO_LONG",
            at(),
            format!("{length} characters"),
            "Shorten the summary to 100 characters.",
        );
    }
    if summary.trim().contains(['\n', '\r']) {
        found.fail(
            "SUMMARY_LINES",
            at(),
            summary,
            "Write the summary as a single line.",
        );
    }
    if Html::read(summary).has_tags {
        found.fail(
            "SUMMARY_MARKUP",
            at(),
            summary,
            "Take the markup out of the summary; it is shown as it stands.",
        );
    }
    if text::same(summary, &subject.listing().title) {
        found.fail(
            "SUMMARY_IS_TITLE",
            at(),
            summary,
            "Let the summary say more than the title.",
        );
    }
}

fn consulting(subject: &Subject<'_>, found: &mut Found<'_>) {
    let title = subject.listing().title.trim();
    if CONSULTING
        .as_ref()
        .is_some_and(|form| !form.is_match(title))
    {
        let remedy = "Write the title as `Name: Duration Type`, for example `Cloud readiness: 2-wk Assessment`.";
        found.fail("CONSULTING_TITLE", listing("title"), title, remedy);
    }
}
