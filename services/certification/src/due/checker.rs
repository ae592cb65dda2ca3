//! One try of a job: fetch the snapshot, its images and the publisher's facts, then run the checks. Nothing is written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use marketplace_messaging::Database;
use tokio::sync::Semaphore;

use crate::{
    checks::{self, Extent, Input, image},
    domain::{
        CheckResult, ImageFacts, Images, Job, JobKind, Opening, Policies, PublisherFacts, Rules,
        Snapshot, Switches,
    },
    neighbours::{Blob, Catalog, Unusable},
    store,
};

/// Facts of images that are kept, by digest: content never changes under its digest.
const KEPT_IMAGES: usize = 4_096;
/// Images that are downloaded and decoded at once: each may take 8 MiB of bytes and 12 MiB of pixels.
const IMAGES_AT_ONCE: usize = 2;

/// What a try came to.
pub enum Checked {
    Validated(Vec<CheckResult>),
    Certified(Opening),
    /// The snapshot or a file of it isn't what was frozen (PB-1): it will not be, however often it is tried.
    Tampered(String),
}

/// The policies, as of the last reading; shared by all doors.
#[derive(Clone, Default)]
pub struct RuleBook(Arc<RwLock<Arc<Policies>>>);

impl RuleBook {
    /// The policies of now.
    pub fn policies(&self) -> Arc<Policies> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads them anew.
    pub async fn refresh(&self, db: &Database) -> Result<(), sqlx::Error> {
        let policies = store::policies(&mut *db.acquire().await?).await?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policies);
        Ok(())
    }
}

/// Runs the checks of jobs. Cheap to clone.
#[derive(Clone)]
pub struct Checker {
    catalog: Catalog,
    book: RuleBook,
    switches: Switches,
    seen: Arc<Mutex<HashMap<String, ImageFacts>>>,
    decoders: Arc<Semaphore>,
}

impl Checker {
    pub fn new(catalog: Catalog, book: RuleBook, switches: Switches) -> Checker {
        let decoders = Arc::new(Semaphore::new(IMAGES_AT_ONCE));
        Checker {
            catalog,
            book,
            switches,
            seen: Arc::default(),
            decoders,
        }
    }

    /// One try. Errors are the platform's: what a publisher did wrong is a finding.
    pub(super) async fn check(&self, db: &Database, job: &Job) -> anyhow::Result<Checked> {
        let order = &job.order;
        let (bytes, digest) = match self.catalog.snapshot(&order.snapshot).await {
            Ok(read) => read,
            Err(error) => return tampered(error.into()),
        };
        if digest != order.digest {
            return Ok(Checked::Tampered(format!(
                "the snapshot has the digest {digest}, not {}",
                order.digest
            )));
        }
        let snapshot = Snapshot::read(&bytes)?;
        drop(bytes);
        let images = match self.images(&snapshot, &order.offer).await {
            Ok(images) => images,
            Err(error) => return tampered(error),
        };
        let policies = self.book.policies();
        let mut rules = Rules {
            policies: (*policies).clone(),
            criteria: Vec::new(),
            switches: self.switches.clone(),
        };
        let application = checks::application_of(&snapshot, order.transactable).to_owned();
        let publisher = match order.kind {
            JobKind::Validate => PublisherFacts::default(),
            JobKind::Certify => self.publisher(db, job, &application, &mut rules).await?,
        };
        let results = run(job, snapshot, publisher, images, rules).await?;
        Ok(match order.kind {
            JobKind::Validate => Checked::Validated(results),
            JobKind::Certify => Checked::Certified(Opening {
                digest,
                application_id: application,
                results,
            }),
        })
    }

    /// The publisher's facts, asked at the catalog; criteria and the use of applications, known here.
    async fn publisher(
        &self,
        db: &Database,
        job: &Job,
        application: &str,
        rules: &mut Rules,
    ) -> anyhow::Result<PublisherFacts> {
        let order = &job.order;
        let own = async {
            let mut db = db.acquire().await?;
            store::eligibility_facts(&mut db, &order.offer_type, &order.publisher, application)
                .await
        };
        let (publisher, own) = tokio::join!(self.catalog.publisher(&order.publisher), own);
        let (mut publisher, own) = (publisher?, own?);
        rules.criteria = own.criteria;
        publisher.application_owner = own.application_owner;
        publisher.other_application = own.other_application;
        Ok(publisher)
    }

    /// Facts of every picture that the snapshot names.
    async fn images(&self, snapshot: &Snapshot, offer: &str) -> anyhow::Result<Images> {
        let mut images = Images::new();
        for asset in snapshot.assets.iter().filter(|asset| asset.is_image()) {
            if !images.contains_key(&asset.digest) {
                images.insert(
                    asset.digest.clone(),
                    self.image(offer, &asset.digest, asset.size_bytes).await?,
                );
            }
        }
        Ok(images)
    }

    async fn image(&self, offer: &str, digest: &str, size: i64) -> anyhow::Result<ImageFacts> {
        if let Some(known) = self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(digest)
        {
            return Ok(known.clone());
        }
        if usize::try_from(size).is_ok_and(|size| size > image::MAX_BYTES) {
            return Ok(ImageFacts::TooLarge);
        }
        let permit = self.decoders.acquire().await?;
        let facts = match self.catalog.image(offer, digest).await? {
            Blob::TooLarge => ImageFacts::TooLarge,
            Blob::Whole(bytes) => tokio::task::spawn_blocking(move || image::look(&bytes)).await?,
        };
        drop(permit);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= KEPT_IMAGES {
            seen.clear();
        }
        seen.insert(digest.to_owned(), facts.clone());
        Ok(facts)
    }
}

/// A try that failed because what was frozen has changed has an answer; any other is made again.
fn tampered(error: anyhow::Error) -> anyhow::Result<Checked> {
    match error.downcast_ref().and_then(Unusable::tampered) {
        Some(what) => Ok(Checked::Tampered(what)),
        None => Err(error),
    }
}

/// The checks compute for milliseconds: not on a thread that serves calls.
async fn run(
    job: &Job,
    snapshot: Snapshot,
    publisher: PublisherFacts,
    images: Images,
    rules: Rules,
) -> anyhow::Result<Vec<CheckResult>> {
    let order = job.order.clone();
    let extent = match order.kind {
        JobKind::Validate => Extent::Validation,
        JobKind::Certify => Extent::Certification,
    };
    let work = move || {
        let input = Input {
            snapshot: &snapshot,
            publisher: &publisher,
            images: &images,
            notes: &order.notes,
            transactable: order.transactable,
            offer: &order.offer,
        };
        checks::run(extent, &input, &rules)
    };
    Ok(tokio::task::spawn_blocking(work).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use marketplace_runtime::status;

    #[test]
    fn pb1_what_has_changed_is_an_answer_and_what_failed_is_tried_again() {
        let content = Unusable::OtherContent {
            wanted: "00".into(),
            found: "01".into(),
        };
        let told = status::failed_precondition("catalog", "DIGEST_MISMATCH", "changed", &[]);
        for changed in [content, Unusable::Status(Box::new(told))] {
            assert!(matches!(tampered(changed.into()), Ok(Checked::Tampered(_))));
        }
        let away = Unusable::Status(Box::new(tonic::Status::unavailable("away")));
        for passing in [away.into(), anyhow::anyhow!("took too long")] {
            assert!(tampered(passing).is_err());
        }
    }
}
