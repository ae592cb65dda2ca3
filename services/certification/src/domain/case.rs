//! The certification of one submission: the aggregate. One method per move; each returns what happened.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    Blocks, CheckResult, Finding, IllegalMove, Kind, Level, Mode, Move, Order, Outcome, Report,
    Severity, State, Switches, offer_type, shortened,
};

/// How long a claim lasts; every write of its reviewer renews it.
const CLAIM: Duration = Duration::minutes(30);
/// The id under which a rejection's own findings are kept.
const REVIEW: &str = "REVIEW";

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
        let failed = opening.results.iter().any(|r| r.outcome == Outcome::Fail);
        let open = opening
            .results
            .iter()
            .filter(|r| r.outcome == Outcome::Pending)
            .count();
        let to_reviewer = if failed {
            switches.review_failures
        } else {
            open > 0
        };
        let wanted = match (to_reviewer, failed) {
            (true, _) => Move::FinishChecks,
            (false, true) => Move::FailChecks,
            (false, false) => Move::PassChecks,
        };
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

    /// A reviewer takes it, or renews what is theirs. An expired claim is nobody's.
    pub fn claim(&mut self, reviewer: &str, now: OffsetDateTime) -> Result<(), IllegalMove> {
        if self.held_by(reviewer, now) {
            self.renew(now);
            return Ok(());
        }
        if self.claim_until.is_some_and(|until| until <= now) {
            self.expire_claim()?;
        }
        self.state = self.state.after(Move::Claim)?;
        self.reviewer = Some(reviewer.to_owned());
        self.renew(now);
        Ok(())
    }

    /// The reviewer gives it back to the queue.
    pub fn release(&mut self, reviewer: &str, now: OffsetDateTime) -> Result<(), NotYet> {
        let next = self.state.after(Move::Release)?;
        self.must_hold(reviewer, now)?;
        self.back_to_queue(next);
        Ok(())
    }

    /// The claim's time is over: the case goes back to the queue with what was decided so far.
    pub fn expire_claim(&mut self) -> Result<(), IllegalMove> {
        let next = self.state.after(Move::ExpireClaim)?;
        self.back_to_queue(next);
        Ok(())
    }

    /// Records the outcome of a manual check, or overrides an automatic one (CE-4).
    pub fn decide(
        &mut self,
        reviewer: &str,
        ruling: Ruling,
        now: OffsetDateTime,
    ) -> Result<Decision, NotYet> {
        self.state.after(Move::Approve)?;
        self.must_hold(reviewer, now)?;
        let blocks = self.blocks();
        let position = self.results.iter().position(|r| r.check == ruling.check);
        let result = &mut self.results
            [position.ok_or_else(|| NotYet::UnknownCheck(ruling.check.clone()))?];
        if result.mode == Mode::Automatic && ruling.note.trim().is_empty() {
            return Err(NotYet::NoteMissing);
        }
        let before = result.outcome;
        let mut findings = ruling.findings;
        if ruling.outcome == Outcome::Fail && findings.is_empty() {
            findings.push(from_note(result, &ruling.note));
        }
        for finding in &mut findings {
            finding.blocks = if finding.severity == Severity::Error {
                blocks
            } else {
                Blocks::None
            };
            finding.check.clone_from(&result.check);
            finding.check_version = result.version;
            if finding.policy.is_empty() {
                finding.policy.clone_from(&result.policy);
            }
        }
        result.decide(ruling.outcome, reviewer, &ruling.note, findings, now);
        let (before, after) = (
            before.as_str().to_owned(),
            ruling.outcome.as_str().to_owned(),
        );
        self.renew(now);
        Ok(Decision {
            check: ruling.check,
            what: Move::Approve,
            before,
            after,
            note: ruling.note,
        })
    }

    /// Passes it. Needs every check decided and none failed; `pass_pending` decides those that nobody has yet.
    pub fn approve(
        &mut self,
        reviewer: &str,
        notes: &str,
        pass_pending: bool,
        now: OffsetDateTime,
    ) -> Result<(Ended, Decision), NotYet> {
        let next = self.state.after(Move::Approve)?;
        self.must_hold(reviewer, now)?;
        let stands = |r: &&CheckResult| {
            r.outcome == Outcome::Fail || (r.outcome == Outcome::Pending && !pass_pending)
        };
        let open: Vec<String> = self
            .results
            .iter()
            .filter(stands)
            .map(|r| r.check.clone())
            .collect();
        if !open.is_empty() {
            return Err(NotYet::ChecksOpen(open));
        }
        let mut together = Vec::new();
        for result in self
            .results
            .iter_mut()
            .filter(|r| r.outcome == Outcome::Pending)
        {
            together.push(result.check.clone());
            result.decide(
                Outcome::Pass,
                reviewer,
                "passed together with the approval",
                Vec::new(),
                now,
            );
        }
        let note = if together.is_empty() {
            notes.to_owned()
        } else {
            format!("{notes} [passed: {}]", together.join(", "))
        };
        let decision = self.decision(Move::Approve, next, &note);
        self.state = next;
        notes.clone_into(&mut self.review_notes);
        Ok((self.passed(now), decision))
    }

    /// Fails it, with findings of the reviewer's own or of checks that failed.
    pub fn reject(
        &mut self,
        reviewer: &str,
        notes: &str,
        findings: Vec<Finding>,
        now: OffsetDateTime,
    ) -> Result<(Ended, Decision), NotYet> {
        let next = self.state.after(Move::Reject)?;
        self.must_hold(reviewer, now)?;
        let failed = self.results.iter().any(|r| r.outcome == Outcome::Fail);
        if findings.is_empty() && !failed {
            return Err(NotYet::NothingFailed);
        }
        if !findings.is_empty() {
            self.add_review(reviewer, findings, now);
        }
        let decision = self.decision(Move::Reject, next, notes);
        self.state = next;
        notes.clone_into(&mut self.review_notes);
        Ok((self.failed(now), decision))
    }

    /// The submission was cancelled.
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

    fn must_hold(&self, reviewer: &str, now: OffsetDateTime) -> Result<(), NotYet> {
        if self.held_by(reviewer, now) {
            Ok(())
        } else {
            Err(NotYet::NotClaimed)
        }
    }

    fn renew(&mut self, now: OffsetDateTime) {
        self.claim_until = Some(now + CLAIM);
    }

    fn back_to_queue(&mut self, next: State) {
        self.state = next;
        self.reviewer = None;
        self.claim_until = None;
    }

    fn close(&mut self, now: OffsetDateTime) {
        self.claim_until = None;
        self.ended_at = Some(now);
    }

    fn passed(&mut self, now: OffsetDateTime) -> Ended {
        self.close(now);
        Ended::Passed {
            with_notes: !self.review_notes.is_empty(),
        }
    }

    fn failed(&mut self, now: OffsetDateTime) -> Ended {
        self.close(now);
        Ended::Failed(Box::new(self.report(now)))
    }

    fn decision(&self, what: Move, after: State, note: &str) -> Decision {
        let (before, after) = (self.state.as_str().to_owned(), after.as_str().to_owned());
        Decision {
            check: String::new(),
            what,
            before,
            after,
            note: note.to_owned(),
        }
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

    fn blocks(&self) -> Blocks {
        match offer_type::find(&self.order.offer_type) {
            Some(known) if !known.certified_live => Blocks::Preview,
            _ => Blocks::Live,
        }
    }

    fn add_review(&mut self, reviewer: &str, mut findings: Vec<Finding>, now: OffsetDateTime) {
        let blocks = self.blocks();
        for finding in &mut findings {
            finding.severity = Severity::Error;
            finding.blocks = blocks;
            REVIEW.clone_into(&mut finding.check);
            finding.check_version = 1;
        }
        let mut result = CheckResult {
            check: REVIEW.to_owned(),
            version: 1,
            level: Level::Content,
            mode: Mode::Manual,
            outcome: Outcome::Pending,
            policy: findings[0].policy.clone(),
            title: "Reviewer's findings".to_owned(),
            instructions: String::new(),
            findings: Vec::new(),
            decided_by: None,
            overridden: None,
            note: String::new(),
            decided_at: None,
        };
        result.decide(Outcome::Fail, reviewer, "", findings, now);
        self.results.push(result);
    }
}

/// What a reviewer says of one check.
#[derive(Debug, Clone, PartialEq)]
pub struct Ruling {
    pub check: String,
    pub outcome: Outcome,
    pub note: String,
    pub findings: Vec<Finding>,
}

/// A failed check says why, even where the reviewer gave a note only.
fn from_note(result: &CheckResult, note: &str) -> Finding {
    Finding {
        code: "REVIEWER_FINDING".to_owned(),
        severity: Severity::Error,
        blocks: Blocks::Live,
        policy: result.policy.clone(),
        policy_url: String::new(),
        page: String::new(),
        field_path: String::new(),
        artifact_path: String::new(),
        evidence: shortened(note),
        remedy: format!(
            "Change what the reviewer noted for \"{}\" and publish again.",
            result.title
        ),
        check: result.check.clone(),
        check_version: result.version,
    }
}
