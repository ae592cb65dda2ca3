//! An offer as a draft, with the copy of its publication.

use marketplace_runtime::ids::OfferName;
use time::OffsetDateTime;
use uuid::Uuid;

/// A draft of something to sell, and where its publication stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub uid: Uuid,
    pub publisher: String,
    pub id: String,
    pub offer_type: String,
    pub alias: String,
    /// The draft's; the offer's etag.
    pub revision: i64,
    pub ever_frozen: bool,
    pub publication: Publication,
    /// Draft revision that the newest submission has frozen; 0: nothing was submitted.
    pub submitted_revision: i64,
    pub create_time: OffsetDateTime,
    pub update_time: OffsetDateTime,
}

/// The copy of the publication; the pipeline's is the authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    pub status: Status,
    pub revision: i64,
    pub preview_submission: Option<Uuid>,
    pub live_submission: Option<Uuid>,
    pub latest_submission: Option<Uuid>,
}

impl Offer {
    /// Its resource name.
    pub fn name(&self) -> OfferName {
        OfferName::new(&self.publisher, &self.id)
    }

    /// What a caller has to show to change or publish the draft as read.
    pub fn etag(&self) -> String {
        self.revision.to_string()
    }

    /// ST-10: the draft was written to since it was last submitted.
    pub fn has_unpublished_changes(&self) -> bool {
        self.submitted_revision > 0 && self.revision > self.submitted_revision
    }
}

/// The seven statuses (ST-1 … ST-7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Draft,
    PublishInProgress,
    AttentionNeeded,
    Preview,
    Live,
    PendingStopDistribution,
    NotAvailable,
}

impl Status {
    /// All of them.
    pub const ALL: [Status; 7] = [
        Status::Draft,
        Status::PublishInProgress,
        Status::AttentionNeeded,
        Status::Preview,
        Status::Live,
        Status::PendingStopDistribution,
        Status::NotAvailable,
    ];

    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Draft => "draft",
            Status::PublishInProgress => "publish_in_progress",
            Status::AttentionNeeded => "attention_needed",
            Status::Preview => "preview",
            Status::Live => "live",
            Status::PendingStopDistribution => "pending_stop_distribution",
            Status::NotAvailable => "not_available",
        }
    }

    /// As it is stored.
    pub fn parse(text: &str) -> Option<Self> {
        Status::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_read_as_it_was_stored() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        assert_eq!(Status::parse("Live"), None);
    }

    #[test]
    fn st_10_a_draft_written_to_after_it_was_submitted_has_unpublished_changes() {
        for (submitted, revision, expected) in [
            (0, 1, false), // never submitted: there is nothing to differ from
            (0, 7, false),
            (7, 7, false),
            (7, 8, true),
            (1, 3, true),
            (8, 7, false), // an older copy of the draft than the one that was frozen
        ] {
            let offer = offer(revision, submitted);
            let found = offer.has_unpublished_changes();
            assert_eq!(found, expected, "{submitted} {revision}");
            assert_eq!(offer.etag(), revision.to_string());
        }
    }

    fn offer(revision: i64, submitted_revision: i64) -> Offer {
        Offer {
            uid: Uuid::from_u128(1),
            publisher: "contoso".into(),
            id: "notes".into(),
            offer_type: "softwareAsAService".into(),
            alias: "Notes".into(),
            revision,
            ever_frozen: submitted_revision > 0,
            publication: Publication {
                status: Status::Draft,
                revision: 0,
                preview_submission: None,
                live_submission: None,
                latest_submission: None,
            },
            submitted_revision,
            create_time: OffsetDateTime::UNIX_EPOCH,
            update_time: OffsetDateTime::UNIX_EPOCH,
        }
    }
}
