//! A database of a test's own, with the roles that the services have everywhere.

use anyhow::Context;
use marketplace_runtime::postgres;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use url::Url;
use uuid::Uuid;

use crate::Addresses;

/// Every service's roles have it; the server belongs to the test run.
const PASSWORD: &str = "test";
/// Roles belong to the server, and a template to all tests: one at a time makes them. nextest runs each test in its own
/// process.
const LOCK: i64 = 0x006d_6172_6b65_7401;

/// A database of one test; dropped by [`TestDatabase::drop_it`].
#[derive(Debug, Clone)]
pub struct TestDatabase {
    /// The server, as its superuser.
    server: Url,
    name: String,
}

impl TestDatabase {
    /// An empty one, with the roles and schemas of `deploy/postgres/roles.sql`.
    pub async fn empty(prefix: &str) -> anyhow::Result<Self> {
        let server = crate::setting("TEST_POSTGRES_URL")?;
        let made = Self::named(&server, &format!("{prefix}_{}", Uuid::now_v7().simple()))?;
        let mut admin = made.server().await?;
        lock(&mut admin).await?;
        made.create(&mut admin).await?;
        admin.close().await?;
        Ok(made)
    }

    /// One with one service's schema, made by its migrations.
    pub async fn migrated(schema: &str, migrations: &'static Migrator) -> anyhow::Result<Self> {
        let made = Self::empty(&format!("test_{schema}")).await?;
        postgres::migrate(&made.url(&format!("{schema}_owner")), migrations).await?;
        Ok(made)
    }

    /// One with every service's schema, cloned from a template that the first who needs it makes by running each
    /// service's own `migrate`.
    pub(crate) async fn whole(on: &Addresses) -> anyhow::Result<Self> {
        let text = crate::hash((roles()? + &migrations()?).as_bytes());
        let template = Self::named(&on.postgres, &format!("template_{}", &text[..16]))?;
        let mut admin = template.server().await?;
        lock(&mut admin).await?;
        let there: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datallowconn = false)",
        )
        .bind(&template.name)
        .fetch_one(&mut admin)
        .await?;
        if !there {
            template.fill(&mut admin).await?;
        }
        let made = Self::named(&on.postgres, &format!("test_{}", Uuid::now_v7().simple()))?;
        let clone = format!("CREATE DATABASE {} TEMPLATE {}", made.name, template.name);
        run(&mut admin, clone).await?;
        admin.close().await?;
        Ok(made)
    }

    fn named(server: &str, name: &str) -> anyhow::Result<Self> {
        Ok(Self {
            server: server.parse()?,
            name: name.to_owned(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address for a role, for example `history_app`.
    pub fn url(&self, role: &str) -> String {
        let mut url = self.server.clone();
        url.set_username(role)
            .and_then(|()| url.set_password(Some(PASSWORD)))
            .expect("the address of the server has a host");
        url.set_path(&self.name);
        url.into()
    }

    /// A few connections of a role, opened when they are needed.
    pub fn pool(&self, role: &str, connections: u32) -> anyhow::Result<PgPool> {
        Ok(PgPoolOptions::new()
            .max_connections(connections)
            .connect_lazy_with(postgres::options(&self.url(role))?))
    }

    /// A connection of a role.
    pub async fn connect(&self, role: &str) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(&self.url(role)).await?)
    }

    /// Its address for the superuser.
    pub fn superuser_url(&self) -> String {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        url.into()
    }

    /// A few connections of the superuser.
    pub fn superusers(&self, connections: u32) -> anyhow::Result<PgPool> {
        Ok(PgPoolOptions::new()
            .max_connections(connections)
            .connect_lazy(&self.superuser_url())?)
    }

    /// A connection of the superuser: for looking, and for tampering.
    pub async fn superuser(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(&self.superuser_url()).await?)
    }

    /// Drops it, whoever is connected.
    pub async fn drop_it(&self) -> anyhow::Result<()> {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        run(&mut self.server().await?, sql).await
    }

    async fn server(&self) -> anyhow::Result<PgConnection> {
        PgConnection::connect(self.server.as_str())
            .await
            .context("the Postgres of the tests")
    }

    /// Under the lock.
    async fn create(&self, admin: &mut PgConnection) -> anyhow::Result<()> {
        run(admin, format!("CREATE DATABASE {}", self.name)).await?;
        let mut db = self.superuser().await?;
        run(&mut db, roles()?).await.context("roles.sql")?;
        for schema in crate::SERVICES.map(crate::schema) {
            for role in ["owner", "app"] {
                let sql = format!("ALTER ROLE {schema}_{role} PASSWORD '{PASSWORD}'");
                run(&mut db, sql).await?;
            }
        }
        Ok(db.close().await?)
    }

    /// Under the lock.
    async fn fill(&self, admin: &mut PgConnection) -> anyhow::Result<()> {
        self.drop_it().await?;
        self.create(admin).await?;
        for service in crate::SERVICES {
            let owner = self.url(&format!("{}_owner", crate::schema(service)));
            let done = tokio::process::Command::new(crate::binary(service)?)
                .arg("migrate")
                .env("DATABASE_OWNER_URL", owner)
                .output()
                .await?;
            anyhow::ensure!(
                done.status.success(),
                "migrations of {service}: {}{}",
                String::from_utf8_lossy(&done.stdout),
                String::from_utf8_lossy(&done.stderr)
            );
        }
        // Marks it as whole, and keeps everybody out so that it can be cloned.
        let closed = format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name);
        run(admin, closed).await
    }
}

async fn run(db: &mut PgConnection, sql: String) -> anyhow::Result<()> {
    db.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    Ok(())
}

/// Held until the connection closes.
async fn lock(admin: &mut PgConnection) -> anyhow::Result<()> {
    run(admin, format!("SELECT pg_advisory_lock({LOCK})")).await
}

fn roles() -> anyhow::Result<String> {
    Ok(std::fs::read_to_string(
        crate::repository().join("deploy/postgres/roles.sql"),
    )?)
}

/// Every migration's text: when one changes, the template is another.
fn migrations() -> anyhow::Result<String> {
    let mut all = String::new();
    for service in crate::SERVICES {
        let folder = crate::repository()
            .join("services")
            .join(service)
            .join("migrations");
        let mut files: Vec<_> = std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<_>>()?;
        files.sort();
        for file in files {
            all += &std::fs::read_to_string(file)?;
        }
    }
    Ok(all)
}
