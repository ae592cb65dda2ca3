//! Content of assets: stored once, mended, and collected when nothing names it. Never taken while something does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::TryStreamExt;
use marketplace_runtime::clock;
use offer_catalog::blobs::BlobError;
use offer_catalog::commands::assets::{self, NewAsset};
use offer_catalog::contents::{Contents, TURN};
use offer_catalog::due;
use offer_catalog::error::{Error, Result};
use offer_catalog::files::{Found, Stored};
use offer_catalog::pages::AssetKind;
use offer_catalog::store;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

use crate::support::{Bench, PUBLISHER, submission, system};

/// By when nothing of now was used lately.
pub fn later() -> OffsetDateTime {
    clock::now() + Duration::hours(25)
}

/// Asks for a round at once, whenever the last one was.
async fn again(pool: &PgPool) {
    sqlx::query("UPDATE offer_catalog.blob_sweep SET due_time = '-infinity'")
        .execute(pool)
        .await
        .unwrap();
}

/// A whole round, as if it were `now`; answers how many turns it took.
pub async fn sweep(bench: &Bench, rows: i64, now: OffsetDateTime) -> usize {
    again(bench.db.pool()).await;
    let mut turns = 1;
    while due::collect_some(&bench.contents, rows, now).await.unwrap() {
        turns += 1;
    }
    turns
}

async fn read(contents: &Contents, digest: &str) -> Result<Vec<u8>> {
    let pieces = contents.stream(digest).await?;
    Ok(pieces.map_ok(|piece| piece.to_vec()).try_concat().await?)
}

async fn rows(bench: &Bench) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM offer_catalog.blobs")
        .fetch_one(bench.db.pool())
        .await
        .unwrap()
}

fn content(digest: &str) -> Stored {
    Stored {
        found: Found {
            content_type: "application/pdf",
            size: None,
        },
        digest: digest.into(),
        bytes: 1,
        derived: vec![],
    }
}

fn asset(offer: &marketplace_runtime::ids::OfferName, id: &str) -> NewAsset {
    NewAsset {
        offer: offer.clone(),
        id: id.into(),
        kind: AssetKind::Document,
        file_name: String::new(),
        digest: None,
        bytes: None,
    }
}

async fn only_what_nothing_names_for_a_day_goes(bench: Bench) {
    let offer = bench.complete("forge").await;
    let frozen = bench.document(&offer.name, offer.uid, "frozen").await;
    let evidence = serde_json::json!({
        "hosting": "OTHER_CLOUD",
        "evidence": [{"asset": format!("{}/assets/frozen", offer.name), "caption": "A report"}],
    });
    let page = offer_catalog::pages::PageId::SupplementalContent;
    bench.save(offer.uid, "", page, evidence).await;
    bench.freeze(&offer, submission(), &[]).await.unwrap();
    let orphan = bench.contents.put("nobody's".into()).await.unwrap();
    let dropped = bench.document(&offer.name, offer.uid, "dropped").await;
    bench
        .tamper("DELETE FROM offer_catalog.assets WHERE asset_id IN ('frozen', 'dropped')")
        .await;
    let all = bench.objects().len();
    sweep(&bench, TURN, clock::now() + Duration::hours(23)).await;
    assert_eq!(bench.objects().len(), all, "a day isn't over");
    sweep(&bench, TURN, later()).await;
    assert_eq!(bench.objects().len(), all - 2);
    assert_eq!(rows(&bench).await, all as i64 - 2);
    for gone in [&orphan, &dropped] {
        assert!(matches!(
            read(&bench.contents, gone).await,
            Err(Error::Blobs(BlobError::Missing(_)))
        ));
    }
    // A draft names the one, a snapshot for ever the other.
    for kept in [&offer.logo, &frozen] {
        read(&bench.contents, kept).await.unwrap();
    }
    sweep(&bench, TURN, later() + Duration::days(3650)).await;
    read(&bench.contents, &frozen).await.unwrap();
    bench.end().await;
}

#[tokio::test]
async fn the_same_content_again_is_stored_once_and_used_anew() {
    let bench = Bench::new().await;
    let first = bench.contents.put("a file".into()).await.unwrap();
    bench
        .tamper("UPDATE offer_catalog.blobs SET use_time = use_time - interval '25 hours'")
        .await;
    let file = bench.object(&first);
    assert_eq!(bench.contents.put("a file".into()).await.unwrap(), first);
    assert_eq!(bench.object(&first), file, "it is there already");
    sweep(&bench, TURN, clock::now()).await;
    assert_eq!(read(&bench.contents, &first).await.unwrap(), b"a file");
    // Unless it is damaged: then the upload mends it, and what is damaged goes.
    for damage in ["A file", ""] {
        match damage {
            "" => std::fs::remove_file(bench.object(&first)).unwrap(),
            other => std::fs::write(bench.object(&first), other).unwrap(),
        }
        bench.contents.put("a file".into()).await.unwrap();
        assert_eq!(read(&bench.contents, &first).await.unwrap(), b"a file");
        bench
            .tamper("UPDATE offer_catalog.blobs SET use_time = use_time - interval '25 hours' WHERE place < (SELECT max(place) FROM offer_catalog.blobs)")
            .await;
        sweep(&bench, TURN, clock::now()).await;
        assert_eq!(rows(&bench).await, 1);
        assert_eq!(read(&bench.contents, &first).await.unwrap(), b"a file");
    }
    bench.end().await;
}

async fn content_that_comes_in_while_its_orphan_is_deleted_is_not_lost(bench: Bench) {
    let offer = bench.offer("forge", "softwareAsAService").await;
    let digest = bench.contents.put("a file".into()).await.unwrap();
    let first = bench.object(&digest);
    let turn = bench
        .contents
        .condemn(later(), TURN)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(turn.orphans.len(), 1);
    assert!(first.exists(), "it is marked, and not deleted yet");
    // Now it comes in again, and the draft names it.
    bench.contents.put("a file".into()).await.unwrap();
    let scope = system(PUBLISHER);
    bench
        .run(async |db| {
            assets::create(
                db,
                &scope,
                &asset(&offer, "file"),
                &content(&digest),
                clock::now(),
            )
            .await
        })
        .await
        .unwrap();
    // The deletion arrives, and a second time long after.
    bench.contents.remove(&turn, later()).await.unwrap();
    bench.contents.remove(&turn, later()).await.unwrap();
    assert!(!first.exists());
    assert_eq!(read(&bench.contents, &digest).await.unwrap(), b"a file");
    sweep(&bench, TURN, later()).await;
    assert_eq!(read(&bench.contents, &digest).await.unwrap(), b"a file");
    assert_eq!(bench.objects().len(), 1);
    bench.end().await;
}

async fn a_row_never_names_content_that_was_taken_since_it_was_stored(bench: Bench) {
    let offer = bench.offer("forge", "softwareAsAService").await;
    let digest = bench.contents.put("a file".into()).await.unwrap();
    let scope = system(PUBLISHER);
    let create = async |db: &mut marketplace_messaging::Work| {
        assets::create(
            db,
            &scope,
            &asset(&offer, "file"),
            &content(&digest),
            clock::now(),
        )
        .await
    };
    // The transaction that names it is open while the sweep looks: it neither waits nor takes it.
    let mut open = marketplace_messaging::Work::begin(&bench.db).await.unwrap();
    create(&mut open).await.unwrap();
    let turn = bench
        .contents
        .condemn(later(), TURN)
        .await
        .unwrap()
        .unwrap();
    assert!(turn.orphans.is_empty());
    drop(open);
    // It is rolled back in the background.
    bench
        .tamper("UPDATE offer_catalog.blobs SET state = state")
        .await;
    // An upload that took a day too long finds its content taken, and is to be repeated.
    sweep(&bench, TURN, later()).await;
    let status = tonic::Status::from(bench.run(create).await.unwrap_err());
    assert_eq!(status.code(), tonic::Code::Unavailable);
    bench.contents.put("a file".into()).await.unwrap();
    bench.run(create).await.unwrap();
    sweep(&bench, TURN, later()).await;
    assert_eq!(read(&bench.contents, &digest).await.unwrap(), b"a file");
    bench.end().await;
}

#[tokio::test]
async fn uploads_that_never_ended_leave_nothing() {
    let bench = Bench::new().await;
    let large = vec![7; 6 * 1024 * 1024];
    let digest = hex::encode(Sha256::digest(&large));
    let mut cut = bench.contents.begin(&digest).await.unwrap().unwrap();
    cut.write(&large).await.unwrap();
    let staged = bench.object(&digest);
    // What a process that is killed leaves: the file under the name that it has until the upload ends.
    let copy = staged.with_extension("copy");
    std::fs::copy(&staged, &copy).unwrap();
    drop(cut);
    while staged.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    std::fs::rename(&copy, &staged).unwrap();
    sweep(&bench, TURN, clock::now() + Duration::hours(23)).await;
    assert!(staged.exists());
    sweep(&bench, TURN, later()).await;
    assert_eq!((rows(&bench).await, staged.exists()), (0, false));
    bench.end().await;
}

/// A hold on an object, here a folder in its place, keeps no other from going.
#[tokio::test]
async fn an_object_that_can_not_be_deleted_keeps_no_other() {
    let bench = Bench::new().await;
    let mut digests = Vec::new();
    for number in 0..20 {
        let content = format!("orphan {number}");
        digests.push(bench.contents.put(content.into()).await.unwrap());
    }
    let held = bench.object(&digests[3]);
    std::fs::remove_file(&held).unwrap();
    std::fs::create_dir_all(held.join("held")).unwrap();
    again(bench.db.pool()).await;
    let done = due::collect_some(&bench.contents, TURN, later()).await;
    assert!(done.is_err(), "what can't be deleted is told");
    assert_eq!(rows(&bench).await, 1);
    // Once the hold is over it goes as well.
    std::fs::remove_dir_all(&held).unwrap();
    std::fs::write(&held, "orphan 3").unwrap();
    sweep(&bench, TURN, later() + Duration::hours(2)).await;
    assert_eq!(rows(&bench).await, 0);
    bench.end().await;
}

#[tokio::test]
async fn uploads_that_end_too_late_or_otherwise_are_not_found() {
    let bench = Bench::new().await;
    let large = vec![7; 6 * 1024 * 1024];
    let digest = hex::encode(Sha256::digest(&large));
    // What isn't what was announced is not found.
    let mut other = bench.contents.begin(&digest).await.unwrap().unwrap();
    other.write(b"something else").await.unwrap();
    assert!(!other.keep().await.unwrap());
    assert!(read(&bench.contents, &digest).await.is_err());
    let mut late = bench.contents.begin(&digest).await.unwrap().unwrap();
    late.write(&large).await.unwrap();
    sweep(&bench, TURN, clock::now() + Duration::hours(23)).await;
    assert_eq!(rows(&bench).await, 2);
    sweep(&bench, TURN, later()).await;
    assert_eq!(rows(&bench).await, 0);
    let late = tonic::Status::from(late.keep().await.unwrap_err());
    assert_eq!(late.code(), tonic::Code::Unavailable);
    // One that is small is written at its end, after the sweep has taken its place.
    let digest = hex::encode(Sha256::digest("small"));
    let mut late = bench.contents.begin(&digest).await.unwrap().unwrap();
    late.write(b"small").await.unwrap();
    sweep(&bench, TURN, later()).await;
    assert!(late.keep().await.is_err());
    assert_eq!((rows(&bench).await, bench.objects().len()), (0, 0));
    bench.end().await;
}

async fn a_sweep_goes_in_short_turns_of_one_replica_and_on_where_it_was_cut(bench: Bench) {
    let put = async |count: usize| {
        for at in 0..count {
            let content = format!("{} of {count}", at);
            bench.contents.put(content.into()).await.unwrap();
        }
    };
    put(7).await;
    assert_eq!(sweep(&bench, 3, later()).await, 3, "seven rows by three");
    assert_eq!((rows(&bench).await, bench.objects().len()), (0, 0));
    let idle = bench.contents.condemn(later(), 3).await.unwrap();
    assert!(idle.is_none(), "the next round is an hour away");
    put(7).await;
    again(bench.db.pool()).await;
    let first = bench.contents.condemn(later(), 3).await.unwrap().unwrap();
    assert_eq!((first.orphans.len(), first.more), (3, true));
    let twin = bench.contents.condemn(later(), 3).await.unwrap();
    assert!(twin.is_none(), "one replica at a time");
    // It is killed before it deletes anything: the others go on behind it, and the next round takes what it has left.
    let others = later() + Duration::minutes(6);
    while due::collect_some(&bench.contents, 3, others).await.unwrap() {}
    assert_eq!((rows(&bench).await, bench.objects().len()), (3, 3));
    sweep(&bench, 3, clock::now()).await;
    assert_eq!((rows(&bench).await, bench.objects().len()), (0, 0));
    bench.end().await;
}

/// Writers store, name and drop the same few contents while a sweep takes everything that it may, however fresh.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_named_is_ever_lost_and_nothing_else_stays() {
    let bench = Bench::new().await;
    const CONTENTS: usize = 4;
    let done = Arc::new(AtomicBool::new(false));
    let sweeping = async {
        let mut turns = 0;
        while !done.load(Ordering::Relaxed) {
            again(bench.db.pool()).await;
            due::collect_some(&bench.contents, TURN, later())
                .await
                .unwrap();
            turns += 1;
        }
        turns
    };
    let mut offers = Vec::new();
    for writer in 0..6 {
        offers.push(
            bench
                .offer(&format!("offer-{writer}"), "softwareAsAService")
                .await,
        );
    }
    let writer = async |offer: &marketplace_runtime::ids::OfferName| {
        let scope = system(PUBLISHER);
        let mut repeated = 0;
        for round in 0..40 {
            let words = format!("content {}", round % CONTENTS);
            let new = asset(offer, "file");
            loop {
                // An upload whose place is taken while it is written fails, as one does whose content is taken after.
                let digest = match bench.contents.put(words.clone().into()).await {
                    Ok(digest) => digest,
                    Err(Error::Blobs(BlobError::Late | BlobError::Away(_))) => {
                        repeated += 1;
                        assert!(repeated < 10_000, "an upload never gets through");
                        continue;
                    }
                    Err(other) => panic!("{other}"),
                };
                let create = bench.run(async |db| {
                    assets::create(db, &scope, &new, &content(&digest), clock::now()).await
                });
                match create.await {
                    Ok(_) => {
                        let found = read(&bench.contents, &digest).await.unwrap();
                        assert_eq!(found, words.as_bytes());
                        break;
                    }
                    Err(Error::Blobs(BlobError::Late)) => repeated += 1,
                    Err(other) => panic!("{other}"),
                }
            }
            if round < 39 {
                let name = marketplace_runtime::ids::AssetName::new(
                    &offer.publisher,
                    &offer.offer,
                    "file",
                );
                bench
                    .run(async |db| assets::delete(db, &scope, &name, None, clock::now()).await)
                    .await
                    .unwrap();
            }
        }
        repeated
    };
    let writing = async {
        let repeated = futures::future::join_all(offers.iter().map(writer)).await;
        done.store(true, Ordering::Relaxed);
        repeated.iter().sum::<usize>()
    };
    let (turns, repeated) = futures::join!(sweeping, writing);
    assert!(
        turns > 10 && repeated > 0,
        "{turns} turns while {repeated} uploads had to be repeated"
    );
    sweep(&bench, TURN, later()).await;
    // The last content of each is the same.
    assert_eq!((rows(&bench).await, bench.objects().len()), (1, 1));
    let mut db = bench.db.acquire().await.unwrap();
    let scope = system(PUBLISHER);
    for offer in &offers {
        let found = store::offers::get(&mut db, &scope, offer, clock::now());
        let (uid, _) = found
            .await
            .unwrap()
            .map(|(offer, scope)| (offer.uid, scope))
            .unwrap();
        let file = store::assets::of_offer(&mut db, uid, "file")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            read(&bench.contents, &file.digest).await.unwrap(),
            b"content 3"
        );
    }
    drop(db);
    bench.tamper("DELETE FROM offer_catalog.assets").await;
    sweep(&bench, TURN, later()).await;
    assert_eq!((rows(&bench).await, bench.objects().len()), (0, 0));
    bench.end().await;
}

async fn large_content_comes_in_parts_and_goes(bench: Bench) {
    let large: Vec<u8> = (0..11 * 1024 * 1024_u32)
        .map(|at| (at % 251) as u8)
        .collect();
    let digest = bench.contents.put(large.clone().into()).await.unwrap();
    assert!(read(&bench.contents, &digest).await.unwrap() == large);
    let hashed = bench.contents.hash(std::slice::from_ref(&digest)).await;
    assert_eq!(hashed.unwrap()[&digest], digest);
    sweep(&bench, TURN, later()).await;
    assert_eq!((rows(&bench).await, bench.objects().len()), (0, 0));
    bench.end().await;
}

/// The same over both kinds of storage; but what a test does to files behind the storage's back is done in a folder only:
/// rclone remembers its folders for a while, and stands still when it may not.
macro_rules! over_both {
    ($($test:ident)*) => {
        mod in_a_folder {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                super::$test(super::Bench::new().await).await;
            })*
        }
        mod in_a_bucket {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                super::$test(super::Bench::in_bucket().await).await;
            })*
        }
    };
}

over_both! {
    only_what_nothing_names_for_a_day_goes
    content_that_comes_in_while_its_orphan_is_deleted_is_not_lost
    a_row_never_names_content_that_was_taken_since_it_was_stored
    a_sweep_goes_in_short_turns_of_one_replica_and_on_where_it_was_cut
    large_content_comes_in_parts_and_goes
    a_storage_that_the_database_does_not_know_is_refused
}

#[tokio::test]
async fn a_bucket_that_is_away_is_said_so_and_the_sweep_goes_on_later() {
    let mut bench = Bench::in_bucket().await;
    let digest = bench.contents.put("a file".into()).await.unwrap();
    bench.bucket.as_mut().unwrap().stop().await.unwrap();
    let begun = std::time::Instant::now();
    for refused in [
        bench.contents.put("another".into()).await.map(drop),
        read(&bench.contents, &digest).await.map(drop),
    ] {
        let status = tonic::Status::from(refused.unwrap_err());
        assert_eq!(status.code(), tonic::Code::Unavailable, "{status:?}");
    }
    again(bench.db.pool()).await;
    let swept = due::collect_some(&bench.contents, TURN, later()).await;
    assert!(swept.is_err());
    assert!(begun.elapsed() < std::time::Duration::from_secs(60));
    assert_eq!(rows(&bench).await, 2, "what is to be deleted is known");
    bench.end().await;
}

/// An empty volume in place of the right one would look as if all content were gone.
async fn a_storage_that_the_database_does_not_know_is_refused(bench: Bench) {
    for _ in 0..2 {
        bench.contents.check().await.unwrap();
    }
    let marks = std::fs::read_dir(bench.files.join("storage")).unwrap();
    assert_eq!(marks.count(), 1);
    bench
        .tamper("UPDATE offer_catalog.storage SET mark = 'storage/of-another'")
        .await;
    let Err(Error::Blobs(refused)) = bench.contents.check().await else {
        panic!("it was taken");
    };
    assert!(matches!(refused, BlobError::Other(_)), "{refused:?}");
    bench.end().await;
}

#[tokio::test]
async fn a_folder_serves_one_process() {
    let bench = Bench::new().await;
    let Err(refused) = offer_catalog::blobs::Blobs::folder(&bench.folder) else {
        panic!("a second one was let in");
    };
    assert!(refused.to_string().contains("BLOB_STORE"), "{refused}");
    bench.end().await;
}
