//! Words of a text: tokens, similarity, emoji. No check of its own.

use std::collections::BTreeSet;

/// Words that say nothing about an offer.
const STOP_WORDS: &[&str] = &[
    "a", "an", "and", "as", "at", "by", "de", "for", "from", "in", "into", "is", "it", "its", "my",
    "of", "on", "or", "our", "the", "to", "und", "with", "you", "your", "app", "edition", "inc",
    "llc", "ltd", "gmbh", "new",
];

/// The words of a text, lower case, without stop words, plurals and endings made alike.
pub fn tokens(text: &str) -> BTreeSet<String> {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let words = words
        .map(str::to_lowercase)
        .filter(|word| !STOP_WORDS.contains(&word.as_str()));
    words.map(|word| stem(&word)).collect()
}

/// A light stemmer: enough to find "backups" in "backup" and "monitoring" in "monitors".
fn stem(word: &str) -> String {
    for ending in [
        "ations", "ation", "ings", "ing", "ies", "ers", "er", "ed", "es", "s", "y", "e",
    ] {
        if let Some(root) = word.strip_suffix(ending)
            && root.chars().count() >= 4
        {
            return root.to_owned();
        }
    }
    word.to_owned()
}

/// The share of `wanted` that `text` has, 0 … 1; nothing wanted is all there.
pub fn share_found(wanted: &BTreeSet<String>, text: &BTreeSet<String>) -> f32 {
    if wanted.is_empty() {
        return 1.0;
    }
    let near = |word: &&String| {
        text.contains(*word)
            || (word.chars().count() >= 5
                && text
                    .iter()
                    .any(|other| other.starts_with(word.as_str()) || starts(word, other)))
    };
    let found = wanted.iter().filter(near).count();
    ratio(found, wanted.len())
}

/// `word` is a compound that begins with a whole word of at least five letters: "postgresql" and "postgres".
fn starts(word: &str, other: &str) -> bool {
    other.chars().count() >= 5 && word.starts_with(other)
}

/// How much two texts have in common: shared words by all words, 0 … 1.
pub fn likeness(one: &str, other: &str) -> f32 {
    let (one, other) = (tokens(one), tokens(other));
    let all = one.union(&other).count();
    if all == 0 {
        1.0
    } else {
        ratio(one.intersection(&other).count(), all)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of words are far below 2^23"
)]
fn ratio(part: usize, whole: usize) -> f32 {
    part as f32 / whole as f32
}

/// Emoji and pictographs in a text, but for ™ © ® (LI-1).
pub fn emoji(text: &str) -> String {
    let is_emoji = |c: &char| {
        matches!(u32::from(*c),
            0x1F000..=0x1FAFF | 0x2600..=0x27BF | 0x2B00..=0x2BFF | 0x2300..=0x23FF | 0xFE0F | 0x20E3 | 0xE0020..=0xE007F)
    };
    text.chars().filter(is_emoji).collect()
}

/// Both say the same, but for case, white space and punctuation.
pub fn same(one: &str, other: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    let (one, other) = (plain(one), plain(other));
    !one.is_empty() && one == other
}

/// A phrase occurs in a text, between word boundaries. `exact` minds the case.
pub fn mentions(text: &str, phrase: &str, exact: bool) -> bool {
    let (text, phrase) = if exact {
        (text.to_owned(), phrase.to_owned())
    } else {
        (text.to_lowercase(), phrase.to_lowercase())
    };
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(&phrase).any(|(at, found)| {
        !word(text[..at].chars().next_back()) && !word(text[at + found.len()..].chars().next())
    })
}

/// The lines of a data file: no comments, no blank ones.
pub fn lines(data: &'static str) -> impl Iterator<Item = &'static str> {
    data.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn endings_and_stop_words_do_not_count() {
        assert_eq!(
            tokens("The backups of your App"),
            BTreeSet::from(["backup".to_owned()])
        );
        assert!(
            share_found(
                &tokens("PostgreSQL Monitoring"),
                &tokens("It monitors Postgres servers")
            ) > 0.9
        );
        assert!(
            share_found(
                &tokens("Invoice Wizard"),
                &tokens("A message broker for streams")
            ) < 0.1
        );
    }

    #[test]
    fn emoji_are_found_and_marks_are_not() {
        assert_eq!(emoji("Acme™ © ® – DB"), "");
        assert_eq!(emoji("Acme 🚀✅"), "🚀✅");
    }

    #[test]
    fn phrases_end_at_word_boundaries() {
        assert!(mentions("Runs on Azure, too", "azure", false));
        assert!(!mentions("azurely blue", "azure", false));
        assert!(
            !mentions("our teams", "Teams", true) && mentions("Microsoft Teams.", "Teams", true)
        );
    }
}
