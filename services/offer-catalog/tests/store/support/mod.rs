//! A fresh database for each test, and the shortest words for what tests do with it.

mod draft;
pub mod pipeline;

use std::path::PathBuf;

use marketplace_messaging::{Database, Work};
use marketplace_proto::offercatalog::v1 as pb;
use marketplace_runtime::access::{Access, Permission, Role, Scope, Target};
use marketplace_runtime::clock;
use marketplace_runtime::identity::Caller;
use marketplace_runtime::ids::{OfferName, PlanName, new_id};
use marketplace_runtime::postgres;
use object_store::aws::AmazonS3Builder;
use offer_catalog::blobs::{BlobError, Blobs};
use offer_catalog::contents::Contents;
use offer_catalog::domain::publisher::{Member, MemberKind, Programme, Publisher};
use offer_catalog::error::{Error, Result};
use offer_catalog::keys::Keys;
use offer_catalog::{DOMAIN, MIGRATIONS, NAME, commands, store, wire};
use system_tests::{Bucket, TestDatabase};
use uuid::Uuid;

pub use draft::{Offer, listing, pricing};

/// Everything that a test works with.
pub struct Bench {
    pub db: Database,
    pub contents: Contents,
    pub keys: Keys,
    pub folder: PathBuf,
    /// Where objects are files.
    pub files: PathBuf,
    pub bucket: Option<Bucket>,
    database: TestDatabase,
}

/// Whose offers they are.
pub const PUBLISHER: &str = "contoso";

impl Bench {
    /// A database with the publisher in it, whose owner is ada, and a folder for content.
    pub async fn new() -> Bench {
        Self::over(None).await
    }

    /// The same with a bucket for content.
    pub async fn in_bucket() -> Bench {
        Self::over(Some(Bucket::start().await.unwrap())).await
    }

    async fn over(bucket: Option<Bucket>) -> Bench {
        let database = TestDatabase::migrated("offer_catalog", &MIGRATIONS)
            .await
            .unwrap();
        let pool = database.pool("offer_catalog_app", 12).unwrap();
        postgres::check_migrations(&pool, &MIGRATIONS)
            .await
            .unwrap();
        let folder = std::env::temp_dir().join(database.name());
        let keys = "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
            .parse()
            .unwrap();
        let db = Database::new(pool, NAME, DOMAIN);
        let (blobs, files) = match &bucket {
            None => (Blobs::folder(&folder), folder.clone()),
            Some(bucket) => (blobs(bucket), bucket.files()),
        };
        let blobs = blobs.unwrap();
        let bench = Bench {
            contents: Contents::new(db.clone(), blobs),
            db,
            keys,
            folder,
            files,
            bucket,
            database,
        };
        bench.publisher(PUBLISHER).await;
        bench
    }

    /// Drops the database: a test that ended well leaves nothing.
    pub async fn end(self) {
        let _ = std::fs::remove_dir_all(&self.folder);
        self.db.pool().close().await;
        self.database.drop_it().await.unwrap();
    }

    pub async fn publisher(&self, id: &str) {
        let now = clock::now();
        let programme = Programme {
            enrolled: true,
            ..Programme::default()
        };
        let publisher = Publisher {
            id: id.into(),
            display_name: "Contoso".into(),
            programme,
            revision: 1,
            create_time: now,
            update_time: now,
        };
        let owner = member(id, "ada", &[Role::Owner]);
        self.run(async |db| {
            commands::publishers::create(db, &system(id), &publisher, &owner).await
        })
        .await
        .unwrap();
    }

    /// One transaction, committed where the work succeeds.
    pub async fn run<T>(&self, work: impl AsyncFnOnce(&mut Work) -> Result<T>) -> Result<T> {
        let mut db = Work::begin(&self.db).await?;
        let done = work(&mut db).await?;
        db.commit().await?;
        Ok(done)
    }

    /// A new draft without pages.
    pub async fn offer(&self, id: &str, offer_type: &str) -> OfferName {
        let request = pb::CreateOfferRequest {
            parent: format!("publishers/{PUBLISHER}"),
            offer_id: id.into(),
            offer_type: offer_type.into(),
            ..pb::CreateOfferRequest::default()
        };
        let offer = wire::offers::create(&request, clock::now()).unwrap();
        self.run(async |db| commands::offers::create(db, &system(PUBLISHER), &offer, false).await)
            .await
            .unwrap();
        offer.name()
    }

    pub async fn plan(&self, offer: &OfferName, id: &str) -> PlanName {
        let new = commands::plans::New {
            parent: offer.clone(),
            id: id.into(),
            display_name: format!("The {id} plan"),
            subtype: String::new(),
        };
        let scope = system(&offer.publisher);
        self.run(async |db| commands::plans::create(db, &scope, new, clock::now()).await)
            .await
            .unwrap();
        offer.plan(id)
    }

    pub async fn read(&self, offer: &OfferName) -> Option<offer_catalog::domain::offer::Offer> {
        let mut db = self.db.acquire().await.unwrap();
        let found = store::offers::get(&mut db, &system(&offer.publisher), offer, clock::now())
            .await
            .unwrap();
        found.map(|(offer, _)| offer)
    }

    /// What the doors work with.
    pub fn catalog(&self) -> offer_catalog::grpc::Catalog {
        let intake =
            offer_catalog::files::Intake::new(self.contents.clone(), self.folder.join("spool"));
        offer_catalog::grpc::Catalog {
            db: self.db.clone(),
            access: Access::local(DOMAIN),
            contents: self.contents.clone(),
            intake: intake.unwrap(),
            keys: self.keys.clone(),
            links: offer_catalog::config::Links::local(),
        }
    }

    /// The files with content, sorted.
    pub fn objects(&self) -> Vec<PathBuf> {
        let folders = std::fs::read_dir(self.files.join("sha256"));
        let files = folders
            .into_iter()
            .flatten()
            .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
        let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    }

    /// The only file with this content.
    pub fn object(&self, digest: &str) -> PathBuf {
        let mut files = self.objects();
        files.retain(|file| file.display().to_string().contains(digest));
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }

    /// Routing keys of what was told, oldest first.
    pub async fn told(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT key FROM offer_catalog.outbox ORDER BY position")
            .fetch_all(self.db.pool())
            .await
            .unwrap()
    }

    /// A statement that no code of ours makes: what an intruder or a fault could do.
    pub async fn tamper(&self, sql: &'static str) {
        let done = sqlx::raw_sql(sql).execute(self.db.pool()).await.unwrap();
        assert!(done.rows_affected() > 0, "nothing was changed by {sql}");
    }

    /// Who may read what Postgres says of everybody's statements.
    pub async fn superuser(&self) -> sqlx::PgConnection {
        self.database.superuser().await.unwrap()
    }

    /// Has Postgres count what is there, as it does by itself after a while.
    pub async fn analyze(&self) {
        let owner = self.database.pool("offer_catalog_owner", 1).unwrap();
        sqlx::raw_sql("VACUUM ANALYZE")
            .execute(&owner)
            .await
            .unwrap();
    }
}

/// A bucket, as the environment says where it is.
fn blobs(bucket: &Bucket) -> std::result::Result<Blobs, BlobError> {
    let mut builder = AmazonS3Builder::new();
    for (name, value) in bucket.environment() {
        builder = builder.with_config(name.to_ascii_lowercase().parse().unwrap(), value);
    }
    Blobs::bucket(&bucket.url().parse().unwrap(), builder)
}

/// Nobody in particular, who may do everything to this publisher's rows.
pub fn system(publisher: &str) -> Scope {
    Scope::system(publisher)
}

/// Somebody with a token, before the publisher: what they are to it is not settled yet.
pub async fn somebody(id: &str, permission: Permission) -> Scope {
    let caller = Caller::new(
        "https://issuer.example",
        id,
        clock::now() + time::Duration::HOUR,
    );
    Access::local(DOMAIN)
        .require(&caller, permission, &Target::Publisher(PUBLISHER))
        .await
        .unwrap()
}

pub fn member(publisher: &str, id: &str, roles: &[Role]) -> Member {
    Member {
        publisher: publisher.into(),
        id: id.into(),
        kind: MemberKind::User,
        principal: format!("https://issuer.example|{id}"),
        display_name: id.into(),
        roles: roles.into(),
        revision: 1,
        create_time: clock::now(),
    }
}

pub fn submission() -> Uuid {
    new_id()
}

/// A request of somebody with a token.
pub fn from<T>(id: &str, request: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(request);
    let until = clock::now() + time::Duration::HOUR;
    let mut caller = Caller::new("https://issuer.example", id, until);
    if id == "publishing-pipeline" {
        caller.roles.service = true;
        caller.service = Some(id.into());
    }
    request.extensions_mut().insert(std::sync::Arc::new(caller));
    request
}

/// The reason of a refusal.
pub fn reason<T>(outcome: Result<T>) -> String {
    match outcome {
        Ok(_) => "nothing was refused".into(),
        Err(error) => marketplace_runtime::status::reason(&error_status(error)),
    }
}

fn error_status(error: Error) -> tonic::Status {
    error.into()
}
