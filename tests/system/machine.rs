//! Walks at random through everything that can be done with an offer, refused or not, and holds the services to what the
//! rules say follows: status, submissions, plans, history and notifications. Every submission is watched on its way.

mod acting;
mod rules;
mod watching;

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt};
use marketplace_proto::notification::v1::{ActionItem, ListActionItemsRequest, NotificationCode};
use marketplace_proto::offercatalog::v1::{GrantOperatorRequest, OfferStatus, page::Page as Kind};
use marketplace_proto::publishing::v1::*;
use system_tests::{Clients, Marketplace, drafts, until};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use rules::{Act, HALF_MADE, Offer, PLANS, Told};
use watching::Watching;

/// How many acts are one sequence, and how many sequences one offer goes through.
const ACTS: usize = 5;
const SEQUENCES_OF_AN_OFFER: usize = 5;
/// Offers that are walked at a time; no publisher has more uploads at once than it may.
const AT_A_TIME: usize = 16;
const PUBLISHERS: [&str; 4] = ["contoso", "fabrikam", "litware", "tailspin"];

/// SM-1, T03 … T41: every (state, act) pair leads where the rules say, or is refused and changes nothing.
#[tokio::test]
async fn random_walks_agree_with_the_rules() -> anyhow::Result<()> {
    let long = std::env::var_os("LONG").is_some();
    let sequences = if long { 10_000 } else { 500 };
    let market = Marketplace::twice().await?;
    let mut ada = market.person("ada");
    for publisher in PUBLISHERS {
        market.publisher(publisher).await?;
        let grant = GrantOperatorRequest {
            parent: format!("publishers/{publisher}"),
            reason: "They help us to publish.".into(),
            ..Default::default()
        };
        ada.publishers.grant_operator(grant).await?;
    }
    let walks = futures::stream::iter(0..sequences / SEQUENCES_OF_AN_OFFER)
        .map(|number| Box::pin(walk(&market, number)))
        .buffer_unordered(AT_A_TIME)
        .try_collect::<Vec<_>>()
        .await?;
    market.everybody_told().await?;
    let mut transitions = 0;
    for walk in &walks {
        walk.as_told().await?;
        transitions += walk.watched;
    }
    let wanted = 10 * sequences as u64;
    assert!(
        transitions >= wanted,
        "only {transitions} transitions were watched"
    );
    market.stop().await
}

async fn walk(market: &Marketplace, number: usize) -> anyhow::Result<Walk<'_>> {
    let mut walk = Box::pin(Walk::start(market, number)).await?;
    for _ in 0..ACTS * SEQUENCES_OF_AN_OFFER {
        if walk.model.deleted {
            break;
        }
        let act = walk.choose();
        let before = walk.model.clone();
        Box::pin(walk.step(act))
            .await
            .with_context(|| format!("walk {number}: {act:?} of {before:?}"))?;
    }
    for watching in std::mem::take(&mut walk.watching) {
        walk.watched += watching.end().await?;
    }
    Ok(walk)
}

struct Walk<'a> {
    market: &'a Marketplace,
    offer: String,
    /// Names of its submissions, as the model numbers them.
    submissions: Vec<String>,
    model: Offer,
    told: Vec<Told>,
    revision: u64,
    /// One of its pages, to be saved again.
    page: Kind,
    /// A watcher of each submission, and once they have ended how many transitions they saw.
    watching: Vec<Watching>,
    watched: u64,
    random: fastrand::Rng,
    ada: Clients,
    oscar: Clients,
}

impl<'a> Walk<'a> {
    async fn start(market: &'a Marketplace, number: usize) -> anyhow::Result<Self> {
        // The same walks in every run: one that fails can be walked again.
        let random = fastrand::Rng::with_seed(number as u64);
        let (kind, draft) = if number.is_multiple_of(2) {
            let draft = drafts::with_plans(drafts::container(), [PLANS[1]]);
            (rules::Kind::Container, draft)
        } else {
            (rules::Kind::Saas, drafts::saas_free_trial())
        };
        let (model, mut told) = Offer::drafted(kind);
        if kind == rules::Kind::Container {
            told = PLANS
                .into_iter()
                .fold(told, |told, plan| told.row(rules::made(plan)));
        }
        let publisher = PUBLISHERS[number % PUBLISHERS.len()];
        let id = format!("walk-{number}");
        let page = draft.pages[1].clone();
        Ok(Self {
            market,
            offer: market.draft(publisher, &id, draft).await?,
            submissions: Vec::new(),
            model,
            told: vec![told],
            revision: 0,
            page,
            watching: Vec::new(),
            watched: 0,
            random,
            ada: market.person("ada"),
            oscar: market.staff("oscar", "operator"),
        })
    }

    /// What the rules allow more often than what they refuse; never what can't even be asked.
    fn choose(&mut self) -> Act {
        let acts = Act::all(self.model.kind).into_iter();
        let asked = acts.filter(|&act| self.model.named(act).is_some() || !names_submission(act));
        let (allowed, refused): (Vec<_>, Vec<_>) =
            asked.partition(|&act| self.model.after(act).is_some());
        let from = if self.random.u8(0..4) > 0 || refused.is_empty() {
            allowed
        } else {
            refused
        };
        // An offer that is deleted at once says little.
        let dull = |act: &Act| matches!(act, Act::DeleteOffer | Act::SavePage);
        let from: Vec<_> = from
            .into_iter()
            .filter(|act| !dull(act) || self.random.u8(0..4) == 0)
            .collect();
        self.random.choice(from).unwrap_or(Act::SavePage)
    }

    async fn step(&mut self, act: Act) -> anyhow::Result<()> {
        let foreseen = self.model.after(act);
        let said = Box::pin(self.act(act)).await?;
        match (foreseen, said) {
            (Some((next, told)), Ok(())) => {
                let asked = next
                    .awaiting()
                    .filter(|_| next.awaiting() != self.model.awaiting());
                self.model = next;
                self.told.push(told);
                if self.model.deleted {
                    return Ok(());
                }
                self.rest().await?;
                // Who goes on before the request to review is there is never asked; nobody is asked again.
                let again = matches!(act, Act::CancelLiveLeg | Act::Discard);
                match asked.filter(|_| !again) {
                    Some(awaiting) => self.asked_to_review(awaiting).await,
                    None => Ok(()),
                }
            }
            (None, Err(status)) => {
                self.refused(act, &status)?;
                let now = self.publication().await?;
                ensure!(
                    now.revision == self.revision,
                    "refused ({status}), but {now:?}"
                );
                Ok(())
            }
            (foreseen, said) => anyhow::bail!(
                "the rules {} it, the service said {said:?}",
                if foreseen.is_some() {
                    "allow"
                } else {
                    "refuse"
                }
            ),
        }
    }

    /// Every refusal has its code; one of a move that isn't possible here says which are.
    fn refused(&self, act: Act, status: &Status) -> anyhow::Result<()> {
        let code = match act {
            Act::CreatePlan => Code::AlreadyExists,
            Act::DeletePlan => Code::NotFound,
            Act::StopPlan(HALF_MADE) if self.misses("STOP_PLAN_DISTRIBUTION") => Code::NotFound,
            Act::ResumePlan(HALF_MADE) if self.misses("RESUME_PLAN_DISTRIBUTION") => Code::NotFound,
            _ => Code::FailedPrecondition,
        };
        ensure!(status.code() == code, "refused with {status}");
        let info = status.get_details_error_info().context("no ErrorInfo")?;
        let Some(allowed) = info.metadata.get("allowed") else {
            ensure!(info.reason != "ILLEGAL_MOVE" || info.metadata.contains_key("state"));
            return Ok(());
        };
        let told: BTreeSet<_> = allowed.split(", ").collect();
        let moves = self.model.moves();
        ensure!(told == moves, "allowed are {moves:?}, said {status}");
        Ok(())
    }

    /// The move is possible for plans here, and the half made one isn't there.
    fn misses(&self, wanted: &str) -> bool {
        !self.model.half_made && self.model.moves().contains(wanted)
    }

    async fn publication(&mut self) -> anyhow::Result<Publication> {
        let get = GetPublicationRequest {
            offer: self.offer.clone(),
        };
        let answer = self.ada.publishing.get_publication(get).await?;
        answer.into_inner().publication.context("no publication")
    }

    /// Waits until nothing runs by itself any more, and everything is as the model has it.
    async fn rest(&mut self) -> anyhow::Result<()> {
        let wanted = self.foreseen();
        let mut seen = None;
        let agreed = until("publication and model agree", async || {
            let now = self.publication().await?;
            self.revision = now.revision;
            let stands = standing(&now);
            let agreed = stands == wanted;
            seen = Some(stands);
            Ok(agreed.then_some(()))
        });
        agreed
            .await
            .with_context(|| format!("wanted {wanted:?}, got {seen:?}"))?;
        let Some(running) = self.model.in_flight() else {
            return Ok(());
        };
        let name = self.submissions[running].clone();
        until("a reviewer is waited for", async || {
            let get = GetSubmissionRequest { name: name.clone() };
            let answer = self.ada.publishing.get_submission(get).await?.into_inner();
            let mut steps = answer
                .submission
                .context("no submission")?
                .steps
                .into_iter();
            let waits = steps.any(|step| step.state() == StepState::WaitingForApproval);
            Ok(waits.then_some(()))
        })
        .await?;
        self.revision = self.publication().await?.revision;
        Ok(())
    }

    fn foreseen(&self) -> Standing {
        let name = |place: Option<usize>| place.map_or("", |place| &self.submissions[place]);
        let plans = self.model.plans.iter();
        Standing {
            status: self.model.status(),
            in_flight: name(self.model.in_flight()).to_owned(),
            awaiting: name(self.model.awaiting()).to_owned(),
            live: name(self.model.live).to_owned(),
            latest: self.submissions.last().cloned().unwrap_or_default(),
            attention: self.model.failed.is_some(),
            scheduled: self.model.scheduled,
            plans: plans
                .map(|(plan, state)| ((*plan).to_owned(), *state))
                .collect(),
        }
    }

    async fn asked_to_review(&mut self, submission: usize) -> anyhow::Result<()> {
        let submission = self.submissions[submission].clone();
        let list = ListActionItemsRequest {
            page_size: 1_000,
            offer: self.offer.clone(),
            ..Default::default()
        };
        let asks = |item: &ActionItem| {
            item.submission == submission && item.code() == NotificationCode::PreviewReady
        };
        until("ada is asked to review the preview", async || {
            let items = self
                .ada
                .action_center
                .list_action_items(list.clone())
                .await?;
            Ok(items.into_inner().items.iter().any(asks).then_some(()))
        })
        .await
    }

    /// History and notifications are those of the model: rows of one act in any order, acts in theirs.
    async fn as_told(&self) -> anyhow::Result<()> {
        if self.model.deleted {
            return Ok(());
        }
        let events = self.market.events(&self.offer).await?;
        let rows = events.into_iter().map(|event| {
            let row = format!("{} {}", event.label, event.colour);
            row.trim_end().to_owned()
        });
        let mut rows: Vec<_> = rows.collect();
        let mut wanted = Vec::new();
        for told in &self.told {
            let (from, to) = (wanted.len(), wanted.len() + told.history.len());
            wanted.extend(told.history.iter().cloned());
            wanted[from..].sort();
            if let Some(rows) = rows.get_mut(from..to) {
                rows.sort();
            }
        }
        ensure!(
            rows == wanted,
            "history of {}: {rows:#?}, wanted {wanted:#?}",
            self.offer
        );
        let list = ListActionItemsRequest {
            page_size: 1_000,
            offer: self.offer.clone(),
            include_archived: true,
            ..Default::default()
        };
        let items = self
            .market
            .person("ada")
            .action_center
            .list_action_items(list)
            .await?;
        let mut codes: Vec<_> = items
            .into_inner()
            .items
            .iter()
            .map(ActionItem::code)
            .collect();
        let mut wanted: Vec<_> = self
            .told
            .iter()
            .flat_map(|told| told.notices.clone())
            .collect();
        codes.sort();
        wanted.sort();
        ensure!(
            codes == wanted,
            "items of {}: {codes:?}, wanted {wanted:?}",
            self.offer
        );
        Ok(())
    }
}

/// Acts that can't be asked for while there is no submission to name.
fn names_submission(act: Act) -> bool {
    use Act as A;
    matches!(
        act,
        A::CancelPublish
            | A::CancelLiveLeg
            | A::Approve
            | A::Reject
            | A::GoLive
            | A::GoLiveAmiss
            | A::Schedule
            | A::ScheduleSoon
            | A::CancelSchedule
            | A::Discard
            | A::Withdraw
    )
}

/// A publication, as far as the rules foresee it.
#[derive(Debug, PartialEq, Eq)]
struct Standing {
    status: OfferStatus,
    in_flight: String,
    awaiting: String,
    live: String,
    latest: String,
    attention: bool,
    scheduled: bool,
    plans: Vec<(String, PlanDistributionState)>,
}

fn standing(now: &Publication) -> Standing {
    let plans = now.plans.iter();
    let mut plans: Vec<_> = plans
        .map(|plan| (plan.plan_id.clone(), plan.state()))
        .collect();
    plans.sort();
    Standing {
        status: now.status(),
        in_flight: now.in_flight.clone(),
        awaiting: now.awaiting_sign_off.clone(),
        live: now.live_submission.clone(),
        latest: now.latest_submission.clone(),
        attention: now.attention,
        scheduled: now.scheduled_go_live.is_some(),
        plans,
    }
}
