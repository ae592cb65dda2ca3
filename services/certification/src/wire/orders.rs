//! Orders of the pipeline, as they come in its events.

use marketplace_proto::{
    messaging::v1::EventHeader,
    publishing::v1::{self as pb, order},
};
use marketplace_runtime::{
    ids::{self, SubmissionName},
    status::{Violation, Violations},
};
use uuid::Uuid;

use crate::{
    domain::{JobKind, Order, OrderKey},
    error::Error,
};

/// An order as far as it concerns certification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ordered {
    Work(Box<Order>),
    Cancel {
        publisher: String,
        submission: String,
        at_revision: u64,
    },
    /// To the catalog, or to nobody that this version knows.
    ForOthers,
}

/// What an order of work says besides its key.
struct Asked {
    kind: JobKind,
    offer_type: String,
    offer_title: String,
    transactable: bool,
    notes: String,
}

impl Ordered {
    /// Reads an order and the header that it came under.
    pub fn read(order: pb::Order, header: &EventHeader) -> Result<Ordered, Error> {
        let asked = match order.order.clone() {
            Some(order::Order::ValidationRequested(v)) => Asked {
                kind: JobKind::Validate,
                offer_type: v.offer_type,
                offer_title: v.offer_title,
                transactable: v.transactable,
                notes: v.notes,
            },
            Some(order::Order::CertificationRequested(c)) => Asked {
                kind: JobKind::Certify,
                offer_type: c.offer_type,
                offer_title: c.offer_title,
                transactable: c.transactable,
                notes: c.notes,
            },
            Some(order::Order::SubmissionCanceled(_)) => return cancel(&order),
            Some(
                order::Order::PreviewRequested(_)
                | order::Order::ActivationRequested(_)
                | order::Order::RemovalRequested(_),
            )
            | None => return Ok(Ordered::ForOthers),
        };
        work(order, asked, header)
    }
}

fn cancel(order: &pb::Order) -> Result<Ordered, Error> {
    let name = SubmissionName::parse(&order.submission, "order.submission")
        .map_err(|v| Error::Invalid(vec![v]))?;
    Ok(Ordered::Cancel {
        publisher: name.publisher,
        submission: order.submission.clone(),
        at_revision: order.publication_revision,
    })
}

fn work(order: pb::Order, asked: Asked, header: &EventHeader) -> Result<Ordered, Error> {
    let mut wrong = Violations::new();
    let name = wrong.take(SubmissionName::parse(&order.submission, "order.submission"));
    let offer_uid: Option<Uuid> = wrong.take(ids::uuid(&header.offer_uid, "header.offer_uid"));
    for (field, value) in [
        ("order.step", &order.step),
        ("order.snapshot", &order.snapshot),
        ("order.offer_type", &asked.offer_type),
    ] {
        if value.is_empty() {
            wrong.add(Violation::missing(field));
        }
    }
    let read = name.zip(offer_uid).map(|(name, offer_uid)| {
        let offer = name.parent().to_string();
        let key = OrderKey {
            submission: order.submission,
            step: order.step,
            attempt: order.attempt,
        };
        Ordered::Work(Box::new(Order {
            key,
            kind: asked.kind,
            publisher: name.publisher,
            offer,
            offer_uid,
            offer_type: asked.offer_type,
            offer_title: asked.offer_title,
            transactable: asked.transactable,
            notes: asked.notes,
            snapshot: order.snapshot,
            digest: order.digest,
            publication_revision: order.publication_revision,
        }))
    });
    wrong.finish(read).map_err(Error::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(kind: order::Order) -> pb::Order {
        pb::Order {
            submission: "publishers/contoso/offers/db/submissions/s1".into(),
            step: "certification".into(),
            attempt: 2,
            snapshot: "publishers/contoso/offers/db/snapshots/00".into(),
            digest: "00".into(),
            publication_revision: 7,
            order: Some(kind),
        }
    }

    fn header() -> EventHeader {
        EventHeader {
            offer_uid: ids::new_id().to_string(),
            ..EventHeader::default()
        }
    }

    #[test]
    fn a_certification_order_carries_its_key_and_offer() {
        let requested = pb::CertificationRequested {
            offer_type: "azureContainer".into(),
            notes: "n".into(),
            ..Default::default()
        };
        let Ordered::Work(read) = Ordered::read(
            order(order::Order::CertificationRequested(requested)),
            &header(),
        )
        .unwrap() else {
            panic!("no work")
        };
        assert_eq!(
            (read.kind, read.key.attempt, read.publication_revision),
            (JobKind::Certify, 2, 7)
        );
        assert_eq!(
            (read.publisher.as_str(), read.offer.as_str()),
            ("contoso", "publishers/contoso/offers/db")
        );
    }

    #[test]
    fn orders_to_the_catalog_are_left_to_it() {
        let preview = order(order::Order::PreviewRequested(pb::PreviewRequested {}));
        assert_eq!(
            Ordered::read(preview, &header()).unwrap(),
            Ordered::ForOthers
        );
    }

    #[test]
    fn everything_wrong_with_an_order_is_named() {
        let requested = order::Order::ValidationRequested(pb::ValidationRequested::default());
        let wrong = pb::Order {
            submission: "x".into(),
            step: String::new(),
            ..order(requested)
        };
        let Err(Error::Invalid(violations)) = Ordered::read(wrong, &EventHeader::default()) else {
            panic!("not refused")
        };
        let fields: Vec<&str> = violations.iter().map(|v| v.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "order.submission",
                "header.offer_uid",
                "order.step",
                "order.offer_type"
            ]
        );
    }
}
