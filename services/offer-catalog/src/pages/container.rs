//! Container images of a plan (TC-6).

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::Issues;
use super::check;

/// Images, or a bundle of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerConfiguration {
    /// Image by image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ContainerImage>,
    /// A CNAB reference.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bundle_reference: String,
}

/// An image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerImage {
    /// For example `docker.io/library/postgres`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub repository: String,
    /// What people call the version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tag: String,
    /// What the version is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub digest: String,
}

static REPOSITORY: LazyLock<Regex> = LazyLock::new(|| {
    check::pattern(
        r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$",
    )
});
static TAG: LazyLock<Regex> =
    LazyLock::new(|| check::pattern(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"));
static DIGEST: LazyLock<Regex> = LazyLock::new(|| check::pattern(r"^sha256:[0-9a-f]{64}$"));
static BUNDLE: LazyLock<Regex> = LazyLock::new(|| {
    check::pattern(
        r"^[a-z0-9][a-z0-9.:/_-]{0,254}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})$",
    )
});

impl ContainerConfiguration {
    /// TC-6
    pub(super) fn check(&self, issues: &mut Issues) {
        const AT: &str = "container.images";
        if self.images.is_empty() && self.bundle_reference.is_empty() {
            check::required(issues, AT, "", "an image or a bundle reference");
        }
        if !self.images.is_empty() && !self.bundle_reference.is_empty() {
            let message = "a plan deploys images or a bundle, not both";
            issues.error(
                "container.bundle_reference",
                "NOT_ALLOWED",
                message,
                "Remove the images or the bundle reference.",
            );
        }
        check::max_items(issues, AT, &self.images, 16);
        for (at, image) in self.images.iter().enumerate() {
            image.check(&format!("{AT}[{at}]"), issues);
        }
        let images = self.images.iter().enumerate();
        let keys = images.map(|(at, image)| {
            (
                format!("{AT}[{at}]"),
                (&image.repository, &image.tag, &image.digest),
            )
        });
        check::distinct(issues, keys);
        check::matches(
            issues,
            "container.bundle_reference",
            &self.bundle_reference,
            &BUNDLE,
            "a reference like registry/name:tag",
        );
    }
}

impl ContainerImage {
    fn check(&self, field: &str, issues: &mut Issues) {
        check::required(
            issues,
            &format!("{field}.repository"),
            &self.repository,
            "the image's repository",
        );
        check::max_chars(
            issues,
            &format!("{field}.repository"),
            &self.repository,
            255,
        );
        check::matches(
            issues,
            &format!("{field}.repository"),
            &self.repository,
            &REPOSITORY,
            "a repository like docker.io/library/postgres",
        );
        if self.digest.is_empty() {
            check::required(
                issues,
                &format!("{field}.tag"),
                &self.tag,
                "a tag or a digest",
            );
        }
        check::matches(
            issues,
            &format!("{field}.tag"),
            &self.tag,
            &TAG,
            "a tag of letters, digits, _, . and -",
        );
        check::matches(
            issues,
            &format!("{field}.digest"),
            &self.digest,
            &DIGEST,
            "sha256: and 64 lower-case hexadecimal digits",
        );
    }
}
