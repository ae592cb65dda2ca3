//! The vocabulary of this context, pure: no I/O, no clock, no generated types.
//!
//! * a **case** certifies one submission; its [`State`] moves by [`Move`]s;
//! * a **check** looks at the frozen offer on one of three [`Level`]s and leaves a [`CheckResult`];
//! * a **finding** is something a check saw; an error among them fails the case;
//! * a **report** puts findings in front of the publisher: before the preview (validation), or why it failed;
//! * an **order** is what the pipeline asked for, answered once and the same every time.

mod case;
mod facts;
mod finding;
pub mod offer_type;
mod order;
mod report;
mod result;
mod review;
pub mod snapshot;
mod state;

pub use case::{Case, Decision, Ended, NotYet, Opening, Verdict, after_checks};
pub use facts::{
    Criterion, ImageFacts, Images, Pixels, Policies, Policy, PublisherFacts, Rules, Switches,
};
pub use finding::{Blocks, Finding, Level, MAX_EVIDENCE, Mode, Outcome, Severity, shortened};
pub use order::{Answer, Job, JobKind, Matter, Order, OrderKey};
pub use report::{Kind, Report, Section};
pub use result::{CheckResult, Override};
pub use review::Ruling;
pub use snapshot::Snapshot;
pub use state::{IllegalMove, Move, State};
