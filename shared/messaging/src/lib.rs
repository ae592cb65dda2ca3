//! Events between the services, and requests that are repeated: nothing is lost, nothing is done twice.
//!
//! A command changes state and [tells](Work::tell) events in one transaction ([`Work`]). The [relay](outbox::relay)
//! publishes them, in order per offer. The neighbour's [consumer](consume) applies each once, in the transaction that
//! notes its id. What can't be applied becomes a [dead letter](DeadLetters). [`requests`] gives a repeated call the
//! answer of the first. [`wake`] spares everybody the polling.
//!
//! | table (`migrations/0001_messaging.sql`, in each schema) | what for |
//! |---|---|
//! | `outbox` | told, not yet confirmed by the broker; never dropped by age |
//! | `published` | confirmed; a partition a day, 30 days; sent again by [`Events`] |
//! | `streams` | last revision and time per offer: counted by the statement that stores the event |
//! | `inbox` | applied event ids, 37 days |
//! | `requests` | request ids with answers, 8 days |
//! | `dead_letters` | what could not be applied, with its reason |
//! | `relay_lease`, `replicas` | who relays; who else runs |
//!
//! # Wiring (lib.rs of a service)
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use marketplace_messaging::{Broker, Database, Failure, Message, Receive, Work, consume, outbox, retention, topology, wake};
//! # use marketplace_messaging::{DeadLetters, Events, inbox};
//! # use marketplace_runtime::{access::Access, tasks::Tasks};
//! # use marketplace_proto::messaging::v1::{dead_letter_service_server::DeadLetterServiceServer, event_service_server::EventServiceServer};
//! # struct Incoming;
//! # impl Receive for Incoming { async fn receive(&self, _: &mut Work, _: &Message) -> Result<(), Failure> { Ok(()) } }
//! # fn wire(pool: sqlx::PgPool, access: Access, amqp: &str) -> Result<(), marketplace_messaging::Error> {
//! let db = Database::new(pool, "certification", "marketplace.certification.v1");
//! let broker = Broker::new(amqp, "certification")?; // reads the URL; connects later, for ever
//! let incoming = Arc::new(Incoming);
//!
//! let mut tasks = Tasks::new();
//! tasks.spawn_until("wake", |stop| wake::share(db.clone(), stop));
//! tasks.spawn_until("sweep", |stop| retention::sweep(db.clone(), stop));
//! tasks.spawn_until("consumer", |stop| {
//!     consume(topology::CERTIFICATION, db.clone(), broker.clone(), incoming.clone(), stop)
//! });
//! tasks.spawn_last("relay", |stop| outbox::relay(db.clone(), broker.clone(), stop));
//!
//! // and to the gRPC server, for operators:
//! let dead_letters = DeadLetterServiceServer::new(DeadLetters::new(db.clone(), access.clone(), incoming));
//! let events = EventServiceServer::new(Events::new(db.clone(), broker, access));
//! # drop((dead_letters, events)); Ok(()) }
//! ```
//!
//! # The first door: gRPC (grpc.rs)
//!
//! [`requests::run`] opens the transaction, stores the answer in the statement that stores the events, commits, and
//! answers a repeat with the stored answer. Without a request id it only begins and commits.
//!
//! ```no_run
//! # use marketplace_messaging::{Database, Outgoing, Work, requests::{self, Once}, system};
//! # use marketplace_runtime::{access::{Access, Permission, Target}, clock, identity};
//! # use marketplace_proto::{certification::v1 as events, messaging::v1::{DiscardDeadLetterRequest as ApproveCaseRequest, DiscardDeadLetterResponse as ApproveCaseResponse}};
//! # use tonic::{Request, Response, Status};
//! # const DOMAIN: &str = "marketplace.certification.v1";
//! # struct Grpc { db: Database, access: Access }
//! # impl Grpc {
//! async fn approve_case(&self, request: Request<ApproveCaseRequest>) -> Result<Response<ApproveCaseResponse>, Status> {
//!     let (caller, request) = identity::open(request)?;
//!     self.access.require(&caller, Permission::Review, &Target::Platform).await?;
//!     let once = Once::new(DOMAIN, &caller, "ApproveCase", &request.id /* request.request_id */, &request)?;
//!     let at = clock::now();
//!     requests::run(&self.db, once, async move |mut work| {
//!         approve(&mut work, &request.id, at).await?; // a refusal: rolled back; a twin's answer is looked up first
//!         Ok((work, ApproveCaseResponse::default()))
//!     })
//!     .await
//! }
//! # }
//!
//! // commands.rs: `store` functions take `&mut PgConnection`, which `&mut Work` is.
//! async fn approve(work: &mut Work, case: &str, at: time::OffsetDateTime) -> Result<(), Status> {
//! #   let (offer, offer_uid) = ("publishers/contoso/offers/db".to_owned(), uuid::Uuid::nil());
//!     // outgoing.rs: the context's event message WITHOUT header; it is put in front when revision and epoch are known.
//!     let passed = events::CertificationPassed { case: case.to_owned(), ..Default::default() };
//!     let body = events::CertificationEvent {
//!         header: None,
//!         event: Some(events::certification_event::Event::CertificationPassed(passed)),
//!     };
//!     let event = Outgoing::new("certification.v1.certification_passed", system(), "publishers/contoso", at, &body)
//!         .about(offer, offer_uid);
//!     work.tell(event); // the pipeline adds .order("publishing.v1.publication_changed.certification_requested")
//!                       // per order, and .at_revision(publication.revision)
//!     work.wake("due"); // after the commit, on every replica
//!     Ok(())
//! }
//! ```
//!
//! A command that asks a neighbour before it writes claims its id first: [`requests::run_claimed`].
//!
//! ```no_run
//! # use marketplace_messaging::{Database, Work, requests::{self, Once}};
//! # use marketplace_proto::messaging::v1::DiscardDeadLetterResponse as PublishOfferResponse;
//! # use tonic::{Response, Status};
//! # async fn freeze(_: uuid::Uuid) -> Result<(), Status> { Ok(()) }
//! # async fn publish(db: &Database, once: Once) -> Result<Response<PublishOfferResponse>, Status> {
//! requests::run_claimed(db, once, marketplace_runtime::ids::new_id(), async move |submission| {
//!     freeze(submission).await?; // no transaction is open; a refusal releases the claim
//!     let work = Work::begin(db).await.map_err(|e| marketplace_runtime::status::database("marketplace.publishing.v1", &e))?;
//!     Ok((work, PublishOfferResponse::default()))
//! })
//! .await
//! # }
//! ```
//!
//! # The second door: events (incoming.rs)
//!
//! ```no_run
//! # use marketplace_messaging::{Failure, Message, Receive, Work};
//! # use marketplace_proto::certification::v1::{CertificationEvent, certification_event::Event};
//! # use uuid::Uuid;
//! # enum Error { Database(sqlx::Error), Corrupt(String) }
//! # mod store { pub async fn lock(_: &mut sqlx::PgConnection, _: &[uuid::Uuid]) -> Result<(), sqlx::Error> { Ok(()) } }
//! # mod commands { use super::*;
//! #   pub async fn passed(_: &mut Work, _: marketplace_proto::certification::v1::CertificationPassed) -> Result<(), Error> { Ok(()) } }
//! # fn main() {}
//! struct Incoming;
//!
//! impl Receive for Incoming {
//!     // One statement that makes and locks this service's rows of the offers, in the order of the ids:
//!     // INSERT … SELECT unnest($1) ON CONFLICT DO NOTHING; SELECT … WHERE offer = ANY($1) ORDER BY offer FOR UPDATE
//!     async fn lock(&self, work: &mut Work, offers: &[Uuid]) -> Result<(), Failure> {
//!         Ok(store::lock(work, offers).await?)
//!     }
//!
//!     async fn receive(&self, work: &mut Work, message: &Message) -> Result<(), Failure> {
//!         match message.decode::<CertificationEvent>()?.event {
//!             Some(Event::CertificationPassed(event)) => Ok(commands::passed(work, event).await?),
//!             Some(_) => Ok(()), // of a key that we don't bind
//!             None => Err(Failure::unknown_event()),
//!         }
//!     }
//! }
//!
//! // error.rs: sqlx errors are classified (away: tried again in place; else counted), broken invariants are dead.
//! impl From<Error> for Failure {
//!     fn from(error: Error) -> Failure {
//!         match error {
//!             Error::Database(error) => error.into(),
//!             Error::Corrupt(what) => Failure::dead(what),
//!         }
//!     }
//! }
//! ```
//!
//! # The third door: what is due (due.rs)
//!
//! ```no_run
//! # use marketplace_messaging::{Database, Error, Work};
//! # use marketplace_runtime::clock;
//! # async fn claim_due(_: &mut Work, _: time::OffsetDateTime) -> Result<bool, Error> { Ok(false) }
//! async fn due(db: Database, stop: tokio_util::sync::CancellationToken) {
//!     let mut woken = db.wake().on("due"); // listen, then look, then wait
//!     while !stop.is_cancelled() {
//!         let done: Result<bool, Error> = async {
//!             let mut work = Work::begin(&db).await?;
//!             let more = claim_due(&mut work, clock::now()).await?;
//!             work.commit().await?; // outbox rows in one statement, commit, wake the relay
//!             Ok(more)
//!         }
//!         .await;
//!         if !matches!(done, Ok(true)) {
//!             woken.tick().await; // notified, or a second has passed
//!         }
//!     }
//! }
//! ```
#![warn(missing_docs)]
#![allow(
    clippy::disallowed_methods,
    reason = "this crate serves five schemas: its SQL can't be checked against one"
)]

mod broker;
mod database;
pub mod dead_letters;
mod error;
pub mod inbox;
mod metrics;
pub mod outbox;
mod outgoing;
mod pause;
pub mod requests;
pub mod retention;
pub mod topology;
pub mod wake;
mod work;

pub use broker::Broker;
pub use database::Database;
pub use dead_letters::DeadLetters;
pub use error::Error;
pub use inbox::{Failure, Message, Receive, consume};
pub use outbox::Events;
pub use outgoing::{Outgoing, system};
pub use topology::{Subscription, TOPOLOGY};
pub use work::Work;
