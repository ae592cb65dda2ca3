//! The bytes of each format, and what is in them and what isn't.

use super::*;
use crate::domain::samples;

/// As the sample was when its bytes were written down.
fn without_resellers(mut draft: Draft) -> Draft {
    let listing = draft.pages.offer_listing.as_mut().unwrap();
    listing.csp_contact = None;
    listing.csp_materials_url.clear();
    draft
}

#[test]
fn format_1_is_never_encoded_to_other_bytes() {
    let cases = [
        (
            samples::saas(),
            include_str!("../../../tests/golden/saas.format-1.json"),
        ),
        (
            samples::listed(),
            include_str!("../../../tests/golden/listed.format-1.json"),
        ),
        (
            without_resellers(samples::container()),
            include_str!("../../../tests/golden/container.format-1.json"),
        ),
    ];
    for (draft, golden) in cases {
        let snapshot = encode(&Content::of(&draft)).unwrap();
        assert_eq!(
            String::from_utf8(snapshot.bytes).unwrap(),
            golden.trim_end()
        );
        assert_eq!(
            snapshot.digest,
            hex::encode(Sha256::digest(golden.trim_end()))
        );
    }
}

#[test]
fn format_2_is_never_encoded_to_other_bytes() {
    let golden = include_str!("../../../tests/golden/saas.format-2.json");
    let snapshot = encode(&Content::of(&samples::saas_everywhere())).unwrap();
    assert_eq!(
        String::from_utf8(snapshot.bytes).unwrap(),
        golden.trim_end()
    );
}

/// What was stored by the first version is read, stopped, encoded and served as it always was.
#[test]
fn pb_1_an_older_format_stays_what_it_is() {
    let golden = include_str!("../../../tests/golden/saas.format-1.json").trim_end();
    let content = decode(golden.as_bytes()).unwrap();
    assert_eq!(content.format, 1);
    assert_eq!(encode(&content).unwrap().bytes, golden.as_bytes());
    let stopped = encode(&content.with_stops(|_| true)).unwrap();
    assert_eq!(decode(&stopped.bytes).unwrap().format, 1);
}

#[test]
fn a_content_has_the_lowest_format_that_holds_it() {
    let format = |change: fn(&mut Draft)| {
        let mut draft = samples::saas();
        change(&mut draft);
        Content::of(&draft).format
    };
    assert_eq!(format(|_| ()), 1);
    assert_eq!(
        format(|draft| draft.pages.offer_listing.as_mut().unwrap().wide_logo = "w".into()),
        2
    );
    assert_eq!(
        format(|draft| draft.pages.offer_listing.as_mut().unwrap().hero_logo = "h".into()),
        2
    );
    let somewhere = |draft: &mut Draft| {
        let pricing = draft.plans[1].pages.plan_pricing.as_mut().unwrap();
        pricing.customer_markets = Some(crate::pages::CustomerMarkets::AllTaxRemitted);
    };
    assert_eq!(format(somewhere), 2);
    // A field that a format didn't have was not written by it.
    let newer = include_str!("../../../tests/golden/saas.format-2.json");
    let claims = newer.replacen(r#""format":2"#, r#""format":1"#, 1);
    assert!(matches!(
        decode(claims.as_bytes()),
        Err(SnapshotError::Unreadable(_))
    ));
}

#[test]
fn li_18_wide_logos_are_shown_and_stored() {
    let content = Content::of(&samples::saas_everywhere());
    let shown: Vec<AssetKind> = content
        .shown_assets()
        .iter()
        .map(|(asset, _)| asset.kind)
        .collect();
    assert!(shown.starts_with(&[
        AssetKind::LogoLarge,
        AssetKind::LogoMedium,
        AssetKind::LogoSmall,
        AssetKind::LogoWide,
        AssetKind::LogoHero
    ]));
}

#[test]
fn pb_1_what_is_decoded_is_encoded_to_the_same_bytes() {
    for draft in [
        samples::saas(),
        samples::saas_everywhere(),
        samples::listed(),
        samples::container(),
    ] {
        let content = Content::of(&draft);
        let snapshot = encode(&content).unwrap();
        let again = decode(&snapshot.bytes).unwrap();
        assert_eq!(again, content);
        assert_eq!(encode(&again).unwrap(), snapshot);
    }
}

#[test]
fn every_kind_of_page_survives_the_round_trip() {
    let every = [
        r#"{"lead_destination":{"dynamics":{"entra":{"application_id":"a","directory_id":"d"},"instance_url":"u"}}}"#,
        r#"{"lead_destination":{"contact_emails":["a@b.example"],"dynamics":{"office365":{"username":"u"}}}}"#,
        r#"{"lead_destination":{"table":{}},"test_drive":{"type":"logicApp"}}"#,
        r#"{"lead_destination":{"marketo":{"client_id":"c","form_id":"1","munchkin_id":"m","server_id":"s"}}}"#,
        r#"{"lead_destination":{"salesforce":{"object_identifier":"o"}}}"#,
    ];
    for setup in every {
        let page =
            Page::from_json(PageId::OfferSetup, serde_json::from_str(setup).unwrap()).unwrap();
        assert_eq!(
            serde_json_canonicalizer::to_string(&page.to_json().unwrap()).unwrap(),
            setup
        );
    }
    let machine = r#"{"virtual_machine":{"image_versions":[{"active":true,"data_disks":["d"],"os_disk":"o","version":"1.0.0"}],"os_family":"linux","os_vendor":"v","recommended_sizes":["s"]}}"#;
    let every = [
        machine,
        r#"{"reuses_plan":"gold"}"#,
        r#"{"package":{"package":"p","version":"1.0.0"}}"#,
        r#"{"container":{"bundle_reference":"b"}}"#,
        "{}",
    ];
    for configuration in every {
        let json = serde_json::from_str(configuration).unwrap();
        let page = Page::from_json(PageId::PlanTechnicalConfiguration, json).unwrap();
        assert_eq!(
            serde_json_canonicalizer::to_string(&page.to_json().unwrap()).unwrap(),
            configuration
        );
    }
    let every = [
        r#"{"legal":{"custom":{"url":"u"}}}"#,
        r#"{"legal":{"custom":{}}}"#,
        r#"{"legal":{"standard":{"universal_amendment":"a"}}}"#,
    ];
    for properties in every {
        let page = Page::from_json(
            PageId::Properties,
            serde_json::from_str(properties).unwrap(),
        )
        .unwrap();
        assert_eq!(
            serde_json_canonicalizer::to_string(&page.to_json().unwrap()).unwrap(),
            properties
        );
    }
}

#[test]
fn an_empty_page_is_an_empty_object() {
    for id in PageId::ALL
        .into_iter()
        .filter(|id| *id != PageId::PlanOverview)
    {
        let page = Page::empty(id).unwrap();
        assert_eq!(
            (page.id(), page.to_json().unwrap()),
            (id, serde_json::json!({}))
        );
    }
    assert_eq!(Page::empty(PageId::PlanOverview), None);
}

#[test]
fn audiences_unused_files_and_pages_that_do_not_apply_are_outside() {
    let mut draft = samples::saas();
    draft.pages.preview_audience.as_mut().unwrap().members[0].label = "Ada".into();
    let text = String::from_utf8(encode(&Content::of(&draft)).unwrap().bytes).unwrap();
    for outside in [
        "tester@contoso.example",
        "private_audience",
        "preview_audience",
        "Fabrikam",
        "/assets/unused",
    ] {
        assert!(!text.contains(outside), "{outside}");
    }
    let mut listed = samples::listed();
    listed.pages.technical_configuration = Some(Default::default());
    listed.plans = draft.plans;
    let content = Content::of(&listed);
    assert_eq!(
        (content.pages.technical_configuration, content.plans.len()),
        (None, 0)
    );
}

#[test]
fn li_14_derived_logos_are_named_unless_others_are() {
    let name = |suffix: &str| format!("{}/assets/{suffix}", samples::OFFER);
    let listing = |draft: &Draft| Content::of(draft).pages.offer_listing.unwrap();
    let mut draft = samples::saas();
    assert_eq!(
        (listing(&draft).medium_logo, listing(&draft).small_logo),
        (name("logo.medium"), name("logo.small"))
    );
    draft.pages.offer_listing.as_mut().unwrap().small_logo = name("own");
    assert_eq!(listing(&draft).small_logo, name("own"));
    draft
        .assets
        .get_mut(&name("logo.medium"))
        .unwrap()
        .content
        .kind = AssetKind::Screenshot;
    assert_eq!(listing(&draft).medium_logo, "");
}

#[test]
fn stops_are_stamped_and_change_the_digest() {
    let content = Content::of(&samples::saas());
    let stopped = content.clone().with_stops(|plan| plan == "gold");
    assert_eq!(
        stopped
            .plans
            .iter()
            .map(|plan| plan.stopped)
            .collect::<Vec<_>>(),
        [true, false]
    );
    assert_ne!(
        encode(&stopped).unwrap().digest,
        encode(&content).unwrap().digest
    );
    assert_eq!(
        encode(&stopped.with_stops(|_| false)).unwrap(),
        encode(&content).unwrap()
    );
}

#[test]
fn ld_4_the_version_of_a_secret_is_in_and_its_value_never() {
    let mut draft = samples::saas();
    draft.lead_secret = Some(4);
    assert!(
        Content::of(&draft).secrets.is_empty(),
        "an HTTPS endpoint has no secret"
    );
    let table = crate::pages::Destination::Table(crate::pages::Table {});
    draft
        .pages
        .offer_setup
        .as_mut()
        .unwrap()
        .lead_destination
        .as_mut()
        .unwrap()
        .destination = Some(table);
    assert_eq!(
        Content::of(&draft).secrets,
        BTreeMap::from([(LEAD_DESTINATION.to_owned(), 4)])
    );
}

#[test]
fn what_is_no_snapshot_is_refused() {
    assert!(matches!(decode(b"{}"), Err(SnapshotError::Unreadable(_))));
    assert!(matches!(
        decode(br#"{"format":3}"#),
        Err(SnapshotError::UnknownFormat(3))
    ));
    assert!(matches!(
        decode(br#"{"format":0}"#),
        Err(SnapshotError::UnknownFormat(0))
    ));
    assert!(matches!(
        decode(br#"{"format":1}"#),
        Err(SnapshotError::Unreadable(_))
    ));
}
