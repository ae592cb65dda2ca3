//! Where leads and credentials go, and where they don't, whatever a destination redirects or its name leads to.

use std::time::Duration;

use marketplace_proto::offercatalog::v1::lead_destination::Destination;
use publishing_pipeline::leads::Delivery;
use system_tests::{Answer, Call, Received};
use tokio::net::TcpListener;

use super::world::{HOME, PRIVATE};
use super::{Kind, World};

fn moved(status: u16, to: impl Into<String>) -> Answer {
    Answer::status(status).with("location", to)
}

/// What came to a host.
fn came(world: &World, host: &str) -> Vec<Received> {
    let received = world.crm.server.received().into_iter();
    received
        .filter(|one| one.header("host").starts_with(host))
        .collect()
}

/// Nobody has called.
async fn unvisited(inside: &TcpListener) -> bool {
    let visit = tokio::time::timeout(Duration::ZERO, inside.accept()).await;
    visit.is_err()
}

#[tokio::test]
async fn ld5_a_lead_that_a_redirect_makes_a_get_of_is_not_delivered() {
    let world = World::start().await;
    for kind in [Kind::Https, Kind::Marketo, Kind::Salesforce] {
        for status in [301, 302, 303] {
            let login = world.at(kind.host(), "/login");
            world
                .crm
                .says(Call::Lead, [moved(status, login), Answer::status(200)]);
            let delivery = world.deliver(kind).await;
            World::refused(kind, delivery, &["POST became GET", "final address"]);
        }
    }
    for kind in [Kind::Table, Kind::Dynamics] {
        let login = world.at(kind.host(), "/login");
        world
            .crm
            .says(Call::Lead, [moved(303, login), Answer::status(200)]);
        World::refused(kind, world.deliver(kind).await, &["became GET"]);
    }
}

#[tokio::test]
async fn ld9_a_redirect_to_a_private_address_is_not_followed() {
    let world = World::start().await;
    // Somebody listens there: a call would be seen.
    let inside = TcpListener::bind((PRIVATE, 0)).await.unwrap();
    let port = inside.local_addr().unwrap().port();
    world.name("inside.crm.test", &[PRIVATE]);
    let inward = [
        format!("https://{PRIVATE}:{port}/leads"),
        format!("https://inside.crm.test:{port}/leads"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://[::1]/".to_owned(),
    ];
    for to in &inward {
        for kind in Kind::ALL {
            world.crm.says(Call::Lead, [moved(307, to)]);
            let delivery = world.deliver(kind).await;
            World::refused(kind, delivery, &["has no public address"]);
        }
        for kind in Kind::WITH_TOKEN {
            world.crm.says(Call::Token, [moved(307, to)]);
            World::refused(kind, world.deliver(kind).await, &["another host"]);
        }
    }
    let plain = world
        .at("hooks.crm.test", "/leads")
        .replace("https", "http");
    for kind in Kind::ALL {
        world.crm.says(Call::Lead, [moved(307, &plain)]);
        World::refused(kind, world.deliver(kind).await, &["not https"]);
    }
    assert!(unvisited(&inside).await);
    assert!(world.crm.leads().is_empty());
}

#[tokio::test]
async fn ld9_credentials_stay_with_the_host_that_they_are_for() {
    let world = World::start().await;
    for kind in Kind::ALL {
        let path = "/elsewhere";
        let to = world.at("other.crm.test", path);
        // Dynamics 365 refuses a call without a token: it is given another, and sent there again.
        world.crm.says(
            Call::Lead,
            [
                moved(307, &to),
                Answer::status(401),
                moved(307, &to),
                Answer::status(401),
            ],
        );
        World::refused(kind, world.deliver(kind).await, &["401"]);
    }
    let other = came(&world, "other.crm.test");
    assert_eq!(other.len(), 6, "each followed, Dynamics 365 twice");
    for call in other {
        for name in ["authorization", "cookie", "x-ms-date", "x-ms-version"] {
            assert_eq!(call.header(name), "", "{name}");
        }
        assert!(!call.path.contains("secret"));
    }
    for kind in Kind::WITH_TOKEN {
        let to = world.at("other.crm.test", "/oauth2/v2.0/token");
        for status in [301, 302, 303, 307, 308] {
            world.crm.says(Call::Token, [moved(status, &to)]);
            World::refused(kind, world.deliver(kind).await, &["another host"]);
        }
    }
    assert_eq!(came(&world, "other.crm.test").len(), 6, "no secret was");
}

#[tokio::test]
async fn ld9_three_redirects_are_followed_and_no_more() {
    let world = World::start().await;
    for kind in Kind::ALL {
        let hop = moved(308, world.at(kind.host(), "/hop"));
        let arrives = Answer::json(200, &serde_json::json!({ "success": true }));
        let three = vec![hop.clone(), hop.clone(), hop.clone(), arrives];
        world.crm.says(Call::Lead, three);
        let delivery = world.deliver(kind).await;
        assert!(
            matches!(delivery, Delivery::Accepted(_)),
            "{kind:?}: {delivery:?}"
        );
        world.crm.says(Call::Lead, vec![hop; 4]);
        let delivery = world.deliver(kind).await;
        World::refused(kind, delivery, &["more than 3 times", "final address"]);
    }
}

/// What was checked is what is dialled: at every call, of one try too.
#[tokio::test]
async fn ld9_a_name_that_leads_inside_the_second_time_is_not_called_there() {
    let world = World::start().await;
    let inside = TcpListener::bind((PRIVATE, world.crm.server.port))
        .await
        .unwrap();
    // Its table is there from now on: every further lead is one call.
    world.deliver(Kind::Table).await;
    for kind in Kind::ALL {
        // Marketo gives the token under the same name.
        let calls = if kind == Kind::Marketo { 2 } else { 1 };
        world.name(kind.host(), &[HOME, HOME, PRIVATE][2 - calls..]);
        let delivery = world.deliver(kind).await;
        assert!(
            matches!(delivery, Delivery::Accepted(_)),
            "{kind:?}: {delivery:?}"
        );
        let delivery = world.deliver(kind).await;
        let words = ["has no public address", "give it a public address"];
        World::refused(kind, delivery, &words);
    }
    world.name(Kind::Marketo.host(), &[HOME, PRIVATE]);
    let before = world.crm.calls(Call::Lead);
    let delivery = world.deliver(Kind::Marketo).await;
    World::refused(Kind::Marketo, delivery, &["has no public address"]);
    assert_eq!(world.crm.calls(Call::Lead), before, "within a try as well");
    assert!(unvisited(&inside).await);
}

#[tokio::test]
async fn ld9_who_shows_no_certificate_of_that_name_is_not_reached() {
    let world = World::start().await;
    let mut destination = world.destination(Kind::Https);
    if let Destination::HttpsEndpoint(to) = &mut destination {
        to.url = world.at("stranger.example", "/leads");
    }
    let delivery = world.deliver_to(destination).await;
    World::refused(Kind::Https, delivery, &["can't be reached", "certificate"]);
    assert!(world.crm.server.received().is_empty());
}
