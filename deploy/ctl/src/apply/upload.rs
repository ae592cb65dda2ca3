//! Large files, sent by as many streams as their lines take to break. What one has brought another needn't bring again,
//! not even one of a later run.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use marketplace_proto::offercatalog::v1::{
    Asset, AssetHead, GetAssetRequest, GetUploadRequest, UploadAssetRequest,
    upload_asset_request::Part,
};
use prost::Message;
use sha2::{Digest, Sha256};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::api::Api;
use crate::error::{Error, is_of_the_line};

/// The most in one part of a stream.
const CHUNK: u64 = 1024 * 1024;
/// Streams that may break one after the other without having brought anything. Before each the service is asked how far
/// the upload has come, which is tried again for some seconds as well.
const TRIES: u32 = 6;
/// Pause after each.
const PAUSE: Duration = Duration::from_millis(500);

/// Sends a file until it is an asset.
pub async fn send(api: &Api, head: AssetHead, file: &Path) -> Result<(), Error> {
    let head = AssetHead {
        upload_id: upload_id(&head),
        ..head
    };
    let (mut tried, mut offset) = (0, committed(api, &head).await?.unwrap_or(0));
    loop {
        let parts =
            parts(&head, offset, file).map_err(|e| Error::io(file.display().to_string(), e))?;
        let Err(error) = api.upload(parts).await else {
            return Ok(());
        };
        tried += 1;
        if tried == TRIES || !worth_another_try(&error) {
            return Err(error);
        }
        tokio::time::sleep(PAUSE).await;
        let now = match committed(api, &head).await? {
            Some(now) => now,
            // It has ended, or never began.
            None if is_there(api, &head).await? => return Ok(()),
            None => 0,
        };
        if now > offset {
            tried = 0;
        }
        offset = now;
    }
}

/// The same file as the same asset is the same upload, in every run.
fn upload_id(head: &AssetHead) -> String {
    let head = AssetHead {
        request_id: String::new(),
        ..head.clone()
    };
    let mut id = hex::encode(Sha256::digest(head.encode_to_vec()));
    id.truncate(40);
    id
}

/// How much of it the catalog has; `None`: no such upload.
async fn committed(api: &Api, head: &AssetHead) -> Result<Option<u64>, Error> {
    let name = format!("{}/uploads/{}", head.parent, head.upload_id);
    match api.call(GetUploadRequest { name }).await {
        Ok(answer) => {
            let bytes = answer.upload.unwrap_or_default().committed_bytes;
            Ok(Some(u64::try_from(bytes).unwrap_or_default()))
        }
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the asset has been made, and only the answer was lost.
async fn is_there(api: &Api, head: &AssetHead) -> Result<bool, Error> {
    let name = format!("{}/assets/{}", head.parent, head.asset_id);
    match api.call(GetAssetRequest { name }).await {
        Ok(answer) => Ok(is_of(head, &answer.asset.unwrap_or_default())),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_of(head: &AssetHead, asset: &Asset) -> bool {
    (&asset.digest, asset.kind) == (&head.digest, head.kind)
}

/// The head and what follows `offset`, read as it is sent. What can't be read any more is missed by the service.
fn parts(
    head: &AssetHead,
    offset: u64,
    file: &Path,
) -> io::Result<impl Iterator<Item = UploadAssetRequest> + Send + 'static> {
    let head = AssetHead {
        offset: offset as i64,
        ..head.clone()
    };
    let mut rest = File::open(file)?;
    rest.seek(SeekFrom::Start(offset))?;
    let chunks = std::iter::from_fn(move || {
        let mut chunk = Vec::new();
        let read = rest.by_ref().take(CHUNK).read_to_end(&mut chunk).ok()?;
        (read > 0).then_some(Part::Chunk(chunk))
    });
    let parts = std::iter::once(Part::Head(head)).chain(chunks);
    Ok(parts.map(|part| UploadAssetRequest { part: Some(part) }))
}

/// Lines that break, a service that is away, and one that has committed more than we knew.
fn worth_another_try(error: &Error) -> bool {
    match error {
        Error::Unreachable { .. } => true,
        Error::Refused { status, .. } => may_pass(status),
        _ => false,
    }
}

fn may_pass(status: &Status) -> bool {
    let info = status.get_details_error_info();
    match (
        status.code(),
        info.as_ref().map(|info| info.reason.as_str()),
    ) {
        // The stream took longer than one may.
        (Code::Unavailable | Code::DeadlineExceeded, _) | (_, Some("OTHER_OFFSET")) => true,
        // What a stream that is reset in the middle is told by its own end.
        (Code::Internal, None) => true,
        _ => is_of_the_line(status),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn head() -> AssetHead {
        AssetHead {
            parent: "publishers/contoso/offers/forge".into(),
            asset_id: "package-1a2b3c4d.zip".into(),
            digest: "1a2b3c4d".into(),
            ..AssetHead::default()
        }
    }

    #[test]
    fn what_was_committed_is_not_sent_again() {
        let file = std::env::temp_dir().join(format!("marketctl-parts-{}", std::process::id()));
        std::fs::write(&file, vec![7; 2 * CHUNK as usize + 5]).unwrap();
        let sent = |offset| {
            let mut parts = parts(&head(), offset, &file).unwrap();
            let first = parts.next().and_then(|request| request.part);
            let Some(Part::Head(head)) = first else {
                panic!("the head comes first");
            };
            assert_eq!(head.offset, offset as i64);
            let chunks = parts.map(|request| match request.part {
                Some(Part::Chunk(chunk)) => chunk.len() as u64,
                other => panic!("{other:?}"),
            });
            chunks.collect::<Vec<_>>()
        };
        assert_eq!(sent(0), [CHUNK, CHUNK, 5]);
        assert_eq!(sent(CHUNK + 1), [CHUNK, 4]);
        assert!(sent(2 * CHUNK + 5).is_empty());
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn another_run_finds_the_upload_and_another_file_does_not() {
        let again = AssetHead {
            request_id: "of another run".into(),
            ..head()
        };
        let id = upload_id(&head());
        assert_eq!(upload_id(&again), id);
        assert_eq!(id.len(), 40);
        let other = AssetHead {
            digest: "5e6f".into(),
            ..head()
        };
        assert_ne!(upload_id(&other), id);
    }

    #[test]
    fn a_refusal_is_not_tried_again() {
        let because = |code, reason: &str| {
            let mut details = tonic_types::ErrorDetails::new();
            details.set_error_info(reason, "marketplace.offercatalog.v1", HashMap::new());
            Status::with_error_details(code, "no", details)
        };
        for passes in [
            Status::unavailable("reset"),
            Status::unknown("h2 protocol error"),
            because(Code::Unavailable, "UNAVAILABLE"),
            because(Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
            because(Code::FailedPrecondition, "OTHER_OFFSET"),
        ] {
            assert!(may_pass(&passes), "{passes:?}");
        }
        for stays in [
            because(Code::InvalidArgument, "OTHER_DIGEST"),
            because(Code::Aborted, "CONCURRENT_CHANGE"),
            because(Code::Internal, "INTERNAL"),
            because(Code::ResourceExhausted, "TOO_MANY_OPEN_UPLOADS"),
        ] {
            assert!(!may_pass(&stays), "{stays:?}");
        }
    }
}
