//! Events of publishing and of the catalog, as news for people.

use marketplace_proto::messaging::v1::{Actor, ActorKind, EventHeader};
use marketplace_proto::offercatalog::v1::{
    MemberChanged, MemberRole, OfferCatalogEvent, offer_catalog_event::Event as CatalogEvent,
};
use marketplace_proto::publishing::v1::{
    Happening, Leg as PbLeg, PublishingEvent, SubmissionFact, happening::Happening as Fact,
    publishing_event::Event as PublishedEvent,
};
use marketplace_runtime::ids::{self, OfferName, PublisherName};
use marketplace_runtime::status::Violation;
use marketplace_runtime::timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{
    About, By, Closed, Code, Facts, Leg, News, Notice, Of, PreviewSide, Resolve, Variant,
};
use crate::error::Error;

const FAILURES: &[Code] = &[Code::StepFailed, Code::CertificationFailed];
const SIGN_OFF: &[Code] = &[Code::PreviewReady, Code::ValidationWarnings];
const WARNINGS: &[Code] = &[Code::ValidationWarnings];
const EVERYTHING: &[Code] = &[
    Code::StepFailed,
    Code::CertificationFailed,
    Code::PreviewReady,
    Code::ValidationWarnings,
];

/// What an event of publishing means for people: N01 to N11, N12r, and which actions were taken.
pub fn publishing(event: PublishingEvent) -> Result<Vec<News>, Error> {
    let header = event.header.unwrap_or_default();
    let head = Head::read(&header).map_err(Error::Event)?;
    let PublishedEvent::PublicationChanged(changed) = event.event.ok_or(Error::UnknownEvent)?;
    let mut news = Vec::new();
    for (place, happening) in changed.happened.iter().enumerate() {
        let fact = happening.happening.as_ref().ok_or(Error::UnknownEvent)?;
        let said = Said::read(&head, place, happening).map_err(Error::Event)?;
        said.news(fact, &mut news).map_err(Error::Event)?;
    }
    Ok(news)
}

/// What an event of the catalog means for people: one side of N04, N12, who can no longer be told, and which offer has
/// no audience any more.
pub fn catalog(event: OfferCatalogEvent) -> Result<Vec<News>, Error> {
    let header = event.header.unwrap_or_default();
    match event.event.ok_or(Error::UnknownEvent)? {
        CatalogEvent::PreviewServed(served) => {
            let mut head = Head::read(&header).map_err(Error::Event)?;
            head.about.submission = served.submission;
            let side = PreviewSide {
                about: head.about,
                awaits: false,
                served: true,
                title: String::new(),
                warnings: 0,
                report: String::new(),
                at: head.at,
            };
            Ok(vec![News::Preview(Box::new(side))])
        }
        CatalogEvent::PrivateAudienceSynced(synced) => {
            let head = Head::read(&header).map_err(Error::Event)?;
            let facts = Facts {
                by: by(header.actor.as_ref()),
                plan: synced.plan_name,
                ..Facts::default()
            };
            Ok(vec![head.tell(
                0,
                Code::AudienceSyncedOrResumed,
                facts,
                head.at,
            )])
        }
        CatalogEvent::MemberChanged(changed) => {
            member_changed(&header, changed).map_err(Error::Event)
        }
        CatalogEvent::OfferDeleted(_) => {
            let head = Head::read(&header).map_err(Error::Event)?;
            Ok(vec![News::OfferDeleted(head.about.offer_uid)])
        }
        // Bound by nobody: not ours, whatever it says.
        _ => Ok(Vec::new()),
    }
}

fn member_changed(header: &EventHeader, changed: MemberChanged) -> Result<Vec<News>, Violation> {
    let publisher = PublisherName::parse(&header.publisher, "header.publisher")?.publisher;
    let at = timestamp::required(header.occurred_at.as_ref(), "header.occurred_at")?;
    let member = changed.member.ok_or_else(|| Violation::missing("member"))?;
    let may_join = [MemberRole::Manager, MemberRole::Developer];
    let eligible = !changed.removed && member.roles().any(|role| may_join.contains(&role));
    if eligible {
        return Ok(Vec::new());
    }
    Ok(vec![News::Ineligible {
        publisher,
        principal: member.principal,
        at,
    }])
}

/// A header, read.
struct Head {
    event_id: Uuid,
    about: About,
    at: OffsetDateTime,
}

impl Head {
    fn read(header: &EventHeader) -> Result<Head, Violation> {
        let name = OfferName::parse(&header.offer, "header.offer")?;
        let about = About {
            offer: name.to_string(),
            publisher: name.publisher,
            offer_uid: ids::uuid(&header.offer_uid, "header.offer_uid")?,
            submission: String::new(),
        };
        let at = timestamp::required(header.occurred_at.as_ref(), "header.occurred_at")?;
        Ok(Head {
            event_id: ids::uuid(&header.event_id, "header.event_id")?,
            about,
            at,
        })
    }

    fn tell(&self, place: usize, code: Code, facts: Facts, at: OffsetDateTime) -> News {
        let cause = format!("{}/{place}", self.event_id);
        let about = self.about.clone();
        News::Tell(Box::new(Notice {
            id: ids::new_id(),
            cause,
            code,
            about,
            facts,
            occurred_at: at,
            resolved_at: None,
        }))
    }
}

/// A happening, read.
struct Said<'a> {
    head: &'a Head,
    place: usize,
    about: About,
    facts: Facts,
    /// The actor is the system.
    by_system: bool,
    at: OffsetDateTime,
}

impl<'a> Said<'a> {
    fn read(head: &'a Head, place: usize, happening: &Happening) -> Result<Said<'a>, Violation> {
        let nothing = SubmissionFact::default();
        let submission = happening.submission.as_ref().unwrap_or(&nothing);
        let leg = if submission.leg() == PbLeg::Live {
            Leg::Live
        } else {
            Leg::Preview
        };
        let by = by(happening.actor.as_ref());
        let at = match &happening.time {
            Some(time) => timestamp::from_proto(time, "happened.time")?,
            None => head.at,
        };
        Ok(Said {
            head,
            place,
            about: About {
                submission: submission.submission.clone(),
                ..head.about.clone()
            },
            by_system: by == By::System,
            facts: Facts {
                title: submission.offer_title.clone(),
                by,
                leg,
                ..Facts::default()
            },
            at,
        })
    }

    fn tell(&self, code: Code, facts: Facts) -> News {
        let cause = format!("{}/{}", self.head.event_id, self.place);
        let about = self.about.clone();
        News::Tell(Box::new(Notice {
            id: ids::new_id(),
            cause,
            code,
            about,
            facts,
            occurred_at: self.at,
            resolved_at: None,
        }))
    }

    fn resolve(&self, codes: &'static [Code]) -> News {
        self.resolve_of(Of::Every, codes)
    }

    fn resolve_of(&self, of: Of, codes: &'static [Code]) -> News {
        News::Resolve(Resolve {
            offer_uid: self.about.offer_uid,
            codes,
            of,
            at: self.at,
        })
    }

    /// Of this submission: those of a newer one stand.
    fn resolve_own(&self, codes: &'static [Code]) -> News {
        self.resolve_of(Of::Only(self.about.submission.clone()), codes)
    }

    fn close(&self) -> News {
        News::Closed(Closed {
            offer_uid: self.about.offer_uid,
            submission: self.about.submission.clone(),
            at: self.at,
        })
    }

    /// Everything that one happening means. No wildcard: a new one does not compile until someone decides.
    fn news(self, fact: &Fact, news: &mut Vec<News>) -> Result<(), Violation> {
        let facts = self.facts.clone();
        match fact {
            Fact::Submitted(_) => {
                news.extend([
                    self.resolve(FAILURES),
                    self.tell(Code::PublishSubmitted, facts),
                ]);
            }
            Fact::Canceled(canceled) => {
                if facts.leg == Leg::Preview {
                    news.push(self.resolve_own(WARNINGS));
                }
                // It made way for a newer submission, whose N01 says enough (T38).
                if !canceled.superseded {
                    news.push(self.tell(Code::PublishCanceled, facts));
                }
            }
            Fact::SignedOff(_) => news.extend([
                self.close(),
                self.resolve(EVERYTHING),
                self.tell(Code::GoLiveAccepted, facts),
            ]),
            Fact::Failed(failed) => {
                let code = if failed.certification {
                    Code::CertificationFailed
                } else {
                    Code::StepFailed
                };
                let (step, reason, report) = (
                    failed.step_name.clone(),
                    failed.reason.clone(),
                    failed.report.clone(),
                );
                news.push(self.tell(
                    code,
                    Facts {
                        step,
                        reason,
                        report,
                        ..facts
                    },
                ));
            }
            Fact::AwaitingSignOff(awaiting) => {
                let earlier = Of::Others(self.about.submission.clone());
                let resolve = self.resolve_of(earlier, SIGN_OFF);
                let side = PreviewSide {
                    about: self.about,
                    awaits: true,
                    served: false,
                    title: facts.title,
                    warnings: awaiting.validation_warnings,
                    report: awaiting.validation_report.clone(),
                    at: self.at,
                };
                news.extend([resolve, News::Preview(Box::new(side))]);
            }
            Fact::WentLive(_) => news.extend([
                self.close(),
                self.resolve(EVERYTHING),
                self.tell(Code::OfferLive, facts),
            ]),
            Fact::OfferStopRequested(stop) => {
                let at = stop
                    .effective_time
                    .as_ref()
                    .map(|at| timestamp::from_proto(at, "effective_time"))
                    .transpose()?;
                let facts = Facts {
                    effective_at: at,
                    reason: stop.reason.clone(),
                    ..facts
                };
                news.push(self.tell(Code::StopRequested, facts));
            }
            Fact::OfferStopped(_) => news.push(self.tell(Code::OfferNotAvailable, facts)),
            Fact::PlanStopRequested(plan) => {
                news.push(self.tell(
                    Code::StopRequested,
                    Facts {
                        plan: named(&plan.plan_name, &plan.plan_id),
                        ..facts
                    },
                ));
            }
            Fact::DistributionResumed(plan) => {
                let plan = named(&plan.plan_name, &plan.plan_id);
                let facts = Facts {
                    plan,
                    variant: Variant::Resumed,
                    ..facts
                };
                news.push(self.tell(Code::AudienceSyncedOrResumed, facts));
            }
            Fact::PlanStopped(plan) => {
                news.push(self.tell(
                    Code::PlanStopped,
                    Facts {
                        plan: named(&plan.plan_name, &plan.plan_id),
                        ..facts
                    },
                ));
            }
            Fact::PreviewWithdrawn(withdrawn) => {
                let facts = Facts {
                    reason: withdrawn.reason.clone(),
                    variant: Variant::PreviewWithdrawn,
                    ..facts
                };
                news.extend([
                    self.close(),
                    self.resolve(SIGN_OFF),
                    self.tell(Code::StepFailed, facts),
                ]);
            }
            // The scheduler's own time came and a guard failed (T40); taken back by a person, it is no news (T41).
            Fact::GoLiveUnscheduled(dropped) if self.by_system && !dropped.reason.is_empty() => {
                let facts = Facts {
                    reason: dropped.reason.clone(),
                    variant: Variant::GoLiveDropped,
                    ..facts
                };
                news.push(self.tell(Code::StepFailed, facts));
            }
            Fact::ValidationReported(reported) if reported.warnings > 0 => {
                let facts = Facts {
                    warnings: reported.warnings,
                    report: reported.report.clone(),
                    ..facts
                };
                news.push(self.tell(Code::ValidationWarnings, facts));
            }
            Fact::FailureDiscarded(_) => news.push(self.resolve(FAILURES)),
            Fact::Superseded(_) => news.extend([self.close(), self.resolve_own(WARNINGS)]),
            Fact::CancelRequested(_)
            | Fact::StepEnded(_)
            | Fact::PlanRestoreRequested(_)
            | Fact::PlanRestored(_)
            | Fact::GoLiveScheduled(_)
            | Fact::GoLiveUnscheduled(_)
            | Fact::ValidationReported(_) => {}
        }
        Ok(())
    }
}

fn named(name: &str, id: &str) -> String {
    if name.is_empty() {
        id.to_owned()
    } else {
        name.to_owned()
    }
}

fn by(actor: Option<&Actor>) -> By {
    match actor.map(Actor::kind) {
        Some(ActorKind::User) => By::User(
            actor
                .map(|actor| actor.principal.clone())
                .unwrap_or_default(),
        ),
        Some(ActorKind::Operator) => By::Operator,
        Some(ActorKind::System | ActorKind::Unspecified) | None => By::System,
    }
}

#[cfg(test)]
mod tests;
