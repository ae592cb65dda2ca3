//! The first door in: unwrap, permit, call, wrap.

mod batches;
mod dry_runs;
mod operator;
mod overview;
mod publish;
mod publishing;
mod watch;
mod watching;

use std::sync::Arc;

use marketplace_messaging::{Database, Work, requests};
use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::access::{Access, Permission, Scope, Target};
use marketplace_runtime::clock;
use marketplace_runtime::identity::Caller;
use marketplace_runtime::ids::{OfferName, SubmissionName};
use marketplace_runtime::tasks::Tracked;
use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::{Response, Status};
use uuid::Uuid;

use crate::domain::{Alternative, Deprecate, Moment, Offering, Quotas, Refusal, StopOffer};
use crate::due::SharedMedians;
use crate::error::Error;
use crate::neighbours::Catalog;
use crate::steps::Steps;
use crate::{DOMAIN, commands, store, wire};

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct Grpc {
    pub db: Database,
    pub access: Access,
    pub steps: Steps,
    pub catalog: Catalog,
    pub medians: SharedMedians,
    pub quotas: Quotas,
    pub stopping: CancellationToken,
    pub tracked: Tracked,
}

/// What an operator may do without a grant.
#[derive(Debug, Clone, Copy)]
enum Correction {
    /// While an incident of the offer is open.
    OfIncident,
    /// While it is open and this submission failed by it (T24).
    OfFailed(Uuid),
}

impl Grpc {
    /// What the caller may do with an offer.
    async fn permit_offer(
        &self,
        caller: &Caller,
        wanted: Permission,
        offer: &OfferName,
    ) -> Result<Scope, Status> {
        let target = Target::Resource {
            publisher: &offer.publisher,
            kind: "Offer",
            name: &offer.to_string(),
        };
        self.access.require(caller, wanted, &target).await
    }

    async fn permit_submission(
        &self,
        caller: &Caller,
        wanted: Permission,
        submission: &SubmissionName,
    ) -> Result<Scope, Status> {
        let target = Target::Resource {
            publisher: &submission.publisher,
            kind: "Submission",
            name: &submission.to_string(),
        };
        self.access.require(caller, wanted, &target).await
    }

    /// The same for what corrects an unexpected system error: an open incident lets operators do it without a grant
    /// (RO-7). Nothing else does.
    async fn permit_correction(
        &self,
        caller: &Caller,
        wanted: Permission,
        submission: &SubmissionName,
        correction: Correction,
    ) -> Result<Scope, Status> {
        if !caller.roles.operator {
            return self.permit_submission(caller, wanted, submission).await;
        }
        let (publisher, offer) = (&submission.publisher, &submission.offer);
        let mut db = self.db.acquire().await.map_err(Error::from)?;
        let open = match correction {
            Correction::OfIncident => store::incident_open(&mut db, publisher, offer).await?,
            Correction::OfFailed(id) => {
                store::incident_failed(&mut db, publisher, offer, id).await?
            }
        };
        drop(db);
        if !open {
            return self.permit_submission(caller, wanted, submission).await;
        }
        let target = Target::Incident {
            publisher,
            kind: "Submission",
            name: &submission.to_string(),
        };
        self.access.require(caller, wanted, &target).await
    }

    /// A move on a submission, once per request id; the answer is made of the submission and its publication.
    async fn on_submission<A, C>(
        &self,
        once: requests::Once,
        scope: Scope,
        name: SubmissionName,
        change: C,
        answer: fn(pb::Submission, pb::Publication) -> A,
    ) -> Result<Response<A>, Status>
    where
        A: Message + Default,
        C: FnOnce(&mut Offering, Moment<'_>) -> Result<(), Refusal> + Send,
    {
        requests::run(&self.db, once, async move |mut work: Work| {
            let at = clock::now();
            let changed =
                commands::change_submission(&mut work, &self.steps, &scope, &name, at, change)
                    .await;
            let offering = changed.map_err(|error| named(error, &name.parent()))?;
            let id = name.id("submission").map_err(Error::from)?;
            let answer = answer(self.submission(&offering, id), wire::publication(&offering));
            Ok((work, answer))
        })
        .await
    }

    /// A move on an offer.
    async fn on_offer<A, C>(
        &self,
        once: requests::Once,
        scope: Scope,
        name: OfferName,
        change: C,
        answer: fn(pb::Publication) -> A,
    ) -> Result<Response<A>, Status>
    where
        A: Message + Default,
        C: FnOnce(&mut Offering, Moment<'_>) -> Result<(), Refusal> + Send,
    {
        requests::run(&self.db, once, async move |mut work: Work| {
            let at = clock::now();
            let locked = store::lock_name(&mut work, &scope, &name.offer).await;
            let Some(offering) = locked? else {
                // Nothing is locked while the catalogue is asked.
                drop(work);
                let refused = self.never_published(&name, change).await;
                return Err(named(refused, &name).into());
            };
            let changed = commands::change_offer(&mut work, &self.steps, offering, at, change);
            match changed.await {
                Ok(offering) => Ok((work, answer(wire::publication(&offering)))),
                Err(Error::Refused(Refusal::UnknownPlan { plan, otherwise })) => {
                    drop(work);
                    let refused = self.unknown_plan(&name, &plan, *otherwise).await;
                    Err(named(refused, &name).into())
                }
                Err(error) => Err(named(error, &name).into()),
            }
        })
        .await
    }

    /// Why an offer without a publication can't move: it isn't there, or what is asked for isn't possible with a draft.
    async fn never_published<C>(&self, name: &OfferName, change: C) -> Error
    where
        C: FnOnce(&mut Offering, Moment<'_>) -> Result<(), Refusal> + Send,
    {
        let (mut offering, _) = match self.unpublished(name).await {
            Ok(draft) => draft,
            Err(error) => return error,
        };
        let moment = offering.moment(self.steps.moment(clock::now()));
        match change(&mut offering, moment) {
            Err(refusal) => refusal.into(),
            // What it was about is being published just now.
            Ok(()) => Error::ConcurrentChange,
        }
    }

    /// Why a plan that its publication doesn't know can't move: only the draft has it, or nobody.
    async fn unknown_plan(&self, name: &OfferName, plan: &str, otherwise: Refusal) -> Error {
        match self.unpublished(name).await {
            Err(error) => error,
            Ok((_, draft)) if draft.plans.iter().any(|drafted| drafted.plan_id == plan) => {
                otherwise.into()
            }
            Ok(_) => Error::NotFound {
                kind: "Plan",
                name: name.plan(plan).to_string(),
            },
        }
    }

    /// A stop with what only the catalogue knows of it: whether customers see what they are to use instead.
    async fn stop(&self, meant: wire::Stop) -> Result<(Option<String>, StopOffer), Error> {
        let mut stop = StopOffer {
            reason: meant.reason,
            confirmed: meant.confirmed,
            schedule: None,
        };
        if let Some(schedule) = meant.schedule {
            let alternative = match schedule.alternative {
                Some(named) => Some(self.alternative(&named).await?),
                None => None,
            };
            stop.schedule = Some(Deprecate {
                notice: schedule.notice,
                reason: schedule.reason,
                alternative,
            });
        }
        Ok((meant.plan, stop))
    }

    async fn alternative(&self, named: &wire::Named) -> Result<Alternative, Error> {
        let offer = named.offer.to_string();
        let on_sale = self
            .catalog
            .is_on_sale(&offer, named.plan.as_deref())
            .await?;
        let name = named.to_string();
        Ok(Alternative { name, on_sale })
    }

    /// A submission of an offering as it is now.
    fn submission(&self, offering: &Offering, id: Uuid) -> pb::Submission {
        let found = offering.submission(id);
        let shown = |one| {
            wire::submission(
                offering.publication(),
                one,
                &self.medians.get(),
                clock::now(),
            )
        };
        found.map(shown).unwrap_or_default()
    }

    /// The medians that every answer shows.
    fn medians(&self) -> Arc<wire::Medians> {
        self.medians.get()
    }
}

/// What refusals name is named in full.
fn named(error: Error, offer: &OfferName) -> Error {
    match error {
        Error::Refused(Refusal::InFlight(id)) => Error::InFlight(offer.submission(id).to_string()),
        other => other,
    }
}

fn once(
    caller: &Caller,
    rpc: &'static str,
    request_id: &str,
    request: &impl Message,
) -> Result<requests::Once, Status> {
    requests::Once::new(DOMAIN, caller, rpc, request_id, request)
}
