//! What a submission has fixed of its offer: the content under the draft's revision, and the audiences
//! that it saw. Stops are stamped into the content, as often as the pipeline asks.

use std::collections::BTreeMap;

use uuid::Uuid;

/// Version of each audience by plan; '' is the preview's.
pub type Audiences = BTreeMap<String, i64>;

/// A freeze of an offer by a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    pub submission: Uuid,
    pub offer_uid: Uuid,
    pub draft_revision: i64,
    /// Digest of the first snapshot: its content counts, whatever stops are stamped later.
    pub content_digest: String,
    /// Digest of the newest snapshot.
    pub digest: String,
    pub plans: Vec<String>,
    pub audiences: Audiences,
    /// Given back: a later freeze of the submission begins anew.
    pub released: bool,
}

/// What is asked of a freeze.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub submission: Uuid,
    /// Draft revision that the publisher saw; counts for the first freeze of a draft only.
    pub etag: Option<i64>,
    pub stopped: Vec<String>,
    pub restored: Vec<String>,
    /// Digest of the newest submission's snapshot.
    pub previous: Option<String>,
    /// Digest of an earlier snapshot whose content is taken instead of the draft's (rollback).
    pub source: Option<String>,
    /// Plans that are live and not being stopped.
    pub live_plans: Vec<String>,
    pub dry_run: bool,
    /// With `dry_run`: incomplete pages are answered, not refused, and the snapshot is kept for a while.
    pub keep_snapshot: bool,
}
