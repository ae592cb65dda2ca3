//! The form of pages: what is refused, that all faults are named, and that nothing is lost on the way there and back.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::page::Page as Wire;

use super::{page_id, read, read_page_id, save, write};
use crate::commands::pages::{NewSecret, SavePage};
use crate::domain::samples;
use crate::pages::{PageId, SECRET_MASK};
use crate::wire::pages::Reading;

fn request(parent: &str, page: Wire) -> pb::UpdatePageRequest {
    let page = pb::Page {
        parent: parent.into(),
        page: Some(page),
        ..pb::Page::default()
    };
    pb::UpdatePageRequest {
        page: Some(page),
        ..pb::UpdatePageRequest::default()
    }
}

fn faults(request: pb::UpdatePageRequest) -> Vec<String> {
    let violations = save(request).unwrap_err();
    violations
        .into_iter()
        .map(|fault| format!("{} {}", fault.field, fault.reason.unwrap_or_default()))
        .collect()
}

#[test]
fn every_page_survives_the_way_out_and_back() {
    let mut vm = samples::container();
    vm.pages.resell_through_csps =
        serde_json::from_str(r#"{"state":"SOME","partner_tenant_ids":["x"]}"#).unwrap();
    vm.pages.co_sell = serde_json::from_str(r#"{"contacts":[{"name":"a"}]}"#).unwrap();
    for draft in [samples::saas(), samples::listed(), vm] {
        let of_plans = draft.plans.iter().flat_map(|plan| plan.pages.iter());
        for page in draft.pages.iter().chain(of_plans) {
            let mut reading = Reading::default();
            assert_eq!(read(&write(&page, false), &mut reading), page);
            assert!(reading.finish("", || Some(())).is_ok());
        }
    }
}

#[test]
fn every_page_id_survives_the_way_out_and_back() {
    for page in PageId::ALL
        .into_iter()
        .filter(|page| *page != PageId::PlanOverview)
    {
        assert_eq!(read_page_id(page_id(page) as i32, "page_id").unwrap(), page);
    }
    let reason = |value| read_page_id(value, "page_id").unwrap_err().reason.unwrap();
    assert_eq!(
        [
            reason(0),
            reason(99),
            reason(pb::PageId::PlanOverview as i32)
        ],
        ["REQUIRED", "UNKNOWN_VALUE", "NOT_A_PAGE"]
    );
}

#[test]
fn all_faults_of_form_are_named_at_once() {
    let listing = pb::OfferListingPage {
        title: "a\0b".into(),
        large_logo: "publishers/other/offers/x/assets/logo".into(),
        wide_logo: "none".into(),
        hero_logo: "publishers/other/offers/x/assets/logo".into(),
        screenshots: vec![pb::CaptionedAsset {
            asset: "no name".into(),
            caption: "c\0".into(),
        }],
        ..pb::OfferListingPage::default()
    };
    let mut request = request(samples::OFFER, Wire::OfferListing(listing));
    request.etag = "x".into();
    let mut found = faults(request);
    found.sort();
    assert_eq!(
        found,
        [
            "etag BAD_ETAG",
            "page.offer_listing.hero_logo OTHER_OFFER",
            "page.offer_listing.large_logo OTHER_OFFER",
            "page.offer_listing.screenshots[0].asset BAD_NAME",
            "page.offer_listing.screenshots[0].caption CONTROL_CHARACTER",
            "page.offer_listing.title CONTROL_CHARACTER",
            "page.offer_listing.wide_logo BAD_NAME",
        ]
    );
}

#[test]
fn values_that_no_page_could_hold_are_refused() {
    let plan = format!("{}/plans/gold", samples::OFFER);
    let price = pb::Price {
        term: 77,
        min_users: -1,
        ..pb::Price::default()
    };
    let member = pb::AudienceMember {
        kind: 0,
        id: "a".into(),
        label: String::new(),
    };
    let pricing = pb::PlanPricingPage {
        customer_markets: 7,
        model: 42,
        prices: vec![price],
        private_audience: vec![member],
        ..Default::default()
    };
    assert_eq!(
        faults(request(&plan, Wire::PlanPricing(pricing))),
        [
            "page.plan_pricing.customer_markets UNKNOWN_VALUE",
            "page.plan_pricing.model UNKNOWN_VALUE",
            "page.plan_pricing.prices[0].term UNKNOWN_VALUE",
            "page.plan_pricing.prices[0].min_users OUT_OF_RANGE",
            "page.plan_pricing.private_audience[0].kind REQUIRED",
        ]
    );
    assert_eq!(faults(pb::UpdatePageRequest::default()), ["page REQUIRED"]);
    let without = pb::UpdatePageRequest {
        page: Some(pb::Page::default()),
        ..Default::default()
    };
    assert_eq!(
        faults(without),
        ["page.parent REQUIRED", "page.page REQUIRED"]
    );
    let at_offer = request(
        samples::OFFER,
        Wire::PlanListing(pb::PlanListingPage::default()),
    );
    assert_eq!(faults(at_offer), ["page.parent WRONG_PARENT"]);
    let at_plan = request(&plan, Wire::CoSell(pb::CoSellPage::default()));
    assert_eq!(faults(at_plan), ["page.parent WRONG_PARENT"]);
}

fn with_table(connection_string: &str) -> Result<SavePage, Vec<String>> {
    let table = pb::lead_destination::Destination::Table(pb::TableDestination {
        connection_string: connection_string.into(),
    });
    let leads = pb::LeadDestination {
        destination: Some(table),
        contact_emails: Vec::new(),
    };
    let setup = pb::OfferSetupPage {
        lead_destination: Some(leads),
        ..pb::OfferSetupPage::default()
    };
    let request = request(samples::OFFER, Wire::OfferSetup(setup));
    save(request.clone()).map_err(|_| faults(request))
}

#[test]
fn ld_4_secrets_are_taken_out_of_the_page() {
    let secret = "DefaultEndpointsProtocol=https;AccountName=abc;AccountKey=hush==;";
    let saved = with_table(secret).unwrap();
    assert!(saved.secret == NewSecret::Value(secret.into()));
    assert!(!saved.content.to_string().contains("hush") && !format!("{saved:?}").contains("hush"));
    assert_eq!(
        saved.content,
        serde_json::json!({"lead_destination": {"table": {}}})
    );
    assert!(with_table(SECRET_MASK).unwrap().secret == NewSecret::Keep);
    assert!(with_table("").unwrap().secret == NewSecret::None);
    let field = "page.offer_setup.lead_destination.table.connection_string";
    assert_eq!(
        with_table("hush").unwrap_err(),
        [format!("{field} BAD_SECRET")]
    );
    assert_eq!(
        with_table("a\0").unwrap_err(),
        [
            format!("{field} CONTROL_CHARACTER"),
            format!("{field} BAD_SECRET")
        ]
    );
}

#[test]
fn ld_4_stored_secrets_are_shown_as_a_mask() {
    let page = with_table(SECRET_MASK).unwrap().page;
    let shown = |secret| match write(&page, secret) {
        Wire::OfferSetup(setup) => match setup.lead_destination.unwrap().destination {
            Some(pb::lead_destination::Destination::Table(table)) => table.connection_string,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!([shown(true), shown(false)], [SECRET_MASK, ""]);
}

#[test]
fn messages_with_nothing_in_them_are_nothing() {
    let listing = pb::OfferListingPage {
        support_contact: Some(pb::Contact::default()),
        ..pb::OfferListingPage::default()
    };
    assert_eq!(
        save(request(samples::OFFER, Wire::OfferListing(listing)))
            .unwrap()
            .content,
        serde_json::json!({})
    );
    let setup = pb::OfferSetupPage {
        lead_destination: Some(pb::LeadDestination::default()),
        test_drive: Some(pb::TestDrive::default()),
        ..pb::OfferSetupPage::default()
    };
    assert_eq!(
        save(request(samples::OFFER, Wire::OfferSetup(setup)))
            .unwrap()
            .content,
        serde_json::json!({})
    );
}

/// One message of 4 MiB must cost no more than another: none of these is read, let alone looked at by a rule.
#[test]
fn lists_and_texts_far_beyond_every_rule_are_refused() {
    let offer = "publishers/contoso/offers/forge";
    let plan = "publishers/contoso/offers/forge/plans/gold";
    let member = pb::AudienceMember::default();
    let audience = Wire::PreviewAudience(pb::PreviewAudiencePage {
        members: vec![member.clone(); 2_000_000],
    });
    assert_eq!(
        faults(request(offer, audience)),
        ["page.preview_audience.members TOO_MANY"]
    );
    let pricing = Wire::PlanPricing(pb::PlanPricingPage {
        markets: vec![String::new(); 501],
        prices: vec![pb::Price::default(); 10_001],
        meters: vec![pb::CustomMeter::default(); 101],
        private_audience: vec![member; 30_001],
        ..Default::default()
    });
    let mut found = faults(request(plan, pricing));
    found.sort();
    assert_eq!(
        found,
        [
            "page.plan_pricing.markets TOO_MANY",
            "page.plan_pricing.meters TOO_MANY",
            "page.plan_pricing.prices TOO_MANY",
            "page.plan_pricing.private_audience TOO_MANY",
        ]
    );
    let listing = Wire::OfferListing(pb::OfferListingPage {
        title: "x".repeat(4_097),
        summary: "ü".repeat(4_096),
        description: "x".repeat(20_001),
        keywords: vec![String::new(); 101],
        ..Default::default()
    });
    let mut found = faults(request(offer, listing));
    found.sort();
    assert_eq!(
        found,
        [
            "page.offer_listing.description TOO_LONG",
            "page.offer_listing.keywords TOO_MANY",
            "page.offer_listing.title TOO_LONG",
        ]
    );
    let unknown = pb::AudienceMember {
        kind: 99,
        ..Default::default()
    };
    let audience = Wire::PreviewAudience(pb::PreviewAudiencePage {
        members: vec![unknown; 30_000],
    });
    assert_eq!(
        faults(request(offer, audience)).len(),
        100,
        "so many faults are as good as all"
    );
}
