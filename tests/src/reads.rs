//! What people see in a [`Marketplace`]: submissions, publications, history, mails; now, or once they are so.

use anyhow::{Context, ensure};
use marketplace_proto::history::v1::{HistoryEvent, ListEventsRequest};
use marketplace_proto::notification::v1::{ActionItem, ListActionItemsRequest, NotificationCode};
use marketplace_proto::offercatalog::v1::{GetOfferRequest, OfferStatus};
use marketplace_proto::publishing::v1::*;

use crate::{Marketplace, until};

/// What flows leave.
#[derive(Debug, PartialEq, Eq)]
pub struct Records {
    /// Labels of the offer's history, sorted.
    pub history: Vec<String>,
    /// Codes of `ada`'s Action Center items, sorted.
    pub items: Vec<i32>,
    /// What the catalogue told of the offer, in order.
    pub listings: Vec<String>,
}

impl Marketplace {
    /// Waits until `ada` is asked to review the preview; who signs off before that is never asked.
    pub async fn asked_to_review(&self, submission: &str) -> anyhow::Result<()> {
        let list = ListActionItemsRequest {
            page_size: 1_000,
            offer: offer_of(submission).into(),
            ..Default::default()
        };
        let asks = |item: &ActionItem| {
            item.submission == submission && item.code() == NotificationCode::PreviewReady
        };
        until("ada is asked to review the preview", async || {
            let mut ada = self.person("ada");
            let items = ada.action_center.list_action_items(list.clone()).await?;
            Ok(items.into_inner().items.iter().any(asks).then_some(()))
        })
        .await
    }

    /// The submission, now.
    pub async fn submission(&self, name: &str) -> anyhow::Result<Submission> {
        let get = GetSubmissionRequest { name: name.into() };
        self.person("ada")
            .publishing
            .get_submission(get)
            .await?
            .into_inner()
            .submission
            .context("no submission")
    }

    /// Waits until the submission is in this state.
    pub async fn until_state(
        &self,
        name: &str,
        state: SubmissionState,
    ) -> anyhow::Result<Submission> {
        let what = format!("{name} is {}", state.as_str_name());
        until(&what, async || {
            let submission = self.submission(name).await?;
            if submission.state() == state {
                return Ok(Some(submission));
            }
            ensure!(
                !matches!(submission.state(), SubmissionState::Failed),
                "it failed: {}",
                submission.failure_reason
            );
            Ok(None)
        })
        .await
    }

    /// The offer's publication, now.
    pub async fn publication(&self, offer: &str) -> anyhow::Result<Publication> {
        let get = GetPublicationRequest {
            offer: offer.into(),
        };
        self.person("ada")
            .publishing
            .get_publication(get)
            .await?
            .into_inner()
            .publication
            .context("no publication")
    }

    /// Waits until the offer has this status.
    pub async fn until_status(&self, offer: &str, wanted: OfferStatus) -> anyhow::Result<()> {
        until(wanted.as_str_name(), async || {
            Ok((self.publication(offer).await?.status() == wanted).then_some(()))
        })
        .await
    }

    /// The Offer overview, as `ada` sees it.
    pub async fn overview(&self, offer: &str) -> anyhow::Result<OfferOverview> {
        let get = GetOfferOverviewRequest {
            offer: offer.into(),
        };
        let answer = self
            .person("ada")
            .publishing
            .get_offer_overview(get)
            .await?;
        answer.into_inner().overview.context("no overview")
    }

    /// The offer's history, oldest first.
    pub async fn events(&self, offer: &str) -> anyhow::Result<Vec<HistoryEvent>> {
        let list = ListEventsRequest {
            parent: offer.into(),
            page_size: 1_000,
            ..Default::default()
        };
        let mut events = self
            .person("ada")
            .history
            .list_events(list)
            .await?
            .into_inner()
            .events;
        events.reverse();
        Ok(events)
    }

    /// Labels of the offer's history, oldest first.
    pub async fn history(&self, offer: &str) -> anyhow::Result<Vec<String>> {
        Ok(self
            .events(offer)
            .await?
            .into_iter()
            .map(|event| event.label)
            .collect())
    }

    /// What the offer's flows have left, so far.
    pub async fn records(&self, offer: &str) -> anyhow::Result<Records> {
        let mut history = self.history(offer).await?;
        history.sort_unstable();
        let list = ListActionItemsRequest {
            page_size: 1_000,
            offer: offer.into(),
            ..Default::default()
        };
        let mut ada = self.person("ada");
        let items = ada.action_center.list_action_items(list).await?;
        let mut items: Vec<_> = items
            .into_inner()
            .items
            .iter()
            .map(|item| item.code)
            .collect();
        items.sort_unstable();
        let get = GetOfferRequest {
            name: offer.into(),
            ..Default::default()
        };
        let found = ada.offers.get_offer(get).await?.into_inner().offer;
        let uid = found.context("no offer")?.uid;
        // An answer may be given again where it didn't arrive; nothing else is told twice.
        let told = "SELECT key FROM (
               SELECT key, position, row_number() OVER (PARTITION BY key ORDER BY position) AS nth
               FROM offer_catalog.published WHERE stream LIKE '%' || $1 || '%') told
             WHERE nth = 1 OR key NOT IN ('offercatalog.v1.preview_prepared', 'offercatalog.v1.offer_activated')
             ORDER BY position";
        let listings = sqlx::query_scalar(told)
            .bind(uid)
            .fetch_all(&mut self.servers.database.superuser().await?)
            .await?;
        Ok(Records {
            history,
            items,
            listings,
        })
    }

    /// Mails written so far, where there is no SMTP server.
    pub fn mails(&self) -> anyhow::Result<Vec<String>> {
        crate::eml_files(&self.folder.join("mail"))
    }
}

/// The offer of a submission.
fn offer_of(submission: &str) -> &str {
    submission.split("/submissions/").next().unwrap_or_default()
}
