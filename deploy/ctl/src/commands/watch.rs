//! `watch`: a submission as it moves, one line per step, until it waits for a person or ends.
//!
//! On a terminal every step has a line that is drawn over; elsewhere a line is printed whenever a step changes.

use std::time::Duration;

use clap::{Args, ValueEnum};
use marketplace_proto::publishing::v1::{
    GetPublicationRequest, StepState, Submission, SubmissionState, WatchSubmissionRequest,
    WatchSubmissionResponse,
};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tonic::{Code, Streaming};

use crate::config::{self, Session};
use crate::error::Error;
use crate::names::Target;
use crate::output::json;
use crate::output::steps::{Lines, Live};
use crate::output::{Output, words};

/// How often elapsed times are drawn again.
const TICK: Duration = Duration::from_millis(500);
/// Pause before a broken stream is taken up again.
const PAUSE: Duration = Duration::from_millis(300);

#[derive(Args)]
pub struct WatchArgs {
    /// The submission, or the offer whose newest one is watched.
    pub target: String,
    #[command(flatten)]
    pub options: WatchOptions,
}

#[derive(Args)]
pub struct WatchOptions {
    /// When to stop watching.
    #[arg(long, value_enum, default_value_t)]
    pub until: Goal,
    /// Give up after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
}

/// Where watching ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Goal {
    /// It waits for a reviewer or for sign-off, or has ended.
    #[default]
    Person,
    /// It waits for sign-off, or has ended.
    SignOff,
    /// It has ended.
    End,
}

/// A goal, and when to give up.
#[derive(Debug, Clone, Copy)]
pub struct Until {
    goal: Goal,
    deadline: Option<Instant>,
}

impl From<&WatchOptions> for Until {
    fn from(options: &WatchOptions) -> Self {
        Self {
            goal: options.until,
            deadline: options
                .timeout
                .map(|seconds| Instant::now() + Duration::from_secs(seconds)),
        }
    }
}

pub async fn run(session: &Session, args: WatchArgs, out: &mut Output) -> Result<(), Error> {
    let submission = match session.target(&args.target)? {
        Target::Submission(name) => name,
        Target::Offer(offer) => {
            let answer = session
                .api
                .call(GetPublicationRequest {
                    offer: offer.name(),
                })
                .await?;
            let latest = answer.publication.unwrap_or_default().latest_submission;
            if latest.is_empty() {
                return Err(Error::usage(format!(
                    "{} was never published: there is nothing to watch",
                    offer.name()
                )));
            }
            latest
        }
    };
    follow(session, &submission, Until::from(&args.options), out).await
}

/// Follows a submission to the goal. Takes a broken stream up where it broke.
pub async fn follow(
    session: &Session,
    submission: &str,
    until: Until,
    out: &mut Output,
) -> Result<(), Error> {
    let mut view = View::new(out);
    let mut token = String::new();
    loop {
        let request = WatchSubmissionRequest {
            name: submission.to_owned(),
            resume_token: token.clone(),
        };
        let mut stream = match session.api.stream(request).await {
            Ok(stream) => stream,
            // What came after the token is no longer kept: the whole state will do.
            Err(error)
                if error
                    .refusal()
                    .is_some_and(|s| s.code() == Code::OutOfRange)
                    && !token.is_empty() =>
            {
                token.clear();
                continue;
            }
            Err(error) => return Err(error),
        };
        match read(&mut stream, &mut token, until, &mut view, out).await? {
            Some(submission) => return view.end(&submission, out),
            None => sleep(PAUSE).await,
        }
    }
}

/// Reads until the goal is reached; `None`: the stream ended or broke before.
async fn read(
    stream: &mut Streaming<WatchSubmissionResponse>,
    token: &mut String,
    until: Until,
    view: &mut View,
    out: &mut Output,
) -> Result<Option<Submission>, Error> {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let late = async || match until.deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    };
    loop {
        let message = tokio::select! {
            message = stream.message() => message,
            _ = tick.tick() => { view.tick(); continue }
            () = late() => return Err(Error::Late("it is not there yet; `marketctl watch` goes on watching".into())),
        };
        let message = match message {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(None),
            Err(status)
                if matches!(
                    status.code(),
                    Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal
                ) =>
            {
                return Ok(None);
            }
            Err(status) => {
                return Err(Error::Refused {
                    rpc: "WatchSubmission",
                    status: Box::new(status),
                });
            }
        };
        token.clone_from(&message.resume_token);
        view.show(&message, out)?;
        if let Some(submission) = message
            .submission
            .filter(|submission| reached(submission, until.goal))
        {
            return Ok(Some(submission));
        }
    }
}

fn ended(state: SubmissionState) -> bool {
    use SubmissionState::{Canceled, Failed, Live, Superseded, Withdrawn};
    matches!(state, Live | Failed | Canceled | Superseded | Withdrawn)
}

/// Whether the goal is reached.
fn reached(submission: &Submission, goal: Goal) -> bool {
    let state = submission.state();
    let reviewer = || {
        submission
            .steps
            .iter()
            .any(|step| step.state() == StepState::WaitingForApproval)
    };
    match goal {
        _ if ended(state) => true,
        Goal::End => false,
        Goal::SignOff => state == SubmissionState::AwaitingSignOff,
        Goal::Person => {
            state == SubmissionState::AwaitingSignOff
                || (state == SubmissionState::Running && reviewer())
        }
    }
}

/// How a submission is shown.
enum View {
    Live(Live),
    Lines(Lines),
    Json,
}

impl View {
    fn new(out: &Output) -> Self {
        match (out.is_json(), out.is_live()) {
            (true, _) => Self::Json,
            (false, true) => Self::Live(Live::new()),
            (false, false) => Self::Lines(Lines::default()),
        }
    }

    fn show(&mut self, message: &WatchSubmissionResponse, out: &mut Output) -> Result<(), Error> {
        let Some(submission) = &message.submission else {
            return Ok(());
        };
        match self {
            // One object a line: a program reads them as they come.
            Self::Json => out.line(&json::value(message).to_string()),
            Self::Live(live) => {
                live.show(submission, config::now());
                Ok(())
            }
            Self::Lines(lines) => lines
                .changed(submission, config::now())
                .iter()
                .try_for_each(|line| out.say(line)),
        }
    }

    fn tick(&mut self) {
        if let Self::Live(live) = self {
            live.tick(config::now());
        }
    }

    /// The last line: where it is now, and what can be done. A bad end is an error.
    fn end(self, submission: &Submission, out: &mut Output) -> Result<(), Error> {
        if let Self::Live(live) = self {
            live.stop();
        }
        let state = submission.state();
        let text = format!("{}: {}", submission.name, verdict(submission));
        match state {
            SubmissionState::Failed
            | SubmissionState::Canceled
            | SubmissionState::Superseded
            | SubmissionState::Withdrawn => Err(Error::Ended(text)),
            _ => out.say(text),
        }
    }
}

fn verdict(submission: &Submission) -> String {
    let state = submission.state();
    match state {
        SubmissionState::AwaitingSignOff if submission.validation_warnings > 0 => format!(
            "waits for sign-off with {}; look at the preview and the report, then `marketctl go-live --acknowledge-warnings`",
            words::count(submission.validation_warnings as usize, "warning")
        ),
        SubmissionState::AwaitingSignOff => {
            "waits for sign-off: look at the preview, then `marketctl go-live`".into()
        }
        SubmissionState::Live => "live".into(),
        SubmissionState::Failed => format!("failed: {}", submission.failure_reason),
        SubmissionState::Running => "waits for a reviewer".into(),
        other => words::label(other.as_str_name(), "SUBMISSION_STATE_").to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use marketplace_proto::publishing::v1::Step;

    use super::*;

    fn submission(state: SubmissionState, step: StepState) -> Submission {
        Submission {
            state: state.into(),
            steps: vec![Step {
                state: step.into(),
                ..Step::default()
            }],
            ..Submission::default()
        }
    }

    #[test]
    fn watching_ends_where_a_person_is_needed() {
        use SubmissionState::{AwaitingSignOff, Canceling, Live, Queued, Running};
        let table = [
            (Queued, StepState::NotStarted, [false, false, false]),
            (Running, StepState::InProgress, [false, false, false]),
            (Running, StepState::Blocked, [false, false, false]),
            (Running, StepState::WaitingForApproval, [true, false, false]),
            (
                Canceling,
                StepState::WaitingForApproval,
                [false, false, false],
            ),
            (
                AwaitingSignOff,
                StepState::WaitingForPublisherReview,
                [true, true, false],
            ),
            (Live, StepState::Complete, [true, true, true]),
            (
                SubmissionState::Failed,
                StepState::Rejected,
                [true, true, true],
            ),
        ];
        for (state, step, wanted) in table {
            let submission = submission(state, step);
            let found =
                [Goal::Person, Goal::SignOff, Goal::End].map(|goal| reached(&submission, goal));
            assert_eq!(found, wanted, "{state:?} {step:?}");
        }
    }

    #[test]
    fn the_last_line_says_what_to_do() {
        let waits = Submission {
            validation_warnings: 2,
            ..submission(SubmissionState::AwaitingSignOff, StepState::Complete)
        };
        assert!(
            verdict(&waits).contains("2 warnings")
                && verdict(&waits).contains("--acknowledge-warnings")
        );
        let failed = Submission {
            failure_reason: "no logo".into(),
            ..submission(SubmissionState::Failed, StepState::Rejected)
        };
        assert_eq!(verdict(&failed), "failed: no logo");
    }
}
