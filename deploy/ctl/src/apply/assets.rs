//! Files that pages show: which fields take them, what an asset is called, and how it is stored.
//!
//! An asset's id carries the beginning of its digest ("logo-1a2b3c4d.png"): another picture under the same file name is
//! another asset, so that storing it can't change what an earlier draft, preview or listing shows.

use std::path::{Path, PathBuf};

use marketplace_proto::offercatalog::v1::{AssetHead, AssetKind, CreateAssetRequest};
use prost_reflect::FieldDescriptor;
use sha2::{Digest, Sha256};

use super::source;
use super::upload;
use crate::api::{Api, request_id};
use crate::error::Error;

/// The kind of an asset.
pub type Kind = AssetKind;

/// The most that travels in one request.
const INLINE: u64 = 3 * 1024 * 1024;
/// The longest id that is made: the catalog appends ".medium" to that of a large logo.
const LONGEST: usize = 56;
/// The longest extension in it.
const EXTENSION: usize = 16;
/// How much of the digest is in it.
const DIGEST: usize = 8;

/// A file that a page refers to. It is read for its digest, and once more where it is stored: it may be large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetFile {
    pub id: String,
    pub kind: Kind,
    pub file_name: String,
    /// SHA-256, lower-case hex.
    pub digest: String,
    pub path: PathBuf,
    pub size: u64,
    /// Where the offer's file names it.
    pub line: usize,
}

/// What a file is that may be of two kinds: evidence is an archive or a document (SU-2).
pub fn kind_of_file(kind: Kind, path: &str, file: &Path) -> Kind {
    let zip = file
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("zip"));
    if zip && path.starts_with("evidence") {
        Kind::Package
    } else {
        kind
    }
}

/// The kind of asset that a field refers to; `None`: the field is an ordinary text.
pub fn kind(field: &FieldDescriptor, path: &str) -> Option<Kind> {
    Some(match (field.parent_message().name(), field.name()) {
        ("OfferListingPage", "large_logo") => Kind::LogoLarge,
        ("OfferListingPage", "medium_logo") => Kind::LogoMedium,
        ("OfferListingPage", "small_logo") => Kind::LogoSmall,
        ("OfferListingPage", "wide_logo") => Kind::LogoWide,
        ("OfferListingPage", "hero_logo") => Kind::LogoHero,
        ("Video", "thumbnail") => Kind::VideoThumbnail,
        ("PackageConfiguration", "package") => Kind::Package,
        ("CaptionedAsset", "asset") if path.starts_with("screenshots") => Kind::Screenshot,
        ("CaptionedAsset", "asset") => Kind::Document,
        _ => return None,
    })
}

impl AssetFile {
    pub fn read(file: &Path, kind: Kind) -> std::io::Result<Self> {
        let mut hash = Sha256::new();
        let mut content = source::open(file, source::MOST_CONTENT)?;
        let size = std::io::copy(&mut content, &mut hash)?;
        let digest = hex::encode(hash.finalize());
        let file_name = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        Ok(Self {
            id: id(&file_name, &digest),
            kind,
            file_name,
            digest,
            path: file.to_owned(),
            size,
            line: 0,
        })
    }

    /// Stores it.
    pub async fn upload(&self, api: &Api, offer: &str) -> Result<(), Error> {
        let head = AssetHead {
            parent: offer.to_owned(),
            asset_id: self.id.clone(),
            kind: self.kind.into(),
            file_name: self.file_name.clone(),
            digest: self.digest.clone(),
            request_id: request_id(),
            size_bytes: self.size as i64,
            ..AssetHead::default()
        };
        if self.size > INLINE {
            return upload::send(api, head, &self.path).await;
        }
        let request = CreateAssetRequest {
            head: Some(head),
            content: source::bytes(&self.path, INLINE)
                .map_err(|error| Error::io(self.path.display().to_string(), error))?,
        };
        api.call(request).await.map(|_| ())
    }
}

/// Whether a text can be an asset's id.
pub fn is_id(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 63
        && text.starts_with(allowed)
        && text
            .chars()
            .all(|c| allowed(c) || matches!(c, '_' | '.' | '-'))
}

/// `^[a-z0-9][a-z0-9_.-]{0,55}$` of a file name and a digest.
pub fn id(file_name: &str, digest: &str) -> String {
    let (stem, extension) = file_name.rsplit_once('.').unwrap_or((file_name, ""));
    let clean = |text: &str| -> String {
        let lower = text.chars().map(|c| c.to_ascii_lowercase());
        lower
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '_' {
                    c
                } else {
                    '-'
                }
            })
            .collect()
    };
    let (mut stem, mut extension) = (clean(stem), clean(extension));
    extension.truncate(EXTENSION);
    stem.truncate(LONGEST - DIGEST - extension.len() - 2);
    let stem = stem.trim_start_matches(['-', '_']);
    let stem = if stem.is_empty() { "asset" } else { stem };
    let digest = &digest[..digest.len().min(DIGEST)];
    if extension.is_empty() {
        format!("{stem}-{digest}")
    } else {
        format!("{stem}-{digest}.{extension}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_what_the_catalog_takes() {
        let digest = "1a2b3c4d5e6f";
        let table = [
            ("logo.png", "logo-1a2b3c4d.png"),
            ("My Screenshot (2).PNG", "my-screenshot--2--1a2b3c4d.png"),
            ("__x", "x-1a2b3c4d"),
            (".png", "asset-1a2b3c4d.png"),
            ("größe.pdf", "gr--e-1a2b3c4d.pdf"),
        ];
        for (file, wanted) in table {
            assert_eq!(id(file, digest), wanted);
            assert!(is_id(wanted), "{wanted}");
        }
        let long = "x".repeat(200);
        for file in [
            format!("{long}.tar.gz"),
            format!("a.{long}"),
            format!("{long}.{long}"),
            long,
        ] {
            let made = id(&file, "1a2b3c4d5e6f");
            assert!(is_id(&made) && made.len() <= 56, "{made}");
        }
        for wrong in ["", "-a", "A", "a b", "a/b", &"a".repeat(64)] {
            assert!(!is_id(wrong), "{wrong}");
        }
    }

    #[test]
    fn another_content_is_another_asset() {
        let folder = std::env::temp_dir();
        let file = folder.join(format!("marketctl-asset-{}.png", std::process::id()));
        std::fs::write(&file, b"one").unwrap();
        let one = AssetFile::read(&file, Kind::LogoLarge).unwrap();
        std::fs::write(&file, b"two").unwrap();
        let two = AssetFile::read(&file, Kind::LogoLarge).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_ne!(one.id, two.id);
        assert_eq!(
            one.digest,
            "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
        );
    }
}
