//! Files on the wire.

use std::sync::LazyLock;

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_runtime::ids::{OfferName, UploadName};
use marketplace_runtime::status::{Violation, Violations};
use regex::Regex;

use super::{optional_line, time, violations};
use crate::commands::assets::NewAsset;
use crate::commands::uploads::Start;
use crate::pages::{AssetContent, AssetKind, AssetState};
use crate::store::assets::Stored;
use crate::store::uploads::Upload;

static ID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("^[a-z0-9][a-z0-9_.-]{0,62}$").expect("a pattern of this program"));
static DIGEST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("^[0-9a-f]{64}$").expect("a pattern of this program"));

const BAD_ID: &str = "must be 1 to 63 of a-z, 0-9, _, . and -, with a letter or digit first";

/// Longest id of a large logo: ".medium" is added for what is made of it.
const LONGEST_LOGO_ID: usize = 56;

/// What is said of a file before its content, which travels in the same request.
pub fn head(head: Option<&pb::AssetHead>) -> Result<NewAsset, Vec<Violation>> {
    let Some(head) = head else {
        return Err(vec![Violation::missing("head")]);
    };
    let mut wrong = violations();
    let in_pieces = [
        ("head.upload_id", !head.upload_id.is_empty()),
        ("head.offset", head.offset != 0),
    ];
    for (field, given) in in_pieces {
        if given {
            wrong.add(Violation::new(field, "is for UploadAsset").because("NOT_APPLICABLE"));
        }
    }
    let read = read_head(&mut wrong, head);
    wrong.finish(read)
}

/// What is said of a file before its content, and where the stream begins that brings it.
pub fn upload_head(head: &pb::AssetHead) -> Result<(NewAsset, Option<Start>), Vec<Violation>> {
    let mut wrong = violations();
    let new = read_head(&mut wrong, head);
    let start = wrong.take(read_start(head));
    let read = || Some((new?, start?));
    let read = read();
    wrong.finish(read)
}

/// `None`: all of the file comes with this stream.
fn read_start(head: &pb::AssetHead) -> Result<Option<Start>, Violation> {
    let wrong = |why: &str| Err(Violation::new("head.offset", why).because("OUT_OF_RANGE"));
    let Ok(offset) = u64::try_from(head.offset) else {
        return wrong("must not be negative");
    };
    match head.upload_id.as_str() {
        "" if offset > 0 => wrong("is for an upload with an upload_id"),
        "" => Ok(None),
        upload if ID.is_match(upload) => Ok(Some(Start {
            upload: upload.to_owned(),
            offset,
        })),
        _ => Err(Violation::new("head.upload_id", BAD_ID).because("BAD_ID")),
    }
}

fn read_head(wrong: &mut Violations, head: &pb::AssetHead) -> Option<NewAsset> {
    let offer = wrong.take(OfferName::parse(&head.parent, "head.parent"));
    let kind = wrong.take(read_kind(head.kind));
    let id = wrong.take(read_id(&head.asset_id, kind));
    let file_name = wrong.take(optional_line(&head.file_name, "head.file_name", 255));
    let digest = wrong.take(match head.digest.as_str() {
        "" => Ok(None),
        digest => read_digest(digest, "head.digest").map(Some),
    });
    let bytes = wrong.take(read_size(head.size_bytes, kind));
    Some(NewAsset {
        offer: offer?,
        id: id?,
        kind: kind?,
        file_name: file_name?,
        digest: digest?,
        bytes: bytes?,
    })
}

fn read_size(bytes: i64, kind: Option<AssetKind>) -> Result<Option<u64>, Violation> {
    let field = "head.size_bytes";
    match u64::try_from(bytes) {
        Ok(0) => Ok(None),
        Ok(bytes) => match kind {
            Some(kind) if bytes > kind.max_bytes() => Err(too_large_in(field, kind)),
            _ => Ok(Some(bytes)),
        },
        Err(_) => Err(Violation::new(field, "must not be negative").because("OUT_OF_RANGE")),
    }
}

fn read_id(text: &str, kind: Option<AssetKind>) -> Result<String, Violation> {
    let wrong = |why: &str| Err(Violation::new("head.asset_id", why).because("BAD_ID"));
    if text.is_empty() {
        return Err(Violation::missing("head.asset_id"));
    }
    if !ID.is_match(text) {
        return wrong(BAD_ID);
    }
    if kind == Some(AssetKind::LogoLarge) && text.len() > LONGEST_LOGO_ID {
        return wrong("must have at most 56 characters: ids of the smaller logos are made of it");
    }
    Ok(text.to_owned())
}

fn read_kind(value: i32) -> Result<AssetKind, Violation> {
    if value == 0 {
        return Err(Violation::missing("head.kind"));
    }
    let wire = pb::AssetKind::try_from(value).ok();
    let known = AssetKind::ALL
        .into_iter()
        .find(|known| Some(kind(*known)) == wire);
    known.ok_or_else(|| Violation::new("head.kind", "is no known kind").because("UNKNOWN_VALUE"))
}

/// A digest, as it was asked for.
pub fn read_digest(text: &str, field: &str) -> Result<String, Violation> {
    if text.is_empty() {
        return Err(Violation::missing(field));
    }
    if DIGEST.is_match(text) {
        Ok(text.to_owned())
    } else {
        Err(bad_digest(field))
    }
}

fn bad_digest(field: &str) -> Violation {
    Violation::new(field, "must be 64 lower-case hexadecimal digits").because("BAD_DIGEST")
}

/// Content of more bytes than its kind may have.
pub fn too_large(kind: AssetKind) -> Violation {
    too_large_in("content", kind)
}

fn too_large_in(field: &str, kind: AssetKind) -> Violation {
    let most = kind.max_bytes();
    let why = format!("has more than {most} bytes, the most for {}", kind.as_str());
    Violation::new(field, why).because("TOO_LARGE")
}

/// Content that should travel as a stream.
pub fn too_large_inline(most: usize) -> Violation {
    Violation::new(
        "content",
        format!("has more than {most} bytes; use UploadAsset"),
    )
    .because("TOO_LARGE")
}

/// A stream that doesn't begin with its head, or has two.
pub fn out_of_order(why: &str) -> Violation {
    Violation::new("part", why).because("OUT_OF_ORDER")
}

/// Content that isn't the announced one.
pub fn other_digest(found: &str) -> Violation {
    Violation::new(
        "head.digest",
        format!("is not that of the content, {found}"),
    )
    .because("OTHER_DIGEST")
}

/// Content that has another size than the announced one.
pub fn other_size(found: u64) -> Violation {
    let why = format!("is not that of the content, of which {found} bytes have come");
    Violation::new("head.size_bytes", why).because("OTHER_SIZE")
}

/// As it is answered.
pub fn upload(name: &UploadName, upload: &Upload) -> pb::Upload {
    pb::Upload {
        name: name.to_string(),
        asset_id: upload.asset_id.clone(),
        kind: kind(upload.kind) as i32,
        file_name: upload.file_name.clone(),
        digest: upload.digest.clone().unwrap_or_default(),
        size_bytes: upload.size_bytes.unwrap_or_default(),
        committed_bytes: upload.committed_bytes,
        create_time: time(upload.create_time),
        expire_time: time(upload.expire_time),
    }
}

/// As it is answered.
pub fn asset(offer: &OfferName, asset: &Stored) -> pb::Asset {
    pb::Asset {
        name: format!("{offer}/assets/{}", asset.asset_id),
        kind: kind(asset.kind) as i32,
        digest: asset.digest.clone(),
        size_bytes: asset.size_bytes,
        content_type: asset.content_type.clone(),
        width: asset.width.unwrap_or_default(),
        height: asset.height.unwrap_or_default(),
        file_name: asset.file_name.clone(),
        state: state(asset.state) as i32,
        etag: asset.revision.to_string(),
        create_time: time(asset.create_time),
    }
}

/// What drafts and snapshots say of a file, as it is answered.
pub fn content(asset: &AssetContent, at: AssetState) -> pb::Asset {
    let pixels = |size: Option<u32>| i32::try_from(size.unwrap_or_default()).unwrap_or(i32::MAX);
    pb::Asset {
        name: asset.name.clone(),
        kind: kind(asset.kind) as i32,
        digest: asset.digest.clone(),
        size_bytes: i64::try_from(asset.size_bytes).unwrap_or(i64::MAX),
        content_type: asset.content_type.clone(),
        width: pixels(asset.width),
        height: pixels(asset.height),
        file_name: asset.file_name.clone(),
        state: state(at) as i32,
        ..pb::Asset::default()
    }
}

/// A kind as it is answered.
pub fn kind(kind: AssetKind) -> pb::AssetKind {
    match kind {
        AssetKind::LogoLarge => pb::AssetKind::LogoLarge,
        AssetKind::LogoMedium => pb::AssetKind::LogoMedium,
        AssetKind::LogoSmall => pb::AssetKind::LogoSmall,
        AssetKind::LogoWide => pb::AssetKind::LogoWide,
        AssetKind::LogoHero => pb::AssetKind::LogoHero,
        AssetKind::Screenshot => pb::AssetKind::Screenshot,
        AssetKind::VideoThumbnail => pb::AssetKind::VideoThumbnail,
        AssetKind::Document => pb::AssetKind::Document,
        AssetKind::Package => pb::AssetKind::Package,
    }
}

fn state(state: AssetState) -> pb::AssetState {
    match state {
        AssetState::PendingUpload => pb::AssetState::PendingUpload,
        AssetState::Uploaded => pb::AssetState::Uploaded,
        AssetState::InProcessing => pb::AssetState::InProcessing,
        AssetState::Processed => pb::AssetState::Processed,
        AssetState::ProcessFailed => pb::AssetState::ProcessFailed,
    }
}
