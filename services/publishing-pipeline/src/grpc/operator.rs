//! OperatorService: with a grant of the publisher or an open incident of the offer, each act with a reason, audited.

use marketplace_messaging::{Work, requests};
use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::access::{Permission, Scope, Target};
use marketplace_runtime::identity::{self, Caller};
use marketplace_runtime::timestamp::to_proto;
use marketplace_runtime::{clock, ids, paging};
use pb::operator_service_server::OperatorService;
use prost::Message;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{Correction, Grpc, named, once};
use crate::domain::{Actor, ActorKind, Moment, Move, Offering, Refusal, StepId};
use crate::error::Error;
use crate::{commands, store, wire};

#[tonic::async_trait]
impl OperatorService for Grpc {
    async fn list_incidents(
        &self,
        request: Request<pb::ListIncidentsRequest>,
    ) -> Result<Response<pb::ListIncidentsResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        self.access
            .require(&caller, Permission::Operate, &Target::Platform)
            .await?;
        let wanted = wire::list_incidents(&request).map_err(Error::from)?;
        let mut db = self.db.read().await.map_err(Error::from)?;
        let closed_too = request.include_closed;
        let mut found =
            store::list_incidents(&mut db, closed_too, wanted.after, wanted.size + 1).await?;
        let more = found.len() > usize::try_from(wanted.size).unwrap_or(usize::MAX);
        if more {
            found.pop();
        }
        let last = found
            .last()
            .filter(|_| more)
            .map(|last| (last.opened_at, last.id));
        let next_page_token = last
            .map(|last| paging::encode(&last, wanted.filters))
            .unwrap_or_default();
        let incidents = found.into_iter().map(incident).collect();
        Ok(Response::new(pb::ListIncidentsResponse {
            incidents,
            next_page_token,
        }))
    }

    async fn retry_step(
        &self,
        request: Request<pb::RetryStepRequest>,
    ) -> Result<Response<pb::RetryStepResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let act = self
            .act(
                &caller,
                "RetryStep",
                &request.submission,
                Some(&request.step),
                &request.reason,
            )
            .await?;
        let once = once(&caller, "RetryStep", &request.request_id, &request)?;
        let (id, step) = (act.id, act.named_step()?);
        let change = move |offering: &mut Offering, moment: Moment<'_>| {
            offering.retry_step(id, step, moment)
        };
        let answer = |submission, _| pb::RetryStepResponse {
            submission: Some(submission),
        };
        self.operate(once, act, change, answer).await
    }

    async fn fail_step(
        &self,
        request: Request<pb::FailStepRequest>,
    ) -> Result<Response<pb::FailStepResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let act = self
            .act(
                &caller,
                "FailStep",
                &request.submission,
                Some(&request.step),
                &request.reason,
            )
            .await?;
        let once = once(&caller, "FailStep", &request.request_id, &request)?;
        let (id, step, reason) = (act.id, act.named_step()?, act.reason.clone());
        let change = move |offering: &mut Offering, moment: Moment<'_>| {
            offering.fail_blocked(id, step, &reason, moment)
        };
        let answer = |submission, publication| pb::FailStepResponse {
            submission: Some(submission),
            publication: Some(publication),
        };
        self.operate(once, act, change, answer).await
    }

    async fn cancel_live_leg(
        &self,
        request: Request<pb::CancelLiveLegRequest>,
    ) -> Result<Response<pb::CancelLiveLegResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let act = self
            .act(
                &caller,
                "CancelLiveLeg",
                &request.submission,
                None,
                &request.reason,
            )
            .await?;
        let once = once(&caller, "CancelLiveLeg", &request.request_id, &request)?;
        let (id, by) = (act.id, act.actor());
        let change = move |offering: &mut Offering, moment: Moment<'_>| {
            offering.request_cancel(id, Move::CancelLiveLeg, by, moment)
        };
        let answer = |submission, publication| pb::CancelLiveLegResponse {
            submission: Some(submission),
            publication: Some(publication),
        };
        self.operate(once, act, change, answer).await
    }

    async fn withdraw_preview(
        &self,
        request: Request<pb::WithdrawPreviewRequest>,
    ) -> Result<Response<pb::WithdrawPreviewResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let act = self
            .act(
                &caller,
                "WithdrawPreview",
                &request.submission,
                None,
                &request.reason,
            )
            .await?;
        let once = once(&caller, "WithdrawPreview", &request.request_id, &request)?;
        let (id, by, reason) = (act.id, act.actor(), act.reason.clone());
        let change = move |offering: &mut Offering, moment: Moment<'_>| {
            offering.withdraw_preview(id, &reason, by, moment)
        };
        let answer = |submission, publication| pb::WithdrawPreviewResponse {
            submission: Some(submission),
            publication: Some(publication),
        };
        self.operate(once, act, change, answer).await
    }
}

/// One act of an operator, permitted and well formed.
struct Act {
    name: &'static str,
    scope: Scope,
    submission: ids::SubmissionName,
    id: Uuid,
    step: Option<StepId>,
    reason: String,
}

impl Act {
    /// Operators act as operators, also where they are members as well.
    fn actor(&self) -> Actor {
        Actor {
            kind: ActorKind::Operator,
            principal: self.scope.principal().to_owned(),
        }
    }

    fn named_step(&self) -> Result<StepId, Error> {
        self.step
            .ok_or(Error::Corrupt("an act on a step names none"))
    }

    fn audit(&self, offering: &Offering, at: time::OffsetDateTime) -> store::Audit {
        store::Audit {
            id: ids::new_id(),
            offer_uid: offering.publication().offer_uid,
            submission: self.id,
            step: self.step.map_or("", StepId::as_str),
            action: self.name,
            reason: self.reason.clone(),
            principal: self.scope.principal().to_owned(),
            at,
        }
    }
}

impl Grpc {
    async fn act(
        &self,
        caller: &Caller,
        name: &'static str,
        submission: &str,
        step: Option<&str>,
        reason: &str,
    ) -> Result<Act, Status> {
        self.access
            .require(caller, Permission::Operate, &Target::Platform)
            .await?;
        let (submission, id, step, reason) =
            wire::operate(submission, step, reason).map_err(Error::from)?;
        // As an operator, also where the caller is a member as well: a publisher doesn't cancel its own live leg (A2).
        let scope = self
            .permit_correction(
                caller,
                Permission::Correct,
                &submission,
                Correction::OfIncident,
            )
            .await?;
        Ok(Act {
            name,
            scope,
            submission,
            id,
            step,
            reason,
        })
    }

    async fn operate<A, C>(
        &self,
        once: requests::Once,
        act: Act,
        change: C,
        answer: fn(pb::Submission, pb::Publication) -> A,
    ) -> Result<Response<A>, Status>
    where
        A: Message + Default,
        C: FnOnce(&mut Offering, Moment<'_>) -> Result<(), Refusal> + Send,
    {
        requests::run(&self.db, once, async move |mut work: Work| {
            let at = clock::now();
            let changed = commands::change_submission(
                &mut work,
                &self.steps,
                &act.scope,
                &act.submission,
                at,
                change,
            )
            .await;
            let offering = changed.map_err(|error| named(error, &act.submission.parent()))?;
            store::audit(&mut work, &act.audit(&offering, at)).await?;
            Ok((
                work,
                answer(
                    self.submission(&offering, act.id),
                    wire::publication(&offering),
                ),
            ))
        })
        .await
    }
}

fn incident(incident: store::Incident) -> pb::Incident {
    let offer = ids::OfferName::new(&incident.publisher, &incident.offer);
    pb::Incident {
        name: format!("incidents/{}", incident.id),
        offer: offer.to_string(),
        submission: offer.submission(incident.submission).to_string(),
        step: incident.step,
        attempts: u32::try_from(incident.attempts).unwrap_or_default(),
        last_error: incident.last_error,
        open_time: Some(to_proto(incident.opened_at)),
        close_time: incident.closed_at.map(to_proto),
    }
}
