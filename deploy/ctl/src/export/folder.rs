//! The folder that is written to: what is there already, what differs, and files that are whole or not there.

use std::io::Write;
use std::path::{Path, PathBuf};

use marketplace_proto::offercatalog::v1::{Asset, DownloadAssetRequest};
use sha2::{Digest, Sha256};

use crate::api::Api;
use crate::error::{Error, Problem};

/// What is in a file.
pub enum Content {
    Bytes(Vec<u8>),
    /// To be downloaded.
    Asset(Asset),
}

/// What has to be done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    New,
    Same,
    Differs,
}

pub struct File {
    pub path: PathBuf,
    pub state: State,
    content: Content,
}

pub struct Folder {
    pub files: Vec<File>,
}

impl State {
    pub fn sign(self) -> char {
        match self {
            Self::New => '+',
            Self::Same => '=',
            Self::Differs => '~',
        }
    }

    pub fn action(self) -> &'static str {
        match self {
            Self::New => "create",
            Self::Same => "keep",
            Self::Differs => "overwrite",
        }
    }
}

impl Content {
    fn digest(&self) -> String {
        match self {
            Self::Bytes(bytes) => hex::encode(Sha256::digest(bytes)),
            Self::Asset(asset) => asset.digest.clone(),
        }
    }
}

impl Folder {
    /// Looks at every file that is to be written.
    pub fn compare(folder: &Path, files: Vec<(String, Content)>) -> Result<Self, Error> {
        let mut compared = Vec::new();
        for (path, content) in files {
            let path = folder.join(path);
            let state = match digest_of(&path).map_err(|e| io(&path, e))? {
                None => State::New,
                Some(digest) if digest == content.digest() => State::Same,
                Some(_) => State::Differs,
            };
            compared.push(File {
                path,
                state,
                content,
            });
        }
        Ok(Self { files: compared })
    }

    /// Nothing that somebody wrote is lost unless they say so.
    pub fn refuse_differences(&self) -> Result<(), Error> {
        let differing = self
            .files
            .iter()
            .filter(|file| file.state == State::Differs);
        let problems: Vec<_> = differing
            .map(|file| Problem {
                file: file.path.display().to_string(),
                line: 0,
                text: "is there and differs; --force overwrites it".to_owned(),
            })
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Error::Files(problems))
        }
    }

    /// Writes what is new or differs.
    pub async fn write(&self, api: &Api, offer: &str) -> Result<(), Error> {
        for file in self.files.iter().filter(|file| file.state != State::Same) {
            let folder = file.path.parent().unwrap_or(Path::new("."));
            std::fs::create_dir_all(folder).map_err(|e| io(folder, e))?;
            let part = part_of(&file.path);
            let written = match &file.content {
                Content::Bytes(bytes) => std::fs::write(&part, bytes).map_err(|e| io(&part, e)),
                Content::Asset(asset) => download(api, offer, asset, &part).await,
            };
            let moved = written
                .and_then(|()| std::fs::rename(&part, &file.path).map_err(|e| io(&file.path, e)));
            if moved.is_err() {
                // What is not whole is not left behind; the first error is the one to tell.
                let _ = std::fs::remove_file(&part);
            }
            moved?;
        }
        Ok(())
    }
}

/// Where a file is written before it is whole.
fn part_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.part"))
}

/// Streams the content of an asset to a file, and believes only its digest.
async fn download(api: &Api, offer: &str, asset: &Asset, to: &Path) -> Result<(), Error> {
    let request = DownloadAssetRequest {
        offer: offer.to_owned(),
        digest: asset.digest.clone(),
        preview_token: String::new(),
    };
    let mut stream = api.stream(request).await?;
    let mut file = std::fs::File::create(to).map_err(|e| io(to, e))?;
    let mut hash = Sha256::new();
    let mut left = u64::try_from(asset.size_bytes).unwrap_or_default();
    while let Some(message) = stream.message().await.map_err(|status| Error::Refused {
        rpc: "DownloadAsset",
        status: Box::new(status),
    })? {
        let length = message.chunk.len() as u64;
        left = left.checked_sub(length).ok_or_else(|| damaged(asset))?;
        hash.update(&message.chunk);
        file.write_all(&message.chunk).map_err(|e| io(to, e))?;
    }
    if left == 0 && hex::encode(hash.finalize()) == asset.digest {
        Ok(())
    } else {
        Err(damaged(asset))
    }
}

fn damaged(asset: &Asset) -> Error {
    let why = std::io::Error::new(
        std::io::ErrorKind::InvalidData,
        "what was sent is not what was stored: size or digest differ",
    );
    Error::io(asset.name.clone(), why)
}

fn io(path: &Path, error: std::io::Error) -> Error {
    Error::io(path.display().to_string(), error)
}

/// The digest of a file; `None`: there is none.
fn digest_of(path: &Path) -> std::io::Result<Option<String>> {
    let mut file = match std::fs::File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match std::io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(Some(hex::encode(hash.finalize()))),
            read => hash.update(&buffer[..read]),
        }
    }
}
