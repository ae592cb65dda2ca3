//! Offerings for tests, brought where a test wants them by the moves themselves.

use marketplace_runtime::telemetry::Trace;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::Refusal;
use super::moves::{Answer, Publish, StopOffer};
use super::news::{Fact, News, Order};
use super::offering::Offering;
use super::profile::{Plan, Profile};
use super::state::StepState;
use super::step::{Executor, Leg, StepId};
use super::submission::{Actor, ActorKind, Submission};
use super::tempo::{Moment, Tempo};

pub const DIGEST: &str = "d1";

/// A transactable offer with leads, certified in `leg`; validated like SaaS where that is the live one.
pub fn profile(leg: Leg) -> Profile {
    let plan = |id: &str| Plan {
        id: id.to_owned(),
        name: id.to_uppercase(),
        ..Plan::default()
    };
    Profile {
        snapshot: format!("publishers/p/offers/o/snapshots/{DIGEST}"),
        digest: DIGEST.to_owned(),
        offer_type: "softwareAsAService".to_owned(),
        title: "Title".to_owned(),
        transactable: true,
        lead_destination: "https_endpoint".to_owned(),
        plans: vec![plan("gold"), plan("silver")],
        certification_leg: leg,
        extra_steps: if leg == Leg::Live {
            vec!["offer-validation".to_owned()]
        } else {
            Vec::new()
        },
        requires_notes: true,
        changed: true,
        stop_notice_days: 0,
        pages_changed: vec![1],
        help_links: Vec::new(),
        restores: Vec::new(),
    }
}

pub fn user() -> Actor {
    Actor {
        kind: ActorKind::User,
        principal: "issuer|ada".to_owned(),
    }
}

/// A stop of the offer that is meant.
pub fn stop() -> StopOffer {
    StopOffer {
        reason: "old".to_owned(),
        confirmed: true,
        schedule: None,
    }
}

pub fn operator() -> Actor {
    Actor {
        kind: ActorKind::Operator,
        principal: "issuer|otto".to_owned(),
    }
}

/// An offering, a clock and a process.
pub struct Stage {
    pub offering: Offering,
    pub tempo: Tempo,
    pub at: OffsetDateTime,
    pub profile: Profile,
    next: u128,
}

impl Stage {
    pub fn new(leg: Leg) -> Self {
        let at = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        let offering = Offering::unpublished(Uuid::from_u128(1), "p", "o", at);
        Self {
            offering,
            tempo: Tempo::default(),
            at,
            profile: profile(leg),
            next: 100,
        }
    }

    pub const RUNNER: Uuid = Uuid::from_u128(9);

    /// A move; the news of it alone are in `offering.news()` afterwards.
    pub fn make<T>(
        &mut self,
        act: impl FnOnce(&mut Offering, Moment<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.at += Duration::milliseconds(10);
        let moment = Moment {
            at: self.at,
            runner: Self::RUNNER,
            tempo: &self.tempo,
        };
        self.offering.news = News::default();
        let made = act(&mut self.offering, moment)?;
        self.offering.seal(self.at);
        Ok(made)
    }

    pub fn wait(&mut self, time: Duration) {
        self.at += time;
    }

    pub fn command(&mut self) -> Publish {
        self.next += 1;
        Publish {
            id: Uuid::from_u128(self.next),
            profile: self.profile_now(),
            freeze: self.offering.freeze(),
            notes: "how to test".to_owned(),
            confirm: false,
            supersede: false,
            by: user(),
            trace: Trace::default(),
        }
    }

    /// The profile as a freeze of now answers it.
    fn profile_now(&self) -> Profile {
        let mut profile = self.profile.clone();
        let stops = self.offering.freeze().stops;
        profile
            .plans
            .iter_mut()
            .for_each(|plan| plan.stopped = stops.contains(&plan.id));
        profile
    }

    pub fn publish(&mut self) -> Uuid {
        let command = self.command();
        let id = command.id;
        self.make(|offering, moment| offering.publish(command, moment))
            .unwrap();
        id
    }

    pub fn submission(&self, id: Uuid) -> &Submission {
        self.offering.submission(id).unwrap()
    }

    pub fn step(&self, id: Uuid, step: StepId) -> &super::Step {
        let submission = self.submission(id);
        &submission.steps[submission.place(step).unwrap()]
    }

    /// The step that runs, and its attempt.
    pub fn active(&self, id: Uuid) -> (StepId, u32) {
        let step = self.submission(id).active_step().unwrap();
        (step.id, step.attempt)
    }

    pub fn answer(&mut self, id: Uuid, answer: Answer) -> bool {
        let (step, attempt) = self.active(id);
        self.make(|offering, moment| offering.answer(id, step, attempt, answer, moment))
            .unwrap()
    }

    /// What the step that runs is answered when all is well.
    pub fn good(step: StepId) -> Answer {
        match step {
            StepId::OfferValidation => Answer::Validated {
                warnings: 0,
                report: String::new(),
            },
            StepId::Certification => Answer::Certified {
                digest: DIGEST.to_owned(),
                with_notes: false,
            },
            StepId::PreviewCreation => Answer::Prepared {
                digest: DIGEST.to_owned(),
            },
            StepId::FinalPublish => Answer::Activated {
                digest: DIGEST.to_owned(),
            },
            _ => Answer::Done(String::new()),
        }
    }

    /// Answers every step well until `until` runs, or the leg is over.
    pub fn walk(&mut self, id: Uuid, until: Option<StepId>) {
        while let Some(step) = self.submission(id).active_step() {
            if Some(step.id) == until || step.id.executor() == Executor::Publisher {
                return;
            }
            let good = Self::good(step.id);
            assert!(self.answer(id, good));
        }
    }

    pub fn preview(&mut self) -> Uuid {
        let id = self.publish();
        self.walk(id, None);
        id
    }

    pub fn sign_off(&mut self, id: Uuid) {
        self.make(|offering, moment| offering.go_live(id, true, user(), moment))
            .unwrap();
    }

    pub fn live(&mut self) -> Uuid {
        let id = self.preview();
        self.sign_off(id);
        self.walk(id, None);
        id
    }

    pub fn facts(&self) -> Vec<Fact> {
        self.offering
            .news()
            .happened
            .iter()
            .map(|one| one.fact.clone())
            .collect()
    }

    /// Facts by name, steps with their name and ending: a line each.
    pub fn rows(&self) -> Vec<String> {
        self.facts().iter().map(row).collect()
    }

    pub fn orders(&self) -> &[Order] {
        &self.offering.news().orders
    }

    pub fn states(&self, id: Uuid) -> Vec<(&'static str, StepState)> {
        self.submission(id)
            .steps
            .iter()
            .map(|step| (step.id.as_str(), step.state))
            .collect()
    }
}

fn row(fact: &Fact) -> String {
    match fact {
        Fact::StepEnded { name, ending, .. } => format!("{name}: {ending:?}"),
        other => {
            let text = format!("{other:?}");
            text.split([' ', '{']).next().unwrap_or_default().to_owned()
        }
    }
}
