//! The real Postgres and RabbitMQ that a test run is given: a fresh database and a fresh vhost for each test.

use std::time::Duration;

use anyhow::{Context, ensure};

use crate::{TestDatabase, setting};

/// Where servers are, and how a test may do anything on them.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// A superuser's.
    pub postgres: String,
    pub amqp: String,
    /// The management API, with user and password.
    pub management: String,
}

impl Addresses {
    /// Those that the script that starts the tests gives to all.
    pub fn given() -> anyhow::Result<Self> {
        Ok(Self {
            postgres: setting("TEST_POSTGRES_URL")?,
            amqp: setting("TEST_AMQP_URL")?,
            management: setting("TEST_RABBITMQ_MANAGEMENT_URL")?,
        })
    }
}

/// A database and a vhost of one test; dropped by [`Servers::drop_all`].
#[derive(Debug, Clone)]
pub struct Servers {
    management: String,
    pub database: TestDatabase,
    /// `amqp://…` with the vhost.
    pub amqp: String,
    vhost: String,
    http: reqwest::Client,
}

impl Servers {
    /// A database with every service's schema, and a fresh vhost.
    pub async fn fresh() -> anyhow::Result<Self> {
        let given = Addresses::given()?;
        Self::with(TestDatabase::whole(&given).await?, &given).await
    }

    /// This database, and a fresh vhost.
    pub async fn with(database: TestDatabase, addresses: &Addresses) -> anyhow::Result<Self> {
        let Addresses {
            amqp, management, ..
        } = addresses.clone();
        marketplace_runtime::crypto::install();
        let name = database.name().to_owned();
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
            management,
            database,
            amqp: address.into(),
            vhost: name,
            http,
        })
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
        self.database.drop_it().await?;
        self.http
            .delete(format!("{}/api/vhosts/{}", self.management, self.vhost))
            .send()
            .await?;
        Ok(())
    }
}
