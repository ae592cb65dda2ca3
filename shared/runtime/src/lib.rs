//! What every process of the marketplace needs, and nothing of what any of them is for.
//!
//! | module | answers for |
//! |---|---|
//! | [`config`] | settings from the environment, all violations at once |
//! | [`telemetry`] | logs, traces, metrics, trace context |
//! | [`postgres`] | pools, migrations, what errors mean |
//! | [`clock`], [`timestamp`] | the time, and protobuf's |
//! | [`ids`], [`paging`] | resource names, UUIDs, page tokens |
//! | [`identity`], [`access`] | who calls; may they |
//! | [`text`] | free text that callers send |
//! | [`status`] | the one table of errors |
//! | [`deadline`] | how long a call may take |
//! | [`server`], [`tasks`], [`service`] | serving, working, stopping in order |
//! | [`neighbour`], [`outbound`] | calling other services; calling addresses that publishers choose |
//!
//! # A service, from end to end
//!
//! ```text
//! // config.rs: every variable is read before the first `?`, so that one start names everything that is wrong.
//! pub struct Config {
//!     pub common: Common,
//!     pub catalog: Url,
//!     pub review_lease: Duration,
//! }
//!
//! impl Config {
//!     pub fn read(env: &mut Env) -> Option<Config> {
//!         let common = Common::read(env, 7002);
//!         let catalog = common.as_ref().and_then(|c| Neighbours::need(env, c.neighbours.catalog.as_ref(), "CATALOG_URL"));
//!         let review_lease = env.duration("REVIEW_LEASE", Duration::from_secs(1_800));
//!         Some(Config { common: common?, catalog: catalog?, review_lease: review_lease? })
//!     }
//! }
//!
//! impl AsRef<Common> for Config {
//!     fn as_ref(&self) -> &Common {
//!         &self.common
//!     }
//! }
//!
//! // main.rs: `certification` or `certification start` serves, `certification migrate` migrates as the owner.
//! fn main() -> std::process::ExitCode {
//!     marketplace_runtime::run("certification", &certification::MIGRATIONS, Config::read, certification::start)
//! }
//!
//! // lib.rs: the only place where parts meet.
//! pub const DOMAIN: &str = "marketplace.certification.v1";
//! pub static MIGRATIONS: Migrator = sqlx::migrate!();
//!
//! pub async fn start(config: Config) -> anyhow::Result<Service> {
//!     let common = &config.common;
//!     let db = postgres::connect(&common.postgres).await?;
//!     postgres::check_migrations(&db, &MIGRATIONS).await?;
//!     let service_tokens = ServiceTokens::open(&common.service_identity, "certification")?;
//!     let catalog = neighbour::channel(&config.catalog, &service_tokens)?;
//!     let access = Access::remote(DOMAIN, catalog);      // in the catalog: Access::local(DOMAIN)
//!     let broker = Broker::new(&common.amqp);
//!
//!     let mut tasks = Tasks::new();
//!     tasks.spawn("due", due::run(db.clone()));                                          // dropped at stop
//!     tasks.spawn_until("consumer", |stop| broker.consume(SUBSCRIPTION, db.clone(), Incoming, stop)); // told to stop
//!     tasks.spawn_last("relay", |stop| outbox::relay(db.clone(), broker.clone(), stop)); // stops after all others
//!
//!     let grpc = Grpc { db: db.clone(), access, stopping: tasks.stopping(), tracked: tasks.tracked() };
//!     Server::new(DOMAIN, common)
//!         .database(&db, &MIGRATIONS)
//!         .service(limits!(CertificationServiceServer::new(grpc)))
//!         .start(tasks)
//!         .await
//! }
//!
//! // grpc.rs: who, may they, what; then the work; then the answer.
//! async fn get_case(&self, request: Request<pb::GetCaseRequest>) -> Result<Response<pb::GetCaseResponse>, Status> {
//!     let (caller, request) = identity::open(request)?;
//!     let name = wire::case_name(&request.name)?;        // Err: status::invalid(DOMAIN, violations)
//!     let target = Target::Resource { publisher: &name.publisher, kind: "Case", name: &request.name };
//!     let scope = self.access.require(&caller, Permission::ReadOffer, &target).await?;
//!     let case = store::get_case(&mut *self.db.acquire().await?, &scope, name.id).await?;
//!     Ok(Response::new(pb::GetCaseResponse { case: Some(case.into()) }))
//! }
//! ```
//!
//! In the catalog `access.require` runs no statement: the scope is open until the resource's own statement has read the
//! caller's roles, and `scope.settle(&Membership { .. })?` answers with the same refusals as everywhere else.
#![warn(missing_docs)]

pub mod access;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod deadline;
pub mod identity;
pub mod ids;
mod main_runner;
pub mod neighbour;
#[cfg(test)]
mod neighbour_tests;
pub mod outbound;
pub mod paging;
pub mod postgres;
pub mod server;
pub mod service;
#[cfg(test)]
mod service_tests;
pub mod status;
pub mod tasks;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod text;
pub mod timestamp;

pub use main_runner::{on_runtime, run};
pub use service::shutdown_signal;
