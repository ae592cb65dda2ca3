//! Complete drafts that tests take apart: a SaaS offer sold through the marketplace, the same listed only, a container.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Draft, DraftPlan, OfferHead, OfferPages, PlanPages};
use crate::pages::{Asset, AssetContent, AssetKind, AssetState, CustomerMarkets, offer_type};

pub const OFFER: &str = "publishers/contoso/offers/notes";

fn draft(kind: &str, pages: Value, plans: Vec<DraftPlan>) -> Draft {
    let offer = OfferHead {
        name: OFFER.into(),
        uid: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001),
        offer_type: kind.into(),
        alias: "notes internally".into(),
    };
    let logos = [
        ("logo", AssetKind::LogoLarge),
        ("logo.medium", AssetKind::LogoMedium),
        ("logo.small", AssetKind::LogoSmall),
    ];
    let others = [
        ("shot", AssetKind::Screenshot),
        ("guide", AssetKind::Document),
        ("thumb", AssetKind::VideoThumbnail),
        ("unused", AssetKind::Screenshot),
    ];
    let assets = logos
        .into_iter()
        .chain(others)
        .map(|(id, kind)| asset(id, kind))
        .collect();
    let pages: OfferPages = serde_json::from_value(pages).unwrap();
    Draft {
        offer,
        offer_type: offer_type::find(kind).unwrap(),
        revision: 7,
        pages,
        plans,
        assets,
        lead_secret: None,
    }
}

pub fn asset(id: &str, kind: AssetKind) -> (String, Asset) {
    let name = format!("{OFFER}/assets/{id}");
    let pixels = kind.is_image().then_some(300);
    let content = AssetContent {
        name: name.clone(),
        kind,
        digest: format!("{:064x}", id.len()),
        size_bytes: 1_000,
        content_type: if kind.is_image() {
            "image/png"
        } else {
            "application/pdf"
        }
        .into(),
        width: pixels,
        height: pixels,
        file_name: format!("{id}.bin"),
    };
    (
        name,
        Asset {
            state: AssetState::Processed,
            content,
        },
    )
}

pub fn plan(id: &str, pages: Value) -> DraftPlan {
    let pages: PlanPages = serde_json::from_value(pages).unwrap();
    DraftPlan {
        plan_id: id.into(),
        display_name: format!("Plan {id}"),
        subtype: String::new(),
        pages,
        audience: None,
    }
}

fn setup() -> Value {
    json!({
        "selling": "LIST_AND_SELL",
        "lead_destination": {"https_endpoint": {"url": "https://crm.contoso.example/leads"}, "contact_emails": ["sales@contoso.example"]}
    })
}

fn properties() -> Value {
    json!({
        "categories": [{"category": "productivity", "subcategories": ["blogs"]}, {"category": "analytics"}],
        "industries": [{"industry": "education", "sub_industries": ["higher-education"]}],
        "app_version": "2.1",
        "legal": {"standard": {}}
    })
}

fn listing() -> Value {
    let contact =
        json!({"name": "Ada", "email": "ada@contoso.example", "phone": "+1 425 555 0100"});
    json!({
        "title": "Contoso Notes™",
        "summary": "Notes that many people write at once",
        "description": "<p>Write notes <b>together</b>.</p>",
        "getting_started": "Sign in and write.",
        "keywords": ["notes", "wiki"],
        "privacy_policy_url": "https://contoso.example/privacy",
        "useful_links": [{"title": "Manual", "url": "https://contoso.example/manual"}],
        "support_contact": contact,
        "support_url": "https://contoso.example/support",
        "engineering_contact": contact,
        "large_logo": format!("{OFFER}/assets/logo"),
        "screenshots": [{"asset": format!("{OFFER}/assets/shot"), "caption": "A note"}],
        "documents": [{"asset": format!("{OFFER}/assets/guide"), "caption": "Guide"}],
        "videos": [{"name": "Tour", "url": "https://www.youtube.com/watch?v=1", "thumbnail": format!("{OFFER}/assets/thumb")}]
    })
}

/// Sold through the marketplace, with a public and a private plan.
pub fn saas() -> Draft {
    let id = "11111111-1111-1111-1111-111111111111";
    let pages = json!({
        "offer_setup": setup(),
        "properties": properties(),
        "offer_listing": listing(),
        "preview_audience": {"members": [{"kind": "EMAIL", "id": "tester@contoso.example"}]},
        "technical_configuration": {
            "landing_page_url": "https://notes.contoso.example/land", "webhook_url": "https://notes.contoso.example/hook",
            "tenant_id": id, "application_id": "22222222-2222-2222-2222-222222222222"
        },
        "supplemental_content": {"hosting": "AZURE", "azure_subscription_ids": [id]}
    });
    let gold = json!({
        "plan_listing": {"description": "Everything"},
        "plan_pricing": {
            "markets": ["DE", "US"], "model": "FLAT_RATE", "audience": "PUBLIC",
            "prices": [{"term": "ONE_MONTH", "currency": "USD", "amount": "49.00"},
                       {"term": "ONE_MONTH", "market": "DE", "currency": "EUR", "amount": "45"}]
        }
    });
    let team = json!({
        "plan_listing": {"description": "For some"},
        "plan_pricing": {
            "markets": ["US"], "model": "FLAT_RATE", "audience": "PRIVATE",
            "prices": [{"term": "ONE_YEAR", "currency": "USD", "amount": "490.00"}],
            "private_audience": [{"kind": "TENANT", "id": id, "label": "Fabrikam"}]
        }
    });
    draft(
        "softwareAsAService",
        pages,
        vec![plan("gold", gold), plan("team", team)],
    )
}

/// The same with what snapshots have from format 2 on.
pub fn saas_everywhere() -> Draft {
    let mut draft = saas();
    let wide = [("wide", AssetKind::LogoWide), ("hero", AssetKind::LogoHero)];
    draft.assets.extend(wide.map(|(id, kind)| asset(id, kind)));
    let listing = draft.pages.offer_listing.get_or_insert_default();
    listing.wide_logo = format!("{OFFER}/assets/wide");
    listing.hero_logo = format!("{OFFER}/assets/hero");
    let pricing = draft.plans[0].pages.plan_pricing.get_or_insert_default();
    pricing.markets.clear();
    pricing.customer_markets = Some(CustomerMarkets::All);
    draft
}

/// Listed only, "Contact me".
pub fn listed() -> Draft {
    let mut setup = setup();
    setup["selling"] = json!("LISTING_ONLY");
    setup["call_to_action"] = json!("CONTACT_ME");
    let pages =
        json!({"offer_setup": setup, "properties": properties(), "offer_listing": listing()});
    draft("softwareAsAService", pages, Vec::new())
}

/// A container with one plan.
pub fn container() -> Draft {
    let id = "11111111-1111-1111-1111-111111111111";
    let mut listing = listing();
    listing["short_description"] = json!("Notes in a box");
    // Resellers may sell containers unless the publisher says otherwise (LI-12).
    listing["csp_contact"] = listing["support_contact"].clone();
    listing["csp_materials_url"] = json!("https://notes.contoso.example/resellers");
    let mut properties = properties();
    properties["categories"] =
        json!([{"category": "containers", "subcategories": ["container-images"]}]);
    let pages = json!({
        "offer_setup": {"selling": "LIST_AND_SELL"},
        "properties": properties,
        "offer_listing": listing,
        "preview_audience": {"members": [{"kind": "SUBSCRIPTION", "id": id}]}
    });
    let base = json!({
        "plan_listing": {"summary": "One box", "description": "Everything"},
        "plan_pricing": {"markets": ["US"], "model": "BYOL", "audience": "PUBLIC"},
        "plan_technical_configuration": {"container": {"images": [
            {"repository": "docker.io/library/postgres", "tag": "16.4", "digest": format!("sha256:{:064x}", 1)}
        ]}}
    });
    draft("azureContainer", pages, vec![plan("base", base)])
}
