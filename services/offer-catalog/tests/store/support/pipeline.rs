//! What the publishing pipeline does to the catalogue: freezes, and news with orders.

use marketplace_messaging::Work;
use marketplace_runtime::clock;
use offer_catalog::commands::freezes::{self, Frozen};
use offer_catalog::commands::publications;
use offer_catalog::domain::deprecation::Deprecation;
use offer_catalog::domain::freeze::Wanted as Freeze;
use offer_catalog::domain::news::News;
use offer_catalog::domain::offer::{Publication, Status};
use offer_catalog::domain::order::{Order, OrderKey, Wanted};
use offer_catalog::error::Result;
use offer_catalog::store::listings::Served;
use offer_catalog::{due, store};
use tracing::Span;
use uuid::Uuid;

use super::{Bench, Offer, system};

/// A publication at a revision, for which nothing is said yet.
pub fn publication(revision: i64) -> Publication {
    Publication {
        status: Status::PublishInProgress,
        revision,
        preview_submission: None,
        live_submission: None,
        latest_submission: None,
    }
}

pub fn order(
    offer: &Offer,
    submission: Uuid,
    digest: &str,
    revision: i64,
    wanted: Wanted,
) -> Order {
    let step = wanted.as_str().to_owned();
    Order {
        key: OrderKey {
            submission,
            step,
            attempt: 1,
        },
        offer_uid: offer.uid,
        digest: digest.into(),
        publication_revision: revision,
        wanted,
    }
}

pub fn activation(digest: &str) -> Wanted {
    Wanted::Activation {
        certified: digest.into(),
        signed_off: digest.into(),
    }
}

impl Bench {
    /// Freezes the draft as it is now, with these plans stopped.
    pub async fn freeze(
        &self,
        offer: &Offer,
        submission: Uuid,
        stopped: &[&str],
    ) -> Result<Frozen> {
        let etag = self.read(&offer.name).await.map(|offer| offer.revision);
        let stopped = stopped.iter().map(|plan| (*plan).to_owned()).collect();
        self.freeze_as(
            offer,
            &Freeze {
                submission,
                etag,
                stopped,
                ..Freeze::default()
            },
        )
        .await
    }

    pub async fn freeze_as(&self, offer: &Offer, wanted: &Freeze) -> Result<Frozen> {
        let scope = system(&offer.name.publisher);
        self.run(async |db| freezes::freeze(db, &scope, &offer.name, wanted, clock::now()).await)
            .await
    }

    /// What FreezeOffer does for a dry run.
    pub async fn look(&self, offer: &Offer) -> Result<Frozen> {
        let scope = system(&offer.name.publisher);
        let wanted = Freeze {
            submission: Uuid::now_v7(),
            dry_run: true,
            keep_snapshot: true,
            ..Freeze::default()
        };
        let mut work = Work::begin(&self.db).await?;
        let now = clock::now();
        let frozen = freezes::freeze(&mut work, &scope, &offer.name, &wanted, now).await?;
        drop(work);
        if frozen.issues.is_empty() {
            let keep = async |db: &mut Work| {
                freezes::keep_for_a_look(db, &scope, &offer.name, &frozen, now).await
            };
            self.run(keep).await?;
        }
        Ok(frozen)
    }

    /// Gives a freeze back whose publish was refused.
    pub async fn release(&self, offer: &Offer, submission: Uuid) {
        let scope = system(&offer.name.publisher);
        self.run(async |db| {
            freezes::release(db, &scope, &offer.name, submission, clock::now()).await
        })
        .await
        .unwrap();
    }

    /// News of a publication.
    pub async fn news(&self, offer: &Offer, copy: Publication, open: &[Uuid], orders: Vec<Order>) {
        self.news_of(offer, copy, None, open, orders).await;
    }

    /// The live offer is about to leave, or stays.
    pub async fn deprecate(&self, offer: &Offer, revision: i64, told: Option<Deprecation>) {
        self.news_of(offer, publication(revision), told, &[], vec![])
            .await;
    }

    async fn news_of(
        &self,
        offer: &Offer,
        copy: Publication,
        deprecation: Option<Deprecation>,
        open: &[Uuid],
        orders: Vec<Order>,
    ) {
        let news = News {
            offer_uid: offer.uid,
            copy,
            deprecation,
            open: open.to_vec(),
            orders,
            canceled: vec![],
        };
        self.run(async |db| {
            publications::apply(db, &self.keys, vec![(news, Span::none())], clock::now()).await
        })
        .await
        .unwrap();
    }

    /// A submission that was frozen, prepared, and whose preview is served. Answers its digest.
    pub async fn previewed(&self, offer: &Offer, submission: Uuid, revision: i64) -> String {
        let digest = self
            .freeze(offer, submission, &[])
            .await
            .unwrap()
            .snapshot
            .digest;
        let orders = vec![order(offer, submission, &digest, revision, Wanted::Preview)];
        let latest = Publication {
            latest_submission: Some(submission),
            ..publication(revision)
        };
        self.news(offer, latest.clone(), &[submission], orders)
            .await;
        let reached = Publication {
            status: Status::Preview,
            revision: revision + 1,
            preview_submission: Some(submission),
            ..latest
        };
        self.news(offer, reached, &[submission], vec![]).await;
        digest
    }

    /// Asks for an activation and has it carried out.
    pub async fn activate(&self, offer: &Offer, submission: Uuid, digest: &str, revision: i64) {
        let order = order(offer, submission, digest, revision, activation(digest));
        let copy = Publication {
            preview_submission: Some(submission),
            latest_submission: Some(submission),
            ..publication(revision)
        };
        self.news(offer, copy, &[submission], vec![order.clone()])
            .await;
        due::activate(&self.db, &self.contents, &order)
            .await
            .unwrap();
    }

    /// What became of the activation of a submission.
    pub async fn answer(&self, key: &OrderKey) -> Option<offer_catalog::domain::order::Answer> {
        let mut db = self.db.acquire().await.unwrap();
        store::orders::find(&mut db, key)
            .await
            .unwrap()
            .and_then(|(_, answer)| answer)
    }

    /// Title and digest of the live listing.
    pub async fn live(&self, offer: &Offer) -> Option<(String, String)> {
        let mut db = self.db.acquire().await.unwrap();
        let (publisher, offer) = (&offer.name.publisher, &offer.name.offer);
        let served = Served::Live { publisher, offer };
        let (head, rows) = store::listings::served(&mut db, served).await.unwrap()?;
        let rows = rows.join();
        let title = rows["pages"]["offer_listing"]["title"]
            .as_str()
            .unwrap()
            .to_owned();
        Some((title, head.digest))
    }

    /// Tokens of the links in force.
    pub async fn tokens(&self, offer: &Offer, submission: Uuid) -> Vec<String> {
        let mut db = self.db.acquire().await.unwrap();
        let name = &offer.name;
        let found = store::previews::in_force(&mut db, &name.publisher, &name.offer, submission)
            .await
            .unwrap();
        let place = offer_catalog::commands::previews::place(offer.uid, submission);
        let open =
            |sealed: &[u8]| String::from_utf8(self.keys.open(&place, sealed).unwrap()).unwrap();
        found
            .into_iter()
            .map(|(_, link)| open(&link.sealed))
            .collect()
    }

    /// Whether a token opens a preview.
    pub async fn opens(&self, token: &str) -> bool {
        let token = offer_catalog::domain::token::PreviewToken::parse(token).unwrap();
        let mut db = self.db.acquire().await.unwrap();
        store::listings::served(&mut db, Served::Preview(&token.hash()))
            .await
            .unwrap()
            .is_some()
    }
}
