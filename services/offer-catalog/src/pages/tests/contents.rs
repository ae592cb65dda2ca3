//! OT-2, PB-1, LI-13 … LI-16, TC-5: what of the pages a content holds, and what of it customers are shown.

use crate::domain::samples::{self, OFFER, asset};
use crate::domain::snapshot::{Content, SnapshotError, encode, read};
use crate::pages::*;

#[test]
fn ot_2_a_type_that_is_never_sold_is_not_transactable_whatever_its_setup_says() {
    let mut draft = samples::listed();
    draft.offer_type = offer_type::find("consultingService").unwrap();
    draft.offer.offer_type = "consultingService".into();
    let setup = draft.pages.offer_setup.as_mut().unwrap();
    setup.selling = Some(Selling::ListAndSell);
    assert!(!draft.transactable() && !Content::of(&draft).transactable());
}

#[test]
fn li_13_customers_are_shown_the_files_of_the_listing_in_its_order() {
    let mut content = Content::of(&samples::saas());
    let shown = |content: &Content| -> Vec<(String, String)> {
        let shown = content.shown_assets().into_iter();
        let id = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        shown
            .map(|(asset, caption)| (id(&asset.name), caption))
            .collect()
    };
    let expected = [
        ("logo", ""),
        ("logo.medium", ""),
        ("logo.small", ""),
        ("shot", "A note"),
        ("thumb", "Tour"),
        ("guide", "Guide"),
    ];
    let expected = expected.map(|(id, caption)| (id.to_owned(), caption.to_owned()));
    assert_eq!(shown(&content), expected);
    content.pages.offer_listing = None;
    assert!(shown(&content).is_empty());
}

#[test]
fn tc_5_the_package_of_a_plan_is_part_of_the_content() {
    let mut draft = samples::container();
    draft.offer_type = offer_type::find("azureApplication").unwrap();
    draft.offer.offer_type = "azureApplication".into();
    draft.assets.extend([asset("app.zip", AssetKind::Package)]);
    let name = format!("{OFFER}/assets/app.zip");
    let holds = |content: Content| content.assets.iter().any(|asset| asset.name == name);
    assert!(!holds(Content::of(&draft)));
    let package = PackageConfiguration {
        version: "1.0.0".into(),
        package: name.clone(),
    };
    let page = draft.plans[0].pages.plan_technical_configuration.as_mut();
    page.unwrap().configuration = Some(PlanConfiguration::Package(package));
    assert!(holds(Content::of(&draft)));
}

#[test]
fn pb_1_bytes_under_another_digest_are_taken_for_nothing() {
    let content = Content::of(&samples::saas());
    let snapshot = encode(&content).unwrap();
    assert_eq!(read(&snapshot.bytes, &snapshot.digest).unwrap(), content);
    let other = encode(&Content::of(&samples::listed())).unwrap();
    for (bytes, digest) in [
        (&snapshot.bytes, &other.digest),
        (&other.bytes, &snapshot.digest),
    ] {
        let refused = read(bytes, digest);
        assert!(matches!(refused, Err(SnapshotError::Damaged(told)) if told == *digest));
    }
}
