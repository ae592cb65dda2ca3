//! AssetService: content is taken in, looked at and stored first; then one transaction makes it known.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, stream};
use marketplace_messaging::requests::Once;
use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::asset_service_server::AssetService;
use marketplace_proto::offercatalog::v1::upload_asset_request::Part;
use marketplace_runtime::access::{Permission, Scope, Target};
use marketplace_runtime::identity::{Caller, open, optional_caller};
use marketplace_runtime::ids::{AssetName, OfferName};
use marketplace_runtime::paging::{self, Fingerprint};
use marketplace_runtime::status;
use tokio::time::{Instant, timeout_at};
use tonic::{Request, Response, Status, Streaming};

use super::{Answers, Catalog, NEIGHBOURS, invalid, next_page, now, once};
use crate::DOMAIN;
use crate::blobs::BlobError;
use crate::commands::assets::{self as commands, NewAsset};
use crate::domain::snapshot::Content;
use crate::error::{Error, Result};
use crate::files::{Limits, Spool, SpoolError};
use crate::store::assets::Stored;
use crate::{store, wire};

/// The most content that travels in a request.
const INLINE: usize = 3 * 1024 * 1024;
/// Content is answered in messages of about this size.
const CHUNK: usize = 256 * 1024;

/// Implements AssetService.
#[derive(Clone)]
pub struct Assets(pub Catalog);

#[tonic::async_trait]
impl AssetService for Assets {
    type DownloadAssetStream = Answers<pb::DownloadAssetResponse>;

    async fn create_asset(
        &self,
        request: Request<pb::CreateAssetRequest>,
    ) -> Result<Response<pb::CreateAssetResponse>, Status> {
        let (caller, request) = open(request)?;
        let new = wire::assets::head(request.head.as_ref()).map_err(invalid)?;
        let scope = self.before_write(&caller, &new).await?;
        if request.content.len() > INLINE {
            return Err(invalid(wire::assets::too_large_inline(INLINE)));
        }
        let request_id = request
            .head
            .as_ref()
            .map(|head| head.request_id.as_str())
            .unwrap_or_default();
        let once = once(&caller, "CreateAsset", request_id, &request)?;
        let mut spool = self.spool(&new).await?;
        spool
            .write(&request.content)
            .await
            .map_err(|error| refused(&new, error))?;
        self.store(&scope, once, &new, spool, |asset| pb::CreateAssetResponse {
            asset: Some(asset),
        })
        .await
    }

    async fn upload_asset(
        &self,
        request: Request<Streaming<pb::UploadAssetRequest>>,
    ) -> Result<Response<pb::UploadAssetResponse>, Status> {
        let (caller, parts) = open(request)?;
        let mut parts = Parts::of(parts, self.0.intake.limits());
        let head = parts.head().await?;
        let new = wire::assets::head(Some(&head)).map_err(invalid)?;
        let scope = self.before_write(&caller, &new).await?;
        let mut spool = self.spool(&new).await?;
        while let Some(message) = parts.next().await? {
            let piece = chunk(message)?;
            spool
                .write(&piece)
                .await
                .map_err(|error| refused(&new, error))?;
        }
        // What the request was is known only now: its head and its content.
        let digest = spool.digest();
        let once = once(
            &caller,
            "UploadAsset",
            &head.request_id,
            &pb::AssetHead {
                digest,
                ..head.clone()
            },
        )?;
        self.store(&scope, once, &new, spool, |asset| pb::UploadAssetResponse {
            asset: Some(asset),
        })
        .await
    }

    async fn get_asset(
        &self,
        request: Request<pb::GetAssetRequest>,
    ) -> Result<Response<pb::GetAssetResponse>, Status> {
        let (caller, request) = open(request)?;
        let name = AssetName::parse(&request.name, "name").map_err(invalid)?;
        let scope = self.before(&caller, Permission::ReadOffer, &name).await?;
        let mut db = self.0.db.acquire().await.map_err(Error::from)?;
        let missing = || Error::not_found("Asset", &name);
        let (offer, standing) = store::offers::get(&mut db, &scope, &name.parent(), now())
            .await?
            .ok_or_else(missing)?;
        scope.settle(&standing)?;
        let asset = store::assets::of_offer(&mut db, offer.uid, &name.asset)
            .await?
            .ok_or_else(missing)?;
        Ok(Response::new(pb::GetAssetResponse {
            asset: Some(wire::assets::asset(&name.parent(), &asset)),
        }))
    }

    async fn list_assets(
        &self,
        request: Request<pb::ListAssetsRequest>,
    ) -> Result<Response<pb::ListAssetsResponse>, Status> {
        let (caller, request) = open(request)?;
        let parent = OfferName::parse(&request.parent, "parent").map_err(invalid)?;
        let scope = self
            .0
            .before_offer(&caller, Permission::ReadOffer, &parent)
            .await?;
        let filters = Fingerprint::of("ListAssets", &request.parent);
        let size = paging::page_size(request.page_size).map_err(invalid)?;
        let after: Option<String> =
            paging::decode(&request.page_token, filters).map_err(invalid)?;
        let mut db = self.0.db.read().await.map_err(Error::from)?;
        let found = store::offers::get(&mut db, &scope, &parent, now()).await?;
        let (offer, standing) = found.ok_or_else(|| Error::not_found("Offer", &parent))?;
        scope.settle(&standing)?;
        let mut found = store::assets::list(&mut db, offer.uid, after.as_deref(), size + 1).await?;
        let next_page_token = next_page(&mut found, size, |last| {
            paging::encode(&last.asset_id, filters)
        });
        let assets = found
            .iter()
            .map(|asset| wire::assets::asset(&parent, asset))
            .collect();
        Ok(Response::new(pb::ListAssetsResponse {
            assets,
            next_page_token,
        }))
    }

    async fn delete_asset(
        &self,
        request: Request<pb::DeleteAssetRequest>,
    ) -> Result<Response<pb::DeleteAssetResponse>, Status> {
        let (caller, request) = open(request)?;
        let name = AssetName::parse(&request.name, "name").map_err(invalid)?;
        let scope = self.before(&caller, Permission::Publish, &name).await?;
        let once = once(&caller, "DeleteAsset", &request.request_id, &request)?;
        let etag = wire::etag(&request.etag, "etag").map_err(invalid)?;
        let command = async |mut db| {
            commands::delete(&mut db, &scope, &name, etag, now()).await?;
            Ok((db, pb::DeleteAssetResponse {}))
        };
        self.0.write(&scope, once, command).await
    }

    async fn download_asset(
        &self,
        request: Request<pb::DownloadAssetRequest>,
    ) -> Result<Response<Self::DownloadAssetStream>, Status> {
        let caller = optional_caller(&request);
        let request = request.into_inner();
        let offer = OfferName::parse(&request.offer, "offer").map_err(invalid)?;
        let digest = wire::assets::read_digest(&request.digest, "digest").map_err(invalid)?;
        let shown = match request.preview_token.as_str() {
            "" => self.0.live(&offer).await?,
            token => self.0.previewed(token, caller.as_deref()).await?,
        };
        if !shown.is_some_and(|(_, content)| shows(&content, &offer, &digest)) {
            if !request.preview_token.is_empty() {
                return Err(no_content(&digest).into());
            }
            self.before_content(caller.as_deref(), &offer, &digest)
                .await?;
        }
        let pieces = self.0.contents.stream(&digest).await?;
        Ok(Response::new(Box::pin(chunks(pieces))))
    }
}

impl Assets {
    async fn before(
        &self,
        caller: &Caller,
        permission: Permission,
        name: &AssetName,
    ) -> Result<Scope, Status> {
        let text = name.to_string();
        let target = Target::Resource {
            publisher: &name.publisher,
            kind: "Asset",
            name: &text,
        };
        self.0.access.require(caller, permission, &target).await
    }

    /// Decided before content is taken in, so that nobody fills a disk that isn't theirs; again with the rows.
    async fn before_write(&self, caller: &Caller, new: &NewAsset) -> Result<Scope, Status> {
        let scope = self
            .0
            .before_offer(caller, Permission::Publish, &new.offer)
            .await?;
        self.0.permit(&scope).await?;
        Ok(scope)
    }

    /// A place for the file, which goes with it.
    async fn spool(&self, new: &NewAsset) -> Result<Spool> {
        let place = self.0.intake.place(&new.offer.publisher)?;
        Ok(self.0.intake.spool(new.kind.max_bytes()).await?.at(place))
    }

    /// What no customer is shown is for neighbours and members of the publisher. Who it is comes first: only they learn
    /// what there is.
    async fn before_content(
        &self,
        caller: Option<&Caller>,
        offer: &OfferName,
        digest: &str,
    ) -> Result<(), Status> {
        let caller = caller.ok_or_else(|| status::token_missing(DOMAIN))?;
        if self.0.before_neighbours(caller, NEIGHBOURS).await.is_err() {
            let target = Target::Resource {
                publisher: &offer.publisher,
                kind: "Content",
                name: digest,
            };
            let scope = self
                .0
                .access
                .require(caller, Permission::ReadOffer, &target)
                .await?;
            self.0.permit(&scope).await?;
        }
        let mut db = self.0.db.acquire().await.map_err(Error::from)?;
        if store::assets::knows(&mut db, offer, digest).await? {
            Ok(())
        } else {
            Err(no_content(digest).into())
        }
    }

    async fn store<A: prost::Message + Default>(
        &self,
        scope: &Scope,
        once: Once,
        new: &NewAsset,
        spool: Spool,
        answer: impl FnOnce(pb::Asset) -> A,
    ) -> Result<Response<A>, Status> {
        let spooled = spool.end().await.map_err(Error::from)?;
        if new
            .digest
            .as_ref()
            .is_some_and(|digest| *digest != spooled.digest)
        {
            return Err(invalid(wire::assets::other_digest(&spooled.digest)));
        }
        let content = self
            .0
            .intake
            .take(new.kind, spooled)
            .await
            .map_err(Error::from)?;
        let command = async |mut db| {
            let asset: Stored = commands::create(&mut db, scope, new, &content, now()).await?;
            Ok((db, answer(wire::assets::asset(&new.offer, &asset))))
        };
        self.0.write(scope, once, command).await
    }
}

/// The same for what isn't there and for what the caller may not know of.
fn no_content(digest: &str) -> Error {
    Error::not_found("Content", digest)
}

/// Whether a listing of the offer shows a content.
fn shows(content: &Content, offer: &OfferName, digest: &str) -> bool {
    content.offer.name == offer.to_string()
        && content
            .shown_assets()
            .iter()
            .any(|(asset, _)| asset.digest == digest)
}

fn refused(new: &NewAsset, error: SpoolError) -> Status {
    match error {
        SpoolError::TooLarge(most) => invalid(wire::assets::too_large(new.kind, most)),
        SpoolError::Disk(error) => Error::from(error).into(),
    }
}

/// The messages of an upload. Who sends none for a while, or takes too long for all of them, is given up: what came so far
/// takes room.
struct Parts {
    parts: Streaming<pb::UploadAssetRequest>,
    idle: Duration,
    until: Instant,
}

impl Parts {
    fn of(parts: Streaming<pb::UploadAssetRequest>, limits: Limits) -> Self {
        Self {
            parts,
            idle: limits.idle,
            until: Instant::now() + limits.total,
        }
    }

    async fn next(&mut self) -> Result<Option<pb::UploadAssetRequest>, Status> {
        let patience = (Instant::now() + self.idle).min(self.until);
        timeout_at(patience, self.parts.message())
            .await
            .unwrap_or_else(|_| Err(status::deadline_exceeded(DOMAIN)))
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

fn chunk(message: pb::UploadAssetRequest) -> Result<Bytes, Status> {
    match message.part {
        Some(Part::Chunk(chunk)) => Ok(chunk.into()),
        Some(Part::Head(_)) => Err(invalid(wire::assets::out_of_order(
            "there is one head only",
        ))),
        None => Err(invalid(wire::assets::out_of_order("a message is empty"))),
    }
}

/// Pieces of any size as messages of about [`CHUNK`] bytes.
fn chunks(
    pieces: impl Stream<Item = Result<Bytes, BlobError>> + Unpin + Send + 'static,
) -> impl Stream<Item = Result<pb::DownloadAssetResponse, Status>> + Send {
    let state = (pieces, BytesMut::new());
    stream::try_unfold(state, async |(mut pieces, mut held)| {
        while held.len() < CHUNK {
            match pieces.next().await {
                Some(piece) => held.extend_from_slice(&piece.map_err(Error::from)?),
                None if held.is_empty() => return Ok(None),
                None => break,
            }
        }
        let chunk = held.split_to(held.len().min(CHUNK)).to_vec();
        Ok(Some((pb::DownloadAssetResponse { chunk }, (pieces, held))))
    })
}
