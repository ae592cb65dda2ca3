//! What a snapshot fixes of a draft, and its canonical bytes (design rule PB-1).
//!
//! It is RFC 8785 JSON of [`Content`]. Nothing in [`Content`], in a page or in what they hold may change the bytes that an
//! existing content is encoded to: a new field means a new format, and those before stay (golden files below). Unset, it
//! leaves no trace, so that the content of an older format is encoded as it was when there was no such field; and a
//! content has the lowest format that holds it, so that what an older version could write, it also can read.
//!
//! | format | has besides |
//! |---|---|
//! | 1 | |
//! | 2 | wide and hero logo of a listing, `customer_markets` of a plan |
//!
//! Audiences, etags, times, people and the values of secrets are never part of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::draft::{Draft, DraftPlan, OfferHead, OfferPages, PlanPages};
use crate::pages::{
    AssetContent, AssetKind, CaptionedAsset, OfferListing, OfferType, Page, PageId, Selling,
    offer_type,
};

/// The newest encoding.
pub const FORMAT: u32 = 2;

/// Key of the lead destination's secret in [`Content::secrets`].
pub const LEAD_DESTINATION: &str = "lead_destination";

/// Everything that is published of an offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// Number of the encoding.
    pub format: u32,
    /// The offer's own fields.
    pub offer: OfferHead,
    /// Its pages that apply.
    pub pages: OfferPages,
    /// Its plans, by id.
    pub plans: Vec<ContentPlan>,
    /// Files that pages name, by name.
    pub assets: Vec<AssetContent>,
    /// Versions of secrets; their values are elsewhere.
    pub secrets: BTreeMap<String, i64>,
}

/// A plan of a content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContentPlan {
    /// Its id.
    pub plan_id: String,
    /// Shown to customers.
    pub display_name: String,
    /// `managedApplication` or `solutionTemplate` for Azure applications, else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subtype: String,
    /// It is no longer sold once this content is live (T31).
    pub stopped: bool,
    /// Its pages.
    pub pages: PlanPages,
}

/// A content as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Canonical bytes.
    pub bytes: Vec<u8>,
    /// SHA-256 of them, lower-case hex.
    pub digest: String,
}

/// Why bytes are no content, or a content can't be encoded.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Not the JSON of a content.
    #[error("the snapshot can't be read")]
    Unreadable(#[from] serde_json::Error),
    /// Written by a newer version of this program.
    #[error("format {0} of snapshots is not known")]
    UnknownFormat(u32),
    /// The bytes aren't those that were stored under this digest.
    #[error("the bytes of snapshot {0} have another digest")]
    Damaged(String),
    /// Its type was taken out of the data.
    #[error("offer type {0} is not known")]
    UnknownType(String),
}

impl Content {
    /// What is published of a draft: pages that apply, without audiences; no plan is stopped yet.
    pub fn of(draft: &Draft) -> Self {
        let transactable = draft.transactable();
        let pages = published_pages(draft, transactable);
        let with_plans = draft.offer_type.plans.to(transactable);
        let mut plans: Vec<ContentPlan> = draft
            .plans
            .iter()
            .filter(|_| with_plans)
            .map(|plan| published_plan(plan, draft.offer_type, transactable))
            .collect();
        plans.sort_by(|a, b| a.plan_id.cmp(&b.plan_id));
        let named = named_assets(&pages, &plans);
        let assets = draft
            .assets
            .iter()
            .filter(|(name, _)| named.contains(name.as_str()));
        let assets = assets.map(|(_, asset)| asset.content.clone()).collect();
        let uses_secret = pages
            .offer_setup
            .as_ref()
            .and_then(|setup| setup.lead_destination.as_ref()?.secret_field())
            .is_some();
        let secret = draft.lead_secret.filter(|_| uses_secret);
        let secrets = secret
            .map(|version| (LEAD_DESTINATION.to_owned(), version))
            .into_iter()
            .collect();
        Self {
            format: lowest_format(&pages, &plans),
            offer: draft.offer.clone(),
            pages,
            plans,
            assets,
            secrets,
        }
    }

    /// The same content with these plans stopped and no others.
    #[must_use]
    pub fn with_stops(mut self, stopped: impl Fn(&str) -> bool) -> Self {
        for plan in &mut self.plans {
            plan.stopped = stopped(&plan.plan_id);
        }
        self
    }

    /// Its type.
    pub fn offer_type(&self) -> Result<&'static OfferType, SnapshotError> {
        let id = &self.offer.offer_type;
        offer_type::find(id).ok_or_else(|| SnapshotError::UnknownType(id.clone()))
    }

    /// Effectively transactable (OT-2).
    pub fn transactable(&self) -> bool {
        let offered = self.plans.iter().filter(|plan| !plan.stopped);
        let subtypes = offered.map(|plan| plan.subtype.as_str());
        let allowed = self.offer_type().is_ok_and(|offer_type| {
            offer_type.transactable.allows() && offer_type.sells_any(subtypes)
        });
        allowed
            && self
                .pages
                .offer_setup
                .as_ref()
                .and_then(|setup| setup.selling)
                == Some(Selling::ListAndSell)
    }

    /// A plan.
    pub fn plan(&self, plan_id: &str) -> Option<&ContentPlan> {
        self.plans.iter().find(|plan| plan.plan_id == plan_id)
    }

    /// The files that its listing shows with their captions, in the order of the page. No others are for customers: packages,
    /// and what co-selling and validation are given.
    pub fn shown_assets(&self) -> Vec<(&AssetContent, String)> {
        let Some(page) = &self.pages.offer_listing else {
            return Vec::new();
        };
        let logos = page.logos();
        let captioned = |file: &CaptionedAsset| (file.asset.clone(), file.caption.clone());
        let named = logos
            .into_iter()
            .map(|logo| (logo.clone(), String::new()))
            .chain(page.screenshots.iter().map(captioned))
            .chain(
                page.videos
                    .iter()
                    .map(|video| (video.thumbnail.clone(), video.name.clone())),
            )
            .chain(page.documents.iter().map(captioned));
        named
            .filter_map(|(name, caption)| {
                let asset = self.assets.iter().find(|asset| asset.name == name)?;
                Some((asset, caption))
            })
            .collect()
    }

    /// A page of the offer, or of a plan.
    pub fn page(&self, id: PageId, plan_id: Option<&str>) -> Option<Page> {
        match plan_id {
            None => self.pages.get(id),
            Some(plan_id) => self.plan(plan_id)?.pages.get(id),
        }
    }
}

/// The canonical bytes of a content and their digest.
pub fn encode(content: &Content) -> Result<Snapshot, SnapshotError> {
    let bytes = serde_json_canonicalizer::to_vec(content)?;
    let digest = digest(&bytes);
    Ok(Snapshot { bytes, digest })
}

/// The digest of canonical bytes.
pub fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The content of stored bytes, if they still are what was stored under `digest`: what was tampered with is taken for
/// nothing, also where it can be read.
pub fn read(bytes: &[u8], digest: &str) -> Result<Content, SnapshotError> {
    if self::digest(bytes) != digest {
        return Err(SnapshotError::Damaged(digest.to_owned()));
    }
    decode(bytes)
}

/// The content of canonical bytes.
pub fn decode(bytes: &[u8]) -> Result<Content, SnapshotError> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let format = serde_json::from_slice::<Head>(bytes)?.format;
    if !(1..=FORMAT).contains(&format) {
        return Err(SnapshotError::UnknownFormat(format));
    }
    let content: Content = serde_json::from_slice(bytes)?;
    if lowest_format(&content.pages, &content.plans) > format {
        let why = format!("format {format} has no such field");
        return Err(SnapshotError::Unreadable(serde::de::Error::custom(why)));
    }
    Ok(content)
}

/// The lowest format that holds this.
fn lowest_format(pages: &OfferPages, plans: &[ContentPlan]) -> u32 {
    let listing = pages.offer_listing.as_ref();
    let wide = listing.is_some_and(|page| !page.wide_logo.is_empty() || !page.hero_logo.is_empty());
    let mut pricings = plans
        .iter()
        .filter_map(|plan| plan.pages.plan_pricing.as_ref());
    let everywhere = pricings.any(|pricing| pricing.customer_markets.is_some());
    if wide || everywhere { 2 } else { 1 }
}

fn published_pages(draft: &Draft, transactable: bool) -> OfferPages {
    let mut pages = draft.pages.clone();
    let applies = |id| draft.offer_type.applies(id, transactable);
    pages.preview_audience = None;
    pages.technical_configuration = pages
        .technical_configuration
        .filter(|_| applies(PageId::TechnicalConfiguration));
    pages.resell_through_csps = pages
        .resell_through_csps
        .filter(|_| applies(PageId::ResellThroughCsps));
    pages.co_sell = pages.co_sell.filter(|_| applies(PageId::CoSell));
    pages.supplemental_content = pages
        .supplemental_content
        .filter(|_| applies(PageId::SupplementalContent));
    if let Some(listing) = &mut pages.offer_listing {
        name_derived_logos(listing, draft);
    }
    pages
}

fn published_plan(plan: &DraftPlan, offer_type: &OfferType, transactable: bool) -> ContentPlan {
    let mut pages = plan.pages.clone();
    if let Some(pricing) = &mut pages.plan_pricing {
        pricing.private_audience.clear();
    }
    let deploys = offer_type.applies(PageId::PlanTechnicalConfiguration, transactable);
    pages.plan_technical_configuration = pages.plan_technical_configuration.filter(|_| deploys);
    let DraftPlan {
        plan_id,
        display_name,
        subtype,
        ..
    } = plan.clone();
    ContentPlan {
        plan_id,
        display_name,
        subtype,
        stopped: false,
        pages,
    }
}

/// LI-14: logos that are made of the large one count unless others are named.
fn name_derived_logos(listing: &mut OfferListing, draft: &Draft) {
    let derived = |suffix: &str, kind: AssetKind| {
        let name = format!("{}.{suffix}", listing.large_logo);
        draft
            .assets
            .get(&name)
            .filter(|asset| asset.content.kind == kind)
            .map(|_| name)
    };
    let (medium, small) = (
        derived("medium", AssetKind::LogoMedium),
        derived("small", AssetKind::LogoSmall),
    );
    for (logo, derived) in [
        (&mut listing.medium_logo, medium),
        (&mut listing.small_logo, small),
    ] {
        if let (true, Some(derived)) = (logo.is_empty(), derived) {
            *logo = derived;
        }
    }
}

/// The resource names of all files that pages name.
pub fn named_assets(pages: &OfferPages, plans: &[ContentPlan]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Some(listing) = &pages.offer_listing {
        names.extend(listing.logos().map(Clone::clone));
        names.extend(
            listing
                .screenshots
                .iter()
                .chain(&listing.documents)
                .map(|file| file.asset.clone()),
        );
        names.extend(listing.videos.iter().map(|video| video.thumbnail.clone()));
    }
    let co_sell = pages.co_sell.iter().flat_map(|page| &page.documents);
    let supplemental = pages
        .supplemental_content
        .iter()
        .flat_map(|page| &page.evidence);
    names.extend(co_sell.chain(supplemental).map(|file| file.asset.clone()));
    for plan in plans {
        names.extend(
            plan.pages
                .plan_technical_configuration
                .iter()
                .filter_map(|page| page.package().map(str::to_owned)),
        );
    }
    names.remove("");
    names
}

#[cfg(test)]
mod tests;
