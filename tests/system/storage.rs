//! Where the content of assets is kept: a bucket for any number of replicas, a folder for one.

use futures::TryStreamExt;
use marketplace_proto::offercatalog::v1::{
    DownloadAssetRequest, GetListingRequest, ListAssetsRequest,
};
use sha2::{Digest, Sha256};
use system_tests::{Bucket, Marketplace, Options, drafts};

/// What one replica takes in, another serves, and either of them takes live. Without the bucket they serve the rest.
#[tokio::test]
async fn replicas_of_the_catalogue_share_a_bucket() -> anyhow::Result<()> {
    let mut bucket = Bucket::start().await?;
    let mut environment = vec![("BLOB_STORE", bucket.url())];
    environment.extend(bucket.environment());
    let mut market = Marketplace::start_with(Options {
        environment,
        replicas: 2,
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    let (offer, _) = market
        .publish_live("contoso", "forge", drafts::saas_free_trial())
        .await?;
    let [_, mut twin] = market.twins("ada");
    let list = ListAssetsRequest {
        parent: offer.clone(),
        ..Default::default()
    };
    let assets = twin.assets.list_assets(list).await?.into_inner().assets;
    assert!(!assets.is_empty());
    for asset in assets {
        let download = DownloadAssetRequest {
            offer: offer.clone(),
            digest: asset.digest.clone(),
            ..Default::default()
        };
        let pieces = twin.assets.download_asset(download).await?.into_inner();
        let content: Vec<u8> = pieces.map_ok(|piece| piece.chunk).try_concat().await?;
        assert_eq!(hex::encode(Sha256::digest(&content)), asset.digest);
    }
    let live = GetListingRequest { offer };
    assert!(
        twin.listings
            .get_listing(live.clone())
            .await?
            .into_inner()
            .listing
            .is_some()
    );
    assert!(bucket.files().join("sha256").is_dir());
    assert!(!market.folder.join("assets/sha256").exists());

    bucket.stop().await?;
    market.child("offer-catalog").kill().await?;
    market.child("offer-catalog").restart()?;
    market.child("offer-catalog").until_serving().await?;
    market.anybody().listings.get_listing(live).await?;
    market.stop().await
}

/// A folder that two replicas wrote to would be lost by one of them, sooner or later: the second doesn't start.
#[tokio::test]
async fn a_second_replica_over_a_folder_is_refused() -> anyhow::Result<()> {
    let options = Options {
        replicas: 2,
        ..Options::default()
    };
    let Err(refused) = Marketplace::start_with(options).await else {
        anyhow::bail!("both of them serve");
    };
    let why = format!("{refused:#}");
    assert!(why.contains("BLOB_STORE"), "{why}");
    Ok(())
}
