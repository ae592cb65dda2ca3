//! A dry run: what a publish of the draft would meet, found out without a submission. The steps are those of a submission
//! ([`super::pipeline`]); what would change something is left out, with the reason.
//!
//! ```text
//! Running ──finish──► Done
//!    ├──fail────────► Failed     the platform couldn't
//!    └──cancel──────► Canceled
//! ```

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::pipeline;
use super::profile::Profile;
use super::step::{Leg, StepId};
use super::submission::Actor;

/// How far a publish is gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Preview,
    Live,
}

/// How much of each step is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    Schema,
    Rules,
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DryRunState {
    Running,
    Done,
    Failed,
    Canceled,
}

impl DryRunState {
    /// As refusals name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
        }
    }
}

/// A dry run that has ended doesn't move any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the dry run has ended: {}", .0.as_str())]
pub struct DryRunEnded(pub DryRunState);

/// Where a step of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DryStepState {
    NotStarted,
    InProgress,
    Complete,
    Rejected,
    NotRun,
}

/// Why a step, or a check of it, was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotRun {
    Depth,
    Refused,
    SideEffect,
    Endpoint,
    Person,
    Ended,
}

/// Where a case would be once its automatic checks have run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    /// For a reviewer.
    Waits,
}

/// A step of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryStep {
    pub id: StepId,
    pub leg: Leg,
    pub state: DryStepState,
    /// Set with `NotRun`.
    pub left_out: Option<NotRun>,
    pub message: String,
    pub errors: u32,
    pub warnings: u32,
    pub checks_left_out: Vec<CheckLeftOut>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub started: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended: Option<OffsetDateTime>,
}

/// A check of a step that wasn't carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckLeftOut {
    pub check: String,
    pub title: String,
    pub reason: NotRun,
    pub message: String,
}

/// A person will have to do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HumanStep {
    pub step: StepId,
    /// Empty: the step itself.
    pub check: String,
    pub title: String,
    pub reason: String,
}

/// What PublishOffer would answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishRefusal {
    pub reason: String,
    pub message: String,
}

/// What a check found. Numbers are those of certification's enums: only passed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub code: String,
    pub severity: i32,
    pub blocks: i32,
    pub fault: i32,
    pub policy: String,
    pub policy_url: String,
    pub page: String,
    pub field_path: String,
    pub artifact_path: String,
    pub evidence: String,
    pub remedy: String,
    pub check: String,
    pub check_version: u32,
}

/// What keeps a page from being complete. Numbers are those of the catalogue's enums: only passed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageProblem {
    pub page: i32,
    pub plan_id: String,
    pub field_path: String,
    pub code: String,
    pub message: String,
    pub severity: i32,
    pub remedy: String,
}

/// What the first look at the draft came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Draft {
    pub etag: String,
    /// `None`: the catalogue told none, and so there is no plan.
    pub profile: Option<Profile>,
    pub problems: Vec<PageProblem>,
    pub refusals: Vec<PublishRefusal>,
}

/// What one step came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DryOutcome {
    pub rejected: bool,
    pub message: String,
    pub findings: Vec<Finding>,
    pub errors: u32,
    pub warnings: u32,
    pub checks_left_out: Vec<CheckLeftOut>,
    pub humans: Vec<HumanStep>,
}

/// What has been found out so far: one document, written whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Record {
    /// `None`: nobody has looked yet.
    pub draft: Option<Draft>,
    pub steps: Vec<DryStep>,
    pub findings: Vec<Finding>,
    pub humans: Vec<HumanStep>,
    /// Why the platform couldn't.
    pub failure: String,
}

/// What is asked of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDryRun {
    pub id: Uuid,
    pub offer_uid: Uuid,
    pub publisher: String,
    pub offer: String,
    pub target: Target,
    pub depth: Depth,
    pub probe_endpoints: bool,
    pub notes: String,
    /// A publish although nothing changed is meant.
    pub confirm: bool,
    /// What is in flight would make way.
    pub supersede: bool,
    pub by: Actor,
}

/// A dry run of an offer's draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryRun {
    pub id: Uuid,
    pub offer_uid: Uuid,
    pub publisher: String,
    pub offer: String,
    pub target: Target,
    pub depth: Depth,
    pub probe_endpoints: bool,
    pub notes: String,
    pub confirm: bool,
    pub supersede: bool,
    pub created_by: Actor,
    pub state: DryRunState,
    pub record: Record,
    /// Counts its changes.
    pub revision: u64,
    /// Counts who took it; fences what comes after the lease was lost.
    pub attempt: u32,
    #[serde(with = "time::serde::rfc3339")]
    pub create_time: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub start_time: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub end_time: Option<OffsetDateTime>,
}

impl DryRun {
    pub fn new(new: NewDryRun, at: OffsetDateTime) -> Self {
        Self {
            id: new.id,
            offer_uid: new.offer_uid,
            publisher: new.publisher,
            offer: new.offer,
            target: new.target,
            depth: new.depth,
            probe_endpoints: new.probe_endpoints,
            notes: new.notes,
            confirm: new.confirm,
            supersede: new.supersede,
            created_by: new.by,
            state: DryRunState::Running,
            record: Record::default(),
            revision: 1,
            attempt: 0,
            create_time: at,
            start_time: None,
            end_time: None,
        }
    }

    /// The draft was looked at: which steps there are, and which of them are left out.
    pub fn plan(&mut self, draft: Draft) {
        let steps = draft.profile.as_ref().map(pipeline::steps);
        let incomplete = !draft.problems.is_empty();
        let within = |leg: Leg| self.target == Target::Live || leg == Leg::Preview;
        let steps = steps.into_iter().flatten().filter(|step| within(step.leg));
        let planned = steps.map(|step| {
            let left_out = self.left_out(step.id, incomplete);
            let (state, message) = match left_out {
                Some((_, why)) => (DryStepState::NotRun, why.to_owned()),
                None => (DryStepState::NotStarted, String::new()),
            };
            DryStep {
                id: step.id,
                leg: step.leg,
                state,
                left_out: left_out.map(|(reason, _)| reason),
                message,
                errors: 0,
                warnings: 0,
                checks_left_out: Vec::new(),
                started: None,
                ended: None,
            }
        });
        let steps: Vec<DryStep> = planned.collect();
        let by_hand = steps
            .iter()
            .filter(|step| step.left_out == Some(NotRun::Person));
        self.record.humans = by_hand
            .map(|step| HumanStep {
                step: step.id,
                check: String::new(),
                title: step.id.title().to_owned(),
                reason: step.message.clone(),
            })
            .collect();
        self.record.steps = steps;
        self.record.draft = Some(draft);
    }

    fn left_out(&self, step: StepId, incomplete: bool) -> Option<(NotRun, &'static str)> {
        let full = self.depth == Depth::Full;
        match step {
            StepId::PublisherSignOff => Some((
                NotRun::Person,
                "The publisher looks at the preview and signs it off.",
            )),
            StepId::PreviewCreation => Some((NotRun::SideEffect, "A dry run makes no preview.")),
            StepId::FinalPublish => Some((NotRun::SideEffect, "A dry run publishes nothing.")),
            _ if incomplete => Some((
                NotRun::Refused,
                "A publish is refused before: complete the pages first.",
            )),
            StepId::PurchaseFlow | StepId::PurchaseFlowLive if !full => Some((
                NotRun::Depth,
                "Only FULL makes and cancels an order of each plan.",
            )),
            StepId::LeadManagement | StepId::LeadManagementLive if !full => {
                Some((NotRun::Depth, "Only FULL calls the lead destination."))
            }
            StepId::LeadManagement | StepId::LeadManagementLive if !self.probe_endpoints => Some((
                NotRun::Endpoint,
                "It would send a test lead to the lead destination: ask for that with probe_endpoints.",
            )),
            StepId::OfferValidation | StepId::Certification if self.depth == Depth::Schema => {
                Some((
                    NotRun::Depth,
                    "SCHEMA looks at the pages alone: what the checks say, and whether a reviewer is needed, is not known.",
                ))
            }
            StepId::PurchaseFlow
            | StepId::PurchaseFlowLive
            | StepId::LeadManagement
            | StepId::LeadManagementLive
            | StepId::OfferValidation
            | StepId::Certification => None,
        }
    }

    /// The place of the step to carry out next; one that another process had begun is begun again.
    pub fn next(&self) -> Option<usize> {
        let open = |step: &DryStep| {
            matches!(
                step.state,
                DryStepState::NotStarted | DryStepState::InProgress
            )
        };
        self.record.steps.iter().position(open)
    }

    pub fn begin(&mut self, place: usize, at: OffsetDateTime) {
        if let Some(step) = self.record.steps.get_mut(place) {
            step.state = DryStepState::InProgress;
            step.started = Some(at);
        }
    }

    /// What a step came to. A finding of two steps is one.
    pub fn conclude(&mut self, place: usize, outcome: DryOutcome, at: OffsetDateTime) {
        let Some(step) = self.record.steps.get_mut(place) else {
            return;
        };
        step.state = if outcome.rejected {
            DryStepState::Rejected
        } else {
            DryStepState::Complete
        };
        step.message = outcome.message;
        step.errors = outcome.errors;
        step.warnings = outcome.warnings;
        step.checks_left_out = outcome.checks_left_out;
        step.ended = Some(at);
        for finding in outcome.findings {
            if !self.record.findings.contains(&finding) {
                self.record.findings.push(finding);
            }
        }
        self.record.humans.extend(outcome.humans);
        let place = |human: &HumanStep| StepId::ALL.iter().position(|&id| id == human.step);
        self.record.humans.sort_by_key(place);
    }

    /// Everything was looked at.
    pub fn finish(&mut self, at: OffsetDateTime) -> Result<(), DryRunEnded> {
        self.end(DryRunState::Done, at)
    }

    /// The platform couldn't.
    pub fn fail(&mut self, why: String, at: OffsetDateTime) -> Result<(), DryRunEnded> {
        self.end(DryRunState::Failed, at)?;
        self.record.failure = why;
        Ok(())
    }

    pub fn cancel(&mut self, at: OffsetDateTime) -> Result<(), DryRunEnded> {
        self.end(DryRunState::Canceled, at)
    }

    fn end(&mut self, state: DryRunState, at: OffsetDateTime) -> Result<(), DryRunEnded> {
        if self.state != DryRunState::Running {
            return Err(DryRunEnded(self.state));
        }
        self.state = state;
        self.end_time = Some(at);
        while let Some(place) = self.next() {
            let step = &mut self.record.steps[place];
            step.state = DryStepState::NotRun;
            step.left_out = Some(NotRun::Ended);
            step.message = "The dry run ended before it.".to_owned();
        }
        Ok(())
    }

    pub fn has_ended(&self) -> bool {
        self.state != DryRunState::Running
    }

    /// A publish would be refused, or a step of it rejected, as far as was looked.
    pub fn would_fail(&self) -> bool {
        let refused = |draft: &Draft| !draft.refusals.is_empty();
        let rejected = |step: &DryStep| step.state == DryStepState::Rejected;
        self.record.draft.as_ref().is_some_and(refused) || self.record.steps.iter().any(rejected)
    }
}

#[cfg(test)]
#[path = "dry_run_tests.rs"]
mod tests;
