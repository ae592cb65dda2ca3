//! What the requests of the table are about: offers of contoso in every state that some RPC wants.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;

use base64::Engine as _;
use marketplace_proto::certification::v1::ListCasesRequest;
use marketplace_proto::notification::v1::ListActionItemsRequest;
use marketplace_proto::offercatalog::v1::*;
use sqlx::Connection;
use system_tests::drafts;
use system_tests::{ISSUER, Marketplace, until};

/// Plans of `forge` beside the two that stay: each is stopped once.
const SALES: [&str; 4] = ["sale-0", "sale-1", "sale-2", "sale-3"];

pub struct Stage<'m> {
    pub(super) market: &'m Marketplace,
    pub(super) number: AtomicUsize,
    pub(super) sales: AtomicUsize,
    pub(super) regrets: AtomicUsize,
    pub(super) known: BTreeMap<&'static str, String>,
}

impl<'m> Stage<'m> {
    /// Makes three publishers with their people, and for contoso: a live offer, one with stopped plans, a failed
    /// submission, previews, a draft, and one whose customers leave their details, which go to `crm`.
    pub async fn set(market: &'m Marketplace, crm: &str) -> anyhow::Result<Self> {
        let mut stage = Self {
            market,
            number: AtomicUsize::new(0),
            sales: AtomicUsize::new(0),
            regrets: AtomicUsize::new(0),
            known: BTreeMap::new(),
        };
        people(market).await?;
        stage.grant().await?;
        let forge = forge();
        let (live, contact, regretted, failed, preview, warned, sold) = tokio::try_join!(
            market.publish_live("contoso", "forge", forge),
            market.publish_live("contoso", "contact", drafts::saas_contact_me(crm)),
            stage.regretted(),
            stage.failed(),
            stage.preview("contoso", drafts::saas_free_trial()),
            stage.preview("contoso", in_german(drafts::saas_free_trial())),
            stage.draft("contoso", drafts::container()),
        )?;
        let known = [
            ("regretted", regretted),
            ("preview_offer", offer_of(&preview).to_owned()),
            ("fresh_failed", failed.clone()),
            ("troubled", offer_of(&failed).to_owned()),
            ("failed", failed),
            ("fresh_scheduled", preview.clone()),
            ("preview", preview),
            ("warned", warned),
            ("sold", sold),
            ("lead", lead(market, &contact.0).await?),
            ("contact", contact.0),
        ];
        stage.known = BTreeMap::from(known);
        stage.trouble().await?;
        stage.know(live.0, live.1).await?;
        Ok(stage)
    }

    /// Opens an incident of the offer that failed: operators may correct it without a grant, and do nothing else (RO-7).
    async fn trouble(&self) -> anyhow::Result<()> {
        let failed = self.known["failed"].rsplit('/').next().unwrap_or_default();
        let mut db = self.market.servers.database.superuser().await?;
        let open = "UPDATE publishing.publications SET incident = true WHERE failed = $1::uuid RETURNING incident";
        let opened: bool = sqlx::query_scalar(open)
            .bind(failed)
            .fetch_one(&mut db)
            .await?;
        anyhow::ensure!(opened);
        Ok(db.close().await?)
    }

    /// What there is to know of the live offer, and what those who are refused are refused about.
    async fn know(&mut self, offer: String, submission: String) -> anyhow::Result<()> {
        let case = self.case(&offer).await?;
        let base64 = base64::engine::general_purpose::STANDARD;
        let more = [
            ("private_plan", format!("{offer}/plans/private")),
            (
                "snapshot",
                self.market.submission(&submission).await?.snapshot,
            ),
            (
                "digest",
                self.digest(&format!("{offer}/assets/logo")).await?,
            ),
            ("hidden", self.digest(&self.asset(&offer).await?).await?),
            ("item", self.item(&offer).await?),
            ("logo", base64.encode(drafts::png(300, 300, 11))),
            ("nothing", uuid::Uuid::nil().to_string()),
            ("fresh_member", "publishers/contoso/members/max".into()),
            ("fresh_listed", "publishers/contoso/members/max".into()),
            (
                "fresh_grant",
                format!("publishers/granting/grants/{}", uuid::Uuid::nil()),
            ),
            ("fresh_granting", submission.clone()),
            ("fresh_blocked", submission.clone()),
            ("blocked_step", "final-publish".into()),
            ("fresh_live_leg", submission.clone()),
            ("fresh_code", "0".repeat(40)),
            ("fresh_dead_letter", uuid::Uuid::nil().to_string()),
            ("preview_token", self.preview_token().await?),
            ("fresh_offer", offer.clone()),
            ("fresh_plan", format!("{offer}/plans/byol")),
            ("fresh_asset", format!("{offer}/assets/logo")),
            ("upload", self.upload(&offer).await?),
            ("fresh_upload", format!("{offer}/uploads/nothing")),
            ("fresh_case", case.clone()),
            ("fresh_claimed", case.clone()),
            ("case", case),
            ("fresh_draft", offer.clone()),
            ("fresh_etag", "1".into()),
            ("fresh_running", submission.clone()),
            ("dry_run", self.ended_dry_run(&offer).await?),
            (
                "fresh_dry_run",
                format!("{offer}/dryRuns/{}", uuid::Uuid::nil()),
            ),
            ("fresh_preview", submission.clone()),
            ("fresh_sale", "byol".into()),
            ("fresh_pause", "byol".into()),
            ("fresh_regret", "byol".into()),
            ("etag", self.etag(&offer).await?),
            ("batch", self.batch(&offer).await?),
            ("submission", submission),
            ("offer", offer),
        ];
        self.known.extend(more);
        Ok(())
    }

    /// The request of somebody with its `{…}` filled in; `succeeds`: about something made for this call.
    pub async fn request(
        &self,
        template: &str,
        succeeds: bool,
        subject: &str,
    ) -> anyhow::Result<String> {
        self.wake_certification()?;
        let mut values = self.known.clone();
        values.insert("subject", subject.to_owned());
        values.insert("n", self.next().to_string());
        let names = |name: &&&str| template.contains(&format!("{{{name}}}"));
        for name in self.known.keys().filter(names).filter(|_| succeeds) {
            Box::pin(self.freshen(name, &mut values)).await?;
        }
        let fill = |text: String, (name, value): (&str, String)| {
            text.replace(&format!("{{{name}}}"), &value)
        };
        Ok(values.into_iter().fold(template.to_owned(), fill))
    }

    async fn freshen(
        &self,
        name: &'static str,
        values: &mut BTreeMap<&'static str, String>,
    ) -> anyhow::Result<()> {
        let sold = &self.known["sold"];
        let value = match name {
            "etag" => self.etag(&self.known["offer"]).await?,
            "fresh_member" => self.member().await?,
            "fresh_listed" => self.listed(&self.known["offer"]).await?,
            "fresh_grant" => self.grant().await?,
            "fresh_granting" => self.preview("granting", drafts::saas_free_trial()).await?,
            "fresh_offer" => self.empty().await?,
            "fresh_plan" => self.plan(sold).await?,
            "fresh_asset" => self.asset(sold).await?,
            "fresh_upload" => self.upload(sold).await?,
            "fresh_case" => self.market.case_of(&self.running().await?).await?.name,
            "fresh_claimed" => Box::pin(self.claimed()).await?,
            "fresh_draft" => {
                let offer = self.draft("contoso", drafts::saas_free_trial()).await?;
                values.insert("fresh_etag", self.etag(&offer).await?);
                offer
            }
            "fresh_running" => self.running().await?,
            "fresh_dry_run" => self.dry_run(&self.known["offer"]).await?,
            "fresh_preview" => self.preview("contoso", drafts::saas_free_trial()).await?,
            "fresh_scheduled" => self.scheduled(&self.known["preview"]).await?,
            "fresh_sale" => SALES[Self::turn(&self.sales)].to_owned(),
            "fresh_pause" => self.paused(&self.known["offer"], "paused").await?,
            "fresh_regret" => super::fresh::REGRETS[Self::turn(&self.regrets)].to_owned(),
            "fresh_failed" => self.failed().await?,
            "fresh_code" => {
                let mails = || self.market.mails();
                self.market.mailed_code(&values["subject"], mails).await?
            }
            "fresh_blocked" => {
                let (submission, step) = self.blocked().await?;
                values.insert("blocked_step", step);
                submission
            }
            "fresh_live_leg" => self.live_leg().await?,
            "fresh_dead_letter" => Box::pin(self.dead_letter()).await?,
            _ => return Ok(()),
        };
        values.insert(name, value);
        Ok(())
    }

    async fn case(&self, offer: &str) -> anyhow::Result<String> {
        let list = ListCasesRequest {
            offer: offer.into(),
            ..Default::default()
        };
        let mut ada = self.market.person("ada");
        let cases = ada.certification.list_cases(list).await?.into_inner().cases;
        Ok(cases
            .into_iter()
            .next()
            .map(|case| case.name)
            .unwrap_or_default())
    }

    async fn digest(&self, asset: &str) -> anyhow::Result<String> {
        let get = GetAssetRequest { name: asset.into() };
        let asset = self
            .market
            .person("ada")
            .assets
            .get_asset(get)
            .await?
            .into_inner()
            .asset;
        Ok(asset.unwrap_or_default().digest)
    }

    async fn item(&self, offer: &str) -> anyhow::Result<String> {
        let list = ListActionItemsRequest {
            offer: offer.into(),
            ..Default::default()
        };
        until("ada has an item that can be put away", async || {
            let mut ada = self.market.person("ada");
            let items = ada
                .action_center
                .list_action_items(list.clone())
                .await?
                .into_inner()
                .items;
            Ok(items.into_iter().next_back().map(|item| item.name))
        })
        .await
    }
}

/// The offer of a submission.
fn offer_of(submission: &str) -> &str {
    submission
        .split_once("/submissions/")
        .map_or("", |(offer, _)| offer)
}

/// contoso, whose things the table is about; granting, which permits operators to act for it; fabrikam, olga's.
async fn people(market: &Marketplace) -> anyhow::Result<()> {
    for publisher in ["contoso", "granting"] {
        market.publisher(publisher).await?;
        join(market, publisher, "ivan").await?;
    }
    let owner = Member {
        name: "publishers/fabrikam/members/olga".into(),
        kind: MemberKind::User as i32,
        principal: format!("{ISSUER}|olga"),
        display_name: "Olga".into(),
        roles: vec![MemberRole::Owner as i32],
        ..Default::default()
    };
    let create = CreatePublisherRequest {
        publisher_id: "fabrikam".into(),
        display_name: "Fabrikam".into(),
        owner: Some(owner),
        ..Default::default()
    };
    market
        .staff("oscar", "operator")
        .publishers
        .create_publisher(create)
        .await?;
    Ok(())
}

/// A developer more.
pub async fn join(market: &Marketplace, publisher: &str, name: &str) -> anyhow::Result<()> {
    let member = Member {
        kind: MemberKind::User as i32,
        principal: format!("{ISSUER}|{name}"),
        display_name: name.into(),
        roles: vec![MemberRole::Developer as i32],
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

/// With a plan for one customer, one to pause, and those of [`SALES`].
fn forge() -> drafts::Draft {
    let draft = drafts::container();
    let mut draft = drafts::with_plans(draft, ["private", "paused"].into_iter().chain(SALES));
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

/// Offer validation has something to say about it: nowhere does it say in English that it is in German (CV-4).
fn in_german(mut draft: drafts::Draft) -> drafts::Draft {
    for page in &mut draft.pages {
        if let page::Page::OfferListing(listing) = page {
            listing.description = GERMAN.into();
        }
    }
    draft
}

const GERMAN: &str = "<p>Contoso Forge bewahrt die Git-Repositorys Ihrer Abteilung auf, begleitet die Durchsicht jeder \
Änderung und hält offene Aufgaben an einer Stelle fest.</p><p>Die Anwendung läuft in der Cloud und meldet Ihre Leute mit \
Microsoft Entra ID an. Wer bisher mehrere Werkzeuge brauchte, findet hier alte Entscheidungen wieder, weil Quelltext, \
Gespräche und Builds miteinander verknüpft sind, und sieht neue Änderungen noch am selben Tag durch.</p>";

/// The name of a lead that a customer has left.
async fn lead(market: &Marketplace, offer: &str) -> anyhow::Result<String> {
    let contact = LeadContact {
        first_name: "Cleo".into(),
        last_name: "Customer".into(),
        email: "cleo@customer.example".into(),
        country: "US".into(),
        ..Default::default()
    };
    let submit = SubmitLeadRequest {
        offer: offer.into(),
        contact: Some(contact),
        ..Default::default()
    };
    let mut cleo = market.person("cleo");
    Ok(cleo.listings.submit_lead(submit).await?.into_inner().lead)
}
