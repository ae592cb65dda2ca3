//! FreezeOffer: the content of a submission, fixed as an immutable snapshot.
//!
//! The first freeze of a submission takes the draft under its etag, or for a rollback the content of an earlier snapshot.
//! Every later freeze of the same submission ignores both and only stamps the given stops and restores into that
//! content, so that equal arguments give the same snapshot.

use std::collections::{BTreeMap, BTreeSet};

use marketplace_messaging::Work;
use marketplace_runtime::access::Scope;
use marketplace_runtime::ids::OfferName;
use marketplace_runtime::status::Violation;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::domain::audience::Audience;
use crate::domain::draft::{Draft, DraftPlan};
use crate::domain::freeze::{Audiences, Freeze, Wanted};
use crate::domain::offer::Offer;
use crate::domain::profile::Profile;
use crate::domain::refusal::Refusal;
use crate::domain::snapshot::{self, Content};
use crate::domain::{PageStatus, Published, Review, review};
use crate::error::{Error, Result};
use crate::pages::{Asset, AssetState, Issue, Severity};
use crate::store::pages::{Loaded, Selection};
use crate::store::{self, snapshots::Stored};

/// The most violations that a refusal carries; ReviewOffer has the rest.
const MOST_VIOLATIONS: usize = 20;
/// How long a dry run can look at what was frozen for it.
const LOOK: Duration = Duration::hours(24);

/// What a freeze answers.
pub struct Frozen {
    pub offer: Offer,
    pub snapshot: Stored,
    /// Digests of the contents that the snapshot names.
    pub assets: Vec<String>,
    pub profile: Profile,
    /// Errors of its pages, for a dry run that asked for them.
    pub issues: Vec<Issue>,
}

/// What the first freeze has fixed.
struct Fixed {
    content: Content,
    audiences: Audiences,
    draft_revision: i64,
    /// Digest of the first snapshot; `None` while there is none.
    digest: Option<String>,
    /// Errors of its pages, where they are no refusal.
    issues: Vec<Issue>,
}

/// Freezes an offer for a submission. For `dry_run` the door doesn't commit.
pub async fn freeze(
    db: &mut Work,
    scope: &Scope,
    name: &OfferName,
    wanted: &Wanted,
    now: OffsetDateTime,
) -> Result<Frozen> {
    let found = store::offers::lock(db, scope, name, now).await?;
    let (offer, _) = found.ok_or_else(|| Error::not_found("Offer", name))?;
    let fixed = match store::freezes::get(db, wanted.submission).await? {
        Some(before) if before.offer_uid != offer.uid => {
            return Err(Error::not_found(
                "Submission",
                name.submission(wanted.submission),
            ));
        }
        Some(before) if !before.released => refrozen(db, before).await?,
        _ => match &wanted.source {
            Some(source) => rolled_back(db, &offer, source, &wanted.live_plans, now).await?,
            None => drafted(db, &offer, wanted, now).await?,
        },
    };
    // T31, T32: the pipeline names every plan that isn't to be sold, whatever customers can buy today.
    let named = |plans: &[String], id: &str| plans.iter().any(|plan| plan == id);
    let is_stopped = |id: &str| named(&wanted.stopped, id) && !named(&wanted.restored, id);
    let content = fixed.content.clone().with_stops(is_stopped);
    let encoded = snapshot::encode(&content).map_err(Error::corrupt)?;
    let profile = profile(db, &offer, &content, &fixed, wanted).await?;
    let snapshot = Stored {
        offer_uid: offer.uid,
        digest: encoded.digest,
        format: i32::try_from(snapshot::FORMAT).map_err(Error::corrupt)?,
        bytes: encoded.bytes,
        create_time: now,
    };
    let assets: Vec<String> = content
        .assets
        .iter()
        .map(|asset| asset.digest.clone())
        .collect();
    if !wanted.keep_snapshot {
        keep(db, wanted.submission, &fixed, &snapshot, &assets).await?;
    }
    Ok(Frozen {
        offer,
        snapshot,
        assets,
        profile,
        issues: fixed.issues,
    })
}

/// Keeps what a dry run is to look at. The offer and its plans are as they were: they can be deleted, and this goes with
/// them.
pub async fn keep_for_a_look(
    db: &mut Work,
    scope: &Scope,
    name: &OfferName,
    frozen: &Frozen,
    now: OffsetDateTime,
) -> Result<()> {
    let found = store::offers::lock(db, scope, name, now).await?;
    if found.is_none_or(|(offer, _)| offer.uid != frozen.offer.uid) {
        return Err(Error::not_found("Offer", name));
    }
    let expires = Some(now + LOOK);
    store::snapshots::keep(db, &frozen.snapshot, &frozen.assets, expires).await
}

async fn refrozen(db: &mut Work, before: Freeze) -> Result<Fixed> {
    let content = content(db, before.offer_uid, &before.content_digest).await?;
    let content = content.ok_or_else(|| Error::corrupt("the snapshot of a freeze is gone"))?;
    let Freeze {
        audiences,
        draft_revision,
        content_digest,
        ..
    } = before;
    Ok(Fixed {
        content,
        audiences,
        draft_revision,
        digest: Some(content_digest),
        issues: Vec::new(),
    })
}

async fn drafted(
    db: &mut Work,
    offer: &Offer,
    wanted: &Wanted,
    now: OffsetDateTime,
) -> Result<Fixed> {
    match wanted.etag {
        Some(etag) if etag != offer.revision => {
            return Err(Error::StaleEtag {
                current: offer.etag(),
            });
        }
        None if !wanted.dry_run => return Err(Violation::missing("etag").into()),
        _ => {}
    }
    let loaded = load(db, offer, None, now).await?;
    let errors = errors(&loaded.draft, &loaded.published);
    let issues = match errors {
        Some(errors) if wanted.keep_snapshot => errors.issues,
        Some(errors) => return Err(errors.into()),
        None => Vec::new(),
    };
    let content = Content::of(&loaded.draft);
    let audiences = audiences(db, offer, &content, &loaded.draft, now).await?;
    Ok(Fixed {
        content,
        audiences,
        draft_revision: offer.revision,
        digest: None,
        issues,
    })
}

/// The content of an earlier snapshot, checked by today's rules. Audiences are those of now: they are no content.
async fn rolled_back(
    db: &mut Work,
    offer: &Offer,
    source: &str,
    live: &[String],
    now: OffsetDateTime,
) -> Result<Fixed> {
    let content = content(db, offer.uid, source).await?;
    let content = content.ok_or_else(|| {
        Error::not_found("Snapshot", format!("{}/snapshots/{source}", offer.name()))
    })?;
    if live.iter().any(|plan| content.plan(plan).is_none()) {
        return Err(Refusal::SourceLacksPlan.into());
    }
    let application = content
        .pages
        .technical_configuration
        .as_ref()
        .map(|page| page.application_id.as_str());
    let Loaded {
        draft, published, ..
    } = load(db, offer, application, now).await?;
    let draft = as_draft(&content, draft);
    if let Some(errors) = errors(&draft, &published) {
        return Err(errors.into());
    }
    let audiences = audiences(db, offer, &content, &draft, now).await?;
    // A rollback submits nothing of the draft: whatever it holds differs from what is published.
    Ok(Fixed {
        content,
        audiences,
        draft_revision: 0,
        digest: None,
        issues: Vec::new(),
    })
}

/// An earlier content with the audiences of today, so that the page rules can look at it.
fn as_draft(content: &Content, today: Draft) -> Draft {
    let saved: BTreeMap<&str, &DraftPlan> = today
        .plans
        .iter()
        .map(|plan| (plan.plan_id.as_str(), plan))
        .collect();
    let plans = content.plans.iter().map(|plan| {
        let mut pages = plan.pages.clone();
        let saved = saved.get(plan.plan_id.as_str());
        let audience = saved.and_then(|saved| saved.pages.plan_pricing.as_ref());
        if let (Some(pricing), Some(audience)) = (&mut pages.plan_pricing, audience) {
            pricing
                .private_audience
                .clone_from(&audience.private_audience);
        }
        let (plan_id, display_name, subtype) = (
            plan.plan_id.clone(),
            plan.display_name.clone(),
            plan.subtype.clone(),
        );
        DraftPlan {
            plan_id,
            display_name,
            subtype,
            pages,
            audience: saved.and_then(|saved| saved.audience.clone()),
        }
    });
    let mut pages = content.pages.clone();
    pages
        .preview_audience
        .clone_from(&today.pages.preview_audience);
    let asset = |content: &crate::pages::AssetContent| {
        (
            content.name.clone(),
            Asset {
                state: AssetState::Processed,
                content: content.clone(),
            },
        )
    };
    Draft {
        plans: plans.collect(),
        pages,
        assets: content.assets.iter().map(asset).collect(),
        lead_secret: content.secrets.get(snapshot::LEAD_DESTINATION).copied(),
        ..today
    }
}

/// The draft and what it is held against, all of it.
async fn load(
    db: &mut Work,
    offer: &Offer,
    application: Option<&str>,
    now: OffsetDateTime,
) -> Result<Loaded> {
    let system = Scope::system(&offer.publisher);
    let selection = Selection {
        application,
        ..Selection::WHOLE
    };
    let found = store::pages::load(db, &system, &offer.name(), &selection, now).await?;
    let (loaded, _) = found.ok_or_else(|| Error::corrupt("the locked offer is gone"))?;
    Ok(loaded)
}

/// What keeps a draft from being frozen.
struct Errors {
    issues: Vec<Issue>,
    /// Titles of the pages that aren't complete.
    pages: Vec<String>,
}

impl From<Errors> for Error {
    fn from(errors: Errors) -> Error {
        let Errors { issues, pages } = errors;
        Error::PagesIncomplete {
            total: issues.len(),
            pages,
            violations: issues.iter().take(MOST_VIOLATIONS).map(violation).collect(),
        }
    }
}

/// PG-5: every page that applies is complete, or these are its errors.
fn errors(draft: &Draft, published: &Published) -> Option<Errors> {
    let Review {
        issues,
        complete,
        pages,
    } = review(draft, published);
    if complete {
        return None;
    }
    let incomplete: BTreeSet<_> = pages
        .iter()
        .filter(|page| !is_complete(page.status))
        .map(|page| page.page)
        .collect();
    let is_error = |issue: &Issue| issue.severity == Severity::Error;
    Some(Errors {
        issues: issues.into_iter().filter(is_error).collect(),
        pages: incomplete
            .into_iter()
            .map(|page| page.title().to_owned())
            .collect(),
    })
}

fn is_complete(status: PageStatus) -> bool {
    matches!(
        status,
        PageStatus::Complete | PageStatus::UnpublishedChanges
    )
}

fn violation(issue: &Issue) -> Violation {
    let plan = issue
        .plan_id
        .as_ref()
        .map(|plan| format!("plans/{plan}/"))
        .unwrap_or_default();
    let dot = if issue.field.is_empty() { "" } else { "." };
    let field = format!("{plan}{}{dot}{}", issue.page.as_str(), issue.field);
    Violation::new(field, format!("{}; {}", issue.message, issue.remedy)).because(issue.code)
}

/// Keeps a version of each audience as it is saved now (SY-6, PA-4).
async fn audiences(
    db: &mut Work,
    offer: &Offer,
    content: &Content,
    draft: &Draft,
    now: OffsetDateTime,
) -> Result<Audiences> {
    let mut seen = Audiences::new();
    if let Some(page) = &draft.pages.preview_audience {
        let version =
            store::audiences::keep(db, offer.uid, "", &Audience::of_members(&page.members), now)
                .await?;
        seen.insert(String::new(), version);
    }
    for plan in &draft.plans {
        let private = content
            .plan(&plan.plan_id)
            .and_then(|plan| plan.pages.plan_pricing.as_ref());
        let saved = plan
            .pages
            .plan_pricing
            .as_ref()
            .filter(|_| private.is_some_and(|pricing| pricing.is_private()));
        if let Some(pricing) = saved {
            let audience = if plan.audience.is_some() {
                let members = store::pages::members(db, offer.uid, &plan.plan_id).await?;
                Audience::of_members(&members)
            } else {
                Audience::of_members(&pricing.private_audience)
            };
            let version =
                store::audiences::keep(db, offer.uid, &plan.plan_id, &audience, now).await?;
            seen.insert(plan.plan_id.clone(), version);
        }
    }
    Ok(seen)
}

async fn profile(
    db: &mut Work,
    offer: &Offer,
    content: &Content,
    fixed: &Fixed,
    wanted: &Wanted,
) -> Result<Profile> {
    let previous = match &wanted.previous {
        Some(digest) => previous(db, offer.uid, digest).await?,
        None => None,
    };
    let mut seen = match &wanted.previous {
        Some(digest) => {
            store::freezes::audiences_of(db, offer.uid, digest, wanted.submission).await?
        }
        None => Audiences::new(),
    };
    // Synced since, they are served already.
    for (plan, version) in store::plans::synced(db, offer.uid).await? {
        seen.entry(plan)
            .and_modify(|seen| *seen = version.max(*seen));
    }
    let preview_changed = fixed.audiences.get("") != seen.get("");
    let mut profile =
        Profile::of(content, previous.as_ref(), preview_changed).map_err(Error::corrupt)?;
    // SY-3, A30: a private audience alone is a reason to publish as well.
    profile.changed |= fixed.audiences != seen;
    Ok(profile)
}

/// The content of an earlier submission. One that is damaged differs from any other: it must not keep the publisher from
/// publishing again (T23).
pub(super) async fn previous(
    db: &mut sqlx::PgConnection,
    offer: Uuid,
    digest: &str,
) -> Result<Option<Content>> {
    match content(db, offer, digest).await {
        Err(error @ (Error::Corrupt(_) | Error::Damaged(_))) => {
            tracing::error!(%error, offer.uid = %offer, "the snapshot before can't be compared with");
            Ok(None)
        }
        read => read,
    }
}

async fn keep(
    db: &mut Work,
    submission: Uuid,
    fixed: &Fixed,
    snapshot: &Stored,
    assets: &[String],
) -> Result<()> {
    store::snapshots::keep(db, snapshot, assets, None).await?;
    let plans: Vec<String> = fixed
        .content
        .plans
        .iter()
        .map(|plan| plan.plan_id.clone())
        .collect();
    let freeze = Freeze {
        submission,
        offer_uid: snapshot.offer_uid,
        draft_revision: fixed.draft_revision,
        content_digest: fixed
            .digest
            .clone()
            .unwrap_or_else(|| snapshot.digest.clone()),
        digest: snapshot.digest.clone(),
        plans,
        audiences: fixed.audiences.clone(),
        released: false,
    };
    store::freezes::save(db, &freeze, snapshot.create_time).await?;
    store::plans::mark_frozen(db, freeze.offer_uid, &freeze.plans).await
}

/// Gives back the freeze of a submission that never began: the publish was refused after it. Of an offer that is gone,
/// and of a submission that never froze it, there is nothing to give back.
pub async fn release(
    db: &mut Work,
    scope: &Scope,
    name: &OfferName,
    submission: Uuid,
    now: OffsetDateTime,
) -> Result<()> {
    match store::offers::lock(db, scope, name, now).await? {
        Some((offer, _)) => store::freezes::release(db, offer.uid, submission, now).await,
        None => Ok(()),
    }
}

/// The content of a stored snapshot, if it still is what was stored.
pub async fn content(
    db: &mut sqlx::PgConnection,
    offer: Uuid,
    digest: &str,
) -> Result<Option<Content>> {
    let Some(stored) = store::snapshots::of_offer(db, offer, digest).await? else {
        return Ok(None);
    };
    Ok(Some(snapshot::read(&stored.bytes, &stored.digest)?))
}
