//! Why a move is refused. Nothing was changed then.

use uuid::Uuid;

use super::guard::{Move, Situation};
use super::state::IllegalMove;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{} is not possible in {}", wanted.as_str(), situation.as_str())]
    IllegalMove {
        situation: Situation,
        wanted: Move,
        allowed: Vec<Move>,
    },
    /// The named submission isn't the one that the move is about.
    #[error("submission {0} is {1}, not what this move is about")]
    OtherSubmission(Uuid, &'static str),
    #[error("submission {0} is in flight")]
    InFlight(Uuid),
    #[error("confirmation required ({field}): {why}")]
    ConfirmationRequired { field: &'static str, why: String },
    #[error("notes for certification are required by this type of offer")]
    NotesRequired,
    /// Another rule stands against it: a reason of its own, and words for people.
    #[error("{1}")]
    NotAllowed(&'static str, String),
    /// Stops, restores or the newest submission changed since the content was frozen: freeze again.
    #[error(
        "the plans' distribution or the newest submission changed since the content was frozen"
    )]
    FreezeOutdated,
    /// The publication knows no such plan. Where the draft has it, it is refused as `otherwise` says.
    #[error("{otherwise}")]
    UnknownPlan {
        plan: String,
        otherwise: Box<Refusal>,
    },
    /// A broken invariant: our fault.
    #[error(transparent)]
    Broken(#[from] IllegalMove),
    #[error("submission {0} is not with its publication")]
    Missing(Uuid),
}
