//! What people do in races, and who comes first.

use std::pin::Pin;
use std::time::Duration;

use marketplace_proto::offercatalog::v1::{
    DeleteOfferRequest, GetOfferRequest, GetPageRequest, Page, PageId, SyncPrivateAudienceRequest,
    UpdatePageRequest, page::Page as Kind,
};
use marketplace_proto::publishing::v1::{
    CancelPublishRequest, GoLiveRequest, PublishOfferRequest, ResumeDistributionRequest,
    StopDistributionRequest,
};
use system_tests::Clients;
use tonic::{Code, Status};

pub(super) type Act = Pin<Box<dyn Future<Output = Result<String, Status>> + Send>>;

/// Starts two acts one a little after the other, so that each comes first at times.
pub(super) struct Race {
    pub(super) rounds: u32,
    /// The second starts this much later, in microseconds; negative: the first does.
    pub(super) delay: i64,
    pub(super) wins: [u32; 2],
}

impl Race {
    pub(super) fn new() -> Self {
        Self {
            rounds: if std::env::var_os("LONG").is_some() {
                2_000
            } else {
                100
            },
            delay: 0,
            wins: [0, 0],
        }
    }

    pub(super) async fn run(
        &self,
        first: Act,
        second: Act,
    ) -> (Result<String, Status>, Result<String, Status>) {
        let pause = |micros: i64| Duration::from_micros(micros.max(0).unsigned_abs());
        let after = async |pause: Duration, act: Act| {
            tokio::time::sleep(pause).await;
            act.await
        };
        tokio::join!(
            after(pause(-self.delay), first),
            after(pause(self.delay), second)
        )
    }

    /// Who came first starts later the next time.
    pub(super) fn won(&mut self, side: usize) {
        self.wins[side] += 1;
        let step = self.delay.abs() / 8 + 200;
        self.delay += if side == 0 { -step } else { step };
    }

    /// Each side came first in at least 5 % of the rounds.
    pub(super) fn end(self) {
        let decided = self.wins[0] + self.wins[1];
        let least = self.wins[0].min(self.wins[1]);
        assert!(
            least * 20 >= decided && decided >= self.rounds / 2,
            "{:?}",
            self.wins
        );
    }
}

pub(super) fn publish(who: &Clients, request: &PublishOfferRequest) -> Act {
    let (mut who, request) = (who.clone(), request.clone());
    Box::pin(async move {
        let answer = who.publishing.publish_offer(request).await?.into_inner();
        Ok(answer.submission.unwrap_or_default().name)
    })
}

pub(super) fn cancel(who: &Clients, submission: &str) -> Act {
    let (mut who, submission) = (who.clone(), submission.to_owned());
    Box::pin(async move {
        let cancel = CancelPublishRequest {
            submission: submission.clone(),
            ..Default::default()
        };
        who.publishing.cancel_publish(cancel).await?;
        Ok(submission)
    })
}

pub(super) fn go_live(who: &Clients, submission: &str) -> Act {
    let (mut who, submission) = (who.clone(), submission.to_owned());
    Box::pin(async move {
        let go = GoLiveRequest {
            submission: submission.clone(),
            acknowledge_warnings: true,
            ..Default::default()
        };
        who.publishing.go_live(go).await?;
        Ok(submission)
    })
}

/// Of a plan, or of the whole offer.
pub(super) fn stop(who: &Clients, offer: &str, plan: &str) -> Act {
    let id = offer.rsplit('/').next().unwrap_or_default();
    let stop = StopDistributionRequest {
        offer: offer.into(),
        plan_id: plan.into(),
        confirm: if plan.is_empty() { id } else { plan }.into(),
        ..Default::default()
    };
    let mut who = who.clone();
    Box::pin(async move {
        who.publishing.stop_distribution(stop).await?;
        Ok(String::new())
    })
}

pub(super) fn resume(who: &Clients, offer: &str, plan: &str) -> Act {
    let resume = ResumeDistributionRequest {
        offer: offer.into(),
        plan_id: plan.into(),
        ..Default::default()
    };
    let mut who = who.clone();
    Box::pin(async move {
        who.publishing.resume_distribution(resume).await?;
        Ok(String::new())
    })
}

pub(super) fn delete(who: &Clients, offer: &str) -> Act {
    let (mut who, name) = (who.clone(), offer.to_owned());
    Box::pin(async move {
        let delete = DeleteOfferRequest {
            name,
            ..Default::default()
        };
        who.offers.delete_offer(delete).await?;
        Ok(String::new())
    })
}

/// Publishes the draft as it is then, however often it changes meanwhile.
pub(super) fn publish_newest(who: &Clients, offer: &str) -> Act {
    let (mut who, name) = (who.clone(), offer.to_owned());
    Box::pin(async move {
        loop {
            let get = GetOfferRequest {
                name: name.clone(),
                ..Default::default()
            };
            let found = who.offers.get_offer(get).await?.into_inner().offer;
            let request = PublishOfferRequest {
                offer: name.clone(),
                etag: found.unwrap_or_default().etag,
                notes: "Sign in with the account in the supporting document.".into(),
                confirm: true,
                ..Default::default()
            };
            match who.publishing.publish_offer(request).await {
                Err(stale) if stale.code() == Code::Aborted => {}
                said => return Ok(said?.into_inner().submission.unwrap_or_default().name),
            }
        }
    })
}

/// Saves the pricing of a plan and syncs its audience; answers the audience's version.
pub(super) fn synced(who: &Clients, plan: &str, pricing: Kind) -> Act {
    let (mut who, plan) = (who.clone(), plan.to_owned());
    Box::pin(async move {
        let get = GetPageRequest {
            parent: plan.clone(),
            page_id: PageId::PlanPricingAndAvailability as i32,
        };
        let found = who.offers.get_page(get).await?.into_inner().page;
        let page = Page {
            parent: plan.clone(),
            page: Some(pricing),
            ..Default::default()
        };
        let update = UpdatePageRequest {
            page: Some(page),
            etag: found.unwrap_or_default().etag,
            ..Default::default()
        };
        who.offers.update_page(update).await?;
        let sync = SyncPrivateAudienceRequest {
            name: plan,
            ..Default::default()
        };
        let synced = who.plans.sync_private_audience(sync).await?.into_inner();
        Ok(synced.audience_version.to_string())
    })
}
