//! Drafts that pass every check: what publishers in the stories publish.

use std::sync::LazyLock;

use marketplace_proto::offercatalog::v1::page::Page as Kind;
use marketplace_proto::offercatalog::v1::*;

/// What an offer is made of.
#[derive(Clone)]
pub struct Draft {
    /// Type id.
    pub offer_type: &'static str,
    /// Pages of the offer.
    pub pages: Vec<Kind>,
    /// Plan id, name, and pages.
    pub plans: Vec<(&'static str, &'static str, Vec<Kind>)>,
    /// Asset id, kind, content.
    pub assets: Vec<(&'static str, AssetKind, Vec<u8>)>,
}

/// A SaaS offer with a free trial: listed only, no plans, no leads; certified in its live leg.
pub fn saas_free_trial() -> Draft {
    let setup = OfferSetupPage {
        selling: SellingOption::ListingOnly as i32,
        call_to_action: CallToAction::FreeTrial as i32,
        call_to_action_url: "https://forge.contoso.example/trial".into(),
        ..Default::default()
    };
    Draft {
        offer_type: "softwareAsAService",
        pages: vec![
            Kind::OfferSetup(setup),
            properties("developer-tools"),
            Kind::OfferListing(listing()),
        ],
        plans: vec![],
        assets: pictures(),
    }
}

/// The same, but customers leave their details, which go to an HTTPS endpoint.
pub fn saas_contact_me(lead_url: &str) -> Draft {
    let mut draft = saas_free_trial();
    draft.pages[0] = Kind::OfferSetup(OfferSetupPage {
        selling: SellingOption::ListingOnly as i32,
        call_to_action: CallToAction::ContactMe as i32,
        lead_destination: Some(leads_to(lead_url)),
        ..Default::default()
    });
    draft
}

/// A SaaS offer sold through the marketplace, with two public plans and leads.
pub fn saas_sold(lead_url: &str) -> Draft {
    let mut draft = saas_free_trial();
    draft.pages[0] = Kind::OfferSetup(OfferSetupPage {
        selling: SellingOption::ListAndSell as i32,
        lead_destination: Some(leads_to(lead_url)),
        ..Default::default()
    });
    draft.pages.extend([
        Kind::PreviewAudience(PreviewAudiencePage {
            members: vec![AudienceMember {
                kind: AudienceIdKind::Email as i32,
                id: "tess@contoso.example".into(),
                label: "Tester".into(),
            }],
        }),
        Kind::TechnicalConfiguration(TechnicalConfigurationPage {
            landing_page_url: "https://forge.contoso.example/landing".into(),
            webhook_url: "https://forge.contoso.example/webhook".into(),
            tenant_id: "3f1c9a52-6d0e-4b9d-8c53-0a7b8b0c2f11".into(),
            application_id: "7a2e4c1d-95b3-4f0a-a6de-2b1f8e9c3d44".into(),
        }),
        Kind::SupplementalContent(SupplementalContentPage {
            hosting: HostingModel::OtherCloud as i32,
            ..Default::default()
        }),
    ]);
    draft.plans = vec![
        (
            "team",
            "Team",
            plan(
                "For teams of up to 25 people who keep their repositories and reviews in one place.",
                "49.00",
            ),
        ),
        (
            "company",
            "Company",
            plan(
                "For companies that need single sign-on, audit logs and an answer within four hours.",
                "490.00",
            ),
        ),
    ];
    draft
}

/// A container offer, bring your own licence; certified before its preview.
pub fn container() -> Draft {
    let mut draft = saas_free_trial();
    draft.offer_type = "azureContainer";
    draft.pages = vec![
        Kind::OfferSetup(OfferSetupPage {
            selling: SellingOption::ListAndSell as i32,
            ..Default::default()
        }),
        properties("databases"),
        Kind::OfferListing(OfferListingPage {
            short_description: "A Git forge as a container for Azure Kubernetes Service.".into(),
            ..listing()
        }),
        Kind::PreviewAudience(PreviewAudiencePage {
            members: vec![AudienceMember {
                kind: AudienceIdKind::Subscription as i32,
                id: "0b7a1f3e-2c4d-4e5f-8a6b-9c0d1e2f3a4b".into(),
                label: "Test subscription".into(),
            }],
        }),
    ];
    let listing = PlanListingPage {
        summary: "The forge as a container image".into(),
        description: "One image with the forge and its web server, for a cluster of your own. Bring your own licence.".into(),
    };
    let pricing = PlanPricingPage {
        markets: vec!["US".into(), "DE".into()],
        model: PricingModel::Byol as i32,
        audience: PlanAudience::Public as i32,
        ..Default::default()
    };
    let image = ContainerImage {
        repository: "registry.contoso.example/forge".into(),
        tag: "1.25.1".into(),
        digest: format!("sha256:{}", "4f".repeat(32)),
    };
    let technical = PlanTechnicalConfigurationPage {
        configuration: Some(plan_technical_configuration_page::Configuration::Container(
            ContainerConfiguration {
                images: vec![image],
                bundle_reference: String::new(),
            },
        )),
    };
    draft.plans = vec![(
        "byol",
        "Bring your own licence",
        vec![
            Kind::PlanListing(listing),
            Kind::PlanPricing(pricing),
            Kind::PlanTechnicalConfiguration(technical),
        ],
    )];
    draft
}

/// A consulting service: no plans, no preview audience, no notes for certification.
pub fn consulting(lead_url: &str) -> Draft {
    let mut draft = saas_contact_me(lead_url);
    draft.offer_type = "consultingService";
    draft
}

/// With further plans like its first.
pub fn with_plans(mut draft: Draft, plans: impl IntoIterator<Item = &'static str>) -> Draft {
    for id in plans {
        let (_, _, mut pages) = draft.plans[0].clone();
        for page in &mut pages {
            if let Kind::PlanListing(listing) = page {
                listing.summary = format!("The forge as edition {id}");
                listing.description += &format!(" This edition is called {id}.");
            }
        }
        draft.plans.push((id, id, pages));
    }
    draft
}

fn leads_to(url: &str) -> LeadDestination {
    LeadDestination {
        destination: Some(lead_destination::Destination::HttpsEndpoint(
            HttpsDestination { url: url.into() },
        )),
        contact_emails: vec![],
    }
}

fn plan(description: &str, amount: &str) -> Vec<Kind> {
    let price = Price {
        term: BillingTerm::OneMonth as i32,
        currency: "USD".into(),
        amount: amount.into(),
        ..Default::default()
    };
    vec![
        Kind::PlanListing(PlanListingPage {
            summary: String::new(),
            description: description.into(),
        }),
        Kind::PlanPricing(PlanPricingPage {
            markets: vec!["US".into(), "DE".into(), "JP".into()],
            model: PricingModel::FlatRate as i32,
            prices: vec![price],
            audience: PlanAudience::Public as i32,
            ..Default::default()
        }),
    ]
}

fn properties(category: &str) -> Kind {
    Kind::Properties(PropertiesPage {
        categories: vec![CategoryChoice {
            category: category.into(),
            subcategories: vec![],
        }],
        legal: Some(LegalTerms {
            terms: Some(legal_terms::Terms::Standard(StandardContract::default())),
        }),
        ..Default::default()
    })
}

/// The listing that all of them show.
pub fn listing() -> OfferListingPage {
    let person = |name: &str| Contact {
        name: name.into(),
        email: format!("{}@contoso.example", name.to_lowercase()),
        phone: "+1 425 555 0100".into(),
    };
    OfferListingPage {
        title: "Contoso Forge".into(),
        summary: "Git hosting, code review and issue tracking for teams on Azure".into(),
        description: DESCRIPTION.into(),
        getting_started:
            "Open the landing page, sign in with Microsoft Entra ID and invite your team.".into(),
        keywords: vec!["git".into(), "code review".into()],
        privacy_policy_url: "https://forge.contoso.example/privacy".into(),
        support_contact: Some(person("Sam")),
        support_url: "https://forge.contoso.example/support".into(),
        engineering_contact: Some(person("Erin")),
        large_logo: "logo".into(),
        screenshots: vec![CaptionedAsset {
            asset: "screen".into(),
            caption: "A pull request under review".into(),
        }],
        ..Default::default()
    }
}

const DESCRIPTION: &str = "<p>Contoso Forge hosts the Git repositories of your team, reviews its changes and tracks its \
issues in one place. It is built on the open source project Gitea, so that your work stays in formats that every Git \
client understands and that you can take away at any time.</p>\
<p>Contoso Forge runs on Microsoft Azure and signs people in with Microsoft Entra ID. Teams that leave several tools \
for the forge tell us that they review changes on the same day and find old decisions again, since code, discussion \
and builds are linked to one another.</p>\
<ul><li>Code review with required approvals</li><li>Issues, boards and milestones</li><li>Packages and continuous \
integration for every repository</li></ul>";

fn pictures() -> Vec<(&'static str, AssetKind, Vec<u8>)> {
    // Painted once: some stories make dozens of drafts.
    static PAINTED: LazyLock<[Vec<u8>; 2]> =
        LazyLock::new(|| [png(300, 300, 7), png(1280, 720, 3)]);
    let [logo, screen] = PAINTED.clone();
    vec![
        ("logo", AssetKind::LogoLarge, logo),
        ("screen", AssetKind::Screenshot, screen),
    ]
}

/// A picture with structure in it (no check takes it for blank), different for each `seed`.
pub fn png(width: u32, height: u32, seed: u32) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(width, height, |x, y| {
        let band = (x * seed / 40 + y / (seed + 9)) % 5;
        let noise =
            (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503).wrapping_add(seed)) >> 13;
        image::Rgb([
            (band * 50) as u8,
            (40 + noise % 9) as u8 + (y * 150 / height) as u8,
            (200 - band * 30) as u8,
        ])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("memory takes a PNG");
    bytes.into_inner()
}
