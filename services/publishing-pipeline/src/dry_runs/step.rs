//! One step of a dry run: what a submission's would come to. The checks are certification's own, the rest is carried out by
//! what carries out the steps of submissions.

use std::sync::Arc;

use marketplace_runtime::status;
use tonic::Code;
use tracing::Span;

use super::{DryRuns, Seat, Stuck};
use crate::domain::{
    Answer, Depth, DryOutcome, DryRun, HumanStep, Profile, StepId, Trouble, Verdict,
};
use crate::neighbours::{Look, Seen};
use crate::steps::Run;

/// Said of what the catalogue or certification finds changed (PB-1).
const CHANGED: &str = "what was looked at has changed since";

impl DryRuns {
    /// One try of the step at `place`. Whatever it does may be done again.
    pub(super) async fn step(
        &self,
        run: &DryRun,
        place: usize,
        seat: &mut Seat,
    ) -> Result<DryOutcome, Stuck> {
        let draft = run.record.draft.as_ref();
        let profile = draft.and_then(|draft| draft.profile.as_ref());
        let (Some(step), Some(profile)) = (run.record.steps.get(place), profile) else {
            return Err(Stuck::Hopeless("it has no such step".to_owned()));
        };
        match step.id {
            StepId::OfferValidation | StepId::Certification => {
                self.check(run, step.id, profile).await
            }
            id => self.execute(run, id, profile, seat).await,
        }
    }

    /// The checks of Offer validation (S-3) or of certification (S-4).
    async fn check(
        &self,
        run: &DryRun,
        step: StepId,
        profile: &Profile,
    ) -> Result<DryOutcome, Stuck> {
        let look = Look {
            snapshot: &profile.snapshot,
            certify: step == StepId::Certification,
            document_only: run.depth == Depth::Rules,
            offer_type: &profile.offer_type,
            transactable: profile.transactable,
            notes: &run.notes,
        };
        let seen = match self.certification.check_snapshot(look).await {
            Ok(seen) => seen,
            Err(error) => {
                tracing::warn!(%error, "certification failed a dry run");
                let changed = status::reason(&error) == "DIGEST_MISMATCH";
                return Err(match error.code() {
                    _ if changed => Stuck::Hopeless(CHANGED.to_owned()),
                    Code::NotFound => Stuck::Hopeless("the offer is gone".to_owned()),
                    _ => Stuck::Platform("certification is not available".to_owned()),
                });
            }
        };
        Ok(checked(step, seen))
    }

    /// What this service carries out itself. An endpoint is at fault when it fails as often as in a submission.
    async fn execute(
        &self,
        run: &DryRun,
        step: StepId,
        profile: &Profile,
        seat: &mut Seat,
    ) -> Result<DryOutcome, Stuck> {
        let work = Run {
            offer_uid: run.offer_uid,
            submission: run.id,
            snapshot: profile.snapshot.clone(),
            chain: Arc::from([(step, 1)]),
            span: Span::current(),
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let (why, wait) = match self.executor.execute(step, &work).await {
                Answer::Done(message) => {
                    return Ok(DryOutcome {
                        message,
                        ..DryOutcome::default()
                    });
                }
                Answer::Trouble(Trouble::Publisher(why)) => return Ok(rejected(why)),
                Answer::Trouble(Trouble::Endpoint { why, wait }) => (why, wait),
                Answer::Trouble(Trouble::Platform(why)) => return Err(Stuck::Platform(why)),
                Answer::Trouble(Trouble::Mismatch(_)) => {
                    return Err(Stuck::Hopeless(CHANGED.to_owned()));
                }
                _ => return Err(Stuck::Hopeless(format!("{} is not ours", step.as_str()))),
            };
            if tries >= self.tempo.endpoint_tries {
                return Ok(rejected(why));
            }
            let pause = self.tempo.endpoint_after(tries, wait);
            seat.leave_for(pause).await;
        }
    }
}

fn rejected(why: String) -> DryOutcome {
    DryOutcome {
        rejected: true,
        message: why,
        ..DryOutcome::default()
    }
}

/// Offer validation never stops a preview; certification does what a case would.
fn checked(step: StepId, seen: Seen) -> DryOutcome {
    let certify = step == StepId::Certification;
    let by_hand = seen.by_hand.len();
    let mut humans: Vec<HumanStep> = seen
        .by_hand
        .into_iter()
        .map(|check| HumanStep {
            step,
            check: check.check,
            title: check.title,
            reason: check.reason,
        })
        .collect();
    let errors = seen.errors;
    let message = match seen.verdict {
        _ if !certify => format!("{errors} issues could fail certification"),
        Verdict::Failed => format!("{errors} errors fail certification"),
        Verdict::Passed => "certification passes at once".to_owned(),
        Verdict::Waits if errors > 0 => {
            humans.push(HumanStep {
                step,
                check: String::new(),
                title: step.title().to_owned(),
                reason: format!("A reviewer decides about {errors} errors of automatic checks."),
            });
            format!("{errors} errors wait for a reviewer")
        }
        Verdict::Waits => {
            format!("no automatic check fails it; a reviewer carries out {by_hand} manual checks")
        }
    };
    DryOutcome {
        rejected: certify && seen.verdict == Verdict::Failed,
        message,
        errors,
        warnings: seen.warnings,
        findings: seen.findings,
        checks_left_out: seen.left_out,
        humans,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::ByHand;

    fn seen(verdict: Verdict, errors: u32) -> Seen {
        Seen {
            findings: Vec::new(),
            errors,
            warnings: 1,
            left_out: Vec::new(),
            by_hand: vec![ByHand {
                check: "CV-1-M".into(),
                title: "A look".into(),
                reason: "Needs an eye.".into(),
            }],
            verdict,
        }
    }

    #[test]
    fn certification_is_rejected_where_a_case_would_fail_and_validation_never() {
        let of = |step, verdict, errors| checked(step, seen(verdict, errors));
        assert!(of(StepId::Certification, Verdict::Failed, 2).rejected);
        assert!(!of(StepId::OfferValidation, Verdict::Failed, 2).rejected);
        let waits = of(StepId::Certification, Verdict::Waits, 0);
        assert!(!waits.rejected && waits.message.ends_with("1 manual checks"));
        assert_eq!(waits.humans.len(), 1);
        let overridable = of(StepId::Certification, Verdict::Waits, 2);
        assert!(!overridable.rejected);
        assert_eq!(overridable.humans.len(), 2, "a reviewer may override");
        assert!(!of(StepId::Certification, Verdict::Passed, 0).rejected);
    }
}
