//! The catalogue's profile of a submission, as the domain needs it.

use marketplace_proto::offercatalog::v1 as catalog;

use crate::domain::{HelpLink, Leg, Plan, Profile};
use crate::error::Error;

/// A profile that lacks what decisions depend on is a fault of the catalogue, never a default.
pub fn profile(answer: catalog::SubmissionProfile) -> Result<Profile, Error> {
    let certification_leg = match catalog::CertificationLeg::try_from(answer.certification_leg) {
        Ok(catalog::CertificationLeg::Preview) => Leg::Preview,
        Ok(catalog::CertificationLeg::Live) => Leg::Live,
        Ok(catalog::CertificationLeg::Unspecified) | Err(_) => {
            return Err(Error::Corrupt(
                "the catalogue's profile names no certification leg",
            ));
        }
    };
    if answer.digest.is_empty() || answer.snapshot.is_empty() {
        return Err(Error::Corrupt("the catalogue's profile names no snapshot"));
    }
    Ok(Profile {
        snapshot: answer.snapshot,
        digest: answer.digest,
        offer_type: answer.offer_type,
        title: answer.offer_title,
        transactable: answer.transactable,
        lead_destination: answer.lead_destination_kind,
        plans: answer.plans.into_iter().map(plan).collect(),
        certification_leg,
        extra_steps: answer.extra_steps,
        requires_notes: answer.requires_testing_notes,
        changed: answer.changed,
        stop_notice_days: answer.stop_notice_days,
        pages_changed: answer.pages_changed,
        help_links: answer
            .help_links
            .into_iter()
            .map(|link| HelpLink {
                title: link.title,
                url: link.url,
            })
            .collect(),
        restores: Vec::new(),
    })
}

fn plan(plan: catalog::ProfilePlan) -> Plan {
    Plan {
        id: plan.plan_id,
        name: plan.name,
        stopped: plan.stopped,
        technical_parent: plan.technical_parent,
    }
}
