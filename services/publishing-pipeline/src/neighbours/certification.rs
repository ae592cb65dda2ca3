//! What we ask of certification, for dry runs: its checks over a snapshot, without an order.

use certification::certification_service_client::CertificationServiceClient;
use certification::check_snapshot_response::Part;
use certification::{CaseState, CheckExtent, CheckMode, CheckOutcome, Severity};
use marketplace_proto::certification::v1 as certification;
use marketplace_runtime::neighbour::NeighbourChannel;
use std::time::Duration;
use tonic::{Request, Status};

use crate::domain::{CheckLeftOut, Finding, NotRun, Verdict};
use crate::wire;

/// The longest that one look may take: it may wait for its turn, and for images.
const LONGEST: Duration = Duration::from_secs(60);

/// Certification. Cheap to clone.
#[derive(Clone)]
pub struct Certification(CertificationServiceClient<NeighbourChannel>);

/// Which checks of which snapshot.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    pub snapshot: &'a str,
    /// Certification's checks; otherwise those of Offer validation.
    pub certify: bool,
    pub document_only: bool,
    pub offer_type: &'a str,
    pub transactable: bool,
    pub notes: &'a str,
}

/// What the checks say.
#[derive(Debug, Clone)]
pub struct Seen {
    pub findings: Vec<Finding>,
    pub errors: u32,
    pub warnings: u32,
    pub left_out: Vec<CheckLeftOut>,
    pub by_hand: Vec<ByHand>,
    pub verdict: Verdict,
}

/// A check that a person carries out.
#[derive(Debug, Clone)]
pub struct ByHand {
    pub check: String,
    pub title: String,
    pub reason: String,
}

impl Certification {
    pub fn new(channel: &NeighbourChannel) -> Self {
        Self(CertificationServiceClient::new(channel.clone()))
    }

    /// Runs the checks; nothing is kept of them there.
    pub async fn check_snapshot(&self, look: Look<'_>) -> Result<Seen, Status> {
        let extent = if look.certify {
            CheckExtent::Certification
        } else {
            CheckExtent::Validation
        };
        let mut request = Request::new(certification::CheckSnapshotRequest {
            snapshot: look.snapshot.to_owned(),
            extent: extent.into(),
            document_only: look.document_only,
            offer_type: look.offer_type.to_owned(),
            transactable: look.transactable,
            notes: look.notes.to_owned(),
        });
        request.set_timeout(LONGEST);
        let mut parts = self.0.clone().check_snapshot(request).await?.into_inner();
        let mut seen = Seen {
            findings: Vec::new(),
            errors: 0,
            warnings: 0,
            left_out: Vec::new(),
            by_hand: Vec::new(),
            verdict: Verdict::Waits,
        };
        let mut verdict = None;
        while let Some(answer) = parts.message().await? {
            match answer.part {
                Some(Part::Result(result)) => seen.take(result),
                Some(Part::LeftOut(check)) => seen.left_out.push(CheckLeftOut {
                    check: check.check,
                    title: check.title,
                    reason: NotRun::Depth,
                    message: format!("It looks at {}: only FULL does.", check.needs),
                }),
                Some(Part::Verdict(told)) => verdict = Some(told.state()),
                None => {}
            }
        }
        seen.verdict = match verdict {
            Some(CaseState::Passed) => Verdict::Passed,
            Some(CaseState::Failed) => Verdict::Failed,
            Some(CaseState::AwaitingReview) => Verdict::Waits,
            _ => return Err(Status::data_loss("certification told no verdict")),
        };
        Ok(seen)
    }
}

impl Seen {
    fn take(&mut self, result: certification::CheckResult) {
        if result.mode() == CheckMode::Manual && result.outcome() == CheckOutcome::Pending {
            self.by_hand.push(ByHand {
                check: result.check,
                title: result.title,
                reason: result.instructions,
            });
            return;
        }
        for finding in result.findings {
            match finding.severity() {
                Severity::Error => self.errors += 1,
                Severity::Warning => self.warnings += 1,
                Severity::Info | Severity::Unspecified => {}
            }
            self.findings.push(wire::finding(finding));
        }
    }
}
