//! Plan overview: all plans at a glance (PG-7, PN-1, PN-2, PN-5, TC-7).

use std::collections::HashSet;

use super::completeness::{PageReview, PageStatus};
use super::draft::{Draft, DraftPlan};
use super::snapshot::Content;
use crate::pages::{
    Issues, PageId, PlanConfiguration, PlanPricing, PlanTechnicalConfiguration, PricingModel,
};

/// The most plans of an offer (PN-1).
pub const MAX_PLANS: usize = 100;
/// The most private ones (PN-1).
pub const MAX_PRIVATE_PLANS: usize = 45;

/// The rules that hold between plans.
pub fn check(draft: &Draft, live: Option<&Content>, issues: &mut Issues) {
    let plans = &draft.plans;
    if plans.is_empty() && super::completeness::needs_plans(draft) {
        issues.error(
            "plans",
            "REQUIRED",
            "there is no plan",
            "Create at least one plan.",
        );
    }
    if plans.len() > MAX_PLANS {
        let message = format!(
            "there are {} plans; at most {MAX_PLANS} are allowed",
            plans.len()
        );
        issues.error(
            "plans",
            "TOO_MANY",
            message,
            "Delete plans that were never published.",
        );
    }
    let private = pricings(draft)
        .filter(|(_, pricing)| pricing.is_private())
        .count();
    if private > MAX_PRIVATE_PLANS {
        let message =
            format!("{private} plans are private; at most {MAX_PRIVATE_PLANS} are allowed");
        issues.error(
            "plans",
            "TOO_MANY",
            message,
            "Make plans public or delete them.",
        );
    }
    let mut names = HashSet::new();
    for plan in plans
        .iter()
        .filter(|plan| !names.insert(plan.display_name.as_str()))
    {
        let field = format!("plans[{}].display_name", plan.plan_id);
        issues.error(
            field,
            "DUPLICATE",
            format!("another plan is called {} as well", plan.display_name),
            "Give it another name.",
        );
    }
    check_subtypes(draft, issues);
    check_models(draft, live, issues);
}

fn check_subtypes(draft: &Draft, issues: &mut Issues) {
    let known = &draft.offer_type.plan_subtypes;
    for plan in &draft.plans {
        let field = format!("plans[{}].subtype", plan.plan_id);
        if known.is_empty() && !plan.subtype.is_empty() {
            issues.error(
                field,
                "NOT_ALLOWED",
                "plans of this type of offer have no subtype",
                "Create the plan without one.",
            );
        } else if !known.is_empty() && !known.contains(&plan.subtype) {
            let remedy = format!("Create the plan with one of {}.", known.join(", "));
            issues.error(field, "UNKNOWN_VALUE", "is no subtype of plans", remedy);
        }
    }
}

/// PN-5: one model for all plans, that of what was published first. Types whose plans say by use what they cost differ.
fn check_models(draft: &Draft, live: Option<&Content>, issues: &mut Issues) {
    let by_term =
        |model: &PricingModel| matches!(model, PricingModel::FlatRate | PricingModel::PerUser);
    if !draft.offer_type.pricing_models.iter().all(by_term) {
        return;
    }
    let published = live
        .iter()
        .flat_map(|live| &live.plans)
        .find_map(|plan| plan.pages.plan_pricing.as_ref()?.model);
    let first = published.or_else(|| pricings(draft).find_map(|(_, pricing)| pricing.model));
    let Some(first) = first else { return };
    for (plan, pricing) in pricings(draft) {
        if let Some(model) = pricing.model.filter(|model| *model != first) {
            let field = format!("plans[{}].model", plan.plan_id);
            let message = format!(
                "is {}; the other plans are {}",
                model.as_str(),
                first.as_str()
            );
            issues.error(
                field,
                "MODELS_DIFFER",
                message,
                "Give all plans of the offer the same pricing model.",
            );
        }
    }
}

/// TC-7: a configuration that is reused is there, and is the plan's own.
pub fn check_parent(
    draft: &Draft,
    plan: &DraftPlan,
    page: &PlanTechnicalConfiguration,
    issues: &mut Issues,
) {
    let Some(parent) = page.parent().filter(|parent| !parent.is_empty()) else {
        return;
    };
    let found = draft
        .plans
        .iter()
        .find(|other| other.plan_id == parent && other.plan_id != plan.plan_id);
    let own = found.and_then(|other| {
        other
            .pages
            .plan_technical_configuration
            .as_ref()?
            .configuration
            .as_ref()
    });
    if !own.is_some_and(|configuration| !matches!(configuration, PlanConfiguration::ReusesPlan(_)))
    {
        let message =
            format!("{parent} is no other plan with a technical configuration of its own");
        issues.error(
            "reuses_plan",
            "UNKNOWN_VALUE",
            message,
            "Name a plan that has one.",
        );
    }
}

/// PG-7: complete only with every page of every plan; with anything saved it is begun.
pub fn aggregate(pages: &mut [PageReview]) {
    let of_plans = || pages.iter().filter(|row| row.page.is_of_plan());
    let open =
        of_plans().any(|row| matches!(row.status, PageStatus::NotStarted | PageStatus::Incomplete));
    let edited = of_plans().any(|row| row.status == PageStatus::UnpublishedChanges);
    let any = of_plans().next().is_some();
    let Some(overview) = pages
        .iter_mut()
        .find(|row| row.page == PageId::PlanOverview)
    else {
        return;
    };
    overview.status = match overview.status {
        PageStatus::NotStarted if any => PageStatus::Incomplete,
        PageStatus::Complete | PageStatus::UnpublishedChanges if open => PageStatus::Incomplete,
        PageStatus::Complete if edited => PageStatus::UnpublishedChanges,
        status => status,
    };
}

/// Plans were added, taken away or renamed since `live`.
pub fn differs(content: &Content, live: &Content) -> bool {
    let heads = |content: &Content| {
        content
            .plans
            .iter()
            .map(|plan| (plan.plan_id.clone(), plan.display_name.clone()))
            .collect::<Vec<_>>()
    };
    heads(content) != heads(live)
}

fn pricings(draft: &Draft) -> impl Iterator<Item = (&DraftPlan, &PlanPricing)> {
    draft
        .plans
        .iter()
        .filter_map(|plan| Some((plan, plan.pages.plan_pricing.as_ref()?)))
}

#[cfg(test)]
mod tests {
    use crate::domain::completeness::needs_plans;
    use crate::domain::samples;
    use crate::pages::offer_type;

    #[test]
    fn pn_1_plans_are_needed_where_the_offer_has_them() {
        assert!(needs_plans(&samples::saas()) && needs_plans(&samples::container()));
        assert!(!needs_plans(&samples::listed()), "sold elsewhere");
        let mut consulting = samples::saas();
        consulting.offer_type = offer_type::find("consultingService").unwrap();
        assert!(!needs_plans(&consulting), "a type without plans");
    }
}
