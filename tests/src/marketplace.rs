//! The whole system of one test, and what people do in it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use marketplace_proto::certification::v1::{
    ApproveCaseRequest, Case, ClaimCaseRequest, ListReviewQueueRequest,
};
use marketplace_proto::history::v1::{HistoryEvent, ListEventsRequest};
use marketplace_proto::offercatalog::v1::*;
use marketplace_proto::publishing::v1::*;
use serde_json::json;
use sqlx::Connection;

use crate::drafts::Draft;
use crate::{Child, Clients, ISSUER, SERVICES, Servers, Signer, binary, schema};

/// How the system of a test differs from the plain one.
#[derive(Clone, Default)]
pub struct Options {
    /// Environment of every service on top of the usual.
    pub environment: Vec<(&'static str, String)>,
    /// Replicas of the pipeline; 0 counts as 1. The second's port is in [`Marketplace::twin_port`].
    pub pipelines: usize,
    /// Replaces host and port of the broker: a proxy's.
    pub broker: Option<std::net::SocketAddr>,
    /// Replaces host and port of the database: a proxy's.
    pub postgres: Option<std::net::SocketAddr>,
    /// Starts no service yet.
    pub stopped: bool,
}

/// Five services over a database and a vhost of their own.
pub struct Marketplace {
    /// Database and vhost.
    pub servers: Servers,
    /// Signs every token.
    pub signer: Signer,
    /// The services, in the order of [`SERVICES`], then further replicas.
    pub children: Vec<Child>,
    /// Ports of the five.
    pub ports: [u16; 5],
    /// Files of this test: logs, mails, assets, keys.
    pub folder: PathBuf,
}

impl Marketplace {
    /// Starts everything and waits until it serves.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(Options::default()).await
    }

    /// The same with options.
    pub async fn start_with(options: Options) -> anyhow::Result<Self> {
        marketplace_runtime::crypto::install();
        let servers = Servers::fresh().await?;
        let folder = binary("history")?
            .with_file_name("system-tests")
            .join(&servers.database);
        std::fs::create_dir_all(folder.join("mail"))?;
        std::fs::create_dir_all(folder.join("assets"))?;
        let signer = Signer::new()?;
        std::fs::write(folder.join("key.pem"), &signer.pem)?;
        std::fs::write(folder.join("jwks.json"), signer.jwks.to_string())?;
        std::fs::write(folder.join("issuers.json"), issuers().to_string())?;
        let ports = free_ports()?;
        let mut market = Self {
            servers,
            signer,
            children: Vec::new(),
            ports,
            folder,
        };
        for (service, port) in SERVICES.into_iter().zip(ports) {
            market.add(service, port, &options)?;
        }
        for _ in 1..options.pipelines {
            let [port, ..] = free_ports()?;
            market.add("publishing-pipeline", port, &options)?;
        }
        if options.stopped {
            for child in &mut market.children {
                child.kill().await?;
            }
        } else {
            market.until_serving().await?;
        }
        Ok(market)
    }

    fn add(&mut self, service: &'static str, port: u16, options: &Options) -> anyhow::Result<()> {
        let environment = self.environment(service, port, options)?;
        let log = self.folder.join(format!("{service}-{port}.log"));
        self.children
            .push(Child::start(service, port, environment, log)?);
        Ok(())
    }

    fn environment(
        &self,
        service: &str,
        port: u16,
        options: &Options,
    ) -> anyhow::Result<BTreeMap<String, String>> {
        let mut database = url::Url::parse(
            &self
                .servers
                .database_url(&format!("{}_app", schema(service)))?,
        )?;
        let mut broker = url::Url::parse(&self.servers.amqp)?;
        for (url, proxy) in [
            (&mut database, options.postgres),
            (&mut broker, options.broker),
        ] {
            if let Some(proxy) = proxy {
                ensure!(
                    url.set_host(Some(&proxy.ip().to_string())).is_ok()
                        && url.set_port(Some(proxy.port())).is_ok()
                );
            }
        }
        let file = |name: &str| self.folder.join(name).display().to_string();
        let mut environment = BTreeMap::from([
            ("LISTEN".to_owned(), format!("127.0.0.1:{port}")),
            ("DATABASE_URL".to_owned(), database.into()),
            ("DATABASE_MAX_CONNECTIONS".to_owned(), "8".to_owned()),
            ("AMQP_URL".to_owned(), broker.into()),
            ("AUTH_ISSUERS_FILE".to_owned(), file("issuers.json")),
            ("SERVICE_KEY_FILE".to_owned(), file("key.pem")),
            ("LOCAL".to_owned(), "1".to_owned()),
            ("LOG_FORMAT".to_owned(), "pretty".to_owned()),
            (
                "SECRET_KEYS".to_owned(),
                "test:WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=".to_owned(),
            ),
            ("BLOB_FOLDER".to_owned(), file("assets")),
            ("MAIL_DIR".to_owned(), file("mail")),
            (
                "PORTAL_URL".to_owned(),
                "https://portal.marketplace.example".to_owned(),
            ),
        ]);
        let neighbours = [
            "CATALOG_URL",
            "CERTIFICATION_URL",
            "PUBLISHING_URL",
            "HISTORY_URL",
            "NOTIFICATION_URL",
        ];
        for (name, port) in neighbours.into_iter().zip(self.ports) {
            environment.insert(name.to_owned(), format!("http://127.0.0.1:{port}"));
        }
        environment.extend(
            options
                .environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        Ok(environment)
    }

    /// Waits until every service serves.
    pub async fn until_serving(&mut self) -> anyhow::Result<()> {
        for child in &mut self.children {
            child.until_serving().await?;
        }
        Ok(())
    }

    /// The first process of a service.
    pub fn child(&mut self, service: &str) -> &mut Child {
        self.children
            .iter_mut()
            .find(|child| child.service == service)
            .expect("all five are there")
    }

    /// Port of the second pipeline.
    pub fn twin_port(&self) -> u16 {
        self.children.last().expect("there are replicas").port
    }

    /// What somebody can call: a member by subject, for example `ada`.
    pub fn person(&self, subject: &str) -> Clients {
        self.speaker(subject, &json!({}))
    }

    /// Somebody with a platform role: `operator`, `reviewer`, `service`.
    pub fn staff(&self, subject: &str, role: &str) -> Clients {
        self.speaker(subject, &json!({"roles": [role]}))
    }

    /// Somebody whose token says more.
    pub fn speaker(&self, subject: &str, claims: &serde_json::Value) -> Clients {
        Clients::new(self.ports, Some(&self.signer.token(subject, claims)))
            .expect("loopback addresses are valid")
    }

    /// Somebody without a token.
    pub fn anybody(&self) -> Clients {
        Clients::new(self.ports, None).expect("loopback addresses are valid")
    }

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

    /// `rita` finds the submission's case in her queue.
    pub async fn case_of(&self, submission: &str) -> anyhow::Result<Case> {
        let mut rita = self.staff("rita", "reviewer");
        until("the case awaits review", async || {
            let queue = rita
                .reviews
                .list_review_queue(ListReviewQueueRequest {
                    page_size: 1_000,
                    ..Default::default()
                })
                .await?;
            Ok(queue
                .into_inner()
                .cases
                .into_iter()
                .find(|case| case.submission == submission))
        })
        .await
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
                SubmissionState::AwaitingSignOff => self.go_live(submission).await?,
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

    /// Mails written so far.
    pub fn mails(&self) -> anyhow::Result<Vec<String>> {
        let mut mails = Vec::new();
        for entry in std::fs::read_dir(self.folder.join("mail"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "eml") {
                mails.push(std::fs::read_to_string(path)?);
            }
        }
        Ok(mails)
    }

    /// Waits until nothing is told that wasn't published, and fails if any message was given up.
    pub async fn settled(&self) -> anyhow::Result<()> {
        let mut db = self.servers.superuser().await?;
        for service in SERVICES {
            let schema = schema(service);
            let dead: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                "SELECT type || ': ' || reason FROM {schema}.dead_letters"
            )))
            .fetch_all(&mut db)
            .await?;
            ensure!(dead.is_empty(), "{service} gave messages up: {dead:?}");
        }
        db.close().await?;
        let db = tokio::sync::Mutex::new(self.servers.superuser().await?);
        until("every outbox is empty", async || {
            let mut left = 0_i64;
            for service in SERVICES {
                let count = format!("SELECT count(*) FROM {}.outbox", schema(service));
                left += sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(count))
                    .fetch_one(&mut *db.lock().await)
                    .await?;
            }
            Ok((left == 0).then_some(()))
        })
        .await
    }

    /// Stops everything; fails unless every service ended well with nothing left to say and nothing given up.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.settled().await?;
        for child in &mut self.children {
            let status = child.terminate().await?;
            ensure!(
                status.success(),
                "{} ended with {status}\n{}",
                child.service,
                child.log_tail()
            );
        }
        self.servers.drop_all().await?;
        std::fs::remove_dir_all(&self.folder)?;
        Ok(())
    }
}

/// Asks again and again, for at most 30 s, until there is an answer.
pub async fn until<T>(
    what: &str,
    mut ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(answer) = ask()
            .await
            .with_context(|| format!("while waiting until {what}"))?
        {
            return Ok(answer);
        }
        ensure!(
            tokio::time::Instant::now() < deadline,
            "30 s passed before {what}"
        );
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
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
pub fn eligible() -> ProgrammeFacts {
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

fn issuers() -> serde_json::Value {
    json!([{
        "issuer": ISSUER, "audience": crate::AUDIENCE, "jwks_file": "jwks.json",
        "roles": ["operator", "reviewer", "service"],
        "claims": {"roles": "roles", "tenant": "tenant", "subscriptions": "subscriptions"},
    }])
}

/// Five free ports below the range that the kernel gives to outgoing connections: a service that was killed must find
/// its port free when it comes back.
fn free_ports() -> anyhow::Result<[u16; 5]> {
    let mut held = Vec::new();
    for _ in 0..1_000 {
        let random = u16::from_le_bytes(uuid::Uuid::new_v4().as_bytes()[..2].try_into()?);
        held.extend(std::net::TcpListener::bind((
            "127.0.0.1",
            10_000 + random % 22_000,
        )));
        if held.len() == 5 {
            break;
        }
    }
    let ports = held
        .iter()
        .map(|listener| Ok(listener.local_addr()?.port()))
        .collect::<std::io::Result<Vec<_>>>()?;
    ports
        .try_into()
        .map_err(|_| anyhow::anyhow!("no five free ports were found"))
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
