//! Presence, keywords, platforms, links, support, conduct, notes: CV-5, CV-6, CV-8, CV-9, CV-12 … CV-16.

use super::{Extent, Outcome, Row, each_is_found, each_passes, offer::Offer};
use crate::domain::{
    Severity,
    snapshot::{CallToAction, Category, CustomTerms, Link, PlanAudience, Selling, Video},
};

fn private(offer: &mut Offer) {
    for plan in &mut offer.snapshot.plans {
        plan.pages.plan_pricing.as_mut().unwrap().audience = PlanAudience::Private;
    }
}

fn listed(offer: &mut Offer, action: CallToAction, url: &str) {
    offer.transactable = false;
    let setup = &mut offer.snapshot.pages.offer_setup;
    (
        setup.selling,
        setup.call_to_action,
        setup.call_to_action_url,
    ) = (Selling::ListingOnly, action, url.into());
}

pub(super) fn video(offer: &mut Offer, url: &str) {
    let thumbnail = super::offer::asset("s1");
    offer.snapshot.pages.offer_listing.videos = vec![Video {
        name: "Tour".into(),
        url: url.into(),
        thumbnail,
    }];
}

fn no_platform(offer: &mut Offer) {
    let listing = &mut offer.snapshot.pages.offer_listing;
    listing.description = listing
        .description
        .replace("Azure Database for PostgreSQL", "azure blue servers")
        .replace("Microsoft Teams", "our teams");
}

#[test]
fn what_customers_cannot_find_or_use_is_found() {
    let rows: &[Row] = &[
        ("CV-5", "PRIVATE_ONLY", private),
        ("CV-6", "CATEGORIES", |o| {
            o.snapshot.pages.properties.categories.clear()
        }),
        ("CV-6", "CATEGORIES", |o| {
            o.snapshot.pages.properties.categories = vec![Category::default(); 3]
        }),
        ("CV-6", "SUBCATEGORIES", |o| {
            o.snapshot.pages.properties.categories[0].subcategories =
                vec!["a".into(), "b".into(), "c".into()]
        }),
        ("CV-6", "KEYWORDS_TOO_MANY", |o| {
            o.snapshot.pages.offer_listing.keywords = ["a", "b", "c", "d"].map(String::from).into()
        }),
        ("CV-6", "KEYWORD_IS_CATEGORY", |o| {
            o.snapshot.pages.offer_listing.keywords = vec!["databases".into()]
        }),
        ("CV-6", "KEYWORD_IS_COMPETITOR", |o| {
            o.snapshot.pages.offer_listing.keywords = vec!["better than aws".into()]
        }),
        ("CV-6", "KEYWORD_TWICE", |o| {
            o.snapshot.pages.offer_listing.keywords = vec!["Backup".into(), "backup".into()]
        }),
        // AS-061
        ("CV-9", "PLATFORM_NOT_NAMED", no_platform),
        ("CV-13", "SUPPORT_URL_MISSING", |o| {
            o.snapshot.pages.offer_listing.support_url.clear()
        }),
        ("CV-13", "SUPPORT_CONTACT_MISSING", |o| {
            o.snapshot.pages.offer_listing.support_contact = Default::default()
        }),
        ("CV-13", "SUPPORT_EMAIL", |o| {
            o.snapshot.pages.offer_listing.support_contact.email = "help at contoso".into()
        }),
        ("CV-13", "SUPPORT_PHONE", |o| {
            o.snapshot.pages.offer_listing.support_contact.phone = "call us".into()
        }),
        ("CV-15", "NOTES_MISSING", |o| o.notes = "\n".into()),
        ("CV-15", "NOTES_TOO_LONG", |o| o.notes = "n".repeat(5_001)),
    ];
    each_is_found(rows);
    each_passes(&[
        ("CV-5", |o| {
            o.snapshot.plans[0]
                .pages
                .plan_pricing
                .as_mut()
                .unwrap()
                .audience = PlanAudience::Private
        }),
        ("CV-13", |o| {
            o.snapshot.pages.offer_listing.support_contact.phone.clear()
        }),
        ("CV-15", |o| {
            // AS-028: consulting services want no notes.
            o.snapshot.offer.offer_type = "consultingService".into();
            o.notes.clear();
        }),
    ]);
}

#[test]
fn private_offers_are_warned_unless_the_switch_says_fail_a19() {
    let mut offer = Offer::good();
    private(&mut offer);
    let outcome = |offer: &Offer| {
        offer
            .run(Extent::Certification)
            .into_iter()
            .find(|r| r.check == "CV-5")
            .unwrap()
            .outcome
    };
    assert_eq!(outcome(&offer), Outcome::Warn);
    offer.rules.switches.private_only_fails = true;
    assert_eq!(outcome(&offer), Outcome::Fail);
}

#[test]
fn naming_no_platform_fails_services_and_warns_others_cv_9() {
    let mut offer = Offer::good();
    no_platform(&mut offer);
    let severity = |offer: &Offer| {
        offer
            .run(Extent::Certification)
            .into_iter()
            .find(|r| r.check == "CV-9")
            .unwrap()
            .findings[0]
            .severity
    };
    assert_eq!(severity(&offer), Severity::Error);
    offer.snapshot.offer.offer_type = "powerBiApp".into();
    assert_eq!(severity(&offer), Severity::Warning);
}

#[test]
fn links_have_the_form_of_public_https_pages_cv_12() {
    let rows: &[Row] = &[
        ("CV-12", "LINK_MISSING", |o| {
            o.snapshot.pages.offer_listing.privacy_policy_url.clear()
        }),
        ("CV-12", "LINK_MALFORMED", |o| {
            o.snapshot.pages.offer_listing.privacy_policy_url = "contoso.com/privacy".into()
        }),
        ("CV-12", "LINK_NOT_HTTPS", |o| {
            o.snapshot.pages.offer_listing.support_url = "http://contoso.com".into()
        }),
        ("CV-12", "LINK_CREDENTIALS", |o| {
            o.snapshot.pages.offer_listing.support_url = "https://a:b@contoso.com".into()
        }),
        ("CV-12", "LINK_NOT_PUBLIC", |o| {
            o.snapshot.pages.offer_listing.support_url = "https://localhost/help".into()
        }),
        ("CV-12", "LINK_NOT_PUBLIC", |o| {
            o.snapshot.pages.offer_listing.support_url = "https://10.0.0.1/help".into()
        }),
        ("CV-12", "LINK_DOWNLOAD", |o| {
            let link = Link {
                title: "Setup".into(),
                url: "https://contoso.com/Setup.EXE?x=1".into(),
            };
            o.snapshot.pages.offer_listing.useful_links = vec![link];
        }),
        ("CV-12", "LINK_NOT_HTTPS", |o| {
            let terms = CustomTerms {
                url: "ftp://contoso.com/terms".into(),
                ..CustomTerms::default()
            };
            o.snapshot.pages.properties.legal.custom = Some(terms);
        }),
    ];
    each_is_found(rows);
    // OS-2: the call to action may be plain http.
    each_passes(&[("CV-12", |o| {
        listed(o, CallToAction::Free, "http://contoso.com/get")
    })]);
}

#[test]
fn the_call_to_action_fits_its_link_cv_16() {
    let rows: &[Row] = &[
        ("CV-16", "SELLING_MISSING", |o| {
            o.snapshot.pages.offer_setup.selling = Selling::Unspecified
        }),
        ("CV-16", "CALL_TO_ACTION_OF_SOLD", |o| {
            o.snapshot.pages.offer_setup.call_to_action = CallToAction::Free
        }),
        ("CV-16", "CALL_TO_ACTION_MISSING", |o| {
            listed(o, CallToAction::Unspecified, "")
        }),
        ("CV-16", "CALL_TO_ACTION_URL_MISSING", |o| {
            listed(o, CallToAction::FreeTrial, "")
        }),
        ("CV-16", "CALL_TO_ACTION_URL_OF_CONTACT", |o| {
            listed(o, CallToAction::ContactMe, "https://contoso.com")
        }),
    ];
    each_is_found(rows);
    each_passes(&[
        ("CV-16", |o| listed(o, CallToAction::ContactMe, "")),
        ("CV-16", |o| {
            listed(o, CallToAction::Free, "https://contoso.com/get")
        }),
    ]);
}

#[test]
fn videos_lie_where_they_can_be_embedded_cv_8() {
    let rows: &[Row] = &[
        ("CV-8", "VIDEO_URL", |o| video(o, "youtube")),
        ("CV-8", "VIDEO_SHORT_URL", |o| {
            video(o, "https://youtu.be/abc")
        }),
        ("CV-8", "VIDEO_HOST", |o| {
            video(o, "https://contoso.com/video.mp4")
        }),
        ("CV-8", "THUMBNAIL_MISSING", |o| {
            video(o, "https://vimeo.com/1");
            o.snapshot.pages.offer_listing.videos[0].thumbnail.clear();
        }),
        ("CV-8", "THUMBNAIL_SIZE", |o| {
            video(o, "https://vimeo.com/1");
            o.snapshot.pages.offer_listing.videos[0].thumbnail = super::offer::asset("logo");
        }),
        ("CV-8", "VIDEO_NAME_MISSING", |o| {
            video(o, "https://vimeo.com/1");
            o.snapshot.pages.offer_listing.videos[0].name.clear();
        }),
        ("CV-8", "VIDEOS_TOO_MANY", |o| {
            video(o, "https://vimeo.com/1");
            let one = o.snapshot.pages.offer_listing.videos[0].clone();
            o.snapshot.pages.offer_listing.videos = vec![one; 5];
        }),
    ];
    each_is_found(rows);
    each_passes(&[
        ("CV-8", |o| video(o, "https://www.youtube.com/watch?v=abc")),
        ("CV-8", |o| video(o, "https://vimeo.com/12345")),
    ]);
}

#[test]
fn texts_hold_no_blocked_phrase_and_no_credentials_cv_14() {
    let rows: &[Row] = &[
        ("CV-14", "BLOCKED_PHRASE", |o| {
            o.snapshot.pages.offer_listing.summary = "Get rich quick with backups".into()
        }),
        ("CV-14", "CREDENTIALS_IN_TEXT", |o| {
            o.snapshot.pages.offer_listing.getting_started = "Log in with password: Hunter2!".into()
        }),
        ("CV-14", "CREDENTIALS_IN_TEXT", |o| {
            o.snapshot.plans[0]
                .pages
                .plan_listing
                .description
                .push_str(" The password is hunter22.")
        }),
        ("CV-14", "CREDENTIALS_IN_TEXT", |o| {
            o.snapshot
                .pages
                .offer_listing
                .description
                .push_str("<p>AKIAIOSFODNN7EXAMPLE</p>")
        }),
        ("CV-14", "CREDENTIALS_IN_TEXT", |o| {
            o.snapshot.pages.offer_listing.getting_started = "https://bob:secret@contoso.com".into()
        }),
    ];
    each_is_found(rows);
    each_passes(&[
        ("CV-14", |o| {
            o.snapshot.pages.offer_listing.getting_started =
                "A password is required. Password: chosen by you.".into()
        }),
        // Notes are for reviewers and may hold a test account.
        ("CV-14", |o| o.notes = "password: Hunter2!".into()),
    ]);
    let mut offer = Offer::good();
    offer.snapshot.pages.offer_listing.getting_started = "password: Hunter2!".into();
    let results = offer.run(Extent::Certification);
    let found = &results
        .iter()
        .find(|r| r.check == "CV-14")
        .unwrap()
        .findings[0];
    assert!(
        !found.evidence.contains("Hunter2"),
        "a secret is repeated: {}",
        found.evidence
    );
    assert_eq!(found.policy, "100.11");
}
