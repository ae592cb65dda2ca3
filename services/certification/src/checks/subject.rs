//! What a check looks at, and where it writes down what it saw.

use crate::domain::{
    Blocks, Finding, ImageFacts, Images, PublisherFacts, Rules, Severity, Snapshot,
    offer_type::{self, Artifact, OfferType},
    shortened,
    snapshot::{Asset, CallToAction, Listing, Plan},
};

use super::html::Html;

/// A frozen offer with everything that is known about it. Built once per run.
pub struct Subject<'a> {
    pub snapshot: &'a Snapshot,
    pub publisher: &'a PublisherFacts,
    pub images: &'a Images,
    pub rules: &'a Rules,
    /// Notes for certification.
    pub notes: &'a str,
    /// The type allows it and the offer says so (OT-2).
    pub transactable: bool,
    /// "publishers/{publisher}/offers/{offer}" as it was ordered.
    pub offer: &'a str,
    /// The description as its readers see it.
    pub description: Html,
}

impl<'a> Subject<'a> {
    pub fn listing(&self) -> &'a Listing {
        &self.snapshot.pages.offer_listing
    }

    /// The row of its type; `None`: this version doesn't know the type.
    pub fn of_type(&self) -> Option<&'static OfferType> {
        offer_type::find(&self.snapshot.offer.offer_type)
    }

    pub fn is_type(&self, id: &str) -> bool {
        self.snapshot.offer.offer_type == id
    }

    /// A fact of its type; an unknown type has it not.
    pub fn type_has(&self, fact: fn(&OfferType) -> bool) -> bool {
        self.of_type().is_some_and(fact)
    }

    /// A plan is sold, where the offer is.
    pub fn sells(&self, plan: &Plan) -> bool {
        self.of_type()
            .is_none_or(|known| !known.unsold_subtypes.contains(&plan.subtype.as_str()))
    }

    pub fn artifact(&self) -> Artifact {
        self.of_type()
            .map_or(Artifact::None, |known| known.artifact)
    }

    /// It must have plans: the type has them, or it has where the offer is sold through the marketplace.
    pub fn has_plans(&self) -> bool {
        self.of_type()
            .is_some_and(|known| known.plans.unwrap_or(self.transactable))
    }

    /// Its plans carry prices.
    pub fn is_priced(&self) -> bool {
        self.transactable && self.of_type().is_some_and(|known| known.priced)
    }

    pub fn plans(&self) -> impl Iterator<Item = &'a Plan> {
        self.snapshot.offered_plans()
    }

    pub fn call_to_action(&self) -> CallToAction {
        self.snapshot.pages.offer_setup.call_to_action
    }

    /// The asset of this name and what its content turned out to be.
    pub fn image(&self, name: &str) -> Option<(&'a Asset, &'a ImageFacts)> {
        let asset = self.snapshot.asset(name)?;
        Some((asset, self.images.get(&asset.digest)?))
    }

    /// Every text that customers read, with its place; markup as readers see it.
    pub fn public_texts(&self) -> Vec<(Place, String)> {
        let listing = self.listing();
        let at = |field: &str, text: &str| (Place::from(("offer_listing", field)), text.to_owned());
        let mut texts = vec![
            at("title", &listing.title),
            at("summary", &listing.summary),
            at("short_description", &listing.short_description),
            at("description", &self.description.visible()),
            at(
                "getting_started",
                &Html::read(&listing.getting_started).visible(),
            ),
        ];
        texts.extend(
            listing
                .keywords
                .iter()
                .enumerate()
                .map(|(n, word)| at(&format!("keywords[{n}]"), word)),
        );
        texts.extend(
            listing
                .useful_links
                .iter()
                .enumerate()
                .map(|(n, l)| at(&format!("useful_links[{n}].title"), &l.title)),
        );
        texts.extend(
            listing
                .screenshots
                .iter()
                .enumerate()
                .map(|(n, s)| at(&format!("screenshots[{n}].caption"), &s.caption)),
        );
        texts.extend(
            listing
                .documents
                .iter()
                .enumerate()
                .map(|(n, d)| at(&format!("documents[{n}].caption"), &d.caption)),
        );
        texts.extend(
            listing
                .videos
                .iter()
                .enumerate()
                .map(|(n, v)| at(&format!("videos[{n}].name"), &v.name)),
        );
        for plan in self.plans() {
            texts.push((
                plan_place(plan, "plan", "display_name"),
                plan.display_name.clone(),
            ));
            texts.push((
                plan_place(plan, "plan_listing", "summary"),
                plan.pages.plan_listing.summary.clone(),
            ));
            let description = Html::read(&plan.pages.plan_listing.description).visible();
            texts.push((plan_place(plan, "plan_listing", "description"), description));
        }
        texts.retain(|(_, text)| !text.trim().is_empty());
        texts
    }
}

/// A page, and a field within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub page: String,
    pub field: String,
}

impl<P: Into<String>, F: Into<String>> From<(P, F)> for Place {
    fn from((page, field): (P, F)) -> Place {
        Place {
            page: page.into(),
            field: field.into(),
        }
    }
}

/// A field of the offer listing.
pub fn listing(field: impl Into<String>) -> Place {
    ("offer_listing", field).into()
}

/// A field of a page of a plan.
pub fn plan_place(plan: &Plan, page: &str, field: impl Into<String>) -> Place {
    (format!("plans/{}/{page}", plan.plan_id), field).into()
}

/// The publisher's own facts: no page of the offer.
pub fn facts(field: &str) -> Place {
    ("", field).into()
}

/// Collects the findings of one check.
pub struct Found<'a> {
    pub(super) check: &'static str,
    pub(super) version: u32,
    pub(super) policy: &'static str,
    pub(super) blocks: Blocks,
    pub(super) rules: &'a Rules,
    pub(super) findings: Vec<Finding>,
}

impl Found<'_> {
    /// Something that fails certification.
    pub fn fail(
        &mut self,
        code: &str,
        at: impl Into<Place>,
        evidence: impl AsRef<str>,
        remedy: impl Into<String>,
    ) {
        self.add(
            Severity::Error,
            (code, self.policy),
            at.into(),
            evidence.as_ref(),
            remedy.into(),
        );
    }

    /// The same, under another policy than the check's.
    pub fn fail_under(
        &mut self,
        policy: &str,
        code: &str,
        at: impl Into<Place>,
        evidence: impl AsRef<str>,
        remedy: impl Into<String>,
    ) {
        self.add(
            Severity::Error,
            (code, policy),
            at.into(),
            evidence.as_ref(),
            remedy.into(),
        );
    }

    /// Something that is better mended, and fails nothing by itself.
    pub fn warn(
        &mut self,
        code: &str,
        at: impl Into<Place>,
        evidence: impl AsRef<str>,
        remedy: impl Into<String>,
    ) {
        self.add(
            Severity::Warning,
            (code, self.policy),
            at.into(),
            evidence.as_ref(),
            remedy.into(),
        );
    }

    /// The same, under another policy than the check's.
    pub fn warn_under(
        &mut self,
        policy: &str,
        code: &str,
        at: impl Into<Place>,
        evidence: impl AsRef<str>,
        remedy: impl Into<String>,
    ) {
        self.add(
            Severity::Warning,
            (code, policy),
            at.into(),
            evidence.as_ref(),
            remedy.into(),
        );
    }

    fn add(
        &mut self,
        severity: Severity,
        (code, policy): (&str, &str),
        at: Place,
        evidence: &str,
        remedy: String,
    ) {
        let policy_url = self
            .rules
            .policies
            .get(policy)
            .map(|p| p.url.clone())
            .unwrap_or_default();
        self.findings.push(Finding {
            code: code.to_owned(),
            severity,
            blocks: if severity == Severity::Error {
                self.blocks
            } else {
                Blocks::None
            },
            policy: policy.to_owned(),
            policy_url,
            page: at.page,
            field_path: at.field,
            artifact_path: String::new(),
            evidence: shortened(evidence),
            remedy,
            check: self.check.to_owned(),
            check_version: self.version,
            by_reviewer: false,
        });
    }
}
