//! What may be done with an offer and what follows from it, as the marketplace's rules have it (T03 … T41, ST-9), between
//! moments at which nothing runs by itself: whoever is waited for is a publisher or a reviewer. Written from the rules, not
//! from the service.

use std::collections::{BTreeMap, BTreeSet};

use marketplace_proto::notification::v1::NotificationCode as N;
use marketplace_proto::offercatalog::v1::OfferStatus;
use marketplace_proto::publishing::v1::PlanDistributionState as Plan;

/// The plans of offers that have some.
pub const PLANS: [&str; 2] = ["byol", "second"];
/// A plan that is drafted and never filled in.
pub const HALF_MADE: &str = "later";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Listed only, without plans; certified in the live leg.
    Saas,
    /// Sold, with two plans; certified in the preview leg.
    Container,
}

/// What somebody tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    SavePage,
    CreatePlan,
    DeletePlan,
    DeleteOffer,
    Publish,
    Supersede,
    CancelPublish,
    CancelLiveLeg,
    Approve,
    Reject,
    GoLive,
    /// While what is kept of the offer isn't what was signed off (PB-1); it is mended afterwards.
    GoLiveAmiss,
    Schedule,
    /// For a moment from now, and it is waited for.
    ScheduleSoon,
    CancelSchedule,
    Discard,
    Withdraw,
    StopOffer,
    ResumeOffer,
    StopPlan(&'static str),
    ResumePlan(&'static str),
    RestorePlan(&'static str),
}

impl Act {
    pub fn all(kind: Kind) -> Vec<Self> {
        let mut acts = vec![
            Self::SavePage,
            Self::DeleteOffer,
            Self::Publish,
            Self::Supersede,
            Self::CancelPublish,
            Self::CancelLiveLeg,
            Self::Approve,
            Self::Reject,
            Self::GoLive,
            Self::GoLiveAmiss,
            Self::Schedule,
            Self::ScheduleSoon,
            Self::CancelSchedule,
            Self::Discard,
            Self::Withdraw,
            Self::StopOffer,
            Self::ResumeOffer,
        ];
        if kind == Kind::Container {
            acts.extend([Self::CreatePlan, Self::DeletePlan]);
            acts.extend(PLANS.map(Self::StopPlan));
            acts.extend(PLANS.map(Self::ResumePlan));
            acts.extend(PLANS.map(Self::RestorePlan));
            acts.extend([Self::StopPlan(HALF_MADE), Self::ResumePlan(HALF_MADE)]);
        }
        acts
    }
}

/// Where a submission waits, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A reviewer has its case, in the leg that its type is certified in.
    InReview,
    AwaitingSignOff,
    Live,
    Failed,
    /// The platform failed in its live leg: it may go live again (T24).
    Amiss,
    Canceled,
    Superseded,
    Withdrawn,
}

#[derive(Debug, Clone)]
pub struct Submission {
    pub stage: Stage,
    /// Stops and restores of plans as it was frozen with them.
    frozen: BTreeMap<&'static str, Plan>,
    signed_off: bool,
}

/// Rows of the history (a step's with its colour) and notifications that follow from one act.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub history: Vec<String>,
    pub notices: Vec<N>,
}

impl Told {
    pub fn row(mut self, label: impl Into<String>) -> Self {
        self.history.push(label.into());
        self
    }

    fn notice(mut self, code: N) -> Self {
        self.notices.push(code);
        self
    }
}

#[derive(Debug, Clone)]
pub struct Offer {
    pub kind: Kind,
    pub deleted: bool,
    pub half_made: bool,
    pub submissions: Vec<Submission>,
    pub live: Option<usize>,
    stopped: bool,
    /// The newest attempt, where it failed and was neither superseded nor discarded.
    pub failed: Option<usize>,
    pub scheduled: bool,
    /// Those that aren't simply live with their offer.
    pub plans: BTreeMap<&'static str, Plan>,
}

impl Offer {
    /// A complete draft, as it was just made.
    pub fn drafted(kind: Kind) -> (Self, Told) {
        let offer = Self {
            kind,
            deleted: false,
            half_made: false,
            submissions: Vec::new(),
            live: None,
            stopped: false,
            failed: None,
            scheduled: false,
            plans: BTreeMap::new(),
        };
        (offer, Told::default().row("Created offer"))
    }

    fn at(&self, stage: Stage) -> Option<usize> {
        self.submissions.iter().rposition(|one| one.stage == stage)
    }

    pub fn in_flight(&self) -> Option<usize> {
        self.at(Stage::InReview)
    }

    pub fn awaiting(&self) -> Option<usize> {
        self.at(Stage::AwaitingSignOff)
    }

    /// ST-9, top down.
    pub fn status(&self) -> OfferStatus {
        if self.in_flight().is_some() {
            OfferStatus::PublishInProgress
        } else if self.failed.is_some() {
            OfferStatus::AttentionNeeded
        } else if self.stopped && self.awaiting().is_none() {
            OfferStatus::NotAvailable
        } else if self.awaiting().is_some() {
            OfferStatus::Preview
        } else if self.plans.values().any(|plan| *plan == Plan::StopPending) {
            OfferStatus::PendingStopDistribution
        } else if self.live.is_some() {
            OfferStatus::Live
        } else {
            OfferStatus::Draft
        }
    }

    fn amiss(&self) -> Option<usize> {
        self.failed
            .filter(|failed| self.submissions[*failed].stage == Stage::Amiss)
    }

    /// What may be asked for as the offer stands, as refusals name it.
    pub fn moves(&self) -> BTreeSet<&'static str> {
        match self.in_flight().map(|_| self.kind) {
            Some(Kind::Container) => return BTreeSet::from(["CANCEL_PUBLISH", "SUPERSEDE"]),
            Some(Kind::Saas) => return BTreeSet::from(["CANCEL_LIVE_LEG"]),
            None => {}
        }
        let preview = self.status() == OfferStatus::Preview;
        let any = |state| self.plans.values().any(|plan| *plan == state);
        let moves = [
            ("PUBLISH", true),
            ("GO_LIVE", preview || self.amiss().is_some()),
            ("CANCEL_SCHEDULED_GO_LIVE", self.scheduled),
            ("STOP_DISTRIBUTION", self.live.is_some()),
            ("STOP_PLAN_DISTRIBUTION", self.live.is_some()),
            ("RESUME_PLAN_DISTRIBUTION", any(Plan::StopPending)),
            ("RESTORE_PLAN", any(Plan::NotAvailable)),
            ("DISCARD_FAILURE", self.failed.is_some()),
            ("WITHDRAW_PREVIEW", preview),
        ];
        let possible = moves.into_iter().filter(|(_, possible)| *possible);
        possible.map(|(name, _)| name).collect()
    }

    /// The submission that an act names; `None`: there is none that it could name.
    pub fn named(&self, act: Act) -> Option<usize> {
        let meant = match act {
            Act::Approve | Act::Reject => return self.in_flight(),
            Act::GoLive | Act::GoLiveAmiss => self.amiss().or(self.awaiting()),
            Act::Schedule | Act::ScheduleSoon | Act::CancelSchedule | Act::Withdraw => {
                self.awaiting()
            }
            Act::Discard => self.failed,
            _ => self.in_flight(),
        };
        meant.or(self.submissions.len().checked_sub(1))
    }

    /// What follows; `None`: it is refused and changes nothing.
    pub fn after(&self, act: Act) -> Option<(Self, Told)> {
        let mut next = self.clone();
        let told = next.go(act)?;
        Some((next, told))
    }

    fn go(&mut self, act: Act) -> Option<Told> {
        let told = Told::default();
        let runs = self.in_flight();
        match act {
            // T02, HI-4, UP-1.
            Act::SavePage => Some(told),
            // T03.
            Act::CreatePlan => {
                (!std::mem::replace(&mut self.half_made, true)).then(|| told.row(made(HALF_MADE)))
            }
            // T04: it was never frozen.
            Act::DeletePlan => {
                std::mem::take(&mut self.half_made).then(|| told.row("Deleted plan"))
            }
            // T34.
            Act::DeleteOffer => {
                self.deleted = true;
                self.submissions.is_empty().then_some(told)
            }
            Act::Publish => runs.is_none().then(|| self.publish(told)).flatten(),
            // T38 where T11 is allowed; without a submission in flight it is a publish.
            Act::Supersede => match runs {
                Some(_) if self.kind == Kind::Saas || self.half_made => None,
                Some(running) => {
                    self.submissions[running].stage = Stage::Superseded;
                    let told = told.row("Initiated submit to preview cancellation");
                    let told = told.row("Certification grey");
                    self.publish(told.row("Canceled submission to preview"))
                }
                None => self.publish(told),
            },
            // T11, T12; T17: not in the live leg.
            Act::CancelPublish => {
                let running = runs.filter(|_| self.kind == Kind::Container)?;
                self.submissions[running].stage = Stage::Canceled;
                let told = told.row("Initiated submit to preview cancellation");
                let told = told.row("Certification grey");
                let told = told.row("Canceled submission to preview");
                Some(told.notice(N::PublishCanceled))
            }
            // T18, T19.
            Act::CancelLiveLeg => {
                let running = runs.filter(|_| self.kind == Kind::Saas)?;
                self.submissions[running].stage = Stage::AwaitingSignOff;
                let told = told.row("Initiated publish to marketplace cancellation");
                let told = told.row("Certification grey");
                let told = told.row("Canceled publishing to the commercial marketplace");
                Some(told.notice(N::PublishCanceled))
            }
            Act::Approve => {
                let told = told.row("Certification green");
                match self.kind {
                    Kind::Container => Some(self.prepare(runs?, told)),
                    Kind::Saas => Some(self.activate(runs?, told)),
                }
            }
            // T09, T21.
            Act::Reject => {
                self.submissions[runs?].stage = Stage::Failed;
                self.failed = runs;
                Some(told.row("Certification red").notice(N::CertificationFailed))
            }
            // T16, T24.
            Act::GoLive => {
                let signed = self.amiss().or_else(|| self.previewed())?;
                self.go_live(signed, told)
            }
            // T20 by the platform's fault.
            Act::GoLiveAmiss => {
                let signed = self.amiss().or_else(|| self.previewed())?;
                self.fail_live_leg(signed, told)
            }
            // T40: as if the scheduler had come back for it.
            Act::ScheduleSoon => {
                let signed = self.previewed()?;
                self.go_live(signed, told)
            }
            // T39.
            Act::Schedule => {
                let signed = self.previewed()?;
                self.scheduled = self.as_frozen(signed);
                self.scheduled.then_some(told)
            }
            // T41.
            Act::CancelSchedule => std::mem::take(&mut self.scheduled).then_some(told),
            // T37.
            Act::Discard => {
                let again = self.amiss();
                self.failed.take()?;
                if let Some(amiss) = again {
                    self.submissions[amiss].stage = Stage::AwaitingSignOff;
                }
                Some(told)
            }
            // T36.
            Act::Withdraw => {
                let withdrawn = self.previewed()?;
                self.submissions[withdrawn].stage = Stage::Withdrawn;
                self.scheduled = false;
                Some(told.row("Publisher sign-off grey").notice(N::StepFailed))
            }
            // T26, T27, UP-6.
            Act::StopOffer => {
                self.live.filter(|_| runs.is_none())?;
                (self.live, self.stopped, self.scheduled) = (None, true, false);
                let told = told
                    .row("Stop distribution offer")
                    .row("Stop distribution green");
                let told = told.notice(N::StopRequested);
                Some(told.notice(N::OfferNotAvailable))
            }
            // T35: these types leave at once.
            Act::ResumeOffer => None,
            // T29, UP-5.
            Act::StopPlan(plan) => {
                self.live.filter(|_| runs.is_none())?;
                let sold = |plan: &&str| *plan != HALF_MADE && !self.plans.contains_key(*plan);
                let others = PLANS.iter().filter(|one| **one != plan && sold(one));
                (sold(&plan) && others.count() > 0).then_some(())?;
                self.plans.insert(plan, Plan::StopPending);
                self.scheduled = false;
                let row = format!("Initiated plan Stop distribution: {}", title(plan));
                Some(told.row(row).notice(N::StopRequested))
            }
            // T30.
            Act::ResumePlan(plan) => {
                self.is(plan, Plan::StopPending)?;
                self.plans.remove(plan);
                self.scheduled = false;
                let told = told.row(format!("Resume distribution: {}", title(plan)));
                Some(told.notice(N::AudienceSyncedOrResumed))
            }
            // T32.
            Act::RestorePlan(plan) => {
                self.is(plan, Plan::NotAvailable)?;
                self.plans.insert(plan, Plan::RestorePending);
                self.scheduled = false;
                Some(told.row(format!("Resume distribution: {}", title(plan))))
            }
        }
    }

    /// The plan is so, and nothing is in flight.
    fn is(&self, plan: &str, state: Plan) -> Option<()> {
        let so = self.plans.get(plan) == Some(&state) && self.in_flight().is_none();
        so.then_some(())
    }

    /// T05, T15, T23, T25, T28.
    fn publish(&mut self, told: Told) -> Option<Told> {
        if self.half_made {
            return None;
        }
        self.failed = None;
        self.scheduled = false;
        self.submissions.push(Submission {
            stage: Stage::InReview,
            frozen: self.plans.clone(),
            signed_off: false,
        });
        let told = told
            .row("Submitted offer to preview")
            .notice(N::PublishSubmitted);
        Some(match self.kind {
            Kind::Container => told.row("Offer purchase flow setup green"),
            Kind::Saas => {
                let told = told.row("Offer validation green");
                self.prepare(self.submissions.len() - 1, told)
            }
        })
    }

    /// T10: an older preview gives way.
    fn prepare(&mut self, submission: usize, told: Told) -> Told {
        let mut told = told.row("Preview creation green").notice(N::PreviewReady);
        if let Some(older) = self.awaiting() {
            self.submissions[older].stage = Stage::Superseded;
            told = told.row("Publisher sign-off grey");
        }
        self.submissions[submission].stage = Stage::AwaitingSignOff;
        told
    }

    /// What awaits sign-off, where nothing goes before it.
    fn previewed(&self) -> Option<usize> {
        self.awaiting()
            .filter(|_| self.status() == OfferStatus::Preview)
    }

    /// The guard of T16.
    fn as_frozen(&self, submission: usize) -> bool {
        self.submissions[submission].frozen == self.plans
    }

    /// Up to where a reviewer or nobody is waited for.
    fn go_live(&mut self, signed: usize, told: Told) -> Option<Told> {
        let told = self.sign_off(signed, told)?;
        Some(match self.kind {
            Kind::Saas => {
                self.submissions[signed].stage = Stage::InReview;
                told
            }
            Kind::Container => self.activate(signed, told.row("Offer purchase flow setup green")),
        })
    }

    fn fail_live_leg(&mut self, signed: usize, told: Told) -> Option<Told> {
        let told = self.sign_off(signed, told)?;
        self.submissions[signed].stage = Stage::Amiss;
        self.failed = Some(signed);
        // The first step of the live leg that reads what was signed off.
        let step = match self.kind {
            Kind::Saas => "Certification red",
            Kind::Container => "Offer purchase flow setup red",
        };
        Some(told.row(step).notice(N::StepFailed))
    }

    fn sign_off(&mut self, signed: usize, told: Told) -> Option<Told> {
        self.as_frozen(signed).then_some(())?;
        (self.scheduled, self.failed) = (false, None);
        let mut told = told.row("Sign-off to go live").notice(N::GoLiveAccepted);
        if !std::mem::replace(&mut self.submissions[signed].signed_off, true) {
            told = told.row("Publisher sign-off green");
        }
        Some(told)
    }

    /// T22, T31, T32; E-8: it is the submission that was previewed.
    fn activate(&mut self, submission: usize, told: Told) -> Told {
        let mut told = told.row("Final publish green").notice(N::OfferLive);
        self.submissions[submission].stage = Stage::Live;
        self.live = Some(submission);
        self.stopped = false;
        for (plan, state) in self.submissions[submission].frozen.clone() {
            match state {
                Plan::StopPending => {
                    self.plans.insert(plan, Plan::NotAvailable);
                    let row = format!("Stop distribution: {} green", title(plan));
                    told = told.row(row).notice(N::PlanStopped);
                }
                Plan::RestorePending => drop(self.plans.remove(plan)),
                _ => {}
            }
        }
        told
    }
}

/// A plan's name.
pub fn title(plan: &str) -> &str {
    if plan == PLANS[0] {
        "Bring your own licence"
    } else {
        plan
    }
}

/// H02.
pub fn made(plan: &str) -> String {
    format!("Created plan: {}", title(plan))
}
