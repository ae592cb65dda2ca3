//! Offers and offer types on the wire.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_runtime::ids::{PublisherName, new_id};
use marketplace_runtime::status::Violation;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{optional_line, time, unsigned, violations};
use crate::domain::offer::{Offer, Publication, Status};
use crate::domain::publisher::is_id;
use crate::pages::offer_type::{self, CertificationLeg, HelpLink, OfferType, Storefront};
use crate::wire::pages::page_id;

const LONGEST_ALIAS: usize = 120;

/// As it is answered.
pub fn offer(offer: &Offer) -> pb::Offer {
    pb::Offer {
        name: offer.name().to_string(),
        uid: offer.uid.to_string(),
        offer_type: offer.offer_type.clone(),
        alias: offer.alias.clone(),
        etag: offer.etag(),
        ever_frozen: offer.ever_frozen,
        publication: Some(publication(offer)),
        has_unpublished_changes: offer.has_unpublished_changes(),
        create_time: time(offer.create_time),
        update_time: time(offer.update_time),
    }
}

fn publication(offer: &Offer) -> pb::PublicationCopy {
    let copy = &offer.publication;
    let submission = |id: Option<Uuid>| {
        id.map(|id| offer.name().submission(id).to_string())
            .unwrap_or_default()
    };
    pb::PublicationCopy {
        status: status(copy.status) as i32,
        revision: unsigned(copy.revision),
        preview_submission: submission(copy.preview_submission),
        live_submission: submission(copy.live_submission),
    }
}

fn status(status: Status) -> pb::OfferStatus {
    match status {
        Status::Draft => pb::OfferStatus::Draft,
        Status::PublishInProgress => pb::OfferStatus::PublishInProgress,
        Status::AttentionNeeded => pb::OfferStatus::AttentionNeeded,
        Status::Preview => pb::OfferStatus::Preview,
        Status::Live => pb::OfferStatus::Live,
        Status::PendingStopDistribution => pb::OfferStatus::PendingStopDistribution,
        Status::NotAvailable => pb::OfferStatus::NotAvailable,
    }
}

/// A status as it was asked for or announced; `None`: unset.
pub fn read_status(value: i32, field: &str) -> Result<Option<Status>, Violation> {
    let unknown = |_| Violation::new(field, "is no known status").because("UNKNOWN_VALUE");
    Ok(match pb::OfferStatus::try_from(value).map_err(unknown)? {
        pb::OfferStatus::Unspecified => None,
        pb::OfferStatus::Draft => Some(Status::Draft),
        pb::OfferStatus::PublishInProgress => Some(Status::PublishInProgress),
        pb::OfferStatus::AttentionNeeded => Some(Status::AttentionNeeded),
        pb::OfferStatus::Preview => Some(Status::Preview),
        pb::OfferStatus::Live => Some(Status::Live),
        pb::OfferStatus::PendingStopDistribution => Some(Status::PendingStopDistribution),
        pb::OfferStatus::NotAvailable => Some(Status::NotAvailable),
    })
}

/// A new draft (T01).
pub fn create(
    request: &pb::CreateOfferRequest,
    now: OffsetDateTime,
) -> Result<Offer, Vec<Violation>> {
    let mut wrong = violations();
    let parent = wrong.take(PublisherName::parse(&request.parent, "parent"));
    let id = wrong.take(new_offer_id(&request.offer_id));
    let offer_type = wrong.take(known_type(&request.offer_type));
    let alias = wrong.take(optional_line(&request.alias, "alias", LONGEST_ALIAS));
    let read = || {
        Some(Offer {
            uid: new_id(),
            publisher: parent?.publisher,
            id: id?,
            offer_type: offer_type?,
            alias: alias?,
            revision: 1,
            ever_frozen: false,
            publication: Publication {
                status: Status::Draft,
                revision: 0,
                preview_submission: None,
                live_submission: None,
                latest_submission: None,
            },
            submitted_revision: 0,
            create_time: now,
            update_time: now,
        })
    };
    let read = read();
    wrong.finish(read)
}

fn new_offer_id(text: &str) -> Result<String, Violation> {
    if text.is_empty() {
        return Err(Violation::missing("offer_id"));
    }
    let why = "must be 3 to 50 of a-z, 0-9, _ and -, with a letter or digit first";
    if is_id(text) {
        Ok(text.to_owned())
    } else {
        Err(Violation::new("offer_id", why).because("BAD_ID"))
    }
}

fn known_type(text: &str) -> Result<String, Violation> {
    match offer_type::find(text) {
        Some(known) => Ok(known.id.clone()),
        None if text.is_empty() => Err(Violation::missing("offer_type")),
        None => Err(Violation::new("offer_type", "is no type of ListOfferTypes")
            .because("UNKNOWN_OFFER_TYPE")),
    }
}

/// As it is answered.
pub fn offer_type(kind: &OfferType) -> pb::OfferType {
    pb::OfferType {
        id: kind.id.clone(),
        display_name: kind.display_name.clone(),
        supports_plans: kind.plans != offer_type::Applies::Never,
        supports_private_plans: kind.private_plans,
        can_be_transactable: kind.transactable.allows(),
        requires_testing_notes: kind.requires_testing_notes,
        certification_leg: leg(kind.certification_leg) as i32,
        storefronts: kind
            .storefronts
            .iter()
            .map(|one| storefront(*one) as i32)
            .collect(),
        help_links: kind.help_links.iter().map(help_link).collect(),
        pages: kind
            .pages(kind.transactable.allows())
            .map(|page| page_id(page) as i32)
            .collect(),
    }
}

/// As it is answered.
pub fn leg(leg: CertificationLeg) -> pb::CertificationLeg {
    match leg {
        CertificationLeg::Preview => pb::CertificationLeg::Preview,
        CertificationLeg::Live => pb::CertificationLeg::Live,
    }
}

/// As it is answered.
pub fn storefront(storefront: Storefront) -> pb::Storefront {
    match storefront {
        Storefront::AppSource => pb::Storefront::AppSource,
        Storefront::AzureMarketplace => pb::Storefront::AzureMarketplace,
    }
}

/// As it is answered.
pub fn help_link(link: &HelpLink) -> pb::HelpLink {
    pb::HelpLink {
        title: link.title.clone(),
        url: link.url.clone(),
        context: link.context.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_3_an_alias_has_at_most_120_characters() {
        let faults = |alias: String| {
            let request = pb::CreateOfferRequest {
                parent: "publishers/contoso".into(),
                offer_id: "forge".into(),
                offer_type: "softwareAsAService".into(),
                alias,
                ..Default::default()
            };
            let read = create(&request, OffsetDateTime::UNIX_EPOCH);
            let faults = read.err().unwrap_or_default().into_iter();
            faults
                .map(|fault| format!("{} {}", fault.field, fault.reason.unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        let none: [&str; 0] = [];
        assert_eq!(faults(String::new()), none);
        assert_eq!(faults("ä".repeat(120)), none);
        assert_eq!(faults("ä".repeat(121)), ["alias TOO_LONG"]);
    }
}
