//! Virtual machine images of a plan (TC-3, TC-4).

use serde::{Deserialize, Serialize};

use super::check::{self, Context};
use super::package::version;
use super::{Issues, disk};

/// Images and what they need.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VirtualMachineConfiguration {
    /// For example `linux`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub os_family: String,
    /// For example `Debian`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub os_vendor: String,
    /// Sizes that it runs well on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recommended_sizes: Vec<String>,
    /// Versions of the image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub image_versions: Vec<ImageVersion>,
}

/// A version of the image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageVersion {
    /// `n.n.n`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Gallery resource id or SAS address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub os_disk: String,
    /// The same of further disks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub data_disks: Vec<String>,
    /// It can be deployed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub active: bool,
}

impl ImageVersion {
    fn is_same_image(&self, other: &Self) -> bool {
        let of = |image: &Self| {
            let ImageVersion {
                version,
                os_disk,
                data_disks,
                active: _,
            } = image.clone();
            (version, os_disk, data_disks)
        };
        of(self) == of(other)
    }
}

const AT: &str = "virtual_machine";
const MAX_DATA_DISKS: usize = 16;

impl VirtualMachineConfiguration {
    /// TC-3, TC-4; `live` is what customers deploy now.
    pub(super) fn check(&self, context: &Context<'_>, live: Option<&Self>, issues: &mut Issues) {
        check::required(
            issues,
            &format!("{AT}.os_family"),
            &self.os_family,
            "the family of the operating system",
        );
        if !matches!(self.os_family.as_str(), "" | "linux" | "windows") {
            issues.error(
                format!("{AT}.os_family"),
                "UNKNOWN_VALUE",
                "is no family",
                "Choose linux or windows.",
            );
        }
        check::required(
            issues,
            &format!("{AT}.os_vendor"),
            &self.os_vendor,
            "the vendor of the operating system",
        );
        check::min_items(
            issues,
            &format!("{AT}.recommended_sizes"),
            &self.recommended_sizes,
            1,
        );
        check::max_items(
            issues,
            &format!("{AT}.recommended_sizes"),
            &self.recommended_sizes,
            6,
        );
        named_once(
            issues,
            &format!("{AT}.recommended_sizes"),
            &self.recommended_sizes,
        );
        self.check_versions(issues);
        self.check_disks(context, live, issues);
    }

    /// A version that is live was read when it was certified: its addresses may be over by now.
    fn check_disks(&self, context: &Context<'_>, live: Option<&Self>, issues: &mut Issues) {
        let live = live.map_or(&[][..], |live| &live.image_versions);
        for (at, image) in self.image_versions.iter().enumerate() {
            if live.iter().any(|live| live.is_same_image(image)) {
                continue;
            }
            let at = format!("{AT}.image_versions[{at}]");
            disk::check(
                issues,
                &format!("{at}.os_disk"),
                &image.os_disk,
                context.now,
            );
            for (nth, address) in image.data_disks.iter().enumerate() {
                disk::check(
                    issues,
                    &format!("{at}.data_disks[{nth}]"),
                    address,
                    context.now,
                );
            }
        }
    }

    fn check_versions(&self, issues: &mut Issues) {
        let field = format!("{AT}.image_versions");
        check::min_items(issues, &field, &self.image_versions, 1);
        for (at, image) in self.image_versions.iter().enumerate() {
            let at = format!("{field}[{at}]");
            version(issues, &format!("{at}.version"), &image.version);
            check::required(
                issues,
                &format!("{at}.os_disk"),
                &image.os_disk,
                "the operating system's disk",
            );
            check::max_items(
                issues,
                &format!("{at}.data_disks"),
                &image.data_disks,
                MAX_DATA_DISKS,
            );
            named_once(issues, &format!("{at}.data_disks"), &image.data_disks);
            let disks = self
                .image_versions
                .first()
                .map_or(0, |first| first.data_disks.len());
            if image.data_disks.len() != disks {
                let message = format!(
                    "has {} data disks, the first version {disks}",
                    image.data_disks.len()
                );
                issues.error(
                    format!("{at}.data_disks"),
                    "DISKS_DIFFER",
                    message,
                    "Give every version the same number of data disks.",
                );
            }
        }
        let versions = self.image_versions.iter().enumerate();
        check::distinct(
            issues,
            versions.map(|(at, image)| (format!("{field}[{at}].version"), image.version.as_str())),
        );
        if !self.image_versions.is_empty() && !self.image_versions.iter().any(|image| image.active)
        {
            issues.error(
                field,
                "NO_ACTIVE_IMAGE",
                "no version is active",
                "Make at least one version active.",
            );
        }
    }
}

/// Every entry says something, and something else than the others.
fn named_once(issues: &mut Issues, field: &str, entries: &[String]) {
    for (at, entry) in entries.iter().enumerate() {
        check::required(issues, &format!("{field}[{at}]"), entry, "a name");
    }
    let named = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| !entry.is_empty());
    check::distinct(
        issues,
        named.map(|(at, entry)| (format!("{field}[{at}]"), entry.to_lowercase())),
    );
}
