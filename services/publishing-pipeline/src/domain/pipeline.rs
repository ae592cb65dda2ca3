//! Which steps a submission has, in which order (PL-1 … PL-3, PL-9): data, walked once when it is submitted.

use super::profile::Profile;
use super::step::{Leg, Step, StepId};

/// When a step is generated; one whose feature wasn't chosen is absent, not skipped.
#[derive(Debug, Clone, Copy)]
enum When {
    Always,
    Transactable,
    LeadDestination,
    /// The type adds it, by the step's id.
    Extra,
    /// The type certifies in the leg of this row.
    CertifiedHere,
}

/// The order of phases is the order of these rows.
const PIPELINE: [(StepId, Leg, When); 10] = [
    (StepId::PurchaseFlow, Leg::Preview, When::Transactable),
    (StepId::LeadManagement, Leg::Preview, When::LeadDestination),
    (StepId::OfferValidation, Leg::Preview, When::Extra),
    (StepId::Certification, Leg::Preview, When::CertifiedHere),
    (StepId::PreviewCreation, Leg::Preview, When::Always),
    (StepId::PublisherSignOff, Leg::Preview, When::Always),
    (StepId::Certification, Leg::Live, When::CertifiedHere),
    (StepId::PurchaseFlowLive, Leg::Live, When::Transactable),
    (StepId::LeadManagementLive, Leg::Live, When::LeadDestination),
    (StepId::FinalPublish, Leg::Live, When::Always),
];

/// The steps of a submission with this profile.
pub fn steps(profile: &Profile) -> Vec<Step> {
    let rows = PIPELINE
        .into_iter()
        .filter(|&(id, leg, when)| applies(profile, id, leg, when));
    rows.map(|(id, leg, _)| Step::new(id, leg)).collect()
}

fn applies(profile: &Profile, id: StepId, leg: Leg, when: When) -> bool {
    match when {
        When::Always => true,
        When::Transactable => profile.transactable,
        When::LeadDestination => !profile.lead_destination.is_empty(),
        When::Extra => profile.extra_steps.iter().any(|extra| extra == id.as_str()),
        When::CertifiedHere => profile.certification_leg == leg,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::profile;

    /// Name; transactable, leads, SaaS, certification leg; the steps.
    type Row = (
        &'static str,
        (bool, bool, bool, Leg),
        &'static [&'static str],
    );

    fn ids(transactable: bool, leads: bool, validation: bool, leg: Leg) -> Vec<&'static str> {
        let mut profile = profile(leg);
        profile.transactable = transactable;
        profile.lead_destination = if leads {
            "https_endpoint".into()
        } else {
            String::new()
        };
        profile.extra_steps = if validation {
            vec!["offer-validation".into()]
        } else {
            vec![]
        };
        steps(&profile)
            .into_iter()
            .map(|step| step.id.as_str())
            .collect()
    }

    /// PL-9, row by row.
    #[test]
    fn pl9_every_default_pipeline_is_generated() {
        let rows: [Row; 8] = [
            (
                "SaaS transactable",
                (true, true, true, Leg::Live),
                &[
                    "purchase-flow",
                    "lead-management",
                    "offer-validation",
                    "preview-creation",
                    "publisher-sign-off",
                    "certification",
                    "purchase-flow-live",
                    "lead-management-live",
                    "final-publish",
                ],
            ),
            (
                "SaaS contact me",
                (false, true, true, Leg::Live),
                &[
                    "lead-management",
                    "offer-validation",
                    "preview-creation",
                    "publisher-sign-off",
                    "certification",
                    "lead-management-live",
                    "final-publish",
                ],
            ),
            (
                "SaaS free without CRM",
                (false, false, true, Leg::Live),
                &[
                    "offer-validation",
                    "preview-creation",
                    "publisher-sign-off",
                    "certification",
                    "final-publish",
                ],
            ),
            (
                "VM, container",
                (true, false, false, Leg::Preview),
                &[
                    "purchase-flow",
                    "certification",
                    "preview-creation",
                    "publisher-sign-off",
                    "purchase-flow-live",
                    "final-publish",
                ],
            ),
            (
                "VM, container with CRM",
                (true, true, false, Leg::Preview),
                &[
                    "purchase-flow",
                    "lead-management",
                    "certification",
                    "preview-creation",
                    "publisher-sign-off",
                    "purchase-flow-live",
                    "lead-management-live",
                    "final-publish",
                ],
            ),
            (
                "managed application",
                (true, false, false, Leg::Live),
                &[
                    "purchase-flow",
                    "preview-creation",
                    "publisher-sign-off",
                    "certification",
                    "purchase-flow-live",
                    "final-publish",
                ],
            ),
            (
                "IoT edge without CRM (AS-042)",
                (false, false, false, Leg::Preview),
                &[
                    "certification",
                    "preview-creation",
                    "publisher-sign-off",
                    "final-publish",
                ],
            ),
            (
                "D365, consulting",
                (false, true, false, Leg::Preview),
                &[
                    "lead-management",
                    "certification",
                    "preview-creation",
                    "publisher-sign-off",
                    "lead-management-live",
                    "final-publish",
                ],
            ),
        ];
        for (name, (transactable, leads, validation, leg), expected) in rows {
            assert_eq!(
                ids(transactable, leads, validation, leg),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn a_step_is_there_once_and_sign_off_ends_the_preview_leg() {
        for leg in [Leg::Preview, Leg::Live] {
            for bits in 0..8_u8 {
                let all = ids(bits & 1 > 0, bits & 2 > 0, bits & 4 > 0, leg);
                let unique: std::collections::HashSet<_> = all.iter().collect();
                assert_eq!(unique.len(), all.len(), "{all:?}");
                assert_eq!(all.last(), Some(&"final-publish"));
            }
        }
    }
}
