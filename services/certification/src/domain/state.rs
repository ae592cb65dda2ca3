//! The life of a certification case, and nothing else.
//!
//! ```text
//!   Checking ──finish_checks──► AwaitingReview ──claim──► InReview ──approve──► Passed
//!      │                            ▲    └─────────────────┐  │ ├────reject───► Failed
//!      │                            └─release, expire_claim┼──┘ │
//!      ├─pass_checks──► Passed   (nothing for a person to do)    │
//!      ├─fail_checks──► Failed   (an automatic check failed)     │
//!      └─withdraw: from any open state ► Withdrawn ◄─────────────┘
//! ```

use std::fmt;

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Automatic checks run.
    Checking,
    /// A reviewer is wanted.
    AwaitingReview,
    /// A reviewer holds it.
    InReview,
    Passed,
    Failed,
    /// The submission was cancelled, or its snapshot is not what was frozen.
    Withdrawn,
}

/// What can happen to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Move {
    FinishChecks,
    PassChecks,
    FailChecks,
    Claim,
    Release,
    ExpireClaim,
    Approve,
    Reject,
    Withdraw,
}

/// A move that the state doesn't allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{wanted} is not possible in state {from}")]
pub struct IllegalMove {
    pub from: State,
    pub wanted: Move,
}

impl State {
    pub const ALL: [State; 6] = [
        State::Checking,
        State::AwaitingReview,
        State::InReview,
        State::Passed,
        State::Failed,
        State::Withdrawn,
    ];

    /// Every legal move out of this state. An empty list is what "final" means.
    pub const fn moves(self) -> &'static [(Move, State)] {
        match self {
            State::Checking => &[
                (Move::FinishChecks, State::AwaitingReview),
                (Move::PassChecks, State::Passed),
                (Move::FailChecks, State::Failed),
                (Move::Withdraw, State::Withdrawn),
            ],
            State::AwaitingReview => &[
                (Move::Claim, State::InReview),
                (Move::Withdraw, State::Withdrawn),
            ],
            State::InReview => &[
                (Move::Approve, State::Passed),
                (Move::Reject, State::Failed),
                (Move::Release, State::AwaitingReview),
                (Move::ExpireClaim, State::AwaitingReview),
                (Move::Withdraw, State::Withdrawn),
            ],
            State::Passed | State::Failed | State::Withdrawn => &[],
        }
    }

    /// The state after a move.
    pub fn after(self, wanted: Move) -> Result<State, IllegalMove> {
        let next = self.moves().iter().find(|(legal, _)| *legal == wanted);
        next.map(|&(_, state)| state)
            .ok_or(IllegalMove { from: self, wanted })
    }

    /// No move leads out of it.
    pub const fn is_final(self) -> bool {
        self.moves().is_empty()
    }

    /// As it is stored and named in errors.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Checking => "CHECKING",
            State::AwaitingReview => "AWAITING_REVIEW",
            State::InReview => "IN_REVIEW",
            State::Passed => "PASSED",
            State::Failed => "FAILED",
            State::Withdrawn => "WITHDRAWN",
        }
    }

    /// From its stored text; `None` is a corrupt row.
    pub fn parse(text: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Move {
    pub const ALL: [Move; 9] = [
        Move::FinishChecks,
        Move::PassChecks,
        Move::FailChecks,
        Move::Claim,
        Move::Release,
        Move::ExpireClaim,
        Move::Approve,
        Move::Reject,
        Move::Withdraw,
    ];

    /// As the README and errors name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Move::FinishChecks => "FinishChecks",
            Move::PassChecks => "PassChecks",
            Move::FailChecks => "FailChecks",
            Move::Claim => "Claim",
            Move::Release => "Release",
            Move::ExpireClaim => "ExpireClaim",
            Move::Approve => "Approve",
            Move::Reject => "Reject",
            Move::Withdraw => "Withdraw",
        }
    }
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_state_and_move_is_decided() {
        use {Move as M, State as S};
        let legal = |state: S, wanted: M| match (state, wanted) {
            (S::Checking, M::FinishChecks) => Some(S::AwaitingReview),
            (S::Checking, M::PassChecks) => Some(S::Passed),
            (S::Checking, M::FailChecks) => Some(S::Failed),
            (S::AwaitingReview, M::Claim) => Some(S::InReview),
            (S::InReview, M::Release | M::ExpireClaim) => Some(S::AwaitingReview),
            (S::InReview, M::Approve) => Some(S::Passed),
            (S::InReview, M::Reject) => Some(S::Failed),
            (S::Checking | S::AwaitingReview | S::InReview, M::Withdraw) => Some(S::Withdrawn),
            _ => None,
        };
        for state in S::ALL {
            for wanted in M::ALL {
                let expected = legal(state, wanted).ok_or(IllegalMove {
                    from: state,
                    wanted,
                });
                assert_eq!(state.after(wanted), expected, "{state} {wanted}");
            }
        }
    }

    #[test]
    fn every_state_is_reached_from_the_first() {
        let mut reached = vec![State::Checking];
        let mut next = 0;
        while next < reached.len() {
            for &(_, state) in reached[next].moves() {
                if !reached.contains(&state) {
                    reached.push(state);
                }
            }
            next += 1;
        }
        assert_eq!(reached.len(), State::ALL.len());
    }

    #[test]
    fn the_readme_has_the_same_table() {
        let readme = include_str!("../../README.md");
        for state in State::ALL {
            let moves: Vec<String> = state
                .moves()
                .iter()
                .map(|(m, to)| format!("{m} → {to}"))
                .collect();
            let moves = if moves.is_empty() {
                "(final)".to_owned()
            } else {
                moves.join(", ")
            };
            let row = format!("| {state} | {moves} |");
            assert!(readme.contains(&row), "README.md lacks the row {row}");
        }
    }

    #[test]
    fn stored_texts_survive_the_round_trip() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert_eq!(State::parse("checking"), None);
    }
}
