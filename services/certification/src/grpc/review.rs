//! The review queue, and what reviewers do.

use std::collections::HashMap;

use marketplace_messaging::requests::{self, Once};
use marketplace_proto::certification::v1::{self as pb, review_service_server::ReviewService};
use marketplace_runtime::{
    access::{Permission, Target},
    clock,
    identity::{self, Caller},
    text,
};
use time::OffsetDateTime;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use super::{Grpc, page::Page};
use crate::{
    DOMAIN,
    commands::{self, Claim, Release},
    domain::Case,
    error::Error,
    store::{self, QueueFilter},
    wire,
};

impl Grpc {
    /// Leaves out cases of publishers that the reviewer is a member of: they don't see them.
    async fn without_interest(
        &self,
        caller: &Caller,
        cases: Vec<Case>,
    ) -> Result<Vec<Case>, Status> {
        let mut may: HashMap<String, bool> = HashMap::new();
        for case in &cases {
            let publisher = &case.order.publisher;
            if !may.contains_key(publisher) {
                let asked = self
                    .access
                    .require(caller, Permission::Review, &Target::Publisher(publisher))
                    .await;
                let allowed = match asked {
                    Ok(_) => true,
                    Err(refused) if refused.code() == Code::PermissionDenied => false,
                    Err(failed) => return Err(failed),
                };
                may.insert(publisher.clone(), allowed);
            }
        }
        Ok(cases
            .into_iter()
            .filter(|case| may.get(&case.order.publisher) == Some(&true))
            .collect())
    }

    fn shown(&self, case: &Case) -> Option<pb::Case> {
        Some(wire::case(case, true, &self.book.policies()))
    }
}

#[tonic::async_trait]
impl ReviewService for Grpc {
    async fn list_review_queue(
        &self,
        request: Request<pb::ListReviewQueueRequest>,
    ) -> Result<Response<pb::ListReviewQueueResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        self.access
            .require(&caller, Permission::Review, &Target::Platform)
            .await?;
        text::line(&request.offer_type, "offer_type", 64)
            .map_err(|wrong| Error::Invalid(vec![wrong]))?;
        let filters = (request.mine, &request.offer_type, caller.principal());
        let page: Page<(OffsetDateTime, Uuid)> = Page::read(
            "ListReviewQueue",
            &filters,
            request.page_size,
            &request.page_token,
        )?;
        let filter = QueueFilter {
            held_by: request.mine.then(|| caller.principal().to_owned()),
            offer_type: Some(request.offer_type).filter(|wanted| !wanted.is_empty()),
            after: page.after,
        };
        let mut db = self.db.read().await.map_err(Error::from)?;
        let mut cases = store::queue(&mut db, &filter, clock::now(), page.limit())
            .await
            .map_err(Error::from)?;
        // No connection is held while the catalog is asked.
        drop(db);
        let next_page_token = page.cut(&mut cases, |case| {
            (case.awaiting_since.unwrap_or(case.created_at), case.id)
        });
        let cases = self.without_interest(&caller, cases).await?;
        let policies = self.book.policies();
        let cases = cases
            .iter()
            .map(|case| wire::case(case, false, &policies))
            .collect();
        Ok(Response::new(pb::ListReviewQueueResponse {
            cases,
            next_page_token,
        }))
    }

    async fn claim_case(
        &self,
        request: Request<pb::ClaimCaseRequest>,
    ) -> Result<Response<pb::ClaimCaseResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let (scope, case) = self.reviewer_of(&caller, &request.name).await?;
        let once = Once::new(DOMAIN, &caller, "ClaimCase", &request.request_id, &request)?;
        let command = Claim {
            case,
            at: clock::now(),
        };
        requests::run(&self.db, once, async move |mut work| {
            let case = commands::claim(&mut work, &scope, command).await?;
            Ok((
                work,
                pb::ClaimCaseResponse {
                    case: self.shown(&case),
                },
            ))
        })
        .await
    }

    async fn release_case(
        &self,
        request: Request<pb::ReleaseCaseRequest>,
    ) -> Result<Response<pb::ReleaseCaseResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let (scope, case) = self.reviewer_of(&caller, &request.name).await?;
        let once = Once::new(
            DOMAIN,
            &caller,
            "ReleaseCase",
            &request.request_id,
            &request,
        )?;
        let command = Release {
            case,
            at: clock::now(),
        };
        requests::run(&self.db, once, async move |mut work| {
            let case = commands::release(&mut work, &scope, command).await?;
            Ok((
                work,
                pb::ReleaseCaseResponse {
                    case: self.shown(&case),
                },
            ))
        })
        .await
    }

    async fn decide_check(
        &self,
        request: Request<pb::DecideCheckRequest>,
    ) -> Result<Response<pb::DecideCheckResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let (scope, case) = self.reviewer_of(&caller, &request.name).await?;
        let once = Once::new(
            DOMAIN,
            &caller,
            "DecideCheck",
            &request.request_id,
            &request,
        )?;
        let command = wire::decide(case, &request, &self.book.policies(), clock::now())?;
        requests::run(&self.db, once, async move |mut work| {
            let case = commands::decide(&mut work, &scope, command).await?;
            Ok((
                work,
                pb::DecideCheckResponse {
                    case: self.shown(&case),
                },
            ))
        })
        .await
    }

    async fn approve_case(
        &self,
        request: Request<pb::ApproveCaseRequest>,
    ) -> Result<Response<pb::ApproveCaseResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let (scope, case) = self.reviewer_of(&caller, &request.name).await?;
        let once = Once::new(
            DOMAIN,
            &caller,
            "ApproveCase",
            &request.request_id,
            &request,
        )?;
        let command = wire::approve(case, &request, clock::now())?;
        requests::run(&self.db, once, async move |mut work| {
            let case = commands::approve(&mut work, &scope, command).await?;
            Ok((
                work,
                pb::ApproveCaseResponse {
                    case: self.shown(&case),
                },
            ))
        })
        .await
    }

    async fn reject_case(
        &self,
        request: Request<pb::RejectCaseRequest>,
    ) -> Result<Response<pb::RejectCaseResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let (scope, case) = self.reviewer_of(&caller, &request.name).await?;
        let once = Once::new(DOMAIN, &caller, "RejectCase", &request.request_id, &request)?;
        let command = wire::reject(case, &request, &self.book.policies(), clock::now())?;
        requests::run(&self.db, once, async move |mut work| {
            let case = commands::reject(&mut work, &scope, command).await?;
            Ok((
                work,
                pb::RejectCaseResponse {
                    case: self.shown(&case),
                },
            ))
        })
        .await
    }
}
