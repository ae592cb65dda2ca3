//! Taking an offer or a plan out of the marketplace, and putting it back (T26, T27, T29, T30, T32, T35).

use time::Duration;
use uuid::Uuid;

use crate::domain::Refusal;
use crate::domain::guard::Move;
use crate::domain::news::{Ending, Fact, Order, OrderKind, STOP_DISTRIBUTION};
use crate::domain::offering::Offering;
use crate::domain::publication::{Deprecation, DeprecationReason, Distribution, PlanState, Stop};
use crate::domain::submission::Actor;
use crate::domain::tempo::Moment;

/// A stop of an offer that is asked for.
#[derive(Debug, Clone, Default)]
pub struct StopOffer {
    pub reason: String,
    pub confirmed: bool,
    pub schedule: Option<Deprecate>,
}

/// How an offer is to leave at a date (UP-7).
#[derive(Debug, Clone, Default)]
pub struct Deprecate {
    /// `None`: as the type has it.
    pub notice: Option<Duration>,
    pub reason: DeprecationReason,
    pub alternative: Option<Alternative>,
}

/// What customers are to use instead.
#[derive(Debug, Clone)]
pub struct Alternative {
    /// Of an offer or a plan.
    pub name: String,
    /// Customers see it, and it stays.
    pub on_sale: bool,
}

impl Offering {
    /// T26: at once; where the type wants it at a date, of which customers are told (UP-7).
    pub fn stop_offer(
        &mut self,
        wanted: StopOffer,
        by: Actor,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        self.guard(Move::StopOffer)?;
        let usual = self.stop_notice();
        let deprecate = check_schedule(wanted.schedule, usual)?;
        if !wanted.confirmed {
            let why = "repeat the id of the offer to take it out of the marketplace".to_owned();
            return Err(Refusal::ConfirmationRequired {
                field: "confirm",
                why,
            });
        }
        let scheduled = usual > Duration::ZERO;
        let effective = moment.at + deprecate.notice.unwrap_or(usual);
        let deprecation = scheduled.then(|| Deprecation {
            requested: moment.at,
            reason: deprecate.reason,
            alternative: deprecate
                .alternative
                .map(|one| one.name)
                .unwrap_or_default(),
        });
        self.unschedule(by.clone(), "", moment.at);
        self.publication.distribution = Distribution::StopPending;
        self.publication.stop = Some(Stop {
            effective,
            scheduled,
            deprecation,
            ordered: None,
            attempt: 1,
            sent: 0,
            due: effective,
        });
        let effective = Some(effective).filter(|_| scheduled);
        self.tell(
            by,
            Fact::OfferStopRequested {
                effective,
                reason: wanted.reason,
            },
            moment.at,
        );
        if !scheduled {
            self.order_removal(moment);
        }
        Ok(())
    }

    /// From a stop of the offer to its effect, as its type has it; zero: at once.
    pub fn stop_notice(&self) -> Duration {
        let live = self.live_submission();
        Duration::days(live.map_or(0, |live| i64::from(live.profile.stop_notice_days)))
    }

    /// Tells the catalogue to remove the offer, or tells it again.
    pub(super) fn order_removal(&mut self, moment: Moment<'_>) {
        let (Some(stop), Some(live)) = (&mut self.publication.stop, self.publication.live) else {
            return;
        };
        stop.ordered.get_or_insert(moment.at);
        stop.sent += 1;
        stop.due = moment.at + moment.tempo.resend_after(stop.sent);
        let order = Order {
            submission: live,
            step: STOP_DISTRIBUTION,
            attempt: stop.attempt,
            kind: OrderKind::Remove,
        };
        self.news.orders.push(order);
    }

    /// T27. False: the answer is to an order that is over.
    pub fn removed(&mut self, submission: Uuid, attempt: u32, moment: Moment<'_>) -> bool {
        let meant = |stop: &&Stop| stop.ordered.is_some() && stop.attempt == attempt;
        let Some(stop) = self.publication.stop.as_ref().filter(meant) else {
            return false;
        };
        if self.publication.live != Some(submission) {
            return false;
        }
        let started = stop.ordered;
        let (step, name) = (STOP_DISTRIBUTION.to_owned(), "Stop distribution".to_owned());
        let ended = Fact::StepEnded {
            step,
            name,
            ending: Ending::Succeeded,
            started,
            plan: String::new(),
        };
        self.tell(Actor::system(), ended, moment.at);
        self.tell(Actor::system(), Fact::OfferStopped, moment.at);
        self.publication.stop = None;
        self.publication.live = None;
        self.publication.distribution = Distribution::Stopped;
        true
    }

    /// T35: takes a stop of the offer back, before its date.
    pub fn resume_offer(&mut self, by: Actor, moment: Moment<'_>) -> Result<(), Refusal> {
        self.guard(Move::ResumeOffer)?;
        if self
            .publication
            .stop
            .as_ref()
            .is_some_and(|stop| stop.effective <= moment.at)
        {
            return Err(Refusal::NotAllowed(
                "STOP_IN_EFFECT",
                "the date of the stop has come".to_owned(),
            ));
        }
        self.publication.stop = None;
        self.publication.distribution = Distribution::Active;
        self.tell(
            by,
            Fact::DistributionResumed {
                plan: String::new(),
                name: String::new(),
            },
            moment.at,
        );
        Ok(())
    }

    /// What stands against a stop of a plan; its name where nothing does.
    pub(in crate::domain) fn check_stop_plan(&self, plan: &str) -> Result<String, Refusal> {
        self.guard(Move::StopPlan)?;
        let missing = || {
            let why = format!("plan {plan} is not on sale");
            self.of_plan(plan, Refusal::NotAllowed("PLAN_NOT_LIVE", why))
        };
        let live = self.live_submission().ok_or_else(missing)?;
        let name = live.profile.plan(plan).ok_or_else(missing)?.name.clone();
        let sold = self.freeze().live_plans;
        if !sold.iter().any(|id| id == plan) {
            let why = format!("plan {plan} is stopped already, or has a stop or a restore pending");
            return Err(Refusal::NotAllowed("PLAN_NOT_LIVE", why));
        }
        if sold.len() < 2 {
            let why = format!(
                "{plan} is the last plan on sale; stop the distribution of the offer instead"
            );
            return Err(Refusal::NotAllowed("LAST_PLAN", why));
        }
        let child = live
            .profile
            .plans
            .iter()
            .find(|p| p.technical_parent == plan && sold.contains(&p.id));
        if let Some(child) = child {
            let why = format!(
                "plan {} reuses the technical configuration of {plan}",
                child.id
            );
            return Err(Refusal::NotAllowed("PARENT_PLAN", why));
        }
        Ok(name)
    }

    /// T29: takes a plan of the live snapshot out with the next publish.
    pub fn stop_plan(
        &mut self,
        plan: &str,
        confirmed: bool,
        by: Actor,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let name = self.check_stop_plan(plan)?;
        if !confirmed {
            let why = "repeat the id of the plan to take it out of the marketplace".to_owned();
            return Err(Refusal::ConfirmationRequired {
                field: "confirm",
                why,
            });
        }
        self.publication
            .set_plan(plan, &name, PlanState::StopPending);
        self.unschedule(by.clone(), "", moment.at);
        self.tell(
            by,
            Fact::PlanStopRequested {
                plan: plan.to_owned(),
                name,
            },
            moment.at,
        );
        Ok(())
    }

    /// T30: takes a stop of a plan back while it is pending.
    pub fn resume_plan(
        &mut self,
        plan: &str,
        by: Actor,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let place = self.check_resume_plan(plan)?;
        let plan = self.publication.plans.remove(place);
        self.unschedule(by.clone(), "", moment.at);
        self.tell(
            by,
            Fact::DistributionResumed {
                plan: plan.id,
                name: plan.name,
            },
            moment.at,
        );
        Ok(())
    }

    /// T32: a stopped plan is to be sold again with the next publish.
    pub fn restore_plan(
        &mut self,
        plan: &str,
        by: Actor,
        moment: Moment<'_>,
    ) -> Result<(), Refusal> {
        let place = self.check_restore_plan(plan)?;
        let plan = &mut self.publication.plans[place];
        plan.state = PlanState::RestorePending;
        let (plan, name) = (plan.id.clone(), plan.name.clone());
        self.unschedule(by.clone(), "", moment.at);
        self.tell(by, Fact::PlanRestoreRequested { plan, name }, moment.at);
        Ok(())
    }

    /// What stands against it; where the plan is listed where nothing does.
    pub(in crate::domain) fn check_resume_plan(&self, plan: &str) -> Result<usize, Refusal> {
        self.plan_in(plan, PlanState::StopPending, Move::ResumePlan)
    }

    pub(in crate::domain) fn check_restore_plan(&self, plan: &str) -> Result<usize, Refusal> {
        self.plan_in(plan, PlanState::NotAvailable, Move::RestorePlan)
    }

    fn plan_in(&self, plan: &str, state: PlanState, wanted: Move) -> Result<usize, Refusal> {
        self.guard(wanted)?;
        let listed = self.publication.plans.iter().position(|one| one.id == plan);
        let place = listed.filter(|&place| self.publication.plans[place].state == state);
        place.ok_or_else(|| {
            let illegal = Refusal::IllegalMove {
                situation: self.situation(),
                wanted,
                allowed: self.allowed(),
            };
            self.of_plan(plan, illegal)
        })
    }

    /// The refusal, where the plan is known to be there.
    fn of_plan(&self, plan: &str, refusal: Refusal) -> Refusal {
        if self.known_plans().contains_key(plan) {
            return refusal;
        }
        Refusal::UnknownPlan {
            plan: plan.to_owned(),
            otherwise: refusal.into(),
        }
    }
}

/// A schedule is for types that leave at a date, and names what customers see and will see.
fn check_schedule(wanted: Option<Deprecate>, usual: Duration) -> Result<Deprecate, Refusal> {
    let Some(wanted) = wanted else {
        return Ok(Deprecate::default());
    };
    if usual.is_zero() {
        let why = "offers of this type leave at once; leave the schedule out".to_owned();
        return Err(Refusal::NotAllowed("NOT_SCHEDULABLE", why));
    }
    match &wanted.alternative {
        Some(gone) if !gone.on_sale => {
            let why = format!(
                "customers don't see {}, or it is about to leave too",
                gone.name
            );
            Err(Refusal::NotAllowed("ALTERNATIVE_NOT_LIVE", why))
        }
        _ => Ok(wanted),
    }
}
