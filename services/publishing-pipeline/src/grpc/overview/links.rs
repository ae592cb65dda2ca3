//! Where the overview leads: to previews, to what customers see, to reports and documentation.

use marketplace_proto::offercatalog::v1::{OfferType, Storefront};
use marketplace_proto::publishing::v1 as pb;

use super::{Grpc, in_time};
use crate::domain::{Offering, Status, Submission};

impl Grpc {
    /// PV-7: rendered at sign-off only.
    pub(super) async fn preview_links(&self, offering: &Offering) -> Vec<pb::OverviewLink> {
        let row = offering.publication();
        let Some(id) = row
            .awaiting_sign_off
            .filter(|_| offering.status() == Status::Preview)
        else {
            return Vec::new();
        };
        let (offer, submission) = (row.name(), row.submission_name(id));
        let asked = self.catalog.preview_links(&offer, &submission);
        let found = in_time("preview links", row.offer_uid, asked).await;
        let links = found.unwrap_or_default().into_iter();
        links
            .map(|one| link(preview(one.storefront()), &one.url))
            .collect()
    }

    /// Where customers meet it (OT-3). A stop may have taken it from them since the row was read.
    pub(super) async fn live_links(&self, offering: &Offering) -> Vec<pb::OverviewLink> {
        let row = offering.publication();
        if row.live.is_none() {
            return Vec::new();
        }
        let offer = row.name();
        let asked = self.catalog.live_links(&offer);
        let found = in_time("links of the live offer", row.offer_uid, asked).await;
        let links = found.unwrap_or_default().into_iter();
        links
            .map(|one| link(live(one.storefront()), &one.url))
            .collect()
    }
}

const fn preview(storefront: Storefront) -> &'static str {
    match storefront {
        Storefront::AppSource => "AppSource preview",
        Storefront::AzureMarketplace => "Azure Marketplace preview",
        Storefront::Unspecified => "Preview",
    }
}

const fn live(storefront: Storefront) -> &'static str {
    match storefront {
        Storefront::AppSource => "AppSource",
        Storefront::AzureMarketplace => "Azure Marketplace",
        Storefront::Unspecified => "Listing",
    }
}

fn link(title: &str, target: &str) -> pb::OverviewLink {
    pb::OverviewLink {
        title: title.to_owned(),
        target: target.to_owned(),
    }
}

pub fn reports(submission: &Submission) -> Vec<pb::OverviewLink> {
    let validation = submission
        .validation
        .as_ref()
        .map(|found| found.report.as_str())
        .unwrap_or_default();
    let failure = submission
        .failure
        .as_ref()
        .map(|failure| failure.report.as_str())
        .unwrap_or_default();
    let all = [
        ("View validation report", validation),
        ("View failure report", failure),
    ];
    all.into_iter()
        .filter(|(_, target)| !target.is_empty())
        .map(|(title, target)| link(title, target))
        .collect()
}

/// PG-9: of the offer's type; while the catalogue is away those that it gave with the submission.
pub fn help(kind: Option<&OfferType>, submission: Option<&Submission>) -> Vec<pb::OverviewLink> {
    if let Some(kind) = kind {
        let links = kind.help_links.iter();
        return links.map(|one| link(&one.title, &one.url)).collect();
    }
    let links = submission.map_or(&[][..], |one| &one.profile.help_links);
    links.iter().map(|one| link(&one.title, &one.url)).collect()
}
