//! `EventService`: sends published events again, with their own ids, to one consumer's queue.

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use lapin::{
    Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use marketplace_proto::messaging::v1::{self as pb, event_service_server::EventService};
use marketplace_runtime::{
    access::{Access, Permission, Target},
    identity, ids,
    paging::{self, Fingerprint},
    status::{self, Violation},
    timestamp,
};
use time::{Date, OffsetDateTime};
use tonic::{Request, Response, Status};

use super::Row;
use crate::{
    Broker, Database, Error, Work,
    broker::Link,
    requests::{self, Once},
    topology,
    topology::Subscription,
};

const PAGE: usize = 256;
/// How long a call goes on sending: shorter than a call may take, and than its claim on the request id holds.
const BUDGET: Duration = Duration::from_secs(5);

/// Serves the published events of one service.
pub struct Events {
    database: Database,
    broker: Broker,
    access: Access,
    budget: Duration,
}

/// From when to when, and where the next page starts.
struct Span {
    from: OffsetDateTime,
    to: OffsetDateTime,
    after: (Date, i64),
}

impl Events {
    /// For `EventServiceServer::new`.
    pub fn new(database: Database, broker: Broker, access: Access) -> Events {
        Events {
            database,
            broker,
            access,
            budget: BUDGET,
        }
    }

    /// The same, whose calls send for so long, and one page at least.
    #[must_use]
    pub fn within(mut self, budget: Duration) -> Events {
        self.budget = budget;
        self
    }

    /// Sends what happened in the span and reaches the consumer, until nothing is left or time is up; answers how many
    /// events that were, and whether all. Those that wait in the outbox are on their way anyhow.
    async fn send_again(
        &self,
        consumer: Subscription,
        span: &mut Span,
    ) -> Result<(u64, bool), Error> {
        let begun = Instant::now();
        let link = self.broker.link("replay").await?;
        link.channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        let mut sent = 0;
        let all = loop {
            if sent > 0 && begun.elapsed() >= self.budget {
                break false;
            }
            let page = self.page(span).await?;
            let wanted = page
                .iter()
                .filter(|row| consumer.takes(row.cc.split(' ').chain([row.key.as_str()])));
            let rows: Vec<&Row> = wanted.collect();
            self.publish(&link, consumer.queue, &rows).await?;
            sent += rows.len() as u64;
            if page.len() < PAGE {
                break true;
            }
        };
        link.close().await;
        Ok((sent, all))
    }

    async fn page(&self, span: &mut Span) -> Result<Vec<Row>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT * FROM published
             WHERE published_on >= $1 AND (published_on, position) > ($1, $2) AND occurred_at >= $3 AND occurred_at < $4
             ORDER BY published_on, position LIMIT $5",
        )
        .bind(span.after.0)
        .bind(span.after.1)
        .bind(span.from)
        .bind(span.to)
        .bind(PAGE as i64)
        .fetch_all(self.database.pool())
        .await?;
        if let Some(last) = rows.last() {
            use sqlx::Row as _;
            span.after = (last.try_get("published_on")?, last.try_get("position")?);
        }
        rows.iter().map(Row::read).collect()
    }

    /// To the queue itself, in order; waits for every confirm.
    async fn publish(&self, link: &Link, queue: &str, rows: &[&Row]) -> Result<(), Error> {
        let mut confirms = Vec::with_capacity(rows.len());
        for row in rows {
            let options = BasicPublishOptions {
                mandatory: true,
                ..Default::default()
            };
            let properties = row.properties(self.database.service(), true);
            let payload = row.payload()?;
            confirms.push(
                link.channel
                    .basic_publish("".into(), queue.into(), options, &payload, properties)
                    .await?,
            );
        }
        // All go the same way: one that is returned or refused is enough to say that it didn't work.
        let refused =
            |confirmation: &Confirmation| !matches!(confirmation, Confirmation::Ack(None));
        match try_join_all(confirms).await?.iter().any(refused) {
            true => Err(Error::BrokerSilent("taking a replay")),
            false => Ok(()),
        }
    }
}

#[tonic::async_trait]
impl EventService for Events {
    async fn replay_events(
        &self,
        request: Request<pb::ReplayEventsRequest>,
    ) -> Result<Response<pb::ReplayEventsResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        self.access
            .require(&caller, Permission::Operate, &Target::Platform)
            .await?;
        let domain = self.database.domain();
        let (consumer, mut span) =
            read(&request).map_err(|violations| status::invalid(domain, violations))?;
        let once = Once::new(
            domain,
            &caller,
            "ReplayEvents",
            &request.request_id,
            &request,
        )?;
        // Claimed before anything is sent; no transaction is open while the broker takes it.
        requests::run_claimed(&self.database, once, ids::new_id(), async move |_| {
            let failed = |error: Error| error.into_status(domain);
            let (sent, all) = self.send_again(consumer, &mut span).await.map_err(failed)?;
            tracing::info!(
                consumer = consumer.queue,
                events = sent,
                by = caller.principal(),
                "events were sent again"
            );
            let work = Work::begin(&self.database).await;
            let work = work.map_err(|error| failed(error.into()))?;
            let next_page_token = match all {
                true => String::new(),
                false => paging::encode(&span.after, filters(&request)),
            };
            let answer = pb::ReplayEventsResponse {
                events: sent,
                next_page_token,
            };
            Ok((work, answer))
        })
        .await
    }
}

/// What a token of a call is good for.
fn filters(request: &pb::ReplayEventsRequest) -> Fingerprint {
    let time = |at: Option<&prost_types::Timestamp>| at.map(|at| (at.seconds, at.nanos));
    let span = (time(request.from.as_ref()), time(request.to.as_ref()));
    Fingerprint::of("ReplayEvents", &(&request.consumer, span))
}

fn read(request: &pb::ReplayEventsRequest) -> Result<(Subscription, Span), Vec<Violation>> {
    let consumer = topology::of(&request.consumer).ok_or_else(|| {
        Violation::new("consumer", "is no queue of the topology").because("UNKNOWN_CONSUMER")
    });
    let from = timestamp::required(request.from.as_ref(), "from");
    let to = timestamp::required(request.to.as_ref(), "to");
    let after = paging::decode::<(Date, i64)>(&request.page_token, filters(request));
    match (consumer, from, to, after) {
        (Ok(_), Ok(from), Ok(to), Ok(_)) if from >= to => Err(vec![
            Violation::new("to", "must be later than `from`").because("EMPTY_SPAN"),
        ]),
        // Nothing is published before it happened.
        (Ok(consumer), Ok(from), Ok(to), Ok(after)) => Ok((
            consumer,
            Span {
                from,
                to,
                after: after.map_or((from.date(), 0), |(date, position)| {
                    (date.max(from.date()), position)
                }),
            },
        )),
        (consumer, from, to, after) => {
            let wrong = [consumer.err(), from.err(), to.err(), after.err()];
            Err(wrong.into_iter().flatten().collect())
        }
    }
}
