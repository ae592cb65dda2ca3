//! The certification of one submission: the aggregate. One method per move, those of reviewers in review.rs; each
//! returns what happened.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Blocks, CheckResult, IllegalMove, Kind, Level, Move, Order, Outcome, Report, State, Switches,
    offer_type,
};

/// A case and everything that is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub id: Uuid,
    /// What was ordered; of several attempts the first.
    pub order: Order,
    /// Certification's own digest of the snapshot; empty until the checks have run.
    pub digest: String,
    pub application_id: String,
    /// Counts the certifications of the offer, from 1.
    pub number: u32,
    pub state: State,
    pub reviewer: Option<String>,
    pub claim_until: Option<OffsetDateTime>,
    pub review_notes: String,
    pub results: Vec<CheckResult>,
    pub revision: i64,
    pub created_at: OffsetDateTime,
    pub awaiting_since: Option<OffsetDateTime>,
    pub ended_at: Option<OffsetDateTime>,
}

/// What the automatic checks of a case came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    pub digest: String,
    pub application_id: String,
    pub results: Vec<CheckResult>,
}

/// What follows from the automatic checks.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// A reviewer has to look at this many checks.
    Waits(usize),
    Ended(Ended),
}

/// A case that ended with an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    Passed { with_notes: bool },
    Failed(Box<Report>),
}

/// What a reviewer decided: one row of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Empty: the case itself.
    pub check: String,
    pub what: Move,
    pub before: String,
    pub after: String,
    pub note: String,
}

/// Why a reviewer can't do that, or not yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotYet {
    #[error(transparent)]
    Illegal(#[from] IllegalMove),
    #[error("the case is not claimed by you; claim it first")]
    NotClaimed,
    #[error("{} checks are open or failed: {}", .0.len(), .0.join(", "))]
    ChecksOpen(Vec<String>),
    #[error("nothing failed: name a finding, or fail a check first")]
    NothingFailed,
    #[error("the case has no check {0}")]
    UnknownCheck(String),
    #[error("an override needs a note")]
    NoteMissing,
}

impl Case {
    /// The automatic checks have run: the case passes, fails, or waits for a reviewer (CE-3, CE-4).
    pub fn finish_checks(
        &mut self,
        opening: Opening,
        switches: &Switches,
        now: OffsetDateTime,
    ) -> Result<Verdict, IllegalMove> {
        let open = pending(&opening.results);
        let wanted = after_checks(&opening.results, switches);
        self.state = self.state.after(wanted)?;
        self.digest = opening.digest;
        self.application_id = opening.application_id;
        self.results = opening.results;
        Ok(match wanted {
            Move::FailChecks => Verdict::Ended(self.failed(now)),
            Move::PassChecks => Verdict::Ended(self.passed(now)),
            _ => {
                self.awaiting_since = Some(now);
                Verdict::Waits(open)
            }
        })
    }

    /// Checks that nobody has decided yet.
    pub fn open_checks(&self) -> usize {
        pending(&self.results)
    }

    /// The submission was cancelled, or its snapshot isn't what was ordered.
    pub fn withdraw(&mut self, now: OffsetDateTime) -> Result<(), IllegalMove> {
        self.state = self.state.after(Move::Withdraw)?;
        self.close(now);
        Ok(())
    }

    /// Exactly three results, one per level (AS-053).
    pub fn levels(&self) -> [(Level, Outcome); 3] {
        Level::ALL.map(|level| {
            let outcomes = self
                .results
                .iter()
                .filter(|r| r.level == level)
                .map(|r| r.outcome);
            let none_yet = self.results.is_empty().then_some(Outcome::Pending);
            (level, Outcome::of_level(outcomes.chain(none_yet)))
        })
    }

    /// True if this reviewer holds it now.
    pub fn held_by(&self, reviewer: &str, now: OffsetDateTime) -> bool {
        self.state == State::InReview
            && self.reviewer.as_deref() == Some(reviewer)
            && self.claim_until.is_some_and(|until| until > now)
    }

    /// The answer of a case that ended; `None` for one that is open or withdrawn.
    pub fn ended(&self) -> Option<Ended> {
        let at = self.ended_at?;
        match self.state {
            State::Passed => Some(Ended::Passed {
                with_notes: !self.review_notes.is_empty(),
            }),
            State::Failed => Some(Ended::Failed(Box::new(self.report(at)))),
            State::Checking | State::AwaitingReview | State::InReview | State::Withdrawn => None,
        }
    }

    pub(super) fn close(&mut self, now: OffsetDateTime) {
        self.claim_until = None;
        self.ended_at = Some(now);
    }

    pub(super) fn passed(&mut self, now: OffsetDateTime) -> Ended {
        self.close(now);
        Ended::Passed {
            with_notes: !self.review_notes.is_empty(),
        }
    }

    pub(super) fn failed(&mut self, now: OffsetDateTime) -> Ended {
        self.close(now);
        Ended::Failed(Box::new(self.report(now)))
    }

    /// Everything that failed or warned on all levels (CE-2: one report lists it all). It has the case's id: a case
    /// fails once.
    fn report(&self, at: OffsetDateTime) -> Report {
        let reported = |r: &CheckResult| {
            r.reported()
                .map(|f| (r.level, f.clone()))
                .collect::<Vec<_>>()
        };
        Report {
            id: self.id,
            submission: self.order.key.submission.clone(),
            kind: Kind::Failure,
            offer: self.order.offer.clone(),
            attempt: self.number,
            review_notes: self.review_notes.clone(),
            findings: self.results.iter().flat_map(reported).collect(),
            created_at: at,
        }
    }

    pub(super) fn blocks(&self) -> Blocks {
        match offer_type::find(&self.order.offer_type) {
            Some(known) if !known.certified_live => Blocks::Preview,
            _ => Blocks::Live,
        }
    }
}

/// The move of a case whose automatic checks came to this.
pub fn after_checks(results: &[CheckResult], switches: &Switches) -> Move {
    let failed = results.iter().any(|r| r.outcome == Outcome::Fail);
    let to_reviewer = if failed {
        switches.review_failures
    } else {
        pending(results) > 0
    };
    match (to_reviewer, failed) {
        (true, _) => Move::FinishChecks,
        (false, true) => Move::FailChecks,
        (false, false) => Move::PassChecks,
    }
}

fn pending(results: &[CheckResult]) -> usize {
    let pending = |result: &&CheckResult| result.outcome == Outcome::Pending;
    results.iter().filter(pending).count()
}
