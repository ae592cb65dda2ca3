//! What a check is told besides the snapshot: the publisher's programme facts, the rules in force, decoded images.

use std::collections::BTreeMap;

/// What the marketplace operator knows of a publisher (BE-1 … BE-7), as the catalog answered it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublisherFacts {
    /// Resource name: "publishers/{publisher}".
    pub name: String,
    pub enrolled: bool,
    pub agreement_version: String,
    pub membership_active: bool,
    pub vetting_authorized: bool,
    pub tax_profile_valid: bool,
    pub payout_profile_valid: bool,
    pub suspended: bool,
    pub virtual_machine_billing: bool,
    /// (id, level)
    pub competencies: Vec<(String, String)>,
    /// Another publisher whose passed offers use this offer's Entra application (BE-5).
    pub application_owner: Option<String>,
    /// Another Entra application that passed SaaS offers of this publisher use (TC-2).
    pub other_application: Option<String>,
}

/// A row of the eligibility criteria (BE-4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    pub offer_type: String,
    /// Category of the offer that it is for; empty: any.
    pub area: String,
    pub competency: String,
    /// "" < "silver" < "gold".
    pub min_level: String,
    pub policy: String,
}

/// A certification policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub id: String,
    pub title: String,
    pub description: String,
    pub url: String,
}

/// Policies by id.
pub type Policies = BTreeMap<String, Policy>;

/// Policy switches that an operator sets for the whole marketplace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switches {
    /// The version of the publisher agreement that must have been accepted; empty: being enrolled is enough (BE-1).
    pub agreement_version: String,
    /// An offer with private plans only fails instead of being warned (A19, CV-5).
    pub private_only_fails: bool,
    /// Manual checks wait for a reviewer. Off: they are recorded as not carried out and hold nothing up.
    pub manual_review: bool,
    /// A case with an automatic failure goes to a reviewer, who may override it (CE-4), instead of failing at once.
    pub review_failures: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            agreement_version: String::new(),
            private_only_fails: false,
            manual_review: true,
            review_failures: false,
        }
    }
}

/// The rules that a run of the checks goes by.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub policies: Policies,
    pub criteria: Vec<Criterion>,
    pub switches: Switches,
}

/// What an image turned out to be, without its pixels.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageFacts {
    /// More bytes than an image may have; not read.
    TooLarge,
    /// Another format than PNG, by its content.
    NotPng(String),
    /// The header is PNG's, the rest can't be decoded.
    Broken(String),
    /// A PNG of these dimensions that is too large to be decoded; none such is of a size that is asked for.
    Oversized { width: u32, height: u32 },
    /// Decoded in full.
    Png(Pixels),
}

impl ImageFacts {
    /// Width and height, where the header could be read.
    pub fn dimensions(&self) -> Option<(u32, u32)> {
        match self {
            ImageFacts::Oversized { width, height } => Some((*width, *height)),
            ImageFacts::Png(pixels) => Some((pixels.width, pixels.height)),
            ImageFacts::TooLarge | ImageFacts::NotPng(_) | ImageFacts::Broken(_) => None,
        }
    }
}

/// What the pixels of an image say.
#[derive(Debug, Clone, PartialEq)]
pub struct Pixels {
    pub width: u32,
    pub height: u32,
    /// Standard deviation of the luma, 0 … 127.
    pub deviation: f32,
    /// Share of pixels that can be seen, 0 … 1.
    pub opaque: f32,
    /// Difference hash of 16 × 16.
    pub hash: [u64; 4],
    /// Luma of 32 × 18 cells.
    pub thumbnail: Vec<u8>,
    /// No detail is finer than an enlargement would have left.
    pub upscaled: bool,
}

/// Facts of images by digest.
pub type Images = BTreeMap<String, ImageFacts>;
