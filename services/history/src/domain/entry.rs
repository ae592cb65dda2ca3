//! Something that happened to an offer, before and after it became a row.

use std::str::FromStr;

use time::OffsetDateTime;
use uuid::Uuid;

use super::code::{Unknown, stored};
use super::{Code, Completion, Hash, Leg, Page};

stored! {
    /// Who tells it: H01 to H03 and H12 are the catalog's, everything else is publishing's (HI-9).
    Source("source") {
        Catalog = "catalog",
        Publishing = "publishing",
    }
}

stored! {
    /// In whose name it was done.
    ActorKind("kind of actor") {
        User = "user",
        Operator = "operator",
        System = "system",
    }
}

/// Who did it: an id, never a name (HI-9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    /// "{issuer}|{subject}"; kept for audit whoever left (IB-3). Empty for the system.
    pub principal: String,
}

impl Actor {
    /// A step, or another process: no person (IB-4).
    pub fn system() -> Actor {
        Actor {
            kind: ActorKind::System,
            principal: String::new(),
        }
    }
}

/// The offer it happened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub uid: Uuid,
    /// Id of the publisher, and of the offer within it.
    pub publisher: String,
    pub offer: String,
    /// Where the event names it; empty otherwise.
    pub offer_type: String,
}

/// Where a row stands in the list, and what tells it from every other: the page key (HI-9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub occurred_at: OffsetDateTime,
    pub source: Source,
    pub revision: i64,
    pub place: i32,
}

/// A step that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub id: String,
    pub name: String,
    pub started_at: Option<OffsetDateTime>,
    pub completed_at: OffsetDateTime,
    pub completion: Completion,
}

/// Something that happened to an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub event_id: Uuid,
    pub at: Place,
    pub code: Code,
    pub actor: Actor,
    pub plan_id: String,
    pub plan_name: String,
    pub submission: Option<Uuid>,
    pub leg: Option<Leg>,
    /// HS only.
    pub step: Option<Step>,
    /// H06 only: pages whose data differs from the submission before (HF-9).
    pub pages: Vec<Page>,
    /// Of an operator, or of a failure.
    pub reason: String,
}

impl Entry {
    /// With nothing but its code.
    pub fn new(event_id: Uuid, at: Place, code: Code, actor: Actor) -> Entry {
        Entry {
            event_id,
            at,
            code,
            actor,
            plan_id: String::new(),
            plan_name: String::new(),
            submission: None,
            leg: None,
            step: None,
            pages: Vec::new(),
            reason: String::new(),
        }
    }

    /// The exact label.
    pub fn label(&self) -> String {
        self.code.label(
            &self.plan_name,
            self.step.as_ref().map_or("", |step| &step.name),
        )
    }
}

/// An entry that is part of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub entry: Entry,
    /// From 1, in the order of recording.
    pub seq: i64,
    pub hash: Hash,
}
