//! GetOfferOverview: what a portal's Offer overview page shows. Its buttons ask the table that the moves ask.

mod actions;
mod links;

use std::fmt::Display;
use std::time::Duration;

use marketplace_proto::offercatalog::v1::GetDraftStandingResponse as Draft;
use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::access::Scope;
use marketplace_runtime::clock;
use marketplace_runtime::ids::OfferName;
use uuid::Uuid;

use super::Grpc;
use crate::domain::Offering;
use crate::error::Error;
use crate::{store, wire};

/// How long the page waits for what it is of use without.
const PATIENCE: Duration = Duration::from_secs(2);

impl Grpc {
    /// The offering; of an offer that was never published one at revision 0, once the catalogue says that it exists.
    pub(super) async fn find(&self, scope: &Scope, name: &OfferName) -> Result<Offering, Error> {
        match self.published(scope, name).await? {
            Some(offering) => Ok(offering),
            None => Ok(self.unpublished(name).await?.0),
        }
    }

    async fn published(&self, scope: &Scope, name: &OfferName) -> Result<Option<Offering>, Error> {
        store::find_offer(&mut *self.db.acquire().await?, scope, &name.offer).await
    }

    pub(super) async fn unpublished(&self, name: &OfferName) -> Result<(Offering, Draft), Error> {
        let draft = self.catalog.draft(&name.to_string()).await?;
        let draft = draft.ok_or_else(|| Error::NotFound {
            kind: "Offer",
            name: name.to_string(),
        })?;
        let uid = Uuid::try_parse(&draft.offer_uid)
            .map_err(|_| Error::Corrupt("the catalogue knows an offer and not its id"))?;
        let offering = Offering::unpublished(uid, &name.publisher, &name.offer, clock::now());
        Ok((offering, draft))
    }

    pub(super) async fn overview(
        &self,
        scope: &Scope,
        name: &OfferName,
    ) -> Result<pb::OfferOverview, Error> {
        let Some(offering) = self.published(scope, name).await? else {
            let (offering, draft) = self.unpublished(name).await?;
            return Ok(self.page(&offering, Some(&draft)));
        };
        let (offer, uid) = (name.to_string(), offering.publication().offer_uid);
        let (draft, preview_links, live_links) = tokio::join!(
            in_time("what the draft says", uid, self.catalog.draft(&offer)),
            self.preview_links(&offering),
            self.live_links(&offering),
        );
        Ok(pb::OfferOverview {
            preview_links,
            live_links,
            ..self.page(&offering, draft.flatten().as_ref())
        })
    }

    /// The page without what is asked for apart.
    fn page(&self, offering: &Offering, draft: Option<&Draft>) -> pb::OfferOverview {
        let row = offering.publication();
        let shown = row
            .in_flight
            .or(row.awaiting_sign_off)
            .or(row.latest)
            .and_then(|id| offering.submission(id));
        let kind = draft.and_then(|draft| draft.offer_type.as_ref());
        let plans = offering.plan_rows(draft.map(wire::drafted).as_ref());
        pb::OfferOverview {
            publication: Some(wire::publication(offering)),
            submission: shown.map(|one| wire::submission(row, one, &self.medians(), clock::now())),
            actions: actions::of_offer(offering, draft),
            reports: shown.map(links::reports).unwrap_or_default(),
            help_links: links::help(kind, shown),
            pages: draft.map(|draft| draft.pages.clone()).unwrap_or_default(),
            requires_testing_notes: kind.is_some_and(|kind| kind.requires_testing_notes),
            plans: plans.into_iter().map(wire::plan_row).collect(),
            ..pb::OfferOverview::default()
        }
    }
}

/// What a neighbour answers in time; the page is of use without it.
async fn in_time<T, E: Display>(
    what: &str,
    offer: Uuid,
    asked: impl Future<Output = Result<T, E>>,
) -> Option<T> {
    let error = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => return Some(answer),
        Ok(Err(error)) => error.to_string(),
        Err(late) => late.to_string(),
    };
    tracing::warn!(%error, offer.id = %offer, "an overview without {what}");
    None
}
