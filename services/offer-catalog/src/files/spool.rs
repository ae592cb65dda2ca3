//! A file on disk while it comes in. It has no name from the start, so that nothing is left of it whatever happens.

use std::io::{self, SeekFrom};
use std::path::Path;

use marketplace_runtime::ids;
use sha2::{Digest, Sha256};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use super::Place;

/// A file that comes in.
pub struct Spool {
    file: File,
    hash: Sha256,
    bytes: u64,
    most: u64,
    place: Option<Place>,
}

/// Why a piece isn't taken.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The file is larger than its kind may be.
    #[error("the file has more than {0} bytes")]
    TooLarge(u64),
    /// The disk failed.
    #[error("the spool failed")]
    Disk(#[from] io::Error),
}

/// A file that is here as a whole.
pub struct Spooled {
    pub(super) file: std::fs::File,
    /// SHA-256, lower-case hex.
    pub digest: String,
    /// How many.
    pub bytes: u64,
    /// Held until the file is gone.
    pub(super) place: Option<Place>,
}

impl Spool {
    pub(super) async fn begin(folder: &Path, most: u64) -> io::Result<Self> {
        let path = folder.join(format!("spool-{}", ids::new_id()));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .await?;
        tokio::fs::remove_file(&path).await?;
        Ok(Self {
            file,
            hash: Sha256::new(),
            bytes: 0,
            most,
            place: None,
        })
    }

    /// Keeps the place for as long as there is the file.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The next piece.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), SpoolError> {
        self.bytes += piece.len() as u64;
        if self.bytes > self.most {
            return Err(SpoolError::TooLarge(self.most));
        }
        self.hash.update(piece);
        Ok(self.file.write_all(piece).await?)
    }

    /// How much came so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// SHA-256 of what came so far, lower-case hex.
    pub fn digest(&self) -> String {
        hex::encode(self.hash.clone().finalize())
    }

    /// That was all.
    pub async fn end(mut self) -> io::Result<Spooled> {
        self.file.flush().await?;
        let digest = hex::encode(self.hash.finalize());
        Ok(Spooled {
            file: self.file.into_std().await,
            digest,
            bytes: self.bytes,
            place: self.place,
        })
    }
}

/// A file, piece by piece.
pub(super) struct Pieces {
    file: File,
    buffer: Vec<u8>,
}

impl Pieces {
    const SIZE: usize = 256 * 1024;

    pub(super) async fn of(file: std::fs::File) -> io::Result<Self> {
        let mut file = File::from_std(file);
        file.seek(SeekFrom::Start(0)).await?;
        Ok(Self {
            file,
            buffer: vec![0; Self::SIZE],
        })
    }

    pub(super) async fn next(&mut self) -> io::Result<Option<&[u8]>> {
        let read = self.file.read(&mut self.buffer).await?;
        Ok((read > 0).then(|| &self.buffer[..read]))
    }
}
