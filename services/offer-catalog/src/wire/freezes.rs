//! FreezeOffer, snapshots and the secrets of lead destinations on the wire.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_runtime::ids::{OfferName, SnapshotName};
use marketplace_runtime::status::Violation;

use super::{etag, submission, time, violations};
use crate::commands::freezes::Frozen;
use crate::domain::freeze::Wanted;
use crate::domain::profile::ProfilePlan;
use crate::domain::snapshot::Content;
use crate::store::snapshots::Stored;
use crate::wire::{offers, pages};

/// The most bytes of a snapshot that travel in one message.
pub const CHUNK: usize = 1024 * 1024;

/// What is asked of a freeze.
pub fn freeze(request: &pb::FreezeOfferRequest) -> Result<(OfferName, Wanted), Vec<Violation>> {
    let mut wrong = violations();
    let offer = wrong.take(OfferName::parse(&request.offer, "offer"));
    let submitted = wrong.take(submission(&request.submission, "submission"));
    if let (Some(offer), Some((name, _))) = (&offer, &submitted)
        && name.parent() != *offer
    {
        wrong.add(Violation::new("submission", "is of another offer").because("OTHER_PARENT"));
    }
    let etag = wrong.take(etag(&request.etag, "etag"));
    if request.keep_snapshot && !request.dry_run {
        wrong.add(Violation::new("keep_snapshot", "is for dry runs").because("CONFLICTING_FIELDS"));
    }
    let previous = wrong.take(snapshot_of(
        &request.previous_snapshot,
        offer.as_ref(),
        "previous_snapshot",
    ));
    let source = wrong.take(snapshot_of(&request.source, offer.as_ref(), "source"));
    let read = || {
        let wanted = Wanted {
            submission: submitted?.1,
            etag: etag?,
            stopped: request.stopped_plans.clone(),
            restored: request.restored_plans.clone(),
            previous: previous?,
            source: source?,
            live_plans: request.live_plans.clone(),
            dry_run: request.dry_run,
            keep_snapshot: request.keep_snapshot,
        };
        Some((offer?, wanted))
    };
    let read = read();
    wrong.finish(read)
}

/// The digest of a snapshot of this offer; `None`: unset.
fn snapshot_of(
    text: &str,
    offer: Option<&OfferName>,
    field: &str,
) -> Result<Option<String>, Violation> {
    if text.is_empty() {
        return Ok(None);
    }
    let name = SnapshotName::parse(text, field)?;
    let same =
        offer.is_none_or(|offer| offer.publisher == name.publisher && offer.offer == name.offer);
    if same {
        Ok(Some(name.snapshot))
    } else {
        Err(Violation::new(field, "is of another offer").because("OTHER_PARENT"))
    }
}

/// Of a draft with more the first are told: ReviewOffer tells all, in pages.
const MOST_ISSUES: usize = 1_000;

/// What a freeze answers.
pub fn frozen(frozen: &Frozen) -> pb::FreezeOfferResponse {
    pb::FreezeOfferResponse {
        profile: Some(profile(frozen)),
        draft_etag: frozen.offer.etag(),
        issues: frozen
            .issues
            .iter()
            .take(MOST_ISSUES)
            .map(pages::issue)
            .collect(),
    }
}

/// What the pipeline needs to know of a snapshot.
fn profile(frozen: &Frozen) -> pb::SubmissionProfile {
    let (offer, profile) = (&frozen.offer, &frozen.profile);
    let kind = profile.offer_type;
    pb::SubmissionProfile {
        snapshot: SnapshotName::new(&offer.publisher, &offer.id, &frozen.snapshot.digest)
            .to_string(),
        digest: frozen.snapshot.digest.clone(),
        pages_changed: profile
            .pages_changed
            .iter()
            .map(|page| pages::page_id(*page) as i32)
            .collect(),
        offer_type: kind.id.clone(),
        offer_title: profile.offer_title.clone(),
        offer_uid: offer.uid.to_string(),
        transactable: profile.transactable,
        lead_destination_kind: profile.lead_destination_kind.unwrap_or_default().to_owned(),
        storefronts: profile
            .storefronts
            .iter()
            .map(|front| offers::storefront(*front) as i32)
            .collect(),
        plans: profile.plans.iter().map(plan).collect(),
        certification_leg: offers::leg(kind.certification_leg) as i32,
        extra_steps: kind.extra_steps.clone(),
        requires_testing_notes: kind.requires_testing_notes,
        changed: profile.changed,
        stop_notice_days: kind.stop_notice_days,
        help_links: kind.help_links.iter().map(offers::help_link).collect(),
    }
}

fn plan(plan: &ProfilePlan) -> pb::ProfilePlan {
    pb::ProfilePlan {
        plan_id: plan.plan_id.clone(),
        name: plan.name.clone(),
        private: plan.private,
        stopped: plan.stopped,
        technical_parent: plan.technical_parent.clone().unwrap_or_default(),
    }
}

/// What comes before a snapshot's bytes.
pub fn head(name: &SnapshotName, stored: &Stored) -> pb::SnapshotHead {
    pb::SnapshotHead {
        name: name.to_string(),
        digest: stored.digest.clone(),
        format: u32::try_from(stored.format).unwrap_or_default(),
        size_bytes: stored.bytes.len() as u64,
        create_time: time(stored.create_time),
    }
}

/// Head and chunks of a snapshot.
pub fn snapshot(name: &SnapshotName, stored: &Stored) -> Vec<pb::GetSnapshotResponse> {
    use pb::get_snapshot_response::Part;
    let head = std::iter::once(Part::Head(head(name, stored)));
    let chunks = stored
        .bytes
        .chunks(CHUNK)
        .map(|chunk| Part::Chunk(chunk.to_vec()));
    head.chain(chunks)
        .map(|part| pb::GetSnapshotResponse { part: Some(part) })
        .collect()
}

/// Where leads go, with the secret in its place; `None`: nowhere.
pub fn lead_destination(content: &Content, secret: Option<String>) -> Option<pb::LeadDestination> {
    let leads = content
        .pages
        .offer_setup
        .as_ref()?
        .lead_destination
        .as_ref()?;
    leads.kind()?;
    Some(pages::open_destination(leads, &secret.unwrap_or_default()))
}
