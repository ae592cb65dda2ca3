//! Objects with the content of assets, by the name of their place. Each is written once and never changed; which of them
//! holds which content is in the database ([`crate::contents`]).
//!
//! They are files of a folder, for one replica, or objects of an S3-compatible bucket, for any number of them.

use std::fs::{File, TryLockError};
use std::path::{Path as Folder, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{
    ClientConfigKey, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig,
};
use sha2::{Digest, Sha256};

use crate::config::Bucket;

/// Where objects are kept. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    folder: Option<Arc<Locked>>,
}

/// A folder that no other process serves from while this lasts.
struct Locked {
    path: PathBuf,
    _lock: File,
}

/// An object, piece by piece.
pub type Pieces = BoxStream<'static, Result<Bytes, BlobError>>;

/// Why content can't be had.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// Content that a row names isn't there.
    #[error("content {0} is missing")]
    Missing(String),
    /// Another process keeps its content in this folder.
    #[error(
        "another process serves from {}: replicas need a bucket that they share, in BLOB_STORE",
        .0.display()
    )]
    Taken(PathBuf),
    /// The storage was told to delete an object and has it still.
    #[error("the storage doesn't delete {0}")]
    Undeleted(String),
    /// Not the storage that the database knows.
    #[error(
        "{0} isn't there: this storage is not the one whose contents the database knows. Bring that one back, or copy all of \
         it here"
    )]
    Other(String),
    /// An upload took so long that it was given up.
    #[error("content came in so slowly that it was given up")]
    Late,
    /// The storage can't be reached or fails.
    #[error("the storage failed")]
    Away(#[source] object_store::Error),
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { path, .. } => Self::Missing(path),
            other => Self::Away(other),
        }
    }
}

/// An object on its way in; dropped without [`Upload::end`] it leaves nothing that anybody can read.
pub struct Upload {
    store: Arc<dyn ObjectStore>,
    place: Path,
    /// From the first full part on; what has less is written at once.
    parts: Option<Box<dyn MultipartUpload>>,
    pending: Vec<u8>,
    hash: Sha256,
}

/// Parts of a multipart upload have at least 5 MiB, but for the last.
const PART: usize = 5 * 1024 * 1024;

impl Blobs {
    /// In a folder, which is made if need be. For one replica: replicas need a storage that they share.
    pub fn folder(folder: &Folder) -> Result<Self, BlobError> {
        std::fs::create_dir_all(folder).map_err(failed)?;
        let locked = Locked {
            path: folder.to_owned(),
            _lock: lock(folder)?,
        };
        // What a row names must be there after a loss of power as well: the row is.
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            folder: Some(Arc::new(locked)),
        })
    }

    /// In a bucket. Where it is and who we are there has been told to `builder`. Uploads of a killed process leave parts,
    /// which the bucket's own rules are to delete.
    pub fn bucket(bucket: &Bucket, builder: AmazonS3Builder) -> Result<Self, BlobError> {
        marketplace_runtime::crypto::install();
        // A download takes as long as its reader does; only silence is a fault. That counts from a request's first byte on, so
        // it is also what a part of an upload may take.
        let whole = AmazonS3ConfigKey::Client(ClientConfigKey::Timeout);
        let silence = AmazonS3ConfigKey::Client(ClientConfigKey::ReadTimeout);
        let retry = RetryConfig {
            max_retries: 3,
            ..RetryConfig::default()
        };
        let store = builder
            .with_bucket_name(&bucket.name)
            .with_config(whole, "1 hour")
            .with_config(silence, "60 seconds")
            .with_retry(retry)
            // Not every S3-compatible server has the request that deletes many.
            .with_disable_bulk_delete(true)
            .build()?;
        Ok(Self {
            store: Arc::new(PrefixStore::new(store, bucket.prefix.as_str())),
            folder: None,
        })
    }

    /// Begins an object, in a place where there was none.
    pub fn upload(&self, place: &str) -> Upload {
        Upload {
            store: Arc::clone(&self.store),
            place: Path::from(place),
            parts: None,
            pending: Vec::new(),
            hash: Sha256::new(),
        }
    }

    /// In pieces.
    pub async fn stream(&self, place: &str) -> Result<Pieces, BlobError> {
        let found = self.store.get(&Path::from(place)).await?;
        Ok(found
            .into_stream()
            .map(|piece| piece.map_err(BlobError::from))
            .boxed())
    }

    /// Deletes an object, and in a folder what was written of it by an upload that never ended. None there is no fault.
    pub async fn delete(&self, place: &str) -> Result<(), BlobError> {
        match self.store.delete(&Path::from(place)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        // A killed process leaves the file that object_store writes before it has its name.
        if let Some(folder) = &self.folder {
            match tokio::fs::remove_file(folder.path.join(format!("{place}#1"))).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(failed(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Upload {
    /// The next piece.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), BlobError> {
        self.hash.update(piece);
        self.pending.extend_from_slice(piece);
        if self.pending.len() < PART {
            return Ok(());
        }
        let part = std::mem::take(&mut self.pending);
        let written = self.put(part.into()).await;
        self.or_abort(written).await
    }

    /// Ends it: the object can be read from now on. Answers the digest of its content.
    pub async fn end(mut self) -> Result<String, BlobError> {
        let last = PutPayload::from(std::mem::take(&mut self.pending));
        let ended = match &mut self.parts {
            None => self.store.put(&self.place, last).await.map(drop),
            Some(_) => self.complete(last).await,
        };
        self.or_abort(ended).await?;
        Ok(hex::encode(self.hash.finalize()))
    }

    async fn put(&mut self, part: PutPayload) -> object_store::Result<()> {
        let parts = match &mut self.parts {
            Some(parts) => parts,
            none => none.insert(self.store.put_multipart(&self.place).await?),
        };
        parts.put_part(part).await
    }

    async fn complete(&mut self, last: PutPayload) -> object_store::Result<()> {
        if last.content_length() > 0 {
            self.put(last).await?;
        }
        if let Some(parts) = &mut self.parts {
            parts.complete().await?;
        }
        Ok(())
    }

    /// What failed is given up, with the parts that are written. The storage says "not found" also of an upload that it has
    /// completed and answers a second time for: to whoever uploads, it is away.
    async fn or_abort(&mut self, done: object_store::Result<()>) -> Result<(), BlobError> {
        if done.is_err()
            && let Some(mut parts) = self.parts.take()
            && let Err(error) = parts.abort().await
        {
            tracing::debug!(%error, "parts of an upload are left behind");
        }
        done.map_err(BlobError::Away)
    }
}

/// The digest of what is read.
pub async fn hash(mut pieces: Pieces) -> Result<String, BlobError> {
    let mut hash = Sha256::new();
    while let Some(piece) = pieces.next().await {
        hash.update(&piece?);
    }
    Ok(hex::encode(hash.finalize()))
}

/// The lock goes with the process, however it ends.
fn lock(folder: &Folder) -> Result<File, BlobError> {
    let file = File::create(folder.join(".lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BlobError::Taken(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn failed(error: std::io::Error) -> BlobError {
    BlobError::Away(object_store::Error::Generic {
        store: "folder",
        source: Box::new(error),
    })
}
