//! PlanService.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::plan_service_server::PlanService;
use marketplace_runtime::access::{Permission, Scope, Target};
use marketplace_runtime::identity::{Caller, open};
use marketplace_runtime::ids::{OfferName, PlanName};
use marketplace_runtime::paging::{self, Fingerprint};
use marketplace_runtime::status::Violation;
use tonic::{Request, Response, Status, Streaming};

use super::{Catalog, audiences as stored, invalid, now, once};
use crate::commands::{audiences, plans};
use crate::error::Error;
use crate::{store, wire};

/// Implements PlanService.
#[derive(Clone)]
pub struct Plans(pub Catalog);

impl Plans {
    pub(super) async fn before(
        &self,
        caller: &Caller,
        permission: Permission,
        name: &PlanName,
    ) -> Result<Scope, Status> {
        let text = name.to_string();
        let target = Target::Resource {
            publisher: &name.publisher,
            kind: "Plan",
            name: &text,
        };
        self.0.access.require(caller, permission, &target).await
    }
}

#[tonic::async_trait]
impl PlanService for Plans {
    async fn create_plan(
        &self,
        request: Request<pb::CreatePlanRequest>,
    ) -> Result<Response<pb::CreatePlanResponse>, Status> {
        let (caller, request) = open(request)?;
        let parent = OfferName::parse(&request.parent, "parent").map_err(invalid)?;
        let scope = self
            .0
            .before_offer(&caller, Permission::Publish, &parent)
            .await?;
        let once = once(&caller, "CreatePlan", &request.request_id, &request)?;
        let new = wire::plans::create(&request).map_err(invalid)?;
        let command = async |mut db| {
            let (plan, revision) = plans::create(&mut db, &scope, new, now()).await?;
            let plan = Some(wire::plans::plan(&parent, &plan));
            Ok((
                db,
                pb::CreatePlanResponse {
                    plan,
                    offer_etag: revision.to_string(),
                },
            ))
        };
        self.0.write(&scope, once, command).await
    }

    async fn get_plan(
        &self,
        request: Request<pb::GetPlanRequest>,
    ) -> Result<Response<pb::GetPlanResponse>, Status> {
        let (caller, request) = open(request)?;
        let name = PlanName::parse(&request.name, "name").map_err(invalid)?;
        let scope = self.before(&caller, Permission::ReadOffer, &name).await?;
        let mut db = self.0.db.acquire().await.map_err(Error::from)?;
        let found = store::plans::get(&mut db, &scope, &name, now()).await?;
        let (plan, standing) = found.ok_or_else(|| Error::not_found("Plan", &name))?;
        scope.settle(&standing)?;
        Ok(Response::new(pb::GetPlanResponse {
            plan: Some(wire::plans::plan(&name.parent(), &plan)),
        }))
    }

    async fn list_plans(
        &self,
        request: Request<pb::ListPlansRequest>,
    ) -> Result<Response<pb::ListPlansResponse>, Status> {
        let (caller, request) = open(request)?;
        let parent = OfferName::parse(&request.parent, "parent").map_err(invalid)?;
        let scope = self
            .0
            .before_offer(&caller, Permission::ReadOffer, &parent)
            .await?;
        let filters = Fingerprint::of("ListPlans", &request.parent);
        let size = paging::page_size(request.page_size).map_err(invalid)?;
        let after: Option<String> =
            paging::decode(&request.page_token, filters).map_err(invalid)?;
        let mut db = self.0.db.read().await.map_err(Error::from)?;
        let found = store::offers::get(&mut db, &scope, &parent, now()).await?;
        let (offer, standing) = found.ok_or_else(|| Error::not_found("Offer", &parent))?;
        scope.settle(&standing)?;
        let mut found = store::plans::list(&mut db, offer.uid, after.as_deref(), size + 1).await?;
        let next_page_token =
            super::next_page(&mut found, size, |last| paging::encode(&last.id, filters));
        let plans = found
            .iter()
            .map(|plan| wire::plans::plan(&parent, plan))
            .collect();
        Ok(Response::new(pb::ListPlansResponse {
            plans,
            next_page_token,
        }))
    }

    async fn update_plan(
        &self,
        request: Request<pb::UpdatePlanRequest>,
    ) -> Result<Response<pb::UpdatePlanResponse>, Status> {
        let (caller, request) = open(request)?;
        let new = request
            .plan
            .as_ref()
            .ok_or_else(|| invalid(Violation::missing("plan")))?;
        let name = PlanName::parse(&new.name, "plan.name").map_err(invalid)?;
        let scope = self.before(&caller, Permission::Publish, &name).await?;
        let once = once(&caller, "UpdatePlan", &request.request_id, &request)?;
        let display_name = wire::plans::new_name(new).map_err(invalid)?;
        let etag = wire::etag(&new.etag, "plan.etag").map_err(invalid)?;
        let command = async |mut db| {
            let (plan, revision) =
                plans::rename(&mut db, &scope, &name, display_name, etag, now()).await?;
            let plan = Some(wire::plans::plan(&name.parent(), &plan));
            Ok((
                db,
                pb::UpdatePlanResponse {
                    plan,
                    offer_etag: revision.to_string(),
                },
            ))
        };
        self.0.write(&scope, once, command).await
    }

    async fn delete_plan(
        &self,
        request: Request<pb::DeletePlanRequest>,
    ) -> Result<Response<pb::DeletePlanResponse>, Status> {
        let (caller, request) = open(request)?;
        let name = PlanName::parse(&request.name, "name").map_err(invalid)?;
        let scope = self.before(&caller, Permission::Publish, &name).await?;
        let once = once(&caller, "DeletePlan", &request.request_id, &request)?;
        let etag = wire::etag(&request.etag, "etag").map_err(invalid)?;
        let command = async |mut db| {
            let revision = plans::delete(&mut db, &scope, &name, etag, now()).await?;
            Ok((
                db,
                pb::DeletePlanResponse {
                    offer_etag: revision.to_string(),
                },
            ))
        };
        self.0.write(&scope, once, command).await
    }

    async fn import_private_audience(
        &self,
        request: Request<Streaming<pb::ImportPrivateAudienceRequest>>,
    ) -> Result<Response<pb::ImportPrivateAudienceResponse>, Status> {
        stored::import(self, request).await
    }

    async fn list_private_audience(
        &self,
        request: Request<pb::ListPrivateAudienceRequest>,
    ) -> Result<Response<pb::ListPrivateAudienceResponse>, Status> {
        stored::list(self, request).await
    }

    async fn sync_private_audience(
        &self,
        request: Request<pb::SyncPrivateAudienceRequest>,
    ) -> Result<Response<pb::SyncPrivateAudienceResponse>, Status> {
        let (caller, request) = open(request)?;
        let name = PlanName::parse(&request.name, "name").map_err(invalid)?;
        let scope = self.before(&caller, Permission::Publish, &name).await?;
        let once = once(
            &caller,
            "SyncPrivateAudience",
            &request.request_id,
            &request,
        )?;
        let command = async |mut db| {
            let synced = audiences::sync(&mut db, &scope, &name, now()).await?;
            let audience_version = wire::unsigned(synced.version);
            Ok((
                db,
                pb::SyncPrivateAudienceResponse {
                    changed: synced.changed,
                    audience_version,
                },
            ))
        };
        self.0.write(&scope, once, command).await
    }
}
