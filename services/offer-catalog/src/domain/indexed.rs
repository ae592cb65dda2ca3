//! What a search finds a live listing by: made of its content, and made again each time it goes live.

use super::profile::storefronts;
use super::snapshot::{Content, SnapshotError};
use crate::pages::taxonomy;

/// The searchable side of a listing.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Indexed {
    pub title: String,
    pub summary: String,
    pub logo_digest: String,
    pub storefronts: Vec<String>,
    pub categories: Vec<String>,
    pub keywords: String,
    /// Names of its categories and of its type.
    pub kinds: String,
    /// Everything else that is read, without markup.
    pub text: String,
}

/// Of a content.
pub fn of(content: &Content) -> Result<Indexed, SnapshotError> {
    let kind = content.offer_type()?;
    let fronts = storefronts(content, kind);
    let mut indexed = Indexed {
        kinds: kind.display_name.clone(),
        storefronts: fronts
            .into_iter()
            .map(|front| front.as_str().to_owned())
            .collect(),
        ..Indexed::default()
    };
    if let Some(properties) = &content.pages.properties {
        indexed.categories = properties
            .categories
            .iter()
            .map(|choice| choice.category.clone())
            .collect();
        for category in &indexed.categories {
            if let Some(group) = taxonomy::category(category) {
                indexed.kinds.push(' ');
                indexed.kinds.push_str(&group.display_name);
            }
        }
    }
    if let Some(listing) = &content.pages.offer_listing {
        indexed.title.clone_from(&listing.title);
        indexed.summary.clone_from(&listing.summary);
        indexed.keywords = listing.keywords.join(" ");
        indexed.text = format!(
            "{} {}",
            listing.short_description,
            without_markup(&listing.description)
        );
        let logo = content
            .assets
            .iter()
            .find(|asset| asset.name == listing.large_logo);
        indexed.logo_digest = logo.map(|asset| asset.digest.clone()).unwrap_or_default();
    }
    Ok(indexed)
}

/// Text between tags. The tags are few and known (LI-4), so that this need not be a parser.
fn without_markup(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => {
                inside = true;
                text.push(' ');
            }
            '>' if inside => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{of, without_markup};
    use crate::domain::samples;
    use crate::domain::snapshot::Content;

    #[test]
    fn a_listing_is_found_by_all_that_customers_read_of_it() {
        let draft = samples::container();
        let indexed = of(&Content::of(&draft)).unwrap();
        assert_eq!(indexed.title, "Contoso Notes™");
        assert_eq!(indexed.summary, "Notes that many people write at once");
        assert_eq!(indexed.keywords, "notes wiki");
        assert_eq!(indexed.categories, ["containers"]);
        assert_eq!(indexed.storefronts, ["AZURE_MARKETPLACE"]);
        assert_eq!(indexed.kinds, "Azure container Containers");
        let words: Vec<&str> = indexed.text.split_whitespace().collect();
        assert_eq!(words.join(" "), "Notes in a box Write notes together .");
        let logo = &draft.assets[&format!("{}/assets/logo", samples::OFFER)];
        assert_eq!(indexed.logo_digest, logo.content.digest);
        let mut bare = draft;
        bare.pages = Default::default();
        let nothing = of(&Content::of(&bare)).unwrap();
        assert!(nothing.title.is_empty() && nothing.text.is_empty());
        assert_eq!(nothing.kinds, "Azure container");
    }

    #[test]
    fn markup_separates_words_and_is_not_found() {
        assert_eq!(
            without_markup("<p>One<br>two</p>")
                .split_whitespace()
                .collect::<Vec<_>>(),
            ["One", "two"]
        );
        assert_eq!(without_markup("3 > 2"), "3 > 2", "no tag ends here");
    }
}
