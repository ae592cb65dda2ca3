//! The door out: what a transaction did, as one `PublicationChanged`.

use marketplace_messaging::Outgoing;
use marketplace_proto::messaging::v1 as messaging;
use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::timestamp::to_proto;
use pb::happening::Happening as Fact;
use pb::order::Order as Wanted;
use time::OffsetDateTime;

use crate::domain::{Ending, Fact as F, Happening, Offering, Order, OrderKind, Submission};
use crate::wire;

const KEY: &str = "publishing.v1.publication_changed";

/// The event of one transaction: the whole row, what happened, what neighbours are to do. Each order adds its own key.
pub fn publication_changed(offering: &Offering, at: OffsetDateTime) -> Outgoing {
    let (row, news) = (offering.publication(), offering.news());
    let actor = news.happened.first().map(|first| wire::actor(&first.actor));
    let body = pb::PublishingEvent {
        header: None,
        event: Some(pb::publishing_event::Event::PublicationChanged(
            pb::PublicationChanged {
                publication: Some(wire::publication(offering)),
                happened: news
                    .happened
                    .iter()
                    .map(|one| happening(offering, one))
                    .collect(),
                orders: news
                    .orders
                    .iter()
                    .filter_map(|one| order(offering, one))
                    .collect(),
            },
        )),
    };
    let actor = actor.unwrap_or_else(marketplace_messaging::system);
    let event = Outgoing::new(
        KEY,
        actor,
        format!("publishers/{}", row.publisher),
        at,
        &body,
    )
    .about(row.name(), row.offer_uid)
    .at_revision(row.revision);
    news.orders.iter().fold(event, |event, order| {
        event.order(format!("{KEY}.{}", key(&order.kind)))
    })
}

const fn key(kind: &OrderKind) -> &'static str {
    match kind {
        OrderKind::Validate => "validation_requested",
        OrderKind::Certify { .. } => "certification_requested",
        OrderKind::PreparePreview => "preview_requested",
        OrderKind::Activate { .. } => "activation_requested",
        OrderKind::Remove => "removal_requested",
        OrderKind::Cancel => "submission_canceled",
    }
}

fn order(offering: &Offering, order: &Order) -> Option<pb::Order> {
    let row = offering.publication();
    let submission = offering.submission(order.submission)?;
    Some(pb::Order {
        submission: row.submission_name(order.submission),
        step: order.step.to_owned(),
        attempt: order.attempt,
        snapshot: submission.profile.snapshot.clone(),
        digest: submission.profile.digest.clone(),
        publication_revision: row.revision,
        order: Some(wanted(&order.kind, submission)),
    })
}

fn wanted(kind: &OrderKind, submission: &Submission) -> Wanted {
    let profile = &submission.profile;
    match kind {
        OrderKind::Validate => Wanted::ValidationRequested(pb::ValidationRequested {
            offer_type: profile.offer_type.clone(),
            offer_title: profile.title.clone(),
            transactable: profile.transactable,
            notes: submission.notes.clone(),
        }),
        OrderKind::Certify { leg } => Wanted::CertificationRequested(pb::CertificationRequested {
            offer_type: profile.offer_type.clone(),
            offer_title: profile.title.clone(),
            notes: submission.notes.clone(),
            transactable: profile.transactable,
            leg: wire::leg(*leg).into(),
        }),
        OrderKind::PreparePreview => Wanted::PreviewRequested(pb::PreviewRequested {}),
        OrderKind::Activate {
            certified,
            signed_off,
        } => Wanted::ActivationRequested(pb::ActivationRequested {
            certified_digest: certified.clone(),
            signed_off_digest: signed_off.clone(),
        }),
        OrderKind::Remove => Wanted::RemovalRequested(pb::RemovalRequested {}),
        OrderKind::Cancel => Wanted::SubmissionCanceled(pb::SubmissionCanceled {}),
    }
}

fn happening(offering: &Offering, one: &Happening) -> pb::Happening {
    let submission = one.submission.and_then(|id| offering.submission(id));
    let fact = submission.map(|submission| pb::SubmissionFact {
        submission: offering.publication().submission_name(submission.id),
        leg: wire::leg(one.leg).into(),
        offer_type: submission.profile.offer_type.clone(),
        offer_title: submission.profile.title.clone(),
    });
    let actor: messaging::Actor = wire::actor(&one.actor);
    let happening = Some(typed(offering, one.fact.clone()));
    pb::Happening {
        actor: Some(actor),
        time: Some(to_proto(one.at)),
        submission: fact,
        happening,
    }
}

fn typed(offering: &Offering, fact: F) -> Fact {
    match fact {
        F::Submitted { pages_changed } => Fact::Submitted(pb::Submitted { pages_changed }),
        F::CancelRequested => Fact::CancelRequested(pb::CancelRequested {}),
        F::Canceled { superseded } => Fact::Canceled(pb::Canceled { superseded }),
        F::SignedOff => Fact::SignedOff(pb::SignedOff {}),
        F::StepEnded {
            step,
            name,
            ending,
            started,
            plan,
        } => Fact::StepEnded(pb::StepEnded {
            step,
            step_name: name,
            outcome: outcome(ending).into(),
            start_time: started.map(to_proto),
            plan_id: plan,
        }),
        F::Failed {
            step,
            fault,
            reason,
            certification,
            report,
        } => Fact::Failed(pb::Failed {
            step: step.as_str().to_owned(),
            step_name: step.title().to_owned(),
            fault: wire::step_fault(fault).into(),
            reason,
            certification,
            report,
        }),
        F::AwaitingSignOff { warnings, report } => Fact::AwaitingSignOff(pb::AwaitingSignOff {
            validation_warnings: warnings,
            validation_report: report,
        }),
        F::WentLive => Fact::WentLive(pb::WentLive {}),
        F::OfferStopRequested { effective, reason } => {
            Fact::OfferStopRequested(pb::OfferStopRequested {
                effective_time: effective.map(to_proto),
                reason,
            })
        }
        F::OfferStopped => Fact::OfferStopped(pb::OfferStopped {}),
        F::PlanStopRequested { plan, name } => Fact::PlanStopRequested(pb::PlanStopRequested {
            plan_id: plan,
            plan_name: name,
        }),
        F::DistributionResumed { plan, name } => {
            Fact::DistributionResumed(pb::DistributionResumed {
                plan_id: plan,
                plan_name: name,
            })
        }
        F::PlanStopped { plan, name } => Fact::PlanStopped(pb::PlanStopped {
            plan_id: plan,
            plan_name: name,
        }),
        F::PlanRestoreRequested { plan, name } => {
            Fact::PlanRestoreRequested(pb::PlanRestoreRequested {
                plan_id: plan,
                plan_name: name,
            })
        }
        F::PlanRestored { plan, name } => Fact::PlanRestored(pb::PlanRestored {
            plan_id: plan,
            plan_name: name,
        }),
        F::PreviewWithdrawn { reason } => Fact::PreviewWithdrawn(pb::PreviewWithdrawn { reason }),
        F::FailureDiscarded => Fact::FailureDiscarded(pb::FailureDiscarded {}),
        F::GoLiveScheduled { at } => Fact::GoLiveScheduled(pb::GoLiveScheduled {
            go_live_time: Some(to_proto(at)),
        }),
        F::GoLiveUnscheduled { reason } => {
            Fact::GoLiveUnscheduled(pb::GoLiveUnscheduled { reason })
        }
        F::ValidationReported { warnings, report } => {
            Fact::ValidationReported(pb::ValidationReported { warnings, report })
        }
        F::Superseded { by } => Fact::Superseded(pb::Superseded {
            by: offering.publication().submission_name(by),
        }),
    }
}

const fn outcome(ending: Ending) -> pb::StepOutcome {
    match ending {
        Ending::Succeeded => pb::StepOutcome::Succeeded,
        Ending::Warnings => pb::StepOutcome::SucceededWithWarnings,
        Ending::Failed => pb::StepOutcome::Failed,
        Ending::Canceled => pb::StepOutcome::Canceled,
    }
}
