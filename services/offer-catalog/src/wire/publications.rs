//! What the publishing pipeline announces, as news for the catalogue.

use marketplace_proto::offercatalog::v1::DeprecationReason;
use marketplace_proto::publishing::v1::{self as pb, order::Order as Wanted};
use marketplace_runtime::ids::SnapshotName;
use marketplace_runtime::status::Violation;
use marketplace_runtime::timestamp;
use uuid::Uuid;

use super::{signed, submission};
use crate::domain::deprecation::{Deprecation, Reason};
use crate::domain::news::News;
use crate::domain::offer::{Publication, Status};
use crate::domain::order::{Order, OrderKey, Wanted as Kind};
use crate::wire::offers::read_status;

/// Reads one event; orders to others are none of ours.
pub fn news(changed: &pb::PublicationChanged) -> Result<News, Violation> {
    let publication = changed
        .publication
        .as_ref()
        .ok_or_else(|| Violation::missing("publication"))?;
    let offer_uid =
        marketplace_runtime::ids::uuid(&publication.offer_uid, "publication.offer_uid")?;
    let mut news = News {
        offer_uid,
        copy: copy(publication)?,
        deprecation: publication
            .deprecation
            .as_ref()
            .map(deprecation)
            .transpose()?,
        open: open(publication)?,
        orders: vec![],
        canceled: vec![],
    };
    for order in &changed.orders {
        match &order.order {
            Some(Wanted::PreviewRequested(_)) => {
                news.orders.push(read(order, offer_uid, Kind::Preview)?)
            }
            Some(Wanted::ActivationRequested(asked)) => {
                let kind = Kind::Activation {
                    certified: asked.certified_digest.clone(),
                    signed_off: asked.signed_off_digest.clone(),
                };
                news.orders.push(read(order, offer_uid, kind)?);
            }
            Some(Wanted::RemovalRequested(_)) => {
                news.orders.push(read(order, offer_uid, Kind::Removal)?)
            }
            Some(Wanted::SubmissionCanceled(_)) => {
                let id = submission(&order.submission, "submission")?.1;
                // Taken out of its live leg (T19) it awaits sign-off again: its preview stays.
                if news.copy.preview_submission != Some(id) {
                    news.canceled.push(id);
                }
            }
            Some(Wanted::ValidationRequested(_) | Wanted::CertificationRequested(_)) | None => {}
        }
    }
    Ok(news)
}

fn copy(publication: &pb::Publication) -> Result<Publication, Violation> {
    let status = read_status(publication.status, "publication.status")?;
    Ok(Publication {
        status: status.unwrap_or(Status::Draft),
        revision: signed(publication.revision),
        preview_submission: optional(&publication.preview_submission)?,
        live_submission: optional(&publication.live_submission)?,
        latest_submission: optional(&publication.latest_submission)?,
    })
}

fn deprecation(schedule: &pb::DeprecationSchedule) -> Result<Deprecation, Violation> {
    let at = schedule.date.as_ref();
    Ok(Deprecation {
        effective_time: timestamp::required(at, "publication.deprecation.date")?,
        // A newer publisher may have more: customers read that it leaves all the same.
        reason: match schedule.reason() {
            DeprecationReason::CriticalSecurityIssue => Reason::CriticalSecurityIssue,
            DeprecationReason::EndOfSupport => Reason::EndOfSupport,
            DeprecationReason::Other | DeprecationReason::Unspecified => Reason::Other,
        },
        alternative: schedule.alternative.clone(),
    })
}

/// Submissions that go on.
fn open(publication: &pb::Publication) -> Result<Vec<Uuid>, Violation> {
    let going = [
        &publication.in_flight,
        &publication.awaiting_sign_off,
        &publication.preview_submission,
    ];
    let mut open = Vec::new();
    for name in going {
        open.extend(optional(name)?.filter(|id| !open.contains(id)));
    }
    Ok(open)
}

fn optional(name: &str) -> Result<Option<Uuid>, Violation> {
    if name.is_empty() {
        Ok(None)
    } else {
        submission(name, "publication").map(|(_, id)| Some(id))
    }
}

fn read(order: &pb::Order, offer_uid: Uuid, wanted: Kind) -> Result<Order, Violation> {
    let (_, submission) = submission(&order.submission, "order.submission")?;
    let digest = match order.snapshot.as_str() {
        "" => order.digest.clone(),
        name => SnapshotName::parse(name, "order.snapshot")?.snapshot,
    };
    Ok(Order {
        key: OrderKey {
            submission,
            step: order.step.clone(),
            attempt: i64::from(order.attempt),
        },
        offer_uid,
        digest,
        publication_revision: signed(order.publication_revision),
        wanted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(orders: Vec<pb::Order>) -> pb::PublicationChanged {
        let publication = pb::Publication {
            offer_uid: Uuid::from_u128(1).to_string(),
            revision: 7,
            in_flight: format!(
                "publishers/abc/offers/def/submissions/{}",
                Uuid::from_u128(2)
            ),
            ..pb::Publication::default()
        };
        pb::PublicationChanged {
            publication: Some(publication),
            orders,
            ..pb::PublicationChanged::default()
        }
    }

    fn order(wanted: Wanted) -> pb::Order {
        pb::Order {
            submission: format!(
                "publishers/abc/offers/def/submissions/{}",
                Uuid::from_u128(2)
            ),
            step: "preview-creation".into(),
            attempt: 3,
            snapshot: format!("publishers/abc/offers/def/snapshots/{}", "a".repeat(64)),
            publication_revision: 7,
            order: Some(wanted),
            ..pb::Order::default()
        }
    }

    #[test]
    fn orders_to_us_are_taken_and_orders_to_others_left() {
        let orders = vec![
            order(Wanted::CertificationRequested(
                pb::CertificationRequested::default(),
            )),
            order(Wanted::PreviewRequested(pb::PreviewRequested {})),
            order(Wanted::SubmissionCanceled(pb::SubmissionCanceled {})),
        ];
        let news = news(&changed(orders)).unwrap();
        let [order] = news.orders.as_slice() else {
            panic!("{:?}", news.orders)
        };
        assert_eq!(
            (&order.wanted, order.digest.len(), order.key.attempt),
            (&Kind::Preview, 64, 3)
        );
        assert_eq!(
            (news.canceled, news.open),
            (vec![Uuid::from_u128(2)], vec![Uuid::from_u128(2)])
        );
    }

    #[test]
    fn up_7_a_stop_at_a_date_is_read_with_what_customers_are_told() {
        let mut leaving = changed(vec![]);
        let publication = leaving.publication.as_mut().unwrap();
        publication.deprecation = Some(pb::DeprecationSchedule {
            reason: DeprecationReason::EndOfSupport.into(),
            alternative: "publishers/abc/offers/new".into(),
            ..pb::DeprecationSchedule::default()
        });
        assert!(news(&leaving).is_err(), "without a date");
        let publication = leaving.publication.as_mut().unwrap();
        let schedule = publication.deprecation.as_mut().unwrap();
        schedule.date = Some(prost_types::Timestamp {
            seconds: 86_400,
            nanos: 0,
        });
        let told = news(&leaving).unwrap().deprecation.unwrap();
        assert_eq!(told.effective_time.unix_timestamp(), 86_400);
        assert_eq!(told.reason, Reason::EndOfSupport);
        assert_eq!(told.alternative, "publishers/abc/offers/new");
        assert_eq!(news(&changed(vec![])).unwrap().deprecation, None);
    }

    #[test]
    fn a_publication_without_its_offer_is_refused() {
        assert!(news(&pb::PublicationChanged::default()).is_err());
        let mut nameless = changed(vec![]);
        nameless.publication.as_mut().unwrap().offer_uid = String::new();
        assert!(news(&nameless).is_err());
    }
}
