//! AssetService: content is taken in, looked at and stored first; then one transaction makes it known.

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, stream};
use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::asset_service_server::AssetService;
use marketplace_runtime::access::{Permission, Scope, Target};
use marketplace_runtime::identity::{Caller, open, optional_caller};
use marketplace_runtime::ids::{AssetName, OfferName, UploadName};
use marketplace_runtime::paging::{self, Fingerprint};
use marketplace_runtime::status;
use tonic::{Request, Response, Status, Streaming};

use super::{Answers, Catalog, NEIGHBOURS, invalid, next_page, now, once};
use crate::DOMAIN;
use crate::blobs::BlobError;
use crate::commands::assets::{self as commands, NewAsset};
use crate::commands::uploads;
use crate::domain::snapshot::Content as Shown;
use crate::error::{Error, Result};
use crate::files::{Spool, SpoolError, Stored as Content};
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
        let content = self.look(&new, spool).await?;
        let command = async |mut db| {
            let asset = commands::create(&mut db, &scope, &new, &content, now()).await?;
            let asset = Some(wire::assets::asset(&new.offer, &asset));
            Ok((db, pb::CreateAssetResponse { asset }))
        };
        self.0.write(&scope, once, command).await
    }

    async fn upload_asset(
        &self,
        request: Request<Streaming<pb::UploadAssetRequest>>,
    ) -> Result<Response<pb::UploadAssetResponse>, Status> {
        let (caller, parts) = open(request)?;
        self.receive(&caller, parts).await
    }

    async fn get_upload(
        &self,
        request: Request<pb::GetUploadRequest>,
    ) -> Result<Response<pb::GetUploadResponse>, Status> {
        let (caller, request) = open(request)?;
        let name = UploadName::parse(&request.name, "name").map_err(invalid)?;
        let upload = self.upload(&caller, &name).await?;
        Ok(Response::new(pb::GetUploadResponse {
            upload: Some(wire::assets::upload(&name, &upload)),
        }))
    }

    async fn delete_upload(
        &self,
        request: Request<pb::DeleteUploadRequest>,
    ) -> Result<Response<pb::DeleteUploadResponse>, Status> {
        let (caller, request) = open(request)?;
        let name = UploadName::parse(&request.name, "name").map_err(invalid)?;
        let scope = self.before_upload(&caller, &name).await?;
        let once = once(&caller, "DeleteUpload", &request.request_id, &request)?;
        let command = async |mut db| {
            uploads::delete(&mut db, &scope, &name, now()).await?;
            Ok((db, pb::DeleteUploadResponse {}))
        };
        self.0.write(&scope, once, command).await
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
    pub(super) async fn before_write(
        &self,
        caller: &Caller,
        new: &NewAsset,
    ) -> Result<Scope, Status> {
        let scope = self
            .0
            .before_offer(caller, Permission::Publish, &new.offer)
            .await?;
        self.0.permit(&scope).await?;
        Ok(scope)
    }

    /// A place for the file, which goes with it.
    pub(super) async fn spool(&self, new: &NewAsset) -> Result<Spool> {
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

    /// Looks at a file that is here as a whole, and stores it.
    pub(super) async fn look(&self, new: &NewAsset, spool: Spool) -> Result<Content, Status> {
        let spooled = spool.end().await.map_err(Error::from)?;
        if new.bytes.is_some_and(|bytes| bytes != spooled.bytes) {
            return Err(invalid(wire::assets::other_size(spooled.bytes)));
        }
        if new
            .digest
            .as_ref()
            .is_some_and(|digest| *digest != spooled.digest)
        {
            return Err(invalid(wire::assets::other_digest(&spooled.digest)));
        }
        let content = self.0.intake.take(new.kind, spooled).await;
        Ok(content.map_err(Error::from)?)
    }
}

/// The same for what isn't there and for what the caller may not know of.
fn no_content(digest: &str) -> Error {
    Error::not_found("Content", digest)
}

/// Whether a listing of the offer shows a content.
fn shows(content: &Shown, offer: &OfferName, digest: &str) -> bool {
    content.offer.name == offer.to_string()
        && content
            .shown_assets()
            .iter()
            .any(|(asset, _)| asset.digest == digest)
}

pub(super) fn refused(new: &NewAsset, error: SpoolError) -> Status {
    match error {
        SpoolError::TooLarge(_) => invalid(wire::assets::too_large(new.kind)),
        SpoolError::Disk(error) => Error::from(error).into(),
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
