//! The whole system of one test; `moves.rs` says what people do in it, `reads.rs` what they see.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use marketplace_messaging::topology::{Subscription, TOPOLOGY};
use serde_json::json;
use sqlx::Connection;

use crate::{Bucket, Child, Clients, ISSUER, SERVICES, Servers, Signer, binary, schema};

/// How the system of a test differs from the plain one.
#[derive(Clone, Default)]
pub struct Options {
    /// Environment of every service on top of the usual.
    pub environment: Vec<(&'static str, String)>,
    /// Replicas of every service; 0 counts as 1. Each [`Clients`] calls those of the next turn.
    pub replicas: usize,
    /// Replaces host and port of the broker: a proxy's.
    pub broker: Option<std::net::SocketAddr>,
    /// Database and vhost, where not those of all tests.
    pub servers: Option<Servers>,
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
    /// Ports of the first five.
    pub ports: [u16; 5],
    /// Those of every replica.
    replicas: Vec<[u16; 5]>,
    /// How many clients there have been.
    turn: AtomicUsize,
    /// Files of this test: logs, mails, assets, keys.
    pub folder: PathBuf,
    /// What keeps assets where it isn't the folder.
    bucket: Option<Bucket>,
}

impl Marketplace {
    /// Starts everything and waits until it serves.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(Options::default()).await
    }

    /// The same with options.
    pub async fn start_with(options: Options) -> anyhow::Result<Self> {
        marketplace_runtime::crypto::install();
        let servers = match &options.servers {
            Some(servers) => servers.clone(),
            None => Servers::fresh().await?,
        };
        let folder = binary("history")?
            .with_file_name("system-tests")
            .join(servers.database.name());
        std::fs::create_dir_all(folder.join("mail"))?;
        std::fs::create_dir_all(folder.join("assets"))?;
        let signer = Signer::new()?;
        std::fs::write(folder.join("key.pem"), &signer.pem)?;
        std::fs::write(folder.join("jwks.json"), signer.jwks.to_string())?;
        std::fs::write(folder.join("issuers.json"), issuers().to_string())?;
        let replicas = (0..options.replicas.max(1)).map(|_| free_ports());
        let replicas = replicas.collect::<anyhow::Result<Vec<_>>>()?;
        let mut market = Self {
            servers,
            signer,
            children: Vec::new(),
            ports: replicas[0],
            replicas,
            turn: AtomicUsize::new(0),
            folder,
            bucket: None,
        };
        for ports in market.replicas.clone() {
            for (service, port) in SERVICES.into_iter().zip(ports) {
                market.add(service, port, &options)?;
            }
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

    /// The same with two replicas of every service, over a bucket.
    pub async fn twice() -> anyhow::Result<Self> {
        Self::twice_with(Options::default()).await
    }

    /// The same with options.
    pub async fn twice_with(mut options: Options) -> anyhow::Result<Self> {
        let bucket = Bucket::start().await?;
        options.replicas = 2;
        options.environment.push(("BLOB_STORE", bucket.url()));
        options.environment.extend(bucket.environment());
        let mut market = Self::start_with(options).await?;
        market.bucket = Some(bucket);
        Ok(market)
    }

    fn add(&mut self, service: &'static str, port: u16, options: &Options) -> anyhow::Result<()> {
        let child = self.replica(service, port, options)?;
        self.children.push(child);
        Ok(())
    }

    fn replica(
        &self,
        service: &'static str,
        port: u16,
        options: &Options,
    ) -> anyhow::Result<Child> {
        let environment = self.environment(service, port, options)?;
        let log = self.folder.join(format!("{service}-{port}.log"));
        Child::start(service, port, environment, log)
    }

    fn environment(
        &self,
        service: &str,
        port: u16,
        options: &Options,
    ) -> anyhow::Result<BTreeMap<String, String>> {
        let role = format!("{}_app", schema(service));
        let mut broker = url::Url::parse(&self.servers.amqp)?;
        if let Some(proxy) = options.broker {
            ensure!(
                broker.set_host(Some(&proxy.ip().to_string())).is_ok()
                    && broker.set_port(Some(proxy.port())).is_ok()
            );
        }
        let file = |name: &str| self.folder.join(name).display().to_string();
        let mut environment = BTreeMap::from([
            ("LISTEN".to_owned(), format!("127.0.0.1:{port}")),
            ("DATABASE_URL".to_owned(), self.servers.database.url(&role)),
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
        self.replicas_of(service)
            .next()
            .expect("all five are there")
    }

    fn replicas_of(&mut self, service: &str) -> impl Iterator<Item = &mut Child> {
        self.children
            .iter_mut()
            .filter(move |child| child.service == service)
    }

    /// SIGKILL to every replica of a service.
    pub async fn kill(&mut self, service: &str) -> anyhow::Result<()> {
        for child in self.replicas_of(service) {
            child.kill().await?;
        }
        Ok(())
    }

    /// Starts every replica of a killed service again and waits until all serve.
    pub async fn restart(&mut self, service: &str) -> anyhow::Result<()> {
        for child in self.replicas_of(service) {
            child.restart()?;
        }
        for child in self.replicas_of(service) {
            child.until_serving().await?;
        }
        Ok(())
    }

    /// What somebody can call: a member by subject, for example `ada`.
    pub fn person(&self, subject: &str) -> Clients {
        self.speaker(subject, &json!({}))
    }

    /// The same member twice: calls go to the first and to the second replicas.
    pub fn twins(&self, subject: &str) -> [Clients; 2] {
        let token = self.signer.token(subject, &json!({}));
        [0, 1].map(|turn| self.clients(turn, Some(&token)))
    }

    /// Somebody with a platform role: `operator`, `reviewer`, `service`.
    pub fn staff(&self, subject: &str, role: &str) -> Clients {
        self.speaker(subject, &json!({"roles": [role]}))
    }

    /// Somebody whose token says more.
    pub fn speaker(&self, subject: &str, claims: &serde_json::Value) -> Clients {
        self.clients(self.turn(), Some(&self.signer.token(subject, claims)))
    }

    /// Somebody without a token.
    pub fn anybody(&self) -> Clients {
        self.clients(self.turn(), None)
    }

    fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    fn clients(&self, turn: usize, token: Option<&str>) -> Clients {
        let ports = self.replicas[turn % self.replicas.len()];
        Clients::new(ports, token).expect("loopback addresses are valid")
    }

    /// Waits until everything that was told has been heard, and fails if any message was given up.
    pub async fn settled(&self) -> anyhow::Result<()> {
        let mut db = self.servers.database.superuser().await?;
        patiently(Duration::from_secs(60), "all is heard", async || {
            let told = sum(&mut db, "SELECT count(*) FROM {schema}.outbox").await?;
            Ok((told == 0 && unheard(&mut db).await? == 0).then_some(()))
        })
        .await?;
        for service in SERVICES {
            let schema = schema(service);
            let dead: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                "SELECT type || ': ' || reason FROM {schema}.dead_letters WHERE state = 'waiting'"
            )))
            .fetch_all(&mut db)
            .await?;
            ensure!(dead.is_empty(), "{service} gave messages up: {dead:?}");
        }
        Ok(db.close().await?)
    }

    /// The same, and until everybody has got their items and mails.
    pub async fn everybody_told(&self) -> anyhow::Result<()> {
        self.settled().await?;
        let mut db = self.servers.database.superuser().await?;
        let pending = "SELECT (SELECT count(*) FROM notification.notices WHERE state = 'pending')
                            + (SELECT count(*) FROM notification.mails WHERE state = 'pending')";
        patiently(Duration::from_secs(60), "everybody is told", async || {
            let left: i64 = sqlx::query_scalar(pending).fetch_one(&mut db).await?;
            Ok((left == 0).then_some(()))
        })
        .await
    }

    /// Fails unless everything that customers see, or once saw, passed a certification of exactly its content: of the
    /// digest that certification computed itself, and that the stored content still has.
    async fn certified(&self) -> anyhow::Result<()> {
        let uncertified = "WITH live AS (
               SELECT submission, offer_uid, digest FROM offer_catalog.listings WHERE stage = 'live'
               UNION SELECT id, offer_uid, profile ->> 'digest' FROM publishing.submissions WHERE state = 'live')
             SELECT submission::text FROM live
             WHERE NOT EXISTS (SELECT FROM certification.cases c
                               WHERE c.submission LIKE '%/submissions/' || live.submission
                                 AND c.state = 'PASSED' AND c.digest = live.digest)
                OR NOT EXISTS (SELECT FROM offer_catalog.snapshots s
                               WHERE s.offer_uid = live.offer_uid AND s.digest = live.digest
                                 AND encode(sha256(s.bytes), 'hex') = live.digest)";
        let mut db = self.servers.database.superuser().await?;
        let found: Vec<String> = sqlx::query_scalar(uncertified).fetch_all(&mut db).await?;
        ensure!(found.is_empty(), "live without certification: {found:?}");
        Ok(db.close().await?)
    }

    /// Stops everything; fails unless every service ended well with nothing left to say and nothing given up, and nothing
    /// uncertified is live.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.settled().await?;
        self.certified().await?;
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
        drop(self.bucket);
        std::fs::remove_dir_all(&self.folder)?;
        Ok(())
    }
}

/// How many published events some service has neither applied nor given up. The broker's own numbers are seconds old.
async fn unheard(db: &mut sqlx::PgConnection) -> anyhow::Result<i64> {
    let mut sum = 0;
    for Subscription { queue, keys } in TOPOLOGY {
        let published =
            SERVICES.map(|service| format!("SELECT * FROM {}.published", schema(service)));
        let published = published.join(" UNION ALL ");
        let schema = schema(queue);
        let count = format!(
            "SELECT count(*) FROM ({published}) p WHERE (p.key = ANY ($1) OR string_to_array(p.cc, ' ') && $1)
               AND NOT EXISTS (SELECT FROM {schema}.inbox i WHERE i.event_id = p.event_id)
               AND NOT EXISTS (SELECT FROM {schema}.dead_letters d WHERE d.event_id = p.event_id)"
        );
        sum += sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(count))
            .bind(keys)
            .fetch_one(&mut *db)
            .await?;
    }
    Ok(sum)
}

/// A count over every service's schema.
async fn sum(db: &mut sqlx::PgConnection, count: &str) -> anyhow::Result<i64> {
    let mut sum = 0;
    for service in SERVICES {
        let count = count.replace("{schema}", &schema(service));
        sum += sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(count))
            .fetch_one(&mut *db)
            .await?;
    }
    Ok(sum)
}

/// Asks again and again, for at most 30 s, until there is an answer.
pub async fn until<T>(
    what: &str,
    ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    patiently(Duration::from_secs(30), what, ask).await
}

/// The same for as long as this.
pub async fn patiently<T>(
    patience: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        if let Some(answer) = ask()
            .await
            .with_context(|| format!("while waiting until {what}"))?
        {
            return Ok(answer);
        }
        ensure!(
            tokio::time::Instant::now() < deadline,
            "{patience:?} passed before {what}"
        );
        tokio::time::sleep(Duration::from_millis(25)).await;
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
