//! The content of assets by its SHA-256: stored once, read by it, collected when nothing names it any more.
//!
//! A row says where each content lies ([`store::blobs`]). It is written before the object is, so that what a killed process
//! leaves is known, and every upload writes to a place of its own, so that the deletion of an orphan, however late it
//! arrives at the storage, never meets what came in again meanwhile.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::StreamExt;
use marketplace_messaging::{Database, Work};
use marketplace_runtime::{clock, ids};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use crate::blobs::{self, BlobError, Blobs, Pieces};
use crate::error::{Error, Result};
use crate::store;

/// What was used within this time is no orphan, whether something names it yet or not.
pub const KEPT: Duration = Duration::hours(24);
/// Rows that a turn of the sweep looks at.
pub const TURN: i64 = 500;
/// A turn is another replica's when it takes longer.
const LEASE: Duration = Duration::minutes(5);
/// From one round over all rows to the next.
const ROUND: Duration = Duration::hours(1);
/// Deletions at once.
const AT_ONCE: usize = 4;

/// Contents by digest. Cheap to clone.
#[derive(Clone)]
pub struct Contents {
    db: Database,
    blobs: Blobs,
}

/// Content on its way in.
pub struct Upload {
    of: Contents,
    place: String,
    digest: String,
    object: blobs::Upload,
}

/// What a turn of the sweep found.
pub struct Turn {
    /// Objects to delete. Nobody is led to them any more.
    pub orphans: Vec<String>,
    /// There are rows that this round hasn't looked at yet.
    pub more: bool,
    /// When it becomes another replica's.
    lease: OffsetDateTime,
}

impl Contents {
    /// Over a storage that only this database knows the places of.
    pub fn new(db: Database, blobs: Blobs) -> Self {
        Self { db, blobs }
    }

    /// The same over other connections.
    #[must_use]
    pub fn over(&self, db: Database) -> Self {
        Self {
            db,
            blobs: self.blobs.clone(),
        }
    }

    /// Whether this is the storage that the database knows, and lets us do what we must. Another one, or an empty volume in
    /// its place, would look as if all content were gone, for ever.
    pub async fn check(&self) -> Result<()> {
        let unknown = format!("storage/{}", ids::new_id());
        let mut upload = self.blobs.upload(&unknown);
        upload.write(unknown.as_bytes()).await?;
        upload.end().await?;
        let mut db = self.db.acquire().await?;
        let mark = store::blobs::mark(&mut db, &unknown).await?;
        drop(db);
        if mark != unknown {
            self.blobs.delete(&unknown).await?;
            // What isn't there must be said to be missing, not to be forbidden.
            match self.blobs.stream(&unknown).await {
                Err(BlobError::Missing(_)) => {}
                Err(away) => return Err(away.into()),
                Ok(_) => return Err(BlobError::Undeleted(unknown).into()),
            }
        }
        match self.blobs.stream(&mark).await {
            Ok(_) => Ok(()),
            Err(BlobError::Missing(mark)) => Err(BlobError::Other(mark).into()),
            Err(away) => Err(away.into()),
        }
    }

    /// Content that is in memory as a whole; answers its digest.
    pub async fn put(&self, content: Bytes) -> Result<String> {
        let digest = hex::encode(Sha256::digest(&content));
        if let Some(mut upload) = self.begin(&digest).await? {
            upload.write(&content).await?;
            upload.keep().await?;
        }
        Ok(digest)
    }

    /// Begins content of this digest; `None`: it is stored, is what it should be, and is kept for a day at least.
    pub async fn begin(&self, digest: &str) -> Result<Option<Upload>> {
        let mut db = self.db.acquire().await?;
        let stored = store::blobs::touch(&mut db, digest, clock::now()).await?;
        drop(db);
        if let Some(place) = stored {
            match self.hash_of(&place).await {
                Ok(found) if found == digest => return Ok(None),
                // Damaged: this upload mends it.
                Ok(_) | Err(BlobError::Missing(_)) => {}
                Err(away) => return Err(away.into()),
            }
        }
        let place = place(digest);
        let mut db = self.db.acquire().await?;
        store::blobs::begin(&mut db, &place, digest, clock::now()).await?;
        let object = self.blobs.upload(&place);
        Ok(Some(Upload {
            of: self.clone(),
            place,
            digest: digest.to_owned(),
            object,
        }))
    }

    async fn hash_of(&self, place: &str) -> Result<String, BlobError> {
        blobs::hash(self.blobs.stream(place).await?).await
    }

    /// In pieces.
    pub async fn stream(&self, digest: &str) -> Result<Pieces> {
        let place = self.place(digest).await?;
        self.open(digest, place).await
    }

    /// The digest that each content really has. Content that is gone has none.
    pub async fn hash(&self, digests: &[String]) -> Result<BTreeMap<String, String>> {
        let mut hashed = BTreeMap::new();
        for (digest, place) in self.places(digests).await? {
            match self.open(&digest, place).await {
                Ok(pieces) => {
                    hashed.insert(digest, blobs::hash(pieces).await?);
                }
                Err(Error::Blobs(BlobError::Missing(_))) => {}
                Err(away) => return Err(away),
            }
        }
        Ok(hashed)
    }

    /// Opens content that lies there, or lay there a moment ago: what is stored again is found in its new place.
    async fn open(&self, digest: &str, mut place: String) -> Result<Pieces> {
        loop {
            match self.blobs.stream(&place).await {
                Err(BlobError::Missing(name)) => {
                    let now = self.place(digest).await?;
                    if now == place {
                        return Err(BlobError::Missing(name).into());
                    }
                    place = now;
                }
                opened => return Ok(opened?),
            }
        }
    }

    async fn place(&self, digest: &str) -> Result<String> {
        let mut places = self.places(&[digest.to_owned()]).await?;
        let missing = || BlobError::Missing(digest.to_owned());
        Ok(places.remove(digest).ok_or_else(missing)?)
    }

    async fn places(&self, digests: &[String]) -> Result<BTreeMap<String, String>> {
        let mut db = self.db.acquire().await?;
        store::blobs::places(&mut db, digests).await
    }

    /// A turn of the sweep: marks orphans among the next rows. `None`: none is due, or another replica is at it.
    pub async fn condemn(&self, now: OffsetDateTime, rows: i64) -> Result<Option<Turn>> {
        let mut db = Work::begin(&self.db).await?;
        let Some((after, lease)) = store::blobs::begin_sweep(&mut db, now, now + LEASE).await?
        else {
            return Ok(None);
        };
        let until = store::blobs::until(&mut db, &after, rows).await?;
        let orphans = store::blobs::condemn(&mut db, &after, until.as_deref(), now - KEPT).await?;
        store::blobs::sweep_from(&mut db, until.as_deref().unwrap_or_default()).await?;
        db.commit().await?;
        Ok(Some(Turn {
            orphans,
            more: until.is_some(),
            lease,
        }))
    }

    /// Deletes what was condemned. Cut off, or with the storage away, the rest is left to the next round.
    pub async fn remove(&self, turn: &Turn, now: OffsetDateTime) -> Result<()> {
        let deletions = turn.orphans.iter().cloned().map(|place| {
            let blobs = self.blobs.clone();
            async move { blobs.delete(&place).await.map(|()| place) }
        });
        let mut deletions = futures::stream::iter(deletions).buffer_unordered(AT_ONCE);
        // One that can't be deleted, for a hold on it perhaps, keeps no other.
        let (mut gone, mut deleted) = (Vec::new(), Ok(()));
        while let Some(deletion) = deletions.next().await {
            match deletion {
                Ok(place) => gone.push(place),
                Err(away) => deleted = deleted.and(Err(away)),
            }
        }
        let mut db = self.db.acquire().await?;
        store::blobs::gone(&mut db, &gone).await?;
        let due = if turn.more { now } else { now + ROUND };
        store::blobs::sweep_again(&mut db, turn.lease, due).await?;
        Ok(deleted?)
    }
}

impl Upload {
    /// The next piece.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), BlobError> {
        self.object.write(piece).await
    }

    /// Ends it: the content is found by its digest from now on. `false`: it isn't what was announced, and is given up.
    pub async fn keep(self) -> Result<bool> {
        let found = self.object.end().await?;
        if found != self.digest {
            return Ok(false);
        }
        let mut db = self.of.db.acquire().await?;
        if store::blobs::stored(&mut db, &self.place, clock::now()).await? {
            return Ok(true);
        }
        // The sweep was here before the object was: nobody else would delete it.
        drop(db);
        self.of.blobs.delete(&self.place).await?;
        Err(BlobError::Late.into())
    }
}

/// A place for one upload. Two letters of the digest spread files over folders.
fn place(digest: &str) -> String {
    let folder = digest.get(..2).unwrap_or("__");
    format!("sha256/{folder}/{digest}.{}", ids::new_id())
}
