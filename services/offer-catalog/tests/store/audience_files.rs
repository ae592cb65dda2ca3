//! ImportPrivateAudience and ListPrivateAudience over a real connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream;
use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::import_private_audience_request::Part;
use marketplace_proto::offercatalog::v1::plan_service_client::PlanServiceClient;
use marketplace_proto::offercatalog::v1::plan_service_server::PlanServiceServer;
use marketplace_runtime::clock;
use marketplace_runtime::identity::Caller;
use marketplace_runtime::status::reason;
use offer_catalog::grpc::Plans;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::support::{Bench, Offer};

type Client = PlanServiceClient<Channel>;

/// The service over TCP, called by ada.
#[expect(
    clippy::disallowed_methods,
    reason = "the server of a test is no task of a service"
)]
async fn serve(bench: &Bench) -> Client {
    let authenticate = |mut request: Request<()>| {
        let end = clock::now() + time::Duration::HOUR;
        let ada = Caller::new("https://issuer.example", "ada", end);
        request.extensions_mut().insert(Arc::new(ada));
        Ok::<_, Status>(request)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = PlanServiceServer::new(Plans(bench.catalog()));
    let service = InterceptedService::new(service, authenticate);
    tokio::spawn(
        Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    PlanServiceClient::connect(format!("http://{address}"))
        .await
        .unwrap()
}

fn head(offer: &Offer, etag: &str, mode: pb::ImportMode) -> pb::ImportPrivateAudienceHead {
    pb::ImportPrivateAudienceHead {
        plan: offer.name.plan("partner").to_string(),
        etag: etag.into(),
        mode: mode as i32,
        ..Default::default()
    }
}

async fn import(
    client: &mut Client,
    head: pb::ImportPrivateAudienceHead,
    file: &str,
) -> Result<pb::ImportPrivateAudienceResponse, Status> {
    let part = |part| pb::ImportPrivateAudienceRequest { part: Some(part) };
    let chunks = file.as_bytes().chunks(64 * 1024);
    let chunks: Vec<_> = chunks
        .map(|chunk| part(Part::Chunk(chunk.to_vec())))
        .collect();
    let parts = stream::iter(std::iter::once(part(Part::Head(head))).chain(chunks));
    Ok(client.import_private_audience(parts).await?.into_inner())
}

async fn whole(client: &mut Client, offer: &Offer, size: i32) -> (Vec<String>, String) {
    let mut ids = Vec::new();
    let mut ask = pb::ListPrivateAudienceRequest {
        parent: offer.name.plan("partner").to_string(),
        page_size: size,
        ..Default::default()
    };
    loop {
        let part = client.list_private_audience(ask.clone()).await.unwrap();
        let part = part.into_inner();
        ids.extend(part.members.into_iter().map(|member| member.id));
        ask.page_token = part.next_page_token;
        if ask.page_token.is_empty() {
            assert_eq!(ids.len(), usize::try_from(part.total).unwrap());
            return (ids, part.etag);
        }
    }
}

fn file(ids: impl Iterator<Item = u128>) -> String {
    let rows = ids.map(|id| format!("tenant,{},a customer\n", uuid::Uuid::from_u128(id)));
    format!("type,id,description\n{}", rows.collect::<String>())
}

#[tokio::test]
async fn pn_11_twenty_thousand_tenants_are_saved_from_a_file_and_read_back_in_parts() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let mut client = serve(&bench).await;
    let (_, etag) = whole(&mut client, &offer, 10).await;
    let begun = Instant::now();
    let replace = head(&offer, &etag, pb::ImportMode::Replace);
    let saved = import(&mut client, replace, &file(1..=20_000))
        .await
        .unwrap();
    let took = begun.elapsed();
    assert_eq!((saved.members, saved.added), (20_000, 20_000));
    // Unoptimised, beside other tests: the program takes a fraction.
    assert!(took < Duration::from_secs(10), "{took:?}");
    let (ids, now) = whole(&mut client, &offer, 1_000).await;
    assert_eq!((ids.len(), &now), (20_000, &saved.page_etag));
    assert_eq!(ids[19_999], uuid::Uuid::from_u128(20_000).to_string());
    bench.end().await;
}

#[tokio::test]
async fn pn_11_a_file_is_added_and_a_bad_one_changes_nothing() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let mut client = serve(&bench).await;
    let (before, etag) = whole(&mut client, &offer, 10).await;
    let add = |etag: &str| head(&offer, etag, pb::ImportMode::Add);
    let twice = pb::ImportPrivateAudienceHead {
        request_id: "an import".into(),
        ..add(&etag)
    };
    let added = import(&mut client, twice.clone(), &file(1..=3))
        .await
        .unwrap();
    assert_eq!(added.added, 3);
    let again = import(&mut client, twice.clone(), &file(1..=3)).await;
    assert_eq!(again.unwrap(), added, "the same request has one effect");
    let other = import(&mut client, twice, &file(1..=4)).await.unwrap_err();
    assert_eq!(reason(&other), "REQUEST_ID_REUSED");
    let stale = import(&mut client, add(&etag), &file(4..=5))
        .await
        .unwrap_err();
    assert_eq!(reason(&stale), "STALE_ETAG");
    let more = import(&mut client, add(&added.page_etag), &file(2..=5)).await;
    let more = more.unwrap();
    assert_eq!(more.added, 2, "who is in it stays");

    let bad = format!("{}tenant,nonsense,\nemail,a@b.example,\n", file(6..=7));
    let refused = import(&mut client, add(&more.page_etag), &bad)
        .await
        .unwrap_err();
    let lines = refused.get_details_bad_request().unwrap().field_violations;
    let lines: Vec<_> = lines.into_iter().map(|line| line.field).collect();
    assert_eq!(lines, ["line 4", "line 5"]);
    let look = pb::ImportPrivateAudienceHead {
        validate_only: true,
        ..add(&more.page_etag)
    };
    let looked = import(&mut client, look.clone(), &bad).await.unwrap();
    let found: Vec<_> = looked
        .issues
        .iter()
        .map(|one| (one.line, one.code.as_str()))
        .collect();
    assert_eq!(found, [(4, "BAD_GUID"), (5, "NOT_ALLOWED")]);
    let fine = import(&mut client, look, &file(6..=7)).await.unwrap();
    assert_eq!((fine.added, fine.page_etag.as_str()), (2, ""));
    let (after, _) = whole(&mut client, &offer, 2).await;
    assert_eq!(after.len(), before.len() + 5);

    let large = "x".repeat(9 * 1024 * 1024);
    let refused = import(&mut client, add(&more.page_etag), &large).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    let none = stream::iter(Vec::new());
    let refused = client.import_private_audience(none).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    bench.end().await;
}
