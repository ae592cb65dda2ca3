//! What the pipeline orders, the job that carries it out, and the answer that is given to it and to every repeat.

use marketplace_runtime::telemetry::Trace;
use time::OffsetDateTime;
use uuid::Uuid;

/// How the pipeline keys an order; a repeat has the same key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderKey {
    /// "{offer}/submissions/{submission}"
    pub submission: String,
    pub step: String,
    pub attempt: u32,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// Offer validation (S-3).
    Validate,
    /// Certification (S-4).
    Certify,
}

impl JobKind {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            JobKind::Validate => "validate",
            JobKind::Certify => "certify",
        }
    }

    /// From its stored text; `None` is a corrupt row.
    pub fn parse(text: &str) -> Option<JobKind> {
        [JobKind::Validate, JobKind::Certify]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// An order to validate or certify a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub key: OrderKey,
    pub kind: JobKind,
    /// Id of the publisher.
    pub publisher: String,
    /// Resource name of the offer.
    pub offer: String,
    pub offer_uid: Uuid,
    pub offer_type: String,
    pub offer_title: String,
    pub transactable: bool,
    /// Notes for certification.
    pub notes: String,
    /// Resource name and digest of the snapshot.
    pub snapshot: String,
    pub digest: String,
    pub publication_revision: u64,
}

/// What checks are run over: the part of an order that they look at. A dry run asks for the same without an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matter {
    pub kind: JobKind,
    /// Id of the publisher.
    pub publisher: String,
    /// Resource name of the offer.
    pub offer: String,
    pub offer_type: String,
    pub transactable: bool,
    /// Notes for certification.
    pub notes: String,
    /// Resource name and digest of the snapshot.
    pub snapshot: String,
    pub digest: String,
}

impl From<&Order> for Matter {
    fn from(order: &Order) -> Matter {
        Matter {
            kind: order.kind,
            publisher: order.publisher.clone(),
            offer: order.offer.clone(),
            offer_type: order.offer_type.clone(),
            transactable: order.transactable,
            notes: order.notes.clone(),
            snapshot: order.snapshot.clone(),
            digest: order.digest.clone(),
        }
    }
}

/// An order that this process holds the lease of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub order: Order,
    pub case: Option<Uuid>,
    /// Counts the tries; fences a commit that comes after the lease was lost.
    pub tries: i32,
    pub leased_by: Uuid,
    /// What ordered it.
    pub trace: Trace,
    pub created_at: OffsetDateTime,
}

/// What an order was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Validated {
        /// Name of the report; empty: nothing was found.
        report: String,
        /// Issues that could fail certification.
        warnings: u32,
    },
    Passed {
        digest: String,
        case: Uuid,
        with_notes: bool,
    },
    Failed {
        case: Uuid,
        report: String,
        failures: u32,
        summary: String,
    },
    /// It can never be carried out, and not because of the offer.
    Impossible {
        /// SCREAMING_SNAKE, part of the contract.
        reason: String,
        message: String,
    },
}

impl Answer {
    /// As it is stored, and the name of its event.
    pub const fn kind(&self) -> &'static str {
        match self {
            Answer::Validated { .. } => "validation_completed",
            Answer::Passed { .. } => "certification_passed",
            Answer::Failed { .. } => "certification_failed",
            Answer::Impossible { .. } => "order_impossible",
        }
    }
}
