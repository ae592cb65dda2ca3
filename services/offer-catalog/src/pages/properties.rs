//! Properties: categories, industries, legal terms (PR-1 … PR-6).

use serde::{Deserialize, Serialize};

use super::check::{self, Context};
use super::taxonomy::{self, known, known_child};
use super::{Issues, LegalTerms};

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Properties {
    /// Where customers browse for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<CategoryChoice>,
    /// Whom it is for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub industries: Vec<IndustryChoice>,
    /// Shown, and of no other consequence (PR-3).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_version: String,
    /// Under which terms customers buy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal: Option<LegalTerms>,
}

/// A category.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CategoryChoice {
    /// Its id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub category: String,
    /// Narrower ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subcategories: Vec<String>,
}

/// An industry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IndustryChoice {
    /// Its id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub industry: String,
    /// Narrower ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sub_industries: Vec<String>,
}

impl Properties {
    /// PR-1 … PR-5
    pub fn check(&self, context: &Context<'_>, issues: &mut Issues) {
        self.check_categories(context, issues);
        self.check_industries(issues);
        check::max_chars(issues, "app_version", &self.app_version, 50);
        check::plain_line(issues, "app_version", &self.app_version);
        check::present(
            issues,
            "legal",
            self.legal.as_ref(),
            "the standard contract or custom terms",
        );
        if let Some(legal) = &self.legal {
            legal.check(issues);
        }
    }

    fn check_categories(&self, context: &Context<'_>, issues: &mut Issues) {
        if self.categories.is_empty() {
            check::required(issues, "categories", "", "one or two categories");
        }
        check::max_items(issues, "categories", &self.categories, 2);
        for (at, choice) in self.categories.iter().enumerate() {
            let at = format!("categories[{at}]");
            check::max_items(
                issues,
                &format!("{at}.subcategories"),
                &choice.subcategories,
                2,
            );
            let Some(group) = known(
                issues,
                &format!("{at}.category"),
                &choice.category,
                taxonomy::categories(),
            ) else {
                continue;
            };
            if !group
                .storefronts
                .iter()
                .any(|front| context.offer_type.storefronts.contains(front))
            {
                let message = format!(
                    "{} is no category of the storefronts of this type of offer",
                    group.display_name
                );
                issues.error(
                    format!("{at}.category"),
                    "NOT_ALLOWED",
                    message,
                    "Choose a category that customers of this type browse.",
                );
            }
            once_each(
                issues,
                &format!("{at}.subcategories"),
                &choice.subcategories,
            );
            for (place, child) in choice.subcategories.iter().enumerate() {
                known_child(
                    issues,
                    &format!("{at}.subcategories[{place}]"),
                    child,
                    group,
                );
            }
        }
        let chosen = self.categories.iter().enumerate();
        check::distinct(
            issues,
            chosen.map(|(at, choice)| {
                (
                    format!("categories[{at}].category"),
                    choice.category.as_str(),
                )
            }),
        );
    }

    fn check_industries(&self, issues: &mut Issues) {
        check::max_items(issues, "industries", &self.industries, 2);
        for (at, choice) in self.industries.iter().enumerate() {
            let at = format!("industries[{at}]");
            let children = format!("{at}.sub_industries");
            check::min_items(issues, &children, &choice.sub_industries, 1);
            check::max_items(issues, &children, &choice.sub_industries, 2);
            let Some(group) = known(
                issues,
                &format!("{at}.industry"),
                &choice.industry,
                taxonomy::industries(),
            ) else {
                continue;
            };
            once_each(issues, &children, &choice.sub_industries);
            for (place, child) in choice.sub_industries.iter().enumerate() {
                known_child(issues, &format!("{children}[{place}]"), child, group);
            }
        }
        let chosen = self.industries.iter().enumerate();
        check::distinct(
            issues,
            chosen.map(|(at, choice)| {
                (
                    format!("industries[{at}].industry"),
                    choice.industry.as_str(),
                )
            }),
        );
    }

    /// PR-6
    pub fn check_against(&self, published: &Self, issues: &mut Issues) {
        let standard = matches!(published.legal, Some(LegalTerms::Standard(_)));
        if standard && matches!(self.legal, Some(LegalTerms::Custom(_))) {
            let message = "an offer that was published under the standard contract keeps it";
            issues.error(
                "legal",
                "FROZEN_BY_PUBLISH",
                message,
                "Choose the standard contract; amend it where need be.",
            );
        }
    }
}

fn once_each(issues: &mut Issues, field: &str, chosen: &[String]) {
    let places = chosen.iter().enumerate();
    check::distinct(
        issues,
        places.map(|(at, child)| (format!("{field}[{at}]"), child.as_str())),
    );
}
