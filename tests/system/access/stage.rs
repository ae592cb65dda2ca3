//! What the requests of the table are about: an offer of contoso in every state that some RPC wants.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use marketplace_proto::certification::v1::{ClaimCaseRequest, RejectCaseRequest};
use marketplace_proto::notification::v1::ListActionItemsRequest;
use marketplace_proto::offercatalog::v1::*;
use marketplace_proto::publishing::v1::*;
use system_tests::drafts::{self, Draft};
use system_tests::{ISSUER, Marketplace, until};

pub struct Stage<'m> {
    market: &'m Marketplace,
    number: AtomicUsize,
    known: BTreeMap<&'static str, String>,
}

impl<'m> Stage<'m> {
    /// Makes contoso with all its people, a live offer of it, and a rejected one.
    pub async fn set(market: &'m Marketplace) -> anyhow::Result<Self> {
        for publisher in ["contoso", "granting"] {
            market.publisher(publisher).await?;
            join(market, publisher, "ivan", MemberRole::Developer).await?;
        }
        market
            .staff("oscar", "operator")
            .publishers
            .create_publisher(CreatePublisherRequest {
                publisher_id: "fabrikam".into(),
                display_name: "Fabrikam".into(),
                owner: Some(Member {
                    name: "publishers/fabrikam/members/olga".into(),
                    kind: MemberKind::User as i32,
                    principal: format!("{ISSUER}|olga"),
                    display_name: "Olga".into(),
                    roles: vec![MemberRole::Owner as i32],
                    ..Default::default()
                }),
                ..Default::default()
            })
            .await?;
        let mut stage = Self {
            market,
            number: AtomicUsize::new(0),
            known: BTreeMap::new(),
        };
        let (offer, submission) = market
            .publish_live("contoso", "forge", with_private_plan(drafts::container()))
            .await?;
        let now = market.submission(&submission).await?;
        let logo = GetAssetRequest {
            name: format!("{offer}/assets/logo"),
        };
        let logo = market
            .person("ada")
            .assets
            .get_asset(logo)
            .await?
            .into_inner()
            .asset
            .unwrap_or_default();
        let item = until("ada has an item that can be put away", async || {
            let list = ListActionItemsRequest {
                offer: offer.clone(),
                ..Default::default()
            };
            let items = market
                .person("ada")
                .action_center
                .list_action_items(list)
                .await?
                .into_inner()
                .items;
            Ok(items.into_iter().next_back().map(|item| item.name))
        })
        .await?;
        let failed = stage.failed().await?;
        let cases = marketplace_proto::certification::v1::ListCasesRequest {
            offer: offer.clone(),
            ..Default::default()
        };
        let cases = market
            .person("ada")
            .certification
            .list_cases(cases)
            .await?
            .into_inner()
            .cases;
        let live_id = offer.rsplit('/').next().unwrap_or_default().to_owned();
        stage.known = BTreeMap::from([
            ("private_plan", format!("{offer}/plans/private")),
            ("snapshot", now.snapshot),
            ("digest", logo.digest),
            ("item", item),
            ("failed", failed.clone()),
            (
                "case",
                cases
                    .first()
                    .map(|case| case.name.clone())
                    .unwrap_or_default(),
            ),
            ("etag", stage.etag(&offer).await?),
            (
                "logo",
                base64::engine::general_purpose::STANDARD.encode(drafts::png(300, 300, 11)),
            ),
            ("nothing", uuid::Uuid::nil().to_string()),
            ("submission", submission.clone()),
            ("offer", offer.clone()),
            // What those who are refused are refused about.
            ("fresh_member", "publishers/contoso/members/max".into()),
            (
                "fresh_grant",
                "publishers/granting/grants/00000000-0000-7000-8000-000000000000".into(),
            ),
            ("fresh_offer", offer.clone()),
            ("fresh_sold", offer.clone()),
            ("fresh_plan", format!("{offer}/plans/byol")),
            ("fresh_asset", format!("{offer}/assets/logo")),
            (
                "fresh_case",
                cases
                    .first()
                    .map(|case| case.name.clone())
                    .unwrap_or_default(),
            ),
            (
                "fresh_claimed",
                cases
                    .first()
                    .map(|case| case.name.clone())
                    .unwrap_or_default(),
            ),
            ("fresh_draft", offer.clone()),
            ("fresh_etag", "1".into()),
            ("fresh_running", submission.clone()),
            ("fresh_preview", submission.clone()),
            ("fresh_scheduled", submission),
            ("fresh_live", offer.clone()),
            ("fresh_live_id", live_id),
            ("fresh_stopping", offer.clone()),
            ("fresh_stopped", offer),
            ("fresh_failed", failed),
        ]);
        Ok(stage)
    }

    /// The request with its `{…}` filled in; `succeeds`: about something made for this call.
    pub async fn request(&self, template: &str, succeeds: bool) -> anyhow::Result<String> {
        let mut values: BTreeMap<&str, String> = self
            .known
            .iter()
            .map(|(name, value)| (*name, value.clone()))
            .collect();
        if succeeds {
            self.freshen(template, &mut values).await?;
        }
        values.insert("n", self.next().to_string());
        let mut text = template.to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), &value);
        }
        Ok(text)
    }

    async fn freshen(
        &self,
        template: &str,
        values: &mut BTreeMap<&str, String>,
    ) -> anyhow::Result<()> {
        let names: Vec<&'static str> = self
            .known
            .keys()
            .copied()
            .filter(|name| name.starts_with("fresh_"))
            .collect();
        for name in names
            .into_iter()
            .filter(|name| template.contains(&format!("{{{name}}}")))
        {
            let value = match name {
                "fresh_member" => self.member().await?,
                "fresh_grant" => self.grant().await?,
                "fresh_offer" => self.draft(drafts::saas_free_trial()).await?,
                "fresh_sold" => self.draft(drafts::container()).await?,
                "fresh_plan" => format!("{}/plans/byol", self.draft(drafts::container()).await?),
                "fresh_asset" => format!(
                    "{}/assets/logo",
                    self.draft(drafts::saas_free_trial()).await?
                ),
                "fresh_case" => self.market.case_of(&self.running().await?).await?.name,
                "fresh_claimed" => self.claimed().await?,
                "fresh_draft" => {
                    let offer = self.draft(drafts::saas_free_trial()).await?;
                    values.insert("fresh_etag", self.etag(&offer).await?);
                    offer
                }
                "fresh_running" => self.running().await?,
                "fresh_preview" => self.preview().await?,
                "fresh_scheduled" => self.scheduled().await?,
                "fresh_live" => {
                    let offer = self.live(drafts::container()).await?;
                    values.insert(
                        "fresh_live_id",
                        offer.rsplit('/').next().unwrap_or_default().to_owned(),
                    );
                    offer
                }
                "fresh_stopping" => self.stopping().await?,
                "fresh_stopped" => self.stopped().await?,
                "fresh_failed" => self.failed().await?,
                _ => continue,
            };
            values.insert(name, value);
        }
        Ok(())
    }

    fn next(&self) -> usize {
        self.number.fetch_add(1, Ordering::Relaxed)
    }

    async fn etag(&self, offer: &str) -> anyhow::Result<String> {
        Ok(self.market.publish_request(offer).await?.etag)
    }

    async fn draft(&self, draft: Draft) -> anyhow::Result<String> {
        self.market
            .draft("contoso", &format!("fresh-{}", self.next()), draft)
            .await
    }

    async fn member(&self) -> anyhow::Result<String> {
        let name = format!("leaver-{}", self.next());
        join(self.market, "contoso", &name, MemberRole::Developer).await?;
        Ok(format!("publishers/contoso/members/{name}"))
    }

    async fn grant(&self) -> anyhow::Result<String> {
        let grant = GrantOperatorRequest {
            parent: "publishers/granting".into(),
            reason: "help".into(),
            ..Default::default()
        };
        Ok(self
            .market
            .person("ada")
            .publishers
            .grant_operator(grant)
            .await?
            .into_inner()
            .grant
            .unwrap_or_default()
            .name)
    }

    async fn running(&self) -> anyhow::Result<String> {
        let submission = self
            .market
            .publish(&self.draft(drafts::container()).await?)
            .await?;
        self.market.case_of(&submission).await?;
        Ok(submission)
    }

    /// A case that `rita` holds.
    async fn claimed(&self) -> anyhow::Result<String> {
        let name = self.market.case_of(&self.running().await?).await?.name;
        let claim = ClaimCaseRequest {
            name: name.clone(),
            request_id: String::new(),
        };
        self.market
            .staff("rita", "reviewer")
            .reviews
            .claim_case(claim)
            .await?;
        Ok(name)
    }

    async fn preview(&self) -> anyhow::Result<String> {
        let submission = self
            .market
            .publish(&self.draft(drafts::saas_free_trial()).await?)
            .await?;
        self.market
            .until_state(&submission, SubmissionState::AwaitingSignOff)
            .await?;
        Ok(submission)
    }

    async fn scheduled(&self) -> anyhow::Result<String> {
        let submission = self.preview().await?;
        let tomorrow = marketplace_runtime::clock::now() + time::Duration::days(1);
        let go = GoLiveRequest {
            submission: submission.clone(),
            acknowledge_warnings: true,
            go_live_at: Some(prost_types::Timestamp {
                seconds: tomorrow.unix_timestamp(),
                nanos: 0,
            }),
            ..Default::default()
        };
        self.market.person("ada").publishing.go_live(go).await?;
        Ok(submission)
    }

    async fn live(&self, draft: Draft) -> anyhow::Result<String> {
        let offer = self.draft(draft).await?;
        let submission = self.market.publish(&offer).await?;
        self.market.finish(&submission).await?;
        Ok(offer)
    }

    /// Live with two plans, one of which is to be stopped.
    async fn stopping(&self) -> anyhow::Result<String> {
        let offer = self.live(with_second_plan(drafts::container())).await?;
        let stop = StopDistributionRequest {
            offer: offer.clone(),
            plan_id: "byol".into(),
            confirm: "byol".into(),
            ..Default::default()
        };
        self.market
            .person("ada")
            .publishing
            .stop_distribution(stop)
            .await?;
        Ok(offer)
    }

    async fn stopped(&self) -> anyhow::Result<String> {
        let offer = self.stopping().await?;
        let submission = self.market.publish(&offer).await?;
        self.market.finish(&submission).await?;
        Ok(offer)
    }

    async fn failed(&self) -> anyhow::Result<String> {
        let submission = self.running().await?;
        let name = self.market.case_of(&submission).await?.name;
        let mut rita = self.market.staff("rita", "reviewer");
        rita.reviews
            .claim_case(ClaimCaseRequest {
                name: name.clone(),
                request_id: String::new(),
            })
            .await?;
        let finding = marketplace_proto::certification::v1::Finding {
            code: "AUDIENCE_MISSING".into(),
            policy: "100.1.3".into(),
            page: "offer_listing".into(),
            field_path: "description".into(),
            remedy: "Say for whom it is.".into(),
            ..Default::default()
        };
        let reject = RejectCaseRequest {
            name,
            notes: "Say for whom it is.".into(),
            findings: vec![finding],
            request_id: String::new(),
        };
        rita.reviews.reject_case(reject).await?;
        until("the submission has failed", async || {
            let now = self.market.submission(&submission).await?;
            Ok((now.state() == SubmissionState::Failed).then_some(()))
        })
        .await?;
        Ok(submission)
    }
}

async fn join(
    market: &Marketplace,
    publisher: &str,
    name: &str,
    role: MemberRole,
) -> anyhow::Result<()> {
    let member = Member {
        kind: MemberKind::User as i32,
        principal: format!("{ISSUER}|{name}"),
        display_name: name.into(),
        roles: vec![role as i32],
        ..Default::default()
    };
    let create = CreateMemberRequest {
        parent: format!("publishers/{publisher}"),
        member_id: name.into(),
        member: Some(member),
        request_id: String::new(),
    };
    market
        .person("ada")
        .publishers
        .create_member(create)
        .await?;
    Ok(())
}

fn with_second_plan(mut draft: Draft) -> Draft {
    let mut second = draft.plans[0].clone();
    (second.0, second.1) = ("second", "Second edition");
    for page in &mut second.2 {
        if let page::Page::PlanListing(listing) = page {
            listing.summary = "The forge with extended support".into();
            listing.description =
                "The same image with an answer to questions within four hours, on every day."
                    .into();
        }
    }
    draft.plans.push(second);
    draft
}

fn with_private_plan(draft: Draft) -> Draft {
    let mut draft = with_second_plan(draft);
    draft.plans[1].0 = "private";
    draft.plans[1].1 = "For one customer";
    for page in &mut draft.plans[1].2 {
        if let page::Page::PlanPricing(pricing) = page {
            pricing.audience = PlanAudience::Private as i32;
            pricing.private_audience = vec![AudienceMember {
                kind: AudienceIdKind::Tenant as i32,
                id: "c2f8d0b4-1f7e-4f5e-9d1c-6b1f0a2e7d55".into(),
                label: "The customer".into(),
            }];
        }
    }
    draft
}
