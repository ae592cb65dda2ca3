//! What may happen to an offer's publication, and what follows: pure decisions, no I/O, no clock.
//!
//! - [`Offering`]: the aggregate, a publication with the submissions that its guards look at.
//! - [`Publication`]: one row per offer; the [`Status`] is derived from it.
//! - [`Submission`]: an immutable snapshot on its way to preview and live; its [`Step`]s follow from its [`Profile`].
//! - [`SubmissionState`], [`StepState`]: the two state machines, as tables; [`Move`] × [`Situation`]: the third.
//! - [`PlanRow`]: a plan on the Plan overview, with what may be done with it.
//! - [`Batch`]: offers published by one call; [`Quotas`]: how much a publisher may have.
//! - [`DryRun`]: what a publish would meet, found out without one.
//! - [`News`]: what a transaction did, for the history, neighbours, watchers and this process.
//! - [`Moment`], [`Tempo`]: when, and how long things may take.

mod batch;
mod dry_run;
mod guard;
mod moves;
mod news;
mod offering;
mod pipeline;
mod plans;
mod profile;
mod publication;
mod quota;
mod refusal;
mod state;
mod status;
mod step;
mod submission;
mod tempo;

#[cfg(test)]
mod distribution_tests;
#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod offering_tests;
#[cfg(test)]
mod trouble_tests;

pub use batch::{Batch, BatchItem, BatchOrder, Failed, ItemState, NewBatch, Turn};
pub use dry_run::{
    CheckLeftOut, Depth, Draft, DryOutcome, DryRun, DryRunEnded, DryRunState, DryStep,
    DryStepState, Finding, HumanStep, NewDryRun, NotRun, PageProblem, PublishRefusal, Record,
    Target, Verdict,
};
pub use guard::{Move, Situation};
pub use moves::{Alternative, Answer, Current, Deprecate, Freeze, Publish, StopOffer, Trouble};
pub use news::{
    Ending, Fact, Happening, IncidentNews, News, Order, OrderKind, STOP_DISTRIBUTION, Transition,
};
pub use offering::Offering;
pub use plans::{Drafted, DraftedPlan, Lifecycle, PlanMove, PlanRow};
pub use profile::{HelpLink, Plan, Profile};
pub use publication::{
    Deprecation, DeprecationReason, Distribution, PlanDistribution, PlanState, Publication,
    Schedule, Stop,
};
pub use quota::{Quota, QuotaExceeded, Quotas, Used};
pub use refusal::Refusal;
pub use state::{IllegalMove, StepMove, StepState, SubmissionMove, SubmissionState, UnknownState};
pub use status::{Facts, Status};
pub use step::{Executor, Expected, Fault, Leg, Level, Message, Phase, Step, StepId, UnknownStep};
pub use submission::{Actor, ActorKind, Cancel, Failure, SignOff, Submission, Validation};
pub use tempo::{Moment, Tempo};
