//! What reviewers do with a case: claim, release, decide, approve, reject (CE-4).

use time::{Duration, OffsetDateTime};

use super::{
    Blocks, Case, CheckResult, Decision, Ended, Finding, IllegalMove, Level, Mode, Move, NotYet,
    Outcome, Severity, State, shortened,
};

/// How long a claim lasts; every write of its reviewer renews it.
const CLAIM: Duration = Duration::minutes(30);
/// The id under which a rejection's own findings are kept.
const REVIEW: &str = "REVIEW";

/// What a reviewer says of one check.
#[derive(Debug, Clone, PartialEq)]
pub struct Ruling {
    pub check: String,
    pub outcome: Outcome,
    pub note: String,
    pub findings: Vec<Finding>,
}

impl Case {
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
        by_reviewer: true,
    }
}
