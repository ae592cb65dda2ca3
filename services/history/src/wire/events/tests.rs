//! What of an event becomes a row, and what this version refuses to guess at.

use marketplace_proto::offercatalog::v1::{Member, MemberChanged, PageId};
use marketplace_proto::publishing::v1 as pb;
use time::OffsetDateTime;

use super::*;

fn header() -> EventHeader {
    EventHeader {
        event_id: Uuid::from_u128(5).to_string(),
        occurred_at: Some(timestamp::to_proto(OffsetDateTime::UNIX_EPOCH)),
        actor: Some(user()),
        publisher: "publishers/contoso".into(),
        offer: "publishers/contoso/offers/db".into(),
        offer_uid: Uuid::from_u128(9).to_string(),
        revision: 1,
        epoch: 1,
    }
}

fn user() -> PbActor {
    PbActor {
        kind: PbActorKind::User.into(),
        principal: "i|ada".into(),
    }
}

fn happening(fact: Option<Fact>) -> Happening {
    Happening {
        actor: Some(user()),
        happening: fact,
        ..Default::default()
    }
}

fn told(happened: Vec<Happening>) -> Result<Told, Error> {
    let changed = pb::PublicationChanged {
        happened,
        ..Default::default()
    };
    publishing(PublishingEvent {
        header: Some(header()),
        event: Some(PublishedEvent::PublicationChanged(changed)),
    })
}

fn submitted(pages: &[i32]) -> Happening {
    happening(Some(Fact::Submitted(pb::Submitted {
        pages_changed: pages.to_vec(),
    })))
}

#[test]
fn hi_9_an_event_of_a_newer_publisher_is_not_recorded_in_part() {
    // An arm that this version doesn't know is read as none.
    let newer = told(vec![submitted(&[]), happening(None)]);
    assert!(matches!(newer, Err(Error::UnknownEvent)), "{newer:?}");
    let nothing = OfferCatalogEvent {
        header: Some(header()),
        event: None,
    };
    assert!(matches!(catalog(nothing), Err(Error::UnknownEvent)));
}

#[test]
fn ib_3_who_left_is_read_by_publisher_and_principal() {
    let changed = |publisher: &str, removed| OfferCatalogEvent {
        header: Some(EventHeader {
            publisher: publisher.into(),
            offer: String::new(),
            offer_uid: String::new(),
            ..header()
        }),
        event: Some(CatalogEvent::MemberChanged(MemberChanged {
            member: Some(Member {
                principal: "i|dev".into(),
                ..Member::default()
            }),
            removed,
        })),
    };
    for gone in [true, false] {
        let read = departure(&changed("publishers/contoso", gone)).unwrap();
        let wanted = Departure {
            publisher: "contoso".into(),
            principal: "i|dev".into(),
            gone,
            changed_at: OffsetDateTime::UNIX_EPOCH,
        };
        assert_eq!(read, Some(wanted));
    }
    let nobodys = departure(&changed("", true));
    assert!(matches!(nobodys, Err(Error::Event(v)) if v.field == "header.publisher"));
}

#[test]
fn hf_9_a_page_that_this_version_does_not_know_is_not_left_out() {
    let known = told(vec![submitted(&[PageId::OfferListing.into()])]).unwrap();
    assert_eq!(known.entries[0].pages, [Page::OfferListing]);
    for unknown in [0, 9_999] {
        let newer = told(vec![submitted(&[PageId::OfferListing.into(), unknown])]);
        assert!(
            matches!(&newer, Err(Error::Event(v)) if v.field == "happened.submitted.pages_changed"),
            "{unknown}: {newer:?}"
        );
    }
}
