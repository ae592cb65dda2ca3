//! The door out: domain fact → event of our events.proto.

use marketplace_messaging::{Outgoing, system};
use marketplace_proto::certification::v1::{
    self as pb, CertificationEvent, certification_event::Event,
};
use prost::Message;
use time::OffsetDateTime;

use crate::{
    domain::{Answer, Order, OrderKey},
    error::Error,
};

/// The event that answers an order, as it is stored and sent with every repeat.
pub fn answer(key: &OrderKey, answer: &Answer) -> Vec<u8> {
    let order = Some(order_key(key));
    let event = match answer.clone() {
        Answer::Validated { report, warnings } => {
            Event::ValidationCompleted(pb::ValidationCompleted {
                order,
                report,
                warnings,
            })
        }
        Answer::Passed {
            digest,
            case,
            with_notes,
        } => Event::CertificationPassed(pb::CertificationPassed {
            order,
            digest,
            case: format!("cases/{case}"),
            with_notes,
        }),
        Answer::Failed {
            case,
            report,
            failures,
            summary,
        } => {
            let case = format!("cases/{case}");
            Event::CertificationFailed(pb::CertificationFailed {
                order,
                case,
                report,
                failures,
                summary,
            })
        }
        Answer::Impossible { reason, message } => Event::OrderImpossible(pb::OrderImpossible {
            order,
            reason,
            message,
        }),
    };
    CertificationEvent {
        header: None,
        event: Some(event),
    }
    .encode_to_vec()
}

/// The stored answer as an event to tell; a new event each time, with the same content.
pub fn answered(order: &Order, stored: &[u8], now: OffsetDateTime) -> Result<Outgoing, Error> {
    let event =
        CertificationEvent::decode(stored).map_err(|error| Error::Corrupt(error.to_string()))?;
    let key = match &event.event {
        Some(Event::ValidationCompleted(_)) => "certification.v1.validation_completed",
        Some(Event::CertificationPassed(_)) => "certification.v1.certification_passed",
        Some(Event::CertificationFailed(_)) => "certification.v1.certification_failed",
        Some(Event::OrderImpossible(_)) => "certification.v1.order_impossible",
        Some(Event::CertificationProgressed(_)) | None => {
            return Err(Error::Corrupt("a stored answer is none".to_owned()));
        }
    };
    Ok(told(key, order, &event, now))
}

/// The case waits for a reviewer.
pub fn certification_progressed(
    order: &Order,
    key: &OrderKey,
    case: uuid::Uuid,
    open: usize,
    now: OffsetDateTime,
) -> Outgoing {
    let progressed = pb::CertificationProgressed {
        order: Some(order_key(key)),
        case: format!("cases/{case}"),
        progress: 50,
        message: format!("Waiting for a reviewer: {open} checks"),
        waits_for_reviewer: true,
    };
    let event = CertificationEvent {
        header: None,
        event: Some(Event::CertificationProgressed(progressed)),
    };
    told(
        "certification.v1.certification_progressed",
        order,
        &event,
        now,
    )
}

fn told(
    key: &'static str,
    order: &Order,
    event: &CertificationEvent,
    now: OffsetDateTime,
) -> Outgoing {
    let publisher = format!("publishers/{}", order.publisher);
    Outgoing::new(key, system(), publisher, now, event).about(order.offer.clone(), order.offer_uid)
}

fn order_key(key: &OrderKey) -> pb::OrderKey {
    pb::OrderKey {
        submission: key.submission.clone(),
        step: key.step.clone(),
        attempt: key.attempt,
    }
}
