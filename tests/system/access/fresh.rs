//! Things made for one call that is to succeed.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, ensure};
use marketplace_proto::certification::v1::{ClaimCaseRequest, Finding, RejectCaseRequest};
use marketplace_proto::messaging::v1::{DeadLetter, ListDeadLettersRequest};
use marketplace_proto::notification::v1::AddAudienceMemberRequest;
use marketplace_proto::offercatalog::v1::*;
use marketplace_proto::publishing::v1::*;
use sqlx::Executor;
use system_tests::drafts::{self, Draft};
use system_tests::until;

use super::stage::{Stage, join};

/// Plans that are sold no more and may come back, once each.
pub const REGRETS: [&str; 4] = ["regret-0", "regret-1", "regret-2", "regret-3"];

impl Stage<'_> {
    pub(super) fn next(&self) -> usize {
        Self::turn(&self.number)
    }

    pub(super) fn turn(counter: &AtomicUsize) -> usize {
        counter.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) async fn etag(&self, offer: &str) -> anyhow::Result<String> {
        Ok(self.market.publish_request(offer).await?.etag)
    }

    /// A batch of an offer whose draft is newer than it says.
    pub(super) async fn batch(&self, offer: &str) -> anyhow::Result<String> {
        let item = BatchPublish {
            offer: offer.into(),
            etag: "0".into(),
            ..Default::default()
        };
        let create = CreateBatchRequest {
            parent: "publishers/contoso".into(),
            items: vec![item],
            ..Default::default()
        };
        let mut ada = self.market.person("ada");
        let made = ada.publishing.create_batch(create).await?;
        let batch = made.into_inner().batch;
        Ok(batch.context("no batch")?.name)
    }

    pub(super) async fn member(&self) -> anyhow::Result<String> {
        let name = format!("leaver-{}", self.next());
        join(self.market, "contoso", &name).await?;
        Ok(format!("publishers/contoso/members/{name}"))
    }

    /// A member who is told of the offer's submissions.
    pub(super) async fn listed(&self, offer: &str) -> anyhow::Result<String> {
        let add = AddAudienceMemberRequest {
            offer: offer.into(),
            member: self.member().await?,
            request_id: String::new(),
        };
        self.market
            .person("ada")
            .audience
            .add_audience_member(add.clone())
            .await?;
        Ok(add.member)
    }

    pub(super) async fn grant(&self) -> anyhow::Result<String> {
        let grant = GrantOperatorRequest {
            parent: "publishers/granting".into(),
            reason: "help".into(),
            ..Default::default()
        };
        let mut ada = self.market.person("ada");
        let grant = ada
            .publishers
            .grant_operator(grant)
            .await?
            .into_inner()
            .grant;
        Ok(grant.unwrap_or_default().name)
    }

    /// An offer with nothing in it.
    pub(super) async fn empty(&self) -> anyhow::Result<String> {
        let draft = Draft {
            offer_type: "softwareAsAService",
            pages: vec![],
            plans: vec![],
            assets: vec![],
        };
        self.draft("contoso", draft).await
    }

    pub(super) async fn draft(&self, publisher: &str, draft: Draft) -> anyhow::Result<String> {
        let id = format!("fresh-{}", self.next());
        self.market.draft(publisher, &id, draft).await
    }

    pub(super) async fn plan(&self, offer: &str) -> anyhow::Result<String> {
        let plan = format!("fresh-{}", self.next());
        let create = CreatePlanRequest {
            parent: offer.into(),
            plan_id: plan.clone(),
            display_name: plan.clone(),
            ..Default::default()
        };
        self.market.person("ada").plans.create_plan(create).await?;
        Ok(format!("{offer}/plans/{plan}"))
    }

    /// An asset that no page shows.
    pub(super) async fn asset(&self, offer: &str) -> anyhow::Result<String> {
        let asset = format!("fresh-{}", self.next());
        let head = AssetHead {
            parent: offer.into(),
            asset_id: asset.clone(),
            kind: AssetKind::LogoLarge as i32,
            file_name: "logo.png".into(),
            ..Default::default()
        };
        let create = CreateAssetRequest {
            head: Some(head),
            content: drafts::png(300, 300, 13),
        };
        self.market
            .person("ada")
            .assets
            .create_asset(create)
            .await?;
        Ok(format!("{offer}/assets/{asset}"))
    }

    /// An upload that hasn't ended: its stream did before its time.
    pub(super) async fn upload(&self, offer: &str) -> anyhow::Result<String> {
        let upload = format!("fresh-{}", self.next());
        let head = AssetHead {
            parent: offer.into(),
            asset_id: upload.clone(),
            kind: AssetKind::Package as i32,
            size_bytes: 1,
            upload_id: upload.clone(),
            ..Default::default()
        };
        let part = Some(upload_asset_request::Part::Head(head));
        let early = tokio_stream::once(UploadAssetRequest { part });
        let mut ada = self.market.person("ada");
        let refused = ada.assets.upload_asset(early).await;
        ensure!(refused.is_err(), "a file without content");
        Ok(format!("{offer}/uploads/{upload}"))
    }

    /// A dry run that hasn't ended: nobody is at it for a while.
    pub(super) async fn dry_run(&self, offer: &str) -> anyhow::Result<String> {
        let create = CreateDryRunRequest {
            offer: offer.into(),
            depth: DryRunDepth::Schema.into(),
            ..Default::default()
        };
        let mut ada = self.market.person("ada");
        let made = ada.publishing.create_dry_run(create).await?.into_inner();
        let name = made.dry_run.unwrap_or_default().name;
        let id = name.rsplit('/').next().unwrap_or_default();
        let held = "UPDATE publishing.dry_runs
            SET state = 'running', end_time = NULL, attempt = attempt + 1, lease_until = now() + interval '1 hour'
            WHERE id = $1::uuid";
        let mut db = self.market.servers.database.superuser().await?;
        sqlx::query(held).bind(id).execute(&mut db).await?;
        Ok(name)
    }

    pub(super) async fn ended_dry_run(&self, offer: &str) -> anyhow::Result<String> {
        let create = CreateDryRunRequest {
            offer: offer.into(),
            depth: DryRunDepth::Schema.into(),
            ..Default::default()
        };
        let run = self.market.dry_run(create).await?;
        Ok(run.name)
    }

    /// A submission whose case awaits review.
    pub(super) async fn running(&self) -> anyhow::Result<String> {
        let offer = self.draft("contoso", drafts::container()).await?;
        let submission = self.market.publish(&offer).await?;
        self.market.case_of(&submission).await?;
        Ok(submission)
    }

    /// A case that `rita` holds.
    pub(super) async fn claimed(&self) -> anyhow::Result<String> {
        self.claim(&self.running().await?).await
    }

    async fn claim(&self, submission: &str) -> anyhow::Result<String> {
        let claim = ClaimCaseRequest {
            name: self.market.case_of(submission).await?.name,
            request_id: String::new(),
        };
        let mut rita = self.market.staff("rita", "reviewer");
        rita.reviews.claim_case(claim.clone()).await?;
        Ok(claim.name)
    }

    pub(super) async fn failed(&self) -> anyhow::Result<String> {
        let submission = self.running().await?;
        let finding = Finding {
            code: "AUDIENCE_MISSING".into(),
            policy: "100.1.3".into(),
            page: "offer_listing".into(),
            field_path: "description".into(),
            remedy: "Say for whom it is.".into(),
            ..Default::default()
        };
        let reject = RejectCaseRequest {
            name: self.claim(&submission).await?,
            notes: "Say for whom it is.".into(),
            findings: vec![finding],
            request_id: String::new(),
        };
        self.market
            .staff("rita", "reviewer")
            .reviews
            .reject_case(reject)
            .await?;
        until("the submission has failed", async || {
            let now = self.market.submission(&submission).await?;
            Ok((now.state() == SubmissionState::Failed).then_some(()))
        })
        .await?;
        Ok(submission)
    }

    /// A submission that awaits sign-off.
    pub(super) async fn preview(&self, publisher: &str, draft: Draft) -> anyhow::Result<String> {
        let offer = Box::pin(self.draft(publisher, draft)).await?;
        let submission = Box::pin(self.market.publish(&offer)).await?;
        let waits = SubmissionState::AwaitingSignOff;
        self.market.until_state(&submission, waits).await?;
        Ok(submission)
    }

    /// The submission again, to go live tomorrow.
    pub(super) async fn scheduled(&self, submission: &str) -> anyhow::Result<String> {
        let tomorrow = marketplace_runtime::clock::now() + time::Duration::days(1);
        let go = GoLiveRequest {
            submission: submission.into(),
            acknowledge_warnings: true,
            go_live_at: Some(prost_types::Timestamp {
                seconds: tomorrow.unix_timestamp(),
                nanos: 0,
            }),
            ..Default::default()
        };
        self.market.person("ada").publishing.go_live(go).await?;
        Ok(submission.to_owned())
    }

    /// The plan again, with its stop pending.
    pub(super) async fn paused(&self, offer: &str, plan: &str) -> anyhow::Result<String> {
        let stop = StopDistributionRequest {
            offer: offer.into(),
            plan_id: plan.into(),
            confirm: plan.into(),
            ..Default::default()
        };
        self.market
            .person("ada")
            .publishing
            .stop_distribution(stop)
            .await?;
        Ok(plan.to_owned())
    }

    /// A submission of granting that certification, stopped for a while, holds up; and the step that is blocked.
    pub(super) async fn blocked(&self) -> anyhow::Result<(String, String)> {
        let offer = self.draft("granting", drafts::container()).await?;
        self.signal_certification("STOP")?;
        let submission = self.market.publish(&offer).await?;
        let step = until("a step is blocked", async || {
            let steps = self.market.submission(&submission).await?.steps;
            let blocked = |step: &Step| step.state() == StepState::Blocked;
            Ok(steps.into_iter().find(blocked).map(|step| step.id))
        })
        .await?;
        Ok((submission, step))
    }

    /// Ends what [`Stage::blocked`] began.
    pub(super) fn wake_certification(&self) -> anyhow::Result<()> {
        self.signal_certification("CONT")
    }

    fn signal_certification(&self, signal: &str) -> anyhow::Result<()> {
        let children = &self.market.children;
        let certification = children.iter().find(|c| c.service == "certification");
        let pid = certification.and_then(|child| child.id());
        let pid = pid.context("certification runs")?.to_string();
        let kill = std::process::Command::new("kill")
            .args([format!("-{signal}"), pid])
            .status()?;
        ensure!(kill.success());
        Ok(())
    }

    /// A submission of granting whose certification follows sign-off, and waits for a reviewer.
    pub(super) async fn live_leg(&self) -> anyhow::Result<String> {
        let submission = self.preview("granting", drafts::saas_free_trial()).await?;
        self.market.go_live(&submission).await?;
        self.market.case_of(&submission).await?;
        until("certification waits for a reviewer", async || {
            let steps = self.market.submission(&submission).await?.steps;
            let waits = |step: &Step| step.state() == StepState::WaitingForApproval;
            Ok(steps.iter().any(waits).then_some(()))
        })
        .await?;
        Ok(submission)
    }

    /// The link of the preview that awaits sign-off.
    pub(super) async fn preview_token(&self) -> anyhow::Result<String> {
        let links = GetPreviewLinksRequest {
            offer: self.known["preview_offer"].clone(),
            submission: self.known["preview"].clone(),
        };
        until("the preview is served", async || {
            let mut pipeline = self.market.staff("publishing-pipeline", "service");
            let links = pipeline.listings.get_preview_links(links.clone()).await?;
            let link = links.into_inner().links.into_iter().next();
            let last = |link: PreviewLink| link.url.rsplit(['/', '=']).next().map(str::to_owned);
            Ok(link.and_then(last))
        })
        .await
    }

    /// Something that notification has given up, and could do now.
    pub(super) async fn dead_letter(&self) -> anyhow::Result<String> {
        let number = self.next();
        let offer = self.draft("contoso", drafts::container()).await?;
        let mut db = self.market.servers.database.superuser().await?;
        let doom = format!(
            "ALTER TABLE notification.notices ADD CONSTRAINT doomed_{number} CHECK (offer <> '{offer}') NOT VALID"
        );
        db.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(doom))).await?;
        self.market.publish(&offer).await?;
        let list = ListDeadLettersRequest::default();
        let mut oscar = self.market.staff("oscar", "operator");
        let letters = &mut oscar.dead_letters[4];
        let id = until("notification has given up", async || {
            let dead = letters.list_dead_letters(list.clone()).await?.into_inner();
            let doomed = format!("doomed_{number}");
            let mine = |dead: &DeadLetter| dead.reason.contains(&doomed);
            Ok(dead.dead_letters.into_iter().find(mine).map(|dead| dead.id))
        })
        .await?;
        let spare = format!("ALTER TABLE notification.notices DROP CONSTRAINT doomed_{number}");
        db.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(spare)))
            .await?;
        Ok(id)
    }

    /// So that any other is seen at the end.
    pub(super) async fn forget_dead_letters(&self) -> anyhow::Result<()> {
        let mut db = self.market.servers.database.superuser().await?;
        db.execute(
            "UPDATE notification.dead_letters SET state = 'discarded', settled_at = now()
             WHERE state = 'waiting' AND reason LIKE '%doomed_%'",
        )
        .await?;
        Ok(())
    }

    /// A live offer with [`REGRETS`].
    pub(super) async fn regretted(&self) -> anyhow::Result<String> {
        let draft = drafts::with_plans(drafts::container(), REGRETS);
        let (offer, _) = self
            .market
            .publish_live("contoso", "regretted", draft)
            .await?;
        for plan in REGRETS {
            self.paused(&offer, plan).await?;
        }
        let submission = self.market.publish(&offer).await?;
        self.market.finish(&submission).await?;
        Ok(offer)
    }
}
