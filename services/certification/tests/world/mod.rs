//! A database with the service's commands in the words of the tests.

use certification::{
    Error, commands,
    domain::{
        Blocks, Case, CheckResult, Finding, Job, JobKind, Level, Mode, Opening, Order, OrderKey,
        Outcome, Ruling, Severity, Switches,
    },
    store::{self, QueueFilter},
};
use marketplace_messaging::{Database, Work};
use marketplace_proto::certification::v1::{CertificationEvent, certification_event::Event};
use marketplace_runtime::{
    access::{Access, Membership, Permission, Scope, Target},
    identity::Caller,
};
use prost::Message;
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

use crate::database::Fresh;

pub const NOW: OffsetDateTime = datetime!(2026-11-20 12:00 UTC);
pub const APPLICATION: &str = "0f3b1f6a-52d1-4b0b-8f0e-2d8f0d7a9e22";

pub struct World {
    pub fresh: Fresh,
    pub db: Database,
}

/// The `n`-th submission of an offer, to be worked on.
pub fn order(kind: JobKind, n: u32, attempt: u32) -> Order {
    let offer = "publishers/contoso/offers/db".to_owned();
    let step = match kind {
        JobKind::Validate => "offer-validation",
        JobKind::Certify => "certification",
    };
    Order {
        key: OrderKey {
            submission: format!("{offer}/submissions/s{n}"),
            step: step.into(),
            attempt,
        },
        kind,
        publisher: "contoso".into(),
        offer_uid: Uuid::from_u128(42),
        offer_type: "softwareAsAService".into(),
        offer_title: "Contoso Backup".into(),
        transactable: true,
        notes: "Try it.".into(),
        snapshot: format!("{offer}/snapshots/00"),
        digest: "00".into(),
        publication_revision: 1,
        offer,
    }
}

fn result(check: &str, mode: Mode, outcome: Outcome) -> CheckResult {
    let level = match check.get(..2) {
        Some("BE") => Level::BusinessEligibility,
        Some("TV") => Level::Technical,
        _ => Level::Content,
    };
    CheckResult {
        check: check.into(),
        version: 1,
        level,
        mode,
        outcome,
        policy: "100.1.3".into(),
        title: "A check".into(),
        instructions: String::new(),
        findings: vec![],
        decided_by: None,
        overridden: None,
        note: String::new(),
        decided_at: None,
    }
}

pub fn passing(check: &str) -> CheckResult {
    result(check, Mode::Automatic, Outcome::Pass)
}

pub fn open_item(check: &str) -> CheckResult {
    result(check, Mode::Manual, Outcome::Pending)
}

pub fn failing(check: &str) -> CheckResult {
    let finding = Finding {
        code: "DESCRIPTION_MISSING".into(),
        severity: Severity::Error,
        blocks: Blocks::Live,
        policy: "100.1.3".into(),
        policy_url: "https://policies.example".into(),
        page: "offer_listing".into(),
        field_path: "description".into(),
        artifact_path: String::new(),
        evidence: "nothing can be read".into(),
        remedy: "Describe the offer.".into(),
        check: check.into(),
        check_version: 1,
        by_reviewer: false,
    };
    CheckResult {
        findings: vec![finding],
        ..result(check, Mode::Automatic, Outcome::Fail)
    }
}

/// The attempt that a stored answer is for.
pub fn attempt(body: &[u8]) -> u32 {
    match CertificationEvent::decode(body).unwrap().event.unwrap() {
        Event::CertificationPassed(passed) => passed.order.unwrap().attempt,
        other => panic!("{other:?}"),
    }
}

/// The attempt that a case in progress is told of, and what is said.
pub fn progress(body: &[u8]) -> (u32, String) {
    match CertificationEvent::decode(body).unwrap().event.unwrap() {
        Event::CertificationProgressed(told) => (told.order.unwrap().attempt, told.message),
        other => panic!("{other:?}"),
    }
}

/// Why an order can't be carried out.
pub fn impossible(body: &[u8]) -> String {
    match CertificationEvent::decode(body).unwrap().event.unwrap() {
        Event::OrderImpossible(told) => told.reason,
        other => panic!("{other:?}"),
    }
}

/// The scope of a reviewer who is nothing to the publisher: asked for as the handlers do.
pub async fn reviewer(who: &str) -> Scope {
    let mut caller = Caller::new("https://login", who, NOW);
    caller.roles.reviewer = true;
    let access = Access::local(certification::DOMAIN);
    let asked = access
        .require(&caller, Permission::Review, &Target::Publisher("contoso"))
        .await
        .unwrap();
    asked
        .settle(&Membership {
            publisher_exists: true,
            ..Membership::default()
        })
        .unwrap()
}

impl World {
    pub async fn new() -> World {
        let fresh = Fresh::new().await;
        let db = Database::new(fresh.pool.clone(), "certification", certification::DOMAIN);
        World { fresh, db }
    }

    pub async fn drop(self) {
        drop(self.db);
        self.fresh.drop().await;
    }

    pub async fn order(&self, order: &Order) {
        let mut work = Work::begin(&self.db).await.unwrap();
        commands::order(&mut work, order.clone(), NOW)
            .await
            .unwrap();
        work.commit().await.unwrap();
    }

    pub async fn cancel(&self, order: &Order, at_revision: u64) {
        let mut work = Work::begin(&self.db).await.unwrap();
        commands::withdraw(
            &mut work,
            "contoso",
            &order.key.submission,
            at_revision,
            NOW,
        )
        .await
        .unwrap();
        work.commit().await.unwrap();
    }

    pub async fn claim_one(&self) -> Job {
        let mut db = self.db.acquire().await.unwrap();
        let mut jobs = store::claim_jobs(&mut db, Uuid::now_v7(), 10, NOW, Duration::seconds(3))
            .await
            .unwrap();
        assert_eq!(jobs.len(), 1, "one job is due");
        jobs.remove(0)
    }

    pub async fn certified(&self, job: &Job, results: Vec<CheckResult>, switches: &Switches) {
        let opening = Opening {
            digest: "ab".into(),
            application_id: APPLICATION.into(),
            results,
        };
        let mut work = Work::begin(&self.db).await.unwrap();
        commands::certified(&mut work, job, opening, switches, NOW)
            .await
            .unwrap();
        work.commit().await.unwrap();
    }

    /// A case that waits for a reviewer, with one manual item.
    pub async fn waiting_case(&self) -> Uuid {
        self.order(&order(JobKind::Certify, 1, 1)).await;
        let job = self.claim_one().await;
        self.certified(
            &job,
            vec![passing("CV-1"), open_item("CV-15-M")],
            &Switches::default(),
        )
        .await;
        job.case.unwrap()
    }

    pub async fn case(&self, id: Uuid) -> Case {
        let mut db = self.db.acquire().await.unwrap();
        store::find_case(&mut db, &Scope::system("contoso"), id)
            .await
            .unwrap()
            .unwrap()
    }

    pub async fn claim(&self, who: &str, case: Uuid, at: OffsetDateTime) -> Result<Case, Error> {
        let mut work = Work::begin(&self.db).await?;
        let claimed = commands::claim(
            &mut work,
            &reviewer(who).await,
            commands::Claim { case, at },
        )
        .await?;
        work.commit().await?;
        Ok(claimed)
    }

    pub async fn decide(
        &self,
        who: &str,
        case: Uuid,
        check: &str,
        outcome: Outcome,
        at: OffsetDateTime,
    ) -> Result<Case, Error> {
        let ruling = Ruling {
            check: check.into(),
            outcome,
            note: "seen".into(),
            findings: vec![],
        };
        let mut work = Work::begin(&self.db).await?;
        let decided = commands::decide(
            &mut work,
            &reviewer(who).await,
            commands::Decide { case, ruling, at },
        )
        .await?;
        work.commit().await?;
        Ok(decided)
    }

    pub async fn approve(
        &self,
        who: &str,
        case: Uuid,
        pass_pending_checks: bool,
    ) -> Result<Case, Error> {
        let command = commands::Approve {
            case,
            notes: String::new(),
            pass_pending_checks,
            at: NOW,
        };
        let mut work = Work::begin(&self.db).await?;
        let approved = commands::approve(&mut work, &reviewer(who).await, command).await?;
        work.commit().await?;
        Ok(approved)
    }

    pub async fn queue(&self, now: OffsetDateTime) -> Vec<Uuid> {
        let mut db = self.db.acquire().await.unwrap();
        let cases = store::queue(&mut db, &QueueFilter::default(), now, 10)
            .await
            .unwrap();
        cases.into_iter().map(|case| case.id).collect()
    }

    /// Routing key and body of everything told, in order.
    pub async fn told(&self) -> Vec<(String, Vec<u8>)> {
        sqlx::query_as("SELECT key, body FROM outbox ORDER BY position")
            .fetch_all(self.db.pool())
            .await
            .unwrap()
    }

    pub async fn count(&self, table: &str) -> i64 {
        let statement = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM certification.{table}"));
        sqlx::query_scalar(statement)
            .fetch_one(self.db.pool())
            .await
            .unwrap()
    }
}
