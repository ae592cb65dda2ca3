//! Bad input: every violation is listed, nothing is half done, memory stays bounded.

use marketplace_proto::offercatalog::v1::page::Page as Kind;
use marketplace_proto::offercatalog::v1::*;
use system_tests::{Marketplace, drafts};
use tonic::Code;
use tonic_types::StatusExt;

/// PG-3, PG-5, PG-10, AS-027: ReviewOffer answers every violation, the refusal of PublishOffer the first 20.
#[tokio::test]
async fn an_offer_with_every_page_wrong_gets_every_violation() -> anyhow::Result<()> {
    let market = Marketplace::start().await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft(
            "contoso",
            "wrong",
            drafts::saas_sold("https://leads.contoso.example/"),
        )
        .await?;
    spoil(&market, &offer).await?;

    let mut ada = market.person("ada");
    let mut issues = Vec::new();
    let mut page_token = String::new();
    let total = loop {
        let review = ReviewOfferRequest {
            name: offer.clone(),
            page_size: 7,
            page_token,
        };
        let page = ada.offers.review_offer(review).await?.into_inner();
        assert!(!page.complete);
        issues.extend(page.issues);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break page.total_issues;
        }
    };
    assert_eq!(issues.len(), usize::try_from(total)?);
    assert!(issues.len() > 20, "only {}: {issues:#?}", issues.len());
    for issue in &issues {
        assert_ne!(issue.page(), PageId::Unspecified, "{issue:?}");
        assert!(
            !issue.field_path.is_empty() && !issue.code.is_empty() && !issue.remedy.is_empty(),
            "{issue:?}"
        );
    }
    let mut found: Vec<String> = issues
        .iter()
        .map(|issue| {
            let page = issue.page().as_str_name().trim_start_matches("PAGE_ID_");
            format!("{page} {} {}", issue.field_path, issue.code)
        })
        .collect();
    found.sort_unstable();
    assert_eq!(found, VIOLATIONS);

    let refused = ada
        .publishing
        .publish_offer(market.publish_request(&offer).await?)
        .await
        .expect_err("it is incomplete");
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    let details = refused.get_error_details();
    let info = details
        .error_info()
        .ok_or_else(|| anyhow::anyhow!("no ErrorInfo: {refused:?}"))?;
    assert_eq!(info.reason, "PAGES_INCOMPLETE");
    assert_eq!(
        info.metadata.get("total").map(String::as_str),
        Some(total.to_string().as_str())
    );
    assert!(
        refused.details().len() <= 6 * 1024,
        "{} bytes of details",
        refused.details().len()
    );
    read_by_others(&market, &offer).await?;
    market.stop().await
}

/// What is wrong with the offer that [`spoil`] leaves, by page, field and code.
const VIOLATIONS: &[&str] = &[
    "OFFER_LISTING description TAG_NOT_ALLOWED",
    "OFFER_LISTING description TOO_LONG",
    "OFFER_LISTING description UNBALANCED_HTML",
    "OFFER_LISTING engineering_contact.email BAD_EMAIL",
    "OFFER_LISTING engineering_contact.name REQUIRED",
    "OFFER_LISTING engineering_contact.phone REQUIRED",
    "OFFER_LISTING getting_started TOO_LONG",
    "OFFER_LISTING keywords TOO_MANY",
    "OFFER_LISTING large_logo REQUIRED",
    "OFFER_LISTING privacy_policy_url BAD_URL",
    "OFFER_LISTING screenshots TOO_FEW",
    "OFFER_LISTING summary TOO_LONG",
    "OFFER_LISTING support_contact.email BAD_EMAIL",
    "OFFER_LISTING support_contact.name REQUIRED",
    "OFFER_LISTING support_contact.phone REQUIRED",
    "OFFER_LISTING support_url REQUIRED",
    "OFFER_LISTING title TOO_LONG",
    "OFFER_LISTING useful_links[0].title REQUIRED",
    "OFFER_LISTING useful_links[0].url BAD_URL",
    "OFFER_SETUP lead_destination REQUIRED",
    "PLAN_LISTING description REQUIRED",
    "PLAN_PRICING_AND_AVAILABILITY audience REQUIRED",
    "PLAN_PRICING_AND_AVAILABILITY markets REQUIRED",
    "PLAN_PRICING_AND_AVAILABILITY model REQUIRED",
    "PREVIEW_AUDIENCE members TOO_FEW",
    "PROPERTIES categories REQUIRED",
    "PROPERTIES legal REQUIRED",
    "SUPPLEMENTAL_CONTENT azure_subscription_ids REQUIRED",
    "TECHNICAL_CONFIGURATION application_id BAD_GUID",
    "TECHNICAL_CONFIGURATION landing_page_url BAD_URL",
    "TECHNICAL_CONFIGURATION landing_page_url URL_FRAGMENT",
    "TECHNICAL_CONFIGURATION tenant_id BAD_GUID",
    "TECHNICAL_CONFIGURATION webhook_url BAD_URL",
];

async fn spoil(market: &Marketplace, offer: &str) -> anyhow::Result<()> {
    let bad_contact = Contact {
        name: String::new(),
        email: "nobody at home".into(),
        phone: String::new(),
    };
    let setup = OfferSetupPage {
        selling: SellingOption::ListAndSell as i32,
        ..Default::default()
    };
    let listing = OfferListingPage {
        title: "T".repeat(201),
        summary: "s".repeat(101),
        description: format!("<script>alert(1)</script><p>{}", "d".repeat(5_000)),
        getting_started: "g".repeat(3_001),
        keywords: vec!["a".into(), "b".into(), "c".into(), "d".into()],
        privacy_policy_url: "http://insecure.example".into(),
        useful_links: vec![Link {
            title: String::new(),
            url: "ftp://x".into(),
        }],
        support_contact: Some(bad_contact.clone()),
        engineering_contact: Some(bad_contact),
        ..Default::default()
    };
    let technical = TechnicalConfigurationPage {
        landing_page_url: "http://insecure.example/#fragment".into(),
        webhook_url: "not a url".into(),
        tenant_id: "tenant".into(),
        application_id: "application".into(),
    };
    for page in [
        Kind::OfferSetup(setup),
        Kind::Properties(PropertiesPage::default()),
        Kind::OfferListing(listing),
        Kind::PreviewAudience(PreviewAudiencePage::default()),
        Kind::TechnicalConfiguration(technical),
        Kind::SupplementalContent(SupplementalContentPage {
            hosting: HostingModel::Azure as i32,
            ..Default::default()
        }),
    ] {
        market.save(offer, page).await?;
    }
    market
        .save(
            &format!("{offer}/plans/team"),
            Kind::PlanListing(PlanListingPage::default()),
        )
        .await?;
    market
        .save(
            &format!("{offer}/plans/team"),
            Kind::PlanPricing(PlanPricingPage::default()),
        )
        .await?;
    Ok(())
}

/// The refusal as grpcurl and Python's grpcio show it.
async fn read_by_others(market: &Marketplace, offer: &str) -> anyhow::Result<()> {
    let request = market.publish_request(offer).await?;
    let token = market.signer.token("ada", &serde_json::json!({}));
    let body = serde_json::json!({"offer": offer, "etag": request.etag, "notes": request.notes, "confirm": true}).to_string();
    let address = format!("127.0.0.1:{}", market.ports[2]);
    let method = "marketplace.publishing.v1.PublishingService/PublishOffer";
    let bearer = format!("authorization: Bearer {token}");
    let grpcurl = tokio::process::Command::new("grpcurl")
        .args(["-plaintext", "-H", &bearer, "-d", &body, &address, method])
        .output()
        .await?;
    let said = String::from_utf8_lossy(&grpcurl.stderr).into_owned();
    assert!(
        !grpcurl.status.success() && said.contains("FailedPrecondition"),
        "{said}"
    );
    assert!(
        said.contains("PAGES_INCOMPLETE"),
        "grpcurl shows the reason: {said}"
    );

    let script = "import grpc, sys\n\
        from grpc_status import rpc_status\n\
        from google.rpc import error_details_pb2 as rpc\n\
        channel = grpc.insecure_channel(sys.argv[1])\n\
        call = channel.unary_unary('/' + sys.argv[2], request_serializer=bytes.fromhex, response_deserializer=bytes)\n\
        try:\n    call(sys.argv[3], metadata=[('authorization', 'Bearer ' + sys.argv[4])])\n\
        except grpc.RpcError as e:\n    print(e.code().name)\n    \
        for detail in rpc_status.from_call(e).details:\n        \
        for kind in (rpc.ErrorInfo, rpc.BadRequest, rpc.PreconditionFailure):\n            \
        found = kind()\n            \
        if detail.Unpack(found): print(kind.__name__, found)\n";
    let message = hex::encode(prost::Message::encode_to_vec(&request));
    let python = tokio::process::Command::new("python3")
        .args(["-c", script, &address, method, &message, &token])
        .output()
        .await?;
    let said = String::from_utf8_lossy(&python.stdout).into_owned();
    assert!(
        said.starts_with("FAILED_PRECONDITION"),
        "{said}{}",
        String::from_utf8_lossy(&python.stderr)
    );
    for wanted in ["PAGES_INCOMPLETE", "description: \"", "offer_listing"] {
        assert!(said.contains(wanted), "grpcio reads {wanted}: {said}");
    }
    Ok(())
}

/// LI-14, LI-15, LI-17: what isn't the picture that it says it is.
#[tokio::test]
async fn hostile_pictures_are_refused_cleanly() -> anyhow::Result<()> {
    let mut market = Marketplace::start().await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "forge", drafts::saas_free_trial())
        .await?;
    let logo = drafts::png(300, 300, 5);
    let mut jpeg = vec![0xff, 0xd8, 0xff, 0xe0, 0, 0x10];
    jpeg.extend(b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    jpeg.extend(std::iter::repeat_n(0x55, 4_000));
    jpeg.extend([0xff, 0xd9]);
    let cases: [(&str, Vec<u8>); 5] = [
        ("a renamed JPEG", jpeg),
        ("a truncated PNG", logo[..logo.len() / 2].to_vec()),
        ("a PNG of 20,000 by 20,000", huge_png(20_000, 20_000)?),
        ("nothing", Vec::new()),
        ("a picture of another size", drafts::png(100, 100, 5)),
    ];
    let mut ada = market.person("ada");
    for (what, content) in cases {
        let head = AssetHead {
            parent: offer.clone(),
            asset_id: "hostile".into(),
            kind: AssetKind::LogoLarge as i32,
            file_name: "logo.png".into(),
            ..Default::default()
        };
        let refused = ada
            .assets
            .create_asset(CreateAssetRequest {
                head: Some(head),
                content,
            })
            .await
            .expect_err(what);
        assert_eq!(refused.code(), Code::InvalidArgument, "{what}: {refused:?}");
        let violations = refused
            .get_details_bad_request()
            .map(|bad| bad.field_violations)
            .unwrap_or_default();
        assert!(!violations.is_empty(), "{what}: {refused:?}");
    }
    let head = AssetHead {
        parent: offer.clone(),
        asset_id: "hostile".into(),
        kind: AssetKind::Screenshot as i32,
        file_name: "screen.png".into(),
        ..Default::default()
    };
    let mib = vec![7_u8; 1 << 20];
    let stream = tokio_stream::iter(
        std::iter::once(upload_asset_request::Part::Head(head))
            .chain(std::iter::repeat_n(
                upload_asset_request::Part::Chunk(mib),
                200,
            ))
            .map(|part| UploadAssetRequest { part: Some(part) }),
    );
    let refused = ada
        .assets
        .upload_asset(stream)
        .await
        .expect_err("200 MiB are over the limit");
    assert!(
        matches!(
            refused.code(),
            Code::InvalidArgument | Code::ResourceExhausted
        ),
        "{refused:?}"
    );
    let catalog = market.child("offer-catalog");
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", catalog.id().unwrap_or_default()))?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or_default()
        .trim()
        .trim_end_matches(" kB");
    assert!(
        peak.parse::<u64>()? < 150 * 1024,
        "peak memory of the catalogue: {peak} KiB"
    );
    let list = ListAssetsRequest {
        parent: offer,
        ..Default::default()
    };
    let kept = ada.assets.list_assets(list).await?.into_inner().assets;
    assert!(
        kept.iter().all(|asset| !asset.name.ends_with("/hostile")),
        "nothing half done stays: {kept:?}"
    );
    market.stop().await
}

/// A small file that says it is huge: one grey, compressed.
fn huge_png(width: u32, height: u32) -> anyhow::Result<Vec<u8>> {
    use image::ImageEncoder;
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new_with_quality(
        &mut bytes,
        image::codecs::png::CompressionType::Default,
        image::codecs::png::FilterType::NoFilter,
    );
    let pixels = vec![0x80_u8; width as usize * height as usize];
    encoder.write_image(&pixels, width, height, image::ExtendedColorType::L8)?;
    Ok(bytes)
}
