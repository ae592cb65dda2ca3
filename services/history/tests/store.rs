//! This service's SQL against a real Postgres: rows exactly once, the chain, filters, paging, and what the app role may
//! not do. Needs `TEST_POSTGRES_URL`: a superuser of a server on which databases may be made.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod database;

use database::Fresh;
use futures::StreamExt;
use history::commands::{self, Told};
use history::domain::{
    Actor, ActorKind, Brand, Code, Completion, Days, Departure, Entry, Filter, OfferType, Page,
    Place, Source, Step, Subject, UserFilter, Verdict, Verifier,
};
use history::grpc::Grpc;
use history::neighbours::Catalog;
use history::store::{self, Record};
use history::{DOMAIN, SERVICE};
use marketplace_messaging::Database;
use marketplace_proto::history::v1::ExportHistoryRequest;
use marketplace_proto::history::v1::history_service_server::HistoryService;
use marketplace_runtime::access::{Access, Scope};
use marketplace_runtime::config::ServiceIdentity;
use marketplace_runtime::identity::{Caller, ServiceTokens};
use marketplace_runtime::{clock, neighbour, status};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;
use tonic::{Code as GrpcCode, Request};
use uuid::Uuid;

/// In a month that no migration makes a partition for any more.
const BEGIN: OffsetDateTime = datetime!(2025-11-20 12:00 UTC);

/// A fresh database with the months of [`BEGIN`], whatever month it is now.
async fn fresh() -> Fresh {
    let fresh = Fresh::new().await;
    let months = [BEGIN, BEGIN + Duration::days(31)];
    store::prepare_months(&mut fresh.app().await, &months)
        .await
        .unwrap();
    fresh
}

fn offer(n: u128) -> Subject {
    Subject {
        uid: Uuid::from_u128(n),
        publisher: "contoso".into(),
        offer: format!("offer-{n}"),
        offer_type: "softwareAsAService".into(),
    }
}

fn scope() -> Scope {
    Scope::system("contoso")
}

fn saas() -> OfferType {
    OfferType {
        supports_plans: true,
        pages: vec![Page::OfferSetup, Page::OfferListing, Page::PlanOverview],
    }
}

fn user(id: &str) -> Actor {
    Actor {
        kind: ActorKind::User,
        principal: format!("https://login|{id}"),
    }
}

/// The `n`-th entry: an hour after the one before.
fn entry(n: i64, code: Code, actor: Actor) -> Entry {
    let occurred_at = BEGIN + Duration::hours(n);
    let at = Place {
        occurred_at,
        source: Source::Publishing,
        revision: n,
        place: 0,
    };
    let mut entry = Entry::new(Uuid::now_v7(), at, code, actor);
    if code == Code::Step {
        entry.step = Some(Step {
            id: "certification".into(),
            name: "Certification".into(),
            started_at: None,
            completed_at: occurred_at,
            completion: Completion::Failed,
        });
    }
    entry
}

async fn record(db: &mut PgConnection, subject: &Subject, entries: Vec<Entry>) {
    let told = Told {
        subject: subject.clone(),
        entries,
        deleted: false,
    };
    commands::record(db, vec![told]).await.unwrap();
}

async fn found(db: &mut PgConnection, subject: &Subject) -> Record {
    store::find(db, &scope(), &subject.offer)
        .await
        .unwrap()
        .expect("it has a record")
}

async fn labels(db: &mut PgConnection, subject: &Subject, filter: &Filter) -> Vec<String> {
    let record = found(db, subject).await;
    let rows = store::list(db, &record, filter, &saas(), None, 100)
        .await
        .unwrap();
    rows.iter().map(|row| row.entry.label()).collect()
}

async fn verdict(db: &mut PgConnection, subject: &Subject) -> Verdict {
    let record = found(db, subject).await;
    let mut verifier = Verifier::new(record.chain.offer_uid);
    for row in store::after(db, record.chain.offer_uid, 0, 10_000)
        .await
        .unwrap()
    {
        verifier.take(row);
    }
    verifier.finish(&record.chain)
}

/// H01, H06 with a changed listing by Ada, a failed step, H06 without by Mia, H10 by an operator.
async fn story(db: &mut PgConnection, subject: &Subject) {
    let mut first = entry(1, Code::SubmittedToPreview, user("ada"));
    first.pages = vec![Page::OfferListing];
    let operator = Actor {
        kind: ActorKind::Operator,
        principal: "https://staff|oscar".into(),
    };
    let entries = vec![
        entry(0, Code::CreatedOffer, user("ada")),
        first,
        entry(2, Code::Step, Actor::system()),
        entry(26, Code::SubmittedToPreview, user("mia")),
        entry(27, Code::InitiatedLiveCancellation, operator),
    ];
    record(db, subject, entries).await;
}

const CREATED: &str = "Created offer";
const SUBMITTED: &str = "Submitted offer to preview";
const STEP: &str = "Certification";
const CANCEL: &str = "Initiated publish to marketplace cancellation";

#[tokio::test]
async fn what_is_recorded_is_read_again_newest_first() {
    let fresh = fresh().await;
    let mut db = fresh.app().await;
    story(&mut db, &offer(1)).await;
    assert_eq!(
        labels(&mut db, &offer(1), &Filter::default()).await,
        [CANCEL, SUBMITTED, STEP, SUBMITTED, CREATED]
    );
    let rows = store::after(&mut db, offer(1).uid, 0, 100).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.seq).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    assert_eq!(rows[1].entry.pages, [Page::OfferListing]);
    assert_eq!(
        rows[2].entry.step.as_ref().unwrap().completion,
        Completion::Failed
    );
    fresh.drop().await;
}

#[tokio::test]
async fn hi_9_an_event_is_recorded_once_whatever_the_inbox_remembers() {
    let fresh = fresh().await;
    let mut db = fresh.app().await;
    let told = Told {
        subject: offer(1),
        entries: vec![entry(0, Code::CreatedOffer, user("ada"))],
        deleted: false,
    };
    commands::record(&mut db, vec![told.clone()]).await.unwrap();
    let again = commands::record(&mut db, vec![told]).await.unwrap_err();
    assert!(
        format!("{again:?}").contains("event_id_place_occurred_at"),
        "{again:?}"
    );
    assert_eq!(
        labels(&mut db, &offer(1), &Filter::default()).await,
        [CREATED]
    );
    fresh.drop().await;
}

#[tokio::test]
async fn two_writers_at_once_number_the_rows_of_an_offer_without_a_gap() {
    let fresh = fresh().await;
    let writers = (0..4).map(|writer| {
        let pool = fresh.pool.clone();
        async move {
            for n in 0..10 {
                let mut tx = pool.begin().await.unwrap();
                let entries = vec![entry(writer * 100 + n, Code::Step, Actor::system()); 1];
                let told = |n| Told {
                    subject: offer(n),
                    entries: entries.iter().map(again).collect(),
                    deleted: false,
                };
                commands::record(&mut tx, vec![told(2), told(1)])
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
            }
        }
    });
    futures::future::join_all(writers).await;
    let mut db = fresh.app().await;
    for n in [1, 2] {
        let verdict = verdict(&mut db, &offer(n)).await;
        assert_eq!((verdict.rows, verdict.first_broken), (40, None));
    }
    fresh.drop().await;
}

/// The same entry as another event.
fn again(entry: &Entry) -> Entry {
    Entry {
        event_id: Uuid::now_v7(),
        ..entry.clone()
    }
}

#[tokio::test]
async fn the_app_role_can_add_rows_and_change_none() {
    let fresh = fresh().await;
    let mut db = fresh.app().await;
    story(&mut db, &offer(1)).await;
    let partition: String = sqlx::query_scalar(AssertSqlSafe(
        "SELECT min(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'history.rows'::regclass",
    ))
    .fetch_one(&mut fresh.owner().await)
    .await
    .unwrap();
    let partition = if partition.contains('.') {
        partition
    } else {
        format!("history.{partition}")
    };
    let refused = [
        "UPDATE history.rows SET reason = 'x'".to_owned(),
        "DELETE FROM history.rows".to_owned(),
        "TRUNCATE history.rows".to_owned(),
        "DROP TABLE history.rows".to_owned(),
        "DELETE FROM history.chains".to_owned(),
        "UPDATE history.chains SET publisher = 'x'".to_owned(),
        format!("UPDATE {partition} SET reason = 'x'"),
        format!("DELETE FROM {partition}"),
        format!("INSERT INTO {partition} SELECT * FROM {partition}"),
        "ALTER TABLE history.rows ADD COLUMN x int".to_owned(),
        "CREATE TABLE history.x ()".to_owned(),
    ];
    for statement in refused {
        let error = db
            .execute(AssertSqlSafe(statement.clone()))
            .await
            .unwrap_err();
        let code = error
            .as_database_error()
            .and_then(|error| error.code().map(|code| code.into_owned()));
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}");
    }
    assert_eq!(verdict(&mut db, &offer(1)).await.first_broken, None);
    fresh.drop().await;
}

#[tokio::test]
async fn a_row_that_the_owner_changed_or_removed_is_found() {
    let fresh = fresh().await;
    let mut db = fresh.app().await;
    let tampering = [
        (
            1,
            "UPDATE history.rows SET principal = 'https://login|eve' WHERE seq = 2 AND offer_uid = $1",
            2,
        ),
        (
            2,
            "UPDATE history.rows SET occurred_at = occurred_at + interval '1 second' WHERE seq = 3 AND offer_uid = $1",
            3,
        ),
        (
            3,
            "DELETE FROM history.rows WHERE seq = 4 AND offer_uid = $1",
            4,
        ),
        (
            4,
            "DELETE FROM history.rows WHERE seq = 5 AND offer_uid = $1",
            5,
        ),
        (
            5,
            "UPDATE history.chains SET seq = 6 WHERE offer_uid = $1",
            6,
        ),
    ];
    for (n, statement, broken) in tampering {
        story(&mut db, &offer(n)).await;
        assert_eq!(verdict(&mut db, &offer(n)).await.first_broken, None);
        let mut owner = fresh.owner().await;
        let done = sqlx::query_scalar::<_, i32>(AssertSqlSafe(format!("{statement} RETURNING 1")));
        assert_eq!(
            done.bind(offer(n).uid)
                .fetch_all(&mut owner)
                .await
                .unwrap()
                .len(),
            1
        );
        assert_eq!(
            verdict(&mut db, &offer(n)).await.first_broken,
            Some(broken),
            "{statement}"
        );
    }
    fresh.drop().await;
}

#[tokio::test]
async fn hf_5_to_10_filters_combine() {
    let fresh = fresh().await;
    let mut db = fresh.app().await;
    story(&mut db, &offer(1)).await;
    let by = |ids: &[&str], operators| {
        let principals = ids.iter().map(|id| format!("https://login|{id}")).collect();
        Some(UserFilter {
            principals,
            operators,
        })
    };
    let codes = |codes: &[Code]| Filter {
        codes: codes.to_vec(),
        ..Filter::default()
    };
    let pages = |pages: &[Page]| Filter {
        pages: pages.to_vec(),
        ..Filter::default()
    };
    let users = |users| Filter {
        users,
        ..Filter::default()
    };
    let second_day = Days {
        from: Some(datetime!(2025-11-21 00:00 UTC)),
        until: Some(datetime!(2025-11-22 00:00 UTC)),
    };
    let table: [(&str, Filter, &[&str]); 13] = [
        (
            "HF-3: none",
            Filter::default(),
            &[CANCEL, SUBMITTED, STEP, SUBMITTED, CREATED],
        ),
        ("HF-5: one type", codes(&[Code::CreatedOffer]), &[CREATED]),
        (
            "HF-10: OR within",
            codes(&[Code::CreatedOffer, Code::Step]),
            &[STEP, CREATED],
        ),
        (
            "HF-5: one user",
            users(by(&["ada"], false)),
            &[SUBMITTED, CREATED],
        ),
        (
            "HF-10: OR within",
            users(by(&["ada", "mia"], true)),
            &[CANCEL, SUBMITTED, SUBMITTED, CREATED],
        ),
        ("IB-2: operators, whoever", users(by(&[], true)), &[CANCEL]),
        ("HF-5: nobody that is shown", users(by(&[], false)), &[]),
        (
            "HF-5: days",
            Filter {
                days: second_day,
                ..Filter::default()
            },
            &[CANCEL, SUBMITTED],
        ),
        ("HF-6: pages", pages(&[Page::OfferListing]), &[SUBMITTED]),
        ("HF-7", pages(&[Page::OfferSetup]), &[SUBMITTED, SUBMITTED]),
        (
            "HF-8",
            pages(&[Page::PlanOverview]),
            &[SUBMITTED, SUBMITTED],
        ),
        (
            "HF-10: AND",
            Filter {
                users: by(&["mia"], false),
                ..pages(&[Page::OfferSetup])
            },
            &[SUBMITTED],
        ),
        (
            "HF-10: no H06",
            Filter {
                codes: vec![Code::Step],
                ..pages(&[Page::OfferSetup])
            },
            &[],
        ),
    ];
    for (rule, filter, expected) in table {
        assert_eq!(
            labels(&mut db, &offer(1), &filter).await,
            expected,
            "{rule}"
        );
    }
    fresh.drop().await;
}

#[tokio::test]
async fn pages_are_stable_while_rows_are_recorded() {
    let fresh = fresh().await;
    let mut db = fresh.app().await;
    let steps = |from: i64, to: i64| {
        (from..to)
            .map(|n| entry(n, Code::Step, Actor::system()))
            .collect::<Vec<_>>()
    };
    record(&mut db, &offer(1), steps(0, 30)).await;
    let mut seen = Vec::new();
    let mut key = None;
    loop {
        let offered = found(&mut db, &offer(1)).await;
        let rows = store::list(&mut db, &offered, &Filter::default(), &saas(), key, 7)
            .await
            .unwrap();
        let Some(last) = rows.last() else { break };
        key = Some(last.entry.at);
        seen.extend(rows.iter().map(|row| row.entry.at.revision));
        let newer = 100 + i64::try_from(seen.len()).unwrap();
        record(
            &mut db,
            &offer(1),
            vec![entry(newer, Code::Step, Actor::system())],
        )
        .await;
    }
    assert_eq!(seen, (0..30).rev().collect::<Vec<_>>());
    let all = store::page(&mut db, offer(1).uid, None, 1_000)
        .await
        .unwrap();
    assert!(
        all.is_sorted_by_key(|row| row.entry.at),
        "the export is oldest first"
    );
    fresh.drop().await;
}

#[tokio::test]
async fn rows_of_one_time_are_in_the_order_of_source_revision_and_place() {
    let fresh = fresh().await;
    let mut db = fresh.app().await;
    let at = |source, revision, place| Place {
        occurred_at: BEGIN,
        source,
        revision,
        place,
    };
    let told = |place, code| Entry::new(Uuid::now_v7(), place, code, user("ada"));
    // T38: H07, H08, H06 in one event; and the catalog's row of the same moment, recorded last.
    let entries = vec![
        told(
            at(Source::Publishing, 2, 0),
            Code::InitiatedPreviewCancellation,
        ),
        told(at(Source::Publishing, 2, 1), Code::CanceledPreview),
        told(at(Source::Publishing, 2, 2), Code::SubmittedToPreview),
        told(at(Source::Publishing, 1, 0), Code::SubmittedToPreview),
        told(at(Source::Catalog, 9, 0), Code::CreatedOffer),
    ];
    record(&mut db, &offer(1), entries).await;
    let expected = [
        SUBMITTED,
        "Canceled submission to preview",
        "Initiated submit to preview cancellation",
        SUBMITTED,
        CREATED,
    ];
    assert_eq!(
        labels(&mut db, &offer(1), &Filter::default()).await,
        expected
    );
    fresh.drop().await;
}

#[tokio::test]
async fn facets_are_those_of_the_rows_and_an_offer_id_used_again_has_a_record_of_its_own() {
    let fresh = fresh().await;
    let mut db = fresh.app().await;
    story(&mut db, &offer(1)).await;
    let first = found(&mut db, &offer(1)).await;
    assert_eq!(
        first.codes,
        [
            Code::CreatedOffer,
            Code::SubmittedToPreview,
            Code::InitiatedLiveCancellation,
            Code::Step
        ]
    );
    assert_eq!(first.principals, ["https://login|ada", "https://login|mia"]);
    assert!(first.operated && first.offer_type == "softwareAsAService");
    assert_eq!(
        (first.oldest, first.newest),
        (Some(BEGIN), Some(BEGIN + Duration::hours(27)))
    );
    let gone = Told {
        subject: offer(1),
        entries: vec![],
        deleted: true,
    };
    commands::record(&mut db, vec![gone]).await.unwrap();
    assert!(
        store::find(&mut db, &scope(), "offer-1")
            .await
            .unwrap()
            .is_none(),
        "T34: the offer is gone"
    );
    let again = Subject {
        uid: Uuid::from_u128(77),
        ..offer(1)
    };
    record(
        &mut db,
        &again,
        vec![entry(50, Code::CreatedOffer, user("mia"))],
    )
    .await;
    assert_eq!(labels(&mut db, &again, &Filter::default()).await, [CREATED]);
    assert!(
        store::find(&mut db, &Scope::system("fabrikam"), "offer-1")
            .await
            .unwrap()
            .is_none(),
        "another publisher's"
    );
    fresh.drop().await;
}

#[tokio::test]
async fn partitions_are_made_for_the_months_of_rows_and_for_no_other() {
    let fresh = fresh().await;
    let mut db = fresh.app().await;
    let past = datetime!(2024-02-29 23:59:59 UTC);
    let (mut old, mut wrong) = (
        entry(0, Code::CreatedOffer, user("ada")),
        entry(1, Code::CreatedOffer, user("ada")),
    );
    old.at.occurred_at = past;
    assert_eq!(
        store::prepare_months(&mut db, &[past, past]).await.unwrap(),
        1
    );
    assert_eq!(store::prepare_months(&mut db, &[past]).await.unwrap(), 0);
    record(&mut db, &offer(1), vec![old]).await;
    wrong.at.occurred_at = datetime!(9999-01-01 00:00 UTC);
    assert!(
        store::prepare_months(&mut db, &[wrong.at.occurred_at])
            .await
            .is_err(),
        "no history of the far future"
    );
    fresh.drop().await;
}

#[tokio::test]
async fn a_first_page_reads_few_pages_of_the_table_however_long_the_record_is() {
    let fresh = fresh().await;
    let mut db = fresh.app().await;
    for batch in 0..20_i64 {
        let entries = (0..500).map(|n| entry(batch * 500 + n, Code::Step, Actor::system()));
        // Seconds apart instead of hours: all within the partitions that there are.
        let entries = entries.map(|mut entry| {
            entry.at.occurred_at = BEGIN + Duration::seconds(entry.at.revision);
            entry
        });
        record(&mut db, &offer(1), entries.collect()).await;
    }
    fresh
        .owner()
        .await
        .execute(concat!(
            // What autovacuum reads would be counted as well.
            "DO $$ DECLARE part regclass; BEGIN
               FOR part IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'history.rows'::regclass LOOP
                 EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = false)', part);
               END LOOP;
             END $$;",
            "ANALYZE history.rows"
        ))
        .await
        .unwrap();
    db.close().await.unwrap();
    let before = fresh.settled_blocks().await;
    let mut db = fresh.app().await;
    let first = found(&mut db, &offer(1)).await;
    let rows = store::list(&mut db, &first, &Filter::default(), &saas(), None, 51)
        .await
        .unwrap();
    assert_eq!(rows.len(), 51);
    db.close().await.unwrap();
    let read = fresh.settled_blocks().await - before;
    assert!(
        (1..200).contains(&read),
        "{read} blocks of tables and indexes were read for a page of 50"
    );
    fresh.drop().await;
}

/// The door, with a catalog that isn't there: rows of steps name nobody who would have to be looked up.
fn door(fresh: &Fresh, stopping: CancellationToken) -> Grpc {
    let token = std::env::temp_dir().join(format!("token-{}", Uuid::now_v7()));
    std::fs::write(&token, "token").unwrap();
    let identity = ServiceIdentity {
        token_file: Some(token.clone()),
        ..ServiceIdentity::default()
    };
    let tokens = ServiceTokens::open(&identity, SERVICE).unwrap();
    std::fs::remove_file(token).unwrap();
    let nobody = "http://127.0.0.1:1".parse().unwrap();
    Grpc {
        db: Database::new(fresh.pool.clone(), SERVICE, DOMAIN),
        access: Access::local(DOMAIN),
        catalog: Catalog::new(neighbour::channel(&nobody, &tokens).unwrap()),
        brand: Brand {
            name: "Marketplace".into(),
            logo_url: String::new(),
        },
        stopping,
    }
}

fn export_request(expires_at: OffsetDateTime) -> Request<ExportHistoryRequest> {
    let mut request = Request::new(ExportHistoryRequest {
        parent: "publishers/contoso/offers/offer-1".into(),
    });
    let caller = Caller::new("https://login", "ada", expires_at);
    request.extensions_mut().insert(std::sync::Arc::new(caller));
    request
}

#[tokio::test]
async fn an_export_that_is_cut_off_does_not_look_whole() {
    let fresh = fresh().await;
    let mut db = fresh.app().await;
    let typeless = Subject {
        offer_type: String::new(),
        ..offer(1)
    };
    let rows = (0..300).map(|n| entry(n, Code::Step, Actor::system()));
    record(&mut db, &typeless, rows.collect()).await;
    let later = clock::now() + Duration::HOUR;

    let whole = door(&fresh, CancellationToken::new());
    let chunks = whole.export_history(export_request(later)).await.unwrap();
    let chunks: Vec<_> = chunks.into_inner().collect().await;
    let lines: Vec<usize> = chunks
        .into_iter()
        .map(|chunk| chunk.unwrap().chunk.split(|byte| *byte == b'\n').count() - 1)
        .collect();
    assert_eq!(lines, [250, 50]);

    let stopping = CancellationToken::new();
    let grpc = door(&fresh, stopping.clone());
    let mut chunks = grpc
        .export_history(export_request(later))
        .await
        .unwrap()
        .into_inner();
    assert!(chunks.next().await.unwrap().is_ok());
    stopping.cancel();
    let cut = chunks.next().await.unwrap().unwrap_err();
    assert_eq!(
        (cut.code(), status::reason(&cut).as_str()),
        (GrpcCode::Unavailable, "UNAVAILABLE")
    );

    let expired = door(&fresh, CancellationToken::new());
    let mut chunks = expired
        .export_history(export_request(clock::now()))
        .await
        .unwrap()
        .into_inner();
    let ended = chunks.next().await.unwrap().unwrap_err();
    assert_eq!(ended.code(), GrpcCode::Unauthenticated);
    fresh.drop().await;
}

/// Late news of before changes nothing, and what no name is kept for any more is forgotten.
#[tokio::test]
async fn ib_3_the_newest_word_says_who_has_left() {
    let fresh = fresh().await;
    let mut db = fresh.app().await;
    let word = |publisher: &str, principal: &str, gone, hour| Departure {
        publisher: publisher.into(),
        principal: principal.into(),
        gone,
        changed_at: BEGIN + Duration::hours(hour),
    };
    let batch = [
        word("contoso", "dev", true, 1),
        word("contoso", "mia", true, 1),
        word("contoso", "mia", false, 2),
        word("fabrikam", "mia", true, 3),
    ];
    store::note_departures(&mut db, &batch).await.unwrap();
    let all = ["ada", "dev", "mia"].map(str::to_owned);
    let left = async |db: &mut PgConnection| store::departed(db, "contoso", &all).await.unwrap();
    assert_eq!(left(&mut db).await, ["dev"]);
    let late = [word("contoso", "dev", false, 0)];
    store::note_departures(&mut db, &late).await.unwrap();
    assert_eq!(left(&mut db).await, ["dev"]);
    let back = [word("contoso", "dev", false, 4)];
    store::note_departures(&mut db, &back).await.unwrap();
    assert!(left(&mut db).await.is_empty(), "IB-5");
    let age = "UPDATE history.departures SET noted_at = noted_at - interval '2 hours'";
    db.execute(age).await.unwrap();
    store::note_departures(&mut db, &batch[..1]).await.unwrap();
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM history.departures")
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert_eq!(kept, 1);
    db.close().await.unwrap();
    fresh.drop().await;
}
