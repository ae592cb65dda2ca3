//! The consumer: once, in order, whatever the connection does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use marketplace_messaging::{Broker, Events, Failure, Message, Receive, Work};
use marketplace_proto::messaging::v1::{ReplayEventsRequest, event_service_server::EventService};
use marketplace_runtime::{access::Access, clock, status, timestamp};
use tonic::Request;
use uuid::Uuid;

use crate::setup::{DEAD, DISORDERED, DOUBLED, EFFECTS, Effects, Setup, WAITING, caller, changed};

#[tokio::test]
async fn what_is_sent_again_is_not_applied_again() {
    let setup = Setup::new().await;
    let from = clock::now() - time::Duration::seconds(1);
    let (relay, consumer) = (
        setup.relay(&setup.publishing),
        setup.consume(&Arc::new(Effects)),
    );
    let offer = Uuid::now_v7();
    for _ in 0..300 {
        setup.tell([changed(offer), changed(Uuid::now_v7())]).await;
    }
    setup.until(EFFECTS, 600).await;
    setup.until(WAITING, 0).await;

    let events = Events::new(
        setup.publishing.clone(),
        setup.broker(),
        Access::local("marketplace.publishing.v1"),
    );
    let mut operator = caller("olga");
    let to = from + time::Duration::days(1);
    let ask = |consumer: &str, request_id: &str| ReplayEventsRequest {
        consumer: consumer.into(),
        from: Some(timestamp::to_proto(from)),
        to: Some(timestamp::to_proto(to)),
        request_id: request_id.into(),
        page_token: String::new(),
    };
    let mut request = Request::new(ask("history", "early"));
    request.extensions_mut().insert(Arc::new(operator.clone()));
    assert_eq!(
        events.replay_events(request).await.unwrap_err().code(),
        tonic::Code::PermissionDenied
    );
    operator.roles.operator = true;
    for (consumer, sent) in [("history", 600), ("certification", 0)] {
        let mut request = Request::new(ask(consumer, consumer));
        request.extensions_mut().insert(Arc::new(operator.clone()));
        assert_eq!(
            events
                .replay_events(request)
                .await
                .unwrap()
                .into_inner()
                .events,
            sent,
            "{consumer}"
        );
    }
    // The same request again is answered and sends nothing: it needs no broker. Another under its id is refused.
    let away = Events::new(
        setup.publishing.clone(),
        Broker::new("amqp://127.0.0.1:1", "test").unwrap(),
        Access::local("marketplace.publishing.v1"),
    );
    let repeat = async |events: &Events, consumer, id| {
        let mut request = Request::new(ask(consumer, id));
        request.extensions_mut().insert(Arc::new(operator.clone()));
        let answer = events.replay_events(request).await;
        answer.map(|answer| answer.into_inner().events)
    };
    assert_eq!(repeat(&away, "history", "history").await.unwrap(), 600);
    let reused = repeat(&away, "certification", "history").await.unwrap_err();
    assert_eq!(status::reason(&reused), "REQUEST_ID_REUSED");
    let refused = repeat(&away, "history", "new").await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable);
    // A long span takes several calls.
    let hasty = Events::new(
        setup.publishing.clone(),
        setup.broker(),
        Access::local("marketplace.publishing.v1"),
    )
    .within(Duration::ZERO);
    let mut parts = Vec::new();
    let mut ask_on = ask("history", "");
    loop {
        let mut request = Request::new(ask_on.clone());
        request.extensions_mut().insert(Arc::new(operator.clone()));
        let part = hasty.replay_events(request).await.unwrap().into_inner();
        parts.push(part.events);
        ask_on.page_token = part.next_page_token;
        if ask_on.page_token.is_empty() {
            break;
        }
        let mut other = Request::new(ReplayEventsRequest {
            consumer: "notification".into(),
            ..ask_on.clone()
        });
        other.extensions_mut().insert(Arc::new(operator.clone()));
        let refused = hasty.replay_events(other).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    }
    assert_eq!(parts, [256, 256, 88]);
    // Whatever comes behind the repeats is applied after them.
    setup.tell([changed(offer)]).await;
    setup.until(EFFECTS, 601).await;
    assert_eq!(
        (setup.count(DOUBLED).await, setup.count(DISORDERED).await),
        (0, 0)
    );

    // A consumer that lost its inbox gets everything again, in order.
    sqlx::query("TRUNCATE history.inbox, history.effects")
        .execute(&setup.admin)
        .await
        .unwrap();
    assert_eq!(repeat(&events, "history", "new").await.unwrap(), 601);
    setup.until(EFFECTS, 601).await;
    assert_eq!(
        (setup.count(DOUBLED).await, setup.count(DISORDERED).await),
        (0, 0)
    );
    relay.stop().await;
    consumer.stop().await;
    setup.end().await;
}

#[tokio::test]
async fn a_cut_connection_loses_and_doubles_nothing() {
    let setup = Setup::new().await;
    let (relay, consumer) = (
        setup.relay(&setup.publishing),
        setup.consume(&Arc::new(Effects)),
    );
    let offers: Vec<Uuid> = (0..10).map(|_| Uuid::now_v7()).collect();
    let mut told = 0;
    let mut cut = 0;
    // The management API lists a connection some seconds after it was made.
    for _ in 0..400 {
        setup.tell(offers.iter().map(|offer| changed(*offer))).await;
        told += 10;
        cut += setup.cut_connections().await;
        if cut >= 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(cut >= 2, "no connection was cut");
    setup.tell(offers.iter().map(|offer| changed(*offer))).await;
    setup.until(EFFECTS, told + 10).await;
    setup.until(WAITING, 0).await;
    assert_eq!(
        (
            setup.count(DOUBLED).await,
            setup.count(DISORDERED).await,
            setup.count(DEAD).await
        ),
        (0, 0, 0)
    );
    relay.stop().await;
    consumer.stop().await;
    setup.end().await;
}

/// Finds what it needs away a few times.
struct Impatient(AtomicU32);

impl Receive for Impatient {
    async fn receive(&self, work: &mut Work, message: &Message) -> Result<(), Failure> {
        Effects::write(work, message).await?;
        if message.header.revision == 3 && self.0.fetch_add(1, Ordering::Relaxed) < 7 {
            return Err(Failure::from(sqlx::Error::PoolTimedOut));
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_message_whose_needs_are_away_is_tried_again_in_place() {
    let setup = Setup::new().await;
    let receiver = Arc::new(Impatient(AtomicU32::new(0)));
    let offer = Uuid::now_v7();
    setup.tell((0..6).map(|_| changed(offer))).await;
    let (relay, consumer) = (setup.relay(&setup.publishing), setup.consume(&receiver));
    setup.until(EFFECTS, 6).await;
    assert!(
        receiver.0.load(Ordering::Relaxed) > 7,
        "more tries than any dead letter gets"
    );
    assert_eq!(
        (
            setup.count(DOUBLED).await,
            setup.count(DISORDERED).await,
            setup.count(DEAD).await
        ),
        (0, 0, 0)
    );
    relay.stop().await;
    consumer.stop().await;
    setup.end().await;
}

/// Postgres is "restarted": every connection of the services is ended.
#[tokio::test]
async fn a_restart_of_postgres_in_the_middle_loses_and_doubles_nothing() {
    let setup = Setup::new().await;
    let (relay, consumer) = (
        setup.relay(&setup.publishing),
        setup.consume(&Arc::new(Effects)),
    );
    let offers: Vec<Uuid> = (0..10).map(|_| Uuid::now_v7()).collect();
    for round in 0..60 {
        if round % 15 == 7 {
            let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE usename IN ('publishing_app', 'history_app') AND datname = current_database()
                          AND (usename = 'history_app' OR application_name = '' AND query LIKE '%relay_lease%')";
            sqlx::query(kill).execute(&setup.admin).await.unwrap();
        }
        setup.tell(offers.iter().map(|offer| changed(*offer))).await;
    }
    setup.until(EFFECTS, 600).await;
    setup.until(WAITING, 0).await;
    assert_eq!(
        (
            setup.count(DOUBLED).await,
            setup.count(DISORDERED).await,
            setup.count(DEAD).await
        ),
        (0, 0, 0)
    );
    relay.stop().await;
    consumer.stop().await;
    setup.end().await;
}

/// Passes over the error of a statement, once for some messages: Postgres rolls such a transaction back at COMMIT.
struct Careless(AtomicU32);

impl Receive for Careless {
    async fn receive(&self, work: &mut Work, message: &Message) -> Result<(), Failure> {
        if self.0.fetch_add(1, Ordering::Relaxed) % 10 == 5 {
            sqlx::query("SELECT 1 / 0").execute(&mut **work).await.ok();
            return Ok(());
        }
        Effects::write(work, message).await
    }
}

#[tokio::test]
async fn a_passed_over_error_loses_no_message() {
    let setup = Setup::new().await;
    setup.tell((0..40).map(|_| changed(Uuid::now_v7()))).await;
    let (relay, consumer) = (
        setup.relay(&setup.publishing),
        setup.consume(&Arc::new(Careless(AtomicU32::new(0)))),
    );
    setup.until(EFFECTS, 40).await;
    assert_eq!(
        (setup.count(DOUBLED).await, setup.count(DEAD).await),
        (0, 0)
    );
    relay.stop().await;
    consumer.stop().await;
    setup.end().await;
}

#[tokio::test]
async fn of_two_consumers_one_works_and_the_other_takes_over() {
    let setup = Setup::new().await;
    let relay = setup.relay(&setup.publishing);
    let (first, second) = (
        setup.consume(&Arc::new(Effects)),
        setup.consume(&Arc::new(Effects)),
    );
    let offers: Vec<Uuid> = (0..20).map(|_| Uuid::now_v7()).collect();
    for round in 0..40 {
        setup.tell(offers.iter().map(|offer| changed(*offer))).await;
        if round == 20 {
            setup
                .until("SELECT least(count(*), 1) FROM history.effects", 1)
                .await;
        }
    }
    first.crash().await;
    setup.until(EFFECTS, 800).await;
    assert_eq!(
        (
            setup.count(DOUBLED).await,
            setup.count(DISORDERED).await,
            setup.count(DEAD).await
        ),
        (0, 0, 0)
    );
    relay.stop().await;
    second.stop().await;
    setup.end().await;
}
