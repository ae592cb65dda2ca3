//! Submissions, steps and transitions on the wire.

use std::collections::HashMap;

use marketplace_proto::messaging::v1 as messaging;
use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::timestamp::to_proto;
use time::{Duration, OffsetDateTime};

use crate::domain::{
    Actor, Fault, Leg, Level, Phase, Publication, Step, StepId, StepState, Submission,
    SubmissionState, Transition,
};

/// Medians of how long steps took, in milliseconds, by step id.
pub type Medians = HashMap<String, f64>;

pub fn actor(actor: &Actor) -> messaging::Actor {
    messaging::Actor {
        kind: super::actor_kind(actor.kind).into(),
        principal: actor.principal.clone(),
    }
}

pub fn leg(leg: Leg) -> pb::Leg {
    match leg {
        Leg::Preview => pb::Leg::Preview,
        Leg::Live => pb::Leg::Live,
    }
}

pub fn submission_state(state: SubmissionState) -> pb::SubmissionState {
    match state {
        SubmissionState::Queued => pb::SubmissionState::Queued,
        SubmissionState::PreviewLeg | SubmissionState::LiveLeg => pb::SubmissionState::Running,
        SubmissionState::AwaitingSignOff => pb::SubmissionState::AwaitingSignOff,
        SubmissionState::Live => pb::SubmissionState::Live,
        SubmissionState::Failed => pb::SubmissionState::Failed,
        SubmissionState::CancelingPreview | SubmissionState::CancelingLive => {
            pb::SubmissionState::Canceling
        }
        SubmissionState::Canceled => pb::SubmissionState::Canceled,
        SubmissionState::Superseded => pb::SubmissionState::Superseded,
        SubmissionState::Withdrawn => pb::SubmissionState::Withdrawn,
    }
}

pub fn step_state(state: StepState) -> pb::StepState {
    match state {
        StepState::NotStarted => pb::StepState::NotStarted,
        StepState::InProgress => pb::StepState::InProgress,
        StepState::WaitingForPublisherReview => pb::StepState::WaitingForPublisherReview,
        StepState::WaitingForApproval => pb::StepState::WaitingForApproval,
        StepState::Blocked => pb::StepState::Blocked,
        StepState::Rejected => pb::StepState::Rejected,
        StepState::Complete => pb::StepState::Complete,
        StepState::Canceled => pb::StepState::Canceled,
    }
}

pub fn step_fault(fault: Fault) -> pb::StepFault {
    match fault {
        Fault::Publisher => pb::StepFault::Publisher,
        Fault::Platform => pb::StepFault::Platform,
    }
}

pub(super) fn phase(phase: Phase) -> pb::Phase {
    match phase {
        Phase::AutomatedValidation => pb::Phase::AutomatedValidation,
        Phase::Certification => pb::Phase::Certification,
        Phase::PreviewCreation => pb::Phase::PreviewCreation,
        Phase::PublisherSignOff => pb::Phase::PublisherSignOff,
        Phase::Publish => pb::Phase::Publish,
    }
}

/// A submission as of `now`, which lateness and progress depend on.
pub fn submission(
    row: &Publication,
    submission: &Submission,
    medians: &Medians,
    now: OffsetDateTime,
) -> pb::Submission {
    let scheduled = row
        .schedule
        .as_ref()
        .filter(|_| row.awaiting_sign_off == Some(submission.id));
    let validation = submission.validation.clone();
    let (validation_warnings, validation_report) =
        validation.map_or((0, String::new()), |v| (v.warnings, v.report));
    let failure = submission.failure.as_ref();
    pb::Submission {
        name: row.submission_name(submission.id),
        state: submission_state(submission.state).into(),
        leg: leg(submission.leg).into(),
        snapshot: submission.profile.snapshot.clone(),
        digest: submission.profile.digest.clone(),
        offer_type: submission.profile.offer_type.clone(),
        offer_title: submission.profile.title.clone(),
        notes: submission.notes.clone(),
        submitted_by: Some(actor(&submission.submitted_by)),
        steps: submission
            .steps
            .iter()
            .map(|one| step(one, medians, now))
            .collect(),
        progress: submission.progress(),
        transition: submission.transition,
        validation_warnings,
        validation_report,
        failure_report: failure
            .map(|failure| failure.report.clone())
            .unwrap_or_default(),
        fault: failure
            .map_or(pb::StepFault::Unspecified, |failure| {
                step_fault(failure.fault)
            })
            .into(),
        failure_reason: failure
            .map(|failure| failure.reason.clone())
            .unwrap_or_default(),
        create_time: Some(to_proto(submission.create_time)),
        end_time: submission.end_time.map(to_proto),
        scheduled_go_live: scheduled.map(|schedule| to_proto(schedule.at)),
        delayed: submission.delayed(now),
    }
}

fn step(step: &Step, medians: &Medians, now: OffsetDateTime) -> pb::Step {
    let message = |message: &crate::domain::Message| pb::StepMessage {
        level: level(message.level).into(),
        text: message.text.clone(),
        time: Some(to_proto(message.at)),
    };
    pb::Step {
        id: step.id.as_str().to_owned(),
        name: step.id.title().to_owned(),
        phase: phase(step.id.phase()).into(),
        leg: leg(step.leg).into(),
        state: step_state(step.state).into(),
        progress: step.progress,
        messages: step.messages.iter().map(message).collect(),
        expected: expected(step.id),
        start_time: step.started.map(to_proto),
        end_time: step.ended.map(to_proto),
        eta: eta(step, medians).map(to_proto),
        late: step.late(now),
        attempt: step.attempt,
        warnings: step.warnings,
        fault: step
            .fault
            .map_or(pb::StepFault::Unspecified, step_fault)
            .into(),
    }
}

/// How long a step takes, as the documentation gives it.
pub(super) fn expected(step: StepId) -> Option<pb::ExpectedDuration> {
    step.expected().map(|expected| pb::ExpectedDuration {
        op: expected.op.to_string(),
        minutes: expected.minutes,
        label: expected.label.to_owned(),
    })
}

/// When a running step will be done, by the median of its own history.
fn eta(step: &Step, medians: &Medians) -> Option<OffsetDateTime> {
    let median = medians.get(step.id.as_str()).copied()?;
    let running = matches!(
        step.state,
        StepState::InProgress | StepState::WaitingForApproval
    );
    step.started
        .filter(|_| running)
        .map(|started| started + Duration::seconds_f64(median / 1_000.0))
}

fn level(level: Level) -> pb::MessageLevel {
    match level {
        Level::Info => pb::MessageLevel::Info,
        Level::Warning => pb::MessageLevel::Warning,
        Level::Error => pb::MessageLevel::Error,
    }
}

pub fn transition(transition: &Transition) -> pb::SubmissionTransition {
    pb::SubmissionTransition {
        transition: transition.number,
        time: Some(to_proto(transition.at)),
        step: transition
            .step
            .map(|(id, _)| id.as_str().to_owned())
            .unwrap_or_default(),
        step_state: transition
            .step
            .map_or(pb::StepState::Unspecified, |(_, state)| step_state(state))
            .into(),
        submission_state: submission_state(transition.state).into(),
        message: transition.message.clone(),
    }
}
