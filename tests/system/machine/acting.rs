//! What a walk does, by the RPCs.

use std::time::Duration;

use anyhow::Context;
use marketplace_proto::offercatalog::v1::{
    CreatePlanRequest, DeleteOfferRequest, DeletePlanRequest,
};
use marketplace_proto::publishing::v1::*;
use prost_types::Timestamp;
use tonic::Status;

use super::Walk;
use super::rules::{Act, HALF_MADE};
use super::watching::Watching;
use crate::isolation::snapshot;

impl Walk<'_> {
    /// Does it, as who may; a publish's submission is noted.
    pub(super) async fn act(&mut self, act: Act) -> anyhow::Result<Result<(), Status>> {
        let offer = self.offer.clone();
        let submission = self
            .model
            .named(act)
            .map(|place| self.submissions[place].clone());
        let submission = submission.unwrap_or_default();
        let publishing = &mut self.ada.publishing;
        let reason = "Asked for by the publisher.".to_owned();
        let plan = |plan: &str| format!("{offer}/plans/{plan}");
        let said = match act {
            Act::SavePage => {
                self.market.save(&offer, self.page.clone()).await?;
                Ok(())
            }
            Act::CreatePlan => {
                let create = CreatePlanRequest {
                    parent: offer.clone(),
                    plan_id: HALF_MADE.into(),
                    display_name: HALF_MADE.into(),
                    ..Default::default()
                };
                self.ada.plans.create_plan(create).await.map(drop)
            }
            Act::DeletePlan => {
                let delete = DeletePlanRequest {
                    name: plan(HALF_MADE),
                    ..Default::default()
                };
                self.ada.plans.delete_plan(delete).await.map(drop)
            }
            Act::DeleteOffer => {
                let delete = DeleteOfferRequest {
                    name: offer.clone(),
                    ..Default::default()
                };
                self.ada.offers.delete_offer(delete).await.map(drop)
            }
            Act::Publish | Act::Supersede => {
                let policy = if act == Act::Publish {
                    InFlightPolicy::Reject
                } else {
                    InFlightPolicy::Supersede
                };
                let request = PublishOfferRequest {
                    in_flight_policy: policy as i32,
                    ..self.market.publish_request(&offer).await?
                };
                match publishing.publish_offer(request).await {
                    Ok(answer) => {
                        let made = answer.into_inner().submission.context("no submission")?;
                        let replicas = self.market.twins("ada");
                        self.watching
                            .push(Watching::start(made.name.clone(), replicas));
                        self.submissions.push(made.name);
                        Ok(())
                    }
                    Err(status) => Err(status),
                }
            }
            Act::CancelPublish => {
                let cancel = CancelPublishRequest {
                    submission,
                    ..Default::default()
                };
                publishing.cancel_publish(cancel).await.map(drop)
            }
            Act::CancelLiveLeg => {
                let cancel = CancelLiveLegRequest {
                    submission,
                    reason,
                    ..Default::default()
                };
                self.oscar.operators.cancel_live_leg(cancel).await.map(drop)
            }
            Act::Approve => {
                self.market.decide(&submission).await?;
                Ok(())
            }
            Act::Reject => {
                self.market.reject(&submission).await?;
                Ok(())
            }
            Act::GoLive | Act::Schedule | Act::ScheduleSoon => {
                let pause = if act == Act::Schedule { 86_400 } else { 1 };
                let then = std::time::SystemTime::now() + Duration::from_secs(pause);
                let at = (act != Act::GoLive).then(|| Timestamp::from(then));
                publishing.go_live(go(&submission, at)).await.map(drop)
            }
            Act::GoLiveAmiss => {
                let get = GetSubmissionRequest {
                    name: submission.clone(),
                };
                let answer = publishing.get_submission(get).await?.into_inner();
                let digest = answer.submission.context("no submission")?.digest;
                let before = snapshot(self.market, &digest, "set_byte(bytes, 0, 64)").await?;
                let said = publishing.go_live(go(&submission, None)).await.map(drop);
                if said.is_ok() {
                    self.market
                        .until_state(&submission, SubmissionState::Failed)
                        .await?;
                }
                let mended = format!("'\\x{}'::bytea", hex::encode(before));
                snapshot(self.market, &digest, &mended).await?;
                said
            }
            Act::CancelSchedule => {
                let cancel = CancelScheduledGoLiveRequest {
                    submission,
                    ..Default::default()
                };
                publishing.cancel_scheduled_go_live(cancel).await.map(drop)
            }
            Act::Discard => {
                let discard = DiscardFailureRequest {
                    submission,
                    ..Default::default()
                };
                publishing.discard_failure(discard).await.map(drop)
            }
            Act::Withdraw => {
                let withdraw = WithdrawPreviewRequest {
                    submission,
                    reason,
                    ..Default::default()
                };
                self.oscar
                    .operators
                    .withdraw_preview(withdraw)
                    .await
                    .map(drop)
            }
            Act::StopOffer => {
                let id = offer.rsplit('/').next().unwrap_or_default();
                publishing
                    .stop_distribution(stop(&offer, "", id))
                    .await
                    .map(drop)
            }
            Act::StopPlan(plan) => publishing
                .stop_distribution(stop(&offer, plan, plan))
                .await
                .map(drop),
            Act::ResumeOffer => publishing
                .resume_distribution(resume(&offer, ""))
                .await
                .map(drop),
            Act::ResumePlan(plan) => publishing
                .resume_distribution(resume(&offer, plan))
                .await
                .map(drop),
            Act::RestorePlan(plan) => {
                let restore = RestorePlanRequest {
                    offer,
                    plan_id: plan.into(),
                    ..Default::default()
                };
                publishing.restore_plan(restore).await.map(drop)
            }
        };
        Ok(said)
    }
}

fn go(submission: &str, at: Option<Timestamp>) -> GoLiveRequest {
    GoLiveRequest {
        submission: submission.into(),
        acknowledge_warnings: true,
        go_live_at: at,
        ..Default::default()
    }
}

fn stop(offer: &str, plan: &str, confirm: &str) -> StopDistributionRequest {
    StopDistributionRequest {
        offer: offer.into(),
        plan_id: plan.into(),
        confirm: confirm.into(),
        ..Default::default()
    }
}

fn resume(offer: &str, plan: &str) -> ResumeDistributionRequest {
    ResumeDistributionRequest {
        offer: offer.into(),
        plan_id: plan.into(),
        ..Default::default()
    }
}
