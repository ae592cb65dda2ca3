//! Calls to neighbours: token, deadline, and what happens when nobody is there.

use std::time::{Duration, Instant};

use jsonwebtoken::Algorithm;
use marketplace_proto::messaging::v1::GetDeadLetterRequest;
use marketplace_proto::messaging::v1::dead_letter_service_client::DeadLetterServiceClient;
use marketplace_proto::messaging::v1::dead_letter_service_server::DeadLetterServiceServer;
use tonic::{Code, Request};
use url::Url;

use crate::server::Server;
use crate::service::Service;
use crate::tasks::Tasks;
use crate::testing::{Folder, Signer, Slow, common, service_tokens};
use crate::{deadline, neighbour, status};

struct World {
    client: DeadLetterServiceClient<neighbour::NeighbourChannel>,
    service: Service,
}

async fn world(host: &str) -> World {
    let folder = Folder::new();
    let signer = Signer::new(Algorithm::EdDSA, "local-1");
    let common = common(&folder, &[&signer]);
    let server = Server::new("marketplace.messaging.v1", &common);
    let service = server
        .service(DeadLetterServiceServer::new(Slow))
        .start(Tasks::new())
        .await
        .unwrap();
    let url = Url::parse(&format!("http://{host}:{}", service.address().port())).unwrap();
    let channel = neighbour::channel(&url, &service_tokens(&folder, &signer, "history")).unwrap();
    World {
        client: DeadLetterServiceClient::new(channel),
        service,
    }
}

fn ask(id: &str) -> GetDeadLetterRequest {
    GetDeadLetterRequest { id: id.into() }
}

#[tokio::test]
async fn a_neighbour_is_called_as_the_service_with_what_is_left_of_the_call() {
    let mut world = world("127.0.0.1").await;
    let seen = world
        .client
        .get_dead_letter(ask("x"))
        .await
        .unwrap()
        .into_inner()
        .dead_letter
        .unwrap();
    assert_eq!(seen.queue, "https://local.marketplace|history");
    assert!(seen.attempts <= 10_000);
    let soon = tokio::time::Instant::now() + Duration::from_millis(700);
    let seen = deadline::within(soon, world.client.get_dead_letter(ask("x")))
        .await
        .unwrap()
        .into_inner()
        .dead_letter
        .unwrap();
    assert!(
        (1..=700).contains(&seen.attempts),
        "{} ms left there",
        seen.attempts
    );
}

/// "localhost" may have an address too (::1) that nobody listens at: calls are balanced over both.
#[tokio::test]
async fn a_name_is_resolved() {
    let mut world = world("localhost").await;
    let mut refused = 0;
    while let Err(status) = world.client.get_dead_letter(ask("x")).await {
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        refused += 1;
        assert!(refused < 100, "no address leads there");
    }
}

#[tokio::test]
async fn a_slow_neighbour_is_deadline_exceeded_not_cancelled() {
    let mut world = world("127.0.0.1").await;
    for _ in 0..10 {
        let soon = tokio::time::Instant::now() + Duration::from_millis(30);
        let refused = deadline::within(soon, world.client.get_dead_letter(ask("sleep-3000")))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::DeadlineExceeded, "{refused:?}");
    }
    let mut request = Request::new(ask("sleep-3000"));
    request.set_timeout(Duration::from_millis(30));
    assert_eq!(
        world
            .client
            .get_dead_letter(request)
            .await
            .unwrap_err()
            .code(),
        Code::DeadlineExceeded
    );
}

#[tokio::test]
async fn a_neighbour_that_is_away_is_unavailable_at_once_and_found_again() {
    let World {
        mut client,
        service,
    } = world("127.0.0.1").await;
    client.get_dead_letter(ask("x")).await.unwrap();
    let address = service.address();
    service.stop().await.unwrap();
    let begun = Instant::now();
    for _ in 0..3 {
        assert_eq!(
            client.get_dead_letter(ask("x")).await.unwrap_err().code(),
            Code::Unavailable
        );
    }
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "it took {:?}",
        begun.elapsed()
    );
    // Anybody on that port: the channel connects again by itself.
    let health = tonic_health::server::health_reporter().1;
    let server = tonic::transport::Server::builder()
        .add_service(health)
        .add_service(DeadLetterServiceServer::new(Slow));
    crate::testing::background(server.serve(address));
    let deadline = Instant::now() + Duration::from_secs(5);
    while client.get_dead_letter(ask("x")).await.is_err() {
        assert!(Instant::now() < deadline, "it was not found again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A connection that has reached its age is closed while calls wait to be written to it.
#[tokio::test]
async fn no_call_is_lost_with_a_connection_that_ends() {
    let folder = Folder::new();
    let signer = Signer::new(Algorithm::EdDSA, "local-1");
    let incoming = tonic::transport::server::TcpIncoming::bind("127.0.0.1:0".parse().unwrap());
    let incoming = incoming.unwrap();
    let port = incoming.local_addr().unwrap().port();
    let server = tonic::transport::Server::builder()
        .max_connection_age(Duration::from_millis(20))
        .add_service(DeadLetterServiceServer::new(Slow));
    crate::testing::background(server.serve_with_incoming(incoming));
    let url = Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let channel = neighbour::channel(&url, &service_tokens(&folder, &signer, "history")).unwrap();
    let until = Instant::now() + Duration::from_secs(2);
    let caller = |id: String| {
        let mut client = DeadLetterServiceClient::new(channel.clone());
        async move {
            let mut calls = 0;
            while Instant::now() < until {
                client.get_dead_letter(ask(&id)).await.unwrap();
                calls += 1;
            }
            calls
        }
    };
    let callers = (0..16).map(|number| caller(format!("sleep-{}", number % 4)));
    let calls: usize = futures::future::join_all(callers).await.iter().sum();
    assert!(calls > 1_000, "{calls} calls");
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_unavailable() {
    let folder = Folder::new();
    let signer = Signer::new(Algorithm::EdDSA, "local-1");
    let url = Url::parse("http://no-such-host.invalid:7001").unwrap();
    let channel = neighbour::channel(&url, &service_tokens(&folder, &signer, "history")).unwrap();
    let mut client = DeadLetterServiceClient::new(channel);
    let begun = Instant::now();
    let mut request = Request::new(ask("x"));
    request.set_timeout(Duration::from_secs(8));
    let refused = client.get_dead_letter(request).await.unwrap_err();
    assert!(
        matches!(refused.code(), Code::Unavailable | Code::DeadlineExceeded),
        "{refused:?}"
    );
    // Once the look-up has failed nobody waits any more.
    let refused = client.get_dead_letter(ask("x")).await.unwrap_err();
    assert_eq!(
        (refused.code(), status::reason(&refused).as_str()),
        (Code::Unavailable, "UNAVAILABLE")
    );
    assert!(begun.elapsed() < Duration::from_secs(10));
}
