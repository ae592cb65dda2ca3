//! Large files on lines that break: what was committed of them isn't sent again.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures::channel::mpsc;
use marketplace_proto::offercatalog::v1::upload_asset_request::Part;
use marketplace_proto::offercatalog::v1::{
    AssetHead, AssetKind, GetAssetRequest, GetUploadRequest, UploadAssetRequest,
};
use sha2::{Digest, Sha256};
use system_tests::{Marketplace, Options, Proxy, binary, drafts, until};
use tonic::Code;

use crate::files::steps::{ADA, contoso, copied, samples};

const MIB: usize = 1 << 20;

/// A package: a zip archive without entries, and with so many bytes before its directory.
fn package(bytes: usize) -> Vec<u8> {
    let mut zip: Vec<u8> = (0..bytes).map(|at| (at / 11 % 251) as u8).collect();
    zip[..4].copy_from_slice(b"PK\x03\x04");
    let end = [&b"PK\x05\x06"[..], &[0; 18]].concat();
    zip[bytes - 22..].copy_from_slice(&end);
    zip
}

fn chunks(content: &[u8]) -> impl Iterator<Item = UploadAssetRequest> {
    content.chunks(MIB).map(|chunk| UploadAssetRequest {
        part: Some(Part::Chunk(chunk.to_vec())),
    })
}

/// SIGKILL in the middle of a stream: what is lost is what came behind the last whole 8 MiB.
#[tokio::test]
async fn an_upload_goes_on_after_its_service_was_killed() -> anyhow::Result<()> {
    let mut market = Marketplace::start().await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "forge", drafts::container())
        .await?;
    let content = package(22 * MIB);
    let head = AssetHead {
        parent: offer.clone(),
        asset_id: "package".into(),
        kind: AssetKind::Package as i32,
        file_name: "package.zip".into(),
        digest: hex::encode(Sha256::digest(&content)),
        size_bytes: content.len() as i64,
        upload_id: "one".into(),
        ..AssetHead::default()
    };
    let begin = |offset| UploadAssetRequest {
        part: Some(Part::Head(AssetHead {
            offset,
            ..head.clone()
        })),
    };
    let mut assets = market.person("ada").assets;
    let get = GetUploadRequest {
        name: format!("{offer}/uploads/one"),
    };
    let (send, parts) = mpsc::unbounded();
    let mut sender = assets.clone();
    let sending = tokio::spawn(async move { sender.upload_asset(parts).await });
    for part in std::iter::once(begin(0)).chain(chunks(&content[..19 * MIB])) {
        send.unbounded_send(part)?;
    }
    let committed = async |bytes: usize| {
        let found = assets.clone().get_upload(get.clone()).await;
        let upload = found.ok().and_then(|found| found.into_inner().upload);
        Ok(upload.filter(|upload| upload.committed_bytes == bytes as i64))
    };
    until("two pieces are committed", async || {
        committed(16 * MIB).await
    })
    .await?;
    let catalog = market.child("offer-catalog");
    catalog.kill().await?;
    assert!(sending.await?.is_err());
    catalog.restart()?;
    catalog.until_serving().await?;

    until("they are there", async || committed(16 * MIB).await).await?;
    let rest = std::iter::once(begin(16 << 20)).chain(chunks(&content[16 * MIB..]));
    let rest: Vec<_> = rest.collect();
    let made = assets.upload_asset(tokio_stream::iter(rest)).await?;
    let made = made.into_inner().asset.context("the asset")?;
    assert_eq!(
        (made.digest, made.size_bytes),
        (head.digest.clone(), head.size_bytes)
    );
    let ended = assets
        .get_upload(get)
        .await
        .expect_err("the upload has ended");
    assert_eq!(ended.code(), Code::NotFound);
    market.stop().await
}

/// `marketctl apply` on a line that is cut while it sends: it waits, and goes on with what isn't there yet.
#[tokio::test]
async fn marketctl_goes_on_where_its_line_broke() -> anyhow::Result<()> {
    let market = contoso(Options::default()).await?;
    let folder = market.folder.join("aks-operations");
    copied(
        &samples().join("aks-operations"),
        &folder,
        "https://leads.example",
    )?;
    let content = package(160 * MIB);
    std::fs::write(folder.join("packages/delegation.zip"), &content)?;
    let line = Proxy::to(format!("127.0.0.1:{}", market.ports[0])).await?;
    let mut apply = tokio::process::Command::new(binary("marketctl")?)
        .args(ADA)
        .args(["apply", "-f", &folder.display().to_string()])
        .envs(market.marketctl_environment())
        .env("MARKETCTL_CATALOG", format!("http://{}", line.address))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut db = market.servers.database.superuser().await?;
    let mut committed = 0;
    while committed < 16 << 20 {
        ensure!(apply.try_wait()?.is_none(), "it has ended before the cut");
        let query = "SELECT coalesce(max(committed_bytes), 0) FROM offer_catalog.uploads";
        committed = sqlx::query_scalar::<_, i64>(query)
            .fetch_one(&mut db)
            .await?;
    }
    line.cut();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let first: Vec<String> = pieces(&mut db).await?;
    ensure!(first.len() >= 2, "{first:?}");
    line.restore();
    let done = apply.wait_with_output().await?;
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    let asset: String =
        sqlx::query_scalar("SELECT asset_id FROM offer_catalog.assets WHERE kind = 'PACKAGE'")
            .fetch_one(&mut db)
            .await?;
    let get = GetAssetRequest {
        name: format!("publishers/contoso/offers/aks-operations/assets/{asset}"),
    };
    let mut assets = market.person("ada@contoso").assets;
    let made = assets.get_asset(get).await?.into_inner().asset;
    let made = made.context("the asset")?;
    assert_eq!(made.digest, hex::encode(Sha256::digest(&content)));
    // A file that was sent anew would have left the upload as it was.
    assert!(pieces(&mut db).await?.is_empty(), "the upload has ended");
    market.stop().await
}

async fn pieces(db: &mut sqlx::PgConnection) -> anyhow::Result<Vec<String>> {
    let pieces = "SELECT digest FROM offer_catalog.upload_pieces ORDER BY start";
    Ok(sqlx::query_scalar(pieces).fetch_all(db).await?)
}
