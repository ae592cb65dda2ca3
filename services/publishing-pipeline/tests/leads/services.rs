//! What is peculiar to one service: its secrets, its words, its limits.

use marketplace_proto::offercatalog::v1::{
    dynamics_destination::Authentication, lead_destination::Destination,
};
use publishing_pipeline::leads::Delivery;
use serde_json::json;
use system_tests::{Answer, Call, keys};

use super::{Kind, World};

/// Whatever of its set-up is wrong, the service says so in its own way, and the publisher is told what to check.
#[tokio::test]
async fn ld9_a_wrong_secret_or_name_is_told_with_what_to_check() {
    let world = World::start().await;
    type Spoil = fn(&mut Destination);
    let table: [(Kind, Spoil, &[&str]); 8] = [
        (
            Kind::Table,
            |to| {
                if let Destination::Table(to) = to {
                    to.connection_string = to.connection_string.replace("c2Vj", "AAAA");
                }
            },
            &["Azure Table answered 403", "key in the connection string"],
        ),
        (
            Kind::Dynamics,
            |to| entra(to, |entra| entra.application_key += "x"),
            &["Microsoft Entra answered 401", "application key"],
        ),
        (
            Kind::Dynamics,
            |to| entra(to, |entra| entra.application_id += "x"),
            &["Microsoft Entra answered 400", "application id"],
        ),
        (
            Kind::Dynamics,
            |to| entra(to, |entra| entra.directory_id += "x"),
            &["Microsoft Entra answered 400", "directory id"],
        ),
        (
            Kind::Marketo,
            |to| marketo(to, |to| to.client_secret += "x"),
            &["Marketo answered 401", "client secret"],
        ),
        (
            Kind::Marketo,
            |to| marketo(to, |to| to.client_id += "x"),
            &["Marketo answered 401", "client id"],
        ),
        (
            Kind::Marketo,
            |to| marketo(to, |to| to.form_id = "1002".into()),
            &["Marketo refused the lead (702)", "form"],
        ),
        (
            Kind::Salesforce,
            |to| {
                if let Destination::Salesforce(to) = to {
                    to.object_identifier = "00D500000000000".into();
                }
            },
            &["Salesforce did not process the lead", "object identifier"],
        ),
    ];
    for (kind, spoil, words) in table {
        let mut destination = world.destination(kind);
        spoil(&mut destination);
        let delivery = world.deliver_to(destination).await;
        assert_eq!(World::refused(kind, delivery, words), 0);
    }
    assert!(world.crm.leads().is_empty());
}

fn entra(
    to: &mut Destination,
    spoil: fn(&mut marketplace_proto::offercatalog::v1::EntraAuthentication),
) {
    if let Destination::Dynamics(to) = to
        && let Some(Authentication::Entra(entra)) = &mut to.authentication
    {
        spoil(entra);
    }
}

fn marketo(
    to: &mut Destination,
    spoil: fn(&mut marketplace_proto::offercatalog::v1::MarketoDestination),
) {
    if let Destination::Marketo(to) = to {
        spoil(to);
    }
}

/// A set-up that can never work is told at once, without a call.
#[tokio::test]
async fn ld2_what_can_never_work_is_impossible() {
    let world = World::start().await;
    let mut password = world.destination(Kind::Dynamics);
    if let Destination::Dynamics(to) = &mut password {
        to.authentication = Some(Authentication::Office365(Default::default()));
    }
    let mut without_client = world.destination(Kind::Marketo);
    marketo(&mut without_client, |to| to.client_secret.clear());
    let mut inside = world.destination(Kind::Https);
    let mut plain = world.destination(Kind::Https);
    for (to, url) in [
        (&mut inside, "https://10.0.0.1/leads"),
        (&mut plain, "http://hooks.crm.test/leads"),
    ] {
        if let Destination::HttpsEndpoint(to) = to {
            to.url = url.into();
        }
    }
    for destination in [password, without_client, inside, plain] {
        let delivery = world.deliver_to(destination).await;
        assert!(matches!(delivery, Delivery::Impossible(_)), "{delivery:?}");
    }
    assert!(world.crm.server.received().is_empty());
}

#[tokio::test]
async fn ld5_a_missing_table_is_made_once_also_by_two_at_once() {
    let world = World::start().await;
    assert!(matches!(
        world.deliver(Kind::Table).await,
        Delivery::Accepted(_)
    ));
    assert_eq!(
        (world.crm.calls(Call::Lead), world.crm.calls(Call::Table)),
        (2, 1)
    );
    // Another lead makes it between our two calls: 409.
    world.crm.says(Call::Lead, [Answer::status(404)]);
    assert!(matches!(
        world.deliver(Kind::Table).await,
        Delivery::Accepted(_)
    ));
    // Who may not make tables is told so; one that is always missing is no endless work.
    world.crm.says(Call::Lead, vec![Answer::status(404); 2]);
    let delivery = world.deliver(Kind::Table).await;
    World::refused(Kind::Table, delivery, &["Azure Table answered 404"]);
}

/// A token that has ended is renewed, once.
#[tokio::test]
async fn ld9_a_token_that_has_ended_is_renewed_once() {
    let world = World::start().await;
    let unauthorized = Answer::status(401);
    let expired = marketo_says("602");
    for (kind, stale) in [(Kind::Dynamics, unauthorized), (Kind::Marketo, expired)] {
        let before = world.crm.calls(Call::Token);
        world.crm.says(Call::Lead, [stale.clone()]);
        let delivery = world.deliver(kind).await;
        assert!(matches!(delivery, Delivery::Accepted(_)), "{delivery:?}");
        assert_eq!(world.crm.calls(Call::Token) - before, 2, "{kind:?}");
        world.crm.says(Call::Lead, vec![stale; 3]);
        World::refused(kind, world.deliver(kind).await, &["check"]);
        assert_eq!(world.crm.calls(Call::Token) - before, 4, "{kind:?}");
    }
}

fn marketo_says(code: &str) -> Answer {
    let errors = json!([{ "code": code, "message": keys::CLIENT_SECRET }]);
    Answer::json(200, &json!({ "success": false, "errors": errors }))
}

/// Marketo answers 200 whatever happens: of the request, or of its record.
#[tokio::test]
async fn ld9_marketos_errors_are_read_from_its_answers() {
    let world = World::start().await;
    let reasons = json!([{ "code": "1006", "message": keys::CLIENT_SECRET }]);
    let skipped =
        json!({ "success": true, "result": [{ "status": "skipped", "reasons": reasons }] });
    let table = [
        (marketo_says("601"), "(601): check the client id", 0),
        (marketo_says("603"), "(603): let the role", 0),
        (marketo_says("606"), "(606): it takes no more calls", 20),
        (marketo_says("607"), "(607): its quota of the day", 3600),
        (marketo_says("608"), "(608): it fails at the moment", 0),
        (marketo_says("615"), "(615): it takes no more calls", 1),
        (
            Answer::json(200, &skipped),
            "(1006): check that the form",
            0,
        ),
        (Answer::json(200, &json!({})), "(): check that the form", 0),
        (Answer::status(200), "can't be read", 0),
    ];
    for (answer, words, wait) in table {
        world.crm.says(Call::Lead, vec![answer; 2]);
        let delivery = world.deliver(Kind::Marketo).await;
        assert_eq!(World::refused(Kind::Marketo, delivery, &[words]), wait);
    }
    for answer in [
        Answer::status(200),
        Answer::json(200, &json!({ "access_token": "" })),
    ] {
        for kind in Kind::WITH_TOKEN {
            world.crm.says(Call::Token, [answer.clone()]);
            World::refused(kind, world.deliver(kind).await, &["check"]);
        }
    }
}

#[tokio::test]
async fn ld9_salesforces_header_says_what_became_of_the_lead() {
    let world = World::start().await;
    let said = |header: &str| Answer::status(200).with("is-processed", header);
    world.crm.says(Call::Lead, [Answer::status(200)]);
    let silent = world.deliver(Kind::Salesforce).await;
    assert!(matches!(silent, Delivery::Accepted(_)), "{silent:?}");
    for header in ["false", "true Exception:common.exception.ApiException"] {
        world.crm.says(Call::Lead, [said(header)]);
        let delivery = world.deliver(Kind::Salesforce).await;
        World::refused(Kind::Salesforce, delivery, &["did not process"]);
    }
}
