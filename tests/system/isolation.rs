//! What is certified and signed off is what is served, whatever happens to drafts, rows and files meanwhile.

use marketplace_proto::certification::v1::ListReviewQueueRequest;
use marketplace_proto::offercatalog::v1::page::Page as Kind;
use marketplace_proto::offercatalog::v1::{
    AssetHead, AssetKind, CreateAssetRequest, GetListingRequest, GetPreviewListingRequest,
    OfferListingPage, OfferStatus,
};
use marketplace_proto::publishing::v1::{GetOfferOverviewRequest, StepFault, SubmissionState};
use prost::Message;
use sqlx::Connection;
use system_tests::{Marketplace, drafts, until};

/// A29, ST-10, PV-11, UP-3: edits of the draft change neither preview nor live listing by a byte.
#[tokio::test]
async fn drafts_are_edited_freely_while_a_submission_runs() -> anyhow::Result<()> {
    let market = Marketplace::start().await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "forge", drafts::container())
        .await?;
    let submission = market.publish(&offer).await?;
    edit(&market, &offer, "Edited while certification runs").await?;
    market.approve(&submission).await?;
    market
        .until_state(&submission, SubmissionState::AwaitingSignOff)
        .await?;
    let token = preview_token(&market, &offer).await?;
    let preview = async || -> anyhow::Result<Vec<u8>> {
        // PV-3: previews of containers are for who holds the link and has a subscription of the audience.
        let tester = serde_json::json!({"subscriptions": ["0b7a1f3e-2c4d-4e5f-8a6b-9c0d1e2f3a4b"]});
        let get = GetPreviewListingRequest {
            token: token.clone(),
        };
        Ok(market
            .speaker("tess", &tester)
            .listings
            .get_preview_listing(get)
            .await?
            .into_inner()
            .encode_to_vec())
    };
    let before = preview().await?;
    edit(&market, &offer, "Edited while it awaits sign-off").await?;
    assert_eq!(preview().await?, before);
    market.go_live(&submission).await?;
    market
        .until_state(&submission, SubmissionState::Live)
        .await?;
    let live = async || -> anyhow::Result<Vec<u8>> {
        let get = GetListingRequest {
            offer: offer.clone(),
        };
        let listing = market
            .anybody()
            .listings
            .get_listing(get)
            .await?
            .into_inner()
            .listing
            .unwrap_or_default();
        assert_eq!(listing.title, "Contoso Forge");
        Ok(listing.encode_to_vec())
    };
    let before = live().await?;
    edit(&market, &offer, "Edited while it is live").await?;
    assert_eq!(live().await?, before);
    market.stop().await
}

async fn edit(market: &Marketplace, offer: &str, title: &str) -> anyhow::Result<()> {
    edit_with(market, offer, title, "logo").await
}

async fn edit_with(
    market: &Marketplace,
    offer: &str,
    title: &str,
    logo: &str,
) -> anyhow::Result<()> {
    let listing = OfferListingPage {
        title: title.into(),
        short_description: "A Git forge as a container for Azure Kubernetes Service.".into(),
        large_logo: format!("{offer}/assets/{logo}"),
        screenshots: vec![],
        ..drafts::listing()
    };
    market.save(offer, Kind::OfferListing(listing)).await?;
    Ok(())
}

/// Another title and a logo of its own, so that what is done to its content is done to nothing that is live.
async fn second_edition(market: &Marketplace, offer: &str, seed: u32) -> anyhow::Result<()> {
    let head = AssetHead {
        parent: offer.to_owned(),
        asset_id: "second-logo".into(),
        kind: AssetKind::LogoLarge as i32,
        file_name: "second.png".into(),
        ..Default::default()
    };
    let create = CreateAssetRequest {
        head: Some(head),
        content: drafts::png(300, 300, seed),
    };
    market.person("ada").assets.create_asset(create).await?;
    edit_with(
        market,
        offer,
        "Contoso Forge, second edition",
        "second-logo",
    )
    .await
}

async fn preview_token(market: &Marketplace, offer: &str) -> anyhow::Result<String> {
    until("there is a preview link", async || {
        let get = GetOfferOverviewRequest {
            offer: offer.to_owned(),
        };
        let overview = market
            .person("ada")
            .publishing
            .get_offer_overview(get)
            .await?
            .into_inner()
            .overview
            .unwrap_or_default();
        Ok(overview
            .preview_links
            .first()
            .and_then(|link| link.target.rsplit('/').next().map(str::to_owned)))
    })
    .await
}

/// AS-099, PB-1: a byte changed in the snapshot, in a prepared row or in a blob keeps the offer from going live.
#[tokio::test]
async fn a_changed_byte_ends_in_attention_needed() -> anyhow::Result<()> {
    let market = Marketplace::start().await?;
    market.publisher("contoso").await?;
    for (seed, tamper) in (11..).zip(["snapshot", "row", "blob"]) {
        let offer = market
            .draft("contoso", &format!("forge-{tamper}"), drafts::container())
            .await?;
        let first = market.publish(&offer).await?;
        market.finish(&first).await?;
        let served = GetListingRequest {
            offer: offer.clone(),
        };
        let live = market
            .anybody()
            .listings
            .get_listing(served.clone())
            .await?
            .into_inner();
        second_edition(&market, &offer, seed).await?;
        let second = market.publish(&offer).await?;
        market.approve(&second).await?;
        let waiting = market
            .until_state(&second, SubmissionState::AwaitingSignOff)
            .await?;
        change_a_byte(&market, tamper, &waiting.snapshot, &offer).await?;
        market.go_live(&second).await?;
        let failed = until("the publish fails", async || {
            let now = market.submission(&second).await?;
            Ok((now.state() == SubmissionState::Failed).then_some(now))
        })
        .await?;
        assert_eq!(failed.fault(), StepFault::Platform, "{tamper}: {failed:?}");
        assert_eq!(
            market.publication(&offer).await?.status(),
            OfferStatus::AttentionNeeded
        );
        let now = market.anybody().listings.get_listing(served).await?;
        assert_eq!(now.into_inner(), live, "{tamper}: live is untouched");
    }
    market.stop().await
}

/// PB-1: a type that is certified in its live leg. What changed while it awaited sign-off is found at once: nobody is asked
/// to review it, and it isn't the publisher's fault; mended, it goes live (T24).
#[tokio::test]
async fn a_byte_changed_before_certification_is_a_system_error_at_once() -> anyhow::Result<()> {
    let market = Marketplace::start().await?;
    market.publisher("contoso").await?;
    let broken = "set_byte(bytes, 0, 64)";
    let reworded =
        "convert_to(replace(convert_from(bytes, 'UTF8'), 'code review', 'Code review'), 'UTF8')";
    for (id, change) in [("broken", broken), ("reworded", reworded)] {
        let offer = market
            .draft("contoso", id, drafts::saas_free_trial())
            .await?;
        let submission = market.publish(&offer).await?;
        let waiting = market
            .until_state(&submission, SubmissionState::AwaitingSignOff)
            .await?;
        // The catalogue has served the preview, and looks at the content no more.
        market.asked_to_review(&submission).await?;
        let before = snapshot(&market, &waiting.digest, change).await?;
        market.go_live(&submission).await?;
        let failed = market
            .until_state(&submission, SubmissionState::Failed)
            .await?;
        assert_eq!(failed.fault(), StepFault::Platform, "{id}: {failed:?}");
        assert!(
            failed.failure_reason.starts_with("DIGEST_MISMATCH"),
            "{failed:?}"
        );
        assert_eq!(
            failed.failure_report, "",
            "nothing for the publisher to mend"
        );
        let queue = ListReviewQueueRequest::default();
        let mut rita = market.staff("rita", "reviewer");
        let queue = rita.reviews.list_review_queue(queue).await?.into_inner();
        assert_eq!(queue.cases, [], "nobody is to review it");
        let mended = format!("'\\x{}'::bytea", hex::encode(before));
        snapshot(&market, &waiting.digest, &mended).await?;
        market.go_live(&submission).await?;
        market.approve(&submission).await?;
        market
            .until_state(&submission, SubmissionState::Live)
            .await?;
    }
    market.stop().await
}

/// Changes a frozen snapshot; answers what it was.
pub(super) async fn snapshot(
    market: &Marketplace,
    digest: &str,
    change: &str,
) -> anyhow::Result<Vec<u8>> {
    let mut db = market.servers.database.superuser().await?;
    let read = "SELECT bytes FROM offer_catalog.snapshots WHERE digest = $1";
    let before: Vec<u8> = sqlx::query_scalar(read)
        .bind(digest)
        .fetch_one(&mut db)
        .await?;
    let write = format!(
        "UPDATE offer_catalog.snapshots SET bytes = {change} WHERE digest = $1 RETURNING bytes"
    );
    let after: Vec<u8> = sqlx::query_scalar(sqlx::AssertSqlSafe(write))
        .bind(digest)
        .fetch_one(&mut db)
        .await?;
    assert_ne!(before, after);
    db.close().await?;
    Ok(before)
}

async fn change_a_byte(
    market: &Marketplace,
    what: &str,
    snapshot: &str,
    offer: &str,
) -> anyhow::Result<()> {
    let digest = snapshot.rsplit('/').next().unwrap_or_default();
    let mut db = market.servers.database.superuser().await?;
    match what {
        "snapshot" => {
            let changed = sqlx::query_scalar::<_, i64>(
                "WITH changed AS (UPDATE offer_catalog.snapshots SET bytes = \
                 convert_to(replace(convert_from(bytes, 'UTF8'), 'second edition', 'Second edition'), 'UTF8') \
                 WHERE digest = $1 RETURNING 1) SELECT count(*) FROM changed",
            );
            assert_eq!(changed.bind(digest).fetch_one(&mut db).await?, 1);
        }
        "row" => {
            let changed = sqlx::query_scalar::<_, i64>(
                "WITH changed AS (UPDATE offer_catalog.listing_pages SET content = \
                 replace(content::text, 'second edition', 'Second edition')::jsonb \
                 WHERE position('second edition' in content::text) > 0 RETURNING 1) SELECT count(*) FROM changed",
            );
            assert!(changed.fetch_one(&mut db).await? >= 1);
        }
        _ => {
            let logo: String = sqlx::query_scalar("SELECT a.digest FROM offer_catalog.assets a JOIN offer_catalog.offers o USING (offer_uid) WHERE o.offer_id = $1 AND a.asset_id = 'second-logo'")
                .bind(offer.rsplit('/').next())
                .fetch_one(&mut db)
                .await?;
            let blob = find(&market.folder.join("assets"), &logo)?;
            let mut bytes = std::fs::read(&blob)?;
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(blob, bytes)?;
        }
    }
    db.close().await?;
    Ok(())
}

/// The blob with this digest, wherever below the store's folder it is.
fn find(folder: &std::path::Path, digest: &str) -> anyhow::Result<std::path::PathBuf> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Ok(found) = find(&path, digest) {
                return Ok(found);
            }
        } else if path.display().to_string().contains(digest) {
            return Ok(path);
        }
    }
    anyhow::bail!("no blob {digest} below {}", folder.display())
}
