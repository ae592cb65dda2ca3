//! The package of a plan (TC-5).

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::check::{self, Context};
use super::{AssetKind, Issues};

/// A package with its version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PackageConfiguration {
    /// `n.n.n`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// `{offer}/assets/{asset}`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub package: String,
}

static VERSION: LazyLock<Regex> =
    LazyLock::new(|| check::pattern(r"^[0-9]{1,9}(\.[0-9]{1,9}){2}$"));

impl PackageConfiguration {
    /// TC-5
    pub(super) fn check(&self, context: &Context<'_>, issues: &mut Issues) {
        version(issues, "package.version", &self.version);
        check::required(issues, "package.package", &self.package, "a package file");
        check::asset(
            issues,
            "package.package",
            &self.package,
            AssetKind::Package,
            context,
        );
    }
}

/// A version of three numbers, which must be there.
pub(super) fn version(issues: &mut Issues, field: &str, value: &str) {
    check::required(issues, field, value, "a version");
    check::matches(
        issues,
        field,
        value,
        &VERSION,
        "a version of three numbers, like 1.0.0",
    );
}
