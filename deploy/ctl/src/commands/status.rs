//! `status`: the Offer overview page.

use clap::Args;
use marketplace_proto::publishing::v1::{
    GetOfferOverviewRequest, OfferOverview, OverviewLink, PlanOverview, Submission,
};

use crate::config::{self, Session};
use crate::error::Error;
use crate::output::{Output, steps, table, words};

#[derive(Args)]
pub struct StatusArgs {
    /// The offer.
    pub offer: String,
}

pub async fn run(session: &Session, args: StatusArgs, out: &mut Output) -> Result<(), Error> {
    let offer = session.offer(&args.offer)?;
    let answer = session
        .api
        .call(GetOfferOverviewRequest {
            offer: offer.name(),
        })
        .await?;
    out.answer(&answer, |out, answer| {
        answer
            .overview
            .as_ref()
            .map_or(Ok(()), |overview| print(overview, out))
    })
}

fn print(overview: &OfferOverview, out: &mut Output) -> Result<(), Error> {
    if let Some(publication) = &overview.publication {
        let status = words::label(publication.status().as_str_name(), "OFFER_STATUS_");
        out.say(format!(
            "{}: {status} (revision {})",
            publication.offer, publication.revision
        ))?;
        for plan in &publication.plans {
            let state = words::label(plan.state().as_str_name(), "PLAN_DISTRIBUTION_STATE_");
            out.say(format!("  plan {}: {}", plan.plan_id, state.to_lowercase()))?;
        }
    }
    if let Some(submission) = &overview.submission {
        print_submission(submission, out)?;
    }
    let mut actions = table(["action", "possible", "why"]);
    for action in &overview.actions {
        let name = words::label(action.r#move().as_str_name(), "PUBLICATION_MOVE_");
        let possible = match (action.allowed, action.needs_confirmation) {
            (true, true) => "yes, with confirmation",
            (true, false) => "yes",
            (false, _) => "no",
        };
        actions.add_row([name.as_str(), possible, &action.reason]);
    }
    out.table(&actions)?;
    print_plans(&overview.plans, out)?;
    links("preview", &overview.preview_links, out)?;
    links("live", &overview.live_links, out)?;
    links("report", &overview.reports, out)?;
    links("help", &overview.help_links, out)
}

fn print_plans(plans: &[PlanOverview], out: &mut Output) -> Result<(), Error> {
    if plans.is_empty() {
        return Ok(());
    }
    let mut rows = table(["plan", "name", "is", "possible"]);
    for plan in plans {
        let lifecycle = words::label(plan.lifecycle().as_str_name(), "PLAN_LIFECYCLE_");
        let possible = plan.actions.iter().filter(|action| action.allowed);
        let possible: Vec<String> = possible
            .map(|action| words::label(action.r#move().as_str_name(), "PLAN_MOVE_"))
            .collect();
        rows.add_row([
            &plan.plan_id,
            &plan.plan_name,
            &lifecycle.to_lowercase(),
            &possible.join(", "),
        ]);
    }
    out.table(&rows)
}

fn print_submission(submission: &Submission, out: &mut Output) -> Result<(), Error> {
    let state = words::label(submission.state().as_str_name(), "SUBMISSION_STATE_").to_lowercase();
    let delayed = if submission.delayed { ", delayed" } else { "" };
    let submitted = words::when(submission.create_time.as_ref());
    out.say(format!(
        "submission {}: {state}{delayed}, submitted {submitted} UTC",
        crate::names::id(&submission.name)
    ))?;
    if !submission.failure_reason.is_empty() {
        out.say(format!("  {}", submission.failure_reason))?;
    }
    let now = config::now();
    let mut rows = table(["step", "", "state", "time"]);
    for step in &submission.steps {
        rows.add_row([
            step.name.clone(),
            steps::bar(step.progress),
            steps::state(step),
            steps::elapsed(step, now),
        ]);
    }
    out.table(&rows)
}

fn links(kind: &str, links: &[OverviewLink], out: &mut Output) -> Result<(), Error> {
    links
        .iter()
        .try_for_each(|link| out.say(format!("{kind}: {} — {}", link.title, link.target)))
}

#[cfg(test)]
mod tests {
    use marketplace_proto::publishing::v1::{
        Action, PlanAction, PlanLifecycle, PlanMove, Publication, PublicationMove, Step,
    };

    use super::*;
    use crate::cli::Format;
    use crate::output::capture::lines;

    #[test]
    fn the_overview_shows_status_steps_moves_and_links() {
        let publication = Publication {
            offer: "publishers/contoso/offers/grafana".into(),
            status: 4,
            revision: 7,
            ..Publication::default()
        };
        let step = Step {
            name: "Preview creation".into(),
            state: 7,
            progress: 100,
            ..Step::default()
        };
        let submission = Submission {
            name: "x/submissions/0190".into(),
            create_time: Some(prost_types::Timestamp {
                seconds: 1_767_225_600,
                nanos: 0,
            }),
            state: 3,
            steps: vec![step],
            ..Submission::default()
        };
        let go_live = Action {
            r#move: PublicationMove::GoLive.into(),
            allowed: true,
            reason: "2 warnings".into(),
            needs_confirmation: true,
        };
        let link = OverviewLink {
            title: "AppSource".into(),
            target: "https://p".into(),
        };
        let may = |wanted: PlanMove, allowed| PlanAction {
            r#move: wanted.into(),
            allowed,
            ..PlanAction::default()
        };
        let plan = PlanOverview {
            plan_id: "gold".into(),
            plan_name: "Gold".into(),
            lifecycle: PlanLifecycle::StopPending.into(),
            actions: vec![
                may(PlanMove::DeleteDraft, false),
                may(PlanMove::ResumeDistribution, true),
                may(PlanMove::SyncPrivateAudience, true),
            ],
        };
        let overview = OfferOverview {
            publication: Some(publication),
            submission: Some(submission),
            actions: vec![go_live],
            plans: vec![plan],
            preview_links: vec![link],
            ..OfferOverview::default()
        };
        let wanted = [
            "publishers/contoso/offers/grafana: Preview (revision 7)",
            "submission 0190: awaiting sign off, submitted 2026-01-01 00:00:00 UTC",
            " step                                        state      time",
            "─────────────────────────────────────────────────────────────",
            " Preview creation   [####################]   complete",
            " action    possible                 why",
            "───────────────────────────────────────────────",
            " Go live   yes, with confirmation   2 warnings",
            " plan   name   is             possible",
            "─────────────────────────────────────────────────────────────────────────",
            " gold   Gold   stop pending   Resume distribution, Sync private audience",
            "preview: AppSource — https://p",
        ];
        assert_eq!(lines(Format::Table, |out| print(&overview, out)), wanted);
    }
}
