//! Whole pages as answers: after a save, when read, and as the tree of an offer.

use std::ops::Range;

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::get_offer_tree_response::Part as WirePart;
use marketplace_runtime::status::Violation;

use super::{issue, page_review, write};
use crate::commands::pages::{SavedPage, etag};
use crate::domain::completeness::Review;
use crate::domain::draft::Draft;
use crate::domain::offer::Offer;
use crate::domain::plan::Plan;
use crate::domain::snapshot::Content;
use crate::pages::{AssetState, Page, PageId};
use crate::store::pages::Loaded;
use crate::store::plans::Standing;
use crate::wire;

/// One message of an offer's tree.
pub type Part = WirePart;

/// A page was saved.
pub fn saved(parent: &str, saved: &SavedPage) -> pb::UpdatePageResponse {
    let page = pb::Page {
        parent: parent.to_owned(),
        etag: etag(saved.revision),
        save_time: wire::time(saved.save_time),
        page: Some(write(&saved.page, saved.has_secret)),
    };
    pb::UpdatePageResponse {
        page: Some(page),
        offer_etag: saved.offer_revision.to_string(),
        issues: saved.issues.iter().map(issue).collect(),
    }
}

/// A page of a draft; one that was never saved is empty and has no etag.
pub fn page(loaded: &Loaded, id: PageId, plan_id: &str, parent: &str) -> pb::Page {
    let row = loaded.saved(id, plan_id);
    let page = loaded.page(id, plan_id).or_else(|| Page::empty(id));
    let secret = row.is_some_and(|row| row.secret_version.is_some());
    pb::Page {
        parent: parent.to_owned(),
        etag: etag(row.map_or(0, |row| row.revision)),
        save_time: row.and_then(|row| wire::time(row.save_time)),
        page: page.map(|page| write(&page, secret)),
    }
}

/// A page that the offer doesn't have there.
pub fn no_such_page(page: PageId) -> Violation {
    Violation::new(
        "page_id",
        format!("{} is no page of this parent", page.title()),
    )
    .because("PAGE_NOT_APPLICABLE")
}

/// The Review and publish page with the issues of one range.
pub fn review(
    draft: &Draft,
    review: &Review,
    range: Range<usize>,
    next_page_token: String,
) -> pb::ReviewOfferResponse {
    let issues = review.issues.iter().skip(range.start).take(range.len());
    pb::ReviewOfferResponse {
        offer_etag: draft.revision.to_string(),
        pages: review.pages.iter().map(page_review).collect(),
        issues: issues.map(issue).collect(),
        next_page_token,
        total_issues: i32::try_from(review.issues.len()).unwrap_or(i32::MAX),
        complete: review.complete,
        requires_testing_notes: draft.offer_type.requires_testing_notes,
        help_links: draft
            .offer_type
            .help_links
            .iter()
            .map(wire::offers::help_link)
            .collect(),
    }
}

/// How a draft stands.
pub fn standing(
    loaded: &Loaded,
    review: &Review,
    plans: &[Standing],
) -> pb::GetDraftStandingResponse {
    let live = loaded.published.live.as_ref();
    let was_live = |id: &str| {
        live.and_then(|live| live.plan(id))
            .is_some_and(|plan| !plan.stopped)
    };
    let plan = |plan: &Standing| pb::PlanStanding {
        plan_id: plan.plan_id.clone(),
        name: plan.display_name.clone(),
        deletable: !plan.held,
        live_private: plan.live_private,
        was_live: was_live(&plan.plan_id),
    };
    pb::GetDraftStandingResponse {
        offer_uid: loaded.draft.offer.uid.to_string(),
        offer_type: Some(wire::offers::offer_type(loaded.draft.offer_type)),
        pages: review.pages.iter().map(page_review).collect(),
        complete: review.complete,
        plans: plans.iter().map(plan).collect(),
    }
}

/// A message of GetOfferTree.
pub fn tree(part: Part) -> pb::GetOfferTreeResponse {
    pb::GetOfferTreeResponse { part: Some(part) }
}

/// Everything that was saved: the offer, its pages, then each plan with its pages; the files of the draft at the end.
pub fn draft_tree(offer: &Offer, loaded: &Loaded, plans: &[Plan]) -> Vec<Part> {
    let mut parts = vec![Part::Offer(wire::offers::offer(offer))];
    let name = offer.name();
    let saved = |plan_id: &str, parent: &str| -> Vec<Part> {
        let rows = PageId::ALL
            .into_iter()
            .filter(|&id| loaded.saved(id, plan_id).is_some());
        rows.map(|id| Part::Page(page(loaded, id, plan_id, parent)))
            .collect()
    };
    parts.extend(saved("", &name.to_string()));
    for plan in plans {
        parts.push(Part::Plan(wire::plans::plan(&name, plan)));
        parts.extend(saved(&plan.id, &name.plan(&plan.id).to_string()));
    }
    let assets = loaded.draft.assets.values();
    parts.extend(
        assets.map(|asset| Part::Asset(wire::assets::content(&asset.content, asset.state))),
    );
    parts
}

/// The same of a snapshot. Pages in it have neither etags nor times.
pub fn content_tree(offer: &Offer, content: &Content) -> Vec<Part> {
    let name = offer.name();
    let secret = !content.secrets.is_empty();
    let page = |page: Page, parent: String| {
        let page = Some(write(&page, secret));
        Part::Page(pb::Page {
            parent,
            page,
            etag: String::new(),
            save_time: None,
        })
    };
    let mut parts = vec![Part::Offer(wire::offers::offer(offer))];
    parts.extend(
        content
            .pages
            .iter()
            .map(|found| page(found, name.to_string())),
    );
    for plan in &content.plans {
        let parent = name.plan(&plan.plan_id).to_string();
        parts.push(Part::Plan(pb::Plan {
            name: parent.clone(),
            display_name: plan.display_name.clone(),
            subtype: plan.subtype.clone(),
            ever_frozen: true,
            ..pb::Plan::default()
        }));
        parts.extend(plan.pages.iter().map(|found| page(found, parent.clone())));
    }
    // Only what was processed gets into a snapshot.
    let assets = content.assets.iter();
    parts.extend(
        assets.map(|asset| Part::Asset(wire::assets::content(asset, AssetState::Processed))),
    );
    parts
}
