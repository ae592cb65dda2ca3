//! Plans as the Plan overview shows them (E-6, PN-15): where each stands, and which of its moves are possible.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::offering::Offering;
use super::publication::PlanState;
use super::refusal::Refusal;

/// Where a plan is in its life. One that is deleted is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifecycle {
    Draft,
    /// In the preview that is served by link, and not on sale.
    Preview,
    Live,
    StopPending,
    NotAvailable,
}

/// What somebody may want to do with a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanMove {
    /// The catalogue's (T04).
    DeleteDraft,
    Stop,
    Resume,
    Restore,
    /// The catalogue's (T33).
    SyncPrivateAudience,
}

/// What the catalogue knows of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DraftedPlan {
    pub id: String,
    pub name: String,
    pub deletable: bool,
    /// The live listing has it as a private plan.
    pub live_private: bool,
    /// It was on sale when the offer went live last.
    pub was_live: bool,
}

/// The plans of a draft.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drafted {
    pub plans: Vec<DraftedPlan>,
    /// Plans of this type may be private.
    pub private_plans: bool,
}

/// A row of the Plan overview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRow {
    pub id: String,
    pub name: String,
    pub lifecycle: Lifecycle,
    /// Every move that plans of this type have; `Err` says why it is not possible now.
    pub moves: Vec<(PlanMove, Result<(), String>)>,
}

impl Lifecycle {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "a draft",
            Self::Preview => "in preview",
            Self::Live => "live",
            Self::StopPending => "waiting for its stop",
            Self::NotAvailable => "not available",
        }
    }
}

impl Offering {
    /// Every plan, by id. `None`: the catalogue is away, and what only it knows is left out.
    pub fn plan_rows(&self, drafted: Option<&Drafted>) -> Vec<PlanRow> {
        let mut names = self.known_plans();
        let plans = drafted.map_or(&[][..], |drafted| &drafted.plans);
        names.extend(plans.iter().map(|plan| (plan.id.as_str(), &plan.name)));
        let private = drafted.is_some_and(|drafted| drafted.private_plans);
        let row = |(id, name): (&str, &String)| {
            let plan = plans.iter().find(|plan| plan.id == id);
            let lifecycle = self.lifecycle(id, plan.is_some_and(|plan| plan.was_live));
            let all = [
                PlanMove::DeleteDraft,
                PlanMove::Stop,
                PlanMove::Resume,
                PlanMove::Restore,
                PlanMove::SyncPrivateAudience,
            ];
            // AS-119: where no plan is ever private there is nothing to sync.
            let moves = all
                .into_iter()
                .filter(|wanted| *wanted != PlanMove::SyncPrivateAudience || private)
                .map(|wanted| (wanted, self.check_plan(wanted, id, lifecycle, plan)));
            PlanRow {
                id: id.to_owned(),
                name: name.clone(),
                lifecycle,
                moves: moves.collect(),
            }
        };
        names.into_iter().map(row).collect()
    }

    /// Plans that the publication knows without the catalogue.
    pub(super) fn known_plans(&self) -> BTreeMap<&str, &String> {
        let row = &self.publication;
        let served = [row.live, row.preview].into_iter().flatten();
        let served = served.filter_map(|id| self.submission(id));
        let served = served.flat_map(|submission| &submission.profile.plans);
        let listed = row.plans.iter().map(|plan| (plan.id.as_str(), &plan.name));
        let served = served.map(|plan| (plan.id.as_str(), &plan.name));
        listed.chain(served).collect()
    }

    /// E-6. What is on sale goes before what is in preview, as with the status of an offer.
    fn lifecycle(&self, plan: &str, was_live: bool) -> Lifecycle {
        let sold = |id: Option<Uuid>| {
            let submission = id.and_then(|id| self.submission(id));
            let found = submission.and_then(|submission| submission.profile.plan(plan));
            found.is_some_and(|plan| !plan.stopped)
        };
        match self.publication.plan(plan) {
            Some(PlanState::StopPending) => Lifecycle::StopPending,
            None if sold(self.publication.live) => Lifecycle::Live,
            _ if sold(self.publication.preview) => Lifecycle::Preview,
            Some(PlanState::NotAvailable | PlanState::RestorePending) => Lifecycle::NotAvailable,
            None if was_live => Lifecycle::NotAvailable,
            None => Lifecycle::Draft,
        }
    }

    fn check_plan(
        &self,
        wanted: PlanMove,
        id: &str,
        lifecycle: Lifecycle,
        drafted: Option<&DraftedPlan>,
    ) -> Result<(), String> {
        use Lifecycle as L;
        let words = |refusal: Refusal| refusal.to_string();
        match (wanted, lifecycle) {
            (PlanMove::DeleteDraft, L::Draft | L::Preview) => match drafted {
                Some(plan) if plan.deletable => Ok(()),
                Some(_) => Err("an open submission has it, or a preview had it".to_owned()),
                None => Err("the catalog is away".to_owned()),
            },
            (PlanMove::Stop, L::Live) => self.check_stop_plan(id).map(drop).map_err(words),
            (PlanMove::Resume, L::StopPending) => {
                self.check_resume_plan(id).map(drop).map_err(words)
            }
            (PlanMove::Restore, _)
                if self.publication.plan(id) == Some(PlanState::RestorePending) =>
            {
                Err("asked for already: it is on sale once a publish with it is live".to_owned())
            }
            (PlanMove::Restore, L::NotAvailable) if self.publication.plan(id).is_none() => {
                Err("it comes back with the offer: publish it again".to_owned())
            }
            (PlanMove::Restore, L::NotAvailable | L::Preview)
                if self.publication.plan(id).is_some() =>
            {
                self.check_restore_plan(id).map(drop).map_err(words)
            }
            (PlanMove::SyncPrivateAudience, _) => match drafted {
                Some(plan) if plan.live_private => Ok(()),
                _ => Err("it is no private plan that customers see".to_owned()),
            },
            _ => Err(format!(
                "not possible while the plan is {}",
                lifecycle.as_str()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::{Stage, stop, user};
    use crate::domain::{Leg, Status};

    fn drafted(plans: &[&str]) -> Drafted {
        let plan = |id: &&str| DraftedPlan {
            id: (*id).to_owned(),
            name: format!("Draft of {id}"),
            deletable: true,
            ..DraftedPlan::default()
        };
        Drafted {
            plans: plans.iter().map(plan).collect(),
            private_plans: false,
        }
    }

    fn row(stage: &Stage, drafted: Option<&Drafted>, id: &str) -> PlanRow {
        let mut rows = stage.offering.plan_rows(drafted).into_iter();
        rows.find(|row| row.id == id).unwrap()
    }

    /// The moves that are possible.
    fn possible(row: &PlanRow) -> Vec<PlanMove> {
        let possible = row.moves.iter().filter(|(_, refused)| refused.is_ok());
        possible.map(|(wanted, _)| *wanted).collect()
    }

    /// PN-15, plan after plan: each lifecycle has its moves, and each move leads to the next.
    #[test]
    fn pn_15_e_6_a_plan_has_the_moves_of_its_lifecycle() {
        use Lifecycle as L;
        let mut stage = Stage::new(Leg::Live);
        let mut plans = drafted(&["gold", "silver", "later"]);
        let expect = |stage: &Stage, plans: &Drafted, wanted: L, moves: &[PlanMove]| {
            let gold = row(stage, Some(plans), "gold");
            assert_eq!((gold.lifecycle, possible(&gold)), (wanted, moves.to_vec()));
        };
        expect(&stage, &plans, L::Draft, &[PlanMove::DeleteDraft]);
        let id = stage.publish();
        plans.plans[0].deletable = false;
        expect(&stage, &plans, L::Draft, &[]);
        stage.walk(id, None);
        expect(&stage, &plans, L::Preview, &[]);
        stage.sign_off(id);
        stage.walk(id, None);
        plans.plans[0].was_live = true;
        expect(&stage, &plans, L::Live, &[PlanMove::Stop]);
        let later = row(&stage, Some(&plans), "later");
        assert_eq!(
            (later.lifecycle, possible(&later)),
            (L::Draft, vec![PlanMove::DeleteDraft])
        );

        stage
            .make(|o, m| o.stop_plan("gold", true, user(), m))
            .unwrap();
        expect(&stage, &plans, L::StopPending, &[PlanMove::Resume]);
        let silver = row(&stage, Some(&plans), "silver");
        assert_eq!((silver.lifecycle, possible(&silver)), (L::Live, vec![]));
        let last = silver
            .moves
            .iter()
            .find(|(wanted, _)| *wanted == PlanMove::Stop);
        assert!(
            matches!(last, Some((_, Err(why))) if why.contains("last plan")),
            "{last:?}"
        );

        stage.live();
        expect(&stage, &plans, L::NotAvailable, &[PlanMove::Restore]);
        stage
            .make(|o, m| o.restore_plan("gold", user(), m))
            .unwrap();
        expect(&stage, &plans, L::NotAvailable, &[]);
        let id = stage.preview();
        stage.sign_off(id);
        stage.walk(id, None);
        expect(&stage, &plans, L::Live, &[PlanMove::Stop]);
    }

    /// UP-8: what went with its offer is not available, and comes back with it.
    #[test]
    fn up_8_plans_of_a_stopped_offer_are_not_available() {
        let mut stage = Stage::new(Leg::Live);
        let live = stage.live();
        stage.make(|o, m| o.stop_offer(stop(), user(), m)).unwrap();
        stage.make(|o, m| Ok(o.removed(live, 1, m))).unwrap();
        assert_eq!(stage.offering.status(), Status::NotAvailable);
        let mut plans = drafted(&["gold"]);
        plans.plans[0].was_live = true;
        plans.plans[0].deletable = false;
        let gold = row(&stage, Some(&plans), "gold");
        assert_eq!(gold.lifecycle, Lifecycle::NotAvailable);
        assert_eq!(possible(&gold), []);
    }

    /// SY-2, AS-119.
    #[test]
    fn sy_2_only_types_with_private_plans_have_a_sync_and_only_live_private_plans_can_use_it() {
        let stage = Stage::new(Leg::Live);
        let mut plans = drafted(&["gold"]);
        let has = |plans: &Drafted| {
            let gold = row(&stage, Some(plans), "gold");
            let mut moves = gold.moves.into_iter();
            moves.find(|(wanted, _)| *wanted == PlanMove::SyncPrivateAudience)
        };
        assert_eq!(has(&plans), None, "AS-119");
        plans.private_plans = true;
        assert!(matches!(has(&plans), Some((_, Err(_)))));
        plans.plans[0].live_private = true;
        assert_eq!(has(&plans), Some((PlanMove::SyncPrivateAudience, Ok(()))));
    }

    #[test]
    fn what_the_publication_knows_is_shown_while_the_catalog_is_away() {
        let mut stage = Stage::new(Leg::Live);
        assert_eq!(stage.offering.plan_rows(None), []);
        stage.live();
        let gold = row(&stage, None, "gold");
        assert_eq!(
            (gold.name.as_str(), gold.lifecycle),
            ("GOLD", Lifecycle::Live)
        );
        assert_eq!(possible(&gold), [PlanMove::Stop]);
        let there = row(&stage, Some(&drafted(&["gold"])), "gold");
        assert_eq!(there.name, "Draft of gold", "the name of now");
    }
}
