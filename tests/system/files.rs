//! Offers as files: every sample is complete and passes what certification checks by itself, what is exported is what
//! was applied, and mistakes are told with their line.

pub mod steps;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use marketplace_proto::certification::v1::{
    CheckMode, CheckOutcome, GetCaseRequest, ListReviewQueueRequest,
};
use marketplace_proto::offercatalog::v1::{
    DeleteAssetRequest, ListAssetsRequest, ListOfferTypesRequest,
};
use system_tests::{HttpsServer, Marketplace, Options, repository, until};

use steps::{ADA, apply, changes, contents, contoso, copied, export, find, samples, typed};

/// There is one of each type; each says that it can be published; a second apply changes nothing, nor does the apply of
/// what is exported, which is made of the same files.
#[tokio::test]
async fn every_sample_is_complete_and_comes_back_as_it_was() -> anyhow::Result<()> {
    let market = contoso(Options::default()).await?;
    let applied = apply(&market, &samples()).await?;
    let mut ada = market.person("ada@contoso").offers;
    let types = ada
        .list_offer_types(ListOfferTypesRequest::default())
        .await?;
    let types = types.into_inner().offer_types.into_iter();
    let wanted: BTreeSet<String> = types.map(|kind| kind.id).collect();
    let mut found = BTreeSet::new();
    for answer in &applied {
        let review = &answer["review"];
        assert_eq!(review["complete"], true, "{answer:#}");
        let issues = review["issues"].as_array().context("issues")?;
        assert!(issues.is_empty(), "{issues:#?}");
        let created = changes(answer).first().context("the offer is created")?;
        let name = created["name"].as_str().unwrap_or_default().to_owned();
        let offer = name.rsplit('/').next().unwrap_or_default().to_owned();
        let text = std::fs::read_to_string(samples().join(&offer).join("offer.yaml"))?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("offer_type: "));
        found.insert(line.context("offer_type")?.to_owned());
    }
    assert_eq!((found, applied.len()), (wanted, 12));
    for answer in apply(&market, &samples()).await? {
        assert!(changes(&answer).is_empty(), "{answer:#}");
    }
    let exports = market.folder.join("exports");
    for sample in std::fs::read_dir(samples())? {
        let sample = sample?;
        let offer = sample.file_name().display().to_string();
        let to = exports.join(&offer);
        export(&market, &format!("contoso/{offer}"), &[], &to).await?;
        assert_eq!(contents(&to)?, contents(&sample.path())?, "{offer}");
    }
    let again = apply(&market, &exports).await?;
    assert_eq!(again.len(), 12);
    for answer in again {
        assert!(changes(&answer).is_empty(), "{answer:#}");
    }
    // Twice is once; what somebody changed is overwritten only if they say so.
    let gitea = exports.join("gitea-managed");
    let kept = export(&market, "contoso/gitea-managed", &[], &gitea).await?;
    let files = kept[0]["files"].as_array().context("files")?;
    assert!(
        files.iter().all(|file| file["action"] == "keep"),
        "{files:#?}"
    );
    let changed = "offer: another\n";
    std::fs::write(gitea.join("offer.yaml"), changed)?;
    std::fs::write(gitea.join("images/logo.png"), "mine\n")?;
    let to = gitea.display().to_string();
    let words = [&ADA[..], &["export", "contoso/gitea-managed", "-d", &to]].concat();
    let said = market.marketctl(&words).await?;
    assert_eq!(said.code, Some(2), "{}", said.err);
    for file in ["offer.yaml", "images/logo.png"] {
        assert!(
            said.err
                .contains(&format!("{to}/{file}: is there and differs")),
            "{}",
            said.err
        );
    }
    assert_eq!(std::fs::read_to_string(gitea.join("offer.yaml"))?, changed);
    export(&market, "contoso/gitea-managed", &["--force"], &gitea).await?;
    assert_eq!(
        contents(&gitea)?,
        contents(&samples().join("gitea-managed"))?
    );
    market.stop().await
}

/// Samples are good examples: nothing that certification checks by itself has a finding. What it was asked about is a
/// snapshot, and applying that to the draft changes nothing, private audiences included, which no snapshot has.
#[tokio::test]
async fn certification_has_nothing_to_say_of_samples_nor_apply_of_their_snapshots()
-> anyhow::Result<()> {
    let crm = HttpsServer::start().await?;
    let mut environment = crm.trusted();
    environment.push(("LEADS_SALESFORCE_URL", format!("{}/salesforce", crm.url)));
    let market = contoso(Options {
        environment,
        ..Options::default()
    })
    .await?;
    let folder = market.folder.join("samples");
    copied(&samples(), &folder, &format!("{}/leads", crm.url))?;
    apply(&market, &folder).await?;
    for sample in std::fs::read_dir(&folder)? {
        let sample = sample?;
        let offer = format!("contoso/{}", sample.file_name().display());
        let notes = sample.path().display().to_string();
        let words = [&ADA[..], &["publish", &offer, "-f", &notes]].concat();
        market.marketctl_json(&words).await?;
    }
    // These two are certified after the sign-off of their previews.
    for offer in ["contoso/grafana-hosted", "contoso/gitea-managed"] {
        let watch = [&ADA[..], &["watch", offer, "--until", "sign-off"]].concat();
        market.marketctl_json(&watch).await?;
        let go_live = [&ADA[..], &["go-live", offer, "--acknowledge-warnings"]].concat();
        market.marketctl_json(&go_live).await?;
    }
    let rita = market.staff("rita", "reviewer");
    let cases = until("all twelve wait for a review", async || {
        let all = ListReviewQueueRequest {
            page_size: 100,
            ..ListReviewQueueRequest::default()
        };
        let cases = rita
            .reviews
            .clone()
            .list_review_queue(all)
            .await?
            .into_inner()
            .cases;
        Ok((cases.len() == 12).then_some(cases))
    })
    .await?;
    let mut snapshots = BTreeMap::new();
    for case in cases {
        let name = case.name.clone();
        let case = rita
            .certification
            .clone()
            .get_case(GetCaseRequest { name })
            .await?;
        let case = case.into_inner().case.context("case")?;
        let checks = case
            .checks
            .iter()
            .filter(|check| check.mode() == CheckMode::Automatic);
        let checks: Vec<_> = checks.collect();
        assert!(!checks.is_empty(), "{}: nothing was checked", case.offer);
        for check in checks {
            let outcome = check.outcome();
            assert_ne!(outcome, CheckOutcome::Pending, "{}: {check:#?}", case.offer);
            assert!(check.findings.is_empty(), "{}: {check:#?}", case.offer);
        }
        let id = case.offer.rsplit('/').next().unwrap_or_default();
        snapshots.insert(id.to_owned(), case.snapshot.clone());
        let to = market.folder.join("snapshots").join(id);
        export(&market, &case.offer, &["--version", &case.snapshot], &to).await?;
    }
    let applied = apply(&market, &market.folder.join("snapshots")).await?;
    for answer in &applied {
        assert!(changes(answer).is_empty(), "{answer:#}");
    }
    let remarks: Vec<_> = applied
        .iter()
        .flat_map(|answer| answer["remarks"].as_array())
        .flatten()
        .collect();
    assert_eq!(
        remarks,
        ["plan partner keeps its private audience of 25 (`private_audience: []` empties it)"]
    );
    // A snapshot keeps its files, whatever becomes of the draft's.
    let mut ada = market.person("ada@contoso").assets;
    let all = ListAssetsRequest {
        parent: "publishers/contoso/offers/telegraf-edge".to_owned(),
        page_size: 100,
        ..ListAssetsRequest::default()
    };
    let mut assets = ada.list_assets(all).await?.into_inner().assets;
    // The smaller logos go with the large one.
    assets.retain(|asset| !asset.name.ends_with(".medium") && !asset.name.ends_with(".small"));
    for asset in assets {
        let delete = DeleteAssetRequest {
            name: asset.name,
            etag: asset.etag,
            request_id: uuid::Uuid::now_v7().to_string(),
        };
        ada.delete_asset(delete).await?;
    }
    let to = market.folder.join("kept");
    let snapshot = snapshots.get("telegraf-edge").context("it has one")?;
    export(
        &market,
        "contoso/telegraf-edge",
        &["--version", snapshot],
        &to,
    )
    .await?;
    assert_eq!(contents(&to)?, contents(&samples().join("telegraf-edge"))?);
    market.stop().await
}

const KEY: &str = "DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net";

/// Secrets are masked and stay; an audience that has a file of its own comes back as one, and stays where the file
/// doesn't mention it; odd texts, names of files and ids come back as they were.
#[tokio::test]
async fn secrets_audiences_and_odd_names_survive_an_export() -> anyhow::Result<()> {
    let market = contoso(Options::default()).await?;
    let folder = market.folder.join("forge");
    std::fs::create_dir_all(&folder)?;
    let image = |name: &str| samples().join("grafana-hosted/images").join(name);
    std::fs::copy(image("logo.png"), folder.join("logo.png"))?;
    std::fs::copy(image("dashboard.png"), folder.join("Über uns (2).png"))?;
    let tenant = |at: u128| format!("TENANT,{},\"Customer, {at}\"\n", uuid::Uuid::from_u128(at));
    let audience = format!(
        "kind,id,label\n{}",
        (1..=30).map(tenant).collect::<String>()
    );
    std::fs::write(folder.join("customers.csv"), &audience)?;
    std::fs::write(folder.join("offer.yaml"), FORGE.replace("{KEY}", KEY))?;
    apply(&market, &folder).await?;

    let out = market.folder.join("out");
    export(&market, "contoso/forge", &[], &out).await?;
    let text = std::fs::read_to_string(out.join("offer.yaml"))?;
    assert!(
        text.contains("connection_string: \"********\"") && !text.contains("AccountKey"),
        "{text}"
    );
    assert!(
        text.contains("{file: images/logo.png, asset: the-logo}"),
        "{text}"
    );
    assert_eq!(
        std::fs::read_to_string(out.join("audiences/team.csv"))?,
        audience
    );
    let answer = apply(&market, &out).await?;
    assert!(changes(&answer[0]).is_empty(), "{text}\n{:#}", answer[0]);

    // The page is saved with its masked secret; the plan's page without its audience.
    let secret = secret_version(&market).await?;
    let edited = text
        .replace("leads@contoso.com", "sales@contoso.com")
        .replace("        private_audience: {file: audiences/team.csv}\n", "")
        .replace("markets: [US]", "markets: [US, DE]");
    std::fs::write(out.join("offer.yaml"), &edited)?;
    let answer = apply(&market, &out).await?;
    assert_eq!(changes(&answer[0]).len(), 2, "{:#}", answer[0]);
    assert_eq!(
        secret_version(&market).await?,
        secret,
        "the secret is the same"
    );
    let again = market.folder.join("again");
    export(&market, "contoso/forge", &[], &again).await?;
    assert_eq!(
        std::fs::read_to_string(again.join("audiences/team.csv"))?,
        audience
    );

    // What the catalog's disk has damaged is not taken for what was stored.
    let logo = system_tests::hash(&std::fs::read(folder.join("logo.png"))?);
    let blob = find(&market.folder.join("assets"), &logo)?.context("the logo is stored")?;
    let whole = std::fs::read(&blob)?;
    std::fs::write(&blob, vec![0; whole.len()])?;
    let damaged = market.folder.join("damaged");
    let to = damaged.display().to_string();
    let words = [&ADA[..], &["export", "contoso/forge", "-d", &to]].concat();
    let said = market.marketctl(&words).await?;
    assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
    assert!(
        said.err
            .contains("assets/the-logo: what was sent is not what was stored"),
        "{}",
        said.err
    );
    assert!(
        !damaged.join("offer.yaml").exists(),
        "the offer's file comes last"
    );
    assert!(find(&damaged, "logo.png")?.is_none() && find(&damaged, ".logo.png.part")?.is_none());
    std::fs::write(&blob, whole)?;

    let emptied = edited.replace(
        "markets: [US, DE]",
        "markets: [US, DE]\n        private_audience: []",
    );
    std::fs::write(out.join("offer.yaml"), emptied)?;
    apply(&market, &out).await?;
    export(&market, "contoso/forge", &["--force"], &again).await?;
    let text = std::fs::read_to_string(again.join("offer.yaml"))?;
    assert!(text.contains("private_audience: []"), "{text}");
    market.stop().await
}

async fn secret_version(market: &Marketplace) -> anyhow::Result<i64> {
    let mut db = market.servers.database.superuser().await?;
    let query = "SELECT secret_version FROM offer_catalog.pages WHERE secret_version IS NOT NULL";
    Ok(sqlx::query_scalar(query).fetch_one(&mut db).await?)
}

const FORGE: &str = include_str!("files/forge.yaml");

/// Everything that is refused is told, each with the line that asks for it; what is not concerned is saved.
#[tokio::test]
async fn every_refusal_has_its_file_and_line() -> anyhow::Result<()> {
    let market = contoso(Options::default()).await?;
    let folder = market.folder.join("bad");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("paper.pdf"), "no PDF")?;
    std::fs::write(folder.join("who.csv"), "kind,id\nTENANT,a\n,b\n")?;
    std::fs::write(folder.join("offer.yaml"), BAD)?;
    let path = folder.display().to_string();
    let said = market
        .marketctl(&[&ADA[..], &["apply", "-f", &path]].concat())
        .await?;
    assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
    for wanted in [
        "offer.yaml:9: offer_listing.large_logo is a file of another offer",
        "offer.yaml:14: paper.pdf: ",
        "offer.yaml:18: plan second: ",
        "who.csv:3: plan_pricing.private_audience[1].kind ",
    ] {
        assert!(
            said.err.contains(&format!("{path}/{wanted}")),
            "{wanted}\n{}",
            said.err
        );
    }
    assert_eq!(said.err.matches(&path).count(), 4, "{}", said.err);
    // What was fine is there: a second try names the same mistakes and no other change.
    let dry = market
        .marketctl_json(&[&ADA[..], &["apply", "--dry-run", "-f", &path]].concat())
        .await?;
    let left: Vec<_> = changes(&dry[0])
        .iter()
        .map(|change| change["name"].to_string())
        .collect();
    assert_eq!(left.len(), 6, "asset, plan and four pages: {left:?}");
    market.stop().await
}

const BAD: &str = include_str!("files/bad.yaml");

/// Nothing is deleted after a refusal, and an offer of which something is refused doesn't keep the next from being made.
#[tokio::test]
async fn a_refusal_deletes_nothing_and_stops_no_other_offer() -> anyhow::Result<()> {
    let market = contoso(Options::default()).await?;
    let folder = market.folder.join("two");
    let write = |offer: &str, text: &str| {
        let folder = folder.join(offer);
        std::fs::create_dir_all(&folder)?;
        let head = format!("publisher: contoso\noffer: {offer}\noffer_type: softwareAsAService\n");
        std::fs::write(folder.join("offer.yaml"), head + text)
    };
    write("first", "plans:\n  - {plan_id: old, display_name: Old}\n")?;
    apply(&market, &folder).await?;
    let taken =
        "plans:\n  - {plan_id: one, display_name: One}\n  - {plan_id: two, display_name: One}\n";
    write("first", taken)?;
    write("second", "plans: []\n")?;
    let path = folder.display().to_string();
    let words = ["--output", "json", "apply", "--prune", "-f", &path];
    let said = market.marketctl(&[&ADA[..], &words].concat()).await?;
    assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
    let answers = serde_json::Deserializer::from_str(&said.out).into_iter();
    let answers: Vec<serde_json::Value> = answers.collect::<Result<_, _>>()?;
    let [a, b] = answers.as_slice() else {
        anyhow::bail!("one answer for each offer: {answers:#?}")
    };
    assert_eq!(
        (&a["made"], &a["problems"][0]["line"]),
        (&1.into(), &6.into())
    );
    let kept = "plan old: not tried, since something was refused before";
    assert_eq!(a["remarks"], serde_json::json!([kept]), "{a:#}");
    assert_eq!(
        (&b["made"], &b["problems"]),
        (&1.into(), &serde_json::json!([])),
        "{b:#}"
    );
    assert!(b["review"]["pages"].is_array(), "{b:#}");
    // With the mistake mended the old plan goes, and so would all where the file has none.
    write(
        "first",
        &taken.replace("two, display_name: One", "two, display_name: Two"),
    )?;
    let pruned = market
        .marketctl_json(&[&ADA[..], &words[2..]].concat())
        .await?;
    let done: Vec<_> = changes(&pruned[0])
        .iter()
        .map(|change| &change["action"])
        .collect();
    assert_eq!(done, ["create", "delete"], "{:#}", pruned[0]);
    write("first", "")?;
    let said = market.marketctl(&[&ADA[..], &words[2..]].concat()).await?;
    assert!(said.err.contains("has no key `plans`"), "{}", said.err);
    market.stop().await
}

/// The lines that the README of marketctl begins with take an offer from its files to the market.
#[tokio::test]
async fn the_lines_of_its_readme_do_what_they_say() -> anyhow::Result<()> {
    let market = contoso(Options::default()).await?;
    let deploy = repository().join("deploy").display().to_string();
    let rita = ["--as", "rita@marketplace", "--role", "reviewer"];
    let mut history = String::new();
    let lines = typed("deploy/ctl/README.md")?;
    assert!(lines.len() > 5, "{lines:?}");
    for line in lines {
        let line = line.replace("deploy/", &format!("{deploy}/"));
        let who = if line.starts_with("review ") {
            &rita[..]
        } else {
            &ADA[..]
        };
        let words: Vec<&str> = who.iter().copied().chain(line.split_whitespace()).collect();
        // The History page hears of what has happened by events.
        market.everybody_told().await?;
        let said = market.marketctl(&words).await?;
        assert_eq!(said.code, Some(0), "{line}: {}{}", said.out, said.err);
        history = said.out;
    }
    assert!(history.contains("Final publish"), "{history}");
    market.stop().await
}
