//! The Review and publish page (PG-1 … PG-7): which pages apply, the status of each, and everything that is wrong.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::draft::{Draft, DraftPlan, PlanPages};
use super::plan_overview;
use super::snapshot::Content;
use crate::pages::{
    Applies, CoSell, Context, Issue, Issues, OfferListing, OfferSetup, OfferType, PageId,
    PlanListing, PlanPricing, PlanTechnicalConfiguration, PreviewAudience, PricingModel,
    Properties, ResellThroughCsps, ResellerState, Severity, SupplementalContent,
    TechnicalConfiguration,
};

/// The status of a page (PG-2 … PG-6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageStatus {
    /// Nobody has saved it, and it needs something.
    NotStarted,
    /// Something is missing or wrong.
    Incomplete,
    /// Everything needed is there and nothing is wrong.
    Complete,
    /// Complete, and differs from what is published.
    UnpublishedChanges,
}

/// A row of the Review and publish page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageReview {
    /// Which page.
    pub page: PageId,
    /// Whose plan's; `None` for pages of the offer.
    pub plan_id: Option<String>,
    /// Its status.
    pub status: PageStatus,
    /// How many errors it has.
    pub errors: usize,
    /// How many warnings.
    pub warnings: usize,
}

/// Everything there is to say about a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Every page that applies, in order; pages of plans after those of the offer.
    pub pages: Vec<PageReview>,
    /// Every issue of these pages, in the same order.
    pub issues: Vec<Issue>,
    /// No page keeps the offer from being published (PG-5).
    pub complete: bool,
}

/// What a draft is held against besides itself: what was published before, what others hold (some fields may not change
/// any more), and the time.
#[derive(Debug, Clone)]
pub struct Published {
    /// When it is looked at.
    pub now: OffsetDateTime,
    /// What customers see, or saw last; `None`: it never was live.
    pub live: Option<Content>,
    /// Application ids that other offers of the same type and publisher use, each with one of them (TC-2): live ones, or
    /// where none is live, drafts.
    pub other_applications: BTreeMap<String, String>,
    /// The draft's application id is used by another publisher (TC-2).
    pub foreign_application_id: bool,
}

impl Default for Published {
    /// Nothing was, nobody else holds anything, and time has not begun.
    fn default() -> Self {
        Self {
            now: OffsetDateTime::UNIX_EPOCH,
            live: None,
            other_applications: BTreeMap::new(),
            foreign_application_id: false,
        }
    }
}

/// Looks at every page that applies (PG-1).
pub fn review(draft: &Draft, published: &Published) -> Review {
    let all = Reviewing {
        draft,
        published,
        content: Content::of(draft),
        context: context(draft, published),
    };
    let mut pages = Vec::new();
    let mut issues = Vec::new();
    for page in draft
        .offer_type
        .pages(draft.transactable())
        .filter(|page| !page.is_of_plan())
    {
        let found = all.issues_of(page, None);
        pages.push(all.row(page, None, &found));
        issues.extend(found);
    }
    for (page, plan) in plan_pages(draft) {
        let found = all.issues_of(page, Some(plan));
        pages.push(all.row(page, Some(plan), &found));
        issues.extend(found);
    }
    plan_overview::aggregate(&mut pages);
    let done = |row: &PageReview| {
        matches!(
            row.status,
            PageStatus::Complete | PageStatus::UnpublishedChanges
        )
    };
    Review {
        complete: pages.iter().all(done),
        pages,
        issues,
    }
}

/// What is wrong with one page as it would be saved, next to the rest of the draft.
pub fn review_page(
    draft: &Draft,
    published: &Published,
    page: PageId,
    plan_id: Option<&str>,
) -> Vec<Issue> {
    let all = Reviewing {
        draft,
        published,
        content: Content::of(draft),
        context: context(draft, published),
    };
    let plan = plan_id.and_then(|id| draft.plans.iter().find(|plan| plan.plan_id == id));
    all.issues_of(page, plan)
}

fn plan_pages(draft: &Draft) -> impl Iterator<Item = (PageId, &DraftPlan)> {
    let pages: Vec<PageId> = draft
        .offer_type
        .pages(draft.transactable())
        .filter(|page| page.is_of_plan())
        .collect();
    draft
        .plans
        .iter()
        .flat_map(move |plan| pages.clone().into_iter().map(move |page| (page, plan)))
}

fn context<'a>(draft: &'a Draft, published: &Published) -> Context<'a> {
    Context {
        metered: draft.metered(),
        published: published.live.is_some(),
        now: published.now,
        offer_type: draft.offer_type,
        transactable: draft.transactable(),
        assets: &draft.assets,
        lead_secret: draft.lead_secret.is_some(),
    }
}

struct Reviewing<'a> {
    draft: &'a Draft,
    published: &'a Published,
    content: Content,
    context: Context<'a>,
}

impl Reviewing<'_> {
    fn issues_of(&self, page: PageId, plan: Option<&DraftPlan>) -> Vec<Issue> {
        let mut issues = Issues::of(page, plan.map(|plan| plan.plan_id.as_str()));
        match plan {
            None => {
                self.check(page, &mut issues);
                self.check_against(page, &mut issues);
            }
            Some(plan) => self.check_plan(page, plan, &mut issues),
        }
        issues.into_vec()
    }

    fn check(&self, page: PageId, issues: &mut Issues) {
        let (saved, context) = (&self.draft.pages, &self.context);
        match page {
            PageId::OfferSetup => or_default(&saved.offer_setup, |page: &OfferSetup| {
                page.check(context, issues)
            }),
            PageId::Properties => or_default(&saved.properties, |page: &Properties| {
                page.check(context, issues)
            }),
            PageId::OfferListing => or_default(&saved.offer_listing, |page: &OfferListing| {
                page.check(context, issues)
            }),
            PageId::PreviewAudience => {
                or_default(&saved.preview_audience, |page: &PreviewAudience| {
                    page.check(context, issues);
                    or_default(&saved.offer_listing, |listing: &OfferListing| {
                        page.warn_of_outsiders(listing, issues)
                    });
                })
            }
            PageId::TechnicalConfiguration => or_default(
                &saved.technical_configuration,
                |page: &TechnicalConfiguration| {
                    page.check(context, issues);
                    page.check_application(
                        context,
                        &self.published.other_applications,
                        self.published.foreign_application_id,
                        issues,
                    );
                },
            ),
            PageId::PlanOverview => {
                plan_overview::check(self.draft, self.published.live.as_ref(), issues)
            }
            PageId::ResellThroughCsps => {
                or_default(&saved.resell_through_csps, |page: &ResellThroughCsps| {
                    page.check(issues);
                    or_default(&saved.offer_listing, |listing: &OfferListing| {
                        let plans = self.draft.plans.iter().map(|plan| &plan.pages);
                        let default = reseller_default(self.draft.offer_type, plans);
                        page.warn_of_listing(listing, default, issues)
                    });
                })
            }
            PageId::CoSell => {
                or_default(&saved.co_sell, |page: &CoSell| page.check(context, issues))
            }
            PageId::SupplementalContent => {
                or_default(&saved.supplemental_content, |page: &SupplementalContent| {
                    page.check(context, issues)
                });
            }
            PageId::PlanListing | PageId::PlanPricing | PageId::PlanTechnicalConfiguration => {}
        }
    }

    /// What was published and can't be taken back.
    fn check_against(&self, page: PageId, issues: &mut Issues) {
        let Some(live) = &self.published.live else {
            return;
        };
        let (now, before) = (&self.draft.pages, &live.pages);
        match page {
            PageId::OfferSetup => both(&now.offer_setup, &before.offer_setup, |now, before| {
                now.check_against(before, self.draft.offer_type, issues)
            }),
            PageId::Properties => both(&now.properties, &before.properties, |now, before| {
                now.check_against(before, issues)
            }),
            PageId::ResellThroughCsps => {
                let plans = live.plans.iter().map(|plan| &plan.pages);
                let default = reseller_default(self.draft.offer_type, plans);
                let nothing = ResellThroughCsps::default();
                let (now, before) = (
                    now.resell_through_csps.as_ref(),
                    before.resell_through_csps.as_ref(),
                );
                now.unwrap_or(&nothing)
                    .check_against(before.unwrap_or(&nothing), default, issues);
            }
            _ => {}
        }
    }

    fn check_plan(&self, page: PageId, plan: &DraftPlan, issues: &mut Issues) {
        let (saved, context) = (&plan.pages, &self.context);
        match page {
            PageId::PlanListing => or_default(&saved.plan_listing, |page: &PlanListing| {
                page.check(context, issues)
            }),
            PageId::PlanPricing => {
                or_default(&saved.plan_pricing, |page: &PlanPricing| {
                    page.check(context, &plan.subtype, plan.audience.as_ref(), issues)
                });
                let before = self.live_plan(plan);
                let before = before.and_then(|pages| pages.plan_pricing.clone());
                both(&saved.plan_pricing, &before, |now, before| {
                    now.check_against(before, issues)
                });
            }
            PageId::PlanTechnicalConfiguration => {
                or_default(
                    &saved.plan_technical_configuration,
                    |page: &PlanTechnicalConfiguration| {
                        let live = self.live_plan(plan);
                        let live =
                            live.and_then(|pages| pages.plan_technical_configuration.as_ref());
                        page.check(context, live, issues);
                        plan_overview::check_parent(self.draft, plan, page, issues);
                    },
                );
            }
            _ => {}
        }
    }

    /// The same plan as customers have it.
    fn live_plan(&self, plan: &DraftPlan) -> Option<&PlanPages> {
        let live = self.published.live.as_ref()?;
        Some(&live.plan(&plan.plan_id)?.pages)
    }

    fn row(&self, page: PageId, plan: Option<&DraftPlan>, issues: &[Issue]) -> PageReview {
        let errors = issues
            .iter()
            .filter(|issue| issue.severity == Severity::Error)
            .count();
        let saved = match plan {
            None => self.draft.pages.get(page).is_some(),
            Some(plan) => plan.pages.get(page).is_some(),
        };
        let plan_id = plan.map(|plan| plan.plan_id.clone());
        let status = match (errors, saved) {
            (0, _) if self.differs(page, plan_id.as_deref()) => PageStatus::UnpublishedChanges,
            (0, _) => PageStatus::Complete,
            (_, true) => PageStatus::Incomplete,
            (_, false) => PageStatus::NotStarted,
        };
        PageReview {
            page,
            plan_id,
            status,
            errors,
            warnings: issues.len() - errors,
        }
    }

    /// PG-6: from what customers see. Audiences are outside of what is published and never differ.
    fn differs(&self, page: PageId, plan_id: Option<&str>) -> bool {
        let Some(live) = &self.published.live else {
            return false;
        };
        match page {
            PageId::PreviewAudience => false,
            PageId::PlanOverview => plan_overview::differs(&self.content, live),
            _ => {
                self.content.page(page, plan_id) != live.page(page, plan_id)
                    || self.secret_differs(page, live)
            }
        }
    }

    fn secret_differs(&self, page: PageId, live: &Content) -> bool {
        page == PageId::OfferSetup && self.content.secrets != live.secrets
    }
}

/// CS-1: what resellers may do with an offer of these plans, unless it says so.
fn reseller_default<'a>(
    offer_type: &OfferType,
    plans: impl IntoIterator<Item = &'a PlanPages>,
) -> ResellerState {
    let mut pricings = plans
        .into_iter()
        .filter_map(|pages| pages.plan_pricing.as_ref());
    let byol = pricings.any(|pricing| pricing.model == Some(PricingModel::Byol));
    if offer_type.resellers_by_default || (offer_type.byol_resold_by_default && byol) {
        ResellerState::All
    } else {
        ResellerState::None
    }
}

/// A page that was never saved is looked at as an empty one: what it needs is missing.
fn or_default<P: Default>(saved: &Option<P>, look: impl FnOnce(&P)) {
    match saved {
        Some(page) => look(page),
        None => look(&P::default()),
    }
}

fn both<P>(now: &Option<P>, before: &Option<P>, look: impl FnOnce(&P, &P)) {
    if let (Some(now), Some(before)) = (now, before) {
        look(now, before);
    }
}

/// Whether an offer must have plans (PN-1).
pub(super) fn needs_plans(draft: &Draft) -> bool {
    draft.offer_type.plans != Applies::Never && draft.offer_type.plans.to(draft.transactable())
}
