//! The real Postgres and RabbitMQ that a test run is given: a fresh database and a fresh vhost for each test.

use std::env;
use std::time::Duration;

use anyhow::{Context, ensure};
use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

/// Both roles of every schema have it; the servers belong to the test run.
const PASSWORD: &str = "test";
/// Guards the making of the template: nextest runs each test in its own process.
const TEMPLATE_LOCK: i64 = 0x006d_6172_6b65_7401;

/// A database and a vhost of one test; dropped by [`Servers::drop_all`].
#[derive(Debug, Clone)]
pub struct Servers {
    superuser: String,
    management: String,
    /// Name of the database.
    pub database: String,
    /// `amqp://…` with the vhost.
    pub amqp: String,
    vhost: String,
    http: reqwest::Client,
}

impl Servers {
    /// A fresh database, cloned from a migrated template, and a fresh vhost.
    pub async fn fresh() -> anyhow::Result<Self> {
        let superuser = setting("TEST_POSTGRES_URL")?;
        let amqp = setting("TEST_AMQP_URL")?;
        let management = setting("TEST_RABBITMQ_MANAGEMENT_URL")?;
        let name = format!("test_{}", Uuid::now_v7().simple());
        let template = template(&superuser).await?;
        let mut admin = PgConnection::connect(&superuser).await?;
        admin
            .execute(sqlx::AssertSqlSafe(format!(
                "CREATE DATABASE {name} TEMPLATE {template}"
            )))
            .await?;
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .build()?;
        let made = http
            .put(format!("{management}/api/vhosts/{name}"))
            .json(&serde_json::json!({}))
            .send()
            .await?;
        ensure!(
            made.status().is_success(),
            "the management API refused the vhost: {}",
            made.status()
        );
        let user = url::Url::parse(&amqp)?.username().to_owned();
        let all = serde_json::json!({"configure": ".*", "write": ".*", "read": ".*"});
        let may = http
            .put(format!("{management}/api/permissions/{name}/{user}"))
            .json(&all)
            .send()
            .await?;
        ensure!(
            may.status().is_success(),
            "the management API refused the permissions: {}",
            may.status()
        );
        let mut address = url::Url::parse(&amqp)?;
        address.set_path(&format!("/{name}"));
        Ok(Self {
            superuser,
            management,
            database: name.clone(),
            amqp: address.into(),
            vhost: name,
            http,
        })
    }

    /// The address of this test's database for a role, for example `history_app`.
    pub fn database_url(&self, role: &str) -> anyhow::Result<String> {
        let mut url = url::Url::parse(&self.superuser)?;
        ensure!(url.set_username(role).is_ok() && url.set_password(Some(PASSWORD)).is_ok());
        url.set_path(&self.database);
        Ok(url.into())
    }

    /// A connection as the superuser: for looking, and for tampering.
    pub async fn superuser(&self) -> anyhow::Result<PgConnection> {
        let mut url = url::Url::parse(&self.superuser)?;
        url.set_path(&self.database);
        Ok(PgConnection::connect(url.as_str()).await?)
    }

    /// Closes every connection of this test's vhost from the broker's side; answers how many.
    pub async fn cut_broker_connections(&self) -> anyhow::Result<usize> {
        let all: Vec<serde_json::Value> = self
            .http
            .get(format!(
                "{}/api/vhosts/{}/connections",
                self.management, self.vhost
            ))
            .send()
            .await?
            .json()
            .await?;
        for connection in &all {
            let name = connection["name"]
                .as_str()
                .context("a connection without a name")?;
            let mut url = url::Url::parse(&format!("{}/api/connections/", self.management))?;
            url.path_segments_mut()
                .map_err(|()| anyhow::anyhow!("no base"))?
                .pop_if_empty()
                .push(name);
            self.http.delete(url).send().await?;
        }
        Ok(all.len())
    }

    /// Drops database and vhost.
    pub async fn drop_all(&self) -> anyhow::Result<()> {
        let mut admin = PgConnection::connect(&self.superuser).await?;
        admin
            .execute(sqlx::AssertSqlSafe(format!(
                "DROP DATABASE IF EXISTS {} WITH (FORCE)",
                self.database
            )))
            .await?;
        self.http
            .delete(format!("{}/api/vhosts/{}", self.management, self.vhost))
            .send()
            .await?;
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the harness is configured by the script that starts it"
)]
fn setting(name: &str) -> anyhow::Result<String> {
    env::var(name).with_context(|| format!("{name} is not set: run the tests by deploy/local/test"))
}

/// The name of a database with every schema migrated, made by the first who needs it.
async fn template(superuser: &str) -> anyhow::Result<String> {
    let name = format!(
        "template_{}",
        &crate::hash((roles()? + &migrations()?).as_bytes())[..16]
    );
    let mut admin = PgConnection::connect(superuser).await?;
    sqlx::query_scalar::<_, bool>("SELECT pg_advisory_lock($1) IS NULL")
        .bind(TEMPLATE_LOCK)
        .fetch_one(&mut admin)
        .await?;
    let there: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datallowconn = false)",
    )
    .bind(&name)
    .fetch_one(&mut admin)
    .await?;
    if !there {
        admin
            .execute(sqlx::AssertSqlSafe(format!(
                "DROP DATABASE IF EXISTS {name}"
            )))
            .await?;
        admin
            .execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .await?;
        let mut url = url::Url::parse(superuser)?;
        url.set_path(&name);
        let mut db = PgConnection::connect(url.as_str()).await?;
        db.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(roles()?)))
            .await
            .context("roles.sql")?;
        for schema in crate::SERVICES.map(crate::schema) {
            for role in ["owner", "app"] {
                db.execute(sqlx::AssertSqlSafe(format!(
                    "ALTER ROLE {schema}_{role} PASSWORD '{PASSWORD}'"
                )))
                .await?;
            }
        }
        for service in crate::SERVICES {
            migrate(&mut url, service)
                .await
                .with_context(|| format!("migrations of {service}"))?;
        }
        db.close().await?;
        // Marks it as whole, and keeps everybody out so that it can be cloned.
        admin
            .execute(sqlx::AssertSqlSafe(format!(
                "ALTER DATABASE {name} ALLOW_CONNECTIONS false"
            )))
            .await?;
    }
    Ok(name)
}

async fn migrate(url: &mut url::Url, service: &str) -> anyhow::Result<()> {
    let schema = crate::schema(service);
    ensure!(
        url.set_username(&format!("{schema}_owner")).is_ok()
            && url.set_password(Some(PASSWORD)).is_ok()
    );
    let done = tokio::process::Command::new(crate::binary(service)?)
        .arg("migrate")
        .env("DATABASE_OWNER_URL", url.as_str())
        .output()
        .await?;
    ensure!(
        done.status.success(),
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(())
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
