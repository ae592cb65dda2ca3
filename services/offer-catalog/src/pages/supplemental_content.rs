//! Supplemental content: hosting, and evidence for the validation of some types (SU-1, SU-2).

use serde::{Deserialize, Serialize};

use super::check::{self, Context};
use super::{AssetKind, CaptionedAsset, Issues};

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SupplementalContent {
    /// Where it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosting: Option<Hosting>,
    /// Where in Azure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub azure_subscription_ids: Vec<String>,
    /// A video that shows how it works.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub demo_video_url: String,
    /// What proves that it works.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<CaptionedAsset>,
    /// Show it in a call instead.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub validation_call_requested: bool,
}

/// Where an offer runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Hosting {
    /// In Azure.
    Azure,
    /// In another cloud.
    OtherCloud,
    /// On premises.
    OnPremises,
    /// Some of it in Azure.
    Mixed,
}

impl SupplementalContent {
    /// SU-1, SU-2
    pub fn check(&self, context: &Context<'_>, issues: &mut Issues) {
        if context.transactable && context.offer_type.declares_hosting {
            check::present(
                issues,
                "hosting",
                self.hosting.as_ref(),
                "where it is hosted",
            );
        }
        if matches!(self.hosting, Some(Hosting::Azure | Hosting::Mixed))
            && self.azure_subscription_ids.is_empty()
        {
            check::required(
                issues,
                "azure_subscription_ids",
                "",
                "the Azure subscriptions that host it",
            );
        }
        check::max_items(
            issues,
            "azure_subscription_ids",
            &self.azure_subscription_ids,
            100,
        );
        for (at, subscription) in self.azure_subscription_ids.iter().enumerate() {
            let field = format!("azure_subscription_ids[{at}]");
            check::required(issues, &field, subscription, "a subscription's id");
            check::guid(issues, &field, subscription);
        }
        let ids = self.azure_subscription_ids.iter().enumerate();
        check::distinct(
            issues,
            ids.map(|(at, id)| (format!("azure_subscription_ids[{at}]"), id.to_lowercase())),
        );
        if context.offer_type.first_publish_evidence
            && !context.published
            && !self.validation_call_requested
        {
            let video = "the address of a video that shows how it works, or a validation call,";
            check::required(issues, "demo_video_url", &self.demo_video_url, video);
            let mut evidence = self.evidence.iter();
            if !evidence.any(|file| is_archive(file, context)) {
                let files = "a zip archive of what proves that it works, or a validation call,";
                check::required(issues, "evidence", "", files);
            }
        }
        check::https_url(issues, "demo_video_url", &self.demo_video_url);
        check::max_items(issues, "evidence", &self.evidence, 20);
        for (at, file) in self.evidence.iter().enumerate() {
            let kind = if is_archive(file, context) {
                AssetKind::Package
            } else {
                AssetKind::Document
            };
            file.check(&format!("evidence[{at}]"), kind, context, issues);
        }
    }
}

fn is_archive(file: &CaptionedAsset, context: &Context<'_>) -> bool {
    let asset = context.assets.get(&file.asset);
    asset.is_some_and(|asset| asset.content.kind == AssetKind::Package)
}
