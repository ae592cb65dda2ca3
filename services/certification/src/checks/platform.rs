//! The listing says which Microsoft platforms or tools it uses (CV-9).

use super::{Check, Found, Subject, always, automatic, subject::listing, text};
use crate::domain::Level;

pub const CHECKS: &[Check] = &[automatic(
    ("CV-9", 1),
    (Level::Content, "100.1.3"),
    "Names the Microsoft platforms it uses",
    always,
    platform,
)];

/// Products by the words that stand for them; "=" in front: as written, for words with another meaning.
static PRODUCTS: &str = include_str!("data/products.txt");

fn platform(subject: &Subject<'_>, found: &mut Found<'_>) {
    let texts = subject.public_texts();
    let named = text::lines(PRODUCTS).any(|product| {
        let (product, exact) = product
            .strip_prefix('=')
            .map_or((product, false), |exact| (exact, true));
        texts
            .iter()
            .any(|(_, text)| text::mentions(text, product, exact))
    });
    if named {
        return;
    }
    let evidence = "no supported Microsoft product is named in the listing";
    let remedy = "Say in the description which Microsoft platforms or tools the offer uses, for example Azure, Microsoft Entra ID or Microsoft Teams, and what for.";
    if subject.of_type().is_some_and(|known| known.names_platform) {
        found.fail(
            "PLATFORM_NOT_NAMED",
            listing("description"),
            evidence,
            remedy,
        );
    } else {
        found.warn(
            "PLATFORM_NOT_NAMED",
            listing("description"),
            evidence,
            remedy,
        );
    }
}
