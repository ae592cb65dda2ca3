//! Small things that several pages have: people, links, files with a caption, videos.

use serde::{Deserialize, Serialize};

use super::check::{self, Context};
use super::{AssetKind, Issues};

/// Somebody to turn to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// Who.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Number, as it is dialled.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub phone: String,
}

impl Contact {
    /// All three are needed (LI-10, LI-11).
    pub(super) fn check_required(contact: Option<&Self>, field: &str, issues: &mut Issues) {
        let empty = Contact::default();
        let contact = contact.unwrap_or(&empty);
        check::required(issues, &format!("{field}.name"), &contact.name, "a name");
        check::required(
            issues,
            &format!("{field}.email"),
            &contact.email,
            "an e-mail address",
        );
        check::required(
            issues,
            &format!("{field}.phone"),
            &contact.phone,
            "a phone number",
        );
        contact.check(field, issues);
    }

    /// What is given is well formed.
    pub(super) fn check(&self, field: &str, issues: &mut Issues) {
        check::max_chars(issues, &format!("{field}.name"), &self.name, 200);
        check::email(issues, &format!("{field}.email"), &self.email);
        check::phone(issues, &format!("{field}.phone"), &self.phone);
    }
}

/// A link with its text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Link {
    /// Its text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Where it leads.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
}

impl Link {
    /// LI-9
    pub(super) fn check(&self, field: &str, issues: &mut Issues) {
        check::required(issues, &format!("{field}.title"), &self.title, "a title");
        check::max_chars(issues, &format!("{field}.title"), &self.title, 255);
        check::required(issues, &format!("{field}.url"), &self.url, "an address");
        check::https_url(issues, &format!("{field}.url"), &self.url);
    }
}

/// A file with what is said about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaptionedAsset {
    /// `{offer}/assets/{asset}`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub asset: String,
    /// What is said about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub caption: String,
}

impl CaptionedAsset {
    /// The file can be shown, and something is said about it (LI-13, LI-15, LI-17).
    pub(super) fn check(
        &self,
        field: &str,
        kind: AssetKind,
        context: &Context<'_>,
        issues: &mut Issues,
    ) {
        check::required(issues, &format!("{field}.asset"), &self.asset, "a file");
        check::asset(
            issues,
            &format!("{field}.asset"),
            &self.asset,
            kind,
            context,
        );
        check::required(
            issues,
            &format!("{field}.caption"),
            &self.caption,
            "a caption",
        );
        check::max_chars(issues, &format!("{field}.caption"), &self.caption, 255);
    }
}

/// A video that YouTube or Vimeo shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Video {
    /// Its title.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where it is shown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// `{offer}/assets/{asset}`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub thumbnail: String,
}

const VIDEO_HOSTS: [&str; 6] = [
    "youtube.com",
    "www.youtube.com",
    "m.youtube.com",
    "vimeo.com",
    "www.vimeo.com",
    "player.vimeo.com",
];

impl Video {
    /// LI-16
    pub(super) fn check(&self, field: &str, context: &Context<'_>, issues: &mut Issues) {
        check::required(issues, &format!("{field}.name"), &self.name, "a name");
        check::max_chars(issues, &format!("{field}.name"), &self.name, 255);
        let url = format!("{field}.url");
        check::required(issues, &url, &self.url, "an address");
        if let Some(parsed) = check::https_url(issues, &url, &self.url)
            && !parsed
                .host_str()
                .is_some_and(|host| VIDEO_HOSTS.contains(&host))
        {
            let remedy = "Give the full address on youtube.com or vimeo.com, not a short one.";
            issues.error(
                url,
                "BAD_VIDEO_HOST",
                "videos are shown by YouTube or Vimeo only",
                remedy,
            );
        }
        let thumbnail = format!("{field}.thumbnail");
        check::required(
            issues,
            &thumbnail,
            &self.thumbnail,
            "a PNG thumbnail of 1280 × 720 pixels",
        );
        check::asset(
            issues,
            &thumbnail,
            &self.thumbnail,
            AssetKind::VideoThumbnail,
            context,
        );
    }
}
