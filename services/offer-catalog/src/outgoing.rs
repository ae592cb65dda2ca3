//! What is announced: each fact of the domain as an event of this context's events.proto.

use marketplace_messaging::Outgoing;
use marketplace_proto::messaging::v1::{Actor, ActorKind as Kind};
use marketplace_proto::offercatalog::v1::{self as pb, offer_catalog_event::Event};
use marketplace_runtime::access::{ActorKind, Scope};
use marketplace_runtime::ids::PublisherName;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::lead::Lead;
use crate::domain::offer::Offer;
use crate::domain::order::{Answer, OrderKey};
use crate::domain::plan::Plan;
use crate::domain::publisher::Member;
use crate::wire;

fn actor(scope: &Scope) -> Actor {
    let kind = match scope.acts_as() {
        ActorKind::User => Kind::User,
        ActorKind::Operator => Kind::Operator,
        ActorKind::System => Kind::System,
    };
    Actor {
        kind: kind as i32,
        principal: scope.principal().to_owned(),
    }
}

fn about(
    offer: &Offer,
    key: &'static str,
    actor: Actor,
    event: Event,
    at: OffsetDateTime,
) -> Outgoing {
    let body = pb::OfferCatalogEvent {
        header: None,
        event: Some(event),
    };
    let publisher = PublisherName::new(&offer.publisher).to_string();
    Outgoing::new(key, actor, publisher, at, &body).about(offer.name().to_string(), offer.uid)
}

/// T01, H01
pub fn offer_created(scope: &Scope, offer: &Offer, at: OffsetDateTime) -> Outgoing {
    let event = Event::OfferCreated(pb::OfferCreated {
        offer_type: offer.offer_type.clone(),
        alias: offer.alias.clone(),
    });
    about(
        offer,
        "offercatalog.v1.offer_created",
        actor(scope),
        event,
        at,
    )
}

/// T34
pub fn offer_deleted(scope: &Scope, offer: &Offer, at: OffsetDateTime) -> Outgoing {
    about(
        offer,
        "offercatalog.v1.offer_deleted",
        actor(scope),
        Event::OfferDeleted(pb::OfferDeleted {}),
        at,
    )
}

/// T03, H02
pub fn plan_created(scope: &Scope, offer: &Offer, plan: &Plan, at: OffsetDateTime) -> Outgoing {
    let event = Event::PlanCreated(pb::PlanCreated {
        plan_id: plan.id.clone(),
        plan_name: plan.display_name.clone(),
    });
    about(
        offer,
        "offercatalog.v1.plan_created",
        actor(scope),
        event,
        at,
    )
}

/// T04, H03
pub fn plan_deleted(scope: &Scope, offer: &Offer, plan: &Plan, at: OffsetDateTime) -> Outgoing {
    let event = Event::PlanDeleted(pb::PlanDeleted {
        plan_id: plan.id.clone(),
        plan_name: plan.display_name.clone(),
    });
    about(
        offer,
        "offercatalog.v1.plan_deleted",
        actor(scope),
        event,
        at,
    )
}

/// T33, H12
pub fn private_audience_synced(
    scope: &Scope,
    offer: &Offer,
    plan: &Plan,
    version: i64,
    at: OffsetDateTime,
) -> Outgoing {
    let event = Event::PrivateAudienceSynced(pb::PrivateAudienceSynced {
        plan_id: plan.id.clone(),
        plan_name: plan.display_name.clone(),
        audience_version: wire::unsigned(version),
    });
    about(
        offer,
        "offercatalog.v1.private_audience_synced",
        actor(scope),
        event,
        at,
    )
}

/// A member came, changed or left. Concerns no offer.
pub fn member_changed(
    scope: &Scope,
    member: &Member,
    removed: bool,
    at: OffsetDateTime,
) -> Outgoing {
    let event = Event::MemberChanged(pb::MemberChanged {
        member: Some(wire::publishers::member(member)),
        removed,
    });
    let body = pb::OfferCatalogEvent {
        header: None,
        event: Some(event),
    };
    let publisher = PublisherName::new(&member.publisher).to_string();
    Outgoing::new(
        "offercatalog.v1.member_changed",
        actor(scope),
        publisher,
        at,
        &body,
    )
}

/// PV-9: the lead is named only; what is in it is no business of the broker.
pub fn lead_submitted(offer: &str, publisher: &str, lead: &Lead) -> Outgoing {
    let event = Event::LeadSubmitted(pb::LeadSubmitted { lead: lead.name() });
    let body = pb::OfferCatalogEvent {
        header: None,
        event: Some(event),
    };
    let publisher = PublisherName::new(publisher).to_string();
    let actor = marketplace_messaging::system();
    let key = "offercatalog.v1.lead_submitted";
    Outgoing::new(key, actor, publisher, lead.create_time, &body).about(offer, lead.offer_uid)
}

/// T10: the preview is served by link.
pub fn preview_served(offer: &Offer, submission: Uuid, at: OffsetDateTime) -> Outgoing {
    let event = Event::PreviewServed(pb::PreviewServed {
        submission: offer.name().submission(submission).to_string(),
    });
    about(
        offer,
        "offercatalog.v1.preview_served",
        marketplace_messaging::system(),
        event,
        at,
    )
}

/// What became of an order.
pub fn answered(offer: &Offer, key: &OrderKey, answer: &Answer, at: OffsetDateTime) -> Outgoing {
    let order = Some(pb::OrderKey {
        submission: offer.name().submission(key.submission).to_string(),
        step: key.step.clone(),
        attempt: u32::try_from(key.attempt).unwrap_or(u32::MAX),
    });
    let (routing_key, event) = match answer.clone() {
        Answer::PreviewPrepared { digest } => (
            "offercatalog.v1.preview_prepared",
            Event::PreviewPrepared(pb::PreviewPrepared { order, digest }),
        ),
        Answer::OfferActivated { digest } => (
            "offercatalog.v1.offer_activated",
            Event::OfferActivated(pb::OfferActivated { order, digest }),
        ),
        Answer::OfferRemoved => (
            "offercatalog.v1.offer_removed",
            Event::OfferRemoved(pb::OfferRemoved { order }),
        ),
        Answer::Superseded => (
            "offercatalog.v1.order_superseded",
            Event::OrderSuperseded(pb::OrderSuperseded { order }),
        ),
        Answer::Failed { reason, message } => (
            "offercatalog.v1.order_failed",
            Event::OrderFailed(pb::OrderFailed {
                order,
                reason,
                message,
            }),
        ),
    };
    about(
        offer,
        routing_key,
        marketplace_messaging::system(),
        event,
        at,
    )
}
