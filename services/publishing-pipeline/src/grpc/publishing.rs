//! PublishingService: who, may they, what.

use marketplace_messaging::requests;
use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::access::Permission;
use marketplace_runtime::ids::{OfferName, PublisherName};
use marketplace_runtime::{clock, identity, ids, paging};
use pb::publishing_service_server::PublishingService;
use tonic::{Request, Response, Status};

use super::watching::Watching;
use super::{Correction, Grpc, once};
use crate::domain::Move;
use crate::error::Error;
use crate::{store, wire};

#[tonic::async_trait]
impl PublishingService for Grpc {
    async fn publish_offer(
        &self,
        request: Request<pb::PublishOfferRequest>,
    ) -> Result<Response<pb::PublishOfferResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let wanted = wire::publish(&request).map_err(Error::from)?;
        let scope = self
            .permit_offer(&caller, Permission::Publish, &wanted.offer)
            .await?;
        if wanted.validate_only {
            return Ok(Response::new(self.validate(&scope, wanted).await?));
        }
        let once = once(&caller, "PublishOffer", &request.request_id, &request)?;
        // Not cut with the call: a freeze without its submission would be left behind.
        let grpc = self.clone();
        let work = async move {
            let publish = async |id| grpc.publish(scope, wanted, id).await;
            requests::run_claimed(&grpc.db, once, ids::new_id(), publish).await
        };
        self.tracked.run(work).await.map_err(Error::from)?
    }

    async fn cancel_publish(
        &self,
        request: Request<pb::CancelPublishRequest>,
    ) -> Result<Response<pb::CancelPublishResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let (name, id) = wire::cancel(&request).map_err(Error::from)?;
        let scope = self
            .permit_correction(&caller, Permission::Publish, &name, Correction::OfIncident)
            .await?;
        let once = once(&caller, "CancelPublish", &request.request_id, &request)?;
        let by = wire::actor_of(&scope);
        self.on_submission(
            once,
            scope,
            name,
            move |offering, moment| offering.request_cancel(id, Move::CancelPublish, by, moment),
            |submission, publication| pb::CancelPublishResponse {
                submission: Some(submission),
                publication: Some(publication),
            },
        )
        .await
    }

    async fn go_live(
        &self,
        request: Request<pb::GoLiveRequest>,
    ) -> Result<Response<pb::GoLiveResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let wanted = wire::go_live(&request, clock::now()).map_err(Error::from)?;
        let again = Correction::OfFailed(wanted.id);
        let scope = self
            .permit_correction(&caller, Permission::Publish, &wanted.submission, again)
            .await?;
        let once = once(&caller, "GoLive", &request.request_id, &request)?;
        let (by, acknowledged, id) = (
            wire::actor_of(&scope),
            request.acknowledge_warnings,
            wanted.id,
        );
        self.on_submission(
            once,
            scope,
            wanted.submission,
            move |offering, moment| match wanted.at {
                Some(at) => offering.schedule_go_live(id, acknowledged, at, by, moment),
                None => offering.go_live(id, acknowledged, by, moment),
            },
            |submission, publication| pb::GoLiveResponse {
                submission: Some(submission),
                publication: Some(publication),
            },
        )
        .await
    }

    async fn cancel_scheduled_go_live(
        &self,
        request: Request<pb::CancelScheduledGoLiveRequest>,
    ) -> Result<Response<pb::CancelScheduledGoLiveResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let (name, id) =
            wire::submission_name(&request.submission, "submission").map_err(Error::from)?;
        let scope = self
            .permit_submission(&caller, Permission::Publish, &name)
            .await?;
        let once = once(
            &caller,
            "CancelScheduledGoLive",
            &request.request_id,
            &request,
        )?;
        let by = wire::actor_of(&scope);
        self.on_submission(
            once,
            scope,
            name,
            move |offering, moment| offering.cancel_schedule(id, by, moment),
            |submission, publication| pb::CancelScheduledGoLiveResponse {
                submission: Some(submission),
                publication: Some(publication),
            },
        )
        .await
    }

    async fn get_publication(
        &self,
        request: Request<pb::GetPublicationRequest>,
    ) -> Result<Response<pb::GetPublicationResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let name = OfferName::parse(&request.offer, "offer").map_err(Error::from)?;
        let scope = self
            .permit_offer(&caller, Permission::ReadOffer, &name)
            .await?;
        let publication = Some(wire::publication(&self.find(&scope, &name).await?));
        Ok(Response::new(pb::GetPublicationResponse { publication }))
    }

    async fn get_offer_overview(
        &self,
        request: Request<pb::GetOfferOverviewRequest>,
    ) -> Result<Response<pb::GetOfferOverviewResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let name = OfferName::parse(&request.offer, "offer").map_err(Error::from)?;
        let scope = self
            .permit_offer(&caller, Permission::ReadOffer, &name)
            .await?;
        let overview = Some(self.overview(&scope, &name).await?);
        Ok(Response::new(pb::GetOfferOverviewResponse { overview }))
    }

    async fn get_submission(
        &self,
        request: Request<pb::GetSubmissionRequest>,
    ) -> Result<Response<pb::GetSubmissionResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let (name, id) = wire::submission_name(&request.name, "name").map_err(Error::from)?;
        let scope = self
            .permit_submission(&caller, Permission::ReadOffer, &name)
            .await?;
        let mut db = self.db.acquire().await.map_err(Error::from)?;
        let found = store::find_submission(&mut db, &scope, &name.offer, id).await?;
        let missing = || Error::NotFound {
            kind: "Submission",
            name: name.to_string(),
        };
        let (publication, submission) = found.ok_or_else(missing)?;
        let submission = Some(wire::submission(
            &publication,
            &submission,
            &self.medians(),
            clock::now(),
        ));
        Ok(Response::new(pb::GetSubmissionResponse { submission }))
    }

    async fn list_submissions(
        &self,
        request: Request<pb::ListSubmissionsRequest>,
    ) -> Result<Response<pb::ListSubmissionsResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let wanted = wire::list_submissions(&request).map_err(Error::from)?;
        let scope = self
            .permit_offer(&caller, Permission::ReadOffer, &wanted.offer)
            .await?;
        let offering = self.find(&scope, &wanted.offer).await?;
        let mut db = self.db.read().await.map_err(Error::from)?;
        let (offer, limit) = (&wanted.offer.offer, wanted.size + 1);
        let mut found =
            store::list_submissions(&mut db, &scope, offer, wanted.states, wanted.before, limit)
                .await?;
        let more = found.len() > usize::try_from(wanted.size).unwrap_or(usize::MAX);
        if more {
            found.pop();
        }
        let last = found
            .last()
            .filter(|_| more)
            .map(|last| paging::encode(&last.id, wanted.filters));
        let (medians, now) = (self.medians(), clock::now());
        let shown = found
            .iter()
            .map(|one| wire::submission(offering.publication(), one, &medians, now));
        let (submissions, next_page_token) = (shown.collect(), last.unwrap_or_default());
        Ok(Response::new(pb::ListSubmissionsResponse {
            submissions,
            next_page_token,
        }))
    }

    type WatchSubmissionStream = Watching<pb::WatchSubmissionResponse>;

    async fn watch_submission(
        &self,
        request: Request<pb::WatchSubmissionRequest>,
    ) -> Result<Response<Self::WatchSubmissionStream>, Status> {
        let (caller, request) = identity::open(request)?;
        let (name, id) = wire::submission_name(&request.name, "name").map_err(Error::from)?;
        let scope = self
            .permit_submission(&caller, Permission::ReadOffer, &name)
            .await?;
        let seen = wire::watch_token(&request.resume_token, id).map_err(Error::from)?;
        let stream = self.watch(caller, scope, name, id, seen).await?;
        Ok(Response::new(stream))
    }

    async fn stop_distribution(
        &self,
        request: Request<pb::StopDistributionRequest>,
    ) -> Result<Response<pb::StopDistributionResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let name = OfferName::parse(&request.offer, "offer").map_err(Error::from)?;
        let scope = self
            .permit_offer(&caller, Permission::Publish, &name)
            .await?;
        let once = once(&caller, "StopDistribution", &request.request_id, &request)?;
        let (by, meant) = (
            wire::actor_of(&scope),
            wire::stop(request, &name).map_err(Error::from)?,
        );
        let (plan, stop) = self.stop(meant).await?;
        let change = move |offering: &mut crate::domain::Offering,
                           moment: crate::domain::Moment<'_>| match plan {
            Some(plan) => offering.stop_plan(&plan, stop.confirmed, by, moment),
            None => offering.stop_offer(stop, by, moment),
        };
        let answer = |publication| pb::StopDistributionResponse {
            publication: Some(publication),
        };
        self.on_offer(once, scope, name, change, answer).await
    }

    async fn resume_distribution(
        &self,
        request: Request<pb::ResumeDistributionRequest>,
    ) -> Result<Response<pb::ResumeDistributionResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let name = OfferName::parse(&request.offer, "offer").map_err(Error::from)?;
        let scope = self
            .permit_offer(&caller, Permission::Publish, &name)
            .await?;
        let once = once(&caller, "ResumeDistribution", &request.request_id, &request)?;
        let (by, plan) = (wire::actor_of(&scope), request.plan_id);
        let change = move |offering: &mut crate::domain::Offering,
                           moment: crate::domain::Moment<'_>| {
            if plan.is_empty() {
                offering.resume_offer(by, moment)
            } else {
                offering.resume_plan(&plan, by, moment)
            }
        };
        let answer = |publication| pb::ResumeDistributionResponse {
            publication: Some(publication),
        };
        self.on_offer(once, scope, name, change, answer).await
    }

    async fn restore_plan(
        &self,
        request: Request<pb::RestorePlanRequest>,
    ) -> Result<Response<pb::RestorePlanResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let name = OfferName::parse(&request.offer, "offer").map_err(Error::from)?;
        let scope = self
            .permit_offer(&caller, Permission::Publish, &name)
            .await?;
        let once = once(&caller, "RestorePlan", &request.request_id, &request)?;
        let (by, plan) = (
            wire::actor_of(&scope),
            wire::plan(request.plan_id).map_err(Error::from)?,
        );
        let change = move |offering: &mut crate::domain::Offering,
                           moment: crate::domain::Moment<'_>| {
            offering.restore_plan(&plan, by, moment)
        };
        let answer = |publication| pb::RestorePlanResponse {
            publication: Some(publication),
        };
        self.on_offer(once, scope, name, change, answer).await
    }

    async fn discard_failure(
        &self,
        request: Request<pb::DiscardFailureRequest>,
    ) -> Result<Response<pb::DiscardFailureResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let (name, id) =
            wire::submission_name(&request.submission, "submission").map_err(Error::from)?;
        let scope = self
            .permit_submission(&caller, Permission::Publish, &name)
            .await?;
        let once = once(&caller, "DiscardFailure", &request.request_id, &request)?;
        let by = wire::actor_of(&scope);
        let change = move |offering: &mut crate::domain::Offering,
                           moment: crate::domain::Moment<'_>| {
            offering.discard_failure(id, by, moment)
        };
        let answer = |_, publication| pb::DiscardFailureResponse {
            publication: Some(publication),
        };
        self.on_submission(once, scope, name, change, answer).await
    }

    async fn create_batch(
        &self,
        request: Request<pb::CreateBatchRequest>,
    ) -> Result<Response<pb::CreateBatchResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        self.make_batch(&caller, &request).await
    }

    async fn get_batch(
        &self,
        request: Request<pb::GetBatchRequest>,
    ) -> Result<Response<pb::GetBatchResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        Ok(Response::new(self.read_batch(&caller, &request).await?))
    }

    async fn get_quota(
        &self,
        request: Request<pb::GetQuotaRequest>,
    ) -> Result<Response<pb::GetQuotaResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let name = PublisherName::parse(&request.publisher, "publisher").map_err(Error::from)?;
        let quotas = self.read_quotas(&caller, &name.publisher).await?;
        Ok(Response::new(quotas))
    }

    async fn create_dry_run(
        &self,
        request: Request<pb::CreateDryRunRequest>,
    ) -> Result<Response<pb::CreateDryRunResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        Grpc::create_dry_run(self, &caller, request).await
    }

    async fn get_dry_run(
        &self,
        request: Request<pb::GetDryRunRequest>,
    ) -> Result<Response<pb::GetDryRunResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let dry_run = Some(Grpc::get_dry_run(self, &caller, &request.name).await?);
        Ok(Response::new(pb::GetDryRunResponse { dry_run }))
    }

    type WatchDryRunStream = Watching<pb::WatchDryRunResponse>;

    async fn watch_dry_run(
        &self,
        request: Request<pb::WatchDryRunRequest>,
    ) -> Result<Response<Self::WatchDryRunStream>, Status> {
        let (caller, request) = identity::open(request)?;
        let stream = Grpc::watch_dry_run(self, caller, &request.name).await?;
        Ok(Response::new(stream))
    }

    async fn cancel_dry_run(
        &self,
        request: Request<pb::CancelDryRunRequest>,
    ) -> Result<Response<pb::CancelDryRunResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        Grpc::cancel_dry_run(self, &caller, request).await
    }
}
