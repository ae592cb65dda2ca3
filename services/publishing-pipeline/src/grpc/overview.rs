//! GetOfferOverview: what a portal's Offer overview page shows. Its buttons ask the table that the moves ask.

use marketplace_proto::offercatalog::v1::Storefront;
use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::access::Scope;
use marketplace_runtime::clock;
use marketplace_runtime::ids::OfferName;
use uuid::Uuid;

use super::Grpc;
use crate::domain::{Move, Offering, Status, Submission};
use crate::error::Error;
use crate::{store, wire};

impl Grpc {
    /// The offering; of an offer that was never published one at revision 0, once the catalogue says that it exists.
    pub(super) async fn find(&self, scope: &Scope, name: &OfferName) -> Result<Offering, Error> {
        let mut db = self.db.acquire().await?;
        if let Some(offering) = store::find_offer(&mut db, scope, &name.offer).await? {
            return Ok(offering);
        }
        drop(db);
        let look = name.submission(Uuid::nil()).to_string();
        let known = self.catalog.knows(&name.to_string(), &look).await?;
        let offer_uid = known.ok_or_else(|| Error::NotFound {
            kind: "Offer",
            name: name.to_string(),
        })?;
        Ok(Offering::unpublished(
            offer_uid,
            &name.publisher,
            &name.offer,
            clock::now(),
        ))
    }

    pub(super) async fn overview(
        &self,
        scope: &Scope,
        name: &OfferName,
    ) -> Result<pb::OfferOverview, Error> {
        let offering = self.find(scope, name).await?;
        let row = offering.publication();
        let shown = row
            .in_flight
            .or(row.awaiting_sign_off)
            .or(row.latest)
            .and_then(|id| offering.submission(id));
        Ok(pb::OfferOverview {
            publication: Some(wire::publication(&offering)),
            submission: shown.map(|one| wire::submission(row, one, &self.medians(), clock::now())),
            actions: actions(&offering),
            preview_links: self.preview_links(&offering).await,
            reports: shown.map(reports).unwrap_or_default(),
            help_links: shown.map(help).unwrap_or_default(),
            live_links: self.live_links(&offering).await,
        })
    }

    /// PV-7: rendered at sign-off only. The page is of use without them while the catalogue is away.
    async fn preview_links(&self, offering: &Offering) -> Vec<pb::OverviewLink> {
        let row = offering.publication();
        let Some(id) = row
            .awaiting_sign_off
            .filter(|_| offering.status() == Status::Preview)
        else {
            return Vec::new();
        };
        match self
            .catalog
            .preview_links(&row.name(), &row.submission_name(id))
            .await
        {
            Ok(links) => links
                .into_iter()
                .map(|one| link(storefront(one.storefront()), &one.url))
                .collect(),
            Err(error) => {
                tracing::warn!(%error, offer.id = %row.offer_uid, "an overview without preview links");
                Vec::new()
            }
        }
    }
}

impl Grpc {
    /// Where customers meet it (OT-3). A stop may have taken it from them since the row was read.
    async fn live_links(&self, offering: &Offering) -> Vec<pb::OverviewLink> {
        let row = offering.publication();
        if row.live.is_none() {
            return Vec::new();
        }
        let title = |front| match front {
            Storefront::AppSource => "AppSource",
            Storefront::AzureMarketplace => "Azure Marketplace",
            Storefront::Unspecified => "Listing",
        };
        match self.catalog.live_links(&row.name()).await {
            Ok(links) => links
                .into_iter()
                .map(|one| link(title(one.storefront()), &one.url))
                .collect(),
            Err(error) => {
                tracing::warn!(%error, offer.id = %row.offer_uid, "an overview without links of the live offer");
                Vec::new()
            }
        }
    }
}

const fn storefront(storefront: Storefront) -> &'static str {
    match storefront {
        Storefront::AppSource => "AppSource preview",
        Storefront::AzureMarketplace => "Azure Marketplace preview",
        Storefront::Unspecified => "Preview",
    }
}

fn link(title: &str, target: &str) -> pb::OverviewLink {
    pb::OverviewLink {
        title: title.to_owned(),
        target: target.to_owned(),
    }
}

fn reports(submission: &Submission) -> Vec<pb::OverviewLink> {
    let validation = submission
        .validation
        .as_ref()
        .map(|found| found.report.as_str())
        .unwrap_or_default();
    let failure = submission
        .failure
        .as_ref()
        .map(|failure| failure.report.as_str())
        .unwrap_or_default();
    let all = [
        ("View validation report", validation),
        ("View failure report", failure),
    ];
    all.into_iter()
        .filter(|(_, target)| !target.is_empty())
        .map(|(title, target)| link(title, target))
        .collect()
}

fn help(submission: &Submission) -> Vec<pb::OverviewLink> {
    submission
        .profile
        .help_links
        .iter()
        .map(|one| link(&one.title, &one.url))
        .collect()
}

/// A button exists exactly where its move is allowed.
fn actions(offering: &Offering) -> Vec<pb::Action> {
    wire::overview_move()
        .into_iter()
        .map(|(button, moves)| action(offering, button, moves))
        .collect()
}

fn action(offering: &Offering, button: pb::PublicationMove, moves: &[Move]) -> pb::Action {
    let allowed = wire::move_of(offering, moves);
    let (reason, needs_confirmation) = match allowed {
        false => (
            format!("not possible in {}", offering.situation().as_str()),
            false,
        ),
        true => confirmation(offering, button),
    };
    pb::Action {
        r#move: button.into(),
        allowed,
        reason,
        needs_confirmation,
    }
}

/// What to know before the button is pressed (SM-4, PV-10).
fn confirmation(offering: &Offering, button: pb::PublicationMove) -> (String, bool) {
    use pb::PublicationMove as P;
    let warnings = offering
        .to_go_live()
        .and_then(|one| one.validation.as_ref())
        .map_or(0, |found| found.warnings);
    match button {
        P::GoLive if warnings > 0 => (
            format!(
                "{warnings} unresolved validation warnings may fail certification and delay the date"
            ),
            true,
        ),
        P::CancelPublish => (
            "the submission ends; publishing later starts from the first step".to_owned(),
            true,
        ),
        P::StopDistribution => (
            "customers can't find or buy it any more; repeat its id to confirm".to_owned(),
            true,
        ),
        _ => (String::new(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::Stage;
    use crate::domain::{Answer, Leg, StepId, Trouble};

    /// T24 is a go live like the first: what `GoLive` wants confirmed, the button says.
    #[test]
    fn t24_the_button_says_what_go_live_wants_confirmed() {
        let mut stage = Stage::new(Leg::Live);
        let id = stage.publish();
        stage.walk(id, Some(StepId::OfferValidation));
        let validated = Answer::Validated {
            warnings: 2,
            report: "r".into(),
        };
        stage.answer(id, validated);
        stage.walk(id, None);
        let button = |stage: &Stage| {
            let all = actions(&stage.offering);
            all.into_iter()
                .find(|one| one.r#move() == pb::PublicationMove::GoLive)
                .unwrap_or_default()
        };
        assert!(button(&stage).allowed && button(&stage).needs_confirmation);
        stage.sign_off(id);
        stage.answer(id, Answer::Trouble(Trouble::mismatch("it")));
        assert!(stage.offering.check_go_live(id, false).is_err());
        assert!(button(&stage).allowed && button(&stage).needs_confirmation);
    }
}
