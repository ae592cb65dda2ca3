//! Files that come in by several streams: gone on with, never by two at once, bounded, and dropped when their time is over.

use std::time::{Duration, Instant};

use futures::channel::mpsc::{self, UnboundedSender};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::upload_asset_request::Part;
use marketplace_runtime::ids::OfferName;
use marketplace_runtime::{clock, status};
use offer_catalog::contents::TURN;
use offer_catalog::files::Limits;
use offer_catalog::{commands, due, store};
use sha2::{Digest, Sha256};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::assets::{Client, MIB, head, peak, serve, serve_intake, violation};
use crate::blobs::{later, sweep};
use crate::support::{Bench, system};

/// What a stream commits at once.
const PIECE: usize = 8 * MIB;

/// A package of so many bytes.
fn package(bytes: usize) -> Vec<u8> {
    let mut zip: Vec<u8> = (0..bytes).map(|at| (at / 7 % 251) as u8).collect();
    zip[..4].copy_from_slice(b"PK\x03\x04");
    // A directory of no entries at the very end.
    let end = [&b"PK\x05\x06"[..], &[0; 18]].concat();
    zip[bytes - 22..].copy_from_slice(&end);
    zip
}

/// The head of an upload that says everything of its content.
fn begin(offer: &OfferName, upload: &str, content: &[u8]) -> pb::AssetHead {
    pb::AssetHead {
        digest: hex::encode(Sha256::digest(content)),
        size_bytes: content.len() as i64,
        ..unknown(offer, upload)
    }
}

/// The head of one that says nothing of it.
fn unknown(offer: &OfferName, upload: &str) -> pb::AssetHead {
    pb::AssetHead {
        upload_id: upload.into(),
        ..head(offer, "package", pb::AssetKind::Package)
    }
}

fn at(offset: usize, head: &pb::AssetHead) -> pb::AssetHead {
    pb::AssetHead {
        offset: offset as i64,
        ..head.clone()
    }
}

fn part(part: Part) -> pb::UploadAssetRequest {
    pb::UploadAssetRequest { part: Some(part) }
}

fn chunks(content: &[u8]) -> impl Iterator<Item = pb::UploadAssetRequest> {
    content
        .chunks(MIB)
        .map(|chunk| part(Part::Chunk(chunk.to_vec())))
}

/// Sends what follows the offset of the head, to the end.
async fn send(
    client: &mut Client,
    head: pb::AssetHead,
    content: &[u8],
) -> Result<pb::Asset, Status> {
    let rest = &content[usize::try_from(head.offset).unwrap()..];
    let parts: Vec<_> = [part(Part::Head(head))]
        .into_iter()
        .chain(chunks(rest))
        .collect();
    let sent = client.upload_asset(stream::iter(parts)).await?;
    Ok(sent.into_inner().asset.unwrap())
}

/// A stream that goes on until it is dropped, or its sender is.
struct Sending {
    to: UnboundedSender<pb::UploadAssetRequest>,
    answer: tokio::task::JoinHandle<Result<pb::Asset, Status>>,
}

impl Sending {
    #[expect(
        clippy::disallowed_methods,
        reason = "the client of a test is no task of a service"
    )]
    fn begin(client: &Client, head: pb::AssetHead) -> Sending {
        let (to, parts) = mpsc::unbounded();
        let mut client = client.clone();
        let answer = tokio::spawn(async move {
            let answer = client.upload_asset(parts).await?;
            Ok(answer.into_inner().asset.unwrap())
        });
        let sending = Sending { to, answer };
        sending.tell(part(Part::Head(head)));
        sending
    }

    fn tell(&self, part: pb::UploadAssetRequest) {
        self.to.unbounded_send(part).unwrap();
    }

    fn send(&self, content: &[u8]) {
        chunks(content).for_each(|chunk| self.tell(chunk));
    }

    async fn end(self) -> Result<pb::Asset, Status> {
        drop(self.to);
        self.answer.await.unwrap()
    }

    /// As a line does.
    async fn breaks(self) {
        self.answer.abort();
        assert!(self.answer.await.unwrap_err().is_cancelled());
    }
}

async fn look(client: &mut Client, offer: &OfferName, upload: &str) -> Result<pb::Upload, Status> {
    let name = format!("{offer}/uploads/{upload}");
    let found = client.get_upload(pb::GetUploadRequest { name }).await?;
    Ok(found.into_inner().upload.unwrap())
}

/// Waits until so much is committed.
async fn committed(client: &mut Client, offer: &OfferName, upload: &str, bytes: usize) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while look(client, offer, upload)
        .await
        .map_or(-1, |found| found.committed_bytes)
        != bytes as i64
    {
        assert!(Instant::now() < deadline, "{bytes} bytes are committed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn reason<T>(outcome: Result<T, Status>) -> (Code, String) {
    match outcome {
        Ok(_) => (Code::Ok, String::new()),
        Err(refused) => (refused.code(), status::reason(&refused)),
    }
}

fn other_offset<T>(outcome: Result<T, Status>) -> String {
    let refused = outcome.map(drop).unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let info = refused.get_details_error_info().unwrap();
    assert_eq!(info.reason, "OTHER_OFFSET");
    info.metadata["committed_bytes"].clone()
}

async fn downloaded(client: &mut Client, offer: &OfferName, digest: &str) -> Vec<u8> {
    let download = pb::DownloadAssetRequest {
        offer: offer.to_string(),
        digest: digest.into(),
        ..Default::default()
    };
    let pieces = client.download_asset(download).await.unwrap().into_inner();
    let pieces = pieces.map_ok(|piece| piece.chunk);
    pieces.try_concat().await.unwrap()
}

/// A line breaks, and another replica goes on: only what was not committed is sent again, and the asset is the one that one
/// stream makes.
async fn an_upload_goes_on_where_its_stream_broke(bench: Bench) {
    let offer = bench.offer("forge", "softwareAsAService").await;
    let mut client = serve(&bench).await;
    let content = package(2 * PIECE + 3 * MIB + 17);
    let head = begin(&offer, "one", &content);
    let first = Sending::begin(&client, head.clone());
    first.send(&content[..2 * PIECE + MIB]);
    committed(&mut client, &offer, "one", 2 * PIECE).await;
    first.breaks().await;

    let mut twin = serve(&bench).await;
    let found = look(&mut twin, &offer, "one").await.unwrap();
    let wanted = pb::Upload {
        name: format!("{offer}/uploads/one"),
        asset_id: head.asset_id.clone(),
        kind: head.kind,
        file_name: head.file_name.clone(),
        digest: head.digest.clone(),
        size_bytes: head.size_bytes,
        committed_bytes: 2 * PIECE as i64,
        ..found.clone()
    };
    assert_eq!(found, wanted);
    let (begun, ends) = (found.create_time.unwrap(), found.expire_time.unwrap());
    assert_eq!(ends.seconds - begun.seconds, 24 * 3600);
    for offset in [0, PIECE, 2 * PIECE + 1, 3 * PIECE] {
        let refused = Sending::begin(&twin, at(offset, &head)).end().await;
        assert_eq!(other_offset(refused), (2 * PIECE).to_string());
    }
    let asset = send(&mut twin, at(2 * PIECE, &head), &content).await;
    let asset = asset.unwrap();
    assert_eq!(
        (asset.digest.as_str(), asset.size_bytes),
        (head.digest.as_str(), head.size_bytes)
    );
    assert!(downloaded(&mut client, &offer, &asset.digest).await == content);
    assert_eq!(
        look(&mut client, &offer, "one").await.unwrap_err().code(),
        Code::NotFound,
        "it has ended"
    );
    // In one stream it is the same asset.
    let plain = pb::AssetHead {
        upload_id: String::new(),
        ..head
    };
    assert_eq!(send(&mut client, plain, &content).await.unwrap(), asset);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_a_folder() {
    an_upload_goes_on_where_its_stream_broke(Bench::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_a_bucket() {
    an_upload_goes_on_where_its_stream_broke(Bench::in_bucket().await).await;
}

#[tokio::test]
async fn an_upload_is_of_one_file_and_begins_at_its_beginning() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let mut client = serve(&bench).await;
    let content = package(PIECE + 1);
    let head = begin(&offer, "one", &content);
    let late = Sending::begin(&client, at(PIECE, &head)).end().await;
    assert_eq!(other_offset(late), "0");
    let gone = look(&mut client, &offer, "one").await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound, "nothing was begun");
    let first = Sending::begin(&client, head.clone());
    first.send(&content[..PIECE]);
    committed(&mut client, &offer, "one", PIECE).await;
    let others = [
        pb::AssetHead {
            asset_id: "another".into(),
            ..head.clone()
        },
        pb::AssetHead {
            kind: pb::AssetKind::Document as i32,
            ..head.clone()
        },
        pb::AssetHead {
            file_name: "another.zip".into(),
            ..head.clone()
        },
        pb::AssetHead {
            digest: String::new(),
            ..head.clone()
        },
        pb::AssetHead {
            size_bytes: 0,
            ..head.clone()
        },
    ];
    for other in others {
        let refused = send(&mut client, at(PIECE, &other), &content).await;
        assert_eq!(refused.unwrap_err().code(), Code::AlreadyExists);
    }
    // None of them has taken it away.
    first.send(&content[PIECE..]);
    first.end().await.unwrap();
    // What ends with a whole piece has nothing behind it.
    let content = package(PIECE);
    let head = pb::AssetHead {
        asset_id: "whole".into(),
        ..begin(&offer, "two", &content)
    };
    let whole = send(&mut client, head, &content).await.unwrap();
    assert!(downloaded(&mut client, &offer, &whole.digest).await == content);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_streams_at_once_one_goes_on() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let mut client = serve(&bench).await;
    let content = package(2 * PIECE + 1);
    let head = begin(&offer, "one", &content);
    // The first line may be dead without anybody having noticed: the second has the upload.
    let first = Sending::begin(&client, head.clone());
    first.send(&content[..PIECE + MIB]);
    committed(&mut client, &offer, "one", PIECE).await;
    let second = Sending::begin(&client, at(PIECE, &head));
    second.send(&content[PIECE..2 * PIECE]);
    committed(&mut client, &offer, "one", 2 * PIECE).await;
    first.send(&content[PIECE + MIB..]);
    let lost = first.end().await.unwrap_err();
    assert_eq!(
        reason::<()>(Err(lost.clone())),
        (Code::Aborted, "CONCURRENT_CHANGE".into())
    );
    assert!(lost.get_details_retry_info().is_none());
    second.send(&content[2 * PIECE..]);
    let asset = second.end().await.unwrap();
    assert!(downloaded(&mut client, &offer, &asset.digest).await == content);
    // From the beginning, and with nothing to commit before the end.
    for (round, bytes) in [PIECE + 5, 2 * PIECE, 1000, 1000, 1000]
        .into_iter()
        .enumerate()
    {
        let content = package(bytes);
        let head = pb::AssetHead {
            asset_id: format!("package-{round}"),
            ..begin(&offer, "race", &content)
        };
        let mut twin = client.clone();
        let both = tokio::join!(
            send(&mut client, head.clone(), &content),
            send(&mut twin, head, &content)
        );
        let outcomes = [reason(both.0), reason(both.1)];
        assert!(outcomes.iter().any(|(code, _)| *code == Code::Ok));
        for (code, reason) in outcomes {
            let typed = ["", "CONCURRENT_CHANGE", "OTHER_OFFSET"].contains(&reason.as_str());
            assert!(typed, "{code:?} {reason}");
        }
    }
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM offer_catalog.uploads")
        .fetch_one(bench.db.pool())
        .await
        .unwrap();
    assert_eq!(left, 0);
    bench.end().await;
}

#[tokio::test]
async fn pieces_are_kept_as_long_as_their_upload() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let mut client = serve(&bench).await;
    let content = package(PIECE + 1);
    let broken = Sending::begin(&client, begin(&offer, "one", &content));
    broken.send(&content);
    committed(&mut client, &offer, "one", PIECE).await;
    broken.breaks().await;
    sweep(&bench, TURN, later()).await;
    assert_eq!(
        bench.objects().len(),
        1,
        "whatever the sweep thinks of its age"
    );
    let now = clock::now();
    due::expire(&bench.db, now + time::Duration::hours(23))
        .await
        .unwrap();
    look(&mut client, &offer, "one").await.unwrap();
    due::expire(&bench.db, later()).await.unwrap();
    let gone = look(&mut client, &offer, "one").await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    sweep(&bench, TURN, later()).await;
    assert!(bench.objects().is_empty());
    // One whose time is over is gone before it is dropped, and its id is free.
    let broken = Sending::begin(&client, begin(&offer, "one", &content));
    broken.send(&content);
    committed(&mut client, &offer, "one", PIECE).await;
    bench
        .tamper("UPDATE offer_catalog.uploads SET expire_time = now() - interval '1 s'")
        .await;
    let gone = look(&mut client, &offer, "one").await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    let again = begin(&offer, "one", &content);
    assert_eq!(
        other_offset(send(&mut client, at(PIECE, &again), &content).await),
        "0"
    );
    send(&mut client, again, &content).await.unwrap();
    let late = broken.end().await;
    assert_eq!(
        reason(late),
        (Code::Aborted, "CONCURRENT_CHANGE".into()),
        "and its stream has lost it"
    );
    bench.end().await;
}

#[tokio::test]
async fn what_is_refused_as_a_whole_ends_its_upload() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let mut client = serve(&bench).await;
    let content = package(PIECE + 9);
    let whole = begin(&offer, "one", &content);
    let wrong = [
        (
            "no zip",
            unknown(&offer, "one"),
            vec![7; PIECE + 9],
            "content",
        ),
        (
            "another digest",
            pb::AssetHead {
                digest: "0".repeat(64),
                ..whole.clone()
            },
            content.clone(),
            "head.digest",
        ),
        (
            "more than announced",
            pb::AssetHead {
                size_bytes: PIECE as i64 + 8,
                ..whole.clone()
            },
            content.clone(),
            "head.size_bytes",
        ),
        (
            "more than may be",
            pb::AssetHead {
                kind: pb::AssetKind::Screenshot as i32,
                ..unknown(&offer, "one")
            },
            vec![0; 10 * MIB + 1],
            "content",
        ),
    ];
    for (why, head, content, field) in wrong {
        let (code, found, _) = violation(send(&mut client, head, &content).await);
        assert_eq!(
            (code, found.as_str()),
            (Code::InvalidArgument, field),
            "{why}"
        );
        let left = look(&mut client, &offer, "one").await.unwrap_err();
        assert_eq!(left.code(), Code::NotFound, "{why}");
    }
    // Fewer bytes than announced are an end that came too early.
    let early = send(&mut client, whole.clone(), &content[..PIECE + 1]).await;
    assert_eq!(violation(early).1, "head.size_bytes");
    committed(&mut client, &offer, "one", PIECE).await;
    send(&mut client, at(PIECE, &whole), &content)
        .await
        .unwrap();
    bench.end().await;
}

#[tokio::test]
async fn heads_of_uploads_are_read_with_all_their_faults() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let mut client = serve(&bench).await;
    let fields = |outcome: Result<(), Status>| -> Vec<String> {
        let refused = outcome.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
        let found = refused.get_details_bad_request().unwrap();
        let fields = found.field_violations.into_iter();
        fields.map(|violation| violation.field).collect()
    };
    let table = [
        ("", 1, 0, vec!["head.offset"]),
        ("one", -1, 0, vec!["head.offset"]),
        ("One", 0, 0, vec!["head.upload_id"]),
        (".one", 0, -1, vec!["head.size_bytes", "head.upload_id"]),
        ("one", 0, 1024 * MIB as i64 + 1, vec!["head.size_bytes"]),
    ];
    for (upload, offset, size_bytes, wanted) in table {
        let head = pb::AssetHead {
            offset,
            size_bytes,
            ..unknown(&offer, upload)
        };
        let one = stream::iter([part(Part::Head(head))]);
        let found = fields(client.upload_asset(one).await.map(drop));
        assert_eq!(found, wanted, "{upload} {offset} {size_bytes}");
    }
    let inline = pb::CreateAssetRequest {
        head: Some(at(PIECE, &unknown(&offer, "one"))),
        content: package(100),
    };
    let found = fields(client.create_asset(inline).await.map(drop));
    assert_eq!(found, ["head.upload_id", "head.offset"]);
    let none = pb::GetUploadRequest {
        name: format!("{offer}/uploads"),
    };
    assert_eq!(fields(client.get_upload(none).await.map(drop)), ["name"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_publisher_has_so_many_open_uploads_and_no_more() {
    let bench = Bench::new().await;
    let mut offers = Vec::new();
    for id in ["forge", "mill"] {
        offers.push(bench.offer(id, "softwareAsAService").await);
    }
    let limits = Limits {
        uploads: 100,
        uploads_of_one: 100,
        ..Limits::default()
    };
    let mut client = serve_intake(&bench, bench.catalog().intake.limited(limits)).await;
    let most = usize::try_from(commands::uploads::MOST_OPEN).unwrap();
    // All at once, of two offers: each ends too early and leaves its upload open.
    let early = |at: usize| {
        let head = pb::AssetHead {
            size_bytes: 1000,
            ..unknown(&offers[at % 2], &format!("upload-{at}"))
        };
        let mut client = client.clone();
        async move { reason(send(&mut client, head, &[7]).await) }
    };
    let outcomes = futures::future::join_all((0..most + 8).map(early)).await;
    let refused = (Code::ResourceExhausted, "TOO_MANY_OPEN_UPLOADS".to_owned());
    let over = outcomes.iter().filter(|outcome| **outcome == refused);
    assert_eq!(over.count(), 8, "{outcomes:?}");
    let one_more = unknown(&offers[0], "one-more");
    let refusal = send(&mut client, one_more.clone(), &package(100)).await;
    let quota = refusal.unwrap_err().get_details_quota_failure().unwrap();
    assert_eq!(quota.violations.len(), 1);
    // Without an id there is nothing to keep; with one again when another is given up.
    let plain = pb::AssetHead {
        upload_id: String::new(),
        ..one_more.clone()
    };
    send(&mut client, plain, &package(100)).await.unwrap();
    let open = sqlx::query_scalar::<_, String>(
        "SELECT upload_id FROM offer_catalog.uploads u JOIN offer_catalog.offers o USING (offer_uid)
         WHERE o.offer_id = 'forge' LIMIT 1",
    );
    let open = open.fetch_one(bench.db.pool()).await.unwrap();
    let delete = pb::DeleteUploadRequest {
        name: format!("{}/uploads/{open}", offers[0]),
        ..Default::default()
    };
    client.delete_upload(delete.clone()).await.unwrap();
    assert_eq!(
        client.delete_upload(delete).await.unwrap_err().code(),
        Code::NotFound
    );
    send(&mut client, one_more, &package(100)).await.unwrap();
    // They go with their offer.
    let deleted = bench
        .run(async |db| {
            let scope = system(&offers[1].publisher);
            commands::offers::delete(db, &scope, &offers[1], None, clock::now()).await
        })
        .await;
    deleted.unwrap();
    let mut db = bench.db.acquire().await.unwrap();
    let left = store::uploads::count(&mut db, &offers[0].publisher, clock::now()).await;
    assert!(left.unwrap() < most as i64);
    drop(db);
    bench.end().await;
}

#[tokio::test]
async fn uploads_are_for_who_may_upload() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let mut client = serve(&bench).await;
    let early = pb::AssetHead {
        size_bytes: 1000,
        ..unknown(&offer, "one")
    };
    send(&mut client, early.clone(), &[7]).await.unwrap_err();
    let by = |who: &'static str, upload: &str| {
        let mut request = Request::new(pb::GetUploadRequest {
            name: format!("{offer}/uploads/{upload}"),
        });
        let caller = who.parse().unwrap();
        request.metadata_mut().insert("caller", caller);
        request
    };
    client.get_upload(by("ada", "one")).await.unwrap();
    let hidden = client.get_upload(by("mallory", "one")).await.unwrap_err();
    let missing = client.get_upload(by("ada", "two")).await.unwrap_err();
    assert_eq!(hidden.code(), Code::NotFound);
    assert_eq!(
        hidden.message().replace("/one", ""),
        missing.message().replace("/two", ""),
        "the same for what is hidden and what isn't there"
    );
    let mut foreign = Request::new(stream::iter([part(Part::Head(early))]));
    let mallory = "mallory".parse().unwrap();
    foreign.metadata_mut().insert("caller", mallory);
    let refused = client.upload_asset(foreign).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    bench.end().await;
}

/// The answer was lost: asked again, under the same request id and by one stream, it is the same.
#[tokio::test]
async fn a_request_is_the_same_by_however_many_streams_it_comes() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let mut client = serve(&bench).await;
    let content = package(PIECE + 1);
    let head = pb::AssetHead {
        request_id: "r-1".into(),
        ..begin(&offer, "one", &content)
    };
    let broken = Sending::begin(&client, head.clone());
    broken.send(&content[..PIECE]);
    committed(&mut client, &offer, "one", PIECE).await;
    broken.breaks().await;
    let first = send(&mut client, at(PIECE, &head), &content).await.unwrap();
    let revision = bench.read(&offer).await.unwrap().revision;
    assert_eq!(send(&mut client, head, &content).await.unwrap(), first);
    assert_eq!(bench.read(&offer).await.unwrap().revision, revision);
    bench.end().await;
}

#[tokio::test]
async fn uploads_in_pieces_take_bounded_memory() {
    let bench = Bench::new().await;
    let offer = bench.offer("forge", "softwareAsAService").await;
    let mut client = serve(&bench).await;
    let before = peak();
    let bytes = 96 * MIB;
    let first = part(Part::Head(unknown(&offer, "large")));
    let parts = stream::iter([first]).chain(lazily(bytes));
    let refused = client.upload_asset(parts).await.unwrap_err();
    assert_eq!(violation::<()>(Err(refused)).1, "content", "it is no zip");
    assert!(peak() - before < 64, "{} MiB more", peak() - before);
    bench.end().await;
}

fn lazily(bytes: usize) -> impl Stream<Item = pb::UploadAssetRequest> {
    // Another content in each piece.
    let chunk = |at| part(Part::Chunk(vec![(at / 8) as u8; MIB]));
    stream::iter((0..bytes / MIB).map(chunk))
}
