//! The whole server on loopback: identity, deadlines, limits, health, reflection, and how it stops.

use std::time::{Duration, Instant};

use jsonwebtoken::Algorithm;
use marketplace_proto::messaging::v1 as pb;
use marketplace_proto::messaging::v1::dead_letter_service_client::DeadLetterServiceClient;
use marketplace_proto::messaging::v1::dead_letter_service_server::DeadLetterServiceServer;
use serde_json::json;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use super::*;
use crate::status;
use crate::tasks::Tasks;
use crate::testing::{Folder, Signer, Slow, common};

const DOMAIN: &str = "marketplace.messaging.v1";
const GET: &str = "/marketplace.messaging.v1.DeadLetterService/GetDeadLetter";
const DISCARD: &str = "/marketplace.messaging.v1.DeadLetterService/DiscardDeadLetter";

struct World {
    signer: Signer,
    service: Service,
    channel: Channel,
    _folder: Folder,
}

async fn world(maximum: Duration) -> World {
    let folder = Folder::new();
    let signer = Signer::new(Algorithm::EdDSA, "local-1");
    let common = common(&folder, &[&signer]);
    let service = Server::new(DOMAIN, &common)
        .service(crate::limits!(DeadLetterServiceServer::new(Slow)))
        .maximum(GET, maximum)
        .anonymous(&[DISCARD])
        .start(Tasks::new())
        .await
        .unwrap();
    let endpoint = Channel::from_shared(format!("http://{}", service.address())).unwrap();
    World {
        signer,
        channel: endpoint.connect().await.unwrap(),
        service,
        _folder: folder,
    }
}

impl World {
    async fn get(&self, id: &str, timeout: Option<Duration>) -> Result<pb::DeadLetter, Status> {
        let mut request = Request::new(pb::GetDeadLetterRequest { id: id.into() });
        let token = format!("Bearer {}", self.signer.token(&json!({})));
        request
            .metadata_mut()
            .insert("authorization", token.parse().unwrap());
        if let Some(timeout) = timeout {
            // Not `set_timeout`, which would let our own client give up first.
            let millis = format!("{}m", timeout.as_millis());
            request
                .metadata_mut()
                .insert("grpc-timeout", millis.parse().unwrap());
        }
        let answer = DeadLetterServiceClient::new(self.channel.clone())
            .get_dead_letter(request)
            .await?;
        Ok(answer.into_inner().dead_letter.unwrap())
    }

    async fn with_header(&self, value: Option<&str>) -> Result<(), Status> {
        let mut request = Request::new(pb::GetDeadLetterRequest::default());
        if let Some(value) = value {
            request
                .metadata_mut()
                .insert("authorization", MetadataValue::try_from(value).unwrap());
        }
        DeadLetterServiceClient::new(self.channel.clone())
            .get_dead_letter(request)
            .await
            .map(drop)
    }

    async fn health(&self) -> i32 {
        let request = HealthCheckRequest {
            service: String::new(),
        };
        HealthClient::new(self.channel.clone())
            .check(request)
            .await
            .unwrap()
            .into_inner()
            .status
    }
}

#[tokio::test]
async fn a_call_over_the_methods_maximum_is_deadline_exceeded() {
    let world = world(Duration::from_millis(100)).await;
    let begun = Instant::now();
    let refused = world.get("sleep-5000", None).await.unwrap_err();
    assert_eq!(
        (refused.code(), status::reason(&refused).as_str()),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED")
    );
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(world.get("sleep-1", None).await.is_ok());
}

#[tokio::test]
async fn the_shorter_of_the_callers_and_the_methods_time_counts() {
    let world = world(Duration::from_secs(2)).await;
    // Several times: tonic's own timer, which answers CANCELLED, has the same time and must never be first.
    for _ in 0..30 {
        let refused = raw_call(&world, "20m").await;
        assert_eq!(refused, Code::DeadlineExceeded as i32);
    }
    let seen = world.get("x", Some(Duration::from_secs(60))).await.unwrap();
    assert!(
        (1_000..=2_000).contains(&seen.attempts),
        "{} ms left",
        seen.attempts
    );
    let seen = world.get("x", Some(Duration::from_secs(1))).await.unwrap();
    assert!(
        (1..=1_000).contains(&seen.attempts),
        "{} ms left",
        seen.attempts
    );
}

/// A call without tonic's client, whose timer would answer first.
async fn raw_call(world: &World, timeout: &str) -> i32 {
    use prost::Message;
    let message = pb::GetDeadLetterRequest {
        id: "sleep-5000".into(),
    };
    let timeout = [("grpc-timeout", timeout)];
    let answer = raw(world, GET, &message.encode_to_vec(), &timeout).await;
    answer.code() as i32
}

/// The Status of a call that no client of ours would make.
async fn raw(world: &World, path: &str, message: &[u8], headers: &[(&str, &str)]) -> Status {
    let mut body = vec![0];
    body.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    body.extend(message);
    let stream = tokio::net::TcpStream::connect(world.service.address())
        .await
        .unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io)
        .await
        .unwrap();
    crate::testing::background(connection);
    let mut request = http::Request::post(format!("http://{}{path}", world.service.address()))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header(
            "authorization",
            format!("Bearer {}", world.signer.token(&json!({}))),
        );
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(http_body_util::Full::new(bytes::Bytes::from(body)))
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    Status::from_header_map(answer.headers()).unwrap()
}

/// What tonic refuses before a handler is reached carries code and ErrorInfo by the table of errors as well.
#[tokio::test]
async fn what_can_t_be_read_is_its_senders_mistake() {
    let world = world(Duration::from_secs(5)).await;
    let large = vec![b'x'; MAX_MESSAGE + 1];
    let unknown = "/marketplace.messaging.v1.DeadLetterService/Guess";
    let deflated = [("grpc-encoding", "deflate")];
    let table: [(_, &[u8], &[_], _, _); 5] = [
        (GET, b"\xff\xff", &[], Code::InvalidArgument, "UNDECODABLE"),
        (
            GET,
            &large,
            &[],
            Code::ResourceExhausted,
            "MESSAGE_TOO_LARGE",
        ),
        (unknown, b"", &[], Code::Unimplemented, "UNIMPLEMENTED"),
        ("/a.B/C", b"", &[], Code::Unimplemented, "UNIMPLEMENTED"),
        (GET, b"", &deflated, Code::Unimplemented, "UNIMPLEMENTED"),
    ];
    for (path, message, headers, code, reason) in table {
        let refused = raw(&world, path, message, headers).await;
        assert_eq!(
            (refused.code(), status::reason(&refused).as_str()),
            (code, reason),
            "{path}: {refused:?}"
        );
    }
    let health = "/grpc.health.v1.Health/Check";
    let elsewhere = raw(&world, health, b"\x0a\x01x", &[]).await;
    assert_eq!(
        (elsewhere.code(), status::reason(&elsewhere).as_str()),
        (Code::NotFound, "NOT_FOUND")
    );
}

#[tokio::test]
async fn streams_have_no_maximum() {
    let world = world(Duration::from_millis(50)).await;
    let request = HealthCheckRequest {
        service: String::new(),
    };
    let mut watch = HealthClient::new(world.channel.clone())
        .watch(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        watch.message().await.unwrap().unwrap().status,
        ServingStatus::Serving as i32
    );
    let next = tokio::time::timeout(Duration::from_millis(300), watch.message()).await;
    assert!(next.is_err(), "the stream ended: {next:?}");
}

#[tokio::test]
async fn no_token_no_answer() {
    let world = world(Duration::from_secs(5)).await;
    let expired = world.signer.token(&json!({"iat": 1, "exp": 2}));
    let table = [
        (None, "TOKEN_MISSING"),
        (Some("Bearer".to_owned()), "TOKEN_INVALID"),
        (Some("Basic dXNlcjpwYXNz".to_owned()), "TOKEN_INVALID"),
        (Some("Bearer x.y.z".to_owned()), "TOKEN_INVALID"),
        (Some(format!("Bearer {expired}")), "TOKEN_EXPIRED"),
    ];
    for (header, expected) in table {
        let refused = world.with_header(header.as_deref()).await.unwrap_err();
        assert_eq!(
            (refused.code(), status::reason(&refused).as_str()),
            (Code::Unauthenticated, expected),
            "{header:?}"
        );
    }
    let good = world.signer.token(&json!({}));
    for scheme in ["Bearer", "bearer", "BEARER"] {
        world
            .with_header(Some(&format!("{scheme} {good}")))
            .await
            .unwrap();
    }
    // Twice: once verified, once remembered.
    for _ in 0..2 {
        assert_eq!(
            world.get("x", None).await.unwrap().queue,
            "https://local.marketplace|ada@contoso"
        );
    }
}

#[tokio::test]
async fn anonymous_methods_need_no_token_but_are_rate_limited() {
    let world = world(Duration::from_secs(5)).await;
    let mut client = DeadLetterServiceClient::new(world.channel.clone());
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(
            client
                .discard_dead_letter(pb::DiscardDeadLetterRequest::default())
                .await
                .err()
                .map(|s| s.code()),
        );
    }
    assert_eq!(
        codes,
        [
            None,
            None,
            Some(Code::ResourceExhausted),
            Some(Code::ResourceExhausted)
        ]
    );
    // A bad token is not as good as none.
    let mut request = Request::new(pb::DiscardDeadLetterRequest::default());
    request
        .metadata_mut()
        .insert("authorization", "Bearer nonsense".parse().unwrap());
    assert_eq!(
        client
            .discard_dead_letter(request)
            .await
            .unwrap_err()
            .code(),
        Code::Unauthenticated
    );
}

#[tokio::test]
async fn a_panic_of_a_handler_is_its_callers_alone() {
    let world = world(Duration::from_secs(5)).await;
    let refused = world.get("panic", None).await.unwrap_err();
    assert_eq!(
        (refused.code(), status::reason(&refused).as_str()),
        (Code::Internal, "INTERNAL")
    );
    assert!(
        !refused.message().contains("as asked"),
        "the cause is shown: {}",
        refused.message()
    );
    assert!(world.get("x", None).await.is_ok());
}

#[tokio::test]
async fn messages_over_4_mib_are_refused_and_compressed_ones_read() {
    let world = world(Duration::from_secs(5)).await;
    let mut client = DeadLetterServiceClient::new(world.channel.clone()).send_compressed(GZIP);
    let token = format!("Bearer {}", world.signer.token(&json!({})));
    for (bytes, expected) in [
        (3 * 1024 * 1024, None),
        (5 * 1024 * 1024, Some(Code::ResourceExhausted)),
    ] {
        let mut request = Request::new(pb::GetDeadLetterRequest {
            id: "y".repeat(bytes),
        });
        request
            .metadata_mut()
            .insert("authorization", token.parse().unwrap());
        let code = client
            .get_dead_letter(request)
            .await
            .err()
            .map(|status| status.code());
        assert_eq!(code, expected, "{bytes} bytes");
    }
}

#[tokio::test]
async fn both_versions_of_reflection_list_what_is_served() {
    let world = world(Duration::from_secs(5)).await;
    let ask = || {
        let list = MessageRequest::ListServices(String::new());
        tokio_stream::once(ServerReflectionRequest {
            host: String::new(),
            message_request: Some(list),
        })
    };
    let mut answers = ServerReflectionClient::new(world.channel.clone())
        .server_reflection_info(ask())
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else {
        panic!("{answer:?}")
    };
    let names: Vec<String> = list
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    assert!(
        names
            .iter()
            .any(|name| name == "marketplace.messaging.v1.DeadLetterService"),
        "{names:?}"
    );
    assert!(
        !names.iter().any(|name| name.contains("OfferService")),
        "lists what is served elsewhere: {names:?}"
    );
    // grpcurl asks for the types of error details, to print them.
    for symbol in [
        "google.rpc.ErrorInfo",
        "google.rpc.BadRequest",
        "grpc.health.v1.Health",
    ] {
        let symbol = MessageRequest::FileContainingSymbol(symbol.into());
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(symbol.clone()),
        };
        let mut client = ServerReflectionClient::new(world.channel.clone());
        let mut answers = client
            .server_reflection_info(tokio_stream::once(request))
            .await
            .unwrap()
            .into_inner();
        assert!(answers.message().await.is_ok(), "{symbol:?} is not found");
    }
    use tonic_reflection::pb::v1alpha;
    let list = v1alpha::server_reflection_request::MessageRequest::ListServices(String::new());
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(list),
    };
    let mut client =
        v1alpha::server_reflection_client::ServerReflectionClient::new(world.channel.clone());
    let mut answers = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap()
        .into_inner();
    assert!(answers.message().await.unwrap().is_some());
}

#[tokio::test]
async fn probes_see_health_without_a_token() {
    let world = world(Duration::from_secs(5)).await;
    assert_eq!(world.health().await, ServingStatus::Serving as i32);
    let probes = format!("http://{}", world.service.health_address().unwrap());
    let channel = Channel::from_shared(probes)
        .unwrap()
        .connect()
        .await
        .unwrap();
    let request = HealthCheckRequest {
        service: "marketplace.messaging.v1.DeadLetterService".into(),
    };
    let answer = HealthClient::new(channel.clone())
        .check(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.status, ServingStatus::Serving as i32);
    let elsewhere = DeadLetterServiceClient::new(channel)
        .get_dead_letter(pb::GetDeadLetterRequest::default())
        .await;
    assert_eq!(elsewhere.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_database_that_is_away_is_not_serving() {
    let folder = Folder::new();
    let signer = Signer::new(Algorithm::EdDSA, "local-1");
    let common = common(&folder, &[&signer]);
    let db = sqlx::postgres::PgPoolOptions::new()
        .connect_lazy(&common.postgres.url)
        .unwrap();
    static NONE: Migrator = Migrator::DEFAULT;
    let server = Server::new(DOMAIN, &common).database(&db, &NONE);
    let service = server.start(Tasks::new()).await.unwrap();
    let channel = Channel::from_shared(format!("http://{}", service.address()))
        .unwrap()
        .connect()
        .await
        .unwrap();
    let request = HealthCheckRequest {
        service: String::new(),
    };
    let answer = HealthClient::new(channel)
        .check(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.status, ServingStatus::NotServing as i32);
    service.stop().await.unwrap();
}

#[tokio::test]
async fn a_call_in_flight_is_finished_and_a_new_one_refused() {
    let world = world(Duration::from_secs(5)).await;
    let World {
        signer,
        service,
        channel,
        _folder,
    } = world;
    let address = service.address();
    let mut request = Request::new(pb::GetDeadLetterRequest {
        id: "sleep-400".into(),
    });
    let token = format!("Bearer {}", signer.token(&json!({})));
    request
        .metadata_mut()
        .insert("authorization", token.parse().unwrap());
    let mut client = DeadLetterServiceClient::new(channel);
    let mut call = std::pin::pin!(client.get_dead_letter(request));
    assert!(
        tokio::time::timeout(Duration::from_millis(100), &mut call)
            .await
            .is_err()
    );
    let (answer, stopped) = tokio::join!(call, service.stop());
    answer.unwrap();
    stopped.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_method_that_does_not_exist_is_refused_at_start() {
    let folder = Folder::new();
    let signer = Signer::new(Algorithm::EdDSA, "local-1");
    let common = common(&folder, &[&signer]);
    let server = Server::new(DOMAIN, &common)
        .anonymous(&["/marketplace.messaging.v1.DeadLetterService/Guess"]);
    let error = server.start(Tasks::new()).await.err().unwrap().to_string();
    assert!(error.contains("is no method"), "{error}");
}
