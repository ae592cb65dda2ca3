//! PN-*, TC-6, PG-7

use super::{GUID, Row, check_all, issues};
use crate::domain::completeness::{PageStatus, Published, review, review_page};
use crate::domain::samples::{OFFER, asset};
use crate::domain::snapshot::Content;
use crate::domain::{Draft, DraftPlan, samples};
use crate::pages::*;

fn pricing(draft: &mut Draft, at: usize) -> &mut PlanPricing {
    draft.plans[at].pages.plan_pricing.get_or_insert_default()
}

/// A version of an image in a gallery.
fn gallery(image: &str) -> String {
    format!(
        "/subscriptions/{GUID}/resourceGroups/images/providers/Microsoft.Compute/galleries/g/images/{image}/versions/1.0.0"
    )
}

fn everywhere(draft: &mut Draft, at: usize, all: CustomerMarkets) {
    pricing(draft, at).markets.clear();
    pricing(draft, at).customer_markets = Some(all);
}

fn listing(draft: &mut Draft) -> &mut PlanListing {
    draft.plans[0].pages.plan_listing.get_or_insert_default()
}

fn price(term: BillingTerm, market: &str, amount: &str) -> Price {
    let currency = if matches!(market, "" | "US") {
        "USD"
    } else {
        "EUR"
    };
    Price {
        term: Some(term),
        market: market.into(),
        currency: currency.into(),
        amount: amount.into(),
        ..Price::default()
    }
}

fn meters(draft: &mut Draft, count: usize) {
    let meter = |at| CustomMeter {
        id: format!("m{at}"),
        display_name: "Pages".into(),
        unit: "page".into(),
        price_per_unit: "0.00001".into(),
        included_quantity: String::new(),
    };
    pricing(draft, 0).meters = (0..count).map(meter).collect();
}

/// Copies of the first plan, until there are `count`.
fn plans(draft: &mut Draft, count: usize, private: usize) {
    let plan = |at: usize| {
        let from = if at < private { 1 } else { 0 };
        DraftPlan {
            plan_id: format!("p{at:03}"),
            display_name: format!("P {at}"),
            ..draft.plans[from].clone()
        }
    };
    draft.plans = (0..count).map(plan).collect();
}

fn audience(draft: &mut Draft, kind: AudienceIdKind, count: u128) {
    let member = |at| AudienceMember {
        kind,
        id: uuid::Uuid::from_u128(at).to_string(),
        label: String::new(),
    };
    pricing(draft, 1).private_audience = (0..count).map(member).collect();
}

#[test]
fn pn_1_pn_2_pn_5_plans_together() {
    let rows: &[Row] = &[
        (
            "PN-1 none",
            |d| d.plans.clear(),
            &["plan_overview plans REQUIRED"],
        ),
        ("PN-1 at the limit", |d| plans(d, 100, 45), &[]),
        (
            "PN-1 above",
            |d| plans(d, 101, 0),
            &["plan_overview plans TOO_MANY"],
        ),
        (
            "PN-1 private above",
            |d| plans(d, 100, 46),
            &["plan_overview plans TOO_MANY"],
        ),
        (
            "PN-2 names",
            |d| d.plans[1].display_name = d.plans[0].display_name.clone(),
            &["plan_overview plans[team].display_name DUPLICATE"],
        ),
        (
            "PN-5 one model",
            |d| pricing(d, 1).model = Some(PricingModel::PerUser),
            &["plan_overview plans[team].model MODELS_DIFFER"],
        ),
        (
            "E-6 no subtype",
            |d| d.plans[0].subtype = "managedApplication".into(),
            &["plan_overview plans[gold].subtype NOT_ALLOWED"],
        ),
    ];
    check_all(samples::saas, rows);
}

#[test]
fn pn_3_plan_listing() {
    let rows: &[Row] = &[
        (
            "PN-3 required",
            |d| listing(d).description.clear(),
            &["plan_listing gold description REQUIRED"],
        ),
        (
            "PN-3 at the limit",
            |d| listing(d).description = "d".repeat(3_000),
            &[],
        ),
        (
            "PN-3 above",
            |d| listing(d).description = "d".repeat(3_001),
            &["plan_listing gold description TOO_LONG"],
        ),
        (
            "PN-3 no summary of SaaS",
            |d| listing(d).summary = "s".into(),
            &["plan_listing gold summary IGNORED"],
        ),
    ];
    check_all(samples::saas, rows);
    let rows: &[Row] = &[
        (
            "PN-3 summary at the limit",
            |d| listing(d).summary = "s".repeat(100),
            &[],
        ),
        (
            "PN-3 summary above",
            |d| listing(d).summary = "s".repeat(101),
            &["plan_listing base summary TOO_LONG"],
        ),
    ];
    check_all(samples::container, rows);
}

#[test]
fn pn_4_markets() {
    let rows: &[Row] = &[
        (
            "PN-4 none",
            |d| pricing(d, 1).markets.clear(),
            &["plan_pricing team markets REQUIRED"],
        ),
        (
            "PN-4 unknown, or not of ISO 3166-1",
            |d| pricing(d, 1).markets.extend(["QQ".into(), "XK".into()]),
            &[
                "plan_pricing team markets[1] UNKNOWN_VALUE",
                "plan_pricing team markets[2] UNKNOWN_VALUE",
            ],
        ),
        (
            "PN-4 twins",
            |d| pricing(d, 1).markets.push("US".into()),
            &["plan_pricing team markets[1] DUPLICATE"],
        ),
        ("PN-14 all", |d| everywhere(d, 1, CustomerMarkets::All), &[]),
        (
            "PN-14 all that taxes are remitted in",
            |d| everywhere(d, 1, CustomerMarkets::AllTaxRemitted),
            &[],
        ),
        (
            "PN-14 all excludes a list",
            |d| pricing(d, 1).customer_markets = Some(CustomerMarkets::All),
            &["plan_pricing team markets NOT_ALLOWED"],
        ),
        (
            "PN-14 a price of a market that is among them",
            |d| {
                everywhere(d, 1, CustomerMarkets::AllTaxRemitted);
                let price = price(BillingTerm::OneYear, "DE", "400");
                pricing(d, 1).prices.push(price);
            },
            &[],
        ),
        (
            "PN-14 and of one that isn't",
            |d| {
                everywhere(d, 1, CustomerMarkets::AllTaxRemitted);
                let price = Price {
                    currency: "JPY".into(),
                    ..price(BillingTerm::OneYear, "JP", "400")
                };
                pricing(d, 1).prices.push(price);
            },
            &["plan_pricing team prices[1].market NOT_ALLOWED"],
        ),
        (
            "PN-14 every market has a price",
            |d| {
                everywhere(d, 1, CustomerMarkets::All);
                pricing(d, 1).prices = vec![price(BillingTerm::OneYear, "US", "400")];
            },
            &["plan_pricing team prices MARKET_WITHOUT_PRICE"],
        ),
        (
            "PN-4 price of another market",
            |d| {
                pricing(d, 1)
                    .prices
                    .push(price(BillingTerm::OneYear, "FR", "1"))
            },
            &["plan_pricing team prices[1].market NOT_ALLOWED"],
        ),
    ];
    check_all(samples::saas, rows);
    let codes: Vec<String> = (b'A'..=b'Z')
        .flat_map(|a| (b'A'..=b'Z').map(move |b| format!("{}{}", a as char, b as char)))
        .collect();
    let known: Vec<String> = codes
        .into_iter()
        .filter(|code| taxonomy::is_market(code))
        .collect();
    for (count, expected) in [
        (141, vec![]),
        (142, vec!["plan_pricing team markets TOO_MANY".to_owned()]),
    ] {
        let mut draft = samples::saas();
        pricing(&mut draft, 1).markets = known[..count].to_vec();
        assert_eq!(
            issues(&draft, &Published::default()),
            expected,
            "PN-4 {count}"
        );
    }
}

#[test]
fn pn_6_prices() {
    let rows: &[Row] = &[
        (
            "PN-5 required",
            |d| d.plans[0].pages.plan_pricing.as_mut().unwrap().model = None,
            &["plan_pricing gold model REQUIRED"],
        ),
        (
            "PN-6 none",
            |d| pricing(d, 0).prices.clear(),
            &["plan_pricing gold prices REQUIRED"],
        ),
        (
            "PN-6 all terms",
            |d| {
                use BillingTerm::*;
                pricing(d, 0).prices = [OneMonth, OneYear, TwoYears, ThreeYears]
                    .map(|term| price(term, "", "1.50"))
                    .into();
            },
            &[],
        ),
        (
            "PN-6 by the hour is not SaaS",
            |d| pricing(d, 0).prices = vec![price(BillingTerm::Hour, "", "1")],
            &["plan_pricing gold prices[0].term NOT_ALLOWED"],
        ),
        (
            "PN-6 twice",
            |d| pricing(d, 1).prices = vec![price(BillingTerm::OneYear, "", "1"); 2],
            &["plan_pricing team prices[1] DUPLICATE"],
        ),
        (
            "PN-6 two payment options",
            |d| {
                let monthly = Price {
                    paid_every: Some(BillingTerm::OneMonth),
                    ..price(BillingTerm::OneYear, "DE", "1")
                };
                pricing(d, 0).prices = vec![price(BillingTerm::OneYear, "", "1"), monthly];
            },
            &["plan_pricing gold prices[1].paid_every DUPLICATE"],
        ),
        (
            "PN-6 paid less often than bought",
            |d| {
                pricing(d, 1).prices = vec![Price {
                    paid_every: Some(BillingTerm::TwoYears),
                    ..price(BillingTerm::OneYear, "", "1")
                }];
            },
            &["plan_pricing team prices[0].paid_every NOT_ALLOWED"],
        ),
        (
            "CV-10 every market has a price",
            |d| pricing(d, 0).prices = vec![price(BillingTerm::OneMonth, "DE", "1")],
            &["plan_pricing gold prices MARKET_WITHOUT_PRICE"],
        ),
        (
            "amount",
            |d| pricing(d, 1).prices[0].amount = "1.234".into(),
            &["plan_pricing team prices[0].amount BAD_FORMAT"],
        ),
        (
            "amount missing",
            |d| pricing(d, 1).prices[0].amount.clear(),
            &["plan_pricing team prices[0].amount REQUIRED"],
        ),
        (
            "negative",
            |d| pricing(d, 1).prices[0].amount = "-1".into(),
            &["plan_pricing team prices[0].amount BAD_FORMAT"],
        ),
        (
            "nothing is a price",
            |d| pricing(d, 1).prices[0].amount = "0".into(),
            &[],
        ),
        (
            "currency",
            |d| pricing(d, 1).prices[0].currency = "XXX".into(),
            &["plan_pricing team prices[0].currency UNKNOWN_VALUE"],
        ),
        (
            "CV-10 neither gold nor what was paid before",
            |d| {
                pricing(d, 0).prices[0].currency = "XAU".into();
                pricing(d, 1).prices[0].currency = "BGN".into();
            },
            &[
                "plan_pricing gold prices[0].currency UNKNOWN_VALUE",
                "plan_pricing team prices[0].currency UNKNOWN_VALUE",
            ],
        ),
        (
            "CV-10 of the market",
            |d| pricing(d, 0).prices[1].currency = "JPY".into(),
            &["plan_pricing gold prices[1].currency CURRENCY_MISMATCH"],
        ),
        (
            "CV-10 US dollars are taken everywhere",
            |d| pricing(d, 0).prices[1].currency = "USD".into(),
            &[],
        ),
        (
            "all markets are in USD",
            |d| pricing(d, 1).prices[0].currency = "EUR".into(),
            &["plan_pricing team prices[0].currency NOT_ALLOWED"],
        ),
        (
            "users need the model",
            |d| pricing(d, 1).prices[0].min_users = 1,
            &["plan_pricing team prices[0].min_users NOT_ALLOWED"],
        ),
        (
            "PN-13 cores need the model",
            |d| pricing(d, 1).prices[0].cores = 4,
            &["plan_pricing team prices[0].cores NOT_ALLOWED"],
        ),
        (
            "PN-13 not of SaaS",
            |d| d.plans[1].pages.plan_pricing.as_mut().unwrap().model = Some(PricingModel::Byol),
            &[
                "plan_overview plans[team].model MODELS_DIFFER",
                "plan_pricing team model NOT_ALLOWED",
            ],
        ),
    ];
    check_all(samples::saas, rows);
    let mut users = samples::saas();
    for at in [0, 1] {
        pricing(&mut users, at).model = Some(PricingModel::PerUser);
        pricing(&mut users, at).prices = vec![Price {
            min_users: 1,
            max_users: 1,
            ..price(BillingTerm::OneMonth, "", "1")
        }];
    }
    assert_eq!(issues(&users, &Published::default()), Vec::<String>::new());
    pricing(&mut users, 0).prices[0].min_users = 2;
    assert_eq!(
        issues(&users, &Published::default()),
        ["plan_pricing gold prices[0].max_users BAD_RANGE"]
    );
}

#[test]
fn pn_8_pn_9_meters_and_trials() {
    let rows: &[Row] = &[
        ("PN-8 at the limit", |d| meters(d, 30), &[]),
        (
            "PN-8 above",
            |d| meters(d, 31),
            &["plan_pricing gold meters TOO_MANY"],
        ),
        (
            "PN-8 no trial with meters",
            |d| {
                meters(d, 1);
                pricing(d, 0).free_trial = true;
            },
            &["plan_pricing gold free_trial NOT_ALLOWED"],
        ),
        ("PN-8 trial alone", |d| pricing(d, 0).free_trial = true, &[]),
        (
            "PN-8 empty meter",
            |d| pricing(d, 0).meters = vec![CustomMeter::default()],
            &[
                "plan_pricing gold meters[0].id REQUIRED",
                "plan_pricing gold meters[0].display_name REQUIRED",
                "plan_pricing gold meters[0].unit REQUIRED",
                "plan_pricing gold meters[0].price_per_unit REQUIRED",
            ],
        ),
    ];
    check_all(samples::saas, rows);
    check_all(
        samples::container,
        &[(
            "PN-8 SaaS only",
            |d| meters(d, 1),
            &["plan_pricing base meters NOT_ALLOWED"],
        )],
    );
}

#[test]
fn pn_10_pn_11_pn_12_audiences() {
    use AudienceIdKind::*;
    let rows: &[Row] = &[
        (
            "PN-10 required",
            |d| pricing(d, 0).audience = None,
            &["plan_pricing gold audience REQUIRED"],
        ),
        (
            "PN-11 none",
            |d| pricing(d, 1).private_audience.clear(),
            &["plan_pricing team private_audience TOO_FEW"],
        ),
        (
            "PN-11 tenants at the limit",
            |d| audience(d, Tenant, 20_000),
            &[],
        ),
        (
            "PN-11 tenants above",
            |d| audience(d, Tenant, 20_001),
            &["plan_pricing team private_audience TOO_MANY"],
        ),
        (
            "PN-12 kinds",
            |d| audience(d, Subscription, 1),
            &["plan_pricing team private_audience[0].kind NOT_ALLOWED"],
        ),
        (
            "PN-12 GUID",
            |d| pricing(d, 1).private_audience[0].id = "x".into(),
            &["plan_pricing team private_audience[0].id BAD_GUID"],
        ),
        (
            "PN-11 a public plan ignores it",
            |d| {
                let member = pricing(d, 1).private_audience[0].clone();
                pricing(d, 0).private_audience = vec![member];
            },
            &["plan_pricing gold private_audience IGNORED"],
        ),
    ];
    check_all(samples::saas, rows);
    for (count, expected) in [
        (10_000, vec![]),
        (
            10_001,
            vec!["plan_pricing base private_audience TOO_MANY".to_owned()],
        ),
    ] {
        let mut draft = samples::container();
        let member = |at| AudienceMember {
            kind: Subscription,
            id: uuid::Uuid::from_u128(at).to_string(),
            label: String::new(),
        };
        pricing(&mut draft, 0).audience = Some(PlanAudience::Private);
        pricing(&mut draft, 0).private_audience = (0..count).map(member).collect();
        assert_eq!(
            issues(&draft, &Published::default()),
            expected,
            "PN-11 {count} subscriptions"
        );
    }
}

#[test]
fn pn_13_prices_by_use() {
    let by = |model: PricingModel, cores: &[(u32, &str)]| {
        let mut draft = samples::container();
        pricing(&mut draft, 0).model = Some(model);
        pricing(&mut draft, 0).prices = cores
            .iter()
            .map(|&(cores, market)| Price {
                cores,
                ..price(BillingTerm::Hour, market, "0.10")
            })
            .collect();
        issues(&draft, &Published::default())
    };
    use PricingModel::*;
    assert!(by(Free, &[]).is_empty() && by(Byol, &[]).is_empty());
    assert_eq!(
        by(Byol, &[(0, "")]),
        ["plan_pricing base prices NOT_ALLOWED"]
    );
    assert!(by(FlatRate, &[(0, "")]).is_empty() && by(PerCore, &[(0, "")]).is_empty());
    assert_eq!(
        by(PerCore, &[(2, "")]),
        ["plan_pricing base prices[0].cores NOT_ALLOWED"]
    );
    assert!(by(PerCoreSize, &[(2, ""), (4, "")]).is_empty());
    assert_eq!(
        by(PerCoreSize, &[(0, "")]),
        ["plan_pricing base prices[0].cores REQUIRED"]
    );
    assert_eq!(
        by(PerCoreSize, &[(2, ""), (2, "")]),
        ["plan_pricing base prices[1] DUPLICATE"]
    );
    assert!(by(PerMarketAndCoreSize, &[(2, "US"), (4, "US")]).is_empty());
    assert_eq!(
        by(PerMarketAndCoreSize, &[(2, "")]),
        ["plan_pricing base prices[0].market REQUIRED"]
    );
    assert_eq!(
        by(PerUser, &[(0, "")]),
        ["plan_pricing base model NOT_ALLOWED"]
    );
}

#[test]
fn tc_5_packages() {
    let with = |version: &str, package: &str| {
        let mut draft = samples::container();
        draft.offer_type = offer_type::find("azureApplication").unwrap();
        draft.offer.offer_type = "azureApplication".into();
        draft.assets.extend([
            asset("app.zip", AssetKind::Package),
            asset("guide", AssetKind::Document),
        ]);
        let package = PackageConfiguration {
            version: version.into(),
            package: package.into(),
        };
        let configuration = Some(PlanConfiguration::Package(package));
        draft.plans[0].pages.plan_technical_configuration =
            Some(PlanTechnicalConfiguration { configuration });
        let of = |issue: String| {
            issue
                .strip_prefix("plan_technical_configuration base package.")
                .map(str::to_owned)
        };
        let found = issues(&draft, &Published::default());
        found.into_iter().filter_map(of).collect::<Vec<_>>()
    };
    let [zip, guide, none] = ["app.zip", "guide", "none"].map(|id| format!("{OFFER}/assets/{id}"));
    assert!(with("1.0.0", &zip).is_empty());
    assert_eq!(with("", ""), ["version REQUIRED", "package REQUIRED"]);
    assert_eq!(with("1.0", &zip), ["version BAD_FORMAT"]);
    assert_eq!(with("1.0.0", &guide).len(), 1, "a document is no package");
    assert_eq!(with("1.0.0", &none).len(), 1, "there is no such file");
}

#[test]
fn tc_6_containers() {
    fn of(draft: &mut Draft) -> &mut ContainerConfiguration {
        match draft.plans[0]
            .pages
            .plan_technical_configuration
            .as_mut()
            .unwrap()
            .configuration
            .as_mut()
        {
            Some(PlanConfiguration::Container(container)) => container,
            other => panic!("{other:?}"),
        }
    }
    fn images(draft: &mut Draft, count: usize) {
        let image = |at| ContainerImage {
            repository: "contoso.azurecr.io/notes".into(),
            tag: format!("1.{at}"),
            digest: String::new(),
        };
        of(draft).images = (0..count).map(image).collect();
    }
    fn repository(draft: &mut Draft, name: &str) {
        of(draft).images[0].repository = name.into();
    }
    let rows: &[Row] = &[
        (
            "TC-6 none",
            |d| images(d, 0),
            &["plan_technical_configuration base container.images REQUIRED"],
        ),
        ("TC-6 at the limit", |d| images(d, 16), &[]),
        (
            "TC-6 above",
            |d| images(d, 17),
            &["plan_technical_configuration base container.images TOO_MANY"],
        ),
        (
            "TC-6 bundle",
            |d| {
                *of(d) = ContainerConfiguration {
                    images: vec![],
                    bundle_reference: "contoso.azurecr.io/bundle:1".into(),
                }
            },
            &[],
        ),
        (
            "TC-6 both",
            |d| of(d).bundle_reference = "contoso.azurecr.io/bundle:1".into(),
            &["plan_technical_configuration base container.bundle_reference NOT_ALLOWED"],
        ),
        ("TC-6 short name", |d| repository(d, "postgres"), &[]),
        (
            "TC-6 with a port",
            |d| repository(d, "registry.example:5000/a/b"),
            &[],
        ),
        (
            "TC-6 upper case",
            |d| repository(d, "Contoso/Notes"),
            &["plan_technical_configuration base container.images[0].repository BAD_FORMAT"],
        ),
        (
            "TC-6 scheme",
            |d| repository(d, "https://docker.io/x"),
            &["plan_technical_configuration base container.images[0].repository BAD_FORMAT"],
        ),
        (
            "TC-6 tag or digest",
            |d| {
                of(d).images[0].tag.clear();
                of(d).images[0].digest.clear();
            },
            &["plan_technical_configuration base container.images[0].tag REQUIRED"],
        ),
        (
            "TC-6 digest",
            |d| of(d).images[0].digest = "sha256:AB".into(),
            &["plan_technical_configuration base container.images[0].digest BAD_FORMAT"],
        ),
        (
            "TC-6 of another type",
            |d| {
                let package = PackageConfiguration {
                    version: "1.0.0".into(),
                    package: String::new(),
                };
                let configuration = Some(PlanConfiguration::Package(package));
                d.plans[0].pages.plan_technical_configuration =
                    Some(PlanTechnicalConfiguration { configuration });
            },
            &["plan_technical_configuration base package NOT_ALLOWED"],
        ),
    ];
    check_all(samples::container, rows);
}

#[test]
fn tc_3_tc_7_virtual_machines() {
    let mut draft = samples::container();
    draft.offer_type = offer_type::find("azureVirtualMachine").unwrap();
    let version = |version: &str, disks: usize, active| ImageVersion {
        version: version.into(),
        os_disk: gallery("os"),
        data_disks: (0..disks).map(|at| gallery(&format!("data{at}"))).collect(),
        active,
    };
    let mut with = |versions: Vec<ImageVersion>| {
        let machine = VirtualMachineConfiguration {
            os_family: "linux".into(),
            os_vendor: "Debian".into(),
            recommended_sizes: vec!["Standard_D2s_v5".into()],
            image_versions: versions,
        };
        let configuration = Some(PlanConfiguration::VirtualMachine(machine));
        draft.plans[0].pages.plan_technical_configuration =
            Some(PlanTechnicalConfiguration { configuration });
        let of = |issue: String| {
            issue
                .strip_prefix("plan_technical_configuration base virtual_machine.")
                .map(str::to_owned)
        };
        issues(&draft, &Published::default())
            .into_iter()
            .filter_map(of)
            .collect::<Vec<_>>()
    };
    assert!(
        with(vec![
            version("1.0.0", 16, true),
            version("1.0.1", 16, false)
        ])
        .is_empty()
    );
    let disks = |disks: &[&str]| ImageVersion {
        data_disks: disks.iter().map(|&disk| disk.to_owned()).collect(),
        ..version("1.0.0", 0, true)
    };
    assert_eq!(
        with(vec![disks(&["", &gallery("a"), &gallery("A")])]),
        [
            "image_versions[0].data_disks[0] REQUIRED",
            "image_versions[0].data_disks[2] DUPLICATE"
        ],
        "TC-3"
    );
    assert_eq!(
        with(vec![version("1.0", 0, true)]),
        ["image_versions[0].version BAD_FORMAT"]
    );
    assert_eq!(
        with(vec![version("1.0.0", 17, true)]),
        ["image_versions[0].data_disks TOO_MANY"]
    );
    assert_eq!(
        with(vec![version("1.0.0", 1, true), version("1.0.1", 2, true)]),
        ["image_versions[1].data_disks DISKS_DIFFER"]
    );
    assert_eq!(
        with(vec![version("1.0.0", 0, false)]),
        ["image_versions NO_ACTIVE_IMAGE"]
    );
    let mut reuse = |parent: &str| {
        let configuration = Some(PlanConfiguration::ReusesPlan(parent.into()));
        let pages = crate::domain::PlanPages {
            plan_technical_configuration: Some(PlanTechnicalConfiguration { configuration }),
            ..draft.plans[0].pages.clone()
        };
        draft.plans.truncate(1);
        draft.plans.push(DraftPlan {
            plan_id: "twin".into(),
            display_name: "Twin".into(),
            subtype: String::new(),
            pages,
            audience: None,
        });
        issues(&draft, &Published::default())
            .into_iter()
            .filter(|issue| issue.contains("reuses_plan"))
            .count()
    };
    assert_eq!(
        (reuse("base"), reuse("gone"), reuse("twin")),
        (0, 1, 1),
        "TC-7"
    );
}

#[test]
fn tc_4_addresses_of_vhds_are_valid_while_they_are_read() {
    let vhd = |name: &str, until: &str| {
        format!(
            "https://contoso.blob.core.windows.net/vhds/{name}.vhd?sp=rl&st=2026-03-01&se={until}&sig=x"
        )
    };
    let draft = |os: String, data: String| {
        let machine = VirtualMachineConfiguration {
            os_family: "linux".into(),
            os_vendor: "Debian".into(),
            recommended_sizes: vec!["Standard_D2s_v5".into()],
            image_versions: vec![ImageVersion {
                version: "1.0.0".into(),
                os_disk: os,
                data_disks: vec![data],
                active: true,
            }],
        };
        let configuration = Some(PlanConfiguration::VirtualMachine(machine));
        let mut draft = samples::container();
        draft.offer_type = offer_type::find("azureVirtualMachine").unwrap();
        draft.offer.offer_type = draft.offer_type.id.clone();
        draft.plans[0].pages.plan_technical_configuration =
            Some(PlanTechnicalConfiguration { configuration });
        draft
    };
    let found = |draft: &Draft, published: &Published| -> Vec<String> {
        let all = issues(draft, published).into_iter();
        all.filter(|issue| issue.contains("SAS_") || issue.contains("BAD_DISK"))
            .collect()
    };
    let march = Published {
        now: time::macros::datetime!(2026-03-10 12:00 UTC),
        ..Published::default()
    };
    let good = draft(vhd("os", "2026-04-01"), vhd("data", "2026-04-01"));
    assert!(found(&good, &march).is_empty());
    let bad = draft(vhd("os", "2026-03-12"), "data.vhd".into());
    let at = "plan_technical_configuration base virtual_machine.image_versions[0]";
    assert_eq!(
        found(&bad, &march),
        [
            format!("{at}.os_disk SAS_EXPIRY"),
            format!("{at}.data_disks[0] BAD_DISK")
        ]
    );
    // A year later: what is live was read then, what is new is to be read.
    let later = Published {
        now: time::macros::datetime!(2027-03-10 12:00 UTC),
        live: Some(Content::of(&good)),
        ..Published::default()
    };
    assert!(found(&good, &later).is_empty());
    let other = draft(vhd("os-2", "2026-04-01"), vhd("data", "2026-04-01"));
    assert_eq!(
        found(&other, &later),
        [
            format!("{at}.os_disk SAS_EXPIRY"),
            format!("{at}.data_disks[0] SAS_EXPIRY")
        ]
    );
}

#[test]
fn pg_7_plan_overview_aggregates_the_pages_of_plans() {
    let status = |draft: &Draft| {
        let review = review(draft, &Published::default());
        review
            .pages
            .iter()
            .find(|row| row.page == PageId::PlanOverview)
            .unwrap()
            .status
    };
    let mut draft = samples::saas();
    assert_eq!(status(&draft), PageStatus::Complete);
    draft.plans[1].pages.plan_listing = None;
    assert_eq!(status(&draft), PageStatus::Incomplete);
    draft.plans.clear();
    assert_eq!(status(&draft), PageStatus::NotStarted);
}

/// PN-6: no combination of what the form lets pass costs more than its size.
#[test]
fn pn_6_markets_without_a_price_are_named_in_few_words() {
    let mut draft = samples::saas();
    let pricing = draft.plans[0].pages.plan_pricing.as_mut().unwrap();
    pricing.markets = (0..500).map(|at| format!("M{at}")).collect();
    let price = |at: u32| Price {
        market: "M0".into(),
        cores: at,
        ..pricing.prices[0].clone()
    };
    pricing.prices = (0..10_000).map(price).collect();
    let begun = std::time::Instant::now();
    let issues = review_page(
        &draft,
        &Published::default(),
        PageId::PlanPricing,
        Some(&draft.plans[0].plan_id),
    );
    assert!(begun.elapsed() < std::time::Duration::from_secs(10));
    assert_eq!(issues.len(), crate::pages::MOST_ISSUES + 1);
    let bytes: usize = issues.iter().map(|issue| issue.message.len()).sum();
    assert!(bytes < 100_000, "{bytes}");
}

#[test]
fn pl_9_solution_templates_are_never_sold() {
    let mut draft = samples::container();
    draft.offer_type = offer_type::find("azureApplication").unwrap();
    draft.offer.offer_type = "azureApplication".into();
    let managed = |draft: &mut Draft| draft.plans[0].subtype = "managedApplication".into();
    managed(&mut draft);
    pricing(&mut draft, 0).model = Some(PricingModel::FlatRate);
    pricing(&mut draft, 0).prices = vec![price(BillingTerm::OneMonth, "", "5")];
    let pricing_of = |draft: &Draft| {
        review_page(
            draft,
            &Published::default(),
            PageId::PlanPricing,
            Some("base"),
        )
        .iter()
        .map(|issue| format!("{} {}", issue.field, issue.code))
        .collect::<Vec<_>>()
    };
    assert!(draft.transactable() && pricing_of(&draft).is_empty());
    draft.plans[0].subtype = "solutionTemplate".into();
    assert_eq!(
        pricing_of(&draft),
        ["model NOT_ALLOWED", "prices NOT_ALLOWED"]
    );
    *pricing(&mut draft, 0) = PlanPricing {
        model: None,
        prices: vec![],
        ..pricing(&mut draft, 0).clone()
    };
    assert_eq!(pricing_of(&draft), Vec::<String>::new());
    let content = crate::domain::snapshot::Content::of(&draft);
    assert!(!draft.transactable() && !content.transactable(), "OT-2");
    let mut other = draft.plans[0].clone();
    other.plan_id = "managed".into();
    draft.plans.push(other);
    managed(&mut draft);
    assert!(draft.transactable(), "one plan is sold");
    assert!(
        !crate::domain::snapshot::Content::of(&draft)
            .with_stops(|plan| plan == "base")
            .transactable(),
        "the one that was is stopped"
    );
}

#[test]
fn s_4_2_an_azure_application_is_named_where_it_is_metered() {
    let mut draft = samples::container();
    draft.offer_type = offer_type::find("azureApplication").unwrap();
    draft.plans[0].subtype = "managedApplication".into();
    let needed = |draft: &Draft| {
        let page = PageId::TechnicalConfiguration;
        let issues = review_page(draft, &Published::default(), page, None);
        issues
            .into_iter()
            .map(|issue| issue.field)
            .collect::<Vec<_>>()
    };
    assert_eq!(needed(&draft), Vec::<String>::new());
    meters(&mut draft, 1);
    assert_eq!(needed(&draft), ["tenant_id", "application_id"]);
    for id in ["powerBiVisual", "dynamics365ForCustomerEngagement"] {
        draft.offer_type = offer_type::find(id).unwrap();
        assert_eq!(
            needed(&draft),
            Vec::<String>::new(),
            "TC-1 is of SaaS: {id}"
        );
    }
}
