//! The description (CV-3) and the sentence that a listing in another language than English needs (CV-4).

use std::sync::LazyLock;

use regex::Regex;
use whatlang::Lang;

use super::{Check, Found, Subject, always, automatic, manual, subject::listing, text};
use crate::domain::Level;

pub const CHECKS: &[Check] = &[
    automatic(
        ("CV-3", 1),
        (Level::Content, "100.1.3"),
        "Description is thorough",
        always,
        description,
    ),
    manual(
        ("CV-3-M", 1),
        (Level::Content, "100.1.3"),
        "Description states audience, value and limits",
        always,
        |_| {
            "Needs judgement. Read the description: it says for whom the offer is, what it does for them, and where its \
         limits are (regions, editions, prerequisites). It describes this product, not its maker."
            .to_owned()
        },
    ),
    automatic(
        ("CV-4", 1),
        (Level::Content, "100.1.4"),
        "Language is stated in English",
        always,
        language,
    ),
];

const MAX_SOURCE: usize = 5_000;
const MIN_VISIBLE: usize = 300;
/// A language is only believed of a text this long.
const MIN_FOR_LANGUAGE: usize = 80;

/// "wrong=right" of words that are often misspelt.
static MISSPELT: &str = include_str!("data/misspelt.txt");
/// "de=German": languages that a listing may declare.
static LANGUAGES: &str = include_str!("data/languages.txt");

fn description(subject: &Subject<'_>, found: &mut Found<'_>) {
    let source = &subject.listing().description;
    let html = &subject.description;
    let at = || listing("description");
    let visible = html.visible();
    if visible.trim().is_empty() {
        found.fail(
            "DESCRIPTION_MISSING",
            at(),
            "nothing can be read",
            "Describe the offer.",
        );
        return;
    }
    let length = source.chars().count();
    if length > MAX_SOURCE {
        let remedy = "Shorten the description to 5,000 characters with markup.";
        found.fail(
            "DESCRIPTION_TOO_LONG",
            at(),
            format!("{length} characters"),
            remedy,
        );
    }
    if !html.forbidden.is_empty() {
        let remedy =
            "Use only b, i, em, strong, br, p, ul, ol, li and h1 to h6, without attributes.";
        found.fail("DESCRIPTION_TAGS", at(), html.forbidden.join(", "), remedy);
    }
    if !html.unbalanced.is_empty() {
        found.fail(
            "DESCRIPTION_UNBALANCED",
            at(),
            html.unbalanced.join("; "),
            "Close every tag that is opened, in order.",
        );
    }
    let seen = visible.chars().count();
    if seen < MIN_VISIBLE {
        let remedy = "Say what the offer does, for whom, what they gain and what its limits are: 300 characters or more.";
        found.warn(
            "DESCRIPTION_SHORT",
            at(),
            format!("{seen} visible characters"),
            remedy,
        );
    }
    if html.blocks.len() < 2 {
        found.warn(
            "DESCRIPTION_ONE_PARAGRAPH",
            at(),
            "one paragraph",
            "Divide the description into paragraphs.",
        );
    }
    spelling(&visible, found);
}

fn spelling(visible: &str, found: &mut Found<'_>) {
    let lower = visible.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphabetic()).collect();
    let pairs = text::lines(MISSPELT).filter_map(|line| line.split_once('='));
    let wrong: Vec<String> = pairs
        .filter(|(wrong, _)| words.contains(wrong))
        .map(|(wrong, right)| format!("{wrong} → {right}"))
        .collect();
    if !wrong.is_empty() {
        found.warn(
            "DESCRIPTION_SPELLING",
            listing("description"),
            wrong.join(", "),
            "Correct the spelling.",
        );
    }
}

/// The English name of the language that the description is written in; `None`: English, or too little to tell.
fn foreign_language(subject: &Subject<'_>) -> Option<String> {
    let visible = subject.description.visible();
    let detected = whatlang::detect(&visible)
        .filter(|info| info.is_reliable() && visible.chars().count() >= MIN_FOR_LANGUAGE);
    if let Some(info) = detected {
        return (info.lang() != Lang::Eng).then(|| info.lang().eng_name().to_owned());
    }
    let declared = subject
        .listing()
        .language
        .split('-')
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let mut known = text::lines(LANGUAGES).filter_map(|line| line.split_once('='));
    let name = known
        .find(|(code, _)| *code == declared)
        .map(|(_, name)| name.to_owned());
    name.filter(|name| name != "English")
}

/// "… is available (only) in French": the English sentence of policy 100.1.4.
static SENTENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\bavailable\s+(?:only\s+)?in\s+(?:the\s+)?([\p{L} ]+)").ok());

fn language(subject: &Subject<'_>, found: &mut Found<'_>) {
    let Some(language) = foreign_language(subject) else {
        return;
    };
    let blocks = &subject.description.blocks;
    let first = blocks
        .first()
        .map(|block| opening(block))
        .unwrap_or_default();
    let last = blocks
        .last()
        .map(|block| closing(block))
        .unwrap_or_default();
    let says_so = |sentence: &str| {
        let captures = SENTENCE
            .as_ref()
            .and_then(|pattern| pattern.captures(sentence));
        captures.is_some_and(|c| {
            text::mentions(&c[1], &language, false) || same_language(&c[1], &language)
        })
    };
    if !says_so(first) && !says_so(last) {
        let evidence =
            format!("the description is in {language}; it begins {first:?} and ends {last:?}");
        let remedy = format!(
            "Begin or end the description with the sentence \"This application is available only in {language}.\""
        );
        found.fail(
            "LANGUAGE_SENTENCE_MISSING",
            listing("description"),
            evidence,
            remedy,
        );
    }
}

/// Names that people use for what the detector calls otherwise.
fn same_language(written: &str, detected: &str) -> bool {
    let alike: &[(&str, &str)] = &[
        ("mandarin", "chinese"),
        ("bokmal", "norwegian"),
        ("nynorsk", "norwegian"),
        ("slovene", "slovenian"),
        ("persian", "farsi"),
        ("tagalog", "filipino"),
    ];
    let detected = detected.to_lowercase();
    alike
        .iter()
        .any(|(ours, theirs)| detected.contains(ours) && text::mentions(written, theirs, false))
}

/// The first sentence of a block.
fn opening(block: &str) -> &str {
    block
        .split_inclusive(['.', '!', '?'])
        .next()
        .unwrap_or(block)
        .trim()
}

/// The last sentence of a block.
fn closing(block: &str) -> &str {
    block
        .split_inclusive(['.', '!', '?'])
        .rfind(|part| !part.trim().is_empty())
        .unwrap_or(block)
        .trim()
}
