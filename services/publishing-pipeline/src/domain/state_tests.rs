//! Every (state, move) pair against tables written from the rules (T01 … T41, PL-5), not from the code.

use std::collections::HashSet;

use super::*;

const SUBMISSION_MOVES: [SubmissionMove; 12] = {
    use SubmissionMove as M;
    [
        M::Start,
        M::ReachSignOff,
        M::SignOff,
        M::Activate,
        M::Fail,
        M::Retry,
        M::AwaitAgain,
        M::RequestCancel,
        M::FinishCancel,
        M::Supersede,
        M::GiveWay,
        M::Withdraw,
    ]
};

/// From, move, to, and the transition (T01 … T41) that says so.
const SUBMISSION: [(&str, &str, &str, &str); 17] = [
    ("Queued", "Start", "PreviewLeg", "T05"),
    ("Queued", "RequestCancel", "CancelingPreview", "T11"),
    ("Queued", "Supersede", "Superseded", "T38"),
    ("PreviewLeg", "ReachSignOff", "AwaitingSignOff", "T10"),
    ("PreviewLeg", "Fail", "Failed", "T08, T09"),
    ("PreviewLeg", "RequestCancel", "CancelingPreview", "T11"),
    ("PreviewLeg", "Supersede", "Superseded", "T38"),
    ("CancelingPreview", "FinishCancel", "Canceled", "T12"),
    ("AwaitingSignOff", "SignOff", "LiveLeg", "T16"),
    (
        "AwaitingSignOff",
        "GiveWay",
        "Superseded",
        "T10 of a newer one",
    ),
    ("AwaitingSignOff", "Withdraw", "Withdrawn", "T36"),
    ("LiveLeg", "Activate", "Live", "T22"),
    ("LiveLeg", "Fail", "Failed", "T20, T21"),
    ("LiveLeg", "RequestCancel", "CancelingLive", "T18"),
    ("CancelingLive", "FinishCancel", "AwaitingSignOff", "T19"),
    ("Failed", "Retry", "LiveLeg", "T24"),
    ("Failed", "AwaitAgain", "AwaitingSignOff", "T37"),
];

#[test]
fn every_submission_state_and_move_is_as_domain_md_says() {
    for state in SubmissionState::ALL {
        for wanted in SUBMISSION_MOVES {
            let (from, by) = (format!("{state:?}"), format!("{wanted:?}"));
            let expected = SUBMISSION
                .iter()
                .find(|row| row.0 == from && row.1 == by)
                .map(|row| row.2.to_owned());
            let after = state.after(wanted).ok().map(|state| format!("{state:?}"));
            assert_eq!(after, expected, "{from} {by}");
        }
    }
}

#[test]
fn every_step_state_has_the_moves_it_should_have() {
    use StepState as S;
    let ends = [S::Complete, S::Rejected, S::Canceled];
    for state in S::ALL {
        let to: HashSet<S> = state.moves().iter().map(|(_, to)| *to).collect();
        let expected: HashSet<S> = match state {
            S::NotStarted => HashSet::from([S::InProgress, S::WaitingForPublisherReview]),
            S::InProgress => ends
                .into_iter()
                .chain([S::WaitingForApproval, S::Blocked])
                .collect(),
            S::WaitingForApproval => ends
                .into_iter()
                .chain([S::InProgress, S::Blocked])
                .collect(),
            S::Blocked => ends.into_iter().chain([S::InProgress]).collect(),
            S::WaitingForPublisherReview => HashSet::from([S::Complete, S::Canceled]),
            // A live leg that is walked again.
            S::Complete => HashSet::from([S::NotStarted, S::WaitingForPublisherReview]),
            S::Rejected | S::Canceled => HashSet::from([S::NotStarted]),
        };
        assert_eq!(to, expected, "{state:?}");
    }
}

#[test]
fn every_state_can_be_reached_and_only_four_are_final() {
    let mut reached = HashSet::from([SubmissionState::Queued]);
    let mut open = vec![SubmissionState::Queued];
    while let Some(state) = open.pop() {
        let new: Vec<SubmissionState> = state
            .moves()
            .iter()
            .map(|(_, to)| *to)
            .filter(|to| reached.insert(*to))
            .collect();
        open.extend(new);
    }
    assert_eq!(reached.len(), SubmissionState::ALL.len());
    let last = SubmissionState::ALL
        .into_iter()
        .filter(|state| state.moves().is_empty());
    use SubmissionState as S;
    assert_eq!(
        last.collect::<Vec<_>>(),
        [S::Live, S::Canceled, S::Superseded, S::Withdrawn]
    );
}

#[test]
fn states_survive_their_text_and_other_texts_are_no_state() {
    for state in SubmissionState::ALL {
        assert_eq!(state.as_str().parse(), Ok(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    for state in StepState::ALL {
        assert_eq!(state.as_str().parse(), Ok(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    assert!("running".parse::<SubmissionState>().is_err());
}

fn line(state: &str, moves: impl Iterator<Item = (String, String)>) -> String {
    let moves: Vec<String> = moves.map(|(by, to)| format!("{by} → {to}")).collect();
    let moves = if moves.is_empty() {
        "final".to_owned()
    } else {
        moves.join(", ")
    };
    format!("| {state} | {moves} |")
}

#[test]
fn the_readme_has_the_tables() {
    let readme = include_str!("../../README.md");
    let submissions = SubmissionState::ALL.into_iter().map(|state| {
        let moves = state
            .moves()
            .iter()
            .map(|(by, to)| (format!("{by:?}"), format!("{to:?}")));
        line(&format!("{state:?}"), moves)
    });
    let steps = StepState::ALL.into_iter().map(|state| {
        let moves = state
            .moves()
            .iter()
            .map(|(by, to)| (format!("{by:?}"), format!("{to:?}")));
        line(&format!("{state:?}"), moves)
    });
    let situations = crate::domain::Situation::ALL.into_iter().map(|situation| {
        let moves: Vec<String> = situation
            .moves()
            .iter()
            .map(|one| format!("{one:?}"))
            .collect();
        format!(
            "| {situation:?} | {} |",
            if moves.is_empty() {
                "none".to_owned()
            } else {
                moves.join(", ")
            }
        )
    });
    let lines: Vec<String> = submissions.chain(steps).chain(situations).collect();
    let missing: Vec<&String> = lines
        .iter()
        .filter(|line| !readme.contains(line.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "README.md lacks:\n{}",
        missing.iter().map(|l| format!("{l}\n")).collect::<String>()
    );
}
