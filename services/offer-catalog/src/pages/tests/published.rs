//! What was published can't be taken back: OS-5, PR-6, PN-5, PN-6, PN-8, PN-9, PN-10, CS-1, UP-10; and PG-6.

use super::{GUID, Row, check_against, issues};
use crate::domain::Draft;
use crate::domain::completeness::{PageStatus, Published, review};
use crate::domain::samples::{self, asset};
use crate::domain::snapshot::Content;
use crate::pages::*;

fn live(change: fn(&mut Draft)) -> Published {
    let mut draft = samples::saas();
    change(&mut draft);
    Published {
        live: Some(Content::of(&draft)),
        ..Published::default()
    }
}

fn pricing(draft: &mut Draft, at: usize) -> &mut PlanPricing {
    draft.plans[at].pages.plan_pricing.get_or_insert_default()
}

#[test]
fn published_choices_stay() {
    let rows: &[Row] = &[
        (
            "PR-6, AS-143",
            |d| {
                let source = Some(TermsSource::Url("https://contoso.example/terms".into()));
                d.pages.properties.as_mut().unwrap().legal =
                    Some(LegalTerms::Custom(CustomTerms { source }));
            },
            &["properties legal FROZEN_BY_PUBLISH"],
        ),
        (
            "PN-10, AS-141",
            |d| {
                let audience = pricing(d, 1).private_audience.clone();
                pricing(d, 0).audience = Some(PlanAudience::Private);
                pricing(d, 0).private_audience = audience;
            },
            &["plan_pricing gold audience FROZEN_BY_PUBLISH"],
        ),
        (
            "PN-10 private to public is fine",
            |d| {
                pricing(d, 1).audience = Some(PlanAudience::Public);
                pricing(d, 1).private_audience.clear();
            },
            &[],
        ),
        (
            "PN-6 a term goes",
            |d| {
                for price in &mut pricing(d, 0).prices {
                    price.term = Some(BillingTerm::OneYear);
                }
            },
            &["plan_pricing gold prices FROZEN_BY_PUBLISH"],
        ),
        (
            "PN-5 the model",
            |d| {
                for at in [0, 1] {
                    pricing(d, at).model = Some(PricingModel::PerUser);
                }
            },
            &[
                "plan_overview plans[gold].model MODELS_DIFFER",
                "plan_overview plans[team].model MODELS_DIFFER",
                "plan_pricing gold model FROZEN_BY_PUBLISH",
                "plan_pricing team model FROZEN_BY_PUBLISH",
            ],
        ),
    ];
    check_against(samples::saas, &live(|_| {}), rows);
    let mut listing_only = samples::saas();
    let setup = listing_only.pages.offer_setup.as_mut().unwrap();
    (setup.selling, setup.call_to_action) =
        (Some(Selling::ListingOnly), Some(CallToAction::ContactMe));
    assert_eq!(
        issues(&listing_only, &live(|_| {})),
        ["offer_setup selling FROZEN_BY_PUBLISH"],
        "OS-5, AS-140"
    );
    let listed = Published {
        live: Some(Content::of(&samples::listed())),
        ..Published::default()
    };
    assert_eq!(
        issues(&samples::saas(), &listed),
        Vec::<String>::new(),
        "OS-5: listed may become sold"
    );
}

#[test]
fn published_trials_meters_and_resellers_stay() {
    let trial = live(|d| pricing(d, 0).free_trial = true);
    assert_eq!(
        issues(&samples::saas(), &trial),
        ["plan_pricing gold free_trial FROZEN_BY_PUBLISH"],
        "PN-9"
    );
    let meter = live(|d| {
        pricing(d, 0).meters = vec![CustomMeter {
            id: "m".into(),
            ..CustomMeter::default()
        }]
    });
    assert_eq!(
        issues(&samples::saas(), &meter),
        ["plan_pricing gold meters FROZEN_BY_PUBLISH"],
        "PN-8"
    );
    let free = live(|d| pricing(d, 1).prices[0].amount = "0".into());
    assert_eq!(
        issues(&samples::saas(), &free),
        ["plan_pricing team prices[0].amount FROZEN_BY_PUBLISH"],
        "UP-10"
    );
    let some = live(|d| {
        let partner_tenant_ids = vec![GUID.into()];
        d.pages.resell_through_csps = Some(ResellThroughCsps {
            state: Some(ResellerState::Some),
            partner_tenant_ids,
        });
    });
    assert_eq!(
        issues(&samples::saas(), &some),
        ["resell_through_csps state FROZEN_BY_PUBLISH"],
        "CS-1"
    );
}

#[test]
fn pg_6_edited_pages_of_published_offers_say_so_and_count_as_complete() {
    let status = |draft: &Draft, page: PageId| {
        let review = review(draft, &live(|_| {}));
        assert!(review.complete, "{:?}", review.issues);
        review
            .pages
            .iter()
            .find(|row| row.page == page)
            .unwrap()
            .status
    };
    let draft = samples::saas();
    for row in review(&draft, &live(|_| {})).pages {
        assert_eq!(row.status, PageStatus::Complete, "{row:?}");
    }
    let mut edited = samples::saas();
    edited.pages.offer_listing.as_mut().unwrap().title = "Contoso Notes 2".into();
    assert_eq!(
        status(&edited, PageId::OfferListing),
        PageStatus::UnpublishedChanges
    );
    assert_eq!(status(&edited, PageId::Properties), PageStatus::Complete);
    let mut renamed = samples::saas();
    renamed.plans[0].display_name = "Platinum".into();
    assert_eq!(
        status(&renamed, PageId::PlanOverview),
        PageStatus::UnpublishedChanges
    );
    let mut audience = samples::saas();
    pricing(&mut audience, 1).private_audience[0].id = GUID.into();
    assert_eq!(
        status(&audience, PageId::PlanPricing),
        PageStatus::Complete,
        "audiences are synced, not published"
    );
    let mut repriced = samples::saas();
    pricing(&mut repriced, 0).prices[0].amount = "50.00".into();
    assert_eq!(
        status(&repriced, PageId::PlanOverview),
        PageStatus::UnpublishedChanges
    );
}

#[test]
fn pg_2_pg_3_pg_4_statuses_of_pages() {
    let status = |draft: &Draft, page: PageId| {
        let review = review(draft, &Published::default());
        review
            .pages
            .into_iter()
            .find(|row| row.page == page)
            .map(|row| row.status)
    };
    let mut draft = samples::saas();
    draft.pages.co_sell = None;
    assert_eq!(
        status(&draft, PageId::CoSell),
        Some(PageStatus::Complete),
        "PG-4: optional pages need not be saved"
    );
    assert_eq!(
        status(&draft, PageId::ResellThroughCsps),
        Some(PageStatus::Complete),
        "PG-4"
    );
    draft.pages.properties = None;
    assert_eq!(
        status(&draft, PageId::Properties),
        Some(PageStatus::NotStarted),
        "PG-2, AS-023"
    );
    draft.pages.properties = Some(Properties::default());
    assert_eq!(
        status(&draft, PageId::Properties),
        Some(PageStatus::Incomplete),
        "PG-3, AS-024"
    );
    draft.pages.offer_listing.as_mut().unwrap().support_url = "nowhere".into();
    assert_eq!(
        status(&draft, PageId::OfferListing),
        Some(PageStatus::Incomplete),
        "PG-3, AS-025"
    );
    assert!(!review(&draft, &Published::default()).complete, "PG-5");
    assert_eq!(
        status(&samples::listed(), PageId::TechnicalConfiguration),
        None,
        "§4.2: a listed offer has no such page"
    );
}

#[test]
fn up_10_prices_move_one_way_and_free_ones_not_at_all() {
    fn of(plan: &mut PlanPricing, all: &str, germany: &str, meter: &str) {
        plan.prices[0].amount = all.into();
        plan.prices[1].amount = germany.into();
        plan.meters = vec![CustomMeter {
            id: "m".into(),
            display_name: "Pages".into(),
            unit: "page".into(),
            price_per_unit: meter.into(),
            ..CustomMeter::default()
        }];
    }
    let published = live(|d| of(pricing(d, 0), "49", "0", "0.01"));
    let rows = [
        (("49.00", "0", "0.01"), vec![], "the same"),
        (("50", "0", "0.02"), vec![], "all rise"),
        (("48", "0", "0.009"), vec![], "all fall"),
        (
            ("50", "0", "0.009"),
            vec!["prices MIXED_PRICE_CHANGE"],
            "a meter falls",
        ),
        (
            ("49", "1", "0.01"),
            vec!["prices[1].amount FROZEN_BY_PUBLISH"],
            "free in one market",
        ),
    ];
    for ((all, germany, meter), expected, why) in rows {
        let mut draft = samples::saas();
        of(pricing(&mut draft, 0), all, germany, meter);
        let expected: Vec<String> = expected
            .into_iter()
            .map(|issue| format!("plan_pricing gold {issue}"))
            .collect();
        assert_eq!(issues(&draft, &published), expected, "UP-10 {why}");
    }
    let mut draft = samples::saas();
    of(pricing(&mut draft, 0), "49", "0", "0.01");
    pricing(&mut draft, 0).prices.remove(1);
    assert_eq!(
        issues(&draft, &published),
        ["plan_pricing gold prices[0].amount FROZEN_BY_PUBLISH"],
        "UP-10 what was free in a market is charged as everywhere"
    );
}

#[test]
fn cs_1_tenants_are_the_same_in_any_case() {
    fn some(draft: &mut Draft, tenant: &str) {
        draft.pages.resell_through_csps = Some(ResellThroughCsps {
            state: Some(ResellerState::Some),
            partner_tenant_ids: vec![tenant.into()],
        });
    }
    const UPPER: &str = "ABCDEF00-0000-0000-0000-000000000000";
    let published = live(|d| some(d, UPPER));
    let mut draft = samples::saas();
    some(&mut draft, &UPPER.to_lowercase());
    let found = issues(&draft, &published);
    assert_eq!(found, ["resell_through_csps state RECOMMENDED"; 2], "LI-12");
}

#[test]
fn cs_1_byol_machines_are_resold_by_default() {
    let mut draft = samples::container();
    draft.offer_type = offer_type::find("azureVirtualMachine").unwrap();
    let published = Published {
        live: Some(Content::of(&draft)),
        ..Published::default()
    };
    draft.pages.resell_through_csps = Some(ResellThroughCsps {
        state: Some(ResellerState::None),
        ..ResellThroughCsps::default()
    });
    let found = issues(&draft, &published);
    assert!(
        found.contains(&"resell_through_csps state FROZEN_BY_PUBLISH".into()),
        "{found:?}"
    );
}

#[test]
fn up_9_only_services_go_from_listed_to_sold() {
    let mut listed = samples::container();
    listed.offer_type = offer_type::find("azureApplication").unwrap();
    listed.pages.offer_setup.as_mut().unwrap().selling = Some(Selling::ListingOnly);
    let published = Published {
        live: Some(Content::of(&listed)),
        ..Published::default()
    };
    let mut sold = listed;
    sold.pages.offer_setup.as_mut().unwrap().selling = Some(Selling::ListAndSell);
    let found = issues(&sold, &published);
    assert!(
        found.contains(&"offer_setup selling FROZEN_BY_PUBLISH".into()),
        "{found:?}"
    );
}

#[test]
fn su_2_evidence_or_a_call_before_the_first_publish() {
    let mut draft = samples::listed();
    draft.offer_type = offer_type::find("dynamics365ForOperations").unwrap();
    let of_page = |draft: &Draft, published: &Published| {
        let mut found = issues(draft, published);
        found.retain(|issue| issue.starts_with("supplemental_content"));
        found
    };
    let first = Published::default();
    assert_eq!(
        of_page(&draft, &first),
        [
            "supplemental_content demo_video_url REQUIRED",
            "supplemental_content evidence REQUIRED"
        ],
        "AS-041"
    );
    let again = Published {
        live: Some(Content::of(&draft)),
        ..Published::default()
    };
    assert_eq!(of_page(&draft, &again), Vec::<String>::new());
    let proof = |draft: &mut Draft, kind: AssetKind| {
        let (asset, row) = asset(kind.as_str(), kind);
        draft.assets.insert(asset.clone(), row);
        let caption = "Screens of the validation".into();
        draft.pages.supplemental_content = Some(SupplementalContent {
            demo_video_url: "https://contoso.example/demo".into(),
            evidence: vec![CaptionedAsset { asset, caption }],
            ..SupplementalContent::default()
        });
    };
    proof(&mut draft, AssetKind::Document);
    assert_eq!(
        of_page(&draft, &first),
        ["supplemental_content evidence REQUIRED"],
        "SU-2: a zip archive"
    );
    proof(&mut draft, AssetKind::Package);
    assert_eq!(of_page(&draft, &first), Vec::<String>::new());
    proof(&mut draft, AssetKind::Screenshot);
    assert_eq!(
        of_page(&draft, &again),
        ["supplemental_content evidence[0].asset ASSET_WRONG_KIND"]
    );
    draft.pages.supplemental_content = Some(SupplementalContent {
        validation_call_requested: true,
        ..SupplementalContent::default()
    });
    assert_eq!(of_page(&draft, &first), Vec::<String>::new());
}
