//! What many fields have in common: required, not too long, an address, a GUID, a file. Each notes its issue and goes on.
//!
//! Empty values pass every check but [`required`]: whether something is needed is said once, in its page.

use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;
use std::sync::LazyLock;

use regex::Regex;
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use super::{Asset, AssetKind, AssetState, Issues, OfferType};

/// What a page's rules look at besides the page.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The offer's type.
    pub offer_type: &'static OfferType,
    /// Effectively transactable (OT-2).
    pub transactable: bool,
    /// Some plan has meters.
    pub metered: bool,
    /// Customers see it, or did.
    pub published: bool,
    /// When it is looked at.
    pub now: OffsetDateTime,
    /// The offer's files, by resource name.
    pub assets: &'a BTreeMap<String, Asset>,
    /// A secret of the lead destination is stored.
    pub lead_secret: bool,
}

/// The longest address that is taken.
const MAX_URL: usize = 2_048;

/// Something must be there. Blanks are nothing.
pub fn required(issues: &mut Issues, field: &str, value: &str, what: &str) {
    if value.trim().is_empty() {
        missing(issues, field, what);
    }
}

/// A value that must be there, whatever its type.
pub fn present<T>(issues: &mut Issues, field: &str, value: Option<&T>, what: &str) {
    if value.is_none() {
        missing(issues, field, what);
    }
}

fn missing(issues: &mut Issues, field: &str, what: &str) {
    issues.error(
        field,
        "REQUIRED",
        format!("{what} is missing"),
        format!("Give {what}."),
    );
}

/// At most `max` characters.
pub fn max_chars(issues: &mut Issues, field: &str, value: &str, max: usize) {
    let length = value.chars().count();
    if length > max {
        let message = format!("has {length} characters; at most {max} are allowed");
        issues.error(
            field,
            "TOO_LONG",
            message,
            format!("Shorten it by {} characters.", length - max),
        );
    }
}

/// At most `max` entries.
pub fn max_items<T>(issues: &mut Issues, field: &str, items: &[T], max: usize) {
    if items.len() > max {
        let message = format!("has {} entries; at most {max} are allowed", items.len());
        issues.error(
            field,
            "TOO_MANY",
            message,
            format!("Remove {} of them.", items.len() - max),
        );
    }
}

/// At least `min` entries.
pub fn min_items<T>(issues: &mut Issues, field: &str, items: &[T], min: usize) {
    if items.len() < min {
        let message = format!("has {} entries; at least {min} must be there", items.len());
        issues.error(
            field,
            "TOO_FEW",
            message,
            format!("Add {} more.", min - items.len()),
        );
    }
}

/// No two entries are the same; each repetition is an issue of its own place.
pub fn distinct<K: Hash + Eq>(issues: &mut Issues, keys: impl IntoIterator<Item = (String, K)>) {
    let mut seen = HashSet::new();
    for (field, key) in keys {
        if !seen.insert(key) {
            issues.error(
                field,
                "DUPLICATE",
                "is there twice",
                "Remove one of the two.",
            );
        }
    }
}

/// One line of plain text: no control characters, no tags.
pub fn plain_line(issues: &mut Issues, field: &str, value: &str) {
    if value.chars().any(char::is_control) {
        issues.error(
            field,
            "NOT_ONE_LINE",
            "has line breaks or control characters",
            "Write it as one line of plain text.",
        );
    }
    if super::html::has_tags(value) {
        issues.error(
            field,
            "NOT_PLAIN_TEXT",
            "has HTML tags",
            "Write plain text without tags.",
        );
    }
}

/// An `https` address with a host, without user information.
pub fn https_url(issues: &mut Issues, field: &str, value: &str) -> Option<Url> {
    web_url(issues, field, value, &["https"])
}

/// An address of one of these schemes with a host, without user information; the address if it is one.
pub fn web_url(issues: &mut Issues, field: &str, value: &str, schemes: &[&str]) -> Option<Url> {
    if value.is_empty() {
        return None;
    }
    let form = format!("{}://example.com/…", schemes.join(":// or "));
    let parsed = Url::parse(value).ok().filter(|url| {
        let whole =
            value.len() <= MAX_URL && !value.chars().any(|c| c.is_whitespace() || c.is_control());
        let plain = url.username().is_empty() && url.password().is_none();
        whole
            && plain
            && schemes.contains(&url.scheme())
            && url.host_str().is_some_and(|host| !host.is_empty())
    });
    if parsed.is_none() {
        let message =
            "is not an address of that form, without user name and at most 2,048 characters long";
        issues.error(
            field,
            "BAD_URL",
            message,
            format!("Give an address of the form {form}"),
        );
    }
    parsed
}

static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[^@\s,;<>]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}$"));
static PHONE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\+?[0-9][0-9 ().\-/]{3,28}[0-9]( ?(x|ext\.?) ?[0-9]{1,6})?$"));

/// A pattern that is written in this program: a wrong one is a mistake that the first test that uses it shows.
pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of this program is well formed")
}

/// Whether this is an e-mail address.
pub fn is_email(value: &str) -> bool {
    value.len() <= 254 && EMAIL.is_match(value)
}

/// An e-mail address.
pub fn email(issues: &mut Issues, field: &str, value: &str) {
    if !value.is_empty() && !is_email(value) {
        issues.error(
            field,
            "BAD_EMAIL",
            "is not an e-mail address",
            "Give an address like ada@example.com.",
        );
    }
}

/// A phone number.
pub fn phone(issues: &mut Issues, field: &str, value: &str) {
    if !value.is_empty() && !PHONE.is_match(value) {
        issues.error(
            field,
            "BAD_PHONE",
            "is not a phone number",
            "Give a number like +1 425 555 0100.",
        );
    }
}

/// Whether this is a GUID as people write it: 8-4-4-4-12 hexadecimal digits.
pub fn is_guid(value: &str) -> bool {
    value.len() == 36 && Uuid::try_parse(value).is_ok()
}

/// A GUID.
pub fn guid(issues: &mut Issues, field: &str, value: &str) {
    if !value.is_empty() && !is_guid(value) {
        let remedy = "Give it in the form 00000000-0000-0000-0000-000000000000.";
        issues.error(field, "BAD_GUID", "is not a GUID", remedy);
    }
}

/// Matches a pattern that `form` describes.
pub fn matches(issues: &mut Issues, field: &str, value: &str, pattern: &Regex, form: &str) {
    if !value.is_empty() && !pattern.is_match(value) {
        issues.error(
            field,
            "BAD_FORMAT",
            format!("must be {form}"),
            format!("Give {form}."),
        );
    }
}

/// A file that can be shown, of the right kind (LI-17).
pub fn asset(issues: &mut Issues, field: &str, name: &str, kind: AssetKind, context: &Context<'_>) {
    if name.is_empty() {
        return;
    }
    let Some(asset) = context.assets.get(name) else {
        let remedy = "Upload it again, or name another asset of this offer.";
        return issues.error(
            field,
            "ASSET_MISSING",
            format!("there is no asset {name}"),
            remedy,
        );
    };
    if asset.content.kind != kind {
        let message = format!(
            "is a {}, not a {}",
            asset.content.kind.as_str(),
            kind.as_str()
        );
        issues.error(
            field,
            "ASSET_WRONG_KIND",
            message,
            format!("Upload the file as {} and name that asset.", kind.as_str()),
        );
    }
    match asset.state {
        AssetState::Processed => {}
        AssetState::ProcessFailed => {
            issues.error(
                field,
                "ASSET_FAILED",
                "the file was looked at and refused",
                "Upload a file of the right format.",
            );
        }
        AssetState::PendingUpload | AssetState::Uploaded | AssetState::InProcessing => {
            issues.error(
                field,
                "ASSET_NOT_READY",
                "the file is not processed yet",
                "Wait until it is processed.",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::PageId;

    #[test]
    fn li_8_addresses_are_whole_and_name_nobody() {
        let long = |length: usize| format!("https://a.example/{}", "x".repeat(length - 18));
        let (most, more) = (long(MAX_URL), long(MAX_URL + 1));
        let rows = [
            ("https://a.example", true),
            ("https://a.example/x?y=z#w", true),
            (most.as_str(), true),
            (more.as_str(), false),
            ("https://a.example/x y", false),
            (" https://a.example", false),
            ("https://a.example/x\ty", false),
            ("https://a.example/\u{1}", false),
            ("https://ada@a.example", false),
            ("https://:secret@a.example", false),
            ("https://ada:secret@a.example", false),
            ("https://", false),
            ("http://a.example", false),
            ("a.example", false),
        ];
        for (address, good) in rows {
            let mut issues = Issues::of(PageId::OfferListing, None);
            let found = https_url(&mut issues, "url", address);
            let codes: Vec<_> = issues.into_vec().iter().map(|one| one.code).collect();
            assert_eq!(found.is_some(), good, "{address}");
            assert_eq!(codes, if good { vec![] } else { vec!["BAD_URL"] });
        }
    }

    #[test]
    fn li_10_addresses_of_people_have_at_most_254_characters() {
        let label = "d".repeat(63);
        let of = |length: usize| {
            let domain = format!("{label}.{label}.{label}.example");
            format!("{}@{domain}", "m".repeat(length - domain.len() - 1))
        };
        assert!(is_email(&of(254)) && !is_email(&of(255)));
    }
}
