//! AssetService over a real connection: good files, and everything that somebody may send instead.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::{Bench, submission};
use futures::{StreamExt, TryStreamExt, stream};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::asset_service_client::AssetServiceClient;
use marketplace_proto::offercatalog::v1::asset_service_server::AssetServiceServer;
use marketplace_proto::offercatalog::v1::upload_asset_request::Part;
use marketplace_runtime::clock;
use marketplace_runtime::identity::Caller;
use marketplace_runtime::ids::OfferName;
use offer_catalog::files::{Intake, Limits};
use offer_catalog::grpc::{Assets, Catalog};
use offer_catalog::pages::PageId;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

pub type Client = AssetServiceClient<Channel>;

pub const MIB: usize = 1024 * 1024;

/// The service over TCP; who calls is said by the metadata `caller`.
pub async fn serve(bench: &Bench) -> Client {
    serve_with(bench, Limits::default()).await
}

async fn serve_with(bench: &Bench, limits: Limits) -> Client {
    serve_intake(bench, bench.catalog().intake.limited(limits)).await
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server of a test is no task of a service"
)]
pub async fn serve_intake(bench: &Bench, intake: Intake) -> Client {
    let catalog = Catalog {
        intake,
        ..bench.catalog()
    };
    let authenticate = |mut request: Request<()>| {
        let id = request
            .metadata()
            .get("caller")
            .and_then(|id| id.to_str().ok())
            .unwrap_or("ada")
            .to_owned();
        if id == "nobody" {
            return Ok(request);
        }
        let caller = Caller::new(
            "https://issuer.example",
            id,
            clock::now() + time::Duration::HOUR,
        );
        request.extensions_mut().insert(Arc::new(caller));
        Ok::<_, Status>(request)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = InterceptedService::new(AssetServiceServer::new(Assets(catalog)), authenticate);
    tokio::spawn(
        Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    AssetServiceClient::connect(format!("http://{address}"))
        .await
        .unwrap()
}

pub fn head(offer: &OfferName, id: &str, kind: pb::AssetKind) -> pb::AssetHead {
    pb::AssetHead {
        parent: offer.to_string(),
        asset_id: id.into(),
        kind: kind as i32,
        file_name: format!("{id}.png"),
        ..Default::default()
    }
}

async fn create(
    client: &mut Client,
    head: pb::AssetHead,
    content: &[u8],
) -> Result<pb::Asset, Status> {
    let request = pb::CreateAssetRequest {
        head: Some(head),
        content: content.to_vec(),
    };
    Ok(client
        .create_asset(request)
        .await?
        .into_inner()
        .asset
        .unwrap())
}

async fn upload(
    client: &mut Client,
    head: pb::AssetHead,
    content: &[u8],
) -> Result<pb::Asset, Status> {
    let part = |part| pb::UploadAssetRequest { part: Some(part) };
    let chunks = content
        .chunks(64 * 1024)
        .map(|chunk| part(Part::Chunk(chunk.to_vec())))
        .collect::<Vec<_>>();
    let parts = stream::iter([part(Part::Head(head))].into_iter().chain(chunks));
    Ok(client
        .upload_asset(parts)
        .await?
        .into_inner()
        .asset
        .unwrap())
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let pixels: Vec<u8> = (0..width * height * 3).map(|at| (at % 251) as u8).collect();
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(&pixels, width, height, ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}

/// Code, field and reason of the first violation.
pub fn violation<T>(outcome: Result<T, Status>) -> (Code, String, String) {
    let Err(status) = outcome else {
        return (Code::Ok, String::new(), String::new());
    };
    let found = status
        .get_details_bad_request()
        .and_then(|fields| fields.field_violations.into_iter().next());
    let reason = marketplace_runtime::status::reason(&status);
    found.map_or((status.code(), String::new(), reason.clone()), |found| {
        (status.code(), found.field, reason)
    })
}

/// The most memory that this process ever had, in MiB.
pub fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<usize>()
        .unwrap()
        / 1024
}

#[tokio::test]
async fn a_logo_is_stored_with_the_smaller_ones_made_of_it() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let mut client = serve(&bench).await;
    let logo = png(300, 300);
    let made = create(
        &mut client,
        head(&offer, "logo", pb::AssetKind::LogoLarge),
        &logo,
    )
    .await
    .unwrap();
    assert_eq!(
        (made.width, made.height, made.content_type.as_str()),
        (300, 300, "image/png")
    );
    assert_eq!(made.digest, hex::encode(Sha256::digest(&logo)));
    assert_eq!(made.state, pb::AssetState::Processed as i32);
    let list = pb::ListAssetsRequest {
        parent: offer.to_string(),
        ..Default::default()
    };
    let all = client.list_assets(list).await.unwrap().into_inner().assets;
    let sizes: Vec<(String, i32)> = all
        .iter()
        .map(|asset| {
            (
                asset.name.rsplit('/').next().unwrap().to_owned(),
                asset.width,
            )
        })
        .collect();
    assert_eq!(
        sizes,
        [
            ("logo".into(), 300),
            ("logo.medium".into(), 90),
            ("logo.small".into(), 48)
        ]
    );
    let again = create(
        &mut client,
        head(&offer, "logo", pb::AssetKind::LogoLarge),
        &logo,
    )
    .await
    .unwrap();
    assert_eq!(again, made, "the same content again changes nothing");
    let other = create(
        &mut client,
        head(&offer, "logo", pb::AssetKind::LogoLarge),
        &png(250, 250),
    )
    .await;
    assert_eq!(other.unwrap_err().code(), Code::AlreadyExists);
    let download = pb::DownloadAssetRequest {
        offer: offer.to_string(),
        digest: made.digest.clone(),
        ..Default::default()
    };
    let pieces = client.download_asset(download).await.unwrap().into_inner();
    let content: Vec<u8> = pieces
        .map_ok(|piece| piece.chunk)
        .try_concat()
        .await
        .unwrap();
    assert_eq!(content, logo);
    client
        .delete_asset(pb::DeleteAssetRequest {
            name: made.name.clone(),
            ..Default::default()
        })
        .await
        .unwrap();
    let list = pb::ListAssetsRequest {
        parent: offer.to_string(),
        ..Default::default()
    };
    assert!(
        client
            .list_assets(list)
            .await
            .unwrap()
            .into_inner()
            .assets
            .is_empty(),
        "what was made of it goes with it"
    );
    bench.end().await;
}

#[tokio::test]
async fn li_18_wide_logos_are_taken_in_at_their_sizes() {
    let bench = Bench::new().await;
    let offer = bench.offer("machine", "azureVirtualMachine").await;
    let mut client = serve(&bench).await;
    let table = [
        ("wide", pb::AssetKind::LogoWide, (255, 115), (815, 290)),
        ("hero", pb::AssetKind::LogoHero, (815, 290), (255, 115)),
    ];
    for (id, kind, size, wrong) in table {
        let refused = create(&mut client, head(&offer, id, kind), &png(wrong.0, wrong.1)).await;
        assert_eq!(
            violation(refused),
            (
                Code::InvalidArgument,
                "content".into(),
                "BAD_DIMENSIONS".into()
            )
        );
        let made = create(&mut client, head(&offer, id, kind), &png(size.0, size.1))
            .await
            .unwrap();
        assert_eq!(
            (made.kind(), made.width, made.height),
            (kind, size.0 as i32, size.1 as i32)
        );
    }
    bench.end().await;
}

#[tokio::test]
async fn every_write_raises_the_drafts_revision_once() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let mut client = serve(&bench).await;
    let once = pb::AssetHead {
        request_id: "r-1".into(),
        ..head(&offer, "logo", pb::AssetKind::LogoLarge)
    };
    let logo = png(216, 216);
    let first = upload(&mut client, once.clone(), &logo).await.unwrap();
    let second = upload(&mut client, once.clone(), &logo).await.unwrap();
    assert_eq!(first, second, "the same request id");
    assert_eq!(bench.read(&offer).await.unwrap().revision, 2);
    let reused = upload(&mut client, once, &png(217, 217)).await;
    assert_eq!(
        marketplace_runtime::status::reason(&reused.unwrap_err()),
        "REQUEST_ID_REUSED"
    );
    bench.end().await;
}

#[tokio::test]
async fn what_is_not_what_it_says_is_refused_and_leaves_nothing() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let mut client = serve(&bench).await;
    let whole = png(216, 216);
    let jpeg = [&[0xFF, 0xD8, 0xFF, 0xE0, 0, 16][..], b"JFIF", &[0; 500]].concat();
    let cut = &whole[..whole.len() / 2];
    let logo = pb::AssetKind::LogoLarge;
    for content in [&jpeg[..], cut, b"", &png(100, 100)] {
        let (code, field, _) =
            violation(upload(&mut client, head(&offer, "logo", logo), content).await);
        assert_eq!((code, field.as_str()), (Code::InvalidArgument, "content"));
        let (code, field, _) =
            violation(create(&mut client, head(&offer, "logo", logo), content).await);
        assert_eq!((code, field.as_str()), (Code::InvalidArgument, "content"));
    }
    let announced = pb::AssetHead {
        digest: "0".repeat(64),
        ..head(&offer, "logo", logo)
    };
    assert_eq!(
        violation(create(&mut client, announced, &whole).await).1,
        "head.digest"
    );
    let wrong = pb::AssetHead {
        asset_id: "NO".into(),
        parent: "x".into(),
        ..pb::AssetHead::default()
    };
    let status = create(&mut client, wrong, &whole).await.unwrap_err();
    let fields: Vec<String> = status
        .get_details_bad_request()
        .unwrap()
        .field_violations
        .into_iter()
        .map(|v| v.field)
        .collect();
    assert_eq!(
        fields,
        ["head.parent", "head.kind", "head.asset_id"],
        "all of them at once"
    );
    let headless = stream::iter([pb::UploadAssetRequest {
        part: Some(Part::Chunk(vec![1])),
    }]);
    assert_eq!(
        violation(client.upload_asset(headless).await.map(drop)).1,
        "part"
    );
    let inline = create(
        &mut client,
        head(&offer, "doc", pb::AssetKind::Document),
        &vec![0; 3 * MIB + 1],
    )
    .await;
    assert_eq!(violation(inline).1, "content");
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM offer_catalog.assets")
        .fetch_one(bench.db.pool())
        .await
        .unwrap();
    assert_eq!(left, 0);
    let spool = std::fs::read_dir(bench.folder.join("spool"))
        .unwrap()
        .count();
    assert_eq!(spool, 0, "a spooled file has no name");
    bench.end().await;
}

/// A PNG that declares this size; its pixels would be zeros.
fn declaring(width: u32, height: u32, data: &[u8]) -> Vec<u8> {
    let header = [
        &width.to_be_bytes()[..],
        &height.to_be_bytes()[..],
        &[8, 6, 0, 0, 0],
    ]
    .concat();
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in [(b"IHDR", &header[..]), (b"IDAT", data), (b"IEND", &[][..])] {
        let chunk = [&name[..], data].concat();
        bytes.extend((data.len() as u32).to_be_bytes());
        bytes.extend(&chunk);
        bytes.extend(crc(&chunk).to_be_bytes());
    }
    bytes
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            }
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[tokio::test]
async fn a_huge_image_is_refused_without_being_decoded() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let mut client = serve(&bench).await;
    let before = peak();
    // 20,000 × 20,000 pixels are 1.6 GB; the file itself is small.
    let bomb = declaring(20_000, 20_000, &vec![0; 2 * MIB]);
    for kind in [pb::AssetKind::Screenshot, pb::AssetKind::LogoLarge] {
        let refused = upload(&mut client, head(&offer, "bomb", kind), &bomb)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(
            refused.get_details_bad_request().unwrap().field_violations[0]
                .description
                .contains("20000 × 20000")
        );
    }
    // The right size, and data that is none.
    let hollow = declaring(1280, 720, &vec![0; 2 * MIB]);
    assert_eq!(
        violation(
            upload(
                &mut client,
                head(&offer, "bomb", pb::AssetKind::Screenshot),
                &hollow
            )
            .await
        )
        .1,
        "content"
    );
    assert!(peak() - before < 64, "{} MiB more", peak() - before);
    bench.end().await;
}

#[tokio::test]
async fn an_upload_over_its_limit_is_refused_with_bounded_memory() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let mut client = serve(&bench).await;
    let before = peak();
    for (kind, most) in [
        (pb::AssetKind::Document, "52428800"),
        (pb::AssetKind::Screenshot, "10485760"),
    ] {
        let head = pb::UploadAssetRequest {
            part: Some(Part::Head(head(&offer, "big", kind))),
        };
        let chunk = || pb::UploadAssetRequest {
            part: Some(Part::Chunk(vec![0x41; MIB])),
        };
        let parts = stream::iter([head]).chain(stream::iter((0..200).map(move |_| chunk())));
        let refused = client.upload_asset(parts).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
        assert!(
            refused.get_details_bad_request().unwrap().field_violations[0]
                .description
                .contains(most)
        );
    }
    assert!(peak() - before < 64, "{} MiB more", peak() - before);
    bench.end().await;
}

#[tokio::test]
async fn files_are_for_who_may_see_them() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let mut client = serve(&bench).await;
    let logo = create(
        &mut client,
        head(&offer, "logo", pb::AssetKind::LogoLarge),
        &png(300, 300),
    )
    .await
    .unwrap();
    let by = |mut request: Request<pb::DownloadAssetRequest>, who: &'static str| {
        request
            .metadata_mut()
            .insert("caller", who.parse().unwrap());
        request
    };
    let download = || {
        Request::new(pb::DownloadAssetRequest {
            offer: offer.to_string(),
            digest: logo.digest.clone(),
            ..Default::default()
        })
    };
    assert_eq!(
        client
            .download_asset(by(download(), "mallory"))
            .await
            .unwrap_err()
            .code(),
        Code::NotFound
    );
    assert!(client.download_asset(by(download(), "ada")).await.is_ok());
    let other = Request::new(pb::DownloadAssetRequest {
        offer: offer.to_string(),
        digest: "0".repeat(64),
        ..Default::default()
    });
    assert_eq!(
        client
            .download_asset(by(other, "ada"))
            .await
            .unwrap_err()
            .code(),
        Code::NotFound
    );
    let mut forged = Request::new(pb::CreateAssetRequest {
        head: Some(head(&offer, "mine", pb::AssetKind::LogoLarge)),
        content: png(300, 300),
    });
    forged
        .metadata_mut()
        .insert("caller", "mallory".parse().unwrap());
    assert_eq!(
        client.create_asset(forged).await.unwrap_err().code(),
        Code::NotFound
    );
    bench.end().await;
}

/// What becomes of a download: the reason of its refusal, or nothing.
async fn download(
    client: &mut Client,
    who: &'static str,
    offer: &OfferName,
    digest: &str,
    token: &str,
) -> String {
    let mut request = Request::new(pb::DownloadAssetRequest {
        offer: offer.to_string(),
        digest: digest.into(),
        preview_token: token.into(),
    });
    request
        .metadata_mut()
        .insert("caller", who.parse().unwrap());
    match client.download_asset(request).await {
        Ok(_) => String::new(),
        Err(status) => marketplace_runtime::status::reason(&status),
    }
}

#[tokio::test]
async fn as_035_pictures_are_for_whom_the_listing_is_and_nothing_else_is() {
    let bench = Bench::new().await;
    let offer = bench.complete("forge").await;
    let evidence = bench.document(&offer.name, offer.uid, "evidence").await;
    let page = serde_json::json!({
        "hosting": "OTHER_CLOUD",
        "evidence": [{"asset": format!("{}/assets/evidence", offer.name), "caption": "A report"}],
    });
    bench
        .save(offer.uid, "", PageId::SupplementalContent, page)
        .await;
    let other = bench.complete("other").await;
    let mut client = serve(&bench).await;
    let first = submission();
    let digest = bench.previewed(&offer, first, 1).await;
    let token = bench.tokens(&offer, first).await.remove(0);
    let ended = "0123456789abcdef0123456789abcdef";
    let mut table = async |who, digest: &str, token: &str, wanted: &str| {
        let found = download(&mut client, who, &offer.name, digest, token).await;
        assert_eq!(found, wanted, "{who} {digest} {token}");
    };
    // PV-1: whoever holds the link, a token or not, sees what the preview shows, and nothing without it.
    for who in ["nobody", "mallory"] {
        table(who, &offer.logo, &token, "").await;
        table(who, &offer.logo, ended, "NOT_FOUND").await;
        table(who, &evidence, &token, "NOT_FOUND").await;
        table(who, &other.logo, &token, "NOT_FOUND").await;
    }
    table("nobody", &offer.logo, "", "TOKEN_MISSING").await;
    table("mallory", &offer.logo, "", "NOT_FOUND").await;
    table("ada", &evidence, "", "").await;
    bench.activate(&offer, first, &digest, 3).await;
    for who in ["nobody", "mallory"] {
        table(who, &offer.logo, "", "").await;
    }
    table("nobody", &evidence, "", "TOKEN_MISSING").await;
    table("mallory", &evidence, "", "NOT_FOUND").await;
    table("ada", &evidence, "", "").await;
    // What only a snapshot still names is known by it.
    sqlx::query("DELETE FROM offer_catalog.assets WHERE digest = $1")
        .bind(&evidence)
        .execute(bench.db.pool())
        .await
        .unwrap();
    bench.tamper("DELETE FROM offer_catalog.listings").await;
    table("ada", &evidence, "", "").await;
    table("mallory", &evidence, "", "NOT_FOUND").await;
    table("ada", &"0".repeat(64), "", "NOT_FOUND").await;
    bench.end().await;
}

fn parts_of(head: pb::AssetHead) -> pb::UploadAssetRequest {
    pb::UploadAssetRequest {
        part: Some(Part::Head(head)),
    }
}

#[tokio::test]
async fn an_upload_that_stalls_or_dawdles_is_given_up() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let limits = Limits {
        idle: Duration::from_millis(300),
        total: Duration::from_secs(2),
        ..Limits::default()
    };
    let mut client = serve_with(&bench, limits).await;
    let head = || parts_of(head(&offer, "big", pb::AssetKind::Package));
    let silent = client.upload_asset(stream::pending()).await.unwrap_err();
    assert_eq!(silent.code(), Code::DeadlineExceeded);
    let stalled = stream::iter([head()]).chain(stream::pending());
    let stalled = client.upload_asset(stalled).await.unwrap_err();
    assert_eq!(stalled.code(), Code::DeadlineExceeded);
    let drops = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let drop = pb::UploadAssetRequest {
            part: Some(Part::Chunk(vec![b'P'])),
        };
        Some((drop, ()))
    });
    let patient = Limits {
        idle: Duration::from_secs(60),
        ..limits
    };
    let mut client = serve_with(&bench, patient).await;
    let begun = Instant::now();
    let dawdled = client
        .upload_asset(stream::iter([head()]).chain(drops))
        .await
        .unwrap_err();
    assert_eq!(dawdled.code(), Code::DeadlineExceeded);
    let took = begun.elapsed();
    assert!(
        limits.total <= took && took < Duration::from_secs(20),
        "{took:?}"
    );
    bench.end().await;
}

#[tokio::test]
async fn no_publisher_takes_more_than_its_places_for_uploads() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let limits = Limits {
        uploads_of_one: 2,
        ..Limits::default()
    };
    let intake = bench.catalog().intake.limited(limits);
    let mut client = serve_intake(&bench, intake.clone()).await;
    let logo = png(300, 300);
    let head = |id| head(&offer, id, pb::AssetKind::LogoLarge);
    let held = intake.place("contoso").unwrap();
    let (send, receive) = futures::channel::mpsc::unbounded();
    send.unbounded_send(parts_of(head("one"))).unwrap();
    let mut other = client.clone();
    let mut open = Box::pin(async move { other.upload_asset(receive).await });
    let deadline = Instant::now() + Duration::from_secs(20);
    while intake.place("contoso").is_ok() {
        assert!(futures::poll!(open.as_mut()).is_pending());
        assert!(Instant::now() < deadline, "an open upload holds a place");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let streamed = upload(&mut client, head("two"), &logo).await.map(drop);
    let inline = create(&mut client, head("two"), &logo).await.map(drop);
    for refused in [streamed, inline] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        let reason = marketplace_runtime::status::reason(&refused);
        assert_eq!(reason, "TOO_MANY_UPLOADS");
    }
    let chunk = Part::Chunk(logo.clone());
    send.unbounded_send(pb::UploadAssetRequest { part: Some(chunk) })
        .unwrap();
    drop(send);
    open.await.unwrap();
    upload(&mut client, head("two"), &logo).await.unwrap();
    drop(held);
    bench.end().await;
}
