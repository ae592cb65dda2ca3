//! LI-1 … LI-18

use super::{Row, check_all};
use crate::domain::Draft;
use crate::domain::samples::{self, OFFER, asset};
use crate::pages::{
    AssetKind, AssetState, CaptionedAsset, Contact, Link, OfferListing, Video, offer_type,
};

fn of(draft: &mut Draft) -> &mut OfferListing {
    draft.pages.offer_listing.get_or_insert_default()
}

fn shots(draft: &mut Draft, count: usize) {
    let files: Vec<_> = (0..count)
        .map(|at| asset(&format!("shot-{at}"), AssetKind::Screenshot))
        .collect();
    of(draft).screenshots = files
        .iter()
        .map(|(name, _)| CaptionedAsset {
            asset: name.clone(),
            caption: "A picture".into(),
        })
        .collect();
    draft.assets.extend(files);
}

fn videos(draft: &mut Draft, count: usize) {
    let video = of(draft).videos[0].clone();
    of(draft).videos = vec![video; count];
}

#[test]
fn texts() {
    let rows: &[Row] = &[
        (
            "LI-1 required",
            |d| of(d).title.clear(),
            &["offer_listing title REQUIRED"],
        ),
        (
            "LI-1 blank",
            |d| of(d).title = "  ".into(),
            &["offer_listing title REQUIRED"],
        ),
        ("LI-1 at the limit", |d| of(d).title = "ä".repeat(200), &[]),
        (
            "LI-1 above",
            |d| of(d).title = "ä".repeat(201),
            &["offer_listing title TOO_LONG"],
        ),
        (
            "LI-1 ™ © ® are fine",
            |d| of(d).title = "A™ B© C®".into(),
            &[],
        ),
        (
            "LI-1 emoji",
            |d| of(d).title = "Notes 🚀".into(),
            &["offer_listing title EMOJI"],
        ),
        (
            "LI-1 tags",
            |d| of(d).title = "<b>Notes</b>".into(),
            &["offer_listing title NOT_PLAIN_TEXT"],
        ),
        (
            "LI-2 required",
            |d| of(d).summary.clear(),
            &["offer_listing summary REQUIRED"],
        ),
        (
            "LI-2 at the limit",
            |d| of(d).summary = "s".repeat(100),
            &[],
        ),
        (
            "LI-2 above",
            |d| of(d).summary = "s".repeat(101),
            &["offer_listing summary TOO_LONG"],
        ),
        (
            "LI-2 one line",
            |d| of(d).summary = "a\nb".into(),
            &["offer_listing summary NOT_ONE_LINE"],
        ),
        (
            "LI-3 optional for SaaS, at the limit",
            |d| of(d).short_description = "s".repeat(256),
            &[],
        ),
        (
            "LI-3 above",
            |d| of(d).short_description = "s".repeat(257),
            &["offer_listing short_description TOO_LONG"],
        ),
        (
            "LI-4 required",
            |d| of(d).description.clear(),
            &["offer_listing description REQUIRED"],
        ),
        (
            "LI-4 only tags",
            |d| of(d).description = "<p> </p>".into(),
            &["offer_listing description REQUIRED"],
        ),
        (
            "LI-4 at the limit, with markup",
            |d| of(d).description = format!("<p>{}</p>", "x".repeat(4_993)),
            &[],
        ),
        (
            "LI-4 above",
            |d| of(d).description = format!("<p>{}</p>", "x".repeat(4_994)),
            &["offer_listing description TOO_LONG"],
        ),
        (
            "LI-4 tag",
            |d| of(d).description = "<a>x</a>".into(),
            &["offer_listing description TAG_NOT_ALLOWED"],
        ),
        (
            "LI-4 balance",
            |d| of(d).description = "<p>x".into(),
            &["offer_listing description UNBALANCED_HTML"],
        ),
        (
            "LI-6 required when sold",
            |d| of(d).getting_started.clear(),
            &["offer_listing getting_started REQUIRED"],
        ),
        (
            "LI-6 at the limit",
            |d| of(d).getting_started = "g".repeat(3_000),
            &[],
        ),
        (
            "LI-6 above",
            |d| of(d).getting_started = "g".repeat(3_001),
            &["offer_listing getting_started TOO_LONG"],
        ),
        (
            "LI-7 at the limit",
            |d| of(d).keywords = vec!["a".into(), "b".into(), "c".into()],
            &[],
        ),
        (
            "LI-7 above",
            |d| of(d).keywords = ["a", "b", "c", "d"].map(Into::into).into(),
            &["offer_listing keywords TOO_MANY"],
        ),
        (
            "LI-7 twins",
            |d| of(d).keywords = vec!["Wiki".into(), "wiki".into()],
            &["offer_listing keywords[1] DUPLICATE"],
        ),
    ];
    check_all(samples::saas, rows);
}

#[test]
fn li_5_other_languages_say_so_in_english() {
    fn german(draft: &mut Draft, description: &str) {
        of(draft).language = "de-CH".into();
        of(draft).description = description.into();
    }
    let rows: &[Row] = &[
        (
            "LI-5 missing",
            |d| german(d, "<p>Notizen.</p>"),
            &["offer_listing description LANGUAGE_SENTENCE"],
        ),
        (
            "LI-5 at the beginning",
            |d| german(d, "<p>This app is available in German.</p><p>Notizen.</p>"),
            &[],
        ),
        (
            "LI-5 at the end",
            |d| german(d, "<p>Notizen.</p><p>Available only in German</p>"),
            &[],
        ),
        (
            "LI-5 in the middle",
            |d| german(d, "Gut. This is available in German. Sehr gut."),
            &["offer_listing description LANGUAGE_SENTENCE"],
        ),
        (
            "LI-5 another language",
            |d| german(d, "Available only in French. Notizen."),
            &["offer_listing description LANGUAGE_SENTENCE"],
        ),
        (
            "LI-5 unknown tag",
            |d| of(d).language = "xx".into(),
            &["offer_listing language UNKNOWN_VALUE"],
        ),
        ("LI-5 English", |d| of(d).language = "en-GB".into(), &[]),
    ];
    check_all(samples::saas, rows);
}

#[test]
fn links_and_contacts() {
    let rows: &[Row] = &[
        (
            "LI-8 required",
            |d| of(d).privacy_policy_url.clear(),
            &["offer_listing privacy_policy_url REQUIRED"],
        ),
        (
            "LI-8 https",
            |d| of(d).privacy_policy_url = "http://contoso.example".into(),
            &["offer_listing privacy_policy_url BAD_URL"],
        ),
        (
            "LI-8 no user",
            |d| of(d).privacy_policy_url = "https://a:b@contoso.example".into(),
            &["offer_listing privacy_policy_url BAD_URL"],
        ),
        (
            "LI-9 title at the limit",
            |d| of(d).useful_links[0].title = "t".repeat(255),
            &[],
        ),
        (
            "LI-9 title above",
            |d| of(d).useful_links[0].title = "t".repeat(256),
            &["offer_listing useful_links[0].title TOO_LONG"],
        ),
        (
            "LI-9 empty",
            |d| of(d).useful_links = vec![Link::default()],
            &[
                "offer_listing useful_links[0].title REQUIRED",
                "offer_listing useful_links[0].url REQUIRED",
            ],
        ),
        (
            "LI-10 required",
            |d| of(d).support_contact = None,
            &[
                "offer_listing support_contact.name REQUIRED",
                "offer_listing support_contact.email REQUIRED",
                "offer_listing support_contact.phone REQUIRED",
            ],
        ),
        (
            "LI-10 URL",
            |d| of(d).support_url.clear(),
            &["offer_listing support_url REQUIRED"],
        ),
        (
            "LI-10 e-mail",
            |d| of(d).support_contact.as_mut().unwrap().email = "ada@contoso".into(),
            &["offer_listing support_contact.email BAD_EMAIL"],
        ),
        (
            "LI-10 phone",
            |d| of(d).support_contact.as_mut().unwrap().phone = "call me".into(),
            &["offer_listing support_contact.phone BAD_PHONE"],
        ),
        (
            "LI-11 required",
            |d| of(d).engineering_contact.as_mut().unwrap().name.clear(),
            &["offer_listing engineering_contact.name REQUIRED"],
        ),
        (
            "LI-12 optional but well formed",
            |d| {
                of(d).csp_contact = Some(Contact {
                    email: "x".into(),
                    ..Contact::default()
                })
            },
            &["offer_listing csp_contact.email BAD_EMAIL"],
        ),
    ];
    check_all(samples::saas, rows);
}

#[test]
fn files() {
    let rows: &[Row] = &[
        (
            "LI-13 at the limit",
            |d| of(d).documents = vec![of(d).documents[0].clone(); 3],
            &[],
        ),
        (
            "LI-13 above",
            |d| of(d).documents = vec![of(d).documents[0].clone(); 4],
            &["offer_listing documents TOO_MANY"],
        ),
        ("LI-13 optional", |d| of(d).documents.clear(), &[]),
        (
            "LI-13 named",
            |d| of(d).documents[0].caption.clear(),
            &["offer_listing documents[0].caption REQUIRED"],
        ),
        (
            "LI-14 required",
            |d| of(d).large_logo.clear(),
            &["offer_listing large_logo REQUIRED"],
        ),
        (
            "LI-14 another kind",
            |d| of(d).large_logo = format!("{OFFER}/assets/shot"),
            &["offer_listing large_logo ASSET_WRONG_KIND"],
        ),
        (
            "LI-14 missing",
            |d| of(d).large_logo = format!("{OFFER}/assets/gone"),
            &["offer_listing large_logo ASSET_MISSING"],
        ),
        (
            "LI-15 SaaS needs one",
            |d| of(d).screenshots.clear(),
            &["offer_listing screenshots TOO_FEW"],
        ),
        ("LI-15 at the limit", |d| shots(d, 5), &[]),
        (
            "LI-15 above",
            |d| shots(d, 6),
            &["offer_listing screenshots TOO_MANY"],
        ),
        (
            "LI-15 caption",
            |d| of(d).screenshots[0].caption.clear(),
            &["offer_listing screenshots[0].caption REQUIRED"],
        ),
        (
            "LI-15 twins",
            |d| of(d).screenshots = vec![of(d).screenshots[0].clone(); 2],
            &["offer_listing screenshots[1].asset DUPLICATE"],
        ),
        ("LI-16 at the limit", |d| videos(d, 4), &[]),
        (
            "LI-16 above",
            |d| videos(d, 5),
            &["offer_listing videos TOO_MANY"],
        ),
        (
            "LI-16 host",
            |d| of(d).videos[0].url = "https://youtu.be/1".into(),
            &["offer_listing videos[0].url BAD_VIDEO_HOST"],
        ),
        (
            "LI-16 vimeo",
            |d| of(d).videos[0].url = "https://vimeo.com/1".into(),
            &[],
        ),
        (
            "LI-16 empty",
            |d| of(d).videos = vec![Video::default()],
            &[
                "offer_listing videos[0].name REQUIRED",
                "offer_listing videos[0].url REQUIRED",
                "offer_listing videos[0].thumbnail REQUIRED",
            ],
        ),
    ];
    check_all(samples::saas, rows);
}

#[test]
fn li_17_only_processed_files_count() {
    let cases = [
        (
            AssetState::PendingUpload,
            "offer_listing screenshots[0].asset ASSET_NOT_READY",
        ),
        (
            AssetState::Uploaded,
            "offer_listing screenshots[0].asset ASSET_NOT_READY",
        ),
        (
            AssetState::InProcessing,
            "offer_listing screenshots[0].asset ASSET_NOT_READY",
        ),
        (
            AssetState::ProcessFailed,
            "offer_listing screenshots[0].asset ASSET_FAILED",
        ),
    ];
    for (state, expected) in cases {
        let mut draft = samples::saas();
        draft
            .assets
            .get_mut(&format!("{OFFER}/assets/shot"))
            .unwrap()
            .state = state;
        assert_eq!(
            super::issues(&draft, &Default::default()),
            [expected],
            "{state:?}"
        );
    }
}

#[test]
fn containers_need_a_short_description_and_no_screenshot() {
    let rows: &[Row] = &[
        (
            "LI-3 required",
            |d| of(d).short_description.clear(),
            &["offer_listing short_description REQUIRED"],
        ),
        ("LI-15 optional", |d| of(d).screenshots.clear(), &[]),
        ("LI-6 SaaS only", |d| of(d).getting_started.clear(), &[]),
    ];
    check_all(samples::container, rows);
}

#[test]
fn li_18_wide_logos() {
    let rows: &[Row] = &[
        (
            "LI-18 none",
            |d| {
                of(d).wide_logo.clear();
                of(d).hero_logo.clear();
            },
            &[],
        ),
        (
            "LI-18 of another kind",
            |d| of(d).wide_logo = of(d).hero_logo.clone(),
            &["offer_listing wide_logo ASSET_WRONG_KIND"],
        ),
        (
            "LI-18 hero of another kind",
            |d| of(d).hero_logo = of(d).large_logo.clone(),
            &["offer_listing hero_logo ASSET_WRONG_KIND"],
        ),
        (
            "LI-18 missing",
            |d| of(d).hero_logo = format!("{OFFER}/assets/none"),
            &["offer_listing hero_logo ASSET_MISSING"],
        ),
    ];
    check_all(samples::saas_everywhere, rows);
    let rows: &[Row] = &[(
        "LI-18 of a type that isn't shown with it",
        |d| {
            of(d).wide_logo = wide(d, AssetKind::LogoWide);
            of(d).hero_logo = wide(d, AssetKind::LogoHero);
        },
        &[
            "offer_listing wide_logo NOT_ALLOWED",
            "offer_listing hero_logo NOT_ALLOWED",
        ],
    )];
    check_all(unshown, rows);
}

fn wide(draft: &mut Draft, kind: AssetKind) -> String {
    let (name, asset) = asset(kind.as_str(), kind);
    draft.assets.insert(name.clone(), asset);
    name
}

/// A listing of a type that the Azure portal doesn't have.
fn unshown() -> Draft {
    let mut draft = samples::listed();
    draft.offer_type = offer_type::find("dynamics365BusinessCentral").unwrap();
    draft
}
