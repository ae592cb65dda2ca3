//! One try of a job: fetch the snapshot, its images and the publisher's facts, then run the checks. Nothing is written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use marketplace_messaging::Database;
use tokio::sync::Semaphore;

use crate::{
    checks::{self, Extent, Input, LeftOut, Reach, Seen, image},
    domain::{
        CheckResult, ImageFacts, Images, Job, JobKind, Matter, Opening, Policies, PublisherFacts,
        Rules, Snapshot, Switches, after_checks,
    },
    neighbours::{Blob, Catalog, Unusable},
    store,
};

/// Facts of images that are kept, by digest: content never changes under its digest.
const KEPT_IMAGES: usize = 4_096;
/// Images that are downloaded and decoded at once: each may take 8 MiB of bytes and 12 MiB of pixels.
const IMAGES_AT_ONCE: usize = 2;
/// Snapshots that are looked at for dry runs at once: orders come first.
const LOOKS_AT_ONCE: usize = 4;
/// The longest that one look may take.
const LOOK: Duration = Duration::from_secs(30);

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
    looks: Arc<Semaphore>,
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
            looks: Arc::new(Semaphore::new(LOOKS_AT_ONCE)),
        }
    }

    /// One try. Errors are the platform's: what a publisher did wrong is a finding.
    pub(super) async fn check(&self, db: &Database, job: &Job) -> anyhow::Result<Checked> {
        let matter = Matter::from(&job.order);
        let seen = match self.see(db, matter, Reach::Everything).await {
            Ok(seen) => seen,
            Err(error) => return tampered(error),
        };
        Ok(match job.order.kind {
            JobKind::Validate => Checked::Validated(seen.results),
            JobKind::Certify => Checked::Certified(Opening {
                digest: seen.digest,
                application_id: seen.application,
                results: seen.results,
            }),
        })
    }

    /// The same for a dry run: nothing comes of it. A few at a time, the others wait.
    pub async fn look(&self, db: &Database, matter: Matter, reach: Reach) -> anyhow::Result<Seen> {
        let _turn = self.looks.acquire().await?;
        tokio::time::timeout(LOOK, self.see(db, matter, reach))
            .await
            .unwrap_or_else(|_| Err(anyhow::anyhow!("took longer than {LOOK:?}")))
    }

    async fn see(&self, db: &Database, matter: Matter, reach: Reach) -> anyhow::Result<Seen> {
        let (bytes, digest) = self.catalog.snapshot(&matter.snapshot).await?;
        if digest != matter.digest {
            let wanted = matter.digest;
            return Err(Unusable::OtherSnapshot {
                wanted,
                found: digest,
            }
            .into());
        }
        let snapshot = Snapshot::read(&bytes)?;
        drop(bytes);
        let mut rules = Rules {
            policies: (*self.book.policies()).clone(),
            criteria: Vec::new(),
            switches: self.switches.clone(),
        };
        let application = checks::application_of(&snapshot, matter.transactable).to_owned();
        let (mut images, mut publisher) = (Images::new(), PublisherFacts::default());
        if reach == Reach::Everything {
            images = self.images(&snapshot, &matter.offer).await?;
            if matter.kind == JobKind::Certify {
                publisher = self
                    .publisher(db, &matter, &application, &mut rules)
                    .await?;
            }
        }
        let (results, left_out) = run(matter, reach, snapshot, publisher, images, rules).await?;
        let wanted = after_checks(&results, &self.switches);
        Ok(Seen {
            digest,
            application,
            results,
            left_out,
            wanted,
        })
    }

    /// The publisher's facts, asked at the catalog; criteria and the use of applications, known here.
    async fn publisher(
        &self,
        db: &Database,
        matter: &Matter,
        application: &str,
        rules: &mut Rules,
    ) -> anyhow::Result<PublisherFacts> {
        let own = async {
            let mut db = db.acquire().await?;
            store::eligibility_facts(&mut db, &matter.offer_type, &matter.publisher, application)
                .await
        };
        let (publisher, own) = tokio::join!(self.catalog.publisher(&matter.publisher), own);
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
    matter: Matter,
    reach: Reach,
    snapshot: Snapshot,
    publisher: PublisherFacts,
    images: Images,
    rules: Rules,
) -> anyhow::Result<(Vec<CheckResult>, Vec<LeftOut>)> {
    let extent = match matter.kind {
        JobKind::Validate => Extent::Validation,
        JobKind::Certify => Extent::Certification,
    };
    let work = move || {
        let input = Input {
            snapshot: &snapshot,
            publisher: &publisher,
            images: &images,
            notes: &matter.notes,
            transactable: matter.transactable,
            offer: &matter.offer,
        };
        checks::run(extent, reach, &input, &rules)
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
        let snapshot = Unusable::OtherSnapshot {
            wanted: "00".into(),
            found: "01".into(),
        };
        for changed in [content, snapshot, Unusable::Status(Box::new(told))] {
            assert!(matches!(tampered(changed.into()), Ok(Checked::Tampered(_))));
        }
        let away = Unusable::Status(Box::new(tonic::Status::unavailable("away")));
        for passing in [away.into(), anyhow::anyhow!("took too long")] {
            assert!(tampered(passing).is_err());
        }
    }
}
