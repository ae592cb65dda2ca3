//! Offer listing: what customers read (LI-1 … LI-18).

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::check::{self, Context};
use super::html;
use super::{AssetKind, CaptionedAsset, Contact, Issues, Link, Video, taxonomy};

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OfferListing {
    /// LI-1
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// LI-2
    #[serde(skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// LI-3
    #[serde(skip_serializing_if = "String::is_empty")]
    pub short_description: String,
    /// LI-4: HTML of a few tags.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// LI-6
    #[serde(skip_serializing_if = "String::is_empty")]
    pub getting_started: String,
    /// LI-7
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// LI-8
    #[serde(skip_serializing_if = "String::is_empty")]
    pub privacy_policy_url: String,
    /// LI-9
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub useful_links: Vec<Link>,
    /// LI-10: private but for the address below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_contact: Option<Contact>,
    /// LI-10: public.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub support_url: String,
    /// LI-11: private.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engineering_contact: Option<Contact>,
    /// LI-12
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csp_contact: Option<Contact>,
    /// LI-12
    #[serde(skip_serializing_if = "String::is_empty")]
    pub csp_materials_url: String,
    /// BCP 47; empty: English.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// LI-14
    #[serde(skip_serializing_if = "String::is_empty")]
    pub large_logo: String,
    /// LI-14: made of the large one unless named.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub medium_logo: String,
    /// LI-14: made of the large one unless named.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub small_logo: String,
    /// LI-18: in snapshots from format 2 on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub wide_logo: String,
    /// LI-18: in snapshots from format 2 on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hero_logo: String,
    /// LI-15
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub screenshots: Vec<CaptionedAsset>,
    /// LI-13
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<CaptionedAsset>,
    /// LI-16
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub videos: Vec<Video>,
}

static AVAILABLE_IN: LazyLock<Regex> =
    LazyLock::new(|| check::pattern(r"(?i)\bavailable(?: only)? in ((?:[\p{L}]+ ?){1,3})"));

const MAX_LINKS: usize = 25;

impl OfferListing {
    /// Its logos; empty where there is none.
    pub fn logos(&self) -> [&String; 5] {
        [
            &self.large_logo,
            &self.medium_logo,
            &self.small_logo,
            &self.wide_logo,
            &self.hero_logo,
        ]
    }

    /// LI-1 … LI-18
    pub fn check(&self, context: &Context<'_>, issues: &mut Issues) {
        self.check_names(issues);
        self.check_description(issues);
        self.check_texts(context, issues);
        self.check_links(context, issues);
        Contact::check_required(self.support_contact.as_ref(), "support_contact", issues);
        Contact::check_required(
            self.engineering_contact.as_ref(),
            "engineering_contact",
            issues,
        );
        self.check_logos(context, issues);
        self.check_files(context, issues);
    }

    /// LI-1, LI-2
    fn check_names(&self, issues: &mut Issues) {
        check::required(issues, "title", &self.title, "a title");
        check::max_chars(issues, "title", &self.title, 200);
        check::plain_line(issues, "title", &self.title);
        if self.title.chars().any(is_emoji) {
            issues.error(
                "title",
                "EMOJI",
                "has emoji",
                "Use letters, digits and punctuation; ™, © and ® are fine.",
            );
        }
        check::required(issues, "summary", &self.summary, "a summary");
        check::max_chars(issues, "summary", &self.summary, 100);
        check::plain_line(issues, "summary", &self.summary);
    }

    /// LI-4, LI-5
    fn check_description(&self, issues: &mut Issues) {
        let visible = html::visible_text(&self.description);
        check::required(issues, "description", &visible, "a description");
        check::max_chars(issues, "description", &self.description, 5_000);
        for fault in html::faults(&self.description) {
            let remedy = "Use only b, i, em, strong, br, p, ul, ol, li and h1 to h6, without attributes, each closed.";
            issues.error("description", fault.code, fault.message, remedy);
        }
        let language = if self.language.is_empty() {
            "en"
        } else {
            &self.language
        };
        match taxonomy::language(language) {
            None => issues.error(
                "language",
                "UNKNOWN_VALUE",
                "is not a known language",
                "Give a tag like \"en\" or \"de-CH\".",
            ),
            Some("English") => {}
            Some(_) if visible.is_empty() => {}
            Some(name) if names_language(&visible, name) => {}
            Some(name) => {
                let message = format!(
                    "a description in {name} begins or ends with an English sentence that says so"
                );
                let remedy = format!(
                    "Begin or end it with \"This application is available only in {name}.\""
                );
                issues.error("description", "LANGUAGE_SENTENCE", message, remedy);
            }
        }
    }

    /// LI-3, LI-6, LI-7
    fn check_texts(&self, context: &Context<'_>, issues: &mut Issues) {
        let rule = &context.offer_type.listing;
        if rule.short_description {
            check::required(
                issues,
                "short_description",
                &self.short_description,
                "a short description",
            );
        }
        check::max_chars(issues, "short_description", &self.short_description, 256);
        check::plain_line(issues, "short_description", &self.short_description);
        if rule.getting_started.to(context.transactable) {
            check::required(
                issues,
                "getting_started",
                &self.getting_started,
                "getting started instructions",
            );
        }
        check::max_chars(issues, "getting_started", &self.getting_started, 3_000);
        check::max_items(issues, "keywords", &self.keywords, 3);
        for (at, keyword) in self.keywords.iter().enumerate() {
            let field = format!("keywords[{at}]");
            check::required(issues, &field, keyword, "a keyword");
            check::max_chars(issues, &field, keyword, 45);
            check::plain_line(issues, &field, keyword);
        }
        let keywords = self.keywords.iter().enumerate();
        check::distinct(
            issues,
            keywords.map(|(at, keyword)| (format!("keywords[{at}]"), keyword.to_lowercase())),
        );
    }

    /// LI-8, LI-9, LI-10, LI-12
    fn check_links(&self, context: &Context<'_>, issues: &mut Issues) {
        if context.offer_type.listing.privacy_policy {
            check::required(
                issues,
                "privacy_policy_url",
                &self.privacy_policy_url,
                "the address of the privacy policy",
            );
        }
        check::https_url(issues, "privacy_policy_url", &self.privacy_policy_url);
        check::max_items(issues, "useful_links", &self.useful_links, MAX_LINKS);
        for (at, link) in self.useful_links.iter().enumerate() {
            link.check(&format!("useful_links[{at}]"), issues);
        }
        check::required(
            issues,
            "support_url",
            &self.support_url,
            "the address of support",
        );
        check::https_url(issues, "support_url", &self.support_url);
        if let Some(contact) = &self.csp_contact {
            contact.check("csp_contact", issues);
        }
        check::https_url(issues, "csp_materials_url", &self.csp_materials_url);
    }

    /// LI-14, LI-18
    fn check_logos(&self, context: &Context<'_>, issues: &mut Issues) {
        check::required(
            issues,
            "large_logo",
            &self.large_logo,
            "a large logo (PNG, square, 216 to 350 pixels)",
        );
        check::asset(
            issues,
            "large_logo",
            &self.large_logo,
            AssetKind::LogoLarge,
            context,
        );
        check::asset(
            issues,
            "medium_logo",
            &self.medium_logo,
            AssetKind::LogoMedium,
            context,
        );
        check::asset(
            issues,
            "small_logo",
            &self.small_logo,
            AssetKind::LogoSmall,
            context,
        );
        self.check_wide_logos(context, issues);
    }

    /// LI-18
    fn check_wide_logos(&self, context: &Context<'_>, issues: &mut Issues) {
        for (field, logo, kind) in [
            ("wide_logo", &self.wide_logo, AssetKind::LogoWide),
            ("hero_logo", &self.hero_logo, AssetKind::LogoHero),
        ] {
            if !logo.is_empty() && !context.offer_type.listing.wide_logos {
                let message = "offers of this type are not shown where it would be seen";
                issues.error(field, "NOT_ALLOWED", message, "Leave it out.");
            }
            check::asset(issues, field, logo, kind, context);
        }
    }

    /// LI-13, LI-15, LI-16
    fn check_files(&self, context: &Context<'_>, issues: &mut Issues) {
        let rule = &context.offer_type.listing;
        check::min_items(
            issues,
            "screenshots",
            &self.screenshots,
            rule.min_screenshots,
        );
        check::max_items(issues, "screenshots", &self.screenshots, 5);
        for (at, screenshot) in self.screenshots.iter().enumerate() {
            screenshot.check(
                &format!("screenshots[{at}]"),
                AssetKind::Screenshot,
                context,
                issues,
            );
        }
        let screenshots = self
            .screenshots
            .iter()
            .enumerate()
            .filter(|(_, shot)| !shot.asset.is_empty());
        check::distinct(
            issues,
            screenshots.map(|(at, shot)| (format!("screenshots[{at}].asset"), shot.asset.as_str())),
        );
        check::max_items(issues, "documents", &self.documents, 3);
        for (at, document) in self.documents.iter().enumerate() {
            document.check(
                &format!("documents[{at}]"),
                AssetKind::Document,
                context,
                issues,
            );
        }
        check::max_items(issues, "videos", &self.videos, rule.max_videos);
        for (at, video) in self.videos.iter().enumerate() {
            video.check(&format!("videos[{at}]"), context, issues);
        }
    }
}

/// Whether a text begins or ends with the sentence of LI-5. Sentences end with `.`, `!` or `?`.
fn names_language(visible: &str, language: &str) -> bool {
    let sentences: Vec<&str> = visible
        .split(['.', '!', '?'])
        .map(str::trim)
        .filter(|sentence| !sentence.is_empty())
        .collect();
    [sentences.first(), sentences.last()]
        .into_iter()
        .flatten()
        .any(|sentence| {
            AVAILABLE_IN
                .captures(sentence)
                .is_some_and(|found| found[1].to_lowercase().contains(&language.to_lowercase()))
        })
}

/// Pictures among the characters; ™, © and ® are none (LI-1).
fn is_emoji(c: char) -> bool {
    matches!(u32::from(c),
        0x1F000..=0x1FBFF | 0x2600..=0x27BF | 0x2B05..=0x2B55 | 0xFE0F | 0x20E3 | 0x200D
        | 0x231A | 0x231B | 0x23E9..=0x23FA | 0x2934 | 0x2935 | 0x3030 | 0x303D | 0x3297 | 0x3299 | 0xE0020..=0xE007F)
}
