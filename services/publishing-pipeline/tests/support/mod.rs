//! A fresh database, used as the app role, and a process that publishes there.

use marketplace_messaging::{Database, Work};
use marketplace_runtime::access::Scope;
use marketplace_runtime::clock;
use marketplace_runtime::ids::{OfferName, new_id};
use marketplace_runtime::postgres;
use marketplace_runtime::telemetry::Trace;
use publishing_pipeline::commands::{self, Submit};
use publishing_pipeline::domain::{
    Actor, ActorKind, Answer, Executor, Freeze, Leg, Moment, Offering, Plan, Profile, Publish,
    Quotas, Refusal, StepId, Submission, Tempo,
};
use publishing_pipeline::error::Error;
use publishing_pipeline::steps::{Outcome, Run, Steps};
use publishing_pipeline::{DOMAIN, MIGRATIONS, NAME, store};
use system_tests::TestDatabase;
use tokio::sync::mpsc::UnboundedReceiver;
use uuid::Uuid;

/// A migrated database of its own, one offer, and a process.
pub struct World {
    pub db: Database,
    pub steps: Steps,
    pub handed: UnboundedReceiver<Run>,
    pub offer: OfferName,
    pub offer_uid: Uuid,
    pub scope: Scope,
    pub quotas: Quotas,
    database: TestDatabase,
}

impl World {
    pub async fn new() -> World {
        let database = TestDatabase::migrated("publishing", &MIGRATIONS)
            .await
            .unwrap();
        let pool = database.pool("publishing_app", 12).unwrap();
        postgres::check_migrations(&pool, &MIGRATIONS)
            .await
            .unwrap();
        let db = Database::new(pool, NAME, DOMAIN);
        let (steps, handed) = Steps::new(new_id(), Tempo::default());
        let offer = OfferName::new("contoso", "db");
        World {
            db,
            steps,
            handed,
            offer,
            offer_uid: new_id(),
            scope: Scope::system("contoso"),
            quotas: Quotas::default(),
            database,
        }
    }

    pub async fn drop(self) {
        self.db.pool().close().await;
        self.database.drop_it().await.unwrap();
    }

    /// A connection that may do everything.
    pub async fn superuser(&self) -> sqlx::PgConnection {
        self.database.superuser().await.unwrap()
    }

    pub async fn offering(&self) -> Option<Offering> {
        let mut db = self.db.acquire().await.unwrap();
        store::find_offer(&mut db, &self.scope, &self.offer.offer)
            .await
            .unwrap()
    }

    pub async fn submission(&self, id: Uuid) -> Submission {
        let mut db = self.db.acquire().await.unwrap();
        store::find_submission(&mut db, &self.scope, &self.offer.offer, id)
            .await
            .unwrap()
            .unwrap()
            .1
    }

    pub async fn submit_as(&self, id: Uuid, supersede: bool) -> Result<Offering, Error> {
        let freeze = self
            .offering()
            .await
            .map(|offering| offering.freeze())
            .unwrap_or_default();
        let mut work = Work::begin(&self.db).await?;
        let publish = self.publish(id, freeze, supersede);
        let submit = Submit {
            offer: self.offer.offer.clone(),
            offer_uid: self.offer_uid,
            publish,
            quotas: self.quotas,
        };
        let offering =
            commands::submit(&mut work, &self.steps, &self.scope, submit, clock::now()).await?;
        work.commit().await?;
        Ok(offering)
    }

    pub async fn submit(&self) -> Uuid {
        let id = new_id();
        self.submit_as(id, false).await.unwrap();
        id
    }

    pub fn publish(&self, id: Uuid, freeze: Freeze, supersede: bool) -> Publish {
        let snapshot = format!("{}/snapshots/{id}", self.offer);
        Publish {
            id,
            profile: profile(snapshot, id.to_string()),
            freeze,
            notes: "notes".into(),
            confirm: true,
            supersede,
            by: user(),
            trace: Trace::default(),
        }
    }

    /// Answers an attempt of a step.
    pub async fn answer(&self, id: Uuid, step: StepId, attempt: u32, answer: Answer) {
        self.answer_all(&[self.outcome(id, step, attempt, answer)])
            .await;
    }

    pub fn outcome(&self, submission: Uuid, step: StepId, attempt: u32, answer: Answer) -> Outcome {
        let span = tracing::Span::none();
        Outcome {
            offer_uid: self.offer_uid,
            submission,
            step: Some(step),
            attempt,
            answer,
            chain: None,
            span,
        }
    }

    pub async fn answer_all(&self, outcomes: &[Outcome]) {
        let mut work = Work::begin(&self.db).await.unwrap();
        commands::outcomes(&mut work, &self.steps, outcomes, clock::now())
            .await
            .unwrap();
        work.commit().await.unwrap();
    }

    /// Answers every step well until one that waits for the publisher, or the end.
    pub async fn walk(&self, id: Uuid, until: Option<StepId>) {
        loop {
            let submission = self.submission(id).await;
            let Some(step) = submission.active_step() else {
                return;
            };
            if step.id.executor() == Executor::Publisher || Some(step.id) == until {
                return;
            }
            self.answer(id, step.id, step.attempt, good(step.id, id))
                .await;
        }
    }

    pub async fn change(
        &self,
        id: Uuid,
        change: impl FnOnce(&mut Offering, Moment<'_>) -> Result<(), Refusal>,
    ) -> Result<Offering, Error> {
        let mut work = Work::begin(&self.db).await?;
        let name = self.offer.submission(id);
        let changed = commands::change_submission(
            &mut work,
            &self.steps,
            &self.scope,
            &name,
            clock::now(),
            change,
        )
        .await?;
        work.commit().await?;
        Ok(changed)
    }

    pub async fn sign_off(&self, id: Uuid) {
        self.change(id, |offering, moment| {
            offering.go_live(id, true, user(), moment)
        })
        .await
        .unwrap();
    }

    /// Keys of the outbox with their CC keys, in order.
    pub async fn told(&self) -> Vec<(i64, String)> {
        let sql = "SELECT revision, cc FROM outbox ORDER BY position";
        let rows: Vec<(i64, String)> = sqlx::query_as(sql).fetch_all(self.db.pool()).await.unwrap();
        rows
    }
}

pub fn user() -> Actor {
    Actor {
        kind: ActorKind::User,
        principal: "issuer|ada".into(),
    }
}

pub fn good(step: StepId, id: Uuid) -> Answer {
    let digest = id.to_string();
    match step {
        StepId::OfferValidation => Answer::Validated {
            warnings: 0,
            report: String::new(),
        },
        StepId::Certification => Answer::Certified {
            digest,
            with_notes: false,
        },
        StepId::PreviewCreation => Answer::Prepared { digest },
        StepId::FinalPublish => Answer::Activated { digest },
        _ => Answer::Done(String::new()),
    }
}

pub fn profile(snapshot: String, digest: String) -> Profile {
    let plan = |id: &str| Plan {
        id: id.into(),
        name: id.to_uppercase(),
        ..Plan::default()
    };
    Profile {
        snapshot,
        digest,
        offer_type: "softwareAsAService".into(),
        title: "Database".into(),
        transactable: true,
        lead_destination: "https_endpoint".into(),
        plans: vec![plan("gold"), plan("silver")],
        certification_leg: Leg::Live,
        extra_steps: vec!["offer-validation".into()],
        requires_notes: true,
        changed: true,
        stop_notice_days: 0,
        pages_changed: vec![1, 3],
        help_links: vec![],
        restores: vec![],
    }
}
