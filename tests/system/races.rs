//! Two who want opposite things at the same moment, each at a replica of its own: one of them wins, or it is as if one had
//! come after the other.

mod acts;

use std::time::Duration;

use marketplace_proto::history::v1::ListEventsRequest;
use marketplace_proto::offercatalog::v1::{AudienceIdKind, OfferStatus};
use marketplace_proto::publishing::v1::SubmissionState;
use marketplace_runtime::status::reason;
use serde_json::json;
use system_tests::{Clients, Marketplace, drafts, until};
use tonic::Code;

use crate::private_audiences::{forge, may_buy, members, pricing};
use acts::{Race, cancel, delete, go_live, publish, publish_newest, resume, stop, synced};

/// Waits until a submission is canceled or awaits sign-off.
async fn decided(market: &Marketplace, submission: &str) -> anyhow::Result<SubmissionState> {
    use SubmissionState as S;
    until("the race is decided", async || {
        let now = market.submission(submission).await?.state();
        Ok(matches!(now, S::Canceled | S::AwaitingSignOff).then_some(now))
    })
    .await
}

/// The two replicas, a publisher and its offer.
async fn stage(draft: drafts::Draft) -> anyhow::Result<(Marketplace, [Clients; 2], String)> {
    let market = Marketplace::twice().await?;
    market.publisher("contoso").await?;
    let offer = Box::pin(market.draft("contoso", "forge", draft)).await?;
    let twins = market.twins("ada");
    Ok((market, twins, offer))
}

/// AS-085, T11, T12, T14: cancel and sign-off race; exactly one wins each time, and the history agrees.
#[tokio::test]
async fn cancel_races_sign_off() -> anyhow::Result<()> {
    let (market, [ada, _], offer) = stage(drafts::saas_free_trial()).await?;
    let mut race = Race::new();
    // The other side is the pipeline, which is at it since the publish.
    race.delay = -20_000;
    for _ in 0..race.rounds {
        let submission = market.publish(&offer).await?;
        let pause = race.delay.min(0).unsigned_abs();
        tokio::time::sleep(Duration::from_micros(pause)).await;
        let accepted = cancel(&ada, &submission).await;
        match (accepted, decided(&market, &submission).await?) {
            (Ok(_), SubmissionState::Canceled) => race.won(0),
            (Err(refused), SubmissionState::AwaitingSignOff) => {
                assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
                race.won(1);
            }
            (accepted, state) => {
                anyhow::bail!("cancel said {accepted:?} and the submission is {state:?}")
            }
        }
    }
    let (rounds, canceled) = (race.rounds as usize, race.wins[0] as usize);
    race.end();
    market.settled().await?;
    let rows = history_of(&market, &offer).await?;
    let count = |label: &str| rows.iter().filter(|row| *row == label).count();
    assert_eq!(count("Initiated submit to preview cancellation"), canceled);
    assert_eq!(count("Canceled submission to preview"), canceled);
    assert_eq!(count("Submitted offer to preview"), rounds);
    market.stop().await
}

/// AS-144, SM-1: of two publishes one wins; the other is told which one is in flight.
#[tokio::test]
async fn publish_races_publish() -> anyhow::Result<()> {
    let (market, [here, there], offer) = stage(drafts::saas_free_trial()).await?;
    let mut race = Race::new();
    for _ in 0..race.rounds {
        let request = market.publish_request(&offer).await?;
        let both = race
            .run(publish(&here, &request), publish(&there, &request))
            .await;
        let (side, won, lost) = match both {
            (Ok(won), Err(lost)) => (0, won, lost),
            (Err(lost), Ok(won)) => (1, won, lost),
            both => anyhow::bail!("{both:?}"),
        };
        assert_eq!(reason(&lost), "SUBMISSION_IN_FLIGHT", "{lost:?}");
        assert!(lost.message().contains(&won) || format!("{lost:?}").contains(&won));
        race.won(side);
        decided(&market, &won).await?;
    }
    race.end();
    market.stop().await
}

/// T05, T26: a stop of the offer and a publish; who comes second is refused while the first is at it.
#[tokio::test]
async fn stop_of_an_offer_races_publish() -> anyhow::Result<()> {
    let (market, [here, there], offer) = stage(drafts::container()).await?;
    let first = market.publish(&offer).await?;
    market.finish(&first).await?;
    let mut race = Race::new();
    for _ in 0..race.rounds {
        let request = market.publish_request(&offer).await?;
        let both = race
            .run(stop(&here, &offer, ""), publish(&there, &request))
            .await;
        let published = match both {
            (Ok(_), Err(lost)) => {
                assert_eq!(reason(&lost), "ILLEGAL_MOVE", "{lost:?}");
                None
            }
            // The offer was gone already when it was published again.
            (Ok(_), Ok(published)) => Some(published),
            (Err(lost), Ok(published)) => {
                assert_eq!(reason(&lost), "ILLEGAL_MOVE", "{lost:?}");
                race.won(1);
                cancel(&here, &published).await?;
                market.until_status(&offer, OfferStatus::Live).await?;
                continue;
            }
            both => anyhow::bail!("{both:?}"),
        };
        race.won(0);
        let again = match published {
            Some(published) => published,
            None => {
                market
                    .until_status(&offer, OfferStatus::NotAvailable)
                    .await?;
                market.publish(&offer).await?
            }
        };
        market.finish(&again).await?;
    }
    race.end();
    market.stop().await
}

/// T16, T29: a stop of a plan and a Go live; a plan whose stop was accepted before isn't sold after it.
#[tokio::test]
async fn stop_of_a_plan_races_go_live() -> anyhow::Result<()> {
    let draft = drafts::with_plans(drafts::container(), ["second"]);
    let (market, [here, there], offer) = stage(draft).await?;
    let first = market.publish(&offer).await?;
    market.finish(&first).await?;
    let mut race = Race::new();
    let mut acts = Vec::new();
    for _ in 0..race.rounds {
        let submission = market.publish(&offer).await?;
        market.approve(&submission).await?;
        decided(&market, &submission).await?;
        let both = race
            .run(stop(&here, &offer, "second"), go_live(&there, &submission))
            .await;
        match both {
            (Ok(_), Err(lost)) => {
                assert_eq!(reason(&lost), "PLANS_CHANGED", "{lost:?}");
                race.won(0);
                acts.extend(["Initiated plan Stop distribution: second", RESUMED]);
                resume(&here, &offer, "second").await?;
            }
            (stopped, Ok(_)) => {
                race.won(1);
                acts.push(SIGNED_OFF);
                until_status_is_not_running(&market, &offer).await?;
                match stopped {
                    Err(lost) => assert_eq!(reason(&lost), "ILLEGAL_MOVE", "{lost:?}"),
                    // It came when the offer was live already.
                    Ok(_) => {
                        acts.extend(["Initiated plan Stop distribution: second", RESUMED]);
                        resume(&here, &offer, "second").await?;
                    }
                }
            }
            both => anyhow::bail!("{both:?}"),
        }
    }
    race.end();
    market.settled().await?;
    let mut rows = history_of(&market, &offer).await?;
    rows.retain(|row| acts.contains(&row.as_str()));
    // The first one made the offer live.
    assert_eq!(rows[1..], acts);
    market.stop().await
}

const RESUMED: &str = "Resume distribution: second";
const SIGNED_OFF: &str = "Sign-off to go live";
const SUBMITTED: &str = "Submitted offer to preview";
const SYNCED: &str = "Sync private audience";

async fn until_status_is_not_running(market: &Marketplace, offer: &str) -> anyhow::Result<()> {
    until("nothing is in flight", async || {
        Ok(market
            .publication(offer)
            .await?
            .in_flight
            .is_empty()
            .then_some(()))
    })
    .await
}

/// T29, T30, T05: a stop or resume of a plan and a publish: as if one had come after the other, for what was frozen and for
/// the history.
#[tokio::test]
async fn stop_and_resume_of_a_plan_race_publish() -> anyhow::Result<()> {
    let draft = drafts::with_plans(drafts::container(), ["second"]);
    let (market, [here, there], offer) = stage(draft).await?;
    let first = market.publish(&offer).await?;
    market.finish(&first).await?;
    let mut db = market.servers.database.superuser().await?;
    let mut acts = vec![SUBMITTED];
    let (mut stops, mut resumes) = (Race::new(), Race::new());
    let mut pending = false;
    for _ in 0..stops.rounds + resumes.rounds {
        let request = market.publish_request(&offer).await?;
        let (race, change, row) = if pending {
            (&mut resumes, resume(&here, &offer, "second"), RESUMED)
        } else {
            let change = stop(&here, &offer, "second");
            (
                &mut stops,
                change,
                "Initiated plan Stop distribution: second",
            )
        };
        let (changed, published) = race.run(change, publish(&there, &request)).await;
        let submission = published?;
        match changed {
            Ok(_) => {
                race.won(0);
                pending = !pending;
                acts.push(row);
            }
            Err(lost) => {
                assert_eq!(reason(&lost), "ILLEGAL_MOVE", "{lost:?}");
                race.won(1);
            }
        }
        acts.push(SUBMITTED);
        let frozen: bool = sqlx::query_scalar(
            "SELECT profile::jsonb -> 'plans' @> '[{\"id\": \"second\", \"stopped\": true}]'
             FROM publishing.submissions WHERE $1 LIKE '%/submissions/' || id",
        )
        .bind(&submission)
        .fetch_one(&mut db)
        .await?;
        assert_eq!(
            frozen, pending,
            "what was frozen is what was accepted before"
        );
        cancel(&here, &submission).await?;
        decided(&market, &submission).await?;
    }
    stops.end();
    resumes.end();
    market.settled().await?;
    let mut rows = history_of(&market, &offer).await?;
    rows.retain(|row| acts.contains(&row.as_str()));
    assert_eq!(rows, acts);
    market.stop().await
}

/// SY-1, SY-3, T05: an audience is saved and synced while the offer is published: nothing is refused, and whatever the
/// publish froze, customers are those that were synced, then and once it is live.
#[tokio::test]
async fn sync_races_publish() -> anyhow::Result<()> {
    let draft = forge();
    let (market, [here, there], offer) = stage(draft.clone()).await?;
    let first = market.publish(&offer).await?;
    market.finish(&first).await?;
    let plan = format!("{offer}/plans/partner");
    let mut db = market.servers.database.superuser().await?;
    let mut race = Race::new();
    let mut acts = vec![SUBMITTED];
    for round in 0..race.rounds {
        let tenant = uuid::Uuid::new_v4().to_string();
        let page = pricing(&draft, members(AudienceIdKind::Tenant, &[&tenant]));
        let both = race
            .run(synced(&here, &plan, page), publish_newest(&there, &offer))
            .await;
        let (version, submission) = (both.0?, both.1?);
        acts.extend([SUBMITTED, SYNCED]);
        let served = json!({"tenant": tenant});
        assert!(may_buy(&market, &offer, served.clone()).await?);
        let frozen: String = sqlx::query_scalar(
            "SELECT audiences ->> 'partner' FROM offer_catalog.freezes WHERE $1 LIKE '%/submissions/' || submission",
        )
        .bind(&submission)
        .fetch_one(&mut db)
        .await?;
        race.won(usize::from(frozen != version));
        if round % 10 == 9 {
            market.finish(&submission).await?;
            assert!(
                may_buy(&market, &offer, served).await?,
                "{frozen} was frozen"
            );
        } else {
            cancel(&here, &submission).await?;
            decided(&market, &submission).await?;
        }
    }
    race.end();
    market.settled().await?;
    let mut rows = history_of(&market, &offer).await?;
    rows.retain(|row| acts.contains(&row.as_str()));
    rows.sort_unstable();
    acts.sort_unstable();
    assert_eq!(rows, acts);
    market.stop().await
}

/// T05, T34: a delete and a first publish; an offer is never both gone and in flight.
#[tokio::test]
async fn delete_races_publish() -> anyhow::Result<()> {
    let (market, [here, there], _) = stage(drafts::saas_free_trial()).await?;
    let mut race = Race::new();
    for round in 0..race.rounds {
        let id = format!("forge-{round}");
        let offer = market
            .draft("contoso", &id, drafts::saas_free_trial())
            .await?;
        let request = market.publish_request(&offer).await?;
        match race
            .run(delete(&here, &offer), publish(&there, &request))
            .await
        {
            (Ok(_), Err(lost)) => {
                assert_eq!(lost.code(), Code::NotFound, "{lost:?}");
                race.won(0);
            }
            (Err(lost), Ok(published)) => {
                assert_eq!(lost.code(), Code::FailedPrecondition, "{lost:?}");
                race.won(1);
                decided(&market, &published).await?;
            }
            both => anyhow::bail!("{both:?}"),
        }
    }
    race.end();
    market.stop().await
}

/// Labels of the offer's whole history, oldest first.
async fn history_of(market: &Marketplace, offer: &str) -> anyhow::Result<Vec<String>> {
    let mut labels = Vec::new();
    let mut page_token = String::new();
    loop {
        let list = ListEventsRequest {
            parent: offer.into(),
            page_size: 1_000,
            page_token,
            ..Default::default()
        };
        let answer = market.person("ada").history.list_events(list).await?;
        let page = answer.into_inner();
        labels.extend(page.events.into_iter().map(|event| event.label));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            labels.reverse();
            return Ok(labels);
        }
    }
}
