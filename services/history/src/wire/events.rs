//! Events of the catalog and of publishing, as entries of the record (HI-9).

use marketplace_proto::messaging::v1::{Actor as PbActor, ActorKind as PbActorKind, EventHeader};
use marketplace_proto::offercatalog::v1::{
    OfferCatalogEvent, offer_catalog_event::Event as CatalogEvent,
};
use marketplace_proto::publishing::v1::{
    Happening, Leg as PbLeg, PublishingEvent, StepEnded, StepOutcome, SubmissionFact,
    happening::Happening as Fact, publishing_event::Event as PublishedEvent,
};
use marketplace_runtime::ids::{self, OfferName, PublisherName, SubmissionName};
use marketplace_runtime::status::Violation;
use marketplace_runtime::timestamp;
use uuid::Uuid;

use super::page_of;
use crate::commands::Told;
use crate::domain::{
    Actor, ActorKind, Code, Completion, Departure, Entry, Leg, Page, Place, Source, Step, Subject,
};
use crate::error::Error;

/// What an event of the catalog says: H01 to H03 and H12.
pub fn catalog(event: OfferCatalogEvent) -> Result<Told, Error> {
    let header = event.header.unwrap_or_default();
    let head = Head::read(&header, Source::Catalog).map_err(Error::Event)?;
    let mut told = head.told();
    let (code, plan) = match event.event.ok_or(Error::UnknownEvent)? {
        CatalogEvent::OfferCreated(created) => {
            told.subject.offer_type = created.offer_type;
            (Code::CreatedOffer, None)
        }
        CatalogEvent::PlanCreated(plan) => {
            (Code::CreatedPlan, Some((plan.plan_id, plan.plan_name)))
        }
        CatalogEvent::PlanDeleted(plan) => {
            (Code::DeletedPlan, Some((plan.plan_id, plan.plan_name)))
        }
        CatalogEvent::PrivateAudienceSynced(plan) => (
            Code::SyncPrivateAudience,
            Some((plan.plan_id, plan.plan_name)),
        ),
        CatalogEvent::OfferDeleted(_) => {
            // T34: no row, the offer is gone.
            told.deleted = true;
            return Ok(told);
        }
        // Bound by nobody: not ours, whatever it says.
        _ => return Ok(told),
    };
    let actor = actor(header.actor.as_ref()).map_err(Error::Event)?;
    let mut entry = Entry::new(head.event_id, head.place(head.occurred_at, 0), code, actor);
    (entry.plan_id, entry.plan_name) = plan.unwrap_or_default();
    told.entries.push(entry);
    Ok(told)
}

/// Who left or is there (again), where that is what an event of the catalog says; no row.
pub fn departure(event: &OfferCatalogEvent) -> Result<Option<Departure>, Error> {
    let Some(CatalogEvent::MemberChanged(changed)) = &event.event else {
        return Ok(None);
    };
    let read = || {
        let header = event.header.clone().unwrap_or_default();
        let publisher = PublisherName::parse(&header.publisher, "header.publisher")?;
        let member = changed.member.as_ref();
        let member = member.ok_or_else(|| Violation::missing("member"))?;
        Ok(Departure {
            publisher: publisher.publisher,
            principal: member.principal.clone(),
            gone: changed.removed,
            changed_at: timestamp::required(header.occurred_at.as_ref(), "header.occurred_at")?,
        })
    };
    read().map(Some).map_err(Error::Event)
}

/// What an event of publishing says: H04 to H11, H13 and HS, in the order it happened.
pub fn publishing(event: PublishingEvent) -> Result<Told, Error> {
    let header = event.header.unwrap_or_default();
    let head = Head::read(&header, Source::Publishing).map_err(Error::Event)?;
    let PublishedEvent::PublicationChanged(changed) = event.event.ok_or(Error::UnknownEvent)?;
    let mut told = head.told();
    for (place, happening) in (0..).zip(&changed.happened) {
        if let Some(fact) = happening
            .submission
            .as_ref()
            .filter(|fact| !fact.offer_type.is_empty())
        {
            told.subject.offer_type.clone_from(&fact.offer_type);
        }
        // None is an arm that this version doesn't know.
        let fact = happening.happening.as_ref().ok_or(Error::UnknownEvent)?;
        let entry = entry(&head, place, happening, fact, &changed.happened);
        told.entries.extend(entry.map_err(Error::Event)?);
    }
    Ok(told)
}

/// The row of one happening; most notifications and schedules have none.
fn entry(
    head: &Head,
    place: i32,
    happening: &Happening,
    fact: &Fact,
    all: &[Happening],
) -> Result<Option<Entry>, Violation> {
    let leg = happening.submission.as_ref().and_then(leg);
    let of_leg = |preview, live| {
        if leg == Some(Leg::Live) {
            live
        } else {
            preview
        }
    };
    let (code, plan, reason) = match fact {
        Fact::Submitted(_) => (Code::SubmittedToPreview, None, ""),
        Fact::CancelRequested(_) => (
            of_leg(
                Code::InitiatedPreviewCancellation,
                Code::InitiatedLiveCancellation,
            ),
            None,
            "",
        ),
        Fact::Canceled(_) => (of_leg(Code::CanceledPreview, Code::CanceledLive), None, ""),
        Fact::SignedOff(_) => (Code::SignOffToGoLive, None, ""),
        Fact::StepEnded(step) => (
            Code::Step,
            Some((&step.plan_id, None)),
            reason_of(step, all),
        ),
        Fact::OfferStopRequested(stop) => (Code::StopDistributionOffer, None, stop.reason.as_str()),
        Fact::PlanStopRequested(plan) => (
            Code::PlanStopDistribution,
            Some((&plan.plan_id, Some(&plan.plan_name))),
            "",
        ),
        Fact::DistributionResumed(plan) => (
            Code::ResumeDistribution,
            Some((&plan.plan_id, Some(&plan.plan_name))),
            "",
        ),
        Fact::PlanRestoreRequested(plan) => (
            Code::ResumeDistribution,
            Some((&plan.plan_id, Some(&plan.plan_name))),
            "",
        ),
        _ => return Ok(None),
    };
    let at = match &happening.time {
        Some(time) => timestamp::from_proto(time, "happened.time")?,
        None => head.occurred_at,
    };
    let who = if code == Code::Step {
        Actor::system()
    } else {
        actor(happening.actor.as_ref())?
    };
    let mut entry = Entry::new(head.event_id, head.place(at, place), code, who);
    entry.submission = happening
        .submission
        .as_ref()
        .map(submission)
        .transpose()?
        .flatten();
    entry.leg = leg;
    if let Some((id, name)) = plan {
        entry.plan_id.clone_from(id);
        entry.plan_name = name.cloned().unwrap_or_default();
    }
    entry.reason = reason.to_owned();
    match fact {
        Fact::Submitted(submitted) => {
            let pages = submitted.pages_changed.iter().map(|id| page(*id));
            entry.pages = pages.collect::<Result<_, _>>()?;
        }
        Fact::StepEnded(step) => entry.step = Some(ended(step, at)?),
        _ => {}
    }
    Ok(Some(entry))
}

/// Left out, a page would be missing from the filter for ever.
fn page(id: i32) -> Result<Page, Violation> {
    let field = "happened.submitted.pages_changed";
    page_of(id).ok_or_else(|| Violation::new(field, "is no page that this version knows"))
}

fn ended(step: &StepEnded, at: time::OffsetDateTime) -> Result<Step, Violation> {
    let completion = match StepOutcome::try_from(step.outcome) {
        Ok(StepOutcome::Succeeded) => Completion::Succeeded,
        Ok(StepOutcome::SucceededWithWarnings) => Completion::SucceededWithWarnings,
        Ok(StepOutcome::Failed) => Completion::Failed,
        Ok(StepOutcome::Canceled) => Completion::Canceled,
        Ok(StepOutcome::Unspecified) | Err(_) => {
            return Err(Violation::new(
                "happened.step_ended.outcome",
                "is no outcome that this version knows",
            ));
        }
    };
    let started_at = step
        .start_time
        .as_ref()
        .map(|at| timestamp::from_proto(at, "happened.step_ended.start_time"));
    Ok(Step {
        id: step.step.clone(),
        name: step.step_name.clone(),
        started_at: started_at.transpose()?,
        completed_at: at,
        completion,
    })
}

/// Why a step failed or was withdrawn: told beside it, in the same event.
fn reason_of<'a>(step: &StepEnded, all: &'a [Happening]) -> &'a str {
    let outcome = step.outcome();
    let mut reasons = all
        .iter()
        .filter_map(|happening| match &happening.happening {
            Some(Fact::Failed(failed))
                if outcome == StepOutcome::Failed && failed.step == step.step =>
            {
                Some(failed.reason.as_str())
            }
            Some(Fact::PreviewWithdrawn(withdrawn)) if outcome == StepOutcome::Canceled => {
                Some(withdrawn.reason.as_str())
            }
            _ => None,
        });
    reasons.next_back().unwrap_or_default()
}

fn leg(fact: &SubmissionFact) -> Option<Leg> {
    match fact.leg() {
        PbLeg::Unspecified => None,
        PbLeg::Preview => Some(Leg::Preview),
        PbLeg::Live => Some(Leg::Live),
    }
}

/// A stop of the whole offer concerns no submission.
fn submission(fact: &SubmissionFact) -> Result<Option<Uuid>, Violation> {
    if fact.submission.is_empty() {
        return Ok(None);
    }
    let field = "happened.submission.submission";
    SubmissionName::parse(&fact.submission, field)?
        .id(field)
        .map(Some)
}

fn actor(actor: Option<&PbActor>) -> Result<Actor, Violation> {
    let kind = match actor.map(PbActor::kind) {
        Some(PbActorKind::User) => ActorKind::User,
        Some(PbActorKind::Operator) => ActorKind::Operator,
        Some(PbActorKind::System) => return Ok(Actor::system()),
        Some(PbActorKind::Unspecified) | None => return Err(Violation::missing("actor")),
    };
    let principal = actor
        .map(|actor| actor.principal.clone())
        .unwrap_or_default();
    if principal.is_empty() {
        return Err(Violation::missing("actor.principal"));
    }
    Ok(Actor { kind, principal })
}

/// What an event's header says, read.
struct Head {
    event_id: Uuid,
    subject: Subject,
    source: Source,
    revision: i64,
    occurred_at: time::OffsetDateTime,
}

impl Head {
    fn read(header: &EventHeader, source: Source) -> Result<Head, Violation> {
        let name = OfferName::parse(&header.offer, "header.offer")?;
        Ok(Head {
            event_id: ids::uuid(&header.event_id, "header.event_id")?,
            subject: Subject {
                uid: ids::uuid(&header.offer_uid, "header.offer_uid")?,
                publisher: name.publisher,
                offer: name.offer,
                offer_type: String::new(),
            },
            source,
            revision: i64::try_from(header.revision)
                .map_err(|_| Violation::new("header.revision", "is too large"))?,
            occurred_at: timestamp::required(header.occurred_at.as_ref(), "header.occurred_at")?,
        })
    }

    fn place(&self, occurred_at: time::OffsetDateTime, place: i32) -> Place {
        Place {
            occurred_at,
            source: self.source,
            revision: self.revision,
            place,
        }
    }

    fn told(&self) -> Told {
        Told {
            subject: self.subject.clone(),
            entries: Vec::new(),
            deleted: false,
        }
    }
}

#[cfg(test)]
mod tests;
