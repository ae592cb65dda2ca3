//! Files of an offer: kinds, their limits, and what pages may show (LI-13 … LI-18).

use serde::{Deserialize, Serialize};

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AssetKind {
    /// Square, 216 to 350 pixels.
    LogoLarge,
    /// 90 × 90.
    LogoMedium,
    /// 48 × 48.
    LogoSmall,
    /// 255 × 115; the size is that of "Wide" in the articles "Create a … offer" for the commercial marketplace of 2019 to
    /// 2020 (learn.microsoft.com/azure/marketplace, by type of offer), which the Azure portal shows in lists.
    LogoWide,
    /// 815 × 290; "Hero" in the same articles: the banner of the offer in the Azure portal.
    LogoHero,
    /// 1280 × 720.
    Screenshot,
    /// 1280 × 720.
    VideoThumbnail,
    /// A PDF.
    Document,
    /// What is deployed.
    Package,
}

const MIB: u64 = 1024 * 1024;

impl AssetKind {
    /// Every kind.
    pub const ALL: [AssetKind; 9] = [
        Self::LogoLarge,
        Self::LogoMedium,
        Self::LogoSmall,
        Self::LogoWide,
        Self::LogoHero,
        Self::Screenshot,
        Self::VideoThumbnail,
        Self::Document,
        Self::Package,
    ];

    /// As rows and snapshots name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LogoLarge => "LOGO_LARGE",
            Self::LogoMedium => "LOGO_MEDIUM",
            Self::LogoSmall => "LOGO_SMALL",
            Self::LogoWide => "LOGO_WIDE",
            Self::LogoHero => "LOGO_HERO",
            Self::Screenshot => "SCREENSHOT",
            Self::VideoThumbnail => "VIDEO_THUMBNAIL",
            Self::Document => "DOCUMENT",
            Self::Package => "PACKAGE",
        }
    }

    /// The kind that rows call `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The most bytes that one may have.
    pub const fn max_bytes(self) -> u64 {
        match self {
            Self::Document => 50 * MIB,
            Self::Package => 1024 * MIB,
            _ => 10 * MIB,
        }
    }

    /// Whether it is a picture.
    pub const fn is_image(self) -> bool {
        !matches!(self, Self::Document | Self::Package)
    }

    /// What is wrong with an image of this size, if anything (LI-14, LI-15, LI-16, LI-18).
    pub fn size_fault(self, width: u32, height: u32) -> Option<String> {
        let (fits, wanted) = match self {
            Self::LogoLarge => (
                width == height && (216..=350).contains(&width),
                "square and 216 to 350 pixels wide",
            ),
            Self::LogoMedium => ((width, height) == (90, 90), "90 × 90 pixels"),
            Self::LogoSmall => ((width, height) == (48, 48), "48 × 48 pixels"),
            Self::LogoWide => ((width, height) == (255, 115), "255 × 115 pixels"),
            Self::LogoHero => ((width, height) == (815, 290), "815 × 290 pixels"),
            Self::Screenshot | Self::VideoThumbnail => {
                ((width, height) == (1280, 720), "1280 × 720 pixels")
            }
            Self::Document | Self::Package => (true, ""),
        };
        (!fits).then(|| format!("must be {wanted}; it is {width} × {height}"))
    }
}

/// Where a file is on its way to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssetState {
    /// Announced only.
    PendingUpload,
    /// Here, not looked at.
    Uploaded,
    /// Being looked at.
    InProcessing,
    /// Good to be shown.
    Processed,
    /// Looked at and refused.
    ProcessFailed,
}

impl AssetState {
    /// Every state.
    pub const ALL: [AssetState; 5] = [
        Self::PendingUpload,
        Self::Uploaded,
        Self::InProcessing,
        Self::Processed,
        Self::ProcessFailed,
    ];

    /// As rows name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingUpload => "pending_upload",
            Self::Uploaded => "uploaded",
            Self::InProcessing => "in_processing",
            Self::Processed => "processed",
            Self::ProcessFailed => "process_failed",
        }
    }

    /// The state that rows call `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A file that can be named by pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Where it is on its way.
    pub state: AssetState,
    /// What snapshots say of it.
    pub content: AssetContent,
}

/// What snapshots say of a file; its bytes are found by `digest`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetContent {
    /// `{offer}/assets/{asset}`
    pub name: String,
    /// What it is for.
    pub kind: AssetKind,
    /// SHA-256 of its bytes, lower-case hex.
    pub digest: String,
    /// How many bytes.
    pub size_bytes: u64,
    /// As its bytes say, not as its sender says.
    pub content_type: String,
    /// Images only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Images only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// As its sender called it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file_name: String,
}
