//! `ActionCenterService`: a person's own items.

use marketplace_messaging::requests;
use marketplace_proto::notification::v1 as pb;
use marketplace_proto::notification::v1::action_center_service_server::ActionCenterService;
use marketplace_runtime::{clock, identity};
use tonic::{Request, Response, Status};

use super::{Grpc, once};
use crate::error::Error;
use crate::wire::ListItems;
use crate::{commands, store, wire};

impl Grpc {
    async fn items(
        &self,
        principal: &str,
        list: ListItems,
    ) -> Result<pb::ListActionItemsResponse, Error> {
        let mut db = self.db.read().await?;
        let offer = list.offer.as_deref();
        let found = store::list(
            &mut db,
            principal,
            offer,
            list.archived,
            list.older_than,
            list.size + 1,
        )
        .await;
        let mut items = found?;
        let unread = store::standing_unread(&mut db, principal).await?;
        let size = usize::try_from(list.size).unwrap_or(usize::MAX);
        let more = items.len() > size;
        items.truncate(size);
        let last = items.last().filter(|_| more);
        let next_page_token =
            last.map(|item| wire::item_key((item.created_at, item.id), list.fingerprint));
        Ok(pb::ListActionItemsResponse {
            items: items.into_iter().map(wire::action_item).collect(),
            next_page_token: next_page_token.unwrap_or_default(),
            unread: i32::try_from(unread).unwrap_or(i32::MAX),
        })
    }
}

#[tonic::async_trait]
impl ActionCenterService for Grpc {
    async fn list_action_items(
        &self,
        request: Request<pb::ListActionItemsRequest>,
    ) -> Result<Response<pb::ListActionItemsResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let scope = self.oneself(&caller).await?;
        let list = wire::list_items(&request, scope.principal())?;
        Ok(Response::new(self.items(scope.principal(), list).await?))
    }

    async fn mark_action_item_read(
        &self,
        request: Request<pb::MarkActionItemReadRequest>,
    ) -> Result<Response<pb::MarkActionItemReadResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let scope = self.oneself(&caller).await?;
        let once = once(&caller, "MarkActionItemRead", &request.request_id, &request)?;
        let id = wire::item(&request.name)?;
        requests::run(&self.db, once, |mut work| async move {
            let item =
                commands::mark_action_item_read(&mut work, scope.principal(), id, clock::now())
                    .await?;
            Ok((
                work,
                pb::MarkActionItemReadResponse {
                    item: Some(wire::action_item(item)),
                },
            ))
        })
        .await
    }

    async fn archive_action_item(
        &self,
        request: Request<pb::ArchiveActionItemRequest>,
    ) -> Result<Response<pb::ArchiveActionItemResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let scope = self.oneself(&caller).await?;
        let once = once(&caller, "ArchiveActionItem", &request.request_id, &request)?;
        let id = wire::item(&request.name)?;
        requests::run(&self.db, once, |mut work| async move {
            let item =
                commands::archive_action_item(&mut work, scope.principal(), id, clock::now())
                    .await?;
            Ok((
                work,
                pb::ArchiveActionItemResponse {
                    item: Some(wire::action_item(item)),
                },
            ))
        })
        .await
    }
}
