//! UploadAsset: a file as a stream, and one that comes in by several of them, of which each commits what it has brought in
//! pieces of [`PIECE`] bytes.

use bytes::Bytes;
use marketplace_messaging::Work;
use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::upload_asset_request::Part;
use marketplace_runtime::access::{Permission, Scope, Target};
use marketplace_runtime::identity::Caller;
use marketplace_runtime::ids::UploadName;
use marketplace_runtime::status;
use tonic::{Code, Response, Status, Streaming};

use super::assets::{Assets, refused};
use super::parts::Parts;
use super::{invalid, now, once};
use crate::commands::assets::{self as commands, NewAsset};
use crate::commands::uploads::{self, Open, Start};
use crate::error::{Error, Result};
use crate::files::{Place, Spool};
use crate::store::uploads::Upload;
use crate::{store, wire};

/// What a stream commits at once, and so the most that is lost with it.
const PIECE: u64 = 8 * 1024 * 1024;

impl Assets {
    /// Takes a stream in, and makes the asset where it ends.
    pub(super) async fn receive(
        &self,
        caller: &Caller,
        parts: Streaming<pb::UploadAssetRequest>,
    ) -> Result<Response<pb::UploadAssetResponse>, Status> {
        let mut parts = Parts::of(parts, self.0.intake.limits());
        let head = parts.head().await?;
        let (new, start) = wire::assets::upload_head(&head).map_err(invalid)?;
        let scope = self.before_write(caller, &new).await?;
        let (spool, open) = match start {
            None => (self.whole(&new, &mut parts).await?, None),
            Some(start) => {
                let stream = self.begin(&scope, &new, &start).await?;
                let (spool, open) = stream.run(&mut parts).await?;
                (spool, Some(open))
            }
        };
        // What the request was is known only now: its head and its content, by however many streams it came.
        let request = pb::AssetHead {
            digest: spool.digest(),
            upload_id: String::new(),
            offset: 0,
            ..head.clone()
        };
        let once = once(caller, "UploadAsset", &head.request_id, &request)?;
        let looked = self.look(&new, spool).await;
        if let (Err(refused), Some(open)) = (&looked, &open) {
            self.end_refused(open, refused).await;
        }
        let content = looked?;
        let command = async |mut db| {
            let asset = commands::create(&mut db, &scope, &new, &content, now()).await?;
            if let Some(open) = &open {
                uploads::end(&mut db, open).await?;
            }
            let asset = Some(wire::assets::asset(&new.offer, &asset));
            Ok((db, pb::UploadAssetResponse { asset }))
        };
        self.0.write(&scope, once, command).await
    }

    async fn whole(
        &self,
        new: &NewAsset,
        parts: &mut Parts<pb::UploadAssetRequest>,
    ) -> Result<Spool, Status> {
        let mut spool = self.spool(new).await?;
        while let Some(chunk) = parts.chunk().await? {
            let written = spool.write(&chunk).await;
            written.map_err(|error| refused(new, error))?;
        }
        Ok(spool)
    }

    async fn begin<'a>(
        &'a self,
        scope: &Scope,
        new: &'a NewAsset,
        start: &Start,
    ) -> Result<Stream<'a>> {
        let intake = &self.0.intake;
        let place = intake.place(&new.offer.publisher)?;
        let mut db = Work::begin(&self.0.db).await?;
        let open = uploads::take(&mut db, scope, new, start, now()).await?;
        db.commit().await?;
        Ok(Stream {
            of: self,
            new,
            open,
            place,
            committed: start.offset,
            piece: intake.spool(PIECE).await?,
        })
    }

    /// No other stream makes a good file of what was refused as a whole. It would expire as well.
    async fn end_refused(&self, open: &Open, refused: &Status) {
        if refused.code() != Code::InvalidArgument {
            return;
        }
        let ended = async {
            let mut db = Work::begin(&self.0.db).await?;
            uploads::end(&mut db, open).await?;
            Ok::<_, Error>(db.commit().await?)
        };
        if let Err(error) = ended.await {
            tracing::debug!(error = %status::Chain(&error), "an upload that was refused is left to expire");
        }
    }

    /// Who may upload may see how far an upload has come, and give it up.
    pub(super) async fn before_upload(
        &self,
        caller: &Caller,
        name: &UploadName,
    ) -> Result<Scope, Status> {
        let text = name.to_string();
        let target = Target::Resource {
            publisher: &name.publisher,
            kind: "Upload",
            name: &text,
        };
        self.0
            .access
            .require(caller, Permission::Publish, &target)
            .await
    }

    pub(super) async fn upload(
        &self,
        caller: &Caller,
        name: &UploadName,
    ) -> Result<Upload, Status> {
        let scope = self.before_upload(caller, name).await?;
        let missing = || Error::not_found("Upload", name);
        let mut db = self.0.db.acquire().await.map_err(Error::from)?;
        let found = store::offers::get(&mut db, &scope, &name.parent(), now()).await?;
        let (offer, standing) = found.ok_or_else(missing)?;
        scope.settle(&standing)?;
        let found = store::uploads::of_offer(&mut db, offer.uid, &name.upload, now()).await?;
        Ok(found.ok_or_else(missing)?)
    }
}

/// A stream that has an upload in its hands.
struct Stream<'a> {
    of: &'a Assets,
    new: &'a NewAsset,
    open: Open,
    place: Place,
    committed: u64,
    /// What came behind the last committed piece.
    piece: Spool,
}

impl Stream<'_> {
    /// Takes everything in; answers the whole file, of this stream and those before.
    async fn run(
        mut self,
        parts: &mut Parts<pb::UploadAssetRequest>,
    ) -> Result<(Spool, Open), Status> {
        while let Some(chunk) = parts.chunk().await? {
            let written = self.write(&chunk).await;
            if let Err(refused) = &written {
                self.of.end_refused(&self.open, refused).await;
            }
            written?;
        }
        let came = self.committed + self.piece.bytes();
        if self.new.bytes.is_some_and(|bytes| came < bytes) {
            return Err(invalid(wire::assets::other_size(came)));
        }
        let intake = &self.of.0.intake;
        let mut db = self.of.0.db.acquire().await.map_err(Error::from)?;
        let pieces = uploads::pieces(&mut db, &self.open).await?;
        drop(db);
        let tail = self.piece.end().await.map_err(Error::from)?;
        let whole = intake.join(&pieces, tail).await.map_err(Error::from)?;
        Ok((whole.at(self.place), self.open))
    }

    async fn write(&mut self, mut chunk: &[u8]) -> Result<(), Status> {
        let came = self.committed + self.piece.bytes() + chunk.len() as u64;
        if came > self.new.kind.max_bytes() {
            return Err(invalid(wire::assets::too_large(self.new.kind)));
        }
        if self.new.bytes.is_some_and(|bytes| came > bytes) {
            return Err(invalid(wire::assets::other_size(came)));
        }
        while !chunk.is_empty() {
            let room = usize::try_from(PIECE - self.piece.bytes()).unwrap_or(usize::MAX);
            let (now, later) = chunk.split_at(chunk.len().min(room));
            let written = self.piece.write(now).await;
            written.map_err(|error| refused(self.new, error))?;
            if self.piece.bytes() == PIECE {
                self.commit().await?;
            }
            chunk = later;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        let intake = &self.of.0.intake;
        let full = std::mem::replace(&mut self.piece, intake.spool(PIECE).await?);
        let digest = intake.keep(full.end().await?).await?;
        let mut db = Work::begin(&self.of.0.db).await?;
        uploads::commit(&mut db, &self.open, PIECE, &digest, now()).await?;
        db.commit().await?;
        self.committed += PIECE;
        Ok(())
    }
}

impl Parts<pb::UploadAssetRequest> {
    /// The next piece of content; `None`: that was all.
    async fn chunk(&mut self) -> Result<Option<Bytes>, Status> {
        let out_of_order = |why| Err(invalid(wire::assets::out_of_order(why)));
        match self.next().await?.map(|message| message.part) {
            None => Ok(None),
            Some(Some(Part::Chunk(chunk))) => Ok(Some(chunk.into())),
            Some(Some(Part::Head(_))) => out_of_order("there is one head only"),
            Some(None) => out_of_order("a message is empty"),
        }
    }

    async fn head(&mut self) -> Result<pb::AssetHead, Status> {
        match self.next().await?.and_then(|message| message.part) {
            Some(Part::Head(head)) => Ok(head),
            _ => Err(invalid(wire::assets::out_of_order(
                "the first message must be the head",
            ))),
        }
    }
}
