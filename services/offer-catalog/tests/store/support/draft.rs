//! A service that is sold through the marketplace: every page complete, a public plan and a private one.

use marketplace_runtime::clock;
use marketplace_runtime::ids::OfferName;
use offer_catalog::pages::{AssetKind, AssetState, PageId};
use offer_catalog::store;
use offer_catalog::store::assets::Stored;
use offer_catalog::store::pages::{Save, Secret};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Bench;

/// A complete draft.
pub struct Offer {
    pub name: OfferName,
    pub uid: Uuid,
    /// Digest of the logo's content.
    pub logo: String,
}

const DESCRIPTION: &str = "<p>Contoso Forge hosts the Git repositories of your team and tracks its issues in one place.</p>";

impl Bench {
    /// A complete draft of a service with the plans `team` (public) and `partner` (private).
    pub async fn complete(&self, id: &str) -> Offer {
        let name = self.offer(id, "softwareAsAService").await;
        let uid = self.read(&name).await.unwrap().uid;
        let logo = self
            .asset(&name, uid, "logo", AssetKind::LogoLarge, (300, 300))
            .await;
        self.asset(&name, uid, "screen", AssetKind::Screenshot, (1280, 720))
            .await;
        for (page, content) in offer_pages(&name) {
            self.save(uid, "", page, content).await;
        }
        for (plan, audience) in [("team", "PUBLIC"), ("partner", "PRIVATE")] {
            self.plan(&name, plan).await;
            let words = format!(
                "The {plan} plan is for those who keep their repositories and reviews in one place."
            );
            self.save(
                uid,
                plan,
                PageId::PlanListing,
                json!({"description": words}),
            )
            .await;
            self.save(
                uid,
                plan,
                PageId::PlanPricing,
                pricing(audience, &["11111111-1111-4111-8111-111111111111"]),
            )
            .await;
        }
        Offer { name, uid, logo }
    }

    /// A document; answers its digest.
    pub async fn document(&self, offer: &OfferName, uid: Uuid, id: &str) -> String {
        self.asset(offer, uid, id, AssetKind::Document, (1, 1))
            .await
    }

    /// A file of this content; answers its digest.
    async fn asset(
        &self,
        offer: &OfferName,
        uid: Uuid,
        id: &str,
        kind: AssetKind,
        size: (i32, i32),
    ) -> String {
        let content = format!("content of {id} of {offer}");
        let digest = self.contents.put(content.clone().into()).await.unwrap();
        let asset = Stored {
            offer_uid: uid,
            asset_id: id.into(),
            kind,
            state: AssetState::Processed,
            digest: digest.clone(),
            size_bytes: content.len() as i64,
            content_type: "image/png".into(),
            width: Some(size.0),
            height: Some(size.1),
            file_name: format!("{id}.png"),
            derived_from: String::new(),
            revision: 1,
            create_time: clock::now(),
        };
        assert!(
            self.run(async |db| store::assets::insert(db, &asset).await)
                .await
                .unwrap()
        );
        digest
    }

    /// Saves a page whatever its revision is.
    pub async fn save(&self, offer: Uuid, plan_id: &str, page: PageId, content: Value) {
        let saved = self
            .run(async |db| {
                let etag = store::pages::revision(db, offer, plan_id, page).await?;
                let save = Save {
                    offer,
                    plan_id,
                    page,
                    content,
                    etag,
                    secret: Secret::None,
                    by: "test",
                };
                store::pages::save(db, &save, clock::now()).await
            })
            .await;
        assert!(saved.unwrap().is_some());
    }
}

/// Prices of a plan; `tenants` may buy it where it is private.
pub fn pricing(audience: &str, tenants: &[&str]) -> Value {
    let mut page = json!({
        "markets": ["DE", "US"],
        "model": "FLAT_RATE",
        "prices": [{"term": "ONE_MONTH", "currency": "USD", "amount": "49.00"}],
        "audience": audience,
    });
    if audience == "PRIVATE" {
        page["private_audience"] = tenants
            .iter()
            .map(|id| json!({"kind": "TENANT", "id": id}))
            .collect();
    }
    page
}

/// The page that customers read, with this title.
pub fn listing(offer: &OfferName, title: &str) -> Value {
    let person = json!({"name": "Sam", "email": "sam@contoso.example", "phone": "+1 425 555 0100"});
    json!({
        "title": title,
        "summary": "Git hosting, code review and issue tracking for teams",
        "description": DESCRIPTION,
        "getting_started": "Open the landing page and sign in.",
        "keywords": ["git"],
        "privacy_policy_url": "https://forge.contoso.example/privacy",
        "support_contact": person,
        "support_url": "https://forge.contoso.example/support",
        "engineering_contact": person,
        "large_logo": format!("{offer}/assets/logo"),
        "screenshots": [{"asset": format!("{offer}/assets/screen"), "caption": "A pull request under review"}],
    })
}

fn offer_pages(offer: &OfferName) -> Vec<(PageId, Value)> {
    let leads = json!({"https_endpoint": {"url": "https://leads.contoso.example/in"}});
    vec![
        (
            PageId::OfferSetup,
            json!({"selling": "LIST_AND_SELL", "lead_destination": leads}),
        ),
        (
            PageId::Properties,
            json!({"categories": [{"category": "developer-tools"}], "legal": {"standard": {}}}),
        ),
        (PageId::OfferListing, listing(offer, "Contoso Forge")),
        (
            PageId::PreviewAudience,
            json!({"members": [{"kind": "EMAIL", "id": "tess@contoso.example"}]}),
        ),
        (
            PageId::TechnicalConfiguration,
            json!({
                "landing_page_url": "https://forge.contoso.example/landing",
                "webhook_url": "https://forge.contoso.example/webhook",
                "tenant_id": "3f1c9a52-6d0e-4b9d-8c53-0a7b8b0c2f11",
                "application_id": "7a2e4c1d-95b3-4f0a-a6de-2b1f8e9c3d44",
            }),
        ),
        (
            PageId::SupplementalContent,
            json!({"hosting": "OTHER_CLOUD"}),
        ),
    ]
}
