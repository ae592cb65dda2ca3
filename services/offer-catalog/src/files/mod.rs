//! Files on their way in: spooled to disk with bounded memory, looked at by decoding, stored by digest.
//!
//! What a file says of itself (name, type) counts for nothing; what its bytes are does. Sizes that an image declares are
//! judged before a pixel is decoded, so that no image makes us allocate more than the largest allowed one.

mod logos;
mod package;
mod pdf;
mod places;
mod png;
mod spool;

use std::io::{self, Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;

use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use places::Places;
pub use places::{Limits, NoPlace, Place};
pub use spool::{Spool, SpoolError, Spooled};

use crate::contents::Contents;
use crate::pages::AssetKind;

/// How many files are decoded and stored at once; each takes at most about 20 MiB while it is.
const AT_ONCE: usize = 3;

/// A good file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What its bytes are.
    pub content_type: &'static str,
    /// Images only.
    pub size: Option<(u32, u32)>,
}

/// Why a file is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// For programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

impl Fault {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

/// Why a file can't be taken in.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It is not what it should be.
    #[error("the file is refused: {}", .0.message)]
    Refused(Fault),
    /// The disk failed.
    #[error("the spool failed")]
    Disk(#[from] io::Error),
    /// It can't be stored.
    #[error(transparent)]
    Storage(Box<crate::error::Error>),
}

/// A file that was looked at and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What it is.
    pub found: Found,
    /// SHA-256, lower-case hex.
    pub digest: String,
    /// Bytes.
    pub bytes: u64,
    /// The smaller logos that were made of a large one (LI-14).
    pub derived: Vec<Derived>,
}

/// A logo that was made of a larger one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// Medium or small.
    pub kind: AssetKind,
    /// Width and height.
    pub pixels: u32,
    /// SHA-256, lower-case hex.
    pub digest: String,
    /// Bytes.
    pub bytes: u64,
}

/// Takes files in. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    contents: Contents,
    folder: Arc<PathBuf>,
    turns: Arc<Semaphore>,
    places: Places,
    limits: Limits,
}

impl Intake {
    /// Spools to `folder`, which is made if need be, and stores in `contents`.
    pub fn new(contents: Contents, folder: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            contents,
            folder: Arc::new(folder),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            places: Places::default(),
            limits: Limits::default(),
        })
    }

    /// The same with other limits.
    #[must_use]
    pub fn limited(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What uploads may take.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// A place for an upload of a publisher; it goes with the spool.
    pub fn place(&self, publisher: &str) -> Result<Place, NoPlace> {
        self.places.take(publisher, &self.limits)
    }

    /// Begins a file of at most `most` bytes.
    pub async fn spool(&self, most: u64) -> io::Result<Spool> {
        Spool::begin(&self.folder, most).await
    }

    /// Looks at a file and stores it with what is made of it.
    pub async fn take(&self, kind: AssetKind, spooled: Spooled) -> Result<Stored, IntakeError> {
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await.map_err(io::Error::other)?;
        let Spooled {
            mut file,
            digest,
            bytes,
            place: _place,
        } = spooled;
        let looked = spawn_blocking(move || {
            let found = inspect(kind, &mut file)?;
            let logos = match (&found, kind) {
                (Ok(_), AssetKind::LogoLarge) => logos::derive(&mut file)?,
                _ => Vec::new(),
            };
            Ok::<_, io::Error>((found, logos, file))
        });
        let (found, logos, file) = looked.await.map_err(io::Error::other)??;
        let found = found.map_err(IntakeError::Refused)?;
        self.store(file, &digest).await?;
        let mut derived = Vec::with_capacity(logos.len());
        for logo in logos {
            let bytes = logo.png.len() as u64;
            let digest = self.contents.put(logo.png.into()).await.map_err(storage)?;
            derived.push(Derived {
                kind: logo.kind,
                pixels: logo.pixels,
                digest,
                bytes,
            });
        }
        Ok(Stored {
            found,
            digest,
            bytes,
            derived,
        })
    }

    /// Stores a piece of a file as it is; answers its digest.
    pub async fn keep(&self, piece: Spooled) -> Result<String, IntakeError> {
        let _turn = self.turns.acquire().await.map_err(io::Error::other)?;
        self.store(piece.file, &piece.digest).await?;
        Ok(piece.digest)
    }

    /// The file of which these are the stored pieces, and `tail` what came behind them.
    pub async fn join(&self, pieces: &[String], tail: Spooled) -> Result<Spool, IntakeError> {
        let mut whole = self.spool(u64::MAX).await?;
        for digest in pieces {
            let stored = self.contents.stream(digest).await.map_err(storage)?;
            let mut stored = std::pin::pin!(stored);
            let mut hash = Sha256::new();
            while let Some(bytes) = stored.try_next().await.map_err(storage)? {
                hash.update(&bytes);
                whole.write(&bytes).await.map_err(spooling)?;
            }
            if hex::encode(hash.finalize()) != *digest {
                let why = format!("a piece of an upload is not {digest}");
                return Err(storage(crate::error::Error::corrupt(why)));
            }
        }
        let mut tail = spool::Pieces::of(tail.file).await?;
        while let Some(bytes) = tail.next().await? {
            whole.write(bytes).await.map_err(spooling)?;
        }
        Ok(whole)
    }

    async fn store(&self, file: std::fs::File, digest: &str) -> Result<(), IntakeError> {
        let mut pieces = spool::Pieces::of(file).await?;
        let Some(mut upload) = self.contents.begin(digest).await.map_err(storage)? else {
            return Ok(());
        };
        while let Some(piece) = pieces.next().await? {
            upload.write(piece).await.map_err(storage)?;
        }
        // What was looked at is what was stored.
        if upload.keep().await.map_err(storage)? {
            Ok(())
        } else {
            Err(io::Error::other("the spooled file has changed").into())
        }
    }
}

/// A spool without a limit.
fn spooling(error: SpoolError) -> IntakeError {
    match error {
        SpoolError::Disk(error) => error.into(),
        other => io::Error::other(other).into(),
    }
}

fn storage(error: impl Into<crate::error::Error>) -> IntakeError {
    IntakeError::Storage(Box::new(error.into()))
}

/// Looks at a file of this kind.
pub fn inspect<F: Read + Seek>(kind: AssetKind, file: &mut F) -> io::Result<Result<Found, Fault>> {
    file.rewind()?;
    match kind {
        AssetKind::Document => pdf::inspect(file),
        AssetKind::Package => package::inspect(file),
        _ => png::inspect(kind, file),
    }
}

/// Reads until `buffer` is full or the file ends; answers how much.
fn read_up_to(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            more => filled += more,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests;
