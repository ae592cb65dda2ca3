//! Batches and quotas: written and read here; an item is published as PublishOffer publishes.

use marketplace_messaging::{Work, requests};
use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::access::{Permission, Scope, Target};
use marketplace_runtime::identity::Caller;
use marketplace_runtime::ids::{BatchName, OfferName};
use marketplace_runtime::telemetry::Trace;
use marketplace_runtime::{clock, ids, status};
use tonic::{Response, Status};

use super::{Grpc, once};
use crate::domain::{ActorKind, NewBatch, Turn};
use crate::error::Error;
use crate::{DOMAIN, commands, store, wire};

impl Grpc {
    pub(super) async fn make_batch(
        &self,
        caller: &Caller,
        request: &pb::CreateBatchRequest,
    ) -> Result<Response<pb::CreateBatchResponse>, Status> {
        let wanted = wire::create_batch(request).map_err(Error::from)?;
        let publisher = wanted.publisher.publisher;
        let target = Target::Publisher(&publisher);
        let scope = self
            .access
            .require(caller, Permission::Publish, &target)
            .await?;
        let once = once(caller, "CreateBatch", &request.request_id, request)?;
        let batch = NewBatch {
            id: ids::new_id(),
            publisher,
            made_by: wire::actor_of(&scope),
            trace: Trace::current(),
            orders: wanted.orders,
        };
        requests::run(&self.db, once, async move |mut work: Work| {
            let made = commands::create_batch(&mut work, &self.quotas, batch, clock::now()).await?;
            let batch = Some(wire::batch(&made));
            Ok((work, pb::CreateBatchResponse { batch }))
        })
        .await
    }

    pub(super) async fn read_batch(
        &self,
        caller: &Caller,
        request: &pb::GetBatchRequest,
    ) -> Result<pb::GetBatchResponse, Status> {
        let wanted = wire::get_batch(request).map_err(Error::from)?;
        let scope = self.permit_batch(caller, &wanted.name).await?;
        let mut db = self.db.read().await.map_err(Error::from)?;
        let Some(batch) = store::find_batch(&mut db, &scope, wanted.id).await? else {
            return Err(status::not_found(DOMAIN, "Batch", &wanted.name.to_string()));
        };
        let found = store::batch_items(&mut db, wanted.id, wanted.after, wanted.size + 1).await?;
        let (items, next_page_token) = wire::batch_page(&found, &wanted)?;
        Ok(pb::GetBatchResponse {
            batch: Some(wire::batch(&batch)),
            items,
            next_page_token,
        })
    }

    async fn permit_batch(&self, caller: &Caller, batch: &BatchName) -> Result<Scope, Status> {
        let target = Target::Resource {
            publisher: &batch.publisher,
            kind: "Batch",
            name: &batch.to_string(),
        };
        self.access
            .require(caller, Permission::ReadOffer, &target)
            .await
    }

    pub(super) async fn read_quotas(
        &self,
        caller: &Caller,
        publisher: &str,
    ) -> Result<pb::GetQuotaResponse, Status> {
        let target = Target::Publisher(publisher);
        let scope = self
            .access
            .require(caller, Permission::ReadOffer, &target)
            .await?;
        let mut db = self.db.read().await.map_err(Error::from)?;
        let now = clock::now();
        let used = store::used(&mut db, &scope, now).await?;
        let quotas = wire::quotas(&self.quotas, &used, now);
        Ok(pb::GetQuotaResponse { quotas })
    }

    /// Publishes an item in the name of who made its batch, if they still may; answers the submission. The request id is
    /// the item's: a try that was cut off is gone on with, and one that had succeeded answers what it answered.
    pub(crate) async fn publish_item(&self, turn: &Turn) -> Result<pb::Submission, Status> {
        let caller = caller(turn);
        let request = wire::publish_item(turn);
        // A name of its own: callers of PublishOffer choose their ids themselves.
        let once = once(&caller, "CreateBatch.item", &request.request_id, &request)?;
        // What an earlier try published is published, though who made the batch may no longer.
        let known: Option<pb::PublishOfferResponse> = if turn.attempts > 1 {
            requests::replay(&self.db, &once).await?
        } else {
            None
        };
        let answer = match known {
            Some(answer) => answer,
            None => {
                let offer = OfferName::new(&turn.publisher, &turn.order.offer);
                let scope = self
                    .permit_offer(&caller, Permission::Publish, &offer)
                    .await?;
                let wanted = wire::publish(&request).map_err(Error::from)?;
                let grpc = self.clone();
                let work = async move {
                    let publish = async |id| grpc.publish(scope, wanted, id).await;
                    requests::run_claimed(&grpc.db, once, ids::new_id(), publish).await
                };
                let answer = self.tracked.run(work).await.map_err(Error::from)??;
                answer.into_inner()
            }
        };
        let submission = answer.submission;
        submission.ok_or_else(|| Error::Corrupt("a publish answered no submission").into())
    }
}

/// Who made the batch, as far as it decides: operators act as such, with a grant.
fn caller(turn: &Turn) -> Caller {
    let by = &turn.made_by;
    let (issuer, subject) = by.principal.split_once('|').unwrap_or_default();
    let mut caller = Caller::new(issuer, subject, clock::now() + time::Duration::hours(1));
    caller.roles.operator = by.kind == ActorKind::Operator;
    caller
}
