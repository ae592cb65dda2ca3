//! A SaaS offer, sold through the marketplace, that no automatic check finds anything wrong with.

use std::sync::LazyLock;

use image::{ImageFormat, Rgb, RgbImage};

use super::super::{Extent, Input, LeftOut, Reach, image as pictures, run};
use crate::domain::{
    CheckResult, ImageFacts, Images, Policies, Policy, PublisherFacts, Rules, Snapshot,
    snapshot::{
        Asset, Captioned, Category, Contact, Plan, Price, Pricing, PricingModel, Selling,
        StandardContract, Term,
    },
};

pub const OFFER: &str = "publishers/contoso/offers/backup";

pub struct Offer {
    pub snapshot: Snapshot,
    pub publisher: PublisherFacts,
    pub images: Images,
    pub notes: String,
    pub transactable: bool,
    pub rules: Rules,
}

/// Drawn and read once: every row of every table begins with them.
static PICTURES: LazyLock<[(&str, &str, ImageFacts); 3]> = LazyLock::new(|| {
    let look = |width, height, seed| pictures::look(&png(&drawing(width, height, seed)));
    [
        ("logo", "LOGO_LARGE", look(300, 300, 1)),
        ("s1", "SCREENSHOT", look(1280, 720, 2)),
        ("s2", "SCREENSHOT", look(1280, 720, 3)),
    ]
});

impl Offer {
    pub fn good() -> Offer {
        let publisher = PublisherFacts {
            name: "publishers/contoso".into(),
            enrolled: true,
            agreement_version: "2026-01".into(),
            membership_active: true,
            vetting_authorized: true,
            tax_profile_valid: true,
            payout_profile_valid: true,
            ..PublisherFacts::default()
        };
        let rules = Rules {
            policies: policies(),
            ..Rules::default()
        };
        let mut offer = Offer {
            snapshot: Snapshot { format: 1, ..Snapshot::default() },
            publisher,
            images: Images::new(),
            notes: "Sign in at https://try.backup.contoso.com as reviewer; the password is in the vault.".into(),
            transactable: true,
            rules,
        };
        offer.fill();
        offer
    }

    fn fill(&mut self) {
        let head = &mut self.snapshot.offer;
        head.name = OFFER.into();
        head.offer_type = "softwareAsAService".into();
        head.alias = "backup internal".into();
        let pages = &mut self.snapshot.pages;
        pages.offer_setup.selling = Selling::ListAndSell;
        pages.properties.categories = vec![Category {
            category: "databases".into(),
            subcategories: vec![],
        }];
        pages.properties.legal.standard = Some(StandardContract::default());
        let technical = &mut pages.technical_configuration;
        technical.landing_page_url = "https://backup.contoso.com/landing".into();
        technical.webhook_url = "https://backup.contoso.com/webhook".into();
        technical.tenant_id = "6c2f6d2e-8a2c-4a55-9f2e-1b0d6a9c1f11".into();
        technical.application_id = "0f3b1f6a-52d1-4b0b-8f0e-2d8f0d7a9e22".into();
        self.fill_listing();
        self.snapshot.plans = vec![
            plan("basic", "Basic", "For teams that keep one database safe."),
            plan(
                "gold",
                "Gold",
                "Every database of a company, with point-in-time recovery and a copy in a second region.",
            ),
        ];
        for (id, kind, facts) in PICTURES.iter() {
            self.insert(id, kind, facts.clone());
        }
    }

    fn fill_listing(&mut self) {
        let listing = &mut self.snapshot.pages.offer_listing;
        listing.title = "Contoso Backup for PostgreSQL".into();
        listing.summary =
            "Keeps PostgreSQL databases safe and brings them back to any minute".into();
        listing.description = "<p><b>Contoso Backup</b> keeps PostgreSQL databases safe, whether they run on Azure Database for PostgreSQL, on virtual machines or in your own data centre. It copies every change within seconds and restores to any minute of the last month.</p><p>It is made for administrators who look after more than one server: one page shows what is protected and what isn't. Restores are rehearsed every night, and the result is sent to Microsoft Teams.</p><ul><li>PostgreSQL 14 and later</li><li>Up to 10 TB for each server</li></ul>".into();
        listing.keywords = vec!["recovery".into(), "postgres".into()];
        listing.privacy_policy_url = "https://contoso.com/privacy".into();
        listing.support_url = "https://contoso.com/support".into();
        listing.support_contact = Contact {
            name: "Support".into(),
            email: "help@contoso.com".into(),
            phone: "+1 425 555 0100".into(),
        };
        listing.large_logo = asset("logo");
        let shot = |id: &str, caption: &str| Captioned {
            asset: asset(id),
            caption: caption.into(),
        };
        listing.screenshots = vec![shot("s1", "What is protected"), shot("s2", "A restore")];
    }

    /// Puts a file into the snapshot under this asset id.
    pub fn add(&mut self, id: &str, kind: &str, bytes: &[u8]) {
        self.insert(id, kind, pictures::look(bytes));
    }

    fn insert(&mut self, id: &str, kind: &str, facts: ImageFacts) {
        let digest = format!("digest-of-{id}");
        self.snapshot.assets.retain(|known| known.name != asset(id));
        self.snapshot.assets.push(Asset {
            name: asset(id),
            kind: kind.into(),
            digest: digest.clone(),
            ..Asset::default()
        });
        self.images.insert(digest, facts);
    }

    pub fn pricing(&mut self) -> &mut Pricing {
        self.snapshot.plans[0].pages.plan_pricing.as_mut().unwrap()
    }

    pub fn run(&self, extent: Extent) -> Vec<CheckResult> {
        self.run_within(extent, Reach::Everything).0
    }

    pub fn run_within(&self, extent: Extent, reach: Reach) -> (Vec<CheckResult>, Vec<LeftOut>) {
        let input = Input {
            snapshot: &self.snapshot,
            publisher: &self.publisher,
            images: &self.images,
            notes: &self.notes,
            transactable: self.transactable,
            offer: OFFER,
        };
        run(extent, reach, &input, &self.rules)
    }
}

pub fn asset(id: &str) -> String {
    format!("{OFFER}/assets/{id}")
}

pub fn plan(id: &str, name: &str, description: &str) -> Plan {
    let mut plan = Plan {
        plan_id: id.into(),
        display_name: name.into(),
        ..Plan::default()
    };
    plan.pages.plan_listing.description = description.into();
    let price = Price {
        term: Term::OneMonth,
        currency: "USD".into(),
        amount: "49.00".into(),
        ..Price::default()
    };
    plan.pages.plan_pricing = Some(Pricing {
        markets: vec!["US".into(), "DE".into()],
        model: PricingModel::FlatRate,
        prices: vec![price],
        ..Pricing::default()
    });
    plan
}

/// The policies of the migration: `('100.1', 2, 'Value proposition', …, 'https://…')`.
pub fn policies() -> Policies {
    let sql = include_str!("../../../migrations/0003_policies.sql");
    let seed = sql
        .split("INSERT INTO policies")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    let rows = seed.split("\n  ('").skip(1).map(|row| {
        let id = row.split('\'').next().unwrap().to_owned();
        let url = row.split('\'').rev().nth(1).unwrap().to_owned();
        (
            id.clone(),
            Policy {
                id,
                title: "t".into(),
                description: "d".into(),
                url,
            },
        )
    });
    rows.collect()
}

/// A picture with sharp edges, different for each seed: bars and boxes as a window has them.
pub fn drawing(width: u32, height: u32, seed: u32) -> RgbImage {
    let mut image = RgbImage::from_pixel(width, height, Rgb([245, 245, 247]));
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(97);
    let mut next = |limit: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % limit.max(1)
    };
    for _ in 0..120 {
        let (x, y) = (next(width), next(height));
        let (w, h) = (next(width / 6) + 3, next(height / 8) + 3);
        let colour = Rgb([next(256), next(256), next(256)].map(|v| u8::try_from(v).unwrap()));
        for dy in 0..h.min(height - y) {
            for dx in 0..w.min(width - x) {
                image.put_pixel(x + dx, y + dy, colour);
            }
        }
    }
    image
}

pub fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}
