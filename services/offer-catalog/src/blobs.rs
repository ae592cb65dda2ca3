//! The content of assets: stored once by its SHA-256, read by it, never changed.
//!
//! An upload is written under a name of its own and moved to that of its digest when it is complete and checked, so that
//! whoever reads a digest finds all of it or nothing.

use std::path::Path as Folder;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use marketplace_runtime::ids;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use sha2::{Digest, Sha256};

/// Where content is kept. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
}

/// Why content can't be had.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// Content that a row names isn't there.
    #[error("content {0} is missing")]
    Missing(String),
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

/// Content on its way in; dropped without [`Upload::keep`] it leaves nothing that anybody finds.
pub struct Upload {
    blobs: Blobs,
    place: Path,
    parts: Box<dyn MultipartUpload>,
    pending: Vec<u8>,
    hash: Sha256,
    size: u64,
}

/// Parts of a multipart upload have at least 5 MiB, but for the last.
const PART: usize = 5 * 1024 * 1024;

impl Blobs {
    /// In a folder, which is made if need be. For one replica: replicas need a storage that they share.
    pub fn folder(folder: &Folder) -> Result<Self, BlobError> {
        std::fs::create_dir_all(folder).map_err(|error| {
            BlobError::Away(object_store::Error::Generic {
                store: "folder",
                source: Box::new(error),
            })
        })?;
        Ok(Self {
            store: Arc::new(LocalFileSystem::new_with_prefix(folder)?),
        })
    }

    /// Content that is in memory as a whole; answers its digest. Storing it again changes nothing.
    pub async fn put(&self, content: Bytes) -> Result<String, BlobError> {
        let digest = hex::encode(Sha256::digest(&content));
        self.store
            .put(&path(&digest), PutPayload::from_bytes(content))
            .await?;
        Ok(digest)
    }

    /// Begins an upload of content that comes in pieces.
    pub async fn upload(&self) -> Result<Upload, BlobError> {
        let place = Path::from(format!("incoming/{}", ids::new_id()));
        let parts = self.store.put_multipart(&place).await?;
        Ok(Upload {
            blobs: self.clone(),
            place,
            parts,
            pending: Vec::new(),
            hash: Sha256::new(),
            size: 0,
        })
    }

    /// All of it; for content that is known to be small.
    pub async fn get(&self, digest: &str) -> Result<Bytes, BlobError> {
        Ok(self.store.get(&path(digest)).await?.bytes().await?)
    }

    /// In pieces.
    pub async fn stream(
        &self,
        digest: &str,
    ) -> Result<BoxStream<'static, Result<Bytes, BlobError>>, BlobError> {
        let found = self.store.get(&path(digest)).await?;
        Ok(found
            .into_stream()
            .map(|piece| piece.map_err(BlobError::from))
            .boxed())
    }

    /// Reads content and answers the digest that it really has.
    pub async fn hash(&self, digest: &str) -> Result<String, BlobError> {
        let mut pieces = self.stream(digest).await?;
        let mut hash = Sha256::new();
        while let Some(piece) = pieces.next().await {
            hash.update(&piece?);
        }
        Ok(hex::encode(hash.finalize()))
    }
}

impl Upload {
    /// The next piece.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), BlobError> {
        self.hash.update(piece);
        self.size += piece.len() as u64;
        self.pending.extend_from_slice(piece);
        if self.pending.len() >= PART {
            let part = std::mem::take(&mut self.pending);
            self.parts.put_part(part.into()).await?;
        }
        Ok(())
    }

    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Ends it: the content is found by its digest from now on, which is answered.
    pub async fn keep(mut self) -> Result<String, BlobError> {
        let last = std::mem::take(&mut self.pending);
        self.parts.put_part(last.into()).await?;
        self.parts.complete().await?;
        let digest = hex::encode(std::mem::take(&mut self.hash).finalize());
        self.blobs.store.rename(&self.place, &path(&digest)).await?;
        Ok(digest)
    }

    /// Gives it up.
    pub async fn discard(mut self) -> Result<(), BlobError> {
        Ok(self.parts.abort().await?)
    }
}

/// Two letters of the digest spread the files over folders.
fn path(digest: &str) -> Path {
    Path::from(format!(
        "sha256/{}/{digest}",
        digest.get(..2).unwrap_or("__")
    ))
}
