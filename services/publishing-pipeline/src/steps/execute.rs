//! What each step of ours does: the purchase flow (S-1, S-7) and lead management (S-2, S-8).

use marketplace_proto::offercatalog::v1::PlanProbe;

use super::Run;
use crate::domain::{Answer, StepId, Trouble};
use crate::error::span;
use crate::leads::{Delivery, Lead, Leads};
use crate::neighbours::Catalog;
use marketplace_runtime::{clock, status};
use tonic::Status;

/// Carries out single steps. Cheap to clone.
#[derive(Clone)]
pub struct Executor {
    catalog: Catalog,
    leads: Leads,
}

impl Executor {
    pub fn new(catalog: Catalog, leads: Leads) -> Self {
        Self { catalog, leads }
    }

    /// One try of a step. Whatever it does may be done again: it carries ids that were fixed before.
    pub async fn execute(&self, step: StepId, run: &Run) -> Answer {
        match step {
            StepId::PurchaseFlow | StepId::PurchaseFlowLive => self.probe_purchase(run).await,
            StepId::LeadManagement | StepId::LeadManagementLive => {
                self.send_test_lead(step, run).await
            }
            _ => Answer::Trouble(Trouble::Platform(format!(
                "{} is no step of ours",
                step.as_str()
            ))),
        }
    }

    /// S1-1: an order per plan of the frozen snapshot is made, resolved and canceled by the catalogue, which keeps none.
    async fn probe_purchase(&self, run: &Run) -> Answer {
        let probes = match self.catalog.probe_purchase(&run.snapshot).await {
            Ok(probes) => probes,
            Err(error) => return catalog_failed(&error),
        };
        let faults: Vec<String> = probes.iter().filter_map(fault).collect();
        if faults.is_empty() {
            let plans = probes.len();
            return Answer::Done(format!(
                "an order was made, resolved and canceled for each of {plans} plans"
            ));
        }
        Answer::Trouble(Trouble::Publisher(faults.join("; ")))
    }

    /// S2-1: a test lead is accepted by the destination.
    async fn send_test_lead(&self, step: StepId, run: &Run) -> Answer {
        let opened = match self.catalog.open_lead_secret(&run.snapshot).await {
            Ok(opened) => opened,
            Err(error) => return catalog_failed(&error),
        };
        let lead = Lead::test(run.submission, step, &opened);
        match self.leads.deliver(&opened, &lead, clock::now()).await {
            Delivery::Accepted(said) => Answer::Done(said),
            Delivery::Refused { why, wait } => Answer::Trouble(Trouble::Endpoint {
                why,
                wait: span(wait),
            }),
            Delivery::Impossible(why) => Answer::Trouble(Trouble::Publisher(why)),
            Delivery::OurFault(why) => Answer::Trouble(Trouble::Platform(why)),
        }
    }
}

/// Publishers read what a step says; what the catalogue answered is for the log.
fn catalog_failed(error: &Status) -> Answer {
    tracing::warn!(%error, "the catalogue failed a step");
    // It has found that what was frozen has changed: no further try will mend that (PB-1).
    if status::reason(error) == "DIGEST_MISMATCH" {
        return Answer::Trouble(Trouble::mismatch("what the catalogue has"));
    }
    Answer::Trouble(Trouble::Platform(
        "the catalogue is not available".to_owned(),
    ))
}

/// What kept a plan's order from being carried through.
fn fault(probe: &PlanProbe) -> Option<String> {
    let carried = probe.created && probe.resolved && probe.canceled;
    if carried && probe.faults.is_empty() {
        return None;
    }
    let why = if probe.faults.is_empty() {
        "its order could not be carried through".into()
    } else {
        probe.faults.join(" ")
    };
    Some(format!("plan {}: {why}", probe.plan_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_catalogue_answers_is_not_shown_to_publishers() {
        let error = Status::internal("relation offer_catalog.snapshots does not exist");
        let Answer::Trouble(Trouble::Platform(said)) = catalog_failed(&error) else {
            panic!("not the platform's");
        };
        assert_eq!(said, "the catalogue is not available");
    }

    #[test]
    fn pb1_a_snapshot_that_the_catalogue_finds_changed_is_a_mismatch() {
        let error = status::failed_precondition("catalog", "DIGEST_MISMATCH", "changed", &[]);
        assert!(matches!(
            catalog_failed(&error),
            Answer::Trouble(Trouble::Mismatch(_))
        ));
    }
}
