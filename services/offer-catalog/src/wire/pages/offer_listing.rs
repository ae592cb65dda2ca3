//! Offer listing on the wire, with what it shares with other pages: contacts and files with captions.

use marketplace_proto::offercatalog::v1 as pb;

use super::{Reading, limits};
use crate::pages::{CaptionedAsset, Contact, Link, OfferListing, Video};

pub(super) fn read(page: &pb::OfferListingPage, reading: &mut Reading) -> OfferListing {
    OfferListing {
        title: page.title.clone(),
        summary: page.summary.clone(),
        short_description: page.short_description.clone(),
        description: page.description.clone(),
        getting_started: page.getting_started.clone(),
        keywords: reading.texts("keywords", &page.keywords, limits::FEW),
        privacy_policy_url: page.privacy_policy_url.clone(),
        useful_links: reading
            .list("useful_links", &page.useful_links, limits::FEW)
            .iter()
            .map(read_link)
            .collect(),
        support_contact: page.support_contact.as_ref().and_then(read_contact),
        support_url: page.support_url.clone(),
        engineering_contact: page.engineering_contact.as_ref().and_then(read_contact),
        csp_contact: page.csp_contact.as_ref().and_then(read_contact),
        csp_materials_url: page.csp_materials_url.clone(),
        language: page.language.clone(),
        large_logo: reading.asset("large_logo", &page.large_logo),
        medium_logo: reading.asset("medium_logo", &page.medium_logo),
        small_logo: reading.asset("small_logo", &page.small_logo),
        wide_logo: reading.asset("wide_logo", &page.wide_logo),
        hero_logo: reading.asset("hero_logo", &page.hero_logo),
        screenshots: read_files(&page.screenshots, "screenshots", reading),
        documents: read_files(&page.documents, "documents", reading),
        videos: reading
            .list("videos", &page.videos, limits::FEW)
            .iter()
            .enumerate()
            .map(|(at, video)| read_video(at, video, reading))
            .collect(),
    }
}

pub(super) fn write(page: &OfferListing) -> pb::OfferListingPage {
    pb::OfferListingPage {
        title: page.title.clone(),
        summary: page.summary.clone(),
        short_description: page.short_description.clone(),
        description: page.description.clone(),
        getting_started: page.getting_started.clone(),
        keywords: page.keywords.clone(),
        privacy_policy_url: page.privacy_policy_url.clone(),
        useful_links: page.useful_links.iter().map(write_link).collect(),
        support_contact: page.support_contact.as_ref().map(write_contact),
        support_url: page.support_url.clone(),
        engineering_contact: page.engineering_contact.as_ref().map(write_contact),
        csp_contact: page.csp_contact.as_ref().map(write_contact),
        csp_materials_url: page.csp_materials_url.clone(),
        language: page.language.clone(),
        large_logo: page.large_logo.clone(),
        medium_logo: page.medium_logo.clone(),
        small_logo: page.small_logo.clone(),
        wide_logo: page.wide_logo.clone(),
        hero_logo: page.hero_logo.clone(),
        screenshots: write_files(&page.screenshots),
        documents: write_files(&page.documents),
        videos: page.videos.iter().map(write_video).collect(),
    }
}

fn read_link(link: &pb::Link) -> Link {
    Link {
        title: link.title.clone(),
        url: link.url.clone(),
    }
}

fn write_link(link: &Link) -> pb::Link {
    pb::Link {
        title: link.title.clone(),
        url: link.url.clone(),
    }
}

/// `None`: nothing of it is set.
fn read_contact(contact: &pb::Contact) -> Option<Contact> {
    let read = contact_of(contact);
    (read != Contact::default()).then_some(read)
}

pub(super) fn contact_of(contact: &pb::Contact) -> Contact {
    Contact {
        name: contact.name.clone(),
        email: contact.email.clone(),
        phone: contact.phone.clone(),
    }
}

pub(super) fn write_contact(contact: &Contact) -> pb::Contact {
    pb::Contact {
        name: contact.name.clone(),
        email: contact.email.clone(),
        phone: contact.phone.clone(),
    }
}

pub(super) fn read_files(
    files: &[pb::CaptionedAsset],
    field: &str,
    reading: &mut Reading,
) -> Vec<CaptionedAsset> {
    let files = reading.list(field, files, limits::FEW);
    let read = |(at, file): (usize, &pb::CaptionedAsset)| CaptionedAsset {
        asset: reading.asset(&format!("{field}[{at}].asset"), &file.asset),
        caption: file.caption.clone(),
    };
    files.iter().enumerate().map(read).collect()
}

pub(super) fn write_files(files: &[CaptionedAsset]) -> Vec<pb::CaptionedAsset> {
    let write = |file: &CaptionedAsset| pb::CaptionedAsset {
        asset: file.asset.clone(),
        caption: file.caption.clone(),
    };
    files.iter().map(write).collect()
}

fn read_video(at: usize, video: &pb::Video, reading: &mut Reading) -> Video {
    let thumbnail = reading.asset(&format!("videos[{at}].thumbnail"), &video.thumbnail);
    Video {
        name: video.name.clone(),
        url: video.url.clone(),
        thumbnail,
    }
}

fn write_video(video: &Video) -> pb::Video {
    pb::Video {
        name: video.name.clone(),
        url: video.url.clone(),
        thumbnail: video.thumbnail.clone(),
    }
}
