//! This service's SQL against a real Postgres: nobody is told twice, mails are the same to the byte, addresses are proved
//! as they must be. Needs `TEST_POSTGRES_URL`: a superuser of a server on which databases may be made.
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at and tamper with rows as they please, and are configured by the script that starts them"
)]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod database;

use std::collections::HashMap;

use database::Fresh;
use marketplace_runtime::access::Scope;
use marketplace_runtime::clock;
use notification::commands::{self, NewCode, Ready};
use notification::domain::{
    About, Closed, Code, Facts, Kind, Link, Member, Message, News, Notice, Of, Person, Portal,
    Preferences, PreviewSide, Product, Resolve, Told, words,
};
use notification::due::Sender;
use notification::error::Error;
use notification::mail::{Letterhead, Post};
use notification::store::{self, Claimed, Item};
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const OFFER: &str = "publishers/contoso/offers/db";

fn portal() -> Portal {
    Portal {
        url: "https://portal.example".into(),
        brand: "Marketplace".into(),
    }
}

fn head() -> Letterhead {
    Letterhead {
        from: "Marketplace <no-reply@market.example>".parse().unwrap(),
        footer: portal().footer(),
    }
}

fn about() -> About {
    let submission = format!("{OFFER}/submissions/s1");
    About {
        publisher: "contoso".into(),
        offer: OFFER.into(),
        offer_uid: Uuid::from_u128(9),
        submission,
    }
}

fn notice(cause: &str, code: Code) -> Notice {
    let (facts, occurred_at) = (
        Facts {
            title: "Db".into(),
            ..Facts::default()
        },
        clock::now(),
    );
    Notice {
        id: Uuid::now_v7(),
        cause: cause.into(),
        code,
        about: about(),
        facts,
        occurred_at,
        resolved_at: None,
    }
}

fn tell(cause: &str, code: Code) -> News {
    News::Tell(Box::new(notice(cause, code)))
}

fn resolve(codes: &'static [Code], of: Of) -> News {
    News::Resolve(Resolve {
        offer_uid: about().offer_uid,
        codes,
        of,
        at: clock::now(),
    })
}

/// The offer as its lists know it.
fn product() -> Product {
    Product {
        uid: about().offer_uid,
        name: OFFER.into(),
    }
}

/// One side of the preview of the n-th submission.
fn side(n: u8, awaits: bool, warnings: u32, at: OffsetDateTime) -> News {
    let about = About {
        submission: format!("{OFFER}/submissions/s{n}"),
        ..about()
    };
    News::Preview(Box::new(PreviewSide {
        about,
        awaits,
        served: !awaits,
        title: if awaits { "Db".into() } else { String::new() },
        warnings,
        report: String::new(),
        at,
    }))
}

/// Olga owns, Mia manages, Dan develops.
fn members() -> Vec<Member> {
    let member = |id: &str, owner| Member {
        name: format!("publishers/contoso/members/{id}"),
        principal: format!("i|{id}"),
        display_name: id.into(),
        owner,
        may_join: !owner,
        person: true,
    };
    vec![
        member("olga", true),
        member("mia", false),
        member("dan", false),
    ]
}

async fn hear(fresh: &Fresh, news: Vec<News>) {
    let mut work = fresh.work().await;
    commands::hear(&mut work, news).await.unwrap();
    work.commit().await.unwrap();
}

/// Takes what is due, however long its lease still is.
async fn claim(fresh: &Fresh) -> Vec<Claimed> {
    let late = clock::now() + Duration::hours(1);
    store::claim_notices(
        &mut fresh.db.acquire().await.unwrap(),
        late,
        late + Duration::minutes(1),
        64,
    )
    .await
    .unwrap()
}

async fn tell_all(fresh: &Fresh, claimed: Vec<Claimed>) {
    let members = members();
    let worded = |claimed: Claimed| -> Ready<'_> {
        let message: Message = words(&claimed.notice, &Told::default(), &portal());
        Ready {
            claimed,
            message,
            members: &members,
        }
    };
    let ready: Vec<Ready<'_>> = claimed.into_iter().map(worded).collect();
    let mut work = fresh.work().await;
    commands::tell(&mut work, &ready, &head(), &portal(), clock::now())
        .await
        .unwrap();
    work.commit().await.unwrap();
}

async fn items(fresh: &Fresh, id: &str) -> Vec<Item> {
    let mut db = fresh.db.acquire().await.unwrap();
    store::list(&mut db, &format!("i|{id}"), None, true, None, 100)
        .await
        .unwrap()
}

async fn codes(fresh: &Fresh, id: &str) -> Vec<&'static str> {
    let mut codes: Vec<_> = items(fresh, id)
        .await
        .iter()
        .map(|item| item.code.as_str())
        .collect();
    codes.sort_unstable();
    codes
}

async fn mails(fresh: &Fresh) -> Vec<(String, Option<Vec<u8>>, String)> {
    sqlx::query_as("SELECT address, message, state FROM mails ORDER BY address, id")
        .fetch_all(fresh.db.pool())
        .await
        .unwrap()
}

async fn prefer(fresh: &Fresh, id: &str, email: &str) -> Result<Person, Error> {
    let mut work = fresh.work().await;
    let wanted = Preferences {
        email: email.into(),
        language: "en".into(),
        etag: None,
    };
    let person = commands::update_preferences(
        &mut work,
        &format!("i|{id}"),
        wanted,
        &portal(),
        clock::now(),
    )
    .await?;
    work.commit().await.unwrap();
    Ok(person)
}

async fn send(fresh: &Fresh, id: &str, code: &str, at: OffsetDateTime) -> Result<(), Error> {
    let mut work = fresh.work().await;
    commands::send_verification(
        &mut work,
        &format!("i|{id}"),
        NewCode(code.into()),
        &head(),
        &portal(),
        at,
    )
    .await?;
    work.commit().await.unwrap();
    Ok(())
}

async fn verify(fresh: &Fresh, id: &str, code: &str, at: OffsetDateTime) -> Result<Person, Error> {
    let mut work = fresh.work().await;
    let person = commands::verify_email(&mut work, &format!("i|{id}"), code, at).await?;
    work.commit().await.unwrap();
    Ok(person)
}

async fn prove(fresh: &Fresh, id: &str) {
    prefer(fresh, id, &format!("{id}@contoso.example"))
        .await
        .unwrap();
    send(fresh, id, id, clock::now()).await.unwrap();
    verify(fresh, id, id, clock::now()).await.unwrap();
}

#[tokio::test]
async fn no_11_nobody_is_told_twice() {
    let fresh = Fresh::new().await;
    prove(&fresh, "olga").await;
    hear(&fresh, vec![tell("e/0", Code::PublishSubmitted)]).await;
    // The same event again, past the inbox: the cause is the same.
    hear(
        &fresh,
        vec![
            tell("e/0", Code::PublishSubmitted),
            tell("e/1", Code::PublishSubmitted),
        ],
    )
    .await;
    let first = claim(&fresh).await;
    assert_eq!(first.len(), 2);
    // The lease ended: somebody else takes both. Whoever comes too late writes nothing.
    let late = clock::now() + Duration::hours(3);
    let taken = store::claim_notices(&mut fresh.db.acquire().await.unwrap(), late, late, 64)
        .await
        .unwrap();
    assert_eq!(taken.len(), 2);
    tell_all(&fresh, first).await;
    assert_eq!(
        codes(&fresh, "olga").await,
        ["N13"],
        "a lost lease tells nobody"
    );
    tell_all(&fresh, taken.clone()).await;
    tell_all(&fresh, taken).await;
    assert_eq!(codes(&fresh, "olga").await, ["N01", "N01", "N13"]);
    let told: Vec<_> = mails(&fresh)
        .await
        .into_iter()
        .filter(|(_, message, _)| message.is_some())
        .collect();
    assert_eq!(told.len(), 3, "two, and the code");
    assert!(claim(&fresh).await.is_empty());
    fresh.drop().await;
}

#[tokio::test]
async fn no_2_and_3_owners_and_who_was_added_are_told_and_n14_says_so() {
    let fresh = Fresh::new().await;
    let (scope, everybody) = (Scope::system("contoso"), members());
    let mut work = fresh.work().await;
    commands::add_audience_member(
        &mut work,
        &scope,
        &product(),
        &everybody[1],
        &portal(),
        clock::now(),
    )
    .await
    .unwrap();
    commands::add_audience_member(
        &mut work,
        &scope,
        &product(),
        &everybody[1],
        &portal(),
        clock::now(),
    )
    .await
    .unwrap();
    let marketer = Member {
        may_join: false,
        ..everybody[2].clone()
    };
    let refused = commands::add_audience_member(
        &mut work,
        &scope,
        &product(),
        &marketer,
        &portal(),
        clock::now(),
    )
    .await;
    assert!(
        matches!(refused, Err(Error::RoleNotEligible)),
        "NO-6, AS-018"
    );
    work.commit().await.unwrap();
    hear(&fresh, vec![tell("e/0", Code::GoLiveAccepted)]).await;
    tell_all(&fresh, claim(&fresh).await).await;
    assert_eq!(codes(&fresh, "olga").await, ["N07"]);
    assert_eq!(
        codes(&fresh, "mia").await,
        ["N07", "N14"],
        "once for two additions"
    );
    assert!(codes(&fresh, "dan").await.is_empty());

    let mut work = fresh.work().await;
    let mia = everybody[1].name.clone();
    let owner = commands::remove_audience_member(
        &mut work,
        &scope,
        &product(),
        &mia,
        true,
        &portal(),
        clock::now(),
    )
    .await;
    assert!(matches!(owner, Err(Error::OwnerAlwaysNotified)), "AS-135");
    commands::remove_audience_member(
        &mut work,
        &scope,
        &product(),
        &mia,
        false,
        &portal(),
        clock::now(),
    )
    .await
    .unwrap();
    work.commit().await.unwrap();
    hear(&fresh, vec![tell("e/1", Code::GoLiveAccepted)]).await;
    tell_all(&fresh, claim(&fresh).await).await;
    assert_eq!(
        codes(&fresh, "mia").await,
        ["N07", "N14", "N14"],
        "AS-134: deliveries stop"
    );
    fresh.drop().await;
}

#[tokio::test]
async fn no_6_who_loses_the_role_is_taken_off_the_list_and_late_news_of_it_spares_a_new_choice() {
    let fresh = Fresh::new().await;
    let (scope, mia) = (Scope::system("contoso"), members().remove(1));
    let lost = |at| News::Ineligible {
        publisher: "contoso".into(),
        principal: mia.principal.clone(),
        at,
    };
    let listed = || async {
        let mut db = fresh.db.acquire().await.unwrap();
        let list = store::listed(&mut db, &scope, product().uid).await;
        list.unwrap().len()
    };
    let added = clock::now();
    store::add(
        &mut fresh.db.acquire().await.unwrap(),
        &scope,
        product().uid,
        &mia,
        added,
    )
    .await
    .unwrap();
    hear(&fresh, vec![lost(added - Duration::HOUR)]).await;
    assert_eq!(listed().await, 1);
    hear(&fresh, vec![lost(added + Duration::SECOND)]).await;
    assert_eq!(listed().await, 0);
    fresh.drop().await;
}

#[tokio::test]
async fn no_8_an_unproved_address_gets_no_mail_now_or_later_and_one_action_stands() {
    let fresh = Fresh::new().await;
    hear(
        &fresh,
        vec![
            tell("e/0", Code::PublishSubmitted),
            tell("e/1", Code::StepFailed),
        ],
    )
    .await;
    tell_all(&fresh, claim(&fresh).await).await;
    assert_eq!(codes(&fresh, "olga").await, ["N01", "N02", "N13"], "AS-014");
    let standing = items(&fresh, "olga")
        .await
        .into_iter()
        .find(|item| item.kind == Kind::MandatoryAction)
        .unwrap();
    let mut work = fresh.work().await;
    let archived =
        commands::archive_action_item(&mut work, "i|olga", standing.id, clock::now()).await;
    assert!(matches!(archived, Err(Error::MandatoryItem)), "NO-10");
    let strange =
        commands::archive_action_item(&mut work, "i|mia", standing.id, clock::now()).await;
    assert!(
        matches!(strange, Err(Error::NotFound(..))),
        "somebody else's item"
    );
    drop(work);
    prove(&fresh, "olga").await;
    let resolved = items(&fresh, "olga")
        .await
        .into_iter()
        .find(|item| item.id == standing.id)
        .unwrap();
    assert!(resolved.resolved_at.is_some());
    assert!(
        claim(&fresh).await.is_empty(),
        "A26: nothing was queued for later"
    );
    hear(&fresh, vec![tell("e/2", Code::StepFailed)]).await;
    tell_all(&fresh, claim(&fresh).await).await;
    let sent = mails(&fresh).await;
    assert!(
        sent.iter()
            .all(|(address, _, _)| address == "olga@contoso.example")
            && sent.len() == 2,
        "AS-015"
    );
    prefer(&fresh, "olga", "olga@fabrikam.example")
        .await
        .unwrap();
    let open: Vec<Item> = items(&fresh, "olga")
        .await
        .into_iter()
        .filter(|item| item.code == Code::EmailUnverified)
        .collect();
    assert_eq!(
        open.iter()
            .filter(|item| item.resolved_at.is_none())
            .count(),
        1,
        "a new address is unproved"
    );
    fresh.drop().await;
}

#[tokio::test]
async fn no_9_five_codes_an_hour_each_good_once_for_a_day_and_for_the_address_it_was_mailed_to() {
    let fresh = Fresh::new().await;
    let now = clock::now();
    assert!(matches!(
        send(&fresh, "olga", "c", now).await,
        Err(Error::NoAddress)
    ));
    prefer(&fresh, "olga", "olga@contoso.example")
        .await
        .unwrap();
    for n in 0..5 {
        send(
            &fresh,
            "olga",
            &format!("code {n}"),
            now + Duration::minutes(n),
        )
        .await
        .unwrap();
    }
    let sixth = send(&fresh, "olga", "code 5", now + Duration::minutes(5)).await;
    let Err(Error::TooManyCodes(wait)) = sixth else {
        panic!("{sixth:?}")
    };
    assert_eq!(wait.as_secs(), 55 * 60);
    send(&fresh, "olga", "code 6", now + Duration::minutes(61))
        .await
        .unwrap();

    assert!(matches!(
        verify(&fresh, "olga", "no code", now).await,
        Err(Error::CodeInvalid)
    ));
    assert!(
        matches!(
            verify(&fresh, "mia", "code 0", now).await,
            Err(Error::CodeInvalid)
        ),
        "somebody else's"
    );
    let late = now + Duration::hours(25);
    assert!(matches!(
        verify(&fresh, "olga", "code 0", late).await,
        Err(Error::CodeExpired)
    ));
    assert!(
        verify(&fresh, "olga", "code 6", now)
            .await
            .unwrap()
            .verified_at
            .is_some()
    );
    assert!(
        matches!(
            verify(&fresh, "olga", "code 6", now).await,
            Err(Error::CodeInvalid)
        ),
        "once"
    );
    prefer(&fresh, "olga", "olga@fabrikam.example")
        .await
        .unwrap();
    assert!(
        matches!(
            verify(&fresh, "olga", "code 1", now).await,
            Err(Error::CodeInvalid)
        ),
        "another address"
    );
    let kept: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM verifications WHERE encode(hash, 'escape') LIKE '%code%'",
    )
    .fetch_one(fresh.db.pool())
    .await
    .unwrap();
    assert_eq!(kept, 0, "codes are kept as hashes");
    fresh.drop().await;
}

#[tokio::test]
async fn no_11_a_mail_that_is_sent_again_is_the_same_to_the_byte() {
    let fresh = Fresh::new().await;
    prove(&fresh, "olga").await;
    hear(&fresh, vec![tell("e/0", Code::OfferLive)]).await;
    tell_all(&fresh, claim(&fresh).await).await;
    let folder = std::env::temp_dir().join(format!("mails-{}", Uuid::now_v7()));
    let post = Post::folder(&folder).unwrap();
    let sender = Sender {
        db: fresh.db.clone(),
        post,
        from: head().from.email,
    };
    sender.turn(&CancellationToken::new()).await.unwrap();
    let first = files(&folder);
    assert_eq!(first.len(), 2, "the code, and N08");
    // As after a crash between the server's acceptance and our commit.
    sqlx::query(
        "UPDATE mails SET state = 'pending', settled_at = NULL, due_at = now() WHERE NOT secret",
    )
    .execute(fresh.db.pool())
    .await
    .unwrap();
    sender.turn(&CancellationToken::new()).await.unwrap();
    assert_eq!(files(&folder), first);
    let secrets = mails(&fresh)
        .await
        .into_iter()
        .filter(|(_, message, _)| message.is_none())
        .count();
    assert_eq!(secrets, 1, "the mail with the code is not kept");
    std::fs::remove_dir_all(folder).unwrap();
    fresh.drop().await;
}

fn files(folder: &std::path::Path) -> HashMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap());
    entries
        .map(|e| {
            (
                e.file_name().into_string().unwrap(),
                std::fs::read(e.path()).unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn no_11_a_mail_that_fails_is_tried_again_later_and_at_last_given_up() {
    let fresh = Fresh::new().await;
    prove(&fresh, "olga").await;
    let folder = std::env::temp_dir().join(format!("mails-{}", Uuid::now_v7()));
    let post = Post::folder(&folder).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let sender = Sender {
        db: fresh.db.clone(),
        post,
        from: head().from.email,
    };
    sender.turn(&CancellationToken::new()).await.unwrap();
    let (state, wait, error): (String, f64, String) = sqlx::query_as(
        "SELECT state, extract(epoch FROM due_at - now())::float8, error FROM mails WHERE attempts = 1",
    )
    .fetch_one(fresh.db.pool())
    .await
    .unwrap();
    assert!(
        state == "pending" && (3.0..6.0).contains(&wait) && !error.is_empty(),
        "{state} {wait} {error}"
    );
    sqlx::query("UPDATE mails SET attempts = 9, due_at = now()")
        .execute(fresh.db.pool())
        .await
        .unwrap();
    sender.turn(&CancellationToken::new()).await.unwrap();
    assert_eq!(mails(&fresh).await[0].2, "failed");
    fresh.drop().await;
}

#[tokio::test]
async fn no_11_what_is_still_being_sent_is_nobody_elses() {
    let fresh = Fresh::new().await;
    prove(&fresh, "olga").await;
    let mut db = fresh.db.acquire().await.unwrap();
    let at = |seconds| clock::now() + Duration::seconds(seconds);
    let until = at(10);
    let mine = store::claim_mails(&mut db, at(0), until, 16).await.unwrap();
    let ids: Vec<Uuid> = mine.iter().map(|mail| mail.id).collect();
    assert_eq!(ids.len(), 1);
    store::hold_mails(&mut db, &ids, until, at(30))
        .await
        .unwrap();
    // By whom another process has replaced since: it holds nothing.
    store::hold_mails(&mut db, &ids, until, at(60))
        .await
        .unwrap();
    let others = async |db: &mut _, now| store::claim_mails(db, now, at(90), 16).await;
    assert_eq!(others(&mut db, at(20)).await.unwrap(), []);
    assert_eq!(others(&mut db, at(40)).await.unwrap().len(), 1);
    drop(db);
    fresh.drop().await;
}

#[tokio::test]
async fn n04_waits_for_both_sides_in_either_order_and_comes_once() {
    let side = |n, awaits, warnings| side(n, awaits, warnings, clock::now());
    let fresh = Fresh::new().await;
    hear(&fresh, vec![side(1, true, 2)]).await;
    assert!(claim(&fresh).await.is_empty());
    hear(&fresh, vec![side(1, false, 0), side(2, false, 0)]).await;
    hear(&fresh, vec![side(2, true, 0), side(1, false, 0)]).await;
    let claimed = claim(&fresh).await;
    let mut warnings: Vec<_> = claimed
        .iter()
        .map(|c| (c.notice.code.as_str(), c.notice.facts.warnings))
        .collect();
    warnings.sort_unstable();
    assert_eq!(warnings, [("N04", 0), ("N04", 2)]);
    assert!(claimed.iter().all(|c| c.notice.facts.title == "Db"));
    fresh.drop().await;
}

#[tokio::test]
async fn an_action_ends_when_it_is_taken_before_or_after_people_are_told() {
    let fresh = Fresh::new().await;
    hear(&fresh, vec![tell("e/0", Code::StepFailed)]).await;
    tell_all(&fresh, claim(&fresh).await).await;
    hear(&fresh, vec![resolve(&[Code::StepFailed], Of::Every)]).await;
    // In one batch, and between the claim and the telling.
    hear(
        &fresh,
        vec![
            tell("e/1", Code::StepFailed),
            resolve(&[Code::StepFailed], Of::Every),
        ],
    )
    .await;
    hear(&fresh, vec![tell("e/2", Code::StepFailed)]).await;
    let claimed = claim(&fresh).await;
    hear(&fresh, vec![resolve(&[Code::StepFailed], Of::Every)]).await;
    tell_all(&fresh, claimed).await;
    let told = items(&fresh, "olga").await;
    let actions: Vec<&Item> = told
        .iter()
        .filter(|item| item.code == Code::StepFailed)
        .collect();
    assert!(
        actions.len() == 3 && actions.iter().all(|item| item.resolved_at.is_some()),
        "{actions:?}"
    );
    hear(
        &fresh,
        vec![
            tell("e/3", Code::PreviewReady),
            resolve(&[Code::PreviewReady], Of::Others(about().submission)),
        ],
    )
    .await;
    assert_eq!(
        claim(&fresh).await[0].notice.resolved_at,
        None,
        "of this submission it stands"
    );
    fresh.drop().await;
}

#[tokio::test]
async fn a39_a_preview_that_waits_is_told_again_once() {
    let fresh = Fresh::new().await;
    let old = Notice {
        occurred_at: clock::now() - Duration::days(15),
        ..notice("preview:s1", Code::PreviewReady)
    };
    hear(
        &fresh,
        vec![
            News::Tell(Box::new(old)),
            tell("preview:s2", Code::PreviewReady),
        ],
    )
    .await;
    let remind = || async {
        let (ids, now) = ([Uuid::now_v7(), Uuid::now_v7()], clock::now());
        store::remind(
            &mut fresh.db.acquire().await.unwrap(),
            now - Duration::days(14),
            now,
            &ids,
        )
        .await
        .unwrap()
    };
    assert_eq!(remind().await, 1);
    assert_eq!(remind().await, 0);
    assert_eq!(claim(&fresh).await.len(), 3);
    store::sweep(&mut fresh.db.acquire().await.unwrap(), clock::now())
        .await
        .unwrap();
    fresh.drop().await;
}

#[tokio::test]
async fn n04_is_not_asked_for_once_nobody_is_to_sign_off() {
    let closed = |n: u8| {
        News::Closed(Closed {
            offer_uid: about().offer_uid,
            submission: format!("{OFFER}/submissions/s{n}"),
            at: clock::now(),
        })
    };
    let fresh = Fresh::new().await;
    let now = clock::now();
    // Signed off before the catalog's news came; and before either side's did.
    hear(&fresh, vec![side(1, true, 0, now), closed(1)]).await;
    hear(&fresh, vec![side(1, false, 0, now)]).await;
    hear(&fresh, vec![closed(2), closed(2)]).await;
    hear(&fresh, vec![side(2, false, 0, now), side(2, true, 0, now)]).await;
    assert!(claim(&fresh).await.is_empty());
    // A newer preview waits already: that of the older one comes too late, whichever side of it does.
    let later = now + Duration::MINUTE;
    let (third, fourth) = (now + Duration::SECOND, later);
    hear(&fresh, vec![side(4, false, 0, later)]).await;
    hear(
        &fresh,
        vec![side(3, true, 0, third), side(4, true, 0, fourth)],
    )
    .await;
    hear(&fresh, vec![side(3, false, 0, third)]).await;
    hear(&fresh, vec![side(5, false, 0, now), side(5, true, 0, now)]).await;
    let told = claim(&fresh).await;
    assert_eq!(told.len(), 1, "{told:?}");
    let notice = &told[0].notice;
    assert!(notice.about.submission.ends_with("/s4"));
    assert_eq!(notice.occurred_at, fourth, "since when it waits");
    fresh.drop().await;
}

#[tokio::test]
async fn late_news_ends_no_action_that_came_up_since() {
    let fresh = Fresh::new().await;
    let early = resolve(&[Code::StepFailed, Code::PreviewReady], Of::Every);
    hear(&fresh, vec![tell("e/0", Code::StepFailed)]).await;
    hear(&fresh, vec![tell("e/1", Code::StepFailed), early.clone()]).await;
    let standing = claim(&fresh).await;
    assert!(
        standing.iter().all(|one| one.notice.resolved_at.is_none()) && standing.len() == 2,
        "{standing:?}"
    );
    // A reminder is no new action: the sign-off before it ends it, however late its news is.
    let waits = Notice {
        occurred_at: clock::now() - Duration::days(15),
        ..notice("preview:s1", Code::PreviewReady)
    };
    hear(&fresh, vec![News::Tell(Box::new(waits))]).await;
    let (ids, now) = ([Uuid::now_v7()], clock::now());
    let mut db = fresh.db.acquire().await.unwrap();
    let reminded = store::remind(&mut db, now - Duration::days(14), now, &ids).await;
    assert_eq!(reminded.unwrap(), 1);
    drop(db);
    hear(&fresh, vec![early]).await;
    let ended = claim(&fresh).await;
    let ended: Vec<_> = ended
        .iter()
        .filter(|one| one.notice.code == Code::PreviewReady)
        .map(|one| one.notice.resolved_at.is_some())
        .collect();
    assert_eq!(ended, [true, true]);
    fresh.drop().await;
}

#[tokio::test]
async fn n05_of_another_submission_stands() {
    let fresh = Fresh::new().await;
    let own = about().submission;
    let other = Notice {
        about: About {
            submission: format!("{OFFER}/submissions/s2"),
            ..about()
        },
        ..notice("e/1", Code::ValidationWarnings)
    };
    let news = vec![
        tell("e/0", Code::ValidationWarnings),
        News::Tell(Box::new(other)),
    ];
    hear(&fresh, news).await;
    // What is written already, and what is told in the same batch.
    let ends = || resolve(&[Code::ValidationWarnings], Of::Only(about().submission));
    let again = Notice {
        cause: "e/2".into(),
        ..notice("e/2", Code::ValidationWarnings)
    };
    hear(&fresh, vec![News::Tell(Box::new(again)), ends()]).await;
    for one in claim(&fresh).await {
        let of_it = one.notice.about.submission == own;
        assert_eq!(one.notice.resolved_at.is_some(), of_it, "{one:?}");
    }
    fresh.drop().await;
}

#[tokio::test]
async fn no_4_a_list_belongs_to_one_product_and_goes_with_it() {
    let fresh = Fresh::new().await;
    let (scope, mia) = (Scope::system("contoso"), members().remove(1));
    let again = Product {
        uid: Uuid::from_u128(10),
        ..product()
    };
    for offer in [product(), again.clone()] {
        let mut work = fresh.work().await;
        commands::add_audience_member(&mut work, &scope, &offer, &mia, &portal(), clock::now())
            .await
            .unwrap();
        work.commit().await.unwrap();
    }
    hear(&fresh, vec![News::OfferDeleted(product().uid)]).await;
    let mut db = fresh.db.acquire().await.unwrap();
    for (offer, count) in [(product(), 0), (again.clone(), 1)] {
        let list = store::listed(&mut db, &scope, offer.uid).await.unwrap();
        assert_eq!(list.len(), count, "the name is the same, the product isn't");
    }
    let strange = store::listed(&mut db, &Scope::system("fabrikam"), again.uid).await;
    assert!(strange.unwrap().is_empty(), "another publisher's");
    drop(db);
    let about = About {
        offer_uid: Uuid::from_u128(11),
        ..about()
    };
    let third = Notice {
        about,
        ..notice("e/0", Code::GoLiveAccepted)
    };
    hear(&fresh, vec![News::Tell(Box::new(third))]).await;
    tell_all(&fresh, claim(&fresh).await).await;
    assert_eq!(
        codes(&fresh, "mia").await,
        ["N14", "N14"],
        "an offer made again under that name has a list of its own"
    );
    fresh.drop().await;
}

#[tokio::test]
async fn n04_is_mailed_with_its_links_and_they_are_kept_nowhere() {
    let fresh = Fresh::new().await;
    prove(&fresh, "olga").await;
    hear(&fresh, vec![tell("preview:s1", Code::PreviewReady)]).await;
    let claimed = claim(&fresh).await.remove(0);
    let told = Told {
        previews: vec![Link {
            title: "Preview".into(),
            target: "https://preview.example/?token=hush".into(),
        }],
        ..Told::default()
    };
    let members = members();
    let ready = Ready {
        message: words(&claimed.notice, &told, &portal()),
        claimed,
        members: &members,
    };
    let mut work = fresh.work().await;
    commands::tell(&mut work, &[ready], &head(), &portal(), clock::now())
        .await
        .unwrap();
    work.commit().await.unwrap();
    let folder = std::env::temp_dir().join(format!("mails-{}", Uuid::now_v7()));
    let sender = Sender {
        db: fresh.db.clone(),
        post: Post::folder(&folder).unwrap(),
        from: head().from.email,
    };
    sender.turn(&CancellationToken::new()).await.unwrap();
    let mailed = files(&folder)
        .into_values()
        .any(|mail| String::from_utf8_lossy(&mail).contains("preview.example"));
    assert!(mailed, "AS-038");
    let tables = ["items", "mails", "notices", "previews"];
    for table in tables {
        let held: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT count(*) FROM {table} t WHERE t::text LIKE '%hush%' OR t::text LIKE '%68757368%'"
        )))
        .fetch_one(fresh.db.pool())
        .await
        .unwrap();
        assert_eq!(held, 0, "{table}");
    }
    let item = items(&fresh, "olga").await.remove(0);
    assert_eq!(item.links.len(), 1, "the Offer overview: {:?}", item.links);
    std::fs::remove_dir_all(folder).unwrap();
    fresh.drop().await;
}
