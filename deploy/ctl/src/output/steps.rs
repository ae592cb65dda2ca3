//! The steps of a submission: a line each, with bar, state, elapsed and expected time.

use std::collections::BTreeMap;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use marketplace_proto::publishing::v1::{MessageLevel, Step, StepState, Submission};
use time::{Duration, OffsetDateTime};

use super::words;

const BAR: usize = 20;
/// Columns that a line of full width needs: 72 and a state with its times.
const WIDE: u16 = 120;

/// "complete", "waiting for approval (late)".
pub fn state(step: &Step) -> String {
    let state = words::label(step.state().as_str_name(), "STEP_STATE_").to_lowercase();
    match (
        step.late && step.end_time.is_none(),
        step.warnings && step.state() == StepState::Complete,
    ) {
        (true, _) => format!("{state} (taking longer than expected)"),
        (false, true) => format!("{state} with warnings"),
        (false, false) => state,
    }
}

/// "0:12 of <30 min", "0:12" once ended, empty before it started.
pub fn elapsed(step: &Step, now: OffsetDateTime) -> String {
    let expected = step
        .expected
        .as_ref()
        .map(|expected| expected.label.as_str())
        .unwrap_or_default();
    let Some(start) = words::instant(step.start_time.as_ref()) else {
        return expected.to_owned();
    };
    let end = words::instant(step.end_time.as_ref());
    let spent = words::span((end.unwrap_or(now) - start).max(Duration::ZERO));
    if end.is_some() || expected.is_empty() {
        spent
    } else {
        format!("{spent} of {expected}")
    }
}

/// "[##########··········]".
pub fn bar(percent: u32) -> String {
    let full = (percent.min(100) as usize * BAR).div_ceil(100).min(BAR);
    format!("[{}{}]", "#".repeat(full), "·".repeat(BAR - full))
}

/// What a finished or troubled step says: its newest warning or error, else nothing.
fn trouble(step: &Step) -> Option<&str> {
    let mut worth = step
        .messages
        .iter()
        .rev()
        .filter(|m| matches!(m.level(), MessageLevel::Warning | MessageLevel::Error));
    worth.next().map(|message| message.text.as_str())
}

fn percent(step: &Step) -> u32 {
    if step.state() == StepState::Complete {
        100
    } else {
        step.progress.min(100)
    }
}

/// One line for a file or a pipe.
pub fn line(step: &Step, now: OffsetDateTime) -> String {
    let time = words::clock(now);
    let text = format!(
        "{time}  {:<44} {} {:>3}%  {}",
        step.name,
        bar(percent(step)),
        percent(step),
        state(step)
    );
    let elapsed = elapsed(step, now);
    let text = if elapsed.is_empty() {
        text
    } else {
        format!("{text}  {elapsed}")
    };
    match trouble(step) {
        Some(message) => format!("{text}\n          {message}"),
        None => text,
    }
}

/// Prints a step when it changed, for logs.
#[derive(Debug, Default)]
pub struct Lines {
    seen: BTreeMap<String, (i32, u32, usize)>,
}

impl Lines {
    /// The lines of the steps that changed since the last call; steps that have not started are no news.
    pub fn changed(&mut self, submission: &Submission, now: OffsetDateTime) -> Vec<String> {
        let mut lines = Vec::new();
        for step in &submission.steps {
            let state = (step.state, percent(step), step.messages.len());
            if self.seen.insert(step.id.clone(), state) != Some(state)
                && step.state() != StepState::NotStarted
            {
                lines.push(line(step, now));
            }
        }
        lines
    }
}

/// Keeps a line per step on the terminal and draws over it.
pub struct Live {
    screen: MultiProgress,
    steps: BTreeMap<String, (ProgressBar, Step)>,
}

impl Live {
    pub fn new() -> Self {
        Self {
            screen: MultiProgress::new(),
            steps: BTreeMap::new(),
        }
    }

    /// Draws the submission; steps that it gained get lines of their own below the others.
    pub fn show(&mut self, submission: &Submission, now: OffsetDateTime) {
        for step in &submission.steps {
            let (bar, shown) = self.steps.entry(step.id.clone()).or_insert_with(|| {
                let bar = self.screen.add(ProgressBar::new(100).with_style(style()));
                (bar.with_prefix(step.name.clone()), step.clone())
            });
            *shown = step.clone();
            draw(bar, shown, now);
        }
    }

    /// Draws the elapsed times again.
    pub fn tick(&mut self, now: OffsetDateTime) {
        for (bar, step) in self.steps.values() {
            draw(bar, step, now);
        }
    }

    /// Leaves the lines where they are.
    pub fn stop(self) {
        for (bar, _) in self.steps.values() {
            bar.abandon();
        }
    }
}

/// Names are shortened where the terminal is too narrow for the longest of them, bar and state.
fn style() -> ProgressStyle {
    let wide = comfy_table::Table::new()
        .width()
        .is_none_or(|columns| columns >= WIDE);
    let template = match wide {
        true => "{prefix:44!} [{bar:20}] {percent:>3}%  {wide_msg}",
        false => "{prefix:28!} [{bar:8}] {percent:>3}%  {wide_msg}",
    };
    let style = ProgressStyle::with_template(template);
    style
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("##·")
}

fn draw(bar: &ProgressBar, step: &Step, now: OffsetDateTime) {
    bar.set_position(percent(step).into());
    let (state, elapsed) = (state(step), elapsed(step, now));
    let message = if elapsed.is_empty() {
        state
    } else {
        format!("{state}  {elapsed}")
    };
    bar.set_message(match trouble(step) {
        Some(trouble) => format!("{message}  {trouble}"),
        None => message,
    });
}

#[cfg(test)]
mod tests {
    use marketplace_proto::publishing::v1::{ExpectedDuration, StepMessage};
    use prost_types::Timestamp;

    use super::*;

    fn step(state: StepState, progress: u32) -> Step {
        Step {
            id: "offer-validation".into(),
            name: "Offer validation".into(),
            state: state.into(),
            progress,
            start_time: Some(Timestamp {
                seconds: 100,
                nanos: 0,
            }),
            expected: Some(ExpectedDuration {
                label: "<30 min".into(),
                ..ExpectedDuration::default()
            }),
            ..Step::default()
        }
    }

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).unwrap()
    }

    #[test]
    fn a_running_step_shows_bar_state_elapsed_and_expected() {
        let wanted = "00:01:52  Offer validation                             [##########··········]  50%  in progress  0:12 of <30 min";
        assert_eq!(line(&step(StepState::InProgress, 50), at(112)), wanted);
    }

    #[test]
    fn an_ended_step_shows_what_it_took_and_what_it_said() {
        let ended = Step {
            end_time: Some(Timestamp {
                seconds: 165,
                nanos: 0,
            }),
            warnings: true,
            messages: vec![StepMessage {
                level: MessageLevel::Warning.into(),
                text: "2 issues".into(),
                time: None,
            }],
            ..step(StepState::Complete, 0)
        };
        let wanted = "00:03:20  Offer validation                             [####################] 100%  complete with warnings  1:05\n          2 issues";
        assert_eq!(line(&ended, at(200)), wanted);
    }

    #[test]
    fn a_late_step_says_so() {
        let late = Step {
            late: true,
            ..step(StepState::WaitingForApproval, 0)
        };
        assert_eq!(
            state(&late),
            "waiting for approval (taking longer than expected)"
        );
        assert_eq!(
            elapsed(
                &Step {
                    start_time: None,
                    ..late
                },
                at(5)
            ),
            "<30 min"
        );
    }

    #[test]
    fn only_changes_are_printed() {
        let mut lines = Lines::default();
        let mut submission = Submission {
            steps: vec![step(StepState::NotStarted, 0)],
            ..Submission::default()
        };
        assert!(lines.changed(&submission, at(100)).is_empty());
        submission.steps[0] = step(StepState::InProgress, 10);
        assert_eq!(lines.changed(&submission, at(101)).len(), 1);
        assert!(lines.changed(&submission, at(102)).is_empty());
        submission.steps[0] = step(StepState::Complete, 10);
        assert_eq!(lines.changed(&submission, at(103)).len(), 1);
    }

    #[test]
    fn bars_are_never_longer_than_they_should_be() {
        for (percent, full) in [(0, 0), (1, 1), (50, 10), (99, 20), (100, 20), (250, 20)] {
            assert_eq!(bar(percent).matches('#').count(), full, "{percent}");
        }
    }
}
