//! Saving a page (T02): one read of what its rules look at, one write.

use std::collections::BTreeSet;

use marketplace_messaging::Work;
use marketplace_runtime::access::Scope;
use marketplace_runtime::ids::{OfferName, new_id};
use marketplace_runtime::status::Violation;
use serde_json::Value;
use time::OffsetDateTime;

use crate::domain::Draft;
use crate::domain::completeness::review_page;
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::pages::{Issue, LeadDestination, Page, PageId};
use crate::store;
use crate::store::admissions::Admission;
use crate::store::pages::{Loaded, Save, Secret, Selection};

/// A page as a caller wants it saved.
#[derive(Debug)]
pub struct SavePage {
    pub offer: OfferName,
    pub plan: Option<String>,
    pub page: Page,
    /// Its JSON.
    pub content: Value,
    pub secret: NewSecret,
    /// The page's revision as the caller read it; 0: it was never saved.
    pub etag: i64,
}

/// What a caller says of the page's secret.
#[derive(Clone, PartialEq, Eq)]
pub enum NewSecret {
    /// There is none (any more).
    None,
    /// The mask: the stored one stays.
    Keep,
    /// A new one.
    Value(String),
}

impl std::fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Keep => "Keep",
            Self::Value(_) => "Value(…)",
        })
    }
}

/// A saved page.
#[derive(Debug)]
pub struct SavedPage {
    pub page: Page,
    pub revision: i64,
    pub offer_revision: i64,
    pub has_secret: bool,
    pub issues: Vec<Issue>,
    pub save_time: OffsetDateTime,
}

/// Saves a page whole. Incomplete is fine; a stale etag, a page that the type doesn't have, or a masked secret that
/// belongs to another destination is not.
pub async fn save(
    db: &mut Work,
    keys: &Keys,
    scope: &Scope,
    command: &SavePage,
    now: OffsetDateTime,
) -> Result<SavedPage> {
    let id = command.page.id();
    let plan_id = command.plan.as_deref().unwrap_or_default();
    let found = store::pages::load(db, scope, &command.offer, &selection(command), now).await?;
    let (mut loaded, scope) = found.ok_or_else(|| Error::not_found("Offer", &command.offer))?;
    check_place(&loaded, command)?;
    let current = loaded.saved(id, plan_id).map_or(0, |saved| saved.revision);
    if current != command.etag {
        return Err(Error::StaleEtag {
            current: etag(current),
        });
    }
    let offer = loaded.draft.offer.uid;
    let sealed = seal(keys, &loaded, command)?;
    let secret = match (&command.secret, &sealed) {
        (_, Some(sealed)) => Secret::New(sealed),
        (NewSecret::Keep, None) => Secret::Keep,
        _ => Secret::None,
    };
    let has_secret = !matches!(secret, Secret::None);
    // Before the write, which locks the offer's row: rules look at what may be a long page. A save that is done raises the
    // revision by one.
    put(&mut loaded, command, has_secret.then_some(current + 1));
    let issues = review_page(
        &loaded.draft,
        &loaded.published,
        id,
        command.plan.as_deref(),
    );
    let (content, by) = (command.content.clone(), scope.principal());
    let save = Save {
        offer,
        plan_id,
        page: id,
        content,
        etag: command.etag,
        secret,
        by,
    };
    let saved = store::pages::save(db, &save, now).await;
    let Some(revisions) = saved.map_err(|error| gone(error, command))? else {
        let current = store::pages::revision(db, offer, plan_id, id).await?;
        return Err(Error::StaleEtag {
            current: etag(current),
        });
    };
    let (page, revision, offer_revision) = (command.page.clone(), revisions.page, revisions.offer);
    audit_outsiders(db, &loaded.draft, command, revision, scope.principal(), now).await?;
    Ok(SavedPage {
        page,
        revision,
        offer_revision,
        has_secret,
        issues,
        save_time: now,
    })
}

/// PV-6: nobody is kept from letting outsiders in, and it is known who did.
async fn audit_outsiders(
    db: &mut Work,
    draft: &Draft,
    command: &SavePage,
    revision: i64,
    by: &str,
    at: OffsetDateTime,
) -> Result<()> {
    let (Page::PreviewAudience(audience), Some(listing)) =
        (&command.page, &draft.pages.offer_listing)
    else {
        return Ok(());
    };
    let outsiders = audience.outsiders(listing).into_iter();
    let domains: BTreeSet<String> = outsiders.map(|(_, domain)| domain).collect();
    if domains.is_empty() {
        return Ok(());
    }
    let admission = Admission {
        id: new_id(),
        offer: draft.offer.uid,
        revision,
        domains: &domains.into_iter().collect::<Vec<_>>(),
        by,
        at,
    };
    store::admissions::audit(db, &admission).await
}

/// The plan may be deleted between our read and our write: its pages are refused by the database then.
fn gone(error: Error, command: &SavePage) -> Error {
    match &command.plan {
        Some(plan) if error.violates("pages_offer_uid_plan_fkey") => {
            Error::not_found("Plan", command.offer.plan(plan))
        }
        _ => error,
    }
}

/// The etag of a page; empty where it was never saved.
pub fn etag(revision: i64) -> String {
    if revision == 0 {
        String::new()
    } else {
        revision.to_string()
    }
}

/// What the page's rules look at besides the page.
fn selection(command: &SavePage) -> Selection<'_> {
    let id = command.page.id();
    let mut pages = vec![PageId::OfferSetup.as_str()];
    match id {
        PageId::OfferSetup => {}
        // PV-6 compares with the listing's contacts; LI-12 looks for a contact there.
        PageId::PreviewAudience | PageId::ResellThroughCsps => {
            pages.extend([id.as_str(), PageId::OfferListing.as_str()])
        }
        _ => pages.push(id.as_str()),
    }
    let files = [
        PageId::OfferListing,
        PageId::CoSell,
        PageId::SupplementalContent,
        PageId::PlanTechnicalConfiguration,
    ];
    let application = match &command.page {
        Page::TechnicalConfiguration(page) => Some(page.application_id.as_str()),
        _ => None,
    };
    let plan_page = command.plan.as_deref().map(|plan| (plan, id));
    Selection {
        // Whether a plan has meters decides what the technical configuration needs.
        pages: (id != PageId::TechnicalConfiguration).then_some(pages),
        plan_page,
        assets: files.contains(&id),
        application,
    }
}

fn check_place(loaded: &Loaded, command: &SavePage) -> Result<()> {
    let (draft, id) = (&loaded.draft, command.page.id());
    if !draft.offer_type.has(id) {
        let why = format!(
            "offers of type {} have no page {}",
            draft.offer_type.id,
            id.title()
        );
        let field = format!("page.{}", id.as_str());
        return Err(Error::invalid(
            Violation::new(field, why).because("PAGE_NOT_APPLICABLE"),
        ));
    }
    match &command.plan {
        Some(plan) if !draft.plans.iter().any(|known| known.plan_id == *plan) => {
            Err(Error::not_found("Plan", command.offer.plan(plan)))
        }
        _ => Ok(()),
    }
}

/// A new secret sealed for its place; a kept one must be there and be meant for the same destination.
fn seal(keys: &Keys, loaded: &Loaded, command: &SavePage) -> Result<Option<Vec<u8>>> {
    let Page::OfferSetup(setup) = &command.page else {
        return Ok(None);
    };
    match &command.secret {
        NewSecret::None => Ok(None),
        NewSecret::Value(secret) => {
            let place =
                store::secrets::place(loaded.draft.offer.uid, store::secrets::LEAD_DESTINATION);
            Ok(Some(keys.seal(&place, secret.as_bytes())?))
        }
        NewSecret::Keep => {
            let before = loaded
                .draft
                .pages
                .offer_setup
                .as_ref()
                .and_then(|setup| setup.lead_destination.as_ref());
            let same = |leads: &LeadDestination| {
                before.is_some_and(|before| leads.shares_secret_with(before))
            };
            let kept = loaded.draft.lead_secret.is_some()
                && setup.lead_destination.as_ref().is_some_and(same);
            if kept {
                Ok(None)
            } else {
                Err(Error::invalid(nothing_to_keep(
                    setup.lead_destination.as_ref(),
                )))
            }
        }
    }
}

fn nothing_to_keep(leads: Option<&LeadDestination>) -> Violation {
    let field = leads
        .and_then(LeadDestination::secret_field)
        .unwrap_or_default();
    let why = "no secret is stored for this destination; give it anew";
    Violation::new(format!("page.offer_setup.lead_destination.{field}"), why)
        .because("SECRET_NOT_STORED")
}

/// The draft as it is after the save, for its rules.
fn put(loaded: &mut Loaded, command: &SavePage, secret: Option<i64>) {
    let plan = loaded
        .draft
        .plans
        .iter_mut()
        .find(|plan| Some(&plan.plan_id) == command.plan.as_ref());
    let placed = match plan {
        Some(plan) => plan.pages.put(command.page.clone()),
        None => loaded.draft.pages.put(command.page.clone()),
    };
    // Whose page it is was checked with its form.
    debug_assert!(placed.is_ok(), "the page is in its place");
    if command.page.id() == PageId::OfferSetup {
        loaded.draft.lead_secret = secret;
    }
}
