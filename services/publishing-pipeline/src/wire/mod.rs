//! Proto ↔ domain, both directions, and all validation of input.

mod batches;
mod dry_runs;
mod plans;
mod profile;
mod publication;
mod requests;
mod submission;

pub use batches::{batch, batch_page, create_batch, get_batch, publish_item, quotas, refusal};
pub use dry_runs::{create_dry_run, dry_run, dry_run_name, finding, page_problem};
pub use plans::{drafted, plan_row};
pub use profile::profile;
pub use publication::{move_of, overview_move, publication};
pub use requests::{
    Named, Publish, Stop, cancel, go_live, list_incidents, list_submissions, operate, plan,
    publish, stop, submission_name, watch_token,
};
pub use submission::{Medians, actor, leg, step_fault, submission, submission_state, transition};

use marketplace_proto::messaging::v1 as messaging;
use marketplace_runtime::access::{ActorKind, Scope};

use crate::domain::{Actor, ActorKind as Kind};

/// Who a scope acts as.
pub fn actor_of(scope: &Scope) -> Actor {
    let kind = match scope.acts_as() {
        ActorKind::User => Kind::User,
        ActorKind::Operator => Kind::Operator,
        ActorKind::System => Kind::System,
    };
    Actor {
        kind,
        principal: scope.principal().to_owned(),
    }
}

pub(crate) fn actor_kind(kind: Kind) -> messaging::ActorKind {
    match kind {
        Kind::User => messaging::ActorKind::User,
        Kind::Operator => messaging::ActorKind::Operator,
        Kind::System => messaging::ActorKind::System,
    }
}
