//! What people do in a [`Marketplace`]: `ada` drafts and publishes, `rita` reviews. What they see is in `reads`.

use anyhow::Context;
use marketplace_proto::certification::v1::{
    ApproveCaseRequest, Case, ClaimCaseRequest, Finding, GetCaseRequest, ListCasesRequest,
    ListReviewQueueRequest, RejectCaseRequest,
};
use marketplace_proto::notification::v1::{
    Preferences, SendVerificationRequest, UpdatePreferencesRequest, VerifyEmailRequest,
};
use marketplace_proto::offercatalog::v1::*;
use marketplace_proto::publishing::v1::*;

use crate::drafts::Draft;
use crate::{ISSUER, Marketplace, until};

impl Marketplace {
    /// A publisher that is eligible for everything: owner `ada`, manager `mia`, developer `dev`, marketer `max`.
    pub async fn publisher(&self, id: &str) -> anyhow::Result<()> {
        let parent = format!("publishers/{id}");
        let owner = member(&parent, "ada", MemberRole::Owner);
        let mut operator = self.staff("oscar", "operator");
        let create = CreatePublisherRequest {
            publisher_id: id.into(),
            display_name: format!("{id} Ltd"),
            owner: Some(owner),
            programme: Some(eligible()),
            request_id: String::new(),
        };
        operator.publishers.create_publisher(create).await?;
        let mut ada = self.person("ada");
        for (name, role) in [
            ("mia", MemberRole::Manager),
            ("dev", MemberRole::Developer),
            ("max", MemberRole::Marketer),
        ] {
            let member = member(&parent, name, role);
            let create = CreateMemberRequest {
                parent: parent.clone(),
                member_id: name.into(),
                member: Some(member),
                request_id: String::new(),
            };
            ada.publishers.create_member(create).await?;
        }
        Ok(())
    }

    /// `ada` drafts an offer; answers its name.
    pub async fn draft(&self, publisher: &str, id: &str, draft: Draft) -> anyhow::Result<String> {
        let mut ada = self.person("ada");
        let offer = format!("publishers/{publisher}/offers/{id}");
        let create = CreateOfferRequest {
            parent: format!("publishers/{publisher}"),
            offer_id: id.into(),
            offer_type: draft.offer_type.into(),
            alias: format!("alias of {id}"),
            ..Default::default()
        };
        ada.offers
            .create_offer(create)
            .await
            .context("CreateOffer")?;
        for (asset, kind, content) in draft.assets {
            let head = AssetHead {
                parent: offer.clone(),
                asset_id: asset.into(),
                kind: kind as i32,
                file_name: format!("{asset}.png"),
                ..Default::default()
            };
            ada.assets
                .create_asset(CreateAssetRequest {
                    head: Some(head),
                    content,
                })
                .await
                .context("CreateAsset")?;
        }
        for page in draft.pages {
            self.save(&offer, with_asset_names(page, &offer)).await?;
        }
        for (plan, name, pages) in draft.plans {
            let create = CreatePlanRequest {
                parent: offer.clone(),
                plan_id: plan.into(),
                display_name: name.into(),
                ..Default::default()
            };
            ada.plans.create_plan(create).await.context("CreatePlan")?;
            for page in pages {
                self.save(&format!("{offer}/plans/{plan}"), page).await?;
            }
        }
        Ok(offer)
    }

    /// `ada` saves a page over whatever stands; answers what is still wrong with it.
    pub async fn save(&self, parent: &str, page: page::Page) -> anyhow::Result<Vec<PageIssue>> {
        let mut ada = self.person("ada");
        let get = GetPageRequest {
            parent: parent.into(),
            page_id: page_id(&page) as i32,
        };
        let etag = ada
            .offers
            .get_page(get)
            .await?
            .into_inner()
            .page
            .map(|page| page.etag)
            .unwrap_or_default();
        let page = Page {
            parent: parent.into(),
            page: Some(page),
            ..Default::default()
        };
        let update = UpdatePageRequest {
            page: Some(page),
            etag,
            request_id: String::new(),
        };
        Ok(ada
            .offers
            .update_page(update)
            .await
            .context("UpdatePage")?
            .into_inner()
            .issues)
    }

    /// A request that publishes the draft as it is now.
    pub async fn publish_request(&self, offer: &str) -> anyhow::Result<PublishOfferRequest> {
        let get = GetOfferRequest {
            name: offer.into(),
            min_publication_revision: 0,
        };
        let etag = self
            .person("ada")
            .offers
            .get_offer(get)
            .await?
            .into_inner()
            .offer
            .context("no offer")?
            .etag;
        let notes = "Sign in with the account in the supporting document; open any repository and its reviews.";
        Ok(PublishOfferRequest {
            offer: offer.into(),
            etag,
            notes: notes.into(),
            confirm: true,
            ..Default::default()
        })
    }

    /// `ada` publishes the draft; answers the submission's name.
    pub async fn publish(&self, offer: &str) -> anyhow::Result<String> {
        let request = self.publish_request(offer).await?;
        let answer = self
            .person("ada")
            .publishing
            .publish_offer(request)
            .await?
            .into_inner();
        Ok(answer.submission.context("no submission")?.name)
    }

    /// `ada` has a publish gone through; answers what came of it.
    pub async fn dry_run(&self, request: CreateDryRunRequest) -> anyhow::Result<DryRun> {
        let mut ada = self.person("ada").publishing;
        let made = ada.create_dry_run(request).await?.into_inner().dry_run;
        let name = made.context("no dry run")?.name;
        until("the dry run has ended", async || {
            let get = GetDryRunRequest { name: name.clone() };
            let answer = ada.clone().get_dry_run(get).await?.into_inner();
            let run = answer.dry_run.context("no dry run")?;
            Ok((run.state() != DryRunState::Running).then_some(run))
        })
        .await
    }

    /// `ada` signs off.
    pub async fn go_live(&self, submission: &str) -> anyhow::Result<()> {
        let go = GoLiveRequest {
            submission: submission.into(),
            acknowledge_warnings: true,
            ..Default::default()
        };
        self.person("ada").publishing.go_live(go).await?;
        Ok(())
    }

    /// `rita` finds the submission's case in the queue, or among those that she holds already.
    pub async fn case_of(&self, submission: &str) -> anyhow::Result<Case> {
        let mut rita = self.staff("rita", "reviewer");
        until("the case awaits review", async || {
            for mine in [false, true] {
                let list = ListReviewQueueRequest {
                    page_size: 1_000,
                    mine,
                    ..Default::default()
                };
                let queue = rita.reviews.list_review_queue(list).await?.into_inner();
                let mut cases = queue.cases.into_iter();
                if let Some(case) = cases.find(|case| case.submission == submission) {
                    return Ok(Some(case));
                }
            }
            Ok(None)
        })
        .await
    }

    /// The newest case of an offer, whole.
    pub async fn newest_case(&self, offer: &str) -> anyhow::Result<Case> {
        let mut ada = self.person("ada").certification;
        let list = ListCasesRequest {
            offer: offer.into(),
            ..Default::default()
        };
        let cases = ada.list_cases(list).await?.into_inner().cases;
        let name = cases.into_iter().next().context("no case")?.name;
        let case = ada.get_case(GetCaseRequest { name }).await?.into_inner();
        case.case.context("no case")
    }

    /// `rita` claims the submission's case and passes it; waits until the pipeline knows.
    pub async fn approve(&self, submission: &str) -> anyhow::Result<()> {
        self.decide(submission).await?;
        until("the pipeline knows that the case has passed", async || {
            let steps = self.submission(submission).await?.steps;
            Ok((!steps
                .iter()
                .any(|step| step.state() == StepState::WaitingForApproval))
            .then_some(()))
        })
        .await
    }

    /// The same without waiting.
    pub async fn decide(&self, submission: &str) -> anyhow::Result<()> {
        let case = self.case_of(submission).await?;
        let mut rita = self.staff("rita", "reviewer");
        let claim = ClaimCaseRequest {
            name: case.name.clone(),
            request_id: String::new(),
        };
        match rita.reviews.claim_case(claim).await {
            // She took it in an earlier try that got no answer.
            Err(status) if status.code() == tonic::Code::FailedPrecondition => {}
            claimed => drop(claimed?),
        }
        let approve = ApproveCaseRequest {
            name: case.name,
            pass_pending_checks: true,
            ..Default::default()
        };
        rita.reviews.approve_case(approve).await?;
        Ok(())
    }

    /// `rita` claims the submission's case and fails it.
    pub async fn reject(&self, submission: &str) -> anyhow::Result<()> {
        let case = self.case_of(submission).await?.name;
        let mut rita = self.staff("rita", "reviewer");
        let claim = ClaimCaseRequest {
            name: case.clone(),
            ..Default::default()
        };
        rita.reviews.claim_case(claim).await?;
        let finding = Finding {
            remedy: "Describe what the offer does.".into(),
            ..Default::default()
        };
        let reject = RejectCaseRequest {
            name: case,
            notes: "The description promises what the offer does not do.".into(),
            findings: vec![finding],
            ..Default::default()
        };
        rita.reviews.reject_case(reject).await?;
        Ok(())
    }

    /// Everything from draft to Live; answers offer and submission.
    pub async fn publish_live(
        &self,
        publisher: &str,
        id: &str,
        draft: Draft,
    ) -> anyhow::Result<(String, String)> {
        let offer = self.draft(publisher, id, draft).await?;
        let submission = self.publish(&offer).await?;
        self.finish(&submission).await?;
        Ok((offer, submission))
    }

    /// Plays reviewer and publisher until the submission is live.
    pub async fn finish(&self, submission: &str) -> anyhow::Result<()> {
        loop {
            let waiting = until("the submission waits for somebody, or ends", async || {
                let now = self.submission(submission).await?;
                let reviewer = now
                    .steps
                    .iter()
                    .any(|step| step.state() == StepState::WaitingForApproval);
                let stands = !matches!(
                    now.state(),
                    SubmissionState::Queued | SubmissionState::Running
                ) || reviewer;
                Ok(stands.then_some(now))
            })
            .await?;
            match waiting.state() {
                SubmissionState::Live => return Ok(()),
                SubmissionState::AwaitingSignOff => {
                    self.asked_to_review(submission).await?;
                    self.go_live(submission).await?;
                }
                SubmissionState::Running | SubmissionState::Queued => {
                    self.approve(submission).await?
                }
                other => anyhow::bail!(
                    "{submission} is {}: {}",
                    other.as_str_name(),
                    waiting.failure_reason
                ),
            }
        }
    }

    /// Somebody's address is `{subject}@mail.example` from now on, proved by the code that is mailed to it.
    pub async fn prove_address(
        &self,
        subject: &str,
        mails: impl Fn() -> anyhow::Result<Vec<String>>,
    ) -> anyhow::Result<()> {
        let code = self.mailed_code(subject, mails).await?;
        let verify = VerifyEmailRequest {
            code,
            ..Default::default()
        };
        self.person(subject)
            .preferences
            .verify_email(verify)
            .await?;
        Ok(())
    }

    /// Somebody's address is `{subject}@mail.example` from now on; answers the code that is mailed to it.
    pub async fn mailed_code(
        &self,
        subject: &str,
        mails: impl Fn() -> anyhow::Result<Vec<String>>,
    ) -> anyhow::Result<String> {
        let preferences = &mut self.person(subject).preferences;
        let address = format!("{subject}@mail.example");
        let update = UpdatePreferencesRequest {
            preferences: Some(Preferences {
                email: address.clone(),
                ..Default::default()
            }),
            ..Default::default()
        };
        preferences.update_preferences(update).await?;
        preferences
            .send_verification(SendVerificationRequest::default())
            .await?;
        until("the code is mailed", async || {
            let to = format!("To: {address}");
            Ok(mails()?
                .iter()
                .filter(|mail| mail.contains(&to))
                .find_map(|mail| code(mail)))
        })
        .await
    }
}

/// The code in a mail: a line of 40 hexadecimal digits.
fn code(mail: &str) -> Option<String> {
    let code = |line: &&str| line.len() == 40 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
    mail.lines()
        .map(str::trim_end)
        .find(code)
        .map(str::to_owned)
}

fn member(parent: &str, name: &str, role: MemberRole) -> Member {
    Member {
        name: format!("{parent}/members/{name}"),
        kind: MemberKind::User as i32,
        principal: format!("{ISSUER}|{name}"),
        display_name: format!("{}{} of {parent}", name[..1].to_uppercase(), &name[1..]),
        roles: vec![role as i32],
        ..Default::default()
    }
}

/// Facts of a publisher that may sell everything.
fn eligible() -> ProgrammeFacts {
    ProgrammeFacts {
        enrolled: true,
        agreement_version: "2026-01".into(),
        membership: MembershipState::Active as i32,
        vetting_authorized: true,
        tax_profile_valid: true,
        payout_profile_valid: true,
        virtual_machine_billing: true,
        ..Default::default()
    }
}

fn page_id(page: &page::Page) -> PageId {
    match page {
        page::Page::OfferSetup(_) => PageId::OfferSetup,
        page::Page::Properties(_) => PageId::Properties,
        page::Page::OfferListing(_) => PageId::OfferListing,
        page::Page::PreviewAudience(_) => PageId::PreviewAudience,
        page::Page::TechnicalConfiguration(_) => PageId::TechnicalConfiguration,
        page::Page::ResellThroughCsps(_) => PageId::ResellThroughCsps,
        page::Page::CoSell(_) => PageId::CoSell,
        page::Page::SupplementalContent(_) => PageId::SupplementalContent,
        page::Page::PlanListing(_) => PageId::PlanListing,
        page::Page::PlanPricing(_) => PageId::PlanPricingAndAvailability,
        page::Page::PlanTechnicalConfiguration(_) => PageId::PlanTechnicalConfiguration,
    }
}

/// Drafts name assets by their last segment; pages hold whole names.
fn with_asset_names(page: page::Page, offer: &str) -> page::Page {
    let name = |asset: &str| {
        if asset.is_empty() {
            String::new()
        } else {
            format!("{offer}/assets/{asset}")
        }
    };
    match page {
        page::Page::OfferListing(mut listing) => {
            listing.large_logo = name(&listing.large_logo);
            for screenshot in &mut listing.screenshots {
                screenshot.asset = name(&screenshot.asset);
            }
            page::Page::OfferListing(listing)
        }
        other => other,
    }
}
